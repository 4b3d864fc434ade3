"""The inventory as it was on an earlier day.

Two things are put together: what the history recorded until then, and the dates that things carry
themselves (memberships, `member_from`, `commissioned` …), which hold as they are known now. What
was recorded first holds for the time before it, as fleet came later than the devices.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime

from fleet.core.adoption import is_used
from fleet.core.diff import Action, FieldChanges, is_swap
from fleet.core.heirs import owned
from fleet.core.inventory import (
    KINDS,
    Contract,
    Device,
    Interface,
    Inventory,
    Link,
    Member,
    Service,
    Site,
    Thing,
)
from fleet.core.moment import Moment, local, to_instant
from fleet.core.record import Record, defaults, from_record, to_record

Recorded = tuple[int, str, str, str, FieldChanges]  # at_us, action, kind, key, fields

# Dates are knowledge about all of time, whenever somebody wrote them down.
_DATED = frozenset(
    {"commissioned", "decommissioned", "member_from", "member_until", "from", "until", "use"}
)


def records_at(entries: Iterable[Recorded], at_us: int) -> dict[tuple[str, str], Record]:
    """What was recorded of each thing at an instant; of what came later, what was first."""
    records: dict[tuple[str, str], Record] = {}
    seen: set[tuple[str, str]] = set()
    for when, action, kind, key, fields in entries:
        name = (kind, key)
        if when > at_us and name in seen:
            continue
        seen.add(name)
        new = {field: value for field, (_, value) in fields.items()}
        if action == Action.DELETE:
            records.pop(name, None)
        elif action == Action.CREATE:
            records[name] = {**defaults(KINDS[kind]), **new}
        else:
            records[name] = {**records.get(name, {}), **new}
    return records


def inventory_at(now: Inventory, entries: Iterable[Recorded], at: datetime) -> Inventory:
    """The inventory as it was at an instant.

    Args:
        now: as it is known today.
        entries: the whole history, oldest first.
    """
    day = local(at).date()
    at_us = int(at.timestamp() * 1_000_000)
    history = list(entries)
    # The first day of a machine that came later says nothing of the one that stood there.
    swapped = {
        key for when, _, kind, key, f in history if when > at_us and kind == "device" and is_swap(f)
    }
    found: dict[str, dict[str, Thing]] = {kind: {} for kind in KINDS}
    for (kind, key), record in records_at(history, at_us).items():
        known = now.of_kind(kind).get(key)
        if known is not None:
            today = to_record(known)
            dated = _DATED - ({"commissioned"} if kind == "device" and key in swapped else set())
            record |= {field: today[field] for field in dated & today.keys() & record.keys()}
        thing = known if kind == "member" and known else from_record(KINDS[kind], record)
        found[kind][key] = thing
    everything = Inventory(**{f"{kind}s": things for kind, things in found.items()})  # type: ignore[arg-type]
    return _that_were_there(everything, at, day)


def _that_were_there(every: Inventory, at: datetime, day: date) -> Inventory:
    members = {key: _named(m, day) for key, m in every.members.items() if m.is_member(day)}
    theirs = ((key, owned(site, every.members, day)) for key, site in every.sites.items())
    sites = {
        key: site
        for key, site in theirs
        if site.member in members
        and not site.retired
        and _holds(site.member_from, site.member_until, at)
    }
    devices = {
        key: device
        for key, device in every.devices.items()
        if device.site in sites
        and not device.retired
        and _holds(device.commissioned, device.decommissioned, at)
    }
    return Inventory(
        members=members,
        sites=sites,
        devices=devices,
        interfaces={k: i for k, i in every.interfaces.items() if _is_on(i, devices)},
        links={k: x for k, x in every.links.items() if _is_between(x, devices, sites)},
        contracts={k: c for k, c in every.contracts.items() if _is_running(c, day)},
        services={k: s for k, s in every.services.items() if _is_used(s, day)},
    )


def _named(member: Member, day: date) -> Member:
    then = member.at(day)
    return replace(
        member,
        name=then.name or member.name,
        number=then.number or member.number,
        county=then.county,
        language=then.language or member.language,
    )


def _holds(begin: Moment | None, end: Moment | None, at: datetime) -> bool:
    return (begin is None or to_instant(begin) <= at) and (end is None or at < to_instant(end))


def _is_on(interface: Interface, devices: dict[str, Device]) -> bool:
    return interface.device in devices and not interface.retired


def _is_between(link: Link, devices: dict[str, Device], sites: dict[str, Site]) -> bool:
    ends = [end.partition(" : ")[0] for end in (link.a, link.b)]
    return not link.retired and all(end in devices or end in sites for end in ends)


def _is_running(contract: Contract, day: date) -> bool:
    return contract.from_ <= day and (contract.until is None or day < contract.until)


def _is_used(service: Service, day: date) -> bool:
    return not service.use or any(not u.planned and is_used(u, day) for u in service.use)
