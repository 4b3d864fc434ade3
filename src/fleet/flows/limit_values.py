"""How far what is beyond its limits is beyond them."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fleet.core.conditions import Condition
from fleet.core.limits import limit_of, series_of, value_of
from fleet.core.moment import to_us
from fleet.flows.poll_plan import of_now

if TYPE_CHECKING:
    from fleet.metrics.reader import MetricReader


def values_now(
    metrics: "MetricReader", conditions: Iterable[Condition], now: datetime, interval: timedelta
) -> dict[Condition, float]:
    """The newest value of each, in per cent or °C, where one is known.

    Args:
        conditions: of limits; others are left out.
        interval: of polls.
    """
    found = {}
    for one in conditions:
        limit, number = limit_of(one.subject), metrics.number(one.device)
        if limit is None or number is None:
            continue
        keys = series_of(*limit)
        begin, end = to_us(now - of_now(interval)), to_us(now) + 1
        newest = [s[-1][1] for s in metrics.samples(number, keys, begin, end).values() if s]
        if len(newest) == len(keys):
            found[one] = value_of(newest)
    return found
