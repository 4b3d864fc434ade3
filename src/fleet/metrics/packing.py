"""Series of numbers in few octets: what is alike lies beside each other, then zlib.

Octets of equal weight lie together, series by series: most of them are zero. Counters are kept
as steps already; of gauges the changes are packed.
"""

import struct
import zlib
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from fleet.core.metric.kinds import MISSING
from fleet.errors import Unexpected

_LEVEL = 6
_HEAD = struct.Struct(
    "<IIIIIBB"
)  # layout, times, values a series, counters, gauges, octets of each


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """Series that have the same times.

    Args:
        times: whole numbers of 32 bits.
        spans: how long each time stands for, 32 bits.
        counters: a series each: one value for each time, or several numbers of one after another.
        gauges: as many values each.
    """

    layout: int
    times: Sequence[int]
    spans: Sequence[int]
    counters: Sequence[Sequence[int]]
    gauges: Sequence[Sequence[int]]


def pack(segments: Iterable[Segment]) -> bytes:
    """Segments as octets; `unpack` gives them back."""
    parts = []
    for one in segments:
        steps, changes = array("q"), array("q")
        for series in one.counters:
            steps.extend(series)
        for series in one.gauges:
            changes.extend(_changes(series))
        counters, octets = _shuffled(steps)
        gauges, wide = _shuffled(changes)
        each = len((*one.counters, *one.gauges)[0]) if one.counters or one.gauges else 0
        head = (one.layout, len(one.times), each, len(one.counters), len(one.gauges), octets, wide)
        times, spans = array("I", one.times).tobytes(), array("I", one.spans).tobytes()
        parts += [_HEAD.pack(*head), times, spans, counters, gauges]
    return zlib.compress(b"".join(parts), _LEVEL)


@dataclass(frozen=True, slots=True)
class Block:
    """Numbers with the octets of equal weight together."""

    data: bytes
    begin: int
    count: int
    octets: int

    def part(self, begin: int, end: int) -> "array[int]":
        """Some of them."""
        spread = bytearray(8 * (end - begin))
        for weight in range(self.octets):
            at = self.begin + weight * self.count
            spread[weight::8] = self.data[at + begin : at + end]
        found = array("q")
        found.frombytes(spread)
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Packed:
    """A segment whose series are unpacked when they are asked for."""

    layout: int
    times: "array[int]"
    spans: "array[int]"
    each: int
    counters: int
    gauges: int
    steps: Block
    changes: Block

    def all_counters(self) -> "array[int]":
        """The values of all counters, series by series."""
        return self.steps.part(0, self.steps.count)

    def series(self, place: int) -> Sequence[int]:
        """The values of a series; MISSING where there is none."""
        if place < self.counters:
            return self.steps.part(place * self.each, (place + 1) * self.each)
        place -= self.counters
        return _unchanged(self.changes.part(place * self.each, (place + 1) * self.each))


def unpack(data: bytes) -> list[Packed]:
    """The segments that were packed.

    Raises:
        Unexpected: the row is damaged.
    """
    try:
        return _segments(zlib.decompress(data))
    except (zlib.error, struct.error, ValueError) as error:
        raise Unexpected(f"a row of measurements is damaged: {error}") from error


def _segments(plain: bytes) -> list[Packed]:
    found, at = [], 0
    while at < len(plain):
        layout, count, each, counters, gauges, octets, wide = _HEAD.unpack_from(plain, at)
        at += _HEAD.size
        times, spans = array("I"), array("I")
        times.frombytes(plain[at : at + 4 * count])
        spans.frombytes(plain[at + 4 * count : at + 8 * count])
        at += 8 * count
        steps = Block(plain, at, counters * each, octets)
        at += counters * each * octets
        changes = Block(plain, at, gauges * each, wide)
        at += gauges * each * wide
        found.append(
            Packed(
                layout=layout,
                times=times,
                spans=spans,
                each=each,
                counters=counters,
                gauges=gauges,
                steps=steps,
                changes=changes,
            )
        )
    return found


def _shuffled(values: "array[int]") -> tuple[bytes, int]:
    """The octets by weight, and how many of the eight there are; MISSING needs all."""
    if not values:
        return b"", 0
    octets = 8 if min(values) < 0 else (max(values).bit_length() + 7) // 8
    plain = values.tobytes()
    return b"".join(plain[weight::8] for weight in range(octets)), octets


def _changes(series: Sequence[int]) -> Iterable[int]:
    """From one known value to the next, small whichever way it goes."""
    last = 0
    for value in series:
        if value == MISSING:
            yield MISSING
        else:
            change = value - last
            yield change * 2 if change >= 0 else -change * 2 - 1
            last = value


def _unchanged(changes: Iterable[int]) -> list[int]:
    found, last = [], 0
    for change in changes:
        if change == MISSING:
            found.append(MISSING)
        else:
            last += change // 2 if change % 2 == 0 else -(change + 1) // 2
            found.append(last)
    return found


SampleRow = tuple[int, int, int, bytes]
"""When (microseconds since 1970), span (1/100 s), layout, values of eight octets each."""


def segments_of(
    rows: Iterable[SampleRow], start_us: int, counters_of: Callable[[int], int]
) -> list[Segment]:
    """The samples of an hour, in the order of time, as series.

    Args:
        start_us: when the hour begins; times are milliseconds since then.
        counters_of: how many counters a layout has.
    """
    by_layout: dict[int, list[SampleRow]] = {}
    for row in rows:
        by_layout.setdefault(row[2], []).append(row)
    found = []
    for layout, own in by_layout.items():
        counters = counters_of(layout)
        flat = array("q")
        for row in own:
            flat.frombytes(row[3])
        width = len(flat) // len(own)
        series = [flat[place::width] for place in range(width)]
        found.append(
            Segment(
                layout=layout,
                times=[(row[0] - start_us) // 1000 for row in own],
                spans=[min(row[1], 2**32 - 1) for row in own],
                counters=series[:counters],
                gauges=series[counters:],
            )
        )
    return found


def rows_of(packed: Iterable[Packed], start_us: int) -> list[SampleRow]:
    """The rows that `segments_of` took, with their times to the millisecond."""
    found = []
    for one in packed:
        series = [one.series(place) for place in range(one.counters + one.gauges)]
        for place, (time, span) in enumerate(zip(one.times, one.spans, strict=True)):
            values = array("q", [values[place] for values in series])
            found.append((start_us + time * 1000, span, one.layout, values.tobytes()))
    return found
