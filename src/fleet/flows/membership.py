"""Members that join, leave or merge: what that changes in people's files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import yaml

from fleet.core.inventory import Inventory, Member, Membership
from fleet.core.record import Record, encode
from fleet.errors import Duplicate, Malformed, NotFound
from fleet.flows.export import Export
from fleet.sources.edit import Edit

_MEMBERS = ("", "members")


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomer:
    """What is said of a member that the files do not have yet."""

    name: str | None = None
    number: str | None = None
    county: str | None = None
    language: str | None = None


def plan_leave(declared: Inventory, folder: Path, slug: str, day: date) -> Export:
    """A member leaves: `day` is the first one on which it is no member.

    Raises:
        NotFound: there is no such member.
        Malformed: it is no member then.
    """
    member = _known(declared, slug)
    if not any(m.joined < day and m.left is None for m in member.memberships) or (
        member.ended is not None and member.ended <= day
    ):
        raise Malformed(f"{member.name} is no member that could leave on {day}", hint=_SEE)
    stretches = [
        Membership(joined=m.joined, left=day if m.left is None else m.left)
        for m in member.memberships
    ]
    return _edits(_stretched(folder, member, stretches))


def plan_join(
    declared: Inventory, folder: Path, slug: str, day: date, newcomer: Newcomer
) -> Export:
    """A member joins, for the first time or again; the day counts.

    Raises:
        Malformed: it is a member already, or too little is said of a new one.
    """
    member = declared.members.get(slug)
    if member is None:
        return Export(edits={}, entries={_MEMBERS: [_entry(slug, day, newcomer)]})
    if member.ended is not None:
        raise Malformed(f"{member.name} ended on {member.ended}", hint="its heir may join")
    if member.is_member(day) or any(m.joined >= day for m in member.memberships):
        raise Malformed(f"{member.name} is a member on {day} or later already", hint=_SEE)
    stretches = [*member.memberships, Membership(joined=day)]
    return _edits(_stretched(folder, member, stretches))


def plan_merge(
    declared: Inventory,
    folder: Path,
    slugs: Sequence[str],
    into: str,
    day: date,
    newcomer: Newcomer,
) -> Export:
    """Members become one: on `day` they end, and the heir is a member from then on.

    Raises:
        NotFound: one of them is not there.
        Malformed: one of them ended already, or is its own heir.
        Duplicate: one is named twice.
    """
    if len(set(slugs)) != len(slugs):
        raise Duplicate("a member is named twice", hint="name each once")
    edits = []
    for slug in slugs:
        member = _known(declared, slug)
        if slug == into or member.ended is not None:
            why = "cannot be its own heir" if slug == into else f"ended on {member.ended}"
            raise Malformed(f"{member.name} {why}", hint=_SEE)
        successors = sorted({*member.successors, into})
        fields = {"ended": day.isoformat(), "successors": successors}
        edits.append(Edit(key=(slug,), fields=fields))
    heir = declared.members.get(into)
    if heir is None:
        entries = {_MEMBERS: [_entry(into, day, newcomer)]}
        return Export(edits={_MEMBERS: edits}, entries=entries)
    if not heir.is_member(day):
        stretches = [*heir.memberships, Membership(joined=day)]
        edits.append(_stretched(folder, heir, stretches))
    return _edits(*edits)


_SEE = "fleet show member NAME says since when and until when"


def _known(declared: Inventory, slug: str) -> Member:
    member = declared.members.get(slug)
    if member is None:
        raise NotFound(f"there is no member `{slug}`", hint="fleet list members")
    return member


def _edits(*edits: Edit) -> Export:
    return Export(edits={_MEMBERS: list(edits)}, entries={})


def _stretched(folder: Path, member: Member, stretches: Sequence[Membership]) -> Edit:
    """The memberships as the entry writes them: `joined` and `left`, or a list."""
    written = _written(folder, member.slug)
    if "memberships" not in written and len(stretches) == 1:
        (one,) = stretches
        fields: dict[str, object] = {"left": one.left.isoformat() if one.left else None}
        return Edit(key=(member.slug,), fields=fields)
    fields = {"memberships": [_without_none(m) for m in stretches]}
    gone = {name: None for name in ("joined", "left") if name in written}
    return Edit(key=(member.slug,), fields={**gone, **fields})


def _without_none(membership: Membership) -> Record:
    return {name: value for name, value in encode(membership).items() if value is not None}


def _written(folder: Path, slug: str) -> Mapping[str, object]:
    found = yaml.safe_load((folder / "members.yaml").read_text(encoding="utf-8"))
    entries = found.get("members", []) if isinstance(found, dict) else []
    return next((e for e in entries if isinstance(e, dict) and e.get("slug") == slug), {})


def _entry(slug: str, day: date, newcomer: Newcomer) -> Record:
    if not newcomer.name or not newcomer.number:
        raise Malformed(
            f"there is no member `{slug}` yet", hint="a new one needs --name and --number"
        )
    entry = {
        "slug": slug,
        "name": newcomer.name,
        "number": newcomer.number,
        "county": newcomer.county,
        "language": newcomer.language,
        "joined": day.isoformat(),
    }
    return {name: value for name, value in entry.items() if value is not None}
