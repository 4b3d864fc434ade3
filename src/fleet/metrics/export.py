"""Measurements as a file for other programs: CSV, or Parquet."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from fleet.core.harmless import harmless
from fleet.core.metric.kinds import METRICS, Key
from fleet.core.moment import OSLO, from_us, local, text_of, to_us
from fleet.errors import Missing
from fleet.metrics.file import HOUR_US
from fleet.metrics.reader import Bucket, MetricReader

FIELDS = ("at", "device", "site", "member", "metric", "part", "unit", "value", "low", "high")
SUFFIXES = (".csv", ".parquet")

Row = tuple[int, str, str, str, str, str, str, float, float, float]
"""FIELDS; `at` is microseconds since 1970, `value` the mean of an hour or a day.

A day is written as its date, and not as the instant at which it begins.
"""


def rows_of(
    metrics: MetricReader,
    devices: Mapping[str, tuple[str, str]],
    span: tuple[int, int],
    step: str,
) -> Iterator[list[Row]]:
    """Device by device, what was measured.

    Args:
        devices: site and member, by name.
        span: half-open, microseconds since 1970.
        step: "sample", "hour" or "day"; an hour and a day stand at their beginning.
    """
    numbers = metrics.devices()
    for name, (site, member) in sorted(devices.items()):
        if name not in numbers:
            continue
        number = numbers[name]
        rows: list[Row] = []
        for key, points in sorted(_points(metrics, number, span, step).items()):
            unit = METRICS[key.metric].unit
            for at, mean, low, high in points:
                if span[0] <= at < span[1]:
                    rows.append(
                        (at, name, site, member, key.metric, key.part, unit, mean, low, high)
                    )
        if rows:
            yield rows


_Point = tuple[int, float, float, float]


def _points(
    metrics: MetricReader, number: int, span: tuple[int, int], step: str
) -> dict[Key, list[_Point]]:
    if step == "day":
        first, last = (local(from_us(us)).date() for us in (span[0], span[1] - 1))
        days = metrics.days(number, None, first, last)
        return {k: [_point(_midnight(b.time), b) for b in own] for k, own in days.items()}
    keys = metrics.keys(number, span[0])
    if step == "hour":
        hours = metrics.hours(number, keys, *span)
        return {k: [_point(b.time * HOUR_US, b) for b in own] for k, own in hours.items()}
    samples = metrics.samples(number, keys, *span)
    return {k: [(at, v, v, v) for at, v in own] for k, own in samples.items()}


def _point(at: int, bucket: Bucket) -> _Point:
    return at, bucket.mean, bucket.low, bucket.high


def _midnight(ordinal: int) -> int:
    return to_us(datetime.combine(date.fromordinal(ordinal), time(), OSLO))


def write_rows(path: Path, batches: Iterable[Sequence[Row]], step: str) -> int:
    """Write rows to a file that is there as a whole, or not at all; how many there were.

    Raises:
        Missing: Parquet without the package that makes it.
        OSError: it cannot be written.
    """
    count = 0
    with _whole(path) as draft:
        if path.suffix == ".csv":
            with draft.open("w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file, lineterminator="\n")
                writer.writerow(FIELDS)
                for batch in batches:
                    count += len(batch)
                    writer.writerows(
                        (
                            text_of(_date_of(row[0]) if step == "day" else from_us(row[0])),
                            *map(harmless, row[1:7]),
                            *map(_short, row[7:]),
                        )
                        for row in batch
                    )
        else:
            count = _write_parquet(draft, batches, step)
    return count


def _date_of(at_us: int) -> date:
    return local(from_us(at_us)).date()


def _short(value: float) -> str:
    return f"{value:.10g}"


def _write_parquet(path: Path, batches: Iterable[Sequence[Row]], step: str) -> int:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        hint = "pip install 'fleet-toolkit[metrics]'"
        raise Missing("Parquet needs the package pyarrow", hint=hint) from error
    text = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    when = pyarrow.date32() if step == "day" else pyarrow.timestamp("us", tz="UTC")
    types: list[Any] = [when, *[text] * 6, *[pyarrow.float64()] * 3]
    schema = pyarrow.schema(list(zip(FIELDS, types, strict=True)))
    count = 0
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for batch in batches:
            count += len(batch)
            times, *rest = zip(*batch, strict=True)
            columns = [[_date_of(at) for at in times] if step == "day" else times, *rest]
            arrays = [
                pyarrow.array(column, kind) for column, kind in zip(columns, types, strict=True)
            ]
            writer.write_table(pyarrow.Table.from_arrays(arrays, schema=schema))
    return count


@contextmanager
def _whole(path: Path) -> Iterator[Path]:
    draft = path.with_name(f".{path.name}.draft")
    try:
        yield draft
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
