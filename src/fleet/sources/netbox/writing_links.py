"""Changes of interfaces and links → operations on a NetBox's objects."""

import re
from typing import Any

from fleet.core.claims import Id
from fleet.core.diff import Action, Change
from fleet.core.operation import REF
from fleet.core.record import Record
from fleet.sources.netbox.draft import LAST, Draft, Ref
from fleet.sources.netbox.ipam import vrf_of
from fleet.sources.netbox.types import (
    ADDRESSES,
    CABLES,
    CIRCUIT_ENDS,
    CIRCUIT_TYPES,
    CIRCUITS,
    DEVICES,
    INTERFACE,
    INTERFACES,
    MACS,
    PROVIDERS,
    SITES,
)

_SITE = "dcim.site"
_KBPS = 1000


def write_interface(draft: Draft, change: Change) -> None:
    """A port, its MAC address and its address, each of which is an object of its own."""
    id_ = ("interface", change.key)
    record = draft.records[id_]
    has_field = draft.state.capabilities.writes_macs
    # Addresses, and from 4.2 to 4.6 MAC addresses, are agreed when their own objects are made.
    later = {"name", "address"} | (set() if has_field else {"mac"})
    agreed = {name: new for name, (_, new) in change.fields.items() if name not in later}
    body: Record = {}
    if "description" in change.fields:
        body["description"] = record["description"] or ""
    if "mac" in change.fields and has_field:
        body["mac_address"] = record["mac"]
    if change.action is Action.CREATE:
        device = draft.ref(DEVICES, ("device", record["device"]))
        if device is None:
            return
        new = {"device": device, "name": record["name"], "type": _type(record["name"])}
        port = draft.create(INTERFACES, change.key, new | body, thing=id_, agreed=agreed)
    else:
        port = draft.reading.numbers[id_]
        if body:
            draft.update(INTERFACES, port, body, thing=id_, agreed=agreed)
    if "mac" in change.fields and not has_field:
        _write_mac(draft, port, id_, record["mac"])
    if "address" in change.fields:
        _write_address(draft, port, change)


_VIRTUAL = re.compile(r"(lo|loopback|vlan|tunnel|bvi|irb)[-. ]?\d", re.IGNORECASE)


def _type(name: str) -> str:
    """What NetBox wants to know of a port: its name tells only whether there is a socket."""
    return "virtual" if _VIRTUAL.match(name) else "other"


def _write_mac(draft: Draft, port: Ref, id_: Id, mac: str | None) -> None:
    """From 4.2 to 4.6 a MAC address is made beside its port, which then points to it."""
    made: Ref | None = None
    body: Record
    if mac is not None:
        body = {"mac_address": mac, "assigned_object_type": INTERFACE, "assigned_object_id": port}
        made = draft.create(MACS, f"{mac} at {_name(port)}", body)
    body = {"primary_mac_address": made}
    draft.update(INTERFACES, port, body, thing=id_, agreed={"mac": mac}, stage=LAST)


def _write_address(draft: Draft, port: Ref, change: Change) -> None:
    """The address of a port: the object that was there is changed, or let go, or one is made."""
    old, new = change.fields["address"]
    done: dict[str, Any] = {
        "thing": (change.kind, change.key),
        "agreed": {"address": new},
        "is_part": True,
    }
    rows = draft.state.of(ADDRESSES)
    here = [n for n, row in rows.items() if _is_at(row, port) and row["address"] == old]
    if new is None:
        for number in here:
            body: Record = {"assigned_object_type": None, "assigned_object_id": None}
            draft.update(ADDRESSES, number, body, **done)
        return
    body = {"address": new, "assigned_object_type": INTERFACE, "assigned_object_id": port}
    body |= {"vrf": vrf_of(draft, change.key.partition(" : ")[0])}
    free = [n for n, row in rows.items() if row["address"] == new and _is_free(draft, row, new)]
    if here:
        draft.update(ADDRESSES, here[0], {"address": new}, **done)
    elif free:
        where = {n: v for n, v in body.items() if n.startswith("assigned")}
        draft.update(ADDRESSES, free[0], where, **done)
    elif draft.find(ADDRESSES, body) is None:
        draft.create(ADDRESSES, f"{new} at {_name(port)}", body, **done)


