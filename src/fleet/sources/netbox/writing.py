"""Changes of members, sites and devices → operations on a NetBox's objects."""

import ipaddress
from collections.abc import Iterable, Mapping

from fleet.core.diff import Action, Change
from fleet.core.record import Json, Record
from fleet.sources.netbox.contacts import SITE, TENANT, write_contact
from fleet.sources.netbox.draft import LAST, Draft, Ref
from fleet.sources.netbox.ipam import vrf_of
from fleet.sources.netbox.known import MANAGEMENT, UNKNOWN
from fleet.sources.netbox.reading_devices import is_address, to_title
from fleet.sources.netbox.slugs import new_slug
from fleet.sources.netbox.types import (
    ADDRESSES,
    CUSTOM_FIELDS,
    DEVICE_TYPES,
    DEVICES,
    FLEET_ID,
    INTERFACE,
    INTERFACES,
    LOCATIONS,
    MANUFACTURERS,
    PLATFORMS,
    RACKS,
    ROLES,
    SITES,
    TENANTS,
)
from fleet.sources.netbox.writing_links import write_interface, write_link

Fields = Mapping[str, tuple[Json, Json]]

_MARKED = ("tenancy.tenant", "dcim.site", "dcim.device")


def draft_changes(draft: Draft, changes: Iterable[Change]) -> None:
    """What is to be done in a NetBox for these changes to be true there.

    Args:
        changes: whose target it is.
    """
    by_kind: dict[str, list[Change]] = {}
    for change in changes:
        by_kind.setdefault(change.kind, []).append(change)
    if by_kind.keys() & {"member", "site", "device"}:
        _ensure_custom_field(draft)
    for kind, write in (
        ("member", _write_member),
        ("site", _write_site),
        ("device", _write_device),
        ("interface", write_interface),
        ("link", write_link),
    ):
        for change in by_kind.get(kind, ()):
            write(draft, change)
    for change in by_kind.get("device", ()):
        if "address" in change.fields:
            _write_primary(draft, change)


def _rack(draft: Draft, rack: str, site: Ref | None, location: Ref | None) -> Ref:
    """A rack by its name at the site; one of which nobody said the room is told it."""
    for number, row in draft.state.of(RACKS).items():
        if row["site"] == site and row["name"].casefold() == rack.casefold():
            if row["location"] is None and location is not None:
                draft.update(RACKS, number, {"location": location})
            return number
    return draft.named(RACKS, rack, site=site, location=location)


def _ensure_custom_field(draft: Draft) -> None:
    found = [n for n, r in draft.state.of(CUSTOM_FIELDS).items() if r["name"] == FLEET_ID]
    if found:
        types = draft.state.of(CUSTOM_FIELDS)[found[0]]["object_types"]
        if missing := [t for t in _MARKED if t not in types]:
            draft.update(CUSTOM_FIELDS, found[0], {"object_types": sorted([*types, *missing])})
        return
    body: Record = {
        "name": FLEET_ID,
        "type": "text",
        "object_types": list(_MARKED),
        "filter_logic": "exact",
        "ui_editable": "no",
        "description": "What fleet calls it. Set by fleet; leave it alone.",
    }
    if draft.state.capabilities.has_unique_custom_fields:
        body["unique"] = True
    draft.create(CUSTOM_FIELDS, FLEET_ID, body)


def _mark(key: str) -> Record:
    return {"custom_fields": {FLEET_ID: key}}


def told(change: Change) -> Record:
    """What is agreed once a change is made."""
    return {name: new for name, (_, new) in change.fields.items() if name != FLEET_ID}


def _body(change: Change, key: str) -> Record:
    return _mark(key) if change.action is Action.CREATE or FLEET_ID in change.fields else {}


def _write_member(draft: Draft, change: Change) -> None:
    id_ = ("member", change.key)
    body = _body(change, change.key)
    if "name" in change.fields:
        body["name"] = change.fields["name"][1]
    if change.action is Action.CREATE:
        slugs = {row["slug"] for row in draft.state.of(TENANTS).values()}
        body["slug"] = new_slug(change.key, slugs, draft.records[id_]["number"])
        tenant = draft.create(TENANTS, change.key, body, thing=id_, agreed=told(change))
    else:
        tenant = draft.reading.numbers[id_]
        draft.update(TENANTS, tenant, body, thing=id_, agreed=told(change))
    if "contact" in change.fields:
        name = draft.records[id_]["name"]
        write_contact(draft, TENANT, tenant, name, change.fields["contact"][1])


def _write_site(draft: Draft, change: Change) -> None:
    id_ = ("site", change.key)
    record = draft.records[id_]
    names = {"address": "physical_address", "latitude": "latitude", "longitude": "longitude"}
    body = _body(change, change.key)
    for name, (_, value) in change.fields.items():
        if name in names:
            body[names[name]] = _plain(value) if name == "address" else _degrees(value)
        elif name == "name":
            body["name"] = _site_name(draft, change.key, record)
        elif name == "member":
            body["tenant"] = draft.ref(TENANTS, ("member", value))
    if change.action is Action.CREATE:
        member = draft.records["member", record["member"]]
        slugs = {row["slug"] for row in draft.state.of(SITES).values()}
        body |= {"status": "active", "slug": new_slug(change.key, slugs, member["number"])}
        site = draft.create(SITES, change.key, body, thing=id_, agreed=told(change))
    else:
        site = draft.reading.numbers[id_]
        draft.update(SITES, site, body, thing=id_, agreed=told(change))
    if "contact" in change.fields:
        name = f"{record['name']} ({change.key})"
        write_contact(draft, SITE, site, name, change.fields["contact"][1])


