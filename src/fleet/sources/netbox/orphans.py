"""What is gone from the inventory and still in a NetBox: marked first, removed long after.

Off unless the source's settings say `delete = true`. Only objects that fleet made or recognised
are touched, and only of types that were read to their end.
"""

from collections.abc import Mapping
from datetime import datetime

from fleet.core.claims import Id
from fleet.core.diff import PRUNE_AFTER
from fleet.core.merging import is_retired
from fleet.core.moment import to_us
from fleet.core.record import Record
from fleet.errors import TooMany
from fleet.sources.netbox.applying import ADD_TAGS, REMOVE_TAGS
from fleet.sources.netbox.draft import Draft
from fleet.sources.netbox.known import Further
from fleet.sources.netbox.types import (
    CABLES,
    CIRCUITS,
    DEVICES,
    INTERFACES,
    ORPHAN,
    SITES,
    TAGS,
)

_TYPES = {
    "site": (SITES,),
    "device": (DEVICES,),
    "interface": (INTERFACES,),
    "link": (CABLES, CIRCUITS),
}


def draft_orphans(draft: Draft, further: Further, now: datetime) -> None:
    """Mark what went, unmark what came back, and delete what was marked 30 days ago.

    Raises:
        TooMany: more of a type would go than is likely meant, and nobody forces it.
    """
    linked, marked = further.linked, further.marked
    owners = {(id_[0], number): id_ for id_, number in draft.reading.numbers.items()}
    gone = {
        id_: number
        for id_, number in linked.items()
        if id_[0] in _TYPES
        and _is_gone(draft.records.get(id_))
        and owners.get((id_[0], number), id_) == id_
    }
    before = to_us(now - PRUNE_AFTER)
    going = [id_ for id_ in gone if id_ not in marked]
    ending = [id_ for id_ in gone if further.prune and marked.get(id_, before + 1) <= before]
    if not further.force:
        _brake(draft, linked, [*going, *ending])
    for id_ in going:
        _mark(draft, id_, linked[id_])
    for id_ in ending:
        type_ = _type_of(draft, id_, linked[id_])
        # Who took the mark off wants to keep it.
        if type_ is not None and ORPHAN in draft.state.of(type_)[linked[id_]]["tags"]:
            draft.delete(type_, linked[id_], id_)
    for id_ in marked.keys() - gone.keys():
        _unmark(draft, id_, linked[id_])


def _mark(draft: Draft, id_: Id, number: int) -> None:
    type_ = _type_of(draft, id_, number)
    if type_ is None:
        return
    draft.ensure(TAGS, {"name": ORPHAN, "slug": ORPHAN}, symbol=ORPHAN)
    body: Record = {ADD_TAGS: [ORPHAN]}
    if type_ == DEVICES:
        body["status"] = "decommissioning"
    draft.update(type_, number, body, thing=id_, action="mark")


def _unmark(draft: Draft, id_: Id, number: int) -> None:
    type_ = _type_of(draft, id_, number)
    if type_ is not None and ORPHAN in draft.state.of(type_)[number].get("tags", ()):
        draft.update(type_, number, {REMOVE_TAGS: [ORPHAN]}, thing=id_, action="unmark")


def _is_gone(record: Record | None) -> bool:
    return record is None or is_retired(record)


def _type_of(draft: Draft, id_: Id, number: int) -> str | None:
    """The type of the object that a thing is there; None: it is gone already, or not known."""
    for type_ in _TYPES[id_[0]]:
        if draft.state.is_whole(type_) and number in draft.state.of(type_):
            return type_
    return None


def _brake(draft: Draft, linked: Mapping[Id, int], going: list[Id]) -> None:
    for kind in ("site", "device"):  # the rest goes with them
        number = sum(id_[0] == kind for id_ in going)
        there = sum(id_[0] == kind for id_ in linked)
        if number > max(10, there / 50):
            raise TooMany(
                f"{number} of {there} {kind}s would be marked or removed in {draft.source}",
                hint="if they really are gone, say so with --force",
            )
