"""How a series was over many days, without a look at each: lowest, mean, highest, and how busy."""

from array import array
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from fleet.core.metric.kinds import METRICS, MISSING, Key
from fleet.core.metric.reading import Layout
from fleet.metrics.packing import Packed
from fleet.metrics.rollup import UNKNOWN, rate_of

_RATES = array("d", [rate_of(code) or 0.0 for code in range(UNKNOWN)])


@dataclass(slots=True, kw_only=True)
class Extent:
    """A series over some days.

    Args:
        first: the first day of which something is known, by its ordinal.
        days: of which something is known.
        known_s: in which the device answered.
        mean: over that time; in the metric's unit, as are the others.
        busy: the highest day's 95th percentile of a rate; of a gauge its highest value.
    """

    first: int
    days: int
    known_s: int
    low: float
    mean: float
    high: float
    busy: float


def extents(
    months: Iterable[tuple[Layout, Packed]], first: int, last: int, wanted: Collection[str]
) -> dict[Key, Extent]:
    """Of each series of some kinds.

    Args:
        months: their days.
        first: ordinals of days, both included.
        wanted: names of metrics.
    """
    found: dict[Key, Extent] = {}
    for layout, packed in months:
        days = [at for at, day in enumerate(packed.times) if first <= day <= last]
        for place, key in enumerate(layout.keys):
            if days and key.metric in wanted:
                _add(found, key, packed, place, days)
    return found


def _add(
    found: dict[Key, Extent], key: Key, packed: Packed, place: int, days: Sequence[int]
) -> None:
    count = len(packed.times)
    values = packed.series(place)
    is_rate = METRICS[key.metric].is_counter
    nobody = UNKNOWN if is_rate else MISSING
    known = [at for at in days if values[at] != nobody]
    if not known:
        return
    lows, means, highs = ([values[n * count + at] for at in known] for n in range(3))
    spans = [packed.spans[at] for at in known]
    busy = max(values[3 * count + at] for at in known) if is_rate else max(highs)
    if is_rate:
        of = _RATES.__getitem__
        numbers = [of(min(lows)), *map(of, means), of(max(highs)), of(busy)]
    else:
        unit = 10.0 ** METRICS[key.metric].digits
        numbers = [one / unit for one in (min(lows), *means, max(highs), busy)]
    low, *each, high, top = numbers
    seconds = sum(spans)
    mean = sum(a * b for a, b in zip(each, spans, strict=True)) / (seconds or 1)
    first = packed.times[known[0]]
    own = Extent(
        first=first, days=len(known), known_s=seconds, low=low, mean=mean, high=high, busy=top
    )
    found[key] = _both(found[key], own) if key in found else own


def _both(one: Extent, other: Extent) -> Extent:
    seconds = one.known_s + other.known_s
    return Extent(
        first=min(one.first, other.first),
        days=one.days + other.days,
        known_s=seconds,
        low=min(one.low, other.low),
        mean=(one.mean * one.known_s + other.mean * other.known_s) / (seconds or 1),
        high=max(one.high, other.high),
        busy=max(one.busy, other.busy),
    )
