"""Keeping the states of parts of devices: ports, batteries, load."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from sqlalchemy import Connection, Table, bindparam, delete, insert, update

from fleet.core.conditions import Condition, Sighting, stretches
from fleet.core.moment import to_us
from fleet.store import tables
from fleet.store.engine import reader_of
from fleet.store.mapping import from_condition
from fleet.store.seen import unpack
from fleet.store.tables import table_of


class PartWriter:
    """Writes what a poll saw of parts, after the poll itself was written.

    Args:
        oldest: what is kept of earlier polls reaches back to here.
    """

    def __init__(self, connection: Connection, oldest: datetime) -> None:
        self._connection = connection
        self._reader = reader_of(connection)
        self._oldest = oldest

    def keep(self, sightings: Iterable[Sighting]) -> None:
        """One row per stretch; a state that goes on only moves when it was last seen."""
        table = table_of(tables.ConditionRow)
        wanted: dict[tuple[str, str], list[Sighting]] = defaultdict(list)
        for seen in sightings:
            wanted[seen.device, seen.subject].append(seen)
        if not wanted:
            return
        current = {(c.device, c.subject): c for c in self._reader.conditions()}
        rows, moved = [], []
        for part, mine in wanted.items():
            now, at = current.get(part), to_us(mine[0].at)
            if len(mine) > 1 or (now is not None and mine[0].at <= now.last_at):
                self._rebuild_condition(*part)
            elif now is not None and now.state == mine[0].state:
                moved.append((part, at))
            else:
                is_mine = (table.c.device == part[0], table.c.subject == part[1])
                ended = update(table).where(*is_mine, table.c.until_us.is_(None))
                self._connection.execute(ended.values(until_us=at))
                rows += [from_condition(c) for c in stretches(mine)]
        if rows:
            self._connection.execute(insert(table), rows)
        self._move_conditions(table, moved)

    def _move_conditions(self, table: Table, moved: list[tuple[tuple[str, str], int]]) -> None:
        statement = (
            update(table)
            .where(
                table.c.device == bindparam("one"),
                table.c.subject == bindparam("part"),
                table.c.until_us.is_(None),
            )
            .values(last_at_us=bindparam("at"))
        )
        if moved:
            rows = [{"one": device, "part": subject, "at": at} for (device, subject), at in moved]
            self._connection.execute(statement, rows)

    def _rebuild_condition(self, device: str, subject: str) -> None:
        found = [
            seen
            for at, packed in self._reader.packed_rounds()
            for seen in unpack(at, packed)[1]
            if (seen.device, seen.subject) == (device, subject) and seen.at >= self._oldest
        ]
        made = stretches(found)
        first = made[0]
        before = [
            c
            for c in self._reader.conditions(is_open=False)
            if (c.device, c.subject) == (device, subject) and c.since < first.since
        ]
        if before and (before[-1].until is None or before[-1].until > first.since):
            covering = before.pop()
            if covering.state == first.state:
                made[0] = replace(first, since=covering.since)
            else:
                before.append(replace(covering, until=first.since))
        self._replace_conditions(device, subject, [*before, *made])

    def _replace_conditions(
        self, device: str, subject: str, conditions: Iterable[Condition]
    ) -> None:
        table = table_of(tables.ConditionRow)
        is_mine = (table.c.device == device, table.c.subject == subject)
        self._connection.execute(delete(table).where(*is_mine))
        self._connection.execute(insert(table), [from_condition(c) for c in conditions])
