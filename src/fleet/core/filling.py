"""How what was measured fills up: storage, processors and lines, of one device or of many."""

import itertools
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from fractions import Fraction

from fleet.core.growth import Growth, growth_of


class Resource(StrEnum):
    STORAGE = "storage"
    PROCESSOR = "processor"
    TRAFFIC = "traffic"


Days = Mapping[date, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A disk, the processors or a line of a device.

    Args:
        used: each day's mean: octets, per cent, or bit/s both ways.
        busy: each day's 95th percentile of the fuller way, of a line.
        size: what it can be at most; None: not known.
        parts: whose it is, and how much of it; they add up to 1.
        services: that lean on the device.
    """

    device: str
    site: str
    name: str
    resource: Resource
    used: Days
    size: float | None
    parts: Mapping[str, Fraction]
    services: tuple[str, ...] = ()
    busy: Days | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Filling:
    """How something fills up.

    Args:
        name: of a device and its component, a site, a member or a service.
        used: by now, of `size`; None: the sizes of its components are not all known.
        full: the first day, the earliest and the latest on which it is full, or the first of its
            components; None: it does not grow, or not within 30 years.
    """

    name: str
    resource: Resource
    used: float
    size: float | None
    growth: Growth
    full: tuple[date | None, date | None, date | None] | None


def fill_each(components: Iterable[Component]) -> list[Filling]:
    """Each component on its own; a line by its 95th percentile."""
    found = []
    for one in components:
        weeks = _weeks(one.busy if one.busy is not None else one.used)
        name = f"{one.device} : {one.name}" if one.name else one.device
        found.append(_filling(name, one.resource, weeks, one.size, one.size))
    return found


def fill_groups(components: Sequence[Component], by: str) -> list[Filling]:
    """Sums over components.

    A member's part of what is shared is what was said of it: the parts add up to what is used.
    Processors are no sum but a mean.

    Args:
        by: "site", "member" or "service".
    """
    groups: dict[tuple[str, Resource], list[tuple[Component, Fraction]]] = {}
    for one in components:
        for name, part in _groups_of(one, by).items():
            groups.setdefault((name, one.resource), []).append((one, part))
    found = []
    for (name, resource), own in sorted(groups.items()):
        weeks = _together([(_weeks(one.used), float(part)) for one, part in own])
        sizes = [float(part) * one.size for one, part in own if one.size is not None]
        size = sum(sizes) if len(sizes) == len(own) else None
        if resource is Resource.PROCESSOR:
            whole = float(sum(part for _, part in own))
            weeks = {week: value / whole for week, value in weeks.items()}
            size = 100.0
        limit = None if resource is Resource.TRAFFIC else size
        found.append(_filling(name, resource, weeks, limit, size))
    return found


def _groups_of(one: Component, by: str) -> Mapping[str, Fraction]:
    match by:
        case "site":
            return {one.site: Fraction(1)}
        case "service":
            return dict.fromkeys(one.services, Fraction(1))
        case _:
            return one.parts


def _filling(
    name: str, resource: Resource, weeks: Days, limit: float | None, size: float | None
) -> Filling:
    ordered = sorted(weeks.items())
    growth = growth_of(ordered)
    full = growth.full_on(limit) if limit else None
    used = ordered[-1][1] if ordered else 0.0
    return Filling(name=name, resource=resource, used=used, size=size, growth=growth, full=full)


def _weeks(days: Days) -> dict[date, float]:
    """The means of weeks, by their Monday: people work from Monday to Friday."""
    sums: dict[date, list[float]] = {}
    for day, value in days.items():
        sums.setdefault(day - timedelta(days=day.weekday()), []).append(value)
    return {week: sum(own) / len(own) for week, own in sums.items()}


def _together(series: Sequence[tuple[Days, float]]) -> dict[date, float]:
    """A sum, in the weeks in which any was heard of; the others are between what they were."""
    heard = sorted({week for weeks, _ in series for week in weeks})
    found = dict.fromkeys(heard, 0.0)
    for weeks, part in series:
        own = sorted(weeks)
        for before, after in itertools.pairwise(own):
            rise = (weeks[after] - weeks[before]) / (after - before).days
            for week in heard[bisect_left(heard, before) : bisect_left(heard, after)]:
                found[week] += part * (weeks[before] + rise * (week - before).days)
        if own:
            found[own[-1]] += part * weeks[own[-1]]
    return found
