"""What sources say differently, shown to a person and decided by one."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.core.claims import GONE, KEY_FIELDS, PRESENCE, Conflict, Id
from fleet.core.diff import Action, Change, retire
from fleet.core.inventory import Inventory, Thing
from fleet.core.record import Json, Record, encode, to_record
from fleet.errors import NotFound, NotPermitted, PlanStale

if TYPE_CHECKING:
    from fleet.store.reader import Reader
    from fleet.store.store import Store

OURS = "ours"


def id_of(conflict: Conflict) -> str:
    """A short name for a conflict, the same in every sync."""
    text = f"{conflict.kind} {conflict.key} {conflict.field} {conflict.is_finding}"
    return hashlib.sha256(text.encode()).hexdigest()[:6]


def to_row(conflict: Conflict) -> Record:
    """A conflict as it is shown."""
    return {
        "id": id_of(conflict),
        "kind": conflict.kind,
        "key": conflict.key,
        "field": conflict.field,
        "base": conflict.base,
        "ours": conflict.ours,
        "says": dict(conflict.says),
        "finding": conflict.is_finding,
        "evidence": conflict.evidence,
    }


def find_conflict(reader: "Reader | None", named: str) -> Conflict:
    """The conflict with this id, or with an id that begins so.

    Raises:
        NotFound: there is none, or several.
    """
    found = [c for _, c in reader.conflicts() if id_of(c).startswith(named)] if reader else []
    if len(found) != 1:
        what = f"{len(found)} conflicts begin with" if found else "there is no conflict"
        raise NotFound(f"{what} `{named}`", hint="fleet conflict list shows their ids")
    return found[0]


def resolve(
    store: "Store", conflict: Conflict, take: str, *, actor: str, now: datetime
) -> Change | None:
    """A person decides a conflict; the change to the inventory, if that makes one.

    What a source said when it was decided is what was agreed with it: it is not asked about
    again, and a source that is written to gets the other word with the next sync.

    Args:
        take: `ours`, or the source whose word it is from now on.

    Raises:
        NotFound: that source says nothing of it.
        PlanStale: the inventory says something else by now than when the conflict was found.
    """
    if take != OURS and take not in conflict.says:
        says = ", ".join([OURS, *sorted(conflict.says)])
        raise NotFound(f"`{take}` is no side of this conflict", hint=f"one of: {says}")
    with store.reader() as reader:
        basis = reader.last_change()
        thing = _check(reader.inventory(), conflict)
        origin = reader.origins().get((conflict.kind, conflict.key))
        bases = reader.bases()
    is_key = conflict.field in KEY_FIELDS[conflict.kind]
    if is_key and take != OURS and conflict.says[take] != conflict.ours:
        raise NotPermitted(
            f"a {conflict.kind} with another {conflict.field} is another {conflict.kind}",
            hint="change it in the files and sync, or resolve it with --take ours",
        )
    change = None
    if take != OURS and conflict.says[take] != conflict.ours:
        change = _change(thing, conflict, take, now)
    store.plans.decide(
        conflict,
        [change] if change else [],
        actor=actor,
        at=now,
        basis=basis,
        agreed=_agreed(conflict, take, thing, origin, bases),
    )
    return change


def _check(inventory: Inventory, conflict: Conflict) -> Thing:
    thing = inventory.of_kind(conflict.kind).get(conflict.key)
    is_same = thing is not None and (
        conflict.field == PRESENCE or to_record(thing).get(conflict.field) == conflict.ours
    )
    if thing is None or not is_same:
        raise PlanStale(
            f"{conflict.kind} {conflict.key} was changed since this was found",
            hint="fleet sync --plan shows how it is now",
        )
    return thing


def _change(thing: Thing, conflict: Conflict, take: str, now: datetime) -> Change:
    action = Action.UPDATE
    fields: dict[str, tuple[Json, Json]] = {conflict.field: (conflict.ours, conflict.says[take])}
    if conflict.field == PRESENCE:
        had, new = to_record(thing), to_record(retire(thing, now))
        action = Action.RETIRE
        fields = {n: (had[n], v) for n, v in new.items() if v != had[n]}
    return Change(
        action=action, kind=conflict.kind, key=conflict.key, fields=encode(fields), source=take
    )


def _agreed(
    conflict: Conflict,
    take: str,
    thing: Thing,
    origin: str | None,
    bases: dict[str, dict[Id, Record]],
) -> dict[str, dict[Id, Record | None]]:
    id_ = (conflict.kind, conflict.key)
    found: dict[str, dict[Id, Record | None]] = {}
    if take != OURS and origin and origin not in conflict.says:
        found[origin] = {id_: bases.get(origin, {}).get(id_) or to_record(thing)}
    for source, said in conflict.says.items():
        if conflict.field == PRESENCE and not (conflict.is_finding and take == OURS):
            found[source] = {id_: None}  # made there again, or gone here too
            continue
        kept = bases.get(source, {}).get(id_)
        before = kept if kept is not None else to_record(thing) if source == origin else {}
        value = GONE if conflict.field == PRESENCE else said
        found[source] = {id_: {**before, conflict.field: value}}
    return found


def list_conflicts(reader: "Reader | None") -> Sequence[tuple[int, Conflict]]:
    """What is to be decided, and since when, microseconds since 1970."""
    return reader.conflicts() if reader else []
