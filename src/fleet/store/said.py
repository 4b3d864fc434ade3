"""Keeping what devices say of themselves."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Table, delete, insert, update

from fleet.core.conditions import BATTERY, port_subject
from fleet.core.facts import Facts
from fleet.core.inventory import Inventory
from fleet.core.lookup import Key, hex_digits, normalise
from fleet.core.moment import to_us
from fleet.core.ports import port_key
from fleet.core.record import to_record
from fleet.store import tables
from fleet.store.mapping import dump
from fleet.store.reader import Reader
from fleet.store.tables import table_of

Said = tuple[str, datetime, Facts]
"""A device, when it was asked, and what it said of itself."""


def write_facts(connection: Connection, reader: Reader, seen: Sequence[Said]) -> None:
    """Keep what devices said, under what they can be found by it, and which parts to look at."""
    if not seen:
        return
    inventory = reader.inventory()
    _write_followed(connection, inventory, seen)
    rows = [
        {"device": device, "at_us": to_us(at), "facts": _to_keep(facts), "tried_us": None}
        for device, at, facts in seen
    ]
    upsert(connection, table_of(tables.FactRow), rows)
    lookup = table_of(tables.LookupRow)
    for device, _, _ in seen:
        mine = (lookup.c.source == "snmp", lookup.c.kind == "device", lookup.c.name == device)
        connection.execute(delete(lookup).where(*mine))
    keys = [
        {name: getattr(key, name) for name in Key.__slots__}
        for device, _, facts in seen
        for key in sorted(_seen_keys(inventory, device, facts), key=lambda k: (k.field, k.value))
    ]
    if keys:
        connection.execute(insert(lookup), keys)


def _to_keep(facts: Facts) -> str:
    """Without sysContact: it is often a person's name, which nobody asked to keep."""
    return dump(to_record(replace(facts, contact=None)))


def _seen_keys(inventory: Inventory, name: str, facts: Facts) -> Iterator[Key]:
    """What a device is also known by, as it says itself."""
    device = inventory.devices.get(name)
    if device is None:
        return
    member = inventory.member_of(device)

    def key(field: str, value: str, normal: str) -> Key:
        return Key("device", name, member, device.site, field, value, normal, "snmp")

    macs = {i.mac for i in facts.interfaces if i.mac and i.mac != "00:00:00:00:00:00"}
    for mac in macs:
        yield key("mac", mac, hex_digits(mac))
    if facts.name and normalise(facts.name) != normalise(name):
        yield key("system_name", facts.name, normalise(facts.name))


def _write_followed(connection: Connection, inventory: Inventory, seen: Iterable[Said]) -> None:
    """Which parts of a device are looked at: its declared ports, and its battery if it has one.

    Not every port: those of people's machines go up and down with the office hours.
    """
    wanted = _declared_ports(inventory)
    table = table_of(tables.FollowedRow)
    rows: dict[tuple[str, str], dict[str, Any]] = {}
    for device, _, facts in seen:
        connection.execute(delete(table).where(table.c.device == device))
        if facts.power is not None:
            battery = {"device": device, "subject": BATTERY, "number": None, "name": None}
            rows[device, BATTERY] = battery
        for port in facts.interfaces:
            key = port_key(port.name)
            if key in wanted.get(device, ()):
                part = (device, port_subject(key))
                named = {"number": port.index, "name": port.name}
                rows.setdefault(part, {"device": device, "subject": part[1], **named})
    if rows:
        connection.execute(insert(table), list(rows.values()))


def _declared_ports(inventory: Inventory) -> Mapping[str, set[str]]:
    """Per device, the `port_key` of its ports that a link or an interface names."""
    wanted: dict[str, set[str]] = defaultdict(set)
    for link in inventory.links.values():
        for end in (inventory.end(link.a), inventory.end(link.b)):
            if end.device and end.interface and not link.retired:
                wanted[end.device].add(port_key(end.interface))
    for interface in inventory.interfaces.values():
        if not interface.retired:
            wanted[interface.device].add(port_key(interface.name))
    return wanted


def mark_tried(connection: Connection, devices: Sequence[str], at_us: int) -> None:
    """Remember that reading the facts of some devices broke off: they are left alone for a day."""
    table = table_of(tables.FactRow)
    if devices:
        mine = table.c.device.in_(devices)
        connection.execute(update(table).where(mine).values(tried_us=at_us))


def upsert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows, or overwrite those with the same device."""
    if not rows:
        return
    if connection.dialect.name == "postgresql":
        from sqlalchemy.dialects.postgresql import insert as upsert
    else:
        from sqlalchemy.dialects.sqlite import insert as upsert  # type: ignore[assignment]
    statement = upsert(table)
    others = {c.name: statement.excluded[c.name] for c in table.columns if c.name != "device"}
    connection.execute(
        statement.on_conflict_do_update(index_elements=["device"], set_=others), rows
    )
