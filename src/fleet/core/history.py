"""The append-only history played back: what the inventory was after some of its changes."""

from collections.abc import Iterable, Mapping

from fleet.core.diff import Action, FieldChanges
from fleet.core.inventory import KINDS
from fleet.core.record import Record, defaults

Entry = tuple[str, str, str, FieldChanges]  # action, kind, key, fields


def replay(entries: Iterable[Entry]) -> Mapping[tuple[str, str], Record]:
    """The records that the entries, oldest first, lead to from an empty inventory."""
    records: dict[tuple[str, str], Record] = {}
    for action, kind, key, fields in entries:
        new = {name: value for name, (_, value) in fields.items()}
        if action == Action.DELETE:
            records.pop((kind, key), None)
        elif action == Action.CREATE:
            records[kind, key] = {**defaults(KINDS[kind]), **new}
        else:
            records[kind, key] = {**records.get((kind, key), {}), **new}
    return records
