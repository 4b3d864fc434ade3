"""Rows ↔ core values. Needs no database library."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from fleet.core.conditions import Condition
from fleet.core.inventory import KINDS, Interface, Inventory, Link, Thing
from fleet.core.moment import from_us, to_us
from fleet.core.record import field_names, from_record
from fleet.core.states import Interval, State, Track

Row = dict[str, Any]

_JSON_COLUMNS: dict[str, frozenset[str]] = {
    "member": frozenset({"memberships", "population", "earlier", "successors", "contact"}),
    "contract": frozenset({"split", "share_only", "contact"}),
    "site": frozenset({"contact"}),
    "device": frozenset(),
    "interface": frozenset(),
    "link": frozenset(),
    "service": frozenset({"needs", "use", "contact"}),
}


def columns(kind: str) -> tuple[str, ...]:
    """The columns that hold the fields of a kind, in their order."""
    return tuple(name for _, name in field_names(KINDS[kind]))


def to_row(kind: str, record: Mapping[str, Any]) -> Row:
    """The columns' values for (a part of) a record."""
    nested = _JSON_COLUMNS[kind]
    return {
        name: dump(value) if name in nested and value is not None else value
        for name, value in record.items()
    }


def from_row(kind: str, values: Iterable[Any]) -> Thing:
    """The thing whose columns (in the order of `columns`) have these values."""
    record = dict(zip(columns(kind), values, strict=True))
    for name in _JSON_COLUMNS[kind]:
        if record[name] is not None:
            record[name] = json.loads(record[name])
    if "public" in record:
        record["public"] = bool(record["public"])
    return from_record(KINDS[kind], record)


def to_inventory(rows: Mapping[str, Iterable[Iterable[Any]]]) -> Inventory:
    """The inventory whose tables, by kind, have these rows."""
    things = {
        f"{kind}s": {thing.key: thing for thing in (from_row(kind, row) for row in rows[kind])}
        for kind in KINDS
    }
    return Inventory(**things)  # type: ignore[arg-type]  # one dict per kind


def key_columns(kind: str, key: str) -> Row:
    """The columns by which a thing is found, and their values."""
    match KINDS[kind]:
        case cls if cls is Interface:
            device, _, name = key.partition(" : ")
            return {"device": device, "name": name}
        case cls if cls is Link:
            a, _, b = key.partition(" – ")
            return {"a": a, "b": b}
        case _:
            return {columns(kind)[0]: key}


def dump(value: Any) -> str:
    """JSON text, compact, the same for the same value."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), sort_keys=True)


TRACK = (
    *("device", "state", "since_us", "last_at_us", "root", "failures", "failing_since_us"),
    *("booted_us", "boots", "other", "other_since_us", "others"),
)


def to_track(row: Iterable[Any]) -> Track:
    """The track whose columns (in the order of `TRACK`) have these values."""
    values: Row = {}
    for name, value in zip(TRACK, row, strict=True):
        is_instant = name.endswith("_us") and value is not None
        values[name.removesuffix("_us")] = from_us(value) if is_instant else value
    values["state"] = State(values["state"])
    return Track(**values)


def from_track(track: Track) -> Row:
    row = {name: getattr(track, name.removesuffix("_us")) for name in TRACK}
    return {
        name: to_us(value) if name.endswith("_us") and value is not None else value
        for name, value in row.items()
    } | {"state": track.state.value}


def to_condition(row: Iterable[Any]) -> Condition:
    device, subject, state, since, until, last_at = row
    return Condition(
        device=device,
        subject=subject,
        state=state,
        since=from_us(since),
        until=None if until is None else from_us(until),
        last_at=from_us(last_at),
    )


def from_condition(condition: Condition) -> Row:
    return {
        "device": condition.device,
        "subject": condition.subject,
        "state": condition.state,
        "since_us": to_us(condition.since),
        "until_us": None if condition.until is None else to_us(condition.until),
        "last_at_us": to_us(condition.last_at),
    }


def to_interval(row: Iterable[Any]) -> Interval:
    device, state, since, until, cause, root = row
    return Interval(
        device=device,
        state=State(state),
        since=from_us(since),
        until=None if until is None else from_us(until),
        cause=cause,
        root=root,
    )