def _degrees(value: float | None) -> float | None:
    return None if value is None else round(value, 6)


def _plain(value: str | None) -> str:
    """Text fields of NetBox are empty where they say nothing, never null."""
    return value or ""


def _site_name(draft: Draft, key: str, record: Record) -> str:
    """Names of sites are unique in a NetBox: two town halls are told apart by their members."""
    name = str(record["name"])
    mine = draft.reading.numbers.get(("site", key))
    others = {
        row["name"].casefold() for number, row in draft.state.of(SITES).items() if number != mine
    }
    others |= {
        other["name"].casefold()
        for (kind, slug), other in draft.records.items()
        if kind == "site" and slug != key
    }
    if name.casefold() not in others:
        return name
    return f"{draft.records['member', record['member']]['name']} – {name}"


def _write_device(draft: Draft, change: Change) -> None:
    id_ = ("device", change.key)
    record = draft.records[id_]
    agreed = {n: v for n, v in told(change).items() if n != "address"}
    body = _body(change, change.key) | _device_body(draft, change.fields, record)
    if change.action is not Action.CREATE:
        if body:
            draft.update(DEVICES, draft.reading.numbers[id_], body, thing=id_, agreed=agreed)
        return
    for name, needed in (("role", {}), ("model", {"model": (None, record["model"])})):
        if name not in change.fields:
            body |= _device_body(draft, needed or {"role": (None, record["role"])}, record)
    if "tenant" not in body:
        site = draft.records["site", record["site"]]
        body["tenant"] = draft.ref(TENANTS, ("member", site["member"]))
    draft.create(DEVICES, change.key, body, thing=id_, agreed=agreed)


def _device_body(draft: Draft, fields: Fields, record: Record) -> Record:
    body: Record = {}
    direct = {"name", "status", "asset_tag"}
    for name, (_, value) in fields.items():
        if name in direct:
            body[name] = value
        elif name == "serial":
            body["serial"] = _plain(value)
    if "role" in fields:
        role = str(record["role"])
        body["role"] = draft.named(ROLES, to_title(role), slug=role)
    if "platform" in fields:
        platform = record["platform"]
        slug = platform and platform.casefold()
        body["platform"] = draft.named(PLATFORMS, platform, slug=slug) if platform else None
    if fields.keys() & {"vendor", "model"}:
        maker = draft.named(MANUFACTURERS, record["vendor"] or UNKNOWN)
        model = record["model"] or UNKNOWN
        body["device_type"] = draft.named(DEVICE_TYPES, model, manufacturer=maker)
    if "owner" in fields:
        owner = record["owner"] or draft.records["site", record["site"]]["member"]
        body["tenant"] = draft.ref(TENANTS, ("member", owner))
    return body | _place(draft, fields, record)


def _place(draft: Draft, fields: Fields, record: Record) -> Record:
    """Where a device is: rooms and racks belong to a site, and go along with it."""
    body: Record = {}
    site = draft.ref(SITES, ("site", record["site"]))
    if "site" in fields:
        body["site"] = site
    room, rack = record["room"], record["rack"]
    location = draft.named(LOCATIONS, room, site=site, status="active") if room else None
    if fields.keys() & {"site", "room"} and (room or "room" in fields):
        body["location"] = location
    if fields.keys() & {"site", "room", "rack"} and (rack or "rack" in fields):
        # A rack stands in one room, and a device that is in it must be there too.
        body["rack"] = _rack(draft, rack, site, location) if rack else None
    return body


def _write_primary(draft: Draft, change: Change) -> None:
    """A device's own address: an object at one of its ports, which the device then points to."""
    id_ = ("device", change.key)
    address = change.fields["address"][1]
    device = draft.ref(DEVICES, id_)
    if device is None or (address is not None and not is_address(address)):
        return
    agreed = {"address": address}
    if address is None:
        body: Record = {"primary_ip4": None, "primary_ip6": None}
    else:
        version = ipaddress.ip_address(address).version
        body = {f"primary_ip{version}": _address_of(draft, change.key, device, address)}
    draft.update(DEVICES, device, body, thing=id_, agreed=agreed, stage=LAST)


def _address_of(draft: Draft, name: str, device: Ref, address: str) -> Ref:
    """The object of an address, at the port that has it."""
    for key, record in draft.declared_ports.get(name, ()):
        written = record["address"] or ""
        port = draft.ref(INTERFACES, ("interface", key))
        if written.partition("/")[0] == address and port is not None:
            return _at(draft, written, port, name)
    for number, written in draft.addresses_at.get(device, ()) if isinstance(device, int) else ():
        if written.partition("/")[0] == address:
            return number
    body = {
        "device": device,
        "name": "mgmt",
        "type": "virtual",
        "mgmt_only": True,
        "description": MANAGEMENT,
    }
    port = draft.ensure(INTERFACES, body, symbol=f"{name} : mgmt")
    mask = ipaddress.ip_address(address).max_prefixlen
    return _at(draft, f"{address}/{mask}", port, name)


def _at(draft: Draft, address: str, port: Ref, device: str) -> Ref:
    body: Record = {"address": address, "assigned_object_type": INTERFACE}
    body |= {"assigned_object_id": port, "vrf": vrf_of(draft, device)}
    symbol = f"{address} at {port if isinstance(port, int) else port['$ref']}"
    return draft.ensure(ADDRESSES, body, symbol=symbol)
