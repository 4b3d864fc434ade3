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
        if now - self.last_at <= 3 * interval:
            return self
        since = self.since if self.state is State.UNKNOWN else self.last_at
        return replace(self, state=State.UNKNOWN, since=since, failures=0, failing_since=None)


def known_until(last_at: int | None, now: int, interval: timedelta) -> int:
    """Until when an open interval is known to hold, in microseconds; 0: it never was.

    Args:
        last_at: of the last observation.
    """
    if last_at is None:
        return 0
    return now if now - last_at <= 3 * interval // timedelta(microseconds=1) else last_at


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
    if track is not None and seen.at <= track.last_at:
        return Step(track=track)
    now = _known(track, seen, interval)
    if track is None or now.state is not track.state:
        opened.append(_interval(now))
    if seen.answered:
        after = replace(now, failures=0, failing_since=None, uptime=seen.uptime)
        if now.state is not State.UP:
            after = replace(after, state=State.UP, since=seen.at)
    else:
        since = now.failing_since or seen.at
        after = replace(now, failures=now.failures + 1, failing_since=since)
        if after.failures >= confirmations and now.state is not State.DOWN:
            after = replace(after, state=State.DOWN, since=since)
    if after.state is not now.state:
        opened.append(_interval(after, seen.cause))
    return Step(track=replace(after, last_at=seen.at), opened=tuple(opened))


def _known(track: Track | None, seen: Observation, interval: timedelta) -> Track:
    """Where the device stood just before an observation."""
    if track is not None:
        return track.at(seen.at, interval)
    return Track(device=seen.device, state=State.UNKNOWN, since=seen.at, last_at=seen.at)


def _interval(track: Track, cause: str | None = None) -> Interval:
    return Interval(device=track.device, state=track.state, since=track.since, cause=cause)


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
