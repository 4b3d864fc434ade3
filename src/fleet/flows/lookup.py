"""Listing and showing what the joint inventory has, with the state of what is polled."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from fleet.core.asof import inventory_at
from fleet.core.facts import Facts, Finding, find_differences
from fleet.core.hours import hours_of
from fleet.core.impact import chain, part_vertices
from fleet.core.inventory import (
    KINDS,
    Contact,
    Device,
    DeviceStatus,
    Interface,
    Inventory,
    Service,
    Site,
    Thing,
    kind_of,
)
from fleet.core.lookup import nfc
from fleet.core.moment import from_us, text_of, to_us
from fleet.core.record import Record, encode, to_record
from fleet.core.redundancy import Dominators
from fleet.core.states import FAILING, State, Track
from fleet.core.topology import Network, Uplink, Vertex
from fleet.errors import NotFound

if TYPE_CHECKING:
    from fleet.store.reader import Reader


_REBOOTS = 3  # that are shown
_CHANGES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """Which things are wanted; None: all."""

    member: str | None = None
    site: str | None = None
    role: str | None = None
    status: str | None = None
    retired_too: bool = False


@dataclass(frozen=True, kw_only=True)
class View:
    """The inventory as it is looked at, with the states of its devices.

    Args:
        now: when it is looked at.
        is_past: that is another time than today: what devices say of themselves is not of then.
    """

    inventory: Inventory
    tracks: Mapping[str, Track]
    network: Network
    now: datetime
    is_past: bool = False

    @cached_property
    def uplinks(self) -> Mapping[str, Uplink]:
        return self.network.uplinks()

    @cached_property
    def dominators(self) -> Dominators:
        return Dominators(self.network)


def open_view(reader: "Reader", now: datetime, interval: timedelta, from_site: str | None) -> View:
    """What the database says now.

    Args:
        interval: between polls; a state without an observation for three of them is unknown.
        from_site: where uplinks lead to; None: to the nearest data centre.
    """
    inventory = reader.inventory()
    tracks = {name: track.at(now, interval) for name, track in reader.tracks().items()}
    network = Network(inventory, from_site)
    return View(inventory=inventory, tracks=tracks, network=network, now=now)


def open_view_at(reader: "Reader", at: datetime, from_site: str | None) -> View:
    """What is known of an earlier instant: the inventory, and the states of its devices."""
    entries = ((when, *entry) for when, entry in reader.dated_history())
    inventory = inventory_at(reader.inventory(), entries, at)
    instant = to_us(at)
    tracks = {
        device: Track(device=device, state=State(state), since=from_us(since), last_at=at)
        for device, intervals in reader.intervals((instant, instant + 1)).items()
        for state, since, _ in intervals
    }
    network = Network(inventory, from_site)
    return View(inventory=inventory, tracks=tracks, network=network, now=at, is_past=True)


def list_things(view: View, kind: str, scope: Scope) -> list[Record]:
    """The things of a kind as JSON values, by key.

    Raises:
        NotFound: the scope names a member or site that does not exist.
    """
    return [to_row(view, thing) for thing in select(view.inventory, kind, scope)]


def select(inventory: Inventory, kind: str, scope: Scope) -> list[Thing]:
    """The things of a kind that a scope names, by key.

    Raises:
        NotFound: the scope names a member or site that does not exist.
    """
    if scope.member is not None and scope.member not in inventory.members:
        raise _not_found(inventory, "member", scope.member)
    if scope.site is not None and scope.site not in inventory.sites:
        raise _not_found(inventory, "site", scope.site)
    _check_scope(inventory, scope)
    things = inventory.of_kind(kind)
    return [things[key] for key in sorted(things) if _fits(inventory, things[key], scope)]


def _check_scope(inventory: Inventory, scope: Scope) -> None:
    """A misspelt status or role would give an empty list, which says something else."""
    if scope.status is not None and scope.status not in set(DeviceStatus):
        raise NotFound(
            f"there is no status `{scope.status}`", hint=f"statuses: {', '.join(DeviceStatus)}"
        )
    roles = {d.role for d in inventory.devices.values()}
    if scope.role is not None and scope.role not in roles:
        raise NotFound(
            f"no device has the role `{scope.role}`", hint=f"roles: {', '.join(sorted(roles))}"
        )


def list_changes(reader: "Reader", view: View, scope: Scope) -> list[Record]:
    """The history, newest first; of a member or a site: of what is there now."""
    names = ("at", "actor", "source", "plan", "action", "kind", "key", "fields")
    changes = [dict(zip(names, row, strict=True)) for row in reader.changes()]
    if scope != Scope():
        every = replace(scope, retired_too=True)
        there = {
            (kind, row_key(row, kind)) for kind in KINDS for row in list_things(view, kind, every)
        }
        changes = [c for c in changes if (c["kind"], c["key"]) in there]
    return [c | {"at": text_of(from_us(c["at"]))} for c in changes]


def row_key(row: Record, kind: str) -> str:
    """The key of the thing that a row shows."""
    match kind:
        case "interface":
            return f"{row['device']} : {row['name']}"
        case "link":
            return f"{row['a']} – {row['b']}"
        case "device":
            return str(row["name"])
        case _:
            return str(row["slug"])


def _fits(inventory: Inventory, thing: Thing, scope: Scope) -> bool:
    if scope.status is not None:
        return _status(thing) == scope.status and _is_there(inventory, thing, scope)
    return (scope.retired_too or not thing.retired) and _is_there(inventory, thing, scope)


def _status(thing: Thing) -> str:
    if isinstance(thing, Device):
        return thing.status.value
    return "retired" if thing.retired else "active"


def _is_there(inventory: Inventory, thing: Thing, scope: Scope) -> bool:
    return (
        (scope.member is None or inventory.member_of(thing) == scope.member)
        and (scope.site is None or inventory.site_of(thing) == scope.site)
        and (scope.role is None or getattr(thing, "role", None) == scope.role)
    )


def to_row(view: View, thing: Thing) -> Record:
    """A thing's fields, where it belongs, and (for a device) its state."""
    record = to_record(thing)
    row: Record = {}
    if not isinstance(thing, Site) and kind_of(thing) != "member":
        record["member"] = view.inventory.member_of(thing)
    if isinstance(thing, Interface):
        record["site"] = view.inventory.site_of(thing)
    if isinstance(thing, Device):
        record["owner"] = view.inventory.owner_of(thing)
        record |= _state(view, thing)
    return row | record


