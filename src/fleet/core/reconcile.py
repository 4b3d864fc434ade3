"""Many sources and one inventory → what changes where, and what a person has to decide.

Three-way, per field: what was last agreed with a source (its base), what the inventory has
(ours), and what the source says now (theirs). Only what changed since the base moves; what two
changed differently is decided by a rule, or kept for a person. The order of the sources does not
matter, and a field that a source does not know is never touched there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleet.core.authority import FLEET, MANUAL, NEWEST, Authority
from fleet.core.claims import KEY_FIELDS, PRESENCE, Claims, Conflict, Id, Nature, spelt
from fleet.core.decide import Decision, Word, decide
from fleet.core.diff import Action, Change, drop_referred
from fleet.core.inventory import KINDS
from fleet.core.merging import Before, Merging, is_retired
from fleet.core.presence import compare_presence, find_pushes, retire_gone
from fleet.core.record import Json, Record, defaults, required

__all__ = ["Before", "Merge", "merge"]

Said = Sequence[tuple[Claims, Record]]
"""Of one thing: who says what."""

_GOING = ("status", "retired", "decommissioned")  # what retiring a thing sets


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """What comes of it.

    Args:
        changes: to the inventory, and to sources that are written to.
        agreed: per source, the bases that hold once the inventory is changed; None: drop it.
        left_out: what cannot be taken over: source, what, why.
    """

    changes: tuple[Change, ...]
    conflicts: tuple[Conflict, ...]
    agreed: Mapping[str, Mapping[Id, Record | None]]
    left_out: tuple[tuple[str, str, str], ...] = ()


def merge(before: Before, sources: Sequence[Claims], authority: Authority, now: datetime) -> Merge:
    """What must change for the inventory and the sources to agree.

    Args:
        sources: with different names, in any order.
        now: when things that are gone are retired.
    """
    merging = Merging(before, sources, authority, now)
    for kind in KINDS:
        for id_ in {id_: None for s in merging.sources for id_ in s.things if id_[0] == kind}:
            _merge_thing(merging, id_)
        retire_gone(merging, kind)
    for source in merging.sources:
        compare_presence(merging, source)
        for kind in KINDS:
            merging.changes += find_pushes(merging, source, kind)
        merging.left_out += [(source.source, what, why) for what, why in source.left_out]
    conflicts = sorted(merging.conflicts, key=lambda c: (c.kind, c.key, c.field))
    return Merge(
        changes=tuple(sorted(drop_referred(before.inventory, merging.changes), key=_order)),
        conflicts=tuple(conflicts),
        agreed=merging.agreed,
        left_out=tuple(sorted(merging.left_out)),
    )


def _order(change: Change) -> tuple[bool, str, int, int]:
    """The inventory first; there and elsewhere by kind, and what comes before what goes."""
    actions, kinds = list(Action), list(KINDS)
    is_elsewhere = change.target != "inventory"
    return is_elsewhere, change.target, kinds.index(change.kind), actions.index(change.action)


def _merge_thing(merging: Merging, id_: Id) -> None:
    claims = [
        (source, spelt(source.things[id_], merging.ours.get(id_)))
        for source in merging.sources
        if id_ in source.things and not _is_done_with(merging, source, id_)
    ]
    had = merging.ours.get(id_)
    claims = [(s, said) for s, said in claims if _is_heard(merging, s, id_, claims)]
    if had is None:
        _create(merging, id_, claims)
        return
    if all(_is_agreed(merging, source, id_, said, had) for source, said in claims):
        return
    claims = [(source, _reviving(said, had)) for source, said in claims]
    new, sources = _fields(merging, id_, had, claims)
    by_source: dict[str, dict[str, tuple[Json, Json]]] = {}
    for name, source in sources.items():
        by_source.setdefault(source, {})[name] = (had.get(name), new[name])
    for source, fields in by_source.items():
        merging.add(Action.UPDATE, id_, fields, source)
    if by_source:
        merging.after[id_] = new
        if merging.before.origins.get(id_) not in {s.source for s, _ in claims}:
            merging.keep_for_origin(id_)
    _agree(merging, id_, claims, had, new)


def _is_heard(merging: Merging, source: Claims, id_: Id, claims: Said) -> bool:
    """Whether a thing is, or is about to be, a member's whose things the source has."""
    if source.members is None:
        return True
    record = {
        **merging.ours.get(id_, {}),
        **{n: v for _, said in claims[:1] for n, v in said.items()},
    }
    return merging.is_in_scope(source, id_, record)


def _is_done_with(merging: Merging, source: Claims, id_: Id) -> bool:
    """Whether a thing is retired or about to be, and what the source has of it is old."""
    if merging.is_leaving(id_):
        return True
    had = merging.ours.get(id_)
    if had is None or not is_retired(had):
        return False
    return source.nature is Nature.SNMP or id_ in merging.before.bases.get(source.source, {})


def _is_agreed(merging: Merging, source: Claims, id_: Id, said: Record, had: Record) -> bool:
    """Whether nothing is new: what is said is what there is, and was agreed."""
    if not said.items() <= had.items():
        return False
    if source.nature is Nature.SNMP:
        return id_ not in merging.before.bases.get(source.source, {})
    return merging.base(source, id_) == said or merging.base(source, id_) is had


