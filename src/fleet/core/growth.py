"""How fast something grows: when it has doubled, and when it is full.

A straight line is laid through the logarithms by least squares. Where a disk was replaced or an
archive deleted, the series jumps: what comes after a jump gets a level of its own, and the growth
is that of all stretches together. What wobbles from one reading to the next in the same direction
tells less than it seems to; the interval is wider for it.
"""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from statistics import NormalDist, median

YEAR = 365.25  # days
FEWEST = 6  # readings
SHORTEST = timedelta(days=180)
LEAST = math.log(1.03)  # a year: less than three per cent is no growth that anybody plans for
LATEST = 30.0  # years: further ahead nobody can look

_CERTAIN = 0.9999  # that it grows at all: nobody buys disks for what only wobbles
_INTERVAL = 0.99  # on either side: one of 98 %
_JUMP = 0.1  # of the level: less is no new disk
_OUTLYING = 5.0  # median absolute deviations

Reading = tuple[date, float]
"""A day, and how much it was then: more than zero."""


class Trend(StrEnum):
    """What a series does."""

    GROWS = "grows"
    SHRINKS = "shrinks"
    NONE = "no growth"
    TOO_SHORT = "too short"


@dataclass(frozen=True, slots=True, kw_only=True)
class Growth:
    """How a series grows.

    Args:
        a_year: logarithm of the factor by which it grows in a year; low and high are the ends of
            its 98 % interval.
        level: what it is by now, by the line.
        jumps: days on which it jumped.
    """

    trend: Trend
    readings: int
    first: date | None = None
    last: date | None = None
    a_year: float = 0.0
    low: float = 0.0
    high: float = 0.0
    level: float = 0.0
    jumps: tuple[date, ...] = ()

    @property
    def percent_a_year(self) -> float:
        return (math.exp(self.a_year) - 1) * 100

    def doubling_years(self) -> tuple[float, float, float] | None:
        """In how many years it doubles, and from how many to how many; None: it does not grow."""
        if self.trend is not Trend.GROWS:
            return None
        return (
            math.log(2) / self.a_year,
            math.log(2) / self.high,
            math.log(2) / self.low,
        )

    def full_on(self, limit: float) -> tuple[date | None, date | None, date | None] | None:
        """The day on which it meets a limit, the earliest and the latest.

        None in their places: later than in 30 years. None for all: it does not grow. What is full
        by now is so since its last reading.
        """
        if self.last is None:
            return None
        if self.level >= limit:
            return (self.last,) * 3
        if self.trend is not Trend.GROWS:
            return None
        missing = math.log(limit / self.level)
        return (
            _after(self.last, missing / self.a_year),
            _after(self.last, missing / self.high),
            _after(self.last, missing / self.low),
        )


def _after(day: date, years: float) -> date | None:
    return None if years > LATEST else day + timedelta(days=round(years * YEAR))


def growth_of(readings: Sequence[Reading]) -> Growth:
    """How a series grows, by all of its readings.

    Args:
        readings: in the order of their days; those of nothing are left out.
    """
    known = [(day, amount) for day, amount in readings if amount > 0]
    count = len(known)
    if count < FEWEST or known[-1][0] - known[0][0] < SHORTEST:
        return Growth(trend=Trend.TOO_SHORT, readings=count)
    first = known[0][0]
    years = [(day - first).days / YEAR for day, _ in known]
    logs = [math.log(amount) for _, amount in known]
    stretches = _stretches(years, logs)
    freedom = count - len(stretches) - 1
    if freedom < FEWEST - 3:
        return Growth(trend=Trend.TOO_SHORT, readings=count)
    slope, error, level = _line(years, logs, stretches, freedom)
    half = student(_INTERVAL, freedom) * error
    is_certain = abs(slope) > student(_CERTAIN, freedom) * error and abs(slope) >= LEAST
    trend = Trend.NONE if not is_certain else Trend.GROWS if slope > 0 else Trend.SHRINKS
    return Growth(
        trend=trend,
        readings=count,
        first=first,
        last=known[-1][0],
        a_year=slope,
        low=slope - half,
        high=slope + half,
        level=math.exp(level),
        jumps=tuple(known[begin][0] for begin, _ in stretches[1:]),
    )


def _stretches(years: Sequence[float], logs: Sequence[float]) -> list[tuple[int, int]]:
    """The parts of a series between its jumps: first reading, and the one after the last."""
    steps = [after - before for before, after in itertools.pairwise(logs)]
    usual = median(steps)
    spread = 1.4826 * median(abs(step - usual) for step in steps)
    limit = max(_OUTLYING * spread, math.log(1 + _JUMP))
    begins = [0]
    for at, step in enumerate(steps, start=1):
        # Readings that lie apart grow more between them; that is no jump.
        gap = (years[at] - years[at - 1]) * len(steps) / (years[-1] - years[0])
        is_jump = abs(step - usual * gap) > limit * max(gap, 1)
        if is_jump and not _comes_back(logs, at):
            begins.append(at)
    return list(zip(begins, [*begins[1:], len(logs)], strict=True))


def _comes_back(logs: Sequence[float], at: int) -> bool:
    """Whether a jump is one odd reading, before and after which all is as it was."""
    half = abs(logs[at] - logs[at - 1]) / 2
    odd_now = at + 1 < len(logs) and abs(logs[at + 1] - logs[at - 1]) <= half
    odd_before = at > 1 and abs(logs[at] - logs[at - 2]) <= half
    return odd_now or odd_before


def _line(
    years: Sequence[float],
    logs: Sequence[float],
    stretches: Sequence[tuple[int, int]],
    freedom: int,
) -> tuple[float, float, float]:
    """Slope, its standard error, and the level at the end: one slope, a level per stretch."""
    across, along = 0.0, 0.0
    middles = []
    for begin, end in stretches:
        x, y = sum(years[begin:end]) / (end - begin), sum(logs[begin:end]) / (end - begin)
        middles.append((x, y))
        along += sum((years[i] - x) * (logs[i] - y) for i in range(begin, end))
        across += sum((years[i] - x) ** 2 for i in range(begin, end))
    slope = along / across if across else 0.0
    rests = [
        logs[i] - y - slope * (years[i] - x)
        for (begin, end), (x, y) in zip(stretches, middles, strict=True)
        for i in range(begin, end)
    ]
    squares = sum(rest * rest for rest in rests)
    together = sum(one * other for one, other in itertools.pairwise(rests))
    alike = min(max(together / squares, 0.0), 0.9) if squares else 0.0
    variance = squares / freedom * (1 + alike) / (1 - alike)
    x, y = middles[-1]
    error = math.sqrt(variance / across) if across else math.inf
    return slope, error, y + slope * (years[-1] - x)


def student(part: float, freedom: int) -> float:
    """Student's t, below which lies a part of it (Abramowitz and Stegun, 26.7.5)."""
    z = NormalDist().inv_cdf(part)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / float(freedom**power) for power, term in enumerate(terms, start=1))
