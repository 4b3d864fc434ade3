"""What polls saw, and the stretches of equal state that follow from it.

Down begins at the first failed poll of a confirmed run and ends at the first success. Without
an observation for three poll intervals the time from the last one on is unknown, never down. A
device behind another's failure is unreachable; whether it is, is confirmed like a failure.

The stretches are a function of the set of observations: late and repeated ones, in any order,
give the same (`replay`).
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import IntEnum, StrEnum
from typing import Any


class State(StrEnum):
    UP = "up"
    DOWN = "down"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


FAILING = frozenset({State.DOWN, State.UNREACHABLE})


class Verdict(IntEnum):
    """What a poll says of a device. Of two at one instant the smaller one holds."""

    ANSWERED = 0
    SILENT = 1  # with an answering neighbour: itself the cause
    BEHIND = 2  # silent, and so is everything that leads to it
    LOST = 3  # the poller itself was cut off


@dataclass(frozen=True, slots=True, kw_only=True)
class Observation:
    """What one poll saw of one device.

    Args:
        uptime: since the agent started, as it says itself.
        boots: how often its SNMP engine has started (snmpEngineBoots).
        root: of a silent one, the root cause: `device NAME` or `link NAME`.
        cause: of a silent one, what asking it led to.
    """

    device: str
    at: datetime
    verdict: Verdict
    uptime: timedelta | None = None
    boots: int | None = None
    root: str | None = None
    cause: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A stretch of one state; `until` None: still going on."""

    device: str
    state: State
    since: datetime
    until: datetime | None = None
    cause: str | None = None
    root: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Track:
    """Where a device stands: its open interval, and the runs that may end it.

    Args:
        last_at: of the last observation.
        failures: failed polls in a row.
        booted: when its agent started, by its last answer.
        other: another state and root than the open interval's, seen in the last `others` polls.
    """

    device: str
    state: State
    since: datetime
    last_at: datetime
    root: str | None = None
    failures: int = 0
    failing_since: datetime | None = None
    booted: datetime | None = None
    boots: int | None = None
    other: str | None = None
    other_since: datetime | None = None
    others: int = 0

    def at(self, now: datetime, interval: timedelta) -> "Track":
        """The track as known `now`: unknown from the last observation if that is too old."""
        if now - self.last_at <= 3 * interval:
            return self
        since = self.since if self.state is State.UNKNOWN else self.last_at
        return replace(self, state=State.UNKNOWN, since=since, root=None, **_NO_RUNS)


_NO_RUNS: dict[str, Any] = {
    "failures": 0,
    "failing_since": None,
    "other": None,
    "other_since": None,
    "others": 0,
}


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
    """The track after an observation, and the intervals that it opened, each ending the last.

    Args:
        rebooted_at: when the device started anew since the observation before.
    """

    track: Track
    opened: tuple[Interval, ...] = ()
    rebooted_at: datetime | None = None


def advance(
    track: Track | None, seen: Observation, *, confirmations: int, interval: timedelta
) -> Step:
    """What an observation makes of a device's track.

    Args:
        track: None before the first observation.
        seen: later than the last one of the track.
        confirmations: how many polls in a row must fail before the device is down.
        interval: time between polls.
    """
    now = _known(track, seen, interval)
    opened = [] if track is not None and now.state is track.state else [_interval(now)]
    match seen.verdict:
        case Verdict.ANSWERED:
            after = _answered(now, seen)
        case Verdict.LOST:
            after = now if now.state is State.UNKNOWN else _put(now, State.UNKNOWN, seen.at)
            after = replace(after, **_NO_RUNS)
        case _:
            after = _failed(now, seen, confirmations)
    if (after.state, after.since) != (now.state, now.since):
        opened.append(_interval(after, seen.cause))
    return Step(
        track=replace(after, last_at=seen.at),
        opened=tuple(opened),
        rebooted_at=_rebooted(track, seen),
    )


