"""How a series was over many days, without a look at each: lowest, mean, highest, and how busy."""

from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from operator import mul

from fleet.core.metric.kinds import METRICS, MISSING, Key, Metric
from fleet.core.metric.reading import Layout
from fleet.metrics.packing import Packed
from fleet.metrics.rollup import UNKNOWN, rate_of

_RATES = array("d", [rate_of(code) or 0.0 for code in range(UNKNOWN)])


@dataclass(slots=True, kw_only=True)
class Extent:
    """A series over some days.

    Args:
        known_on: the days of which something is known, by their ordinals.
        known_s: of how many seconds.
        mean: over that time; in the metric's unit, as are the others.
        busy: the highest day's 95th percentile of a rate; of a gauge its highest value.
    """

    known_on: frozenset[int]
    known_s: int
    low: float
    mean: float
    high: float
    busy: float

    @property
    def first(self) -> int:
        return min(self.known_on)

    @property
    def days(self) -> int:
        return len(self.known_on)


def extents(
    months: Iterable[tuple[Layout, Packed]],
    first: int,
    last: int,
    is_wanted: Callable[[Key], bool],
) -> dict[Key, Extent]:
    """Of some series.

    Args:
        months: their days.
        first: ordinals of days, both included.
    """
    found: dict[Key, Extent] = {}
    for layout, packed in months:
        days = [at for at, day in enumerate(packed.times) if first <= day <= last]
        on = frozenset(packed.times[at] for at in days)
        seconds = sum(packed.spans[at] for at in days)
        for place, key in enumerate(layout.keys) if days else ():
            if is_wanted(key):
                own = _extent(METRICS[key.metric], packed, place, days, (on, seconds))
                if own is not None:
                    found[key] = _both(found[key], own) if key in found else own
    return found


def _extent(
    metric: Metric,
    packed: Packed,
    place: int,
    days: Sequence[int],
    whole: tuple[frozenset[int], int],
) -> Extent | None:
    """Of one series in one month; None: nothing of it is known.

    Args:
        days: their places in the month; `whole`: the days, and the seconds in which the device was
            known on them.
    """
    values, count = packed.series(place), len(packed.times)
    numbers = [0.0, 0.0, 0.0, 0.0]
    nobody = UNKNOWN if metric.is_counter else MISSING
    on, seconds = whole
    if any(values) or not metric.is_counter:  # most ports have no errors, many carry nothing
        known = [at for at in days if values[at] != nobody]
        if not known:
            return None
        if len(known) < len(days):
            on = frozenset(packed.times[at] for at in known)
        lows, means, highs = ([values[n * count + at] for at in known] for n in range(3))
        busy = max(values[3 * count + at] for at in known) if metric.is_counter else max(highs)
        of = _RATES.__getitem__ if metric.is_counter else (10.0**-metric.digits).__mul__
        spans = [packed.spans[at] - values[4 * count + at] for at in known]
        seconds = sum(spans)
        mean = sum(map(mul, map(of, means), spans)) / (seconds or 1)
        numbers = [of(min(lows)), mean, of(max(highs)), of(busy)]
    low, mean, high, busy_ = numbers
    return Extent(
        known_on=on,
        known_s=seconds,
        low=low,
        mean=mean,
        high=high,
        busy=busy_,
    )


def _both(one: Extent, other: Extent) -> Extent:
    seconds = one.known_s + other.known_s
    return Extent(
        known_on=one.known_on | other.known_on,
        known_s=seconds,
        low=min(one.low, other.low),
        mean=(one.mean * one.known_s + other.mean * other.known_s) / (seconds or 1),
        high=max(one.high, other.high),
        busy=max(one.busy, other.busy),
    )
