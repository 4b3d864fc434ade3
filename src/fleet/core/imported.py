"""History taken over from another system, fitted around what fleet polled itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from fleet.core.spans import Span, Spans, intersect, subtract, total, union
from fleet.core.states import State

POLL, IMPORT = "poll", "import"


@dataclass(frozen=True, slots=True, order=True)
class Stretch:
    """One stored stretch of a state, in microseconds; `until` None: still going on."""

    since: int
    until: int | None
    state: str
    cause: str | None
    source: str
    root: str | None = None  # the root cause, as fleet itself saw it


@dataclass(frozen=True, slots=True, kw_only=True)
class Fitted:
    """What a device's stretches become, and how much of the import was polled by fleet itself."""

    stretches: tuple[Stretch, ...]
    overlap: int  # microseconds


def fit(
    before: Sequence[Stretch], outages: Iterable[Stretch], covers: Span, known_until: int
) -> Fitted:
    """The stretches of one device after an import.

    Within `covers`, imported outages hold and the rest counts as up; where fleet polled, what it
    saw holds instead. An earlier import of the same time is replaced, so that importing the same
    again changes nothing.

    Args:
        before: what is stored, in order.
        outages: of the import, within `covers` and not overlapping.
        known_until: until when an open stretch is known to hold.
    """
    outages = sorted(outages, key=lambda s: s.since)
    polled = union(
        (s.since, known_until if s.until is None else s.until)
        for s in before
        if s.source == POLL and s.state != State.UNKNOWN
    )
    imported = _pieces(
        [
            *outages,
            *(
                Stretch(since, until, State.UP, None, IMPORT)
                for since, until in subtract([covers], [(o.since, o.until or 0) for o in outages])
            ),
        ],
        polled,
    )
    kept: list[Stretch] = []
    for stretch in before:
        if stretch.source == POLL and stretch.state != State.UNKNOWN:
            # An open stretch that is known to hold no longer ends where knowledge ends.
            is_stale = stretch.until is None and known_until < covers[1]
            ended = replace(stretch, until=known_until) if is_stale else stretch
            if ended.until is None or ended.since < ended.until:
                kept.append(ended)
        else:
            kept += _outside(stretch, covers)
    return Fitted(
        stretches=tuple(sorted([*kept, *imported], key=lambda s: s.since)),
        overlap=total(intersect(polled, [covers])),
    )


def _pieces(stretches: Iterable[Stretch], without: Spans) -> list[Stretch]:
    return [
        replace(s, since=since, until=until)
        for s in stretches
        for since, until in subtract([(s.since, s.until or s.since)], without)
    ]


def _outside(stretch: Stretch, covers: Span) -> list[Stretch]:
    """What is left of a stretch before and after the covered time."""
    left = []
    if stretch.since < covers[0]:
        end = covers[0] if stretch.until is None else min(stretch.until, covers[0])
        left.append(replace(stretch, until=end))
    if stretch.until is None or stretch.until > covers[1]:
        left.append(replace(stretch, since=max(stretch.since, covers[1])))
    return left
