"""Keeping where MAC addresses were seen: a row for as long as one stays behind a port."""

from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from fleet.core.moment import to_us
from fleet.core.whereabouts import Place, places
from fleet.store import tables
from fleet.store.said import Said
from fleet.store.tables import table_of

KEPT_US = 90 * 24 * 3600 * 1_000_000
"""How long it is remembered where something was: a MAC address may be a person's machine."""

_ROWS = table_of(tables.WhereaboutsRow)


def write_sightings(connection: Connection, seen: Iterable[Said]) -> None:
    """Keep what switches have behind their ports; call it before their facts are written over.

    Only what came or went is written: what stays is seen again with every reading.
    """
    new: list[dict[str, Any]] = []
    gone: list[dict[str, int]] = []
    oldest = 0
    for device, at, facts in seen:
        now = places(facts)
        there = dict(_there(connection, device))
        if not now and not there:
            continue
        last = _last_read(connection, device)
        if last is not None and last > to_us(at):
            continue  # a late result: what it tells is known
        since = to_us(at)
        new += [
            {"mac": mac, "device": device, "port": port, "vlan": vlan, "since_us": since}
            for mac, port, vlan in sorted(now - there.keys(), key=str)
        ]
        gone += [{"row": there[place], "last": last or since} for place in there.keys() - now]
        oldest = max(oldest, since)
    if gone:
        statement = update(_ROWS).where(_ROWS.c.id == bindparam("row"))
        connection.execute(statement.values(until_us=bindparam("last")), gone)
    if new:
        connection.execute(insert(_ROWS), new)
    connection.execute(delete(_ROWS).where(_ROWS.c.until_us < oldest - KEPT_US))


def _there(connection: Connection, device: str) -> Iterator[tuple[Place, int]]:
    """What was behind the ports of a device when it was last asked, with the rows that say so."""
    rows = connection.execute(
        select(_ROWS.c.id, _ROWS.c.mac, _ROWS.c.port, _ROWS.c.vlan).where(
            _ROWS.c.device == device, _ROWS.c.until_us.is_(None)
        )
    )
    for number, mac, port, vlan in rows:
        yield (mac, port, vlan), number


def _last_read(connection: Connection, device: str) -> int | None:
    facts = table_of(tables.FactRow)
    found = connection.execute(select(facts.c.at_us).where(facts.c.device == device))
    return found.scalar_one_or_none()
