"""Writing the database: every change of the inventory with its history, every poll."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import groupby

from sqlalchemy import Connection, Table, bindparam, delete, insert, update

from fleet.core.alerts import Told
from fleet.core.audit import Audit, Verdict
from fleet.core.conditions import Sighting
from fleet.core.diff import Action, Change
from fleet.core.imported import Stretch
from fleet.core.inventory import KINDS, Inventory
from fleet.core.lookup import Key, find_earlier_keys, find_keys
from fleet.core.maintenance import Correction, Window
from fleet.core.moment import to_us
from fleet.core.record import defaults, encode
from fleet.core.states import Observation, Round
from fleet.errors import PlanStale, Unreachable
from fleet.store import tables
from fleet.store.engine import begin, open_engine, reader_of
from fleet.store.mapping import Row, dump, key_columns, to_row
from fleet.store.migrate import upgrade_if_empty
from fleet.store.plans import Plans
from fleet.store.polls import Kept, PollWriter
from fleet.store.privacy import wipe
from fleet.store.reader import Reader, open_reader
from fleet.store.rollouts import Rollouts
from fleet.store.said import Said, mark_tried
from fleet.store.schema import check_revision
from fleet.store.substrings import index_parts
from fleet.store.tables import table_of


class Store:
    """The database of one workspace, open for writing; made on first use.

    Args:
        url: of the database, absolute.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = open_engine(url)
        if upgrade_if_empty(self._engine):
            return
        with self.transaction() as connection:
            check_revision(reader_of(connection).revision())

    def close(self) -> None:
        self._engine.dispose()

    def __enter__(self) -> "Store":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def plans(self) -> Plans:
        """What reconciling writes."""
        return Plans(self)

    @property
    def rollouts(self) -> Rollouts:
        """What rollouts write."""
        return Rollouts(self)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction over the whole store."""
        with begin(self._engine) as connection:
            yield connection

    def reader(self) -> Reader:
        """A reader of what is committed."""
        reader = open_reader(self.url)
        if reader is None:
            raise Unreachable("the database is gone", hint="was the file moved away?")
        return reader

    def apply(
        self,
        changes: Sequence[Change],
        *,
        actor: str,
        at: datetime,
        basis: int,
        plan: str | None = None,
        record: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        """Make the changes of a plan, and their history, in one transaction.

        Args:
            changes: to the inventory, as a merge gave them.
            actor: who decided.
            at: when.
            basis: number of the history's last entry when the plan was made.
            plan: the plan's digest.
            record: writes what else the same transaction is to hold.

        Raises:
            PlanStale: the inventory changed since.
        """
        with self.transaction() as connection:
            reader = reader_of(connection)
            if reader.last_change() != basis:
                raise PlanStale(
                    "the inventory changed after the plan was made",
                    hint="run the command again to see the new plan",
                )
            before = find_keys(reader.inventory())
            _write_changes(connection, changes)
            _write_history(connection, changes, actor, to_us(at), plan)
            after = reader.inventory()
            _write_keys(connection, before, find_keys(after))
            earlier = set(reader.all_keys("history"))
            entries = [(c.kind, c.key, c.fields) for c in changes]
            _write_keys(connection, earlier, find_earlier_keys(after, earlier, entries))
            _move_seen_keys(connection, reader, after)
            index_parts(connection)
            record(connection)

    def add_poll(
        self,
        observations: Sequence[Observation],
        poll: Round,
        *,
        confirmations: int,
        interval: timedelta,
        facts: Sequence[Said] = (),
        sightings: Sequence[Sighting] = (),
        tried: Sequence[str] = (),
        forget: bool = False,
    ) -> Kept:
        """Keep what one poll saw, in one transaction; late and repeated results too.

        Args:
            observations: of each device at most one, or what was held back of several polls.
            poll: its counts of states are filled in.
            confirmations: failed polls in a row until a device is down.
            interval: time between polls.
            facts: device, when, and what it said of itself.
            sightings: of parts of devices.
            tried: devices whose facts broke off: what was known of them stays.
            forget: leave out polls of the future, however many.

        Raises:
            ClockBehind: many polls are dated later than this one.
        """
        with self.transaction() as connection:
            writer = PollWriter(connection, confirmations=confirmations, interval=interval)
            kept = writer.keep(observations, poll, facts, sightings, forget=forget)
            mark_tried(connection, tried, to_us(poll.at))
            return kept

    def add_maintenance(self, window: Window) -> int:
        """Keep a window; its number."""
        row = {
            "kind": window.kind,
            "name": window.name,
            "start_us": window.start,
            "end_us": window.end,
            "announced_us": window.announced,
            "reason": window.reason,
            "actor": window.actor,
            "at_us": window.at,
        }
        table = table_of(tables.MaintenanceRow)
        with self.transaction() as connection:
            return int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())

    def end_maintenance(self, number: int, at_us: int, actor: str) -> None:
        """End a window before its time; the end that was announced stays on record."""
        table = table_of(tables.MaintenanceRow)
        with self.transaction() as connection:
            statement = update(table).where(table.c.id == number, table.c.ended_us.is_(None))
            connection.execute(statement.values(ended_us=at_us, ended_by=actor))

    def add_correction(self, correction: Correction) -> None:
        """Append what a person says of an outage."""
        row = {
            "kind": correction.kind,
            "name": correction.name,
            "start_us": correction.start,
            "end_us": correction.end,
            "reading": correction.reading.value,
            "role": correction.role,
            "reason": correction.reason,
            "actor": correction.actor,
            "at_us": correction.at,
        }
        with self.transaction() as connection:
            connection.execute(insert(table_of(tables.CorrectionRow)), row)

    def wipe(self) -> bool:
        """Let nothing that was overwritten stand in the log; whether that was possible now."""
        return wipe(self.url)

    def keep_audit(self, audit: Audit) -> None:
        """Append what was seen at a place."""
        row = {
            "site": audit.site,
            "room": audit.room,
            "actor": audit.actor,
            "at_us": to_us(audit.at),
            "document": dump(
                {
                    **{verdict.value: audit.count(verdict) for verdict in Verdict},
                    "whole": audit.is_whole,
                    "rows": encode(audit.rows),
                }
            ),
        }
        with self.transaction() as connection:
            connection.execute(insert(table_of(tables.AuditRow)), row)

    def keep_alert(self, channel: str, told: Told, message: str) -> None:
        """Append a message that was sent."""
        row = {
            "at_us": told.at,
            "channel": channel,
            "key": told.key,
            "phase": told.phase.value,
            "since_us": told.since,
            "text": message,
        }
        with self.transaction() as connection:
            connection.execute(insert(table_of(tables.AlertRow)), row)

    def keep_revision(
        self, name: str, digest: str, document: str, at: datetime
    ) -> tuple[int, str | None]:
        """Append a report as it was given out, unless the last one is the same.

        Returns:
            Its number, and the document of the revision before if it is a new one.
        """
        with self.transaction() as connection:
            reader = reader_of(connection)
            kept = reader.revisions(name)
            if kept and kept[-1][2] == digest:
                return kept[-1][1], None
            number = kept[-1][1] + 1 if kept else 1
            row = {"name": name, "number": number, "digest": digest, "document": document}
            connection.execute(insert(table_of(tables.RevisionRow)), row | {"at_us": to_us(at)})
            return number, reader.revision_document(name, number - 1) if kept else None

    def replace_stretches(
        self, compute: Callable[[Reader], Mapping[str, Sequence[Stretch]]]
    ) -> int:
        """Put stretches in the place of all state intervals of some devices; of how many.

        Args:
            compute: gives them from what the same transaction reads, so that a poll in the
                meantime loses nothing.
        """
        table = table_of(tables.StateRow)
        with self.transaction() as connection:
            stretches = compute(reader_of(connection))
            for device, mine in stretches.items():
                connection.execute(delete(table).where(table.c.device == device))
                rows = [
                    {
                        "device": device,
                        "state": s.state,
                        "since_us": s.since,
                        "until_us": s.until,
                        "cause": s.cause,
                        "source": s.source,
                        "root": s.root,
                    }
                    for s in mine
                ]
                if rows:
                    connection.execute(insert(table), rows)
        return len(stretches)


def _write_changes(connection: Connection, changes: Sequence[Change]) -> None:
    order = {kind: number for number, kind in enumerate(KINDS)}
    gone = [c for c in changes if c.action is Action.DELETE]
    there = [c for c in changes if c.action is not Action.DELETE]
    for change in sorted(gone, key=lambda c: -order[c.kind]):
        table = table_of(tables.ROWS[change.kind])
        statement = delete(table)
        for name, value in key_columns(change.kind, change.key).items():
            statement = statement.where(table.c[name] == value)
        connection.execute(statement)

    def alike(change: Change) -> tuple[int, bool, tuple[str, ...]]:
        """Changes that one statement can make, in the order in which rows refer to each other."""
        is_new = change.action is Action.CREATE
        return order[change.kind], not is_new, () if is_new else tuple(sorted(change.fields))

    for (_, is_update, fields), group in groupby(sorted(there, key=alike), key=alike):
        changes_alike = list(group)
        kind = changes_alike[0].kind
        rows = [_values(change) for change in changes_alike]
        table = table_of(tables.ROWS[kind])
        if not is_update:
            connection.execute(insert(table), rows)
        elif fields:
            _update(connection, table, rows, fields)


def _values(change: Change) -> Row:
    new = {name: value for name, (_, value) in change.fields.items()}
    if change.action is Action.CREATE:
        row = to_row(change.kind, {**defaults(KINDS[change.kind]), **new})
        return {**row, "source": change.source}
    keys = key_columns(change.kind, change.key)
    return {f"key_{name}": value for name, value in keys.items()} | {
        f"new_{name}": value for name, value in to_row(change.kind, new).items()
    }


def _update(connection: Connection, table: Table, rows: list[Row], fields: tuple[str, ...]) -> None:
    statement = update(table).values({table.c[f]: bindparam(f"new_{f}") for f in fields})
    for name in rows[0]:
        if name.startswith("key_"):
            statement = statement.where(table.c[name.removeprefix("key_")] == bindparam(name))
    connection.execute(statement, rows)


def _write_history(
    connection: Connection,
    changes: Sequence[Change],
    actor: str,
    at_us: int,
    plan: str | None,
) -> None:
    rows = [
        {
            "at_us": at_us,
            "actor": actor,
            "source": change.source,
            "action": change.action.value,
            "kind": change.kind,
            "key": change.key,
            "fields": dump(change.fields),
            "plan": plan,
        }
        for change in changes
    ]
    if rows:
        connection.execute(insert(table_of(tables.ChangeRow)), rows)


def _write_keys(connection: Connection, before: set[Key], after: set[Key]) -> None:
    table = table_of(tables.LookupRow)
    names = Key.__slots__
    if gone := before - after:
        statement = delete(table).where(
            *(table.c[n] == bindparam(f"old_{n}") for n in ("kind", "name", "field", "value"))
        )
        old = ("kind", "name", "field", "value")
        connection.execute(statement, [{f"old_{n}": getattr(key, n) for n in old} for key in gone])
    if new := after - before:
        rows = [{n: getattr(key, n) for n in names} for key in new]
        rows.sort(key=lambda row: (row["kind"], row["name"], row["field"], row["value"]))
        connection.execute(insert(table), rows)


def _move_seen_keys(connection: Connection, reader: Reader, inventory: Inventory) -> None:
    """What devices are known by over SNMP goes where they go, and goes when they go."""
    table = table_of(tables.LookupRow)
    seen = table.c.source == "snmp"
    for name, member, site in reader.seen_places():
        device = inventory.devices.get(name)
        mine = (seen, table.c.kind == "device", table.c.name == name)
        if device is None or device.retired:
            connection.execute(delete(table).where(*mine))
        elif (place := (inventory.member_of(device), device.site)) != (member, site):
            values = {"member": place[0], "site": place[1]}
            connection.execute(update(table).where(*mine).values(values))
