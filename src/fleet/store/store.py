"""Writing the database: every change of the inventory with its history, every poll."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, Table, bindparam, delete, insert, or_, update
from sqlmodel import SQLModel

from fleet.core.diff import Action, Change
from fleet.core.facts import Facts
from fleet.core.imported import POLL, Stretch
from fleet.core.inventory import KINDS, Inventory
from fleet.core.lookup import Key, find_keys, hex_digits, normalise
from fleet.core.moment import to_us
from fleet.core.record import defaults, to_record
from fleet.core.states import Round, State, Step
from fleet.errors import PlanStale
from fleet.store import tables
from fleet.store.engine import begin, open_engine, reader_of
from fleet.store.mapping import Row, dump, from_track, key_columns, to_row
from fleet.store.migrate import upgrade_if_empty
from fleet.store.reader import Reader, open_reader
from fleet.store.schema import check_revision


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

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction over the whole store."""
        with begin(self._engine) as connection:
            yield connection

    def reader(self) -> Reader:
        """A reader of what is committed."""
        reader = open_reader(self.url)
        assert reader is not None, "a store that is open has a database"
        return reader

    def apply(self, changes: Sequence[Change], *, actor: str, at: datetime, basis: int) -> None:
        """Make the changes of a plan, and their history, in one transaction.

        Args:
            changes: as `find_changes` gave them.
            actor: who decided.
            at: when.
            basis: number of the history's last entry when the plan was made.

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
            _write_history(connection, changes, actor, to_us(at))
            after = reader.inventory()
            _write_keys(connection, before, find_keys(after))
            _move_seen_keys(connection, reader, after)

    def add_poll(
        self, steps: Iterable[Step], facts: Iterable[tuple[str, datetime, Facts]], poll: Round
    ) -> None:
        """Keep what one poll saw, in one transaction."""
        with self.transaction() as connection:
            _write_steps(connection, list(steps))
            _write_facts(connection, reader_of(connection).inventory(), list(facts))
            values = {"at_us": to_us(poll.at)} | {
                name: getattr(poll, name) for name in Round.__slots__ if name != "at"
            }
            connection.execute(insert(_table(tables.RoundRow)), [values])

    def replace_stretches(self, stretches: Mapping[str, Sequence[Stretch]]) -> None:
        """Put these in the place of all state intervals of some devices, in one transaction."""
        table = _table(tables.StateRow)
        with self.transaction() as connection:
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
                    }
                    for s in mine
                ]
                if rows:
                    connection.execute(insert(table), rows)

    def add_rollout(
        self, *, plan: str, digest: str, baselines: Sequence[str], actor: str, at: datetime
    ) -> int:
        """Begin the record of a rollout; its number."""
        row = {
            "plan": plan,
            "digest": digest,
            "baselines": dump(list(baselines)),
            "actor": actor,
            "at_us": to_us(at),
        }
        with self.transaction() as connection:
            table = _table(tables.RolloutRow)
            return int(connection.execute(insert(table).returning(table.c.id), row).scalar_one())

    def add_outcomes(self, rollout: int, outcomes: Sequence[Row]) -> None:
        """Keep what a wave did: wave, baseline, device, result, message."""
        if outcomes:
            with self.transaction() as connection:
                rows = [{"rollout": rollout, **outcome} for outcome in outcomes]
                connection.execute(insert(_table(tables.OutcomeRow)), rows)

    def finish_rollout(self, rollout: int, at: datetime) -> None:
        """End the record of a rollout."""
        table = _table(tables.RolloutRow)
        with self.transaction() as connection:
            statement = update(table).where(table.c.id == rollout).values(finished_us=to_us(at))
            connection.execute(statement)


def _table(row: type[SQLModel]) -> Table:
    table: Table = row.__table__  # type: ignore[attr-defined]  # SQLModel sets it with table=True
    return table


def _write_changes(connection: Connection, changes: Sequence[Change]) -> None:
    order = {kind: number for number, kind in enumerate(KINDS)}
    gone = [c for c in changes if c.action is Action.DELETE]
    there = [c for c in changes if c.action is not Action.DELETE]
    for change in sorted(gone, key=lambda c: -order[c.kind]):
        table = _table(tables.ROWS[change.kind])
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
        table = _table(tables.ROWS[kind])
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
    connection: Connection, changes: Sequence[Change], actor: str, at_us: int
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
        }
        for change in changes
    ]
    if rows:
        connection.execute(insert(_table(tables.ChangeRow)), rows)


def _write_keys(connection: Connection, before: set[Key], after: set[Key]) -> None:
    table = _table(tables.LookupRow)
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
    table = _table(tables.LookupRow)
    seen = table.c.source == "snmp"
    for name, member, site in reader.seen_places():
        device = inventory.devices.get(name)
        mine = (seen, table.c.kind == "device", table.c.name == name)
        if device is None or device.retired:
            connection.execute(delete(table).where(*mine))
        elif (place := (inventory.member_of(device), device.site)) != (member, site):
            values = {"member": place[0], "site": place[1]}
            connection.execute(update(table).where(*mine).values(values))


def _write_steps(connection: Connection, steps: list[Step]) -> None:
    state, track = _table(tables.StateRow), _table(tables.TrackRow)
    opened = [interval for step in steps for interval in step.opened]
    for interval in opened:
        since = to_us(interval.since)
        mine = state.c.device == interval.device
        is_open = state.c.until_us.is_(None)
        if interval.state is State.UNKNOWN:
            # Unknown time has no row, so that it can be filled from another system's history.
            connection.execute(delete(state).where(mine, is_open, state.c.since_us >= since))
            connection.execute(update(state).where(mine, is_open).values(until_us=since))
            continue
        # What fleet saw itself wins: what was there from `since` on gives way.
        connection.execute(delete(state).where(mine, state.c.since_us >= since))
        later = or_(is_open, state.c.until_us > since)
        connection.execute(update(state).where(mine, later).values(until_us=since))
        row = {
            "device": interval.device,
            "state": interval.state.value,
            "since_us": since,
            "until_us": None,
            "cause": interval.cause,
            "source": POLL,
        }
        connection.execute(insert(state), row)
    _replace(connection, track, [from_track(step.track) for step in steps])


def _write_facts(
    connection: Connection, inventory: Inventory, seen: list[tuple[str, datetime, Facts]]
) -> None:
    rows = [
        {"device": device, "at_us": to_us(at), "facts": dump(to_record(facts))}
        for device, at, facts in seen
    ]
    _replace(connection, _table(tables.FactRow), rows)
    lookup = _table(tables.LookupRow)
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


def _replace(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> None:
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
