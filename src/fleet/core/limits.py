"""Limits of what is measured, each with a way back: what wobbles at a limit is told once."""

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from fleet.core.conditions import NORMAL, Condition, Sighting
from fleet.core.limit import Limits, Watched
from fleet.core.metric.kinds import (
    METRICS,
    MISSING,
    STORAGE_SIZE,
    STORAGE_USED,
    SUPPLY,
    TEMPERATURE,
    UPS_CHARGE,
    Key,
)
from fleet.core.metric.reading import Sample

BEYOND = "beyond"
_SUBJECT = "limit "
_ROOM_ROLES = frozenset({"sensor", "ups", "pdu"})
_ROOM = re.compile(
    r"inlet|intake|ambient|room|(?<!p)rom\b|\bair|external|probe|innluft", re.IGNORECASE
)
_WARMED = re.compile(r"exhaust|outlet|outflow|rear\b|hot.?aisle|utbl[åa]s|avkast", re.IGNORECASE)
_BATTERY = re.compile("batter", re.IGNORECASE)
_NOT_TONER = re.compile(r"waste|drum|belt|fuser|roller|kit|staple|avfall|trommel", re.IGNORECASE)


_GONE = timedelta(days=1)
"""A part of which a device that answers has not spoken for so long is not there any more."""

_METRICS = {
    STORAGE_USED: Watched.STORAGE,
    SUPPLY: Watched.TONER,
    UPS_CHARGE: Watched.BATTERY,
    TEMPERATURE: Watched.TEMPERATURE,
}


def limit_subject(watched: Watched, part: str) -> str:
    """What a limit's condition is kept under."""
    return f"{_SUBJECT}{watched.value} {part}".rstrip()


def limit_of(subject: str) -> tuple[Watched, str] | None:
    """What a condition is about; None: no limit."""
    if not subject.startswith(_SUBJECT):
        return None
    watched, _, part = subject.removeprefix(_SUBJECT).partition(" ")
    return Watched(watched), part


def series_of(watched: Watched, part: str) -> tuple[Key, ...]:
    """What is measured for a limit: one series, or what is used of a size."""
    metric = next(name for name, about in _METRICS.items() if about is watched)
    used = Key(metric, part)
    return (used, Key(STORAGE_SIZE, part)) if watched is Watched.STORAGE else (used,)


def value_of(newest: Sequence[float]) -> float:
    """What is held against the limit, given a value of each of its series."""
    return 100 * newest[0] / newest[1] if len(newest) > 1 else newest[0]


def look_at_limits(
    device: str,
    role: str,
    at: datetime,
    sample: Sample,
    limits: Limits,
    before: Mapping[str, Condition],
    *,
    is_whole: bool = True,
) -> Iterator[Sighting]:
    """What of a device is beyond its limits, and what was and is not any more.

    Temperatures are those of rooms: processors are warm by nature.

    Args:
        before: the device's states until now, by subject.
        is_whole: nothing that was asked broke off.
    """
    heard: set[str] = set()
    gauges = sample.layout.gauges
    values = dict(zip(gauges, sample.values[len(sample.layout.counters) :], strict=True))
    for key, value in _values(values, role):
        watched = _METRICS[key.metric]
        limit = limits.get(watched)
        subject = limit_subject(watched, key.part)
        heard.add(subject)
        was = before.get(subject)
        # A limit that was taken away ends what was beyond it.
        is_beyond = limit is not None and limit.is_beyond(
            value, was=was is not None and was.state == BEYOND
        )
        if is_beyond or was is not None:
            yield Sighting(device, subject, at, BEYOND if is_beyond else NORMAL)
    for subject, was in before.items() if is_whole else ():
        is_gone = was.state == BEYOND and subject not in heard and at - was.last_at > _GONE
        if is_gone and limit_of(subject):
            yield Sighting(device, subject, at, NORMAL)


def _values(values: Mapping[Key, int], role: str) -> Iterator[tuple[Key, float]]:
    for key, number in values.items():
        if key.metric not in _METRICS or number == MISSING:
            continue
        if key.metric == STORAGE_USED:
            size = values.get(Key(STORAGE_SIZE, key.part), MISSING)
            if size > 0:
                yield key, value_of((number, size))
            continue
        is_left_out = (key.metric == SUPPLY and _NOT_TONER.search(key.part)) or (
            key.metric == TEMPERATURE and not is_of_room(role, key.part)
        )
        if not is_left_out:
            yield key, number / 10.0 ** METRICS[key.metric].digits


def is_of_room(role: str, part: str) -> bool:
    """Whether a sensor measures the air of a room and not a part of a machine."""
    if _BATTERY.search(part) or _WARMED.search(part):
        return False
    return role in _ROOM_ROLES or _ROOM.search(part) is not None