def _create(merging: Merging, id_: Id, claims: Said) -> None:
    kind, key = id_
    creators = [(s, said) for s, said in claims if _may_create(merging, s, id_, said)]
    if not creators:
        return
    empty = defaults(KINDS[kind])
    known = {name for _, said in creators for name in said}
    if missing := [name for name in required(KINDS[kind]) if name not in known]:
        why = f"{', '.join(missing)} is not known there"
        merging.left_out.append((creators[0][0].source, f"{kind} {key}", why))
        return
    first = {**empty}
    for _, said in reversed(creators):
        first |= {n: v for n, v in said.items() if v != empty.get(n)}
    new, _ = _fields(merging, id_, first, claims)
    merging.after[id_] = new
    fields = {n: (empty.get(n), v) for n, v in new.items()}
    fields = {n: pair for n, pair in fields.items() if pair[0] != pair[1]}
    merging.add(Action.CREATE, id_, fields, creators[0][0].source)
    _agree(merging, id_, claims, first, new, is_new=True)


def _may_create(merging: Merging, source: Claims, id_: Id, said: Record) -> bool:
    """Files always; others where nobody else decides what there is."""
    rule = merging.authority.rule(id_[0], PRESENCE, merging.member(id_, said))
    if source.nature is Nature.FILES or rule in (source.nature.value, source.source):
        return True
    return source.nature is Nature.NETBOX and rule in (MANUAL, NEWEST)


def _fields(merging: Merging, id_: Id, had: Record, claims: Said) -> tuple[Record, dict[str, str]]:
    """The fields as they are from now on, and who changed each that changed."""
    kind, _ = id_
    empty = defaults(KINDS[kind])
    member = merging.member(id_, had)
    new, changed = {**had}, {}
    for name in sorted({name for _, said in claims for name in said}):
        words = [
            _word(merging, source, id_, name, said[name])
            for source, said in claims
            if name in said and (said[name] is not None or name not in required(KINDS[kind]))
        ]
        rule = merging.authority.rule(kind, name, member)
        if name in KEY_FIELDS.get(kind, ()) and id_ in merging.ours:
            decision = _decide_key(words, had[name], rule)
        else:
            decision = decide(
                words,
                ours=had.get(name),
                empty=empty.get(name),
                rule=rule,
                ours_at=merging.before.touched.get(id_),
            )
        _note_conflict(merging, id_, name, decision, words)
        if decision.source is not None:
            new[name] = decision.value
            changed[name] = merging.said_by[id_, name] = decision.source
    return new, changed


def _decide_key(words: Sequence[Word], ours: Json, rule: str) -> Decision:
    """A new name is a new thing: it is never taken over, only asked about or put back."""
    others = tuple(w for w in words if w.said != ours and w.is_new(None))
    if rule in (FLEET, Nature.FILES.value):
        others = ()
    return Decision(value=ours, against=others)


def _word(merging: Merging, source: Claims, id_: Id, name: str, said: Json) -> Word:
    base = merging.base(source, id_)
    had = merging.ours.get(id_)
    if had is not None and is_retired(had):  # what comes back wins over its own going
        base = {**(base or {}), **{n: had[n] for n in _GOING if n in had}}
    return Word(
        source=source.source,
        nature=source.nature,
        said=said,
        base=None if base is None else base.get(name),
        has_base=base is not None and name in base,
        at=source.times.get(id_),
    )


def _note_conflict(
    merging: Merging, id_: Id, name: str, decision: Decision, words: Sequence[Word]
) -> None:
    for group, is_finding in ((decision.against, False), (decision.seen, True)):
        if not group:
            continue
        if not is_finding:
            merging.undecided.add((id_, name))
        bases = [w.base for w in group if w.has_base]
        says = {w.source: w.said for w in (group if is_finding else words)}
        source = next(s for s in merging.sources if s.source == group[0].source)
        merging.conflicts.append(
            Conflict(
                kind=id_[0],
                key=id_[1],
                field=name,
                base=bases[0] if bases else None,
                ours=decision.value,
                says=says,
                is_finding=is_finding,
                evidence=source.evidence.get(id_),
            )
        )


def _agree(
    merging: Merging,
    id_: Id,
    claims: Said,
    had: Record,
    new: Record,
    *,
    is_new: bool = False,
) -> None:
    """Keep what is agreed with each source now; what is not stays as it was agreed before."""
    origin = claims[0][0].source if is_new else merging.before.origins.get(id_)
    for source, said in claims:
        base = merging.base(source, id_) or {}
        kept = {}
        for name, value in said.items():
            if value == new.get(name):
                kept[name] = value
            elif name in base:
                kept[name] = base[name]
        if source.nature is Nature.SNMP:
            stored = merging.before.bases.get(source.source, {}).get(id_, {})
            kept = {n: v for n, v in stored.items() if said.get(n, v) == v}
        is_as_ours = (
            source.nature is Nature.FILES
            and source.source == origin
            and kept.keys() >= said.keys()
            and kept.items() <= new.items()
        )
        merging.keep(source.source, id_, None if is_as_ours or not kept else kept)


def _reviving(said: Record, had: Record) -> Record:
    """What is claimed again is no longer retired, whether or not its source knows of that."""
    if not is_retired(had):
        return said
    return {n: None for n in ("retired", "decommissioned") if had.get(n) is not None} | said
