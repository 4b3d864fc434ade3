"""Rolling up: the hours of a day, and the day itself, from its samples."""

import itertools
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import NamedTuple

from fleet.core.metric.kinds import METRICS, MISSING, TRAFFIC
from fleet.core.metric.reading import Layout
from fleet.core.moment import OSLO, to_us
from fleet.metrics.file import HOUR_US
from fleet.metrics.packing import Packed, Segment
from fleet.metrics.rollup import (
    UNKNOWN,
    Rates,
    code_of,
    of_values,
    percentile,
    places,
)

HOURLY = 4
"""Numbers that are kept of an hour: lowest, mean, highest, and the seconds that it missed of those
in which the device was known."""
DAILY = 5
"""Numbers that are kept of a day: as of an hour, but with the 95th percentile of its samples before
the seconds."""
PART = 0.95

_HOUR_CS, _HOUR_S = 360_000, 3_600
_CYCLE_CS = 30_000  # what a value stands for that is the only one of its day


@dataclass(frozen=True, slots=True, kw_only=True)
class Kinds:
    """What a layout's series are.

    Args:
        factors: of the counters, in their order.
        is_traffic: which of them have a percentile.
        gauges: how many there are.
    """

    factors: tuple[int, ...]
    is_traffic: tuple[bool, ...]
    gauges: int


