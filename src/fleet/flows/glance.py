"""What was measured in the last day, for a look at one device or site."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fleet.core.course import Series, Window, even
from fleet.core.inventory import Inventory
from fleet.core.metric.kinds import (
    FAULTS,
    IN_TRAFFIC,
    METRICS,
    OUT_TRAFFIC,
    TRAFFIC,
    Key,
)
from fleet.core.moment import from_us, text_of, to_us
from fleet.core.ports import port_key
from fleet.core.record import Record
from fleet.flows.course import course

if TYPE_CHECKING:
    from fleet.metrics.reader import MetricReader

_HOURS = 24
_BUSIEST = 3  # ports that are shown beside those that have a link


def device_glance(
    metrics: "MetricReader", inventory: Inventory, device: str, now: datetime
) -> list[Record]:
    """Gauges of a device, and the traffic of its linked and its busiest ports.

    Each: `metric`, `part`, `unit`, `at` and `last` (the newest value), `mean`, `high`, and `hours`,
    the means of 24 hours, null where nothing is known.
    """
    number = metrics.number(device)
    if number is None:
        return []
    since = to_us(now - timedelta(hours=_HOURS))
    keys = [key for key in metrics.keys(number, since) if key.metric not in FAULTS]
    day = course(metrics, number, keys, Window.DAY, now)
    linked = {port for name, port in _ends(inventory) if name == device}
    ports = _chosen(day.means, linked)
    chosen = [k for k in keys if k.metric not in TRAFFIC or k.part in ports]
    chosen.sort(key=lambda key: (key.metric not in TRAFFIC, key.part if key.part in ports else ""))
    return [
        _record(key, series, even(series, day.begin, day.end, _HOURS))
        for key in chosen
        if (series := day.means[key])
    ]


def site_glance(
    metrics: "MetricReader", inventory: Inventory, site: str, now: datetime
) -> Record | None:
    """What a site received and sent over its ports to other sites; None: nothing was measured.

    `ports` are these; `in` and `out` the means of 24 hours, bit/s, null where nothing is known.
    """
    ports: list[str] = []
    sums: dict[str, list[float | None]] = {name: [None] * _HOURS for name in TRAFFIC}
    since = to_us(now - timedelta(hours=_HOURS))
    for device, port in sorted(_leading_elsewhere(inventory, site)):
        number = metrics.number(device)
        own = [] if number is None else metrics.keys(number, since)
        keys = [k for k in own if k.metric in TRAFFIC and port_key(k.part) == port]
        if number is None or not keys:
            continue
        day = course(metrics, number, keys, Window.DAY, now)
        ports.append(f"{device} : {keys[0].part}")
        for key in keys:
            hours = even(day.means[key], day.begin, day.end, _HOURS)
            sums[key.metric] = [_sum(a, b) for a, b in zip(sums[key.metric], hours, strict=True)]
    if not ports:
        return None
    return {"ports": ports, "in": _round(sums[IN_TRAFFIC]), "out": _round(sums[OUT_TRAFFIC])}


def _sum(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else one + other


def _round(values: Iterable[float | None]) -> list[int | None]:
    return [None if value is None else round(value) for value in values]


def _ends(inventory: Inventory) -> Iterable[tuple[str, str]]:
    """Devices and ports that links name."""
    for link in inventory.links.values():
        if not link.retired:
            for end in (inventory.end(link.a), inventory.end(link.b)):
                if end.device and end.interface:
                    yield end.device, port_key(end.interface)


def _leading_elsewhere(inventory: Inventory, site: str) -> set[tuple[str, str]]:
    found = set()
    for link in inventory.links.values():
        ends = inventory.end(link.a), inventory.end(link.b)
        if link.retired or ends[0].site == ends[1].site:
            continue
        for end in ends:
            if end.site == site and end.device and end.interface:
                found.add((end.device, port_key(end.interface)))
    return found


def _chosen(means: Mapping[Key, Series], linked: Collection[str]) -> set[str]:
    """Ports that have a link, and the busiest of the others."""
    carried: dict[str, float] = {}
    for key, series in means.items():
        if key.metric in TRAFFIC:
            carried[key.part] = carried.get(key.part, 0.0) + sum(value for _, value in series)
    own = {part for part in carried if port_key(part) in linked}
    others = sorted((p for p in carried if p not in own and carried[p]), key=lambda p: -carried[p])
    return own | set(others[:_BUSIEST])


def _record(key: Key, series: Series, hours: Iterable[float | None]) -> Record:
    metric = METRICS[key.metric]
    values = [value for _, value in series]
    return {
        "metric": key.metric,
        "part": key.part or None,
        "unit": metric.unit,
        "at": text_of(from_us(series[-1][0])),
        "last": _tidy(values[-1]),
        "mean": _tidy(sum(values) / len(values)),
        "high": _tidy(max(values)),
        "hours": [None if value is None else _tidy(value) for value in hours],
    }


def _tidy(value: float) -> float | int:
    return round(value, 1) if abs(value) < 1000 else round(value)
