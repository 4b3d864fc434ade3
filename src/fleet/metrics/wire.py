"""Measurements as other stores take them: Prometheus text lines, and remote write requests."""

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from struct import pack
from typing import TypeVar

from fleet.core.metric.kinds import METRICS
from fleet.metrics.sink import Point, Taken, points_of

_UNITS = {
    "bit/s": "bits_per_second",
    "/s": "per_second",
    "B": "bytes",
    "%": "percent",
    "min": "minutes",
    "W": "watts",
    "°C": "celsius",
}
_ESCAPES = str.maketrans({"\\": r"\\", '"': r"\"", "\n": r"\n"})
_Name = TypeVar("_Name")


def name_of(metric: str) -> str:
    """What a kind of measurement is called elsewhere, with its unit, as Prometheus has it."""
    unit = _UNITS.get(METRICS[metric].unit)
    return f"fleet_{metric}_{unit}" if unit else f"fleet_{metric}"


def labels_of(taken: Taken, point: Point) -> list[tuple[str, str]]:
    """What tells a series from others, in the order of the labels' names."""
    labels = (
        ("device", taken.device),
        ("member", taken.member),
        ("part", point.key.part),
        ("site", taken.site),
    )
    return [(name, value) for name, value in labels if value]


def text_lines(batch: Iterable[Taken]) -> Iterator[str]:
    """Values in the text form of Prometheus, with their instants in milliseconds."""
    name = _remembered(_series_text)
    for taken, point in points_of(batch):
        yield f"{name(taken, point)} {point.value:.10g} {point.at_us // 1000}"


def write_request(batch: Iterable[Taken]) -> bytes:
    """A `prometheus.WriteRequest`, of remote write 1.0, as Protocol Buffers; not compressed."""
    head = _remembered(_series_labels)
    points = [(head(taken, point), point) for taken, point in points_of(batch)]
    points.sort(key=lambda one: (one[0], one[1].at_us))
    parts = []
    for labels, own in groupby(points, key=lambda one: one[0]):
        samples = (
            b"\x09" + pack("<d", p.value) + b"\x10" + _varint(p.at_us // 1000) for _, p in own
        )
        parts.append(_field(1, labels + b"".join(_field(2, sample) for sample in samples)))
    return b"".join(parts)


def _series_text(taken: Taken, point: Point) -> str:
    labels = (f'{name}="{text.translate(_ESCAPES)}"' for name, text in labels_of(taken, point))
    return f"{name_of(point.key.metric)}{{{','.join(labels)}}}"


def _series_labels(taken: Taken, point: Point) -> bytes:
    labels = [("__name__", name_of(point.key.metric)), *labels_of(taken, point)]
    return b"".join(
        _field(1, _field(1, name.encode()) + _field(2, value.encode())) for name, value in labels
    )


def _remembered(write: Callable[[Taken, Point], _Name]) -> Callable[[Taken, Point], _Name]:
    """What `write` says of a series, written once."""
    known: dict[tuple[object, ...], _Name] = {}

    def remembered(taken: Taken, point: Point) -> _Name:
        series = (taken.device, taken.site, taken.member, point.key)
        if series not in known:
            known[series] = write(taken, point)
        return known[series]

    return remembered


def _field(number: int, octets: bytes) -> bytes:
    return bytes((number << 3 | 2,)) + _varint(len(octets)) + octets


def _varint(number: int) -> bytes:
    found = bytearray()
    while number > 0x7F:
        found.append(number & 0x7F | 0x80)
        number >>= 7
    found.append(number)
    return bytes(found)