Parts = Sequence[tuple[int, Packed]]
"""Samples of one layout, by the hour's number."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Folded:
    """A day, by its hours and as one."""

    hours: list[Segment]
    day: list[Segment]


def hours_of_day(day: date) -> range:
    """The numbers of the hours of a local day: 23, 24 or 25."""
    begin, end = (
        to_us(datetime.combine(d, time(), OSLO)) // HOUR_US for d in (day, day + timedelta(days=1))
    )
    return range(begin, end)


def fold_day(
    hours: Mapping[int, Sequence[Packed]], day: date, kinds: Callable[[int], Kinds]
) -> Folded:
    """Roll up the samples of a day.

    Args:
        hours: samples by the hour's number; an hour may have several layouts.
        kinds: what the series of a layout are.
    """
    by_layout: dict[int, list[tuple[int, Packed]]] = {}
    for hour, segments in sorted(hours.items()):
        for segment in segments:
            by_layout.setdefault(segment.layout, []).append((hour, segment))
    hourly, daily = [], []
    every = hours_of_day(day)
    for layout, parts in by_layout.items():
        times = _Times(parts, every)
        known = [times.known_s(hour) for hour in times.hours]
        columns = [*_counters(parts, kinds(layout), times), *_gauges(parts, kinds(layout), times)]
        counters = len(kinds(layout).factors)
        each = [_by_number(by_hour) for by_hour, _ in columns]
        whole = [of_day for _, of_day in columns]
        hourly.append(
            Segment(
                layout=layout,
                times=[hour for hour, _ in parts],
                spans=known,
                counters=each[:counters],
                gauges=each[counters:],
            )
        )
        daily.append(
            Segment(
                layout=layout,
                times=[day.toordinal()],
                spans=[times.known_s(times.day)],
                counters=whole[:counters],
                gauges=whole[counters:],
            )
        )
    return Folded(hours=hourly, day=daily)


class _Part(NamedTuple):
    """Some samples of a day: an hour's, or all.

    Args:
        seconds: that it lasts.
    """

    begin: int
    end: int
    seconds: int


class _Times:
    """For how long the samples of a day stand.

    A step that was made in more than an hour, as after a long silence, stands for no more than
    there was of the day until then: of the rest nobody knows when it was made.

    Args:
        hours: the numbers of the day's.
    """

    def __init__(self, parts: Parts, hours: range) -> None:
        self.counts = [len(segment.times) for _, segment in parts]
        ends = list(itertools.accumulate(self.counts))
        self.hours = [
            _Part(end - count, end, _HOUR_S) for count, end in zip(self.counts, ends, strict=True)
        ]
        self.day = _Part(0, sum(self.counts), len(hours) * _HOUR_S)
        self.real = [span for _, segment in parts for span in segment.spans]
        begun = [
            (hour - hours.start) * _HOUR_CS + time // 10
            for hour, segment in parts
            for time in segment.times
        ]
        self.spans = self.real
        if max(self.real, default=0) > _HOUR_CS:
            pairs = zip(self.real, begun, strict=True)
            self.spans = [min(span, max(since, _HOUR_CS)) for span, since in pairs]
        steps = [min(b - a, _HOUR_CS) for a, b in itertools.pairwise(begun)]
        first = min(self.real[0], _HOUR_CS) if self.real else 0
        self.gaps = [first or (steps[0] if steps else _CYCLE_CS), *steps]

    def known_s(self, part: _Part, missed_cs: int = 0) -> int:
        """Of how many seconds some samples tell what was counted."""
        known_cs = sum(self.spans[part.begin : part.end]) - missed_cs
        return min(known_cs // 100, part.seconds)

    def missed_s(self, part: _Part, series: Rates) -> int:
        """By how much a counter is known for less than all of them are."""
        missed_cs = series.missed(part.begin, part.end) if series.gaps else 0
        return self.known_s(part) - self.known_s(part, missed_cs) if missed_cs else 0

    def gauge_missed_s(self, part: _Part, values: Sequence[int]) -> int:
        """By how much a gauge is known for less than the counters are; a few seconds are none."""
        pairs = zip(self.gaps[part.begin : part.end], values, strict=True)
        own = sum(gap for gap, value in pairs if value != MISSING) // 100
        known = self.known_s(part)
        missed = known - min(own, part.seconds)
        return missed if abs(missed) > known // 50 else 0


Rolled = tuple[Sequence[tuple[int, ...]], tuple[int, ...]]
"""A series by the hour, and for the day."""


def _counters(parts: Parts, kinds: Kinds, times: _Times) -> Iterator[Rolled]:
    flats = [segment.all_counters() for _, segment in parts]
    weights: dict[int, list[float]] = {}
    idle = ([(0,) * HOURLY] * len(parts), (0,) * DAILY)
    quiet: dict[tuple[int, ...], Rolled] = {}  # what never counted anything, by its gaps
    for place, factor in enumerate(kinds.factors):
        steps = array("q")
        for flat, count in zip(flats, times.counts, strict=True):
            steps.extend(flat[place * count : (place + 1) * count])
        if not any(steps):
            yield idle
            continue
        if factor not in weights:
            weights[factor] = [factor * 100 / span if span else 0.0 for span in times.real]
        gaps = tuple(places(steps, MISSING))
        if max(steps) <= 0 and gaps in quiet:
            yield quiet[gaps]
            continue
        series = Rates(steps, times.spans, weights[factor], gaps)
        rolled = _rolled(series, times, is_traffic=kinds.is_traffic[place])
        if max(steps) <= 0:
            quiet[gaps] = rolled
        yield rolled


def _rolled(series: Rates, times: _Times, *, is_traffic: bool) -> Rolled:
    by_hour = [
        (*series.stats(hour.begin, hour.end), times.missed_s(hour, series)) for hour in times.hours
    ]
    begin, end, _ = times.day
    lowest, mean, highest = series.stats(begin, end)
    busy = highest
    if is_traffic and highest not in (0, UNKNOWN):
        busy = code_of(percentile(series.known(begin, end), PART))
    return by_hour, (lowest, mean, highest, busy, times.missed_s(times.day, series))


def _gauges(parts: Parts, kinds: Kinds, times: _Times) -> Iterator[Rolled]:
    counters = len(kinds.factors)
    for place in range(counters, counters + kinds.gauges):
        series = [segment.series(place) for _, segment in parts]
        by_hour = [
            (*of_values(values), times.gauge_missed_s(hour, values))
            for hour, values in zip(times.hours, series, strict=True)
        ]
        whole = [value for one in series for value in one]
        lowest, mean, highest = of_values(whole)
        yield by_hour, (lowest, mean, highest, highest, times.gauge_missed_s(times.day, whole))


def _by_number(stats: Iterable[tuple[int, ...]]) -> list[int]:
    """All lowest values, then all means and so on: what is alike lies together."""
    return [number for numbers in zip(*stats, strict=True) for number in numbers]


def fold_month(month: Sequence[Packed], day: Sequence[Segment], ordinal: int) -> list[Segment]:
    """A month with one more day, in no order; a day that it has already is replaced."""
    found = []
    new = {segment.layout: segment for segment in day}
    for old in month:
        added = new.pop(old.layout, None)
        if added and (len(added.counters), len(added.gauges)) != (old.counters, old.gauges):
            added = None  # its layout is damaged
        kept = [place for place, time in enumerate(old.times) if time != ordinal]
        times, spans = [old.times[k] for k in kept], [old.spans[k] for k in kept]
        if added is not None:
            times.append(ordinal)
            spans += added.spans
        if times:
            series = _with_day(old, added, None if len(kept) == len(old.times) else kept)
            found.append(
                Segment(
                    layout=old.layout,
                    times=times,
                    spans=spans,
                    counters=series[: old.counters],
                    gauges=series[old.counters :],
                )
            )
    return found + list(new.values())


def _with_day(
    old: Packed, added: Segment | None, kept: Sequence[int] | None
) -> list[Sequence[int]]:
    """The series of a month, each with the numbers of one more day.

    Args:
        kept: places of days; None: all.
    """
    count = len(old.times)
    own = [*added.counters, *added.gauges] if added else None
    found: list[Sequence[int]] = []
    for place in range(old.counters + old.gauges):
        values = old.series(place)
        row = array("q")
        for number in range(DAILY):
            days = values[number * count : (number + 1) * count]
            row.extend(days if kept is None else [days[k] for k in kept])
            if own is not None:
                row.append(own[place][number])
        found.append(row)
    return found


def kinds_of(layout: Layout) -> Kinds:
    """What the series of a layout are."""
    return Kinds(
        factors=tuple(METRICS[key.metric].factor for key in layout.counters),
        is_traffic=tuple(key.metric in TRAFFIC for key in layout.counters),
        gauges=len(layout.gauges),
    )
