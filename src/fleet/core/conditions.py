"""States of parts of a device: its ports, its battery, its load; as stretches, like its own.

A stretch begins when a state is first seen and ends when another one is. The same observations
in any order give the same stretches.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fleet.core.facts.power import Power

BATTERY, LOAD = "battery", "load"
ON_BATTERY, LOW = "on battery", "low"
NORMAL, HIGH = "normal", "high"
HIGH_LOAD_PERCENT = 80

_PORT = "port "


def port_subject(key: str) -> str:
    """What a port's condition is kept under; `key` as `port_key` gives it."""
    return _PORT + key


def port_of(subject: str) -> str | None:
    """The `port_key` of a port's condition; None: it is about something else."""
    return subject.removeprefix(_PORT) if subject.startswith(_PORT) else None


@dataclass(frozen=True, slots=True, order=True)
class Sighting:
    """What one poll saw of one part of a device."""

    device: str
    subject: str
    at: datetime
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A stretch of one state of a part; `until` None: still going on."""

    device: str
    subject: str
    state: str
    since: datetime
    until: datetime | None = None
    last_at: datetime


def of_power(device: str, at: datetime, power: Power) -> Iterable[Sighting]:
    """What a UPS says of its battery and its load."""
    battery = None
    if power.on_battery is not None or power.battery_status is not None:
        battery = ON_BATTERY if power.on_battery else NORMAL
        if power.battery_status in ("low", "depleted", "fault"):
            battery = LOW
    if battery:
        yield Sighting(device, BATTERY, at, battery)
    if power.load_percent is not None:
        load = HIGH if power.load_percent >= HIGH_LOAD_PERCENT else NORMAL
        yield Sighting(device, LOAD, at, load)


def stretches(sightings: Iterable[Sighting]) -> list[Condition]:
    """The stretches of one part of one device, from sightings in any order."""
    found: list[Condition] = []
    by_time = {s.at: s for s in sorted(sightings, reverse=True)}
    for at in sorted(by_time):
        seen = by_time[at]
        if found and found[-1].state == seen.state:
            last = found.pop()
            found.append(_stretch(seen, last.since))
            continue
        if found:
            last = found.pop()
            found.append(
                Condition(
                    device=last.device,
                    subject=last.subject,
                    state=last.state,
                    since=last.since,
                    until=at,
                    last_at=last.last_at,
                )
            )
        found.append(_stretch(seen, at))
    return found


def _stretch(seen: Sighting, since: datetime) -> Condition:
    return Condition(
        device=seen.device, subject=seen.subject, state=seen.state, since=since, last_at=seen.at
    )
