"""One field, and what several sources say of it → its value, or a conflict.

The base is what was last agreed with a source: a source that still says it has nothing new to
say, and the one whose word differs from its base has changed something. Where the base is
missing (a field that was never shared), a source that says something has something new.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.core.authority import FLEET, NEWEST
from fleet.core.claims import Nature
from fleet.core.record import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """What one source says of a field.

    Args:
        base: what was last agreed, if `has_base`.
        at: when the source last changed the thing, microseconds since 1970; None: unknown.
    """

    source: str
    nature: Nature
    said: Json
    base: Json = None
    has_base: bool = False
    at: int | None = None

    def is_new(self, empty: Json) -> bool:
        """Whether the source says something else than was agreed."""
        return bool(self.said != (self.base if self.has_base else empty))


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a field is from now on, who said so, and who contradicts.

    Args:
        source: None: it stays as it was.
        against: those that say otherwise, where a person has to decide.
        seen: what the network says otherwise.
    """

    value: Json
    source: str | None = None
    against: tuple[Word, ...] = ()
    seen: tuple[Word, ...] = ()


def decide(
    words: Sequence[Word], *, ours: Json, empty: Json, rule: str, ours_at: int | None = None
) -> Decision:
    """The value of a field.

    Args:
        words: of the sources that know the field, in any order.
        ours: what the joint inventory has.
        empty: what the field has where nobody says anything.
        rule: who decides: a rule of `core.authority`, or the name of a source.
        ours_at: when the thing was last changed in the inventory.
    """
    words = sorted(words, key=_precedence)
    seen = [w for w in words if w.nature is Nature.SNMP and not _decides(w, rule)]
    told = [w for w in words if w not in seen]
    masters = [w for w in told if _decides(w, rule) and _has_opinion(w, empty)]
    if masters:
        decision = _agree(masters, ours)
    else:
        if rule == FLEET:
            told = [w for w in told if w.nature is Nature.FILES]
        moved = [w for w in told if w.said != ours and w.is_new(empty)]
        same = [w.at for w in told if w.said == ours and w.at is not None]
        since = max([*same, *([ours_at] if ours_at is not None else [])], default=None)
        decision = _among(moved, ours=ours, empty=empty, rule=rule, ours_at=since)
    value = decision.value
    differing = tuple(w for w in seen if _is_finding(w, value, empty))
    return Decision(value=value, source=decision.source, against=decision.against, seen=differing)


def _precedence(word: Word) -> tuple[int, str]:
    return list(Nature).index(word.nature), word.source


def _decides(word: Word, rule: str) -> bool:
    return rule in (word.source, word.nature.value)


def _has_opinion(word: Word, empty: Json) -> bool:
    return bool(word.said != empty or (word.has_base and word.base != empty))


def _is_finding(word: Word, value: Json, empty: Json) -> bool:
    """Something was declared, the network says otherwise, and nobody has judged it yet."""
    return value != empty and word.said not in (value, empty) and word.is_new(empty)


def _among(
    moved: Sequence[Word], *, ours: Json, empty: Json, rule: str, ours_at: int | None
) -> Decision:
    """Between those that changed something, and the inventory if it changed too."""
    ours_moved = any(ours != (w.base if w.has_base else empty) for w in moved)
    decision = _agree(moved, ours, is_contested=ours_moved)
    if decision.against and rule == NEWEST:
        return _newest(moved, ours, ours_at if ours_moved else None)
    return decision


def _agree(words: Sequence[Word], ours: Json, *, is_contested: bool = False) -> Decision:
    """What all of them say; if they do not agree, it stays as it is."""
    if not words:
        return Decision(value=ours)
    value = words[0].said
    if is_contested or any(w.said != value for w in words):
        return Decision(value=ours, against=tuple(w for w in words if w.said != ours))
    return Decision(value=value, source=words[0].source if value != ours else None)


def _newest(moved: Sequence[Word], ours: Json, ours_at: int | None) -> Decision:
    """Whoever changed it last; a draw is for a person."""
    last = max(w.at or 0 for w in moved)
    if ours_at is not None and ours_at > last:
        return Decision(value=ours)
    newest = [w for w in moved if w.at == last]
    return _agree(newest or moved, ours, is_contested=not newest or ours_at == last)