def _state(view: View, device: Device) -> Record:
    if not device.is_polled:
        return {"state": None, "state_since": None}
    track = view.tracks.get(device.name)
    if track is None:
        return {"state": State.UNKNOWN.value, "state_since": None}
    return {"state": track.state.value, "state_since": text_of(track.since)}


def find_thing(view: View, kind: str, name: str) -> Thing:
    """One thing by its name or slug.

    Raises:
        NotFound: there is none such.
    """
    thing = view.inventory.of_kind(kind).get(nfc(name))
    if thing is None:
        raise _not_found(view.inventory, kind, nfc(name))
    return thing


def show_thing(reader: "Reader", view: View, kind: str, name: str) -> Record:
    """One thing whole, and what a person who asks for it wants to know beside.

    Raises:
        NotFound: there is none such.
    """
    thing = find_thing(view, kind, name)
    record = to_row(view, thing)
    match thing:
        case Site():
            record |= _site_details(view, thing)
        case Device():
            record |= _device_details(reader, view, thing)
        case Service():
            record["single_points_of_failure"] = _points_of_service(view, thing)
        case _:
            if kind == "member":
                record["sites"] = sorted(
                    s.slug for s in view.inventory.sites.values() if s.member == name
                )
    return record


def _site_details(view: View, site: Site) -> Record:
    devices = [d for d in view.inventory.devices_by_site.get(site.slug, ()) if not d.retired]
    return {
        "opening_hours": hours_of(site),
        "contacts": contacts(view.inventory, site, devices),
        "single_points_of_failure": _points(view, view.network.of_site(site.slug)),
        "edge_devices": sorted(view.inventory.edge_devices.get(site.slug, ())),
        "devices": [to_row(view, d) | {"uplink": _uplink(view, d)} for d in devices],
    }


def _points(view: View, ends: Iterable[Vertex]) -> list[str]:
    """What alone, by failing, cuts these off: devices, and links by their circuit or ends."""
    return [_shown(view, *point) for point in view.dominators.single_points(ends)]


def _shown(view: View, kind: str, name: str) -> str:
    circuit = view.inventory.links[name].circuit_id if kind == "link" else None
    return circuit or name


def _points_of_service(view: View, service: Service) -> list[str]:
    """Its parts, and what each of them hangs behind."""
    found: dict[str, None] = {}
    for part in sorted(chain(view.inventory, service)):
        for vertex in part_vertices(view.network, part):
            found |= dict.fromkeys(_points(view, (vertex,)))
    return list(found)


