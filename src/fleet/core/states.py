"""What polls saw, and the stretches of equal state that follow from it.

Down begins at the first failed poll of a confirmed run and ends at the first success. Without
an observation for three poll intervals the time from the last one on is unknown, never down.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum


class State(StrEnum):
    UP = "up"
    DOWN = "down"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one poll saw of one device."""

    device: str
    at: datetime
    answered: bool
    uptime: timedelta | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A stretch of one state; `until` None: still going on."""

    device: str
    state: State
    since: datetime
    until: datetime | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Where a device stands: its open interval, and the run of failed polls if there is one."""

    device: str
    state: State
    since: datetime
    last_at: datetime  # the last observation
    failures: int = 0
    failing_since: datetime | None = None
    uptime: timedelta | None = None

    def at(self, now: datetime, interval: timedelta) -> "Track":
        """The track as known `now`: unknown from the last observation if that is too old."""
        if now - self.last_at <= 3 * interval or self.state is State.UNKNOWN:
            return self
        return replace(
            self, state=State.UNKNOWN, since=self.last_at, failures=0, failing_since=None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The track after an observation, and the intervals that it opened, each ending the last."""

    track: Track
    opened: tuple[Interval, ...] = ()


def advance(
    track: Track | None, seen: Observation, *, confirmations: int, interval: timedelta
) -> Step:
    """What an observation makes of a device's track.

    Args:
        track: None before the first observation.
        seen: older than the last one: it changes nothing.
        confirmations: how many polls in a row must fail before the device is down.
        interval: time between polls.
    """
    opened: list[Interval] = []

    def enter(state: State, since: datetime, cause: str | None = None) -> None:
        opened.append(Interval(device=seen.device, state=state, since=since, cause=cause))

    if track is None:
        track = Track(device=seen.device, state=State.UNKNOWN, since=seen.at, last_at=seen.at)
        enter(State.UNKNOWN, seen.at)
    elif seen.at <= track.last_at:
        return Step(track=track)
    elif (late := track.at(seen.at, interval)) is not track:
        enter(State.UNKNOWN, late.since)
        track = late
    if seen.answered:
        track = replace(track, failures=0, failing_since=None, uptime=seen.uptime)
        if track.state is not State.UP:
            track = replace(track, state=State.UP, since=seen.at)
            enter(State.UP, seen.at)
    else:
        since = track.failing_since or seen.at
        track = replace(track, failures=track.failures + 1, failing_since=since)
        if track.failures >= confirmations and track.state is not State.DOWN:
            track = replace(track, state=State.DOWN, since=since)
            enter(State.DOWN, since, seen.cause)
    return Step(track=replace(track, last_at=seen.at), opened=tuple(opened))


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One finished poll, as it is kept."""

    at: datetime
    duration_us: int
    devices: int
    up: int
    down: int
    unreachable: int
    unknown: int
    requests: int
    timeouts: int
