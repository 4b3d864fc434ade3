"""How something went over the last day, week, month or year."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from fleet.core.metric.kinds import Key


class Window(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


Series = list[tuple[int, float]]
"""Instants (microseconds since 1970) and values in the metric's unit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """Some series over a window.

    Args:
        begin, end: microseconds since 1970.
        step: between two values.
        means: of each step.
        highs: the highest in each step.
    """

    window: Window
    begin: int
    end: int
    step: int
    means: Mapping[Key, Series]
    highs: Mapping[Key, Series]


def even(series: Series, begin: int, end: int, count: int) -> list[float | None]:
    """A series as so many values of equal width: the mean of each, None where there is none."""
    width = (end - begin) / count
    sums, numbers = [0.0] * count, [0] * count
    for at, value in series:
        place = min(int((at - begin) / width), count - 1)
        if place >= 0:
            sums[place] += value
            numbers[place] += 1
    return [s / n if n else None for s, n in zip(sums, numbers, strict=True)]
