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

_WEEK = timedelta(weeks=1)
_SILENCE = timedelta(weeks=4)
"""For so long a silent device has still what it had."""


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
        full: the day, the earliest and the latest on which it is full; of what is full now the
            Monday of its last week. None: it does not grow, or not within 30 years.
    """

    name: str
    resource: Resource
    used: float
    size: float | None
    growth: Growth
    full: tuple[date | None, date | None, date | None] | None

    @property
    def is_full(self) -> bool:
        return self.full is not None and self.size is not None and self.used >= self.size


def fill_each(components: Iterable[Component]) -> list[Filling]:
    """Each component on its own; a line by its 95th percentile; without those that are gone."""
    every = list(components)
    heard = _heard(every)
    found = []
    for one in every:
        if _is_gone(one, heard):
            continue
        weeks = _weeks(one.busy if one.busy is not None else one.used)
        name = f"{one.device} : {one.name}" if one.name else one.device
        found.append(_filling(name, one.resource, weeks, one.size, one.size))
    return found


def fill_groups(components: Sequence[Component], by: str) -> list[Filling]:
    """Sums over components.

    A member's part of what is shared is what was said of it: the parts add up to what is used.
    Processors are no sum but a mean. A device that has been silent for some weeks has still what it
    had; a disk of which its device says nothing any more is gone.

    Args:
        by: "site", "member" or "service".
    """
    groups: dict[tuple[str, Resource], list[tuple[Component, Fraction]]] = {}
    for one in components:
        for name, part in _groups_of(one, by).items():
            groups.setdefault((name, one.resource), []).append((one, part))
    heard = _heard(components)
    newest = max(map(_monday, heard.values()), default=date.min)
    found = []
    for (name, resource), own in sorted(groups.items()):
        there = [(c, part) for c, part in own if not _is_gone(c, heard, newest)]
        if not there:
            continue
        gone = [(c, part) for c, part in own if _is_gone(c, heard, newest)]
        counted = [(_held(_weeks(c.used), newest), part) for c, part in there]
        if resource is not Resource.PROCESSOR:
            counted += [(_weeks(c.used), part) for c, part in gone]
        weeks = _together([(values, float(part)) for values, part in counted])
        sizes = [float(part) * one.size for one, part in there if one.size is not None]
        size = sum(sizes) if len(sizes) == len(there) else None
        if resource is Resource.PROCESSOR:
            whole = float(sum(part for _, part in there))
            weeks = {week: value / whole for week, value in weeks.items()}
            size = 100.0
        limit = None if resource is Resource.TRAFFIC else size
        found.append(_filling(name, resource, weeks, limit, size))
    return found


def _heard(components: Iterable[Component]) -> dict[str, date]:
    """The last day on which anything of a device was measured."""
    found: dict[str, date] = {}
    for one in components:
        found[one.device] = max(found.get(one.device, date.min), *one.used)
    return found


def _is_gone(one: Component, heard: Mapping[str, date], newest: date | None = None) -> bool:
    """Whether its device says nothing of it any more; or nothing at all, for too long."""
    last = heard[one.device]
    return last - max(one.used) > _WEEK or (newest is not None and newest - last > _SILENCE)


def _held(weeks: dict[date, float], until: date) -> dict[date, float]:
    """With what it had last until a week."""
    return {**weeks, until: weeks.get(until, weeks[max(weeks)])}


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


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
    if limit and used >= limit:
        full = (ordered[-1][0],) * 3
    return Filling(name=name, resource=resource, used=used, size=size, growth=growth, full=full)


def _weeks(days: Days) -> dict[date, float]:
    """The means of weeks, by their Monday: people work from Monday to Friday."""
    sums: dict[date, list[float]] = {}
    for day, value in days.items():
        sums.setdefault(_monday(day), []).append(value)
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
