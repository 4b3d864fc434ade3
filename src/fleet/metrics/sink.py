"""What every store of measurements takes."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from fleet.core.metric.kinds import METRICS, MISSING, Key
from fleet.core.metric.reading import Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A sample of a device, and where that stands."""

    device: str
    sample: Sample
    site: str = ""
    member: str = ""


@dataclass(frozen=True, slots=True)
class Point:
    """One value of one series.

    Args:
        at_us: microseconds since 1970.
        value: in the metric's unit; a rate, where a counter was read.
    """

    device: str
    key: Key
    at_us: int
    value: float


class MetricSink(Protocol):
    """Takes samples; the same ones again change nothing."""

    def write(self, batch: Sequence[Taken]) -> None:
        """Keep samples.

        Raises:
            Rejected: some will never be taken, such as those that are too old; go on without.
            RemoteError: they were not taken, or not all of them: they are to be written again.
        """
        ...


def points_of(taken: Iterable[Taken]) -> Iterator[tuple[Taken, Point]]:
    """What is known of samples, value by value."""
    for one in taken:
        sample = one.sample
        for key, value in zip(sample.layout.keys, sample.values, strict=True):
            if (known := value_of(key, value, sample.span_cs)) is not None:
                yield one, Point(one.device, key, sample.at_us, known)


def value_of(key: Key, value: int, span_cs: int) -> float | None:
    """A value in its metric's unit; None: not known."""
    metric = METRICS[key.metric]
    if value == MISSING or (metric.is_counter and not span_cs):
        return None
    if metric.is_counter:
        return value * metric.factor * 100 / span_cs
    return value / 10.0**metric.digits
