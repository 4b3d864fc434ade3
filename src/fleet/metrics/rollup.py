"""An hour or a day of a series in three or four numbers.

Of counters these are rates, kept as logarithms to one part in 700; of gauges the values.
"""

import math
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from operator import mul
from typing import TypeVar

from fleet.core.metric.kinds import MISSING

_STEPS = 512  # to a doubling
_LEAST = 2.0**40  # a rate below one part of this is none
UNKNOWN = 0xFFFF

_Number = TypeVar("_Number", int, float)

Stats = tuple[int, int, int]
"""Lowest, mean, highest: codes of rates, or values of a gauge."""

_NOTHING: Stats = (0, 0, 0)
UNKNOWN_RATES: Stats = (UNKNOWN, UNKNOWN, UNKNOWN)
UNKNOWN_VALUES: Stats = (MISSING, MISSING, MISSING)


def code_of(rate: float) -> int:
    """A rate as 16 bits."""
    return int(_STEPS * math.log2(rate * _LEAST) + 1.5) if rate * _LEAST > 1 else 0


def rate_of(code: int) -> float | None:
    """The rate that a code stands for; None: not known."""
    if code == UNKNOWN:
        return None
    return 2 ** ((code - 1) / _STEPS) / _LEAST if code else 0.0


def places(values: Sequence[int], wanted: int) -> Iterator[int]:
    """Where a value is: mostly nowhere."""
    at = -1
    for _ in range(values.count(wanted)):
        at = values.index(wanted, at + 1)
        yield at


class Rates:
    """The steps of a counter as rates.

    Args:
        steps: MISSING: not known.
        spans: the time that each stands for, 1/100 s; 0: not known.
        weights: what a step of one is as a rate, for each span.
        gaps: where the steps are that are not known, in order.
    """

    def __init__(
        self,
        steps: Sequence[int],
        spans: Sequence[int],
        weights: Sequence[float],
        gaps: Sequence[int],
    ) -> None:
        self._spans = spans
        self._rates = list(map(mul, steps, weights))
        self.gaps = gaps

    def known(self, begin: int, end: int) -> Sequence[float]:
        """The rates of some that are known."""
        return self._without_gaps(self._rates, begin, end)

    def missed(self, begin: int, end: int) -> int:
        """For how much of the time of some nothing is known, 1/100 s."""
        inside = self.gaps[bisect_left(self.gaps, begin) : bisect_left(self.gaps, end)]
        return sum(self._spans[at] for at in inside)

    def _without_gaps(self, values: Sequence[_Number], begin: int, end: int) -> Sequence[_Number]:
        if not self.gaps:
            return values[begin:end]
        found = list(values[begin:end])
        inside = self.gaps[bisect_left(self.gaps, begin) : bisect_left(self.gaps, end)]
        for at in reversed(inside):
            del found[at - begin]
        return found

    def stats(self, begin: int, end: int) -> Stats:
        """Lowest, mean and highest of some; the mean is over the time that is known."""
        found = self.known(begin, end)
        if not found:
            return UNKNOWN_RATES
        highest = max(found)
        if highest == 0:
            return _NOTHING
        spans = self._without_gaps(self._spans, begin, end)
        mean = sum(map(mul, found, spans)) / sum(spans)
        return code_of(min(found)), code_of(mean), code_of(highest)


def of_values(values: Sequence[int]) -> Stats:
    """Of the values of a gauge."""
    known = [value for value in values if value != MISSING] if MISSING in values else values
    if not known:
        return UNKNOWN_VALUES
    return min(known), round(sum(known) / len(known)), max(known)


def percentile(values: Iterable[float], part: float) -> float:
    """The smallest value that a part of all do not exceed (nearest rank)."""
    ordered = sorted(values)
    return ordered[max(math.ceil(part * len(ordered)) - 1, 0)]
