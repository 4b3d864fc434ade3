"""What was recorded of a thing, and what differs between two days."""

from typing import TYPE_CHECKING

from fleet.core.inventory import KINDS, Inventory
from fleet.core.lookup import nfc
from fleet.core.moment import from_us, text_of
from fleet.core.record import Record, to_record

if TYPE_CHECKING:
    from fleet.store.reader import Reader


def history_of(reader: "Reader", kind: str, name: str) -> list[Record]:
    """The recorded changes of one thing, the newest first."""
    return [
        {
            "at": text_of(from_us(at)),
            "actor": actor,
            "source": source,
            "plan": plan,
            "action": action,
            "fields": fields,
        }
        for at, actor, source, plan, action, _, _, fields in reader.changes(
            kind=kind, key=nfc(name)
        )
    ]


def difference(before: Inventory, after: Inventory, member: str | None = None) -> list[Record]:
    """What came, went and changed from one inventory to a later one.

    Args:
        member: only what was or is its own.
    """
    rows: list[Record] = []
    for kind in KINDS:
        old, new = before.of_kind(kind), after.of_kind(kind)
        for key in sorted(old.keys() | new.keys()):
            whose = {
                i.member_of(i.of_kind(kind)[key]) for i in (before, after) if key in i.of_kind(kind)
            }
            if member is not None and member not in whose:
                continue
            if key not in old or key not in new:
                action = "came" if key in new else "went"
                rows.append({"action": action, "kind": kind, "key": key, "fields": {}})
            elif old[key] != new[key]:
                was, now = to_record(old[key]), to_record(new[key])
                fields = {f: [was.get(f), now[f]] for f in now if was.get(f) != now[f]}
                rows.append({"action": "changed", "kind": kind, "key": key, "fields": fields})
    return rows