def _device_details(reader: "Reader", view: View, device: Device) -> Record:
    site = view.inventory.sites[device.site]
    declared = tuple(i for i in view.inventory.interfaces.values() if i.device == device.name)
    name = device.name
    at_us, facts = (0, None) if view.is_past else reader.facts([name]).get(name, (0, None))
    drift = () if view.is_past else reader.drift()
    conditions = () if view.is_past else reader.conditions()
    return {
        "site_name": site.name,
        "uplink": _uplink(view, device),
        "way": _way(view, device),
        "behind": _behind(reader, view, device),
        "contacts": contacts(view.inventory, site, [device]),
        "changes": _changes(reader, view, device),
        "differs_from": [baseline for one, baseline in drift if one == name],
        "interfaces": [to_record(i) for i in declared if not i.retired],
        "conditions": [
            {"subject": c.subject, "state": c.state, "since": text_of(c.since)}
            for c in conditions
            if c.device == device.name
        ],
        "reboots": _reboots(reader, view, device),
        "facts": to_record(facts) if facts else None,
        "facts_at": text_of(from_us(at_us)) if facts else None,
        "findings": [to_record(f) for f in _findings(device, declared, facts)],
    }


def _reboots(reader: "Reader", view: View, device: Device) -> list[str]:
    """The last ones until then, the newest first."""
    at = [int(at) for _, _, at in reader.events(device.name)]
    return [text_of(from_us(one)) for one in at if one <= to_us(view.now)][:_REBOOTS]


def _findings(
    device: Device, declared: tuple[Interface, ...], facts: Facts | None
) -> Iterable[Finding]:
    if facts is None:
        return ()
    return find_differences(device, tuple(i for i in declared if not i.retired), facts)


def _changes(reader: "Reader", view: View, device: Device) -> list[Record]:
    """The last changes until then, the newest first."""
    found = [
        {"at": text_of(from_us(int(at))), "by": actor, "source": source, "fields": fields}
        for at, actor, source, _, _, _, _, fields in reader.changes(kind="device", key=device.name)
        if int(at) <= to_us(view.now)
    ]
    return found[:_CHANGES]


def _way(view: View, device: Device) -> list[str]:
    """The devices from here to where the poller stands, or the data centre, when all is well."""
    way, name = [device.name], device.name
    while (uplink := view.uplinks.get(name)) is not None and uplink.to not in way:
        name = uplink.to
        way.append(name)
    return way[1:]


def _behind(reader: "Reader", view: View, device: Device) -> str | None:
    """What made a device fail that is not at fault itself, while it does."""
    now = to_us(view.now)
    spans = reader.states((now - 1, now)).get(device.name, ())
    roots = [root for state, _, until, root in spans if until is None and state in FAILING]
    root = roots[-1].partition(" ")[2] if roots and roots[-1] else None
    return root if root != device.name else None


def _uplink(view: View, device: Device) -> Record | None:
    uplink = view.uplinks.get(device.name)
    return to_record(uplink) if uplink else None


def contacts(inventory: Inventory, site: Site, devices: Iterable[Device]) -> list[Record]:
    """Who to ring about a site: its own contact, its member's, and those of its contracts."""
    found: dict[str, Contact] = {}
    if site.contact:
        found[site.name] = site.contact
    member = inventory.members.get(site.member)
    if member and member.contact:
        found[member.name] = member.contact
    for slug in sorted({d.contract for d in devices if d.contract}):
        contract = inventory.contracts.get(slug)
        if contract and contract.contact:
            found[f"{contract.supplier} ({slug})"] = contract.contact
    return [{"of": of, **encode(contact)} for of, contact in found.items()]


def _not_found(inventory: Inventory, kind: str, name: str) -> NotFound:
    import difflib

    close = difflib.get_close_matches(name, list(inventory.of_kind(kind)), n=3)
    asked = f"did you mean {' or '.join(f'`{c}`' for c in close)}?" if close else None
    return NotFound(f"there is no {kind} `{name}`", hint=asked or f"try: fleet find {name}")


def singular(kind: str) -> str:
    """`devices` and `device` are both understood.

    Raises:
        NotFound: it is no kind at all.
    """
    for known in (*KINDS, "outage", "change"):
        if kind in (known, f"{known}s"):
            return known
    kinds = ", ".join(f"{k}s" for k in (*KINDS, "outage", "change"))
    raise NotFound(f"there is no kind `{kind}`", hint=f"kinds: {kinds}")
