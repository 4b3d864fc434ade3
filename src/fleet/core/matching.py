"""First contact: which thing of a source is which of ours, by a ladder of clues.

A rung is climbed down only by what the rungs above left over. What a rung leaves ambiguous, two
machines with one serial number say, is for a person: it is matched no further, and nothing is
created for it on either side.
"""

from collections import defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, field

Clues = Mapping[str, Hashable]
"""Rung → what a thing says there; a rung that is missing says nothing."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """A thing of a source that may be one of several of ours, or one of several that may be one.

    Args:
        remote: its number in the source.
        keys: of ours.
        rung: that left it open.
    """

    remote: int
    keys: tuple[str, ...]
    rung: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Matching:
    """What is what.

    Args:
        found: the key of each recognised thing, by its number in the source.
        rungs: by which rung it was recognised, of those that were not linked before.
        doubts: what a person has to say.
    """

    found: Mapping[int, str]
    rungs: Mapping[int, str] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()

    @property
    def unsure(self) -> frozenset[str]:
        """The keys of ours that a doubt is about."""
        return frozenset(key for doubt in self.doubts for key in doubt.keys)


def match(
    theirs: Mapping[int, Clues],
    ours: Mapping[str, Clues],
    *,
    ladder: Sequence[str],
    linked: Mapping[int, str],
) -> Matching:
    """Which of theirs is which of ours.

    Args:
        theirs: the clues of each thing of a source, by its number there.
        ours: the clues of each of our things, by key.
        ladder: the rungs, the surest first.
        linked: what was recognised before, and is still so if both are there.
    """
    found = {n: key for n, key in linked.items() if n in theirs and key in ours}
    rungs: dict[int, str] = {}
    doubts: list[Doubt] = []
    free = set(theirs) - set(found)
    open_ = set(ours) - set(found.values())
    for rung in ladder:
        left, right = _by_clue(theirs, free, rung), _by_clue(ours, open_, rung)
        for clue in sorted(left.keys() & right.keys(), key=str):
            numbers, keys = sorted(left[clue]), sorted(right[clue])
            if len(numbers) == len(keys) == 1 and not _contradict(
                theirs[numbers[0]], ours[keys[0]], rung
            ):
                found[numbers[0]] = keys[0]
                rungs[numbers[0]] = rung
            else:
                doubts += [Doubt(number, tuple(keys), rung) for number in numbers]
            free -= set(numbers)
            open_ -= set(keys)
    return Matching(found=found, rungs=rungs, doubts=tuple(doubts))


def _by_clue(
    things: Mapping[int, Clues] | Mapping[str, Clues], left: set[int] | set[str], rung: str
) -> dict[Hashable, list]:  # type: ignore[type-arg]  # numbers of theirs, or keys of ours
    found = defaultdict(list)
    for name in left:
        if (clue := things[name].get(rung)) is not None:  # type: ignore[index]
            found[clue].append(name)
    return found


_WEAK = frozenset({"address"})
_SURE = "serial"


def _contradict(one: Clues, other: Clues, rung: str) -> bool:
    """Whether an address alone speaks for it, and the serial numbers against."""
    serials = one.get(_SURE), other.get(_SURE)
    return rung in _WEAK and None not in serials and serials[0] != serials[1]
