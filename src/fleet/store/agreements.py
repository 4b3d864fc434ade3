"""Writing what was agreed with sources, conflicts, and how far operations have come."""

import json
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from fleet.core.claims import Conflict, Id
from fleet.core.operation import Operation, Outcome, Progress
from fleet.core.record import Record
from fleet.store.mapping import dump
from fleet.store.row import table_of
from fleet.store.sync_tables import AgreedRow, ConflictRow, OperationRow, PlanRow

_AGREED, _CONFLICT = table_of(AgreedRow), table_of(ConflictRow)
_PLAN, _OPERATION = table_of(PlanRow), table_of(OperationRow)


def write_agreed(
    connection: Connection,
    agreed: Mapping[str, Mapping[Id, Record | None]],
    remotes: Mapping[str, Mapping[Id, int]] | None = None,
) -> None:
    """Keep what is agreed with each source; None: nothing is any more.

    Args:
        remotes: per source, the numbers that things have there.
    """
    for source, things in agreed.items():
        numbers = (remotes or {}).get(source, {})
        gone = [{"k": kind, "n": key} for (kind, key), base in things.items() if base is None]
        kept = [(id_, base) for id_, base in things.items() if base is not None]
        is_it = (
            _AGREED.c.source == source,
            _AGREED.c.kind == bindparam("k"),
            _AGREED.c.key == bindparam("n"),
        )
        if gone:
            connection.execute(delete(_AGREED).where(*is_it), gone)
        there = _there(connection, source)
        changed = [
            {"k": kind, "n": key, "f": dump(base), "r": numbers.get((kind, key), there[kind, key])}
            for (kind, key), base in kept
            if (kind, key) in there
        ]
        if changed:
            statement = update(_AGREED).where(*is_it)
            values = statement.values(fields=bindparam("f"), remote=bindparam("r"))
            connection.execute(values, changed)
        new = [
            {
                "source": source,
                "kind": kind,
                "key": key,
                "fields": dump(base),
                "remote": numbers.get((kind, key)),
            }
            for (kind, key), base in kept
            if (kind, key) not in there
        ]
        if new:
            connection.execute(insert(_AGREED), new)


def _there(connection: Connection, source: str) -> dict[Id, int | None]:
    rows = connection.execute(
        select(_AGREED.c.kind, _AGREED.c.key, _AGREED.c.remote).where(_AGREED.c.source == source)
    )
    return {(kind, key): remote for kind, key, remote in rows}


def add_agreed(
    connection: Connection, source: str, agreed: Mapping[Id, tuple[Record, int | None]]
) -> None:
    """Add fields to what is agreed of things, and their numbers in the source; keep the rest."""
    if not agreed:
        return
    rows = connection.execute(
        select(_AGREED.c.kind, _AGREED.c.key, _AGREED.c.fields).where(_AGREED.c.source == source)
    )
    bases = {(kind, key): text for kind, key, text in rows if (kind, key) in agreed}
    merged = {
        id_: {**json.loads(bases.get(id_, "{}")), **fields} for id_, (fields, _) in agreed.items()
    }
    numbers = {id_: remote for id_, (_, remote) in agreed.items() if remote is not None}
    write_agreed(connection, {source: merged}, {source: numbers})


def forget_agreed(connection: Connection, source: str, things: Iterable[Id]) -> None:
    """Nothing is agreed of these any more."""
    write_agreed(connection, {source: dict.fromkeys(things)})


def mark_agreed(
    connection: Connection, source: str, things: Iterable[Id], at_us: int | None
) -> None:
    """These were marked in the source to be removed; None: they are marked no more."""
    rows = [{"k": kind, "n": key} for kind, key in things]
    if rows:
        statement = update(_AGREED).where(
            _AGREED.c.source == source,
            _AGREED.c.kind == bindparam("k"),
            _AGREED.c.key == bindparam("n"),
        )
        connection.execute(statement.values(marked_us=at_us), rows)


def write_conflicts(connection: Connection, conflicts: Iterable[Conflict], at_us: int) -> None:
    """Keep just these conflicts; one that was there before keeps its age."""
    rows = connection.execute(
        select(*(_CONFLICT.c[n] for n in ("kind", "key", "field", "is_finding", "since_us")))
    )
    ages = {tuple(row[:4]): row[4] for row in rows}
    connection.execute(delete(_CONFLICT))
    new = [
        {
            "kind": c.kind,
            "key": c.key,
            "field": c.field,
            "base": dump(c.base),
            "ours": dump(c.ours),
            "says": dump(c.says),
            "is_finding": c.is_finding,
            "evidence": c.evidence,
            "since_us": ages.get((c.kind, c.key, c.field, c.is_finding), at_us),
        }
        for c in conflicts
    ]
    if new:
        connection.execute(insert(_CONFLICT), new)


def drop_conflict(connection: Connection, conflict: Conflict) -> None:
    """A person has decided it."""
    connection.execute(
        delete(_CONFLICT).where(
            _CONFLICT.c.kind == conflict.kind,
            _CONFLICT.c.key == conflict.key,
            _CONFLICT.c.field == conflict.field,
            _CONFLICT.c.is_finding == conflict.is_finding,
        )
    )


def begin_plan(
    connection: Connection, digest: str, actor: str, at_us: int, operations: Sequence[Operation]
) -> int:
    """Keep a plan with all that is to be done; its number. One with nothing to do is finished.

    It takes the place of those that were not finished: it was made of what became of them.
    """
    connection.execute(update(_PLAN).where(_PLAN.c.finished_us.is_(None)).values(finished_us=at_us))
    row = {"digest": digest, "actor": actor, "at_us": at_us}
    row |= {"finished_us": None if operations else at_us}
    number = int(connection.execute(insert(_PLAN).returning(_PLAN.c.id), row).scalar_one())
    rows = [
        {
            "plan": number,
            "number": o.number,
            "source": o.source,
            "action": o.action,
            "type": o.type,
            "symbol": o.symbol,
            "remote": o.remote,
            "body": dump(o.body),
            "seen": dump(o.seen),
            "kind": o.thing[0] if o.thing else None,
            "key": o.thing[1] if o.thing else None,
            "agreed": dump(o.agreed),
            "is_part": o.is_part,
            "state": Progress.PLANNED.value,
        }
        for o in operations
    ]
    if rows:
        connection.execute(insert(_OPERATION), rows)
    return number


def write_progress(connection: Connection, plan: int, outcomes: Sequence[Outcome]) -> None:
    """Keep how far operations have come."""
    statement = (
        update(_OPERATION)
        .where(_OPERATION.c.plan == plan, _OPERATION.c.number == bindparam("n"))
        .values(state=bindparam("s"), remote=bindparam("r"), message=bindparam("m"))
    )
    rows = [
        {
            "n": o.operation.number,
            "s": o.progress.value,
            "r": o.remote if o.remote is not None else o.operation.remote,
            "m": o.message,
        }
        for o in outcomes
    ]
    if rows:
        connection.execute(statement, rows)


def finish_plan(connection: Connection, plan: int, at_us: int) -> None:
    """Nothing of it is to be done any more."""
    connection.execute(update(_PLAN).where(_PLAN.c.id == plan).values(finished_us=at_us))
