"""Reading measurements: as they were, by the hour, by the day."""

import sqlite3
from array import array
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from operator import itemgetter
from pathlib import Path
from typing import Any

from fleet.core.metric.kinds import METRICS, MISSING, Key
from fleet.core.metric.reading import Layout, Sample
from fleet.core.moment import from_us, local
from fleet.errors import Unexpected
from fleet.metrics.file import (
    DEVICE_BITS,
    HOUR_US,
    hour_of,
    layout_from,
    month_of,
    open_for_reading,
    row_id,
    translated,
)
from fleet.metrics.fold import DAILY, HOURLY, Folded, fold_day, hours_of_day, kinds_of
from fleet.metrics.packing import Packed, pack, rows_of, segments_of, unpack
from fleet.metrics.rollup import rate_of
from fleet.metrics.sink import Taken, value_of

_PORTION = 200  # samples of devices: with 300 values each, a request or two

_AT = itemgetter(1)

Series = list[tuple[int, float]]
"""Instants (microseconds since 1970) and values in the metric's unit."""


@dataclass(frozen=True, slots=True)
class Bucket:
    """An hour or a day of a series.

    Args:
        time: the number of the hour since 1970, or the day's ordinal.
        known_s: of how many seconds something is known.
        busy: the 95th percentile of the samples, of a day; the highest of a gauge.
    """

    time: int
    known_s: int
    low: float
    mean: float
    high: float
    busy: float