def _is_at(row: Record, port: Ref) -> bool:
    return bool(row["assigned_object_type"] == INTERFACE and row["assigned_object_id"] == port)


def _is_free(draft: Draft, row: Record, address: str) -> bool:
    """Whether an address is nobody's, or of a port that is not to have it any more."""
    number = row["assigned_object_id"]
    if number is None:
        return True
    key = draft.port_keys.get(number) if row["assigned_object_type"] == INTERFACE else None
    return key is not None and bool(draft.records[key]["address"] != address)


def _name(ref: Ref) -> str:
    return str(ref) if isinstance(ref, int) else ref[REF].partition("/")[2]


def write_link(draft: Draft, change: Change) -> None:
    """What somebody provides is a circuit between sites; the rest is a cable between ports."""
    record = draft.records["link", change.key]
    if change.action is Action.CREATE:
        if record["circuit_id"] and record["provider"]:
            _write_circuit(draft, change, record)
        else:
            _write_cable(draft, change, record)
        return
    fields = change.fields.keys() & {"provider", "circuit_id", "capacity_mbps"}
    number = draft.reading.numbers["link", change.key]
    if fields and number in draft.state.of(CIRCUITS):
        id_ = ("link", change.key)
        agreed = {name: new for name, (_, new) in change.fields.items()}
        draft.update(CIRCUITS, number, _circuit(draft, record, fields), thing=id_, agreed=agreed)


def _circuit(draft: Draft, record: Record, fields: "set[str]") -> Record:
    body: Record = {}
    if "circuit_id" in fields:
        body["cid"] = record["circuit_id"]
    if "provider" in fields:
        body["provider"] = draft.named(PROVIDERS, record["provider"])
    if "capacity_mbps" in fields:
        capacity = record["capacity_mbps"]
        body["commit_rate"] = None if capacity is None else capacity * _KBPS
    return body


def _write_circuit(draft: Draft, change: Change, record: Record) -> None:
    sites = [_site_of(draft, record[side]) for side in ("a", "b")]
    body = _circuit(draft, record, {"circuit_id", "provider", "capacity_mbps"})
    body |= {"type": draft.named(CIRCUIT_TYPES, record["kind"].capitalize(), slug=record["kind"])}
    agreed = {n: new for n, (_, new) in change.fields.items() if n not in ("a", "b", "kind")}
    circuit = draft.create(
        CIRCUITS, change.key, body | {"status": "active"}, thing=("link", change.key), agreed=agreed
    )
    for side, site in zip(("A", "Z"), sites, strict=True):
        if site is None:
            continue
        where: Record = {"site": site}
        if draft.state.capabilities.has_scopes:
            where = {"termination_type": _SITE, "termination_id": site}
        draft.create(
            CIRCUIT_ENDS, f"{change.key} {side}", {"circuit": circuit, "term_side": side, **where}
        )


def _site_of(draft: Draft, end: str) -> Ref | None:
    name = end.partition(" : ")[0]
    device = draft.records.get(("device", name))
    return draft.ref(SITES, ("site", device["site"] if device else name))


def _write_cable(draft: Draft, change: Change, record: Record) -> None:
    ports = [draft.ref(INTERFACES, ("interface", record[side])) for side in ("a", "b")]
    if None in ports:
        return
    ends = [[{"object_type": INTERFACE, "object_id": port}] for port in ports]
    body = {"a_terminations": ends[0], "b_terminations": ends[1], "status": "connected"}
    agreed = {name: new for name, (_, new) in change.fields.items() if name in ("a", "b")}
    draft.create(CABLES, change.key, body, thing=("link", change.key), agreed=agreed)
