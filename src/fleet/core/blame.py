"""Whose fault an outage was, and whether its time counts: root causes, maintenance, corrections."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, NamedTuple

from fleet.core.maintenance import Correction, Reading, Window
from fleet.core.spans import Span, Spans, union

REPORTED = "reported"
Place = tuple[str, str]
"""Kind and name: device, site, member or service."""


class Failing(NamedTuple):
    """A stretch in which something was down or unreachable, in microseconds.

    Args:
        root: what explains it: `device NAME`, `link NAME`, `reported NAME`, or what another
            system said, `said TEXT`; empty: nobody knows.
        fell: when the outage began that the stretch is a part of.
        of: the device that was away.
    """

    start: int
    end: int
    root: str
    fell: int
    of: str = ""


def felled(down: Spans, deciding: Mapping[str, Sequence[Failing]]) -> list[Failing]:
    """Cuts the time in which a site was down by what explains it.

    A site falls with the last of its edge devices: that one's root cause is the site's.

    Args:
        down: when all deciding devices were away.
        deciding: what was wrong with each of them.
    """
    found: list[Failing] = []
    for start, end in down:
        near = [
            (f.fell, device, f)
            for device, failing in deciding.items()
            for f in failing
            if f.start < end and f.end > start
        ]
        cuts = {start, end}
        for _, _, f in near:
            cuts |= {t for t in (f.start, f.end) if start < t < end}
        for a, b in pairwise(sorted(cuts)):
            at_fault = max((n for n in near if n[2].start <= a < n[2].end), default=None)
            why = at_fault[2]._replace(start=a, end=b) if at_fault else Failing(a, b, "", a)
            last = found[-1] if found else None
            if last and last.end == a and (last.root, last.of) == (why.root, why.of):
                found[-1] = last._replace(end=b)
            else:
                found.append(why)
    return found


@dataclass
class Counting:
    """Time that counts in one way: as planned, or not at all.

    Args:
        windows: by the place that they are for.
        said: what people said of a device's outages, by device.
    """

    windows: dict[Place, Spans] = field(default_factory=dict)
    said: dict[str, Spans] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.windows or self.said)


@dataclass
class Cover:
    """What maintenance and corrections make of time.

    Args:
        reported: outages that users saw, by device or site.
    """

    planned: Counting = field(default_factory=Counting)
    excluded: Counting = field(default_factory=Counting)
    reported: dict[Place, Spans] = field(default_factory=dict)


def cover(
    windows: Iterable[Window],
    corrections: Iterable[Correction],
    end_of: Callable[[Correction], int],
) -> Cover:
    """What windows announced in time, and the last correction of each outage, make of time.

    Args:
        end_of: when the outage ended that a correction is about.
    """
    planned: dict[Place, list[Span]] = defaultdict(list)
    for window in windows:
        if window.is_planned:
            planned[window.kind, window.name].append((window.start, window.until))
    said: dict[Reading, dict[str, list[Span]]] = defaultdict(lambda: defaultdict(list))
    reported: dict[Place, list[Span]] = defaultdict(list)
    for one in latest(corrections):
        if one.reading is Reading.USER_REPORTED:
            reported[one.kind, one.name].append((one.start, end_of(one)))
        else:
            said[one.reading][one.name].append((one.start, end_of(one)))
    return Cover(
        planned=Counting(_unions(planned), _unions(said[Reading.PLANNED])),
        excluded=Counting({}, _unions(said[Reading.EXCLUDED])),
        reported=_unions(reported),
    )


def latest(corrections: Iterable[Correction]) -> list[Correction]:
    """The corrections that hold: of each outage the last one, unless that took back the others.

    An outage that users reported is another one than what fleet saw in that time.
    """
    last: dict[tuple[object, ...], Correction] = {}
    for one in corrections:
        outage = (one.kind, one.name, one.start)
        if one.reading is Reading.USER_REPORTED:
            last["reported", *outage, one.end] = one
        elif one.reading is Reading.AS_SEEN:
            last.pop(("reported", *outage, one.end), None)
            last.pop(outage, None)
        else:
            last[outage] = one
    return sorted(last.values(), key=lambda c: (c.start, c.id))


def _unions(spans: Mapping[Any, Iterable[Span]]) -> dict[Any, Spans]:
    return {place: union(some) for place, some in spans.items()}
