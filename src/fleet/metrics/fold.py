"""Rolling up: the hours of a day, and the day itself, from its samples."""

import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

from fleet.core.metric.kinds import METRICS, TRAFFIC
from fleet.core.metric.reading import Layout
from fleet.core.moment import OSLO, to_us
from fleet.metrics.file import HOUR_US
from fleet.metrics.packing import Packed, Segment
from fleet.metrics.rollup import (
    NOTHING,
    UNKNOWN,
    Rates,
    Stats,
    code_of,
    of_values,
    percentile,
)

HOURLY = 3
"""Numbers that are kept of an hour: lowest, mean, highest."""
DAILY = 4
"""Numbers that are kept of a day: those, and the 95th percentile of its samples."""
PART = 0.95


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
    for layout, parts in by_layout.items():
        known = [sum(segment.spans) // 100 for _, segment in parts]
        columns = [*_counters(parts, kinds(layout)), *_gauges(parts, kinds(layout))]
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
                spans=[sum(known)],
                counters=whole[:counters],
                gauges=whole[counters:],
            )
        )
    return Folded(hours=hourly, day=daily)


Rolled = tuple[list[Stats], tuple[int, ...]]
"""A series by the hour, and for the day."""


def _counters(parts: Parts, kinds: Kinds) -> Iterator[Rolled]:
    flats = [segment.all_counters() for _, segment in parts]
    counts = [len(segment.times) for _, segment in parts]
    ends = list(itertools.accumulate(counts))
    spans = [span for _, segment in parts for span in segment.spans]
    weights: dict[int, list[float]] = {}
    idle = ([NOTHING] * len(parts), (0,) * DAILY)
    for place, factor in enumerate(kinds.factors):
        steps = [
            step
            for flat, count in zip(flats, counts, strict=True)
            for step in flat[place * count : (place + 1) * count]
        ]
        if not any(steps):
            yield idle
            continue
        if factor not in weights:
            weights[factor] = [factor * 100 / span if span else 0.0 for span in spans]
        series = Rates(steps, spans, weights[factor])
        by_hour = [series.stats(end - count, end) for count, end in zip(counts, ends, strict=True)]
        lowest, mean, highest = series.stats(0, len(steps))
        busy = highest
        if kinds.is_traffic[place] and highest not in (0, UNKNOWN):
            busy = code_of(percentile(series.known(0, len(steps)), PART))
        yield by_hour, (lowest, mean, highest, busy)


def _gauges(parts: Parts, kinds: Kinds) -> Iterator[Rolled]:
    counters = len(kinds.factors)
    for place in range(counters, counters + kinds.gauges):
        series = [segment.series(place) for _, segment in parts]
        lowest, mean, highest = of_values([value for one in series for value in one])
        yield [of_values(one) for one in series], (lowest, mean, highest, highest)


def _by_number(stats: Iterable[Stats]) -> list[int]:
    """All lowest values, then all means, then all highest: what is alike lies together."""
    return [number for numbers in zip(*stats, strict=True) for number in numbers]


def fold_month(month: Sequence[Packed], day: Sequence[Segment], ordinal: int) -> list[Segment]:
    """A month with one more day; a day that it has already is replaced."""
    found = []
    new = {segment.layout: segment for segment in day}
    for old in month:
        keep = [place for place, time in enumerate(old.times) if time != ordinal]
        added = new.pop(old.layout, None)
        if not keep and added is None:
            continue
        count = len(old.times)
        series = []
        for place in range(old.counters + old.gauges):
            values = old.series(place)
            rows = [[values[n * count + k] for k in keep] for n in range(DAILY)]
            if added is not None:
                own = [*added.counters, *added.gauges][place]
                for row, value in zip(rows, own, strict=True):
                    row.append(value)
            series.append([value for row in rows for value in row])
        times = [old.times[k] for k in keep] + ([ordinal] if added else [])
        spans = [old.spans[k] for k in keep] + ([*added.spans] if added else [])
        order = sorted(range(len(times)), key=times.__getitem__)  # a day may come late
        series = [
            [values[n * len(times) + k] for n in range(DAILY) for k in order] for values in series
        ]
        found.append(
            Segment(
                layout=old.layout,
                times=[times[k] for k in order],
                spans=[spans[k] for k in order],
                counters=series[: old.counters],
                gauges=series[old.counters :],
            )
        )
    return found + list(new.values())


def kinds_of(layout: Layout) -> Kinds:
    """What the series of a layout are."""
    return Kinds(
        factors=tuple(METRICS[key.metric].factor for key in layout.counters),
        is_traffic=tuple(key.metric in TRAFFIC for key in layout.counters),
        gauges=len(layout.gauges),
    )