class MetricReader:
    """The file of measurements, open for reading.

    Raises:
        Unreachable: of all methods: the file cannot be read.
    """

    def __init__(
        self, connection: sqlite3.Connection, path: Path, told: Callable[[str], None]
    ) -> None:
        self._file = connection
        self._path = path
        self._told = told
        self._is_damaged = False
        self._layouts: dict[int, Layout] = {}

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "MetricReader":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def devices(self) -> dict[str, int]:
        """The devices that were measured, with their numbers here."""
        return dict(self._all("SELECT name, id FROM device"))

    def newest_us(self) -> int | None:
        """When something was measured last."""
        found: int | None = self._all("SELECT max(at_us) FROM device")[0][0]
        return found or None

    def size(self) -> int:
        """Octets on the disk, with what is not yet in the file itself."""
        files = (self._path, self._path.with_name(f"{self._path.name}-wal"))
        return sum(file.stat().st_size for file in files if file.exists())

    def sent(self) -> dict[str, int]:
        """Until when other stores were told, by name; microseconds since 1970."""
        return dict(self._all("SELECT sink, at_us FROM sent"))

    def number(self, device: str) -> int | None:
        """The number of one device; None: it was never measured."""
        rows = self._all("SELECT id FROM device WHERE name=?", device)
        return rows[0][0] if rows else None

    def keys(self, number: int, start_us: int) -> tuple[Key, ...]:
        """The series that a device has now, then those that it had after an instant."""
        rows = self._all(
            "SELECT layout, ? AS at FROM device WHERE id=? UNION ALL "
            "SELECT layout, hour FROM had WHERE device=? AND hour >= ? UNION ALL "
            "SELECT layout, at_us / ? FROM sample WHERE device=? AND at_us >= ? ORDER BY at DESC",
            *(2**62, number, number, hour_of(start_us), HOUR_US, number, start_us),
        )
        layouts = dict.fromkeys(layout for layout, _ in rows if layout)
        return tuple(dict.fromkeys(key for one in layouts for key in self._layout(one).keys))

    def samples(
        self, number: int, keys: Collection[Key], start_us: int, end_us: int
    ) -> dict[Key, Series]:
        """The values of some series as they were measured; until, but without `end_us`."""
        found: dict[Key, Series] = {key: [] for key in keys}
        for hour in range(hour_of(start_us), hour_of(end_us - 1) + 1):
            for packed in self._hour(number, hour):
                times = [hour * HOUR_US + 1000 * time for time in packed.times]
                for key, place in self._places(packed.layout, found):
                    for at, span, value in zip(
                        times, packed.spans, packed.series(place), strict=True
                    ):
                        known = value_of(key, value, span)
                        if start_us <= at < end_us and known is not None:
                            found[key].append((at, known))
        return {key: sorted(series) for key, series in found.items()}

    def hours(
        self, number: int, keys: Collection[Key], start_us: int, end_us: int
    ) -> dict[Key, list[Bucket]]:
        """Some series by the hour."""
        found: dict[Key, list[Bucket]] = {key: [] for key in keys}
        first, last = hour_of(start_us), hour_of(end_us - 1)
        days = (local(from_us(hour * HOUR_US)).date().toordinal() for hour in (first, last))
        for ordinal in range(next(days), next(days) + 1):
            for packed in self._hours_of(number, date.fromordinal(ordinal)):
                self._add(found, packed, HOURLY)
        return {
            key: _in_order(b for b in own if first <= b.time <= last) for key, own in found.items()
        }

    def days(
        self, number: int, keys: Collection[Key] | None, first: date, last: date
    ) -> dict[Key, list[Bucket]]:
        """Some series by the local day, or all; without days that are not over.

        Args:
            last: included.
        """
        found: dict[Key, list[Bucket]] = {key: [] for key in keys or ()}
        for layout, packed in self.months(number, first, last):
            if keys is None:
                found |= {key: [] for key in layout.keys if key not in found}
            self._add(found, packed, DAILY)
        begin, end = first.toordinal(), last.toordinal()
        return {
            key: _in_order(b for b in own if begin <= b.time <= end) for key, own in found.items()
        }

    def months(self, number: int, first: date, last: date) -> Iterator[tuple[Layout, Packed]]:
        """The days of a device, month by month, as they are kept."""
        for month in range(month_of(first), month_of(last) + 1):
            rows = self._all("SELECT data FROM month WHERE id=?", row_id(month, number))
            for packed in self._sound(rows[0][0]) if rows else ():
                yield self._layout(packed.layout), packed
        for day in self._waiting(number, first, last):
            for packed in unpack(pack(self._fold(number, day).day)):
                yield self._layout(packed.layout), packed

    def _waiting(self, number: int, first: date, last: date) -> Iterator[date]:
        """The days of a device that are over and not rolled up yet."""
        rows = self._all("SELECT day FROM device WHERE id=?", number)
        begin = max(first.toordinal(), rows[0][0] + 1) if rows else self._today
        for ordinal in range(begin, min(last.toordinal() + 1, self._today)):
            yield date.fromordinal(ordinal)

    @cached_property
    def _today(self) -> int:
        """The day that is not over, by its ordinal; 0: nothing was read yet."""
        newest = self.newest_us()
        return local(from_us(newest)).date().toordinal() if newest else 0

    def oldest_sample_us(self) -> int | None:
        """From which hour on samples are kept as they were; None: nothing is packed yet."""
        found = self._all("SELECT min(id) FROM hour")[0][0]
        return None if found is None else (found >> DEVICE_BITS) * HOUR_US

    def since(self, after_us: int) -> Iterator[tuple[list[Taken], int]]:
        """All samples after an instant, in portions, each with the instant until which it goes."""
        names = {number: name for name, number in self.devices().items()}
        for hour in self._hours_after(after_us):
            start = hour * HOUR_US
            rows = self._all(
                "SELECT sample.device, sample.at_us, span_cs, sample.layout, data "
                "FROM device CROSS JOIN sample ON sample.device = device.id "
                "AND sample.at_us > ? AND sample.at_us < ?",
                max(start - 1, after_us),
                start + HOUR_US,
            )
            packed = self._all(
                "SELECT id, data FROM hour WHERE id >= ? AND id < ?",
                row_id(hour, 0),
                row_id(hour + 1, 0),
            )
            for key, data in packed:
                sound = self._sound(data)
                rows += [(key - row_id(hour, 0), *row) for row in rows_of(sound, start)]
            rows = sorted((row for row in rows if row[1] > after_us), key=_AT)
            begin = 0
            while begin < len(rows):
                last = rows[min(begin + _PORTION, len(rows)) - 1]
                end = bisect_right(rows, last[1], key=_AT)
                yield (
                    [
                        Taken(device=names[number], sample=self._sample(at, span, layout, data))
                        for number, at, span, layout, data in rows[begin:end]
                    ],
                    last[1],
                )
                begin = end

    def _hours_after(self, after_us: int) -> list[int]:
        """The hours of which there are samples, from that of an instant on."""
        fresh = self._all(
            "SELECT DISTINCT sample.at_us / ? FROM device CROSS JOIN sample "
            "ON sample.device = device.id AND sample.at_us > ?",
            HOUR_US,
            after_us,
        )
        hours = {hour for (hour,) in fresh}
        hour = hour_of(after_us)
        while True:  # from one hour to the next: each has thousands of rows
            row = self._all("SELECT min(id) FROM hour WHERE id >= ?", row_id(hour, 0))[0]
            if row[0] is None:
                return sorted(hours)
            hours.add(row[0] >> DEVICE_BITS)
            hour = (row[0] >> DEVICE_BITS) + 1

    def _hours_of(self, number: int, day: date) -> list[Packed]:
        rows = self._all("SELECT data FROM day WHERE id=?", row_id(day.toordinal(), number))
        if rows and (kept := self._sound(rows[0][0])):
            return kept
        return unpack(pack(self._fold(number, day).hours))

    def _fold(self, number: int, day: date) -> Folded:
        hours = {hour: self._hour(number, hour) for hour in hours_of_day(day)}
        return fold_day(
            {hour: packed for hour, packed in hours.items() if packed},
            day,
            lambda layout: kinds_of(self._layout(layout)),
        )

    def _hour(self, number: int, hour: int) -> list[Packed]:
        """The samples of an hour: those that are packed, and those that are not yet."""
        packed = self._all("SELECT data FROM hour WHERE id=?", row_id(hour, number))
        found = self._sound(packed[0][0]) if packed else []
        start = hour * HOUR_US
        rows = self._all(
            "SELECT at_us, span_cs, layout, data FROM sample "
            "WHERE device=? AND at_us >= ? AND at_us < ? ORDER BY at_us",
            number,
            start,
            start + HOUR_US,
        )
        if rows:
            segments = segments_of(rows, start, lambda n: len(self._layout(n).counters))
            found += unpack(pack(segments))
        return found

    def _add(self, found: Mapping[Key, list[Bucket]], packed: Packed, each: int) -> None:
        times, known = packed.times, packed.spans
        count = len(times)
        for key, place in self._places(packed.layout, found):
            values = packed.series(place)
            for at in range(count):
                *these, missed = (values[n * count + at] for n in range(each))
                numbers = [number for one in these if (number := _value(key, one)) is not None]
                if len(numbers) == len(these):
                    low, mean, high, *busy = numbers
                    seconds = known[at] - missed
                    bucket = Bucket(times[at], seconds, low, mean, high, (*busy, high)[0])
                    found[key].append(bucket)

    def _places(self, layout: int, keys: Iterable[Key]) -> list[tuple[Key, int]]:
        places = {key: place for place, key in enumerate(self._layout(layout).keys)}
        return [(key, places[key]) for key in keys if key in places]

    def _layout(self, number: int) -> Layout:
        if number not in self._layouts:
            rows = self._all("SELECT body FROM layout WHERE id=?", number)
            self._layouts[number] = layout_from(rows[0][0]) if rows else Layout()
        return self._layouts[number]

    def _sample(self, at_us: int, span_cs: int, layout: int, data: bytes) -> Sample:
        values = array("q")
        values.frombytes(data)
        return Sample(
            at_us=at_us, span_cs=span_cs, layout=self._layout(layout), values=list(values)
        )

    def _sound(self, data: bytes) -> list[Packed]:
        """A packed row; one that is damaged takes no other with it."""
        try:
            return unpack(data)
        except Unexpected as error:
            if not self._is_damaged:
                self._is_damaged = True
                self._told(f"{self._path.name}: {error.message}; what it held is left out")
            return []

    def _all(self, statement: str, *values: object) -> list[Any]:
        with translated(self._path):
            return self._file.execute(statement, values).fetchall()


def _in_order(buckets: Iterable[Bucket]) -> list[Bucket]:
    """By time; of a time in which the device had one layout after another there are several."""
    found: dict[int, Bucket] = {}
    for one in buckets:
        found[one.time] = _both(found[one.time], one) if one.time in found else one
    return [found[time] for time in sorted(found)]


def _both(one: Bucket, other: Bucket) -> Bucket:
    seconds = one.known_s + other.known_s
    return Bucket(
        time=one.time,
        known_s=seconds,
        low=min(one.low, other.low),
        mean=(one.mean * one.known_s + other.mean * other.known_s) / (seconds or 1),
        high=max(one.high, other.high),
        busy=max(one.busy, other.busy),
    )


def _value(key: Key, number: int) -> float | None:
    metric = METRICS[key.metric]
    if metric.is_counter:
        return rate_of(number)
    return None if number == MISSING else number / 10.0**metric.digits


def open_metrics(path: Path, told: Callable[[str], None] = lambda _: None) -> MetricReader | None:
    """The file of measurements; None: nothing was measured yet.

    Args:
        told: hears once, if some of it is damaged.
    """
    connection = open_for_reading(path)
    return None if connection is None else MetricReader(connection, path, told)