def _known(track: Track | None, seen: Observation, interval: timedelta) -> Track:
    """Where the device stood just before an observation."""
    if track is not None:
        return track.at(seen.at, interval)
    return Track(device=seen.device, state=State.UNKNOWN, since=seen.at, last_at=seen.at)


def _put(track: Track, state: State, since: datetime, root: str | None = None) -> Track:
    return replace(track, state=state, since=since, root=root)


def _answered(now: Track, seen: Observation) -> Track:
    after = now if now.state is State.UP else _put(now, State.UP, seen.at)
    booted = now.booted if seen.uptime is None else seen.at - seen.uptime
    boots = now.boots if seen.boots is None else seen.boots
    return replace(after, booted=booted, boots=boots, **_NO_RUNS)


def _failed(now: Track, seen: Observation, confirmations: int) -> Track:
    state = State.DOWN if seen.verdict is Verdict.SILENT else State.UNREACHABLE
    since = now.failing_since or seen.at
    after = replace(now, failures=now.failures + 1, failing_since=since)
    if after.state not in FAILING:
        if after.failures >= confirmations:
            return _put(after, state, since, seen.root)
        return after
    if (state, seen.root) == (after.state, after.root):
        return replace(after, other=None, other_since=None, others=0)
    label = f"{state} {seen.root}"
    if label != after.other:
        after = replace(after, other=label, other_since=seen.at, others=0)
    after = replace(after, others=after.others + 1)
    if after.others < confirmations:
        return after
    after = _put(after, state, after.other_since or seen.at, seen.root)
    return replace(after, other=None, other_since=None, others=0)


_UPTIME_TURNS = timedelta(milliseconds=10 * 2**32)  # sysUpTime: 1/100 s in 32 bits, 497 days


def _rebooted(track: Track | None, seen: Observation) -> datetime | None:
    """When the device started anew, by its own uptime; a counter that turned over is no reboot."""
    is_answer = seen.verdict is Verdict.ANSWERED
    if track is None or track.booted is None or seen.uptime is None or not is_answer:
        return None
    booted = seen.at - seen.uptime
    later = booted - track.booted
    # Clocks of devices drift; a restart within less than that is not seen.
    tolerance = timedelta(seconds=5) + abs(seen.at - track.last_at) / 1000
    if later <= tolerance:
        return None
    has_more_boots = None not in (track.boots, seen.boots) and seen.boots > track.boots  # type: ignore[operator]
    turned = abs(later - _UPTIME_TURNS) <= tolerance
    return None if turned and not has_more_boots else booted


def _interval(track: Track, cause: str | None = None) -> Interval:
    return Interval(
        device=track.device, state=track.state, since=track.since, cause=cause, root=track.root
    )


def replay(
    observations: Iterable[Observation],
    start: Track | None,
    *,
    confirmations: int,
    interval: timedelta,
) -> list[Step]:
    """The steps that observations of one device make, whatever order they come in.

    Args:
        observations: also late and repeated ones.
        start: where the device stood before the first of them.
    """
    by_time: dict[datetime, Observation] = {}
    for seen in observations:
        known = by_time.get(seen.at)
        if known is None or _rank(seen) < _rank(known):
            by_time[seen.at] = seen
    steps: list[Step] = []
    track = start
    for at in sorted(by_time):
        step = advance(track, by_time[at], confirmations=confirmations, interval=interval)
        steps.append(step)
        track = step.track
    return steps


def _rank(seen: Observation) -> tuple[Verdict, str, str, timedelta, int]:
    """Which of two observations of one instant holds: any order, but always the same."""
    uptime = timedelta.max if seen.uptime is None else seen.uptime
    return seen.verdict, seen.root or "", seen.cause or "", uptime, seen.boots or 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """One finished poll, as it is kept."""

    at: datetime
    duration_us: int
    devices: int
    up: int = 0
    down: int = 0
    unreachable: int = 0
    unknown: int = 0
    requests: int = 0
    timeouts: int = 0
