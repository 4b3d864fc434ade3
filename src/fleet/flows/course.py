"""Reading how something went, as fine as that can be read."""

import itertools
from collections.abc import Collection
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from fleet.core.course import Course, Series, Window
from fleet.core.metric.kinds import Key
from fleet.core.moment import OSLO, local, to_us

if TYPE_CHECKING:
    from fleet.metrics.reader import MetricReader

_HOUR_US = 3_600_000_000
_DAY_US = 24 * _HOUR_US

_LENGTH = {Window.DAY: 1, Window.WEEK: 7, Window.MONTH: 31, Window.YEAR: 366}
_STEP = {
    Window.DAY: 5 * 60_000_000,
    Window.WEEK: _HOUR_US,
    Window.MONTH: _HOUR_US,
    Window.YEAR: _DAY_US,
}


def course(
    metrics: "MetricReader", number: int, keys: Collection[Key], window: Window, now: datetime
) -> Course:
    """Samples of a day, hours of a week or a month, days of a year; until now.

    Args:
        number: of a device in the file of measurements.
    """
    end, step = to_us(now), _STEP[window]
    begin = begin_of(window, now)
    if window is Window.DAY:
        means = metrics.samples(number, keys, begin, end + 1)
        highs = means
        step = max([step, *map(_usual_gap, means.values())])
    elif window is Window.YEAR:
        last = local(now).date()
        first = last - timedelta(days=_LENGTH[window])
        days = metrics.days(number, keys, first, last)
        means = {k: [(_noon(b.time), b.mean) for b in own] for k, own in days.items()}
        highs = {k: [(_noon(b.time), b.high) for b in own] for k, own in days.items()}
    else:
        hours = metrics.hours(number, keys, begin, end)
        half = _HOUR_US // 2
        means = {k: [(b.time * _HOUR_US + half, b.mean) for b in h] for k, h in hours.items()}
        highs = {k: [(b.time * _HOUR_US + half, b.high) for b in h] for k, h in hours.items()}
    return Course(window=window, begin=begin, end=end, step=step, means=means, highs=highs)


def _usual_gap(series: Series) -> int:
    """Between two samples: who polls more rarely than usual has a line as well, and no dots."""
    gaps = sorted(later - at for (at, _), (later, _) in itertools.pairwise(series))
    return gaps[len(gaps) // 2] if gaps else 0


def begin_of(window: Window, now: datetime) -> int:
    """When a window that ends now begins, microseconds since 1970."""
    return to_us(now) - _LENGTH[window] * _DAY_US


def _noon(ordinal: int) -> int:
    return to_us(datetime.combine(date.fromordinal(ordinal), time(12), OSLO))
