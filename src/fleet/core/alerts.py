"""Messages that people keep switched on: one when something fails, one when it is well again.

Only root causes are told, never what hangs behind them. Maintenance is honoured. What comes and
goes is told once. At night and on holidays what nobody needs then waits for the morning, and is
not told at all if it is well by then.
"""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from fleet.core.inventory import Criticality

URGENT = frozenset({Criticality.HIGH, Criticality.LIFE_AND_HEALTH})
"""Services that do not wait for the morning."""

HOUR = 3_600_000_000  # microseconds
FLAPS_AFTER = 3  # failures that were told within an hour: the next one is flapping
STABLE = HOUR  # what flapped is well again once it has been for so long


class Phase(StrEnum):
    """What a message says."""

    BEGAN = "began"
    ENDED = "ended"
    FLAPS = "flaps"
    TEST = "test"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A message that was sent; instants in microseconds since 1970.

    Args:
        key: of what it is about: `device krs-rh-r1`.
        since: when that began.
    """

    key: str
    phase: Phase
    since: int
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Failing:
    """What fails now and explains others.

    Args:
        members: whose sites it is at, or are behind it.
        is_quiet: nobody there needs it at this hour.
    """

    key: str
    since: int
    members: frozenset[str]
    is_maintained: bool = False
    is_quiet: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A message that is to be sent."""

    key: str
    phase: Phase
    since: int

    @property
    def id(self) -> str:
        """The same for the same message, however often it is sent."""
        told = f"{self.key}\n{self.phase.value}\n{self.since}"
        return hashlib.sha256(told.encode()).hexdigest()[:32]


def find_due(
    failing: Mapping[str, Failing],
    told: Iterable[Told],
    well_since: Callable[[str], int | None],
    now: int,
    *,
    keeps_quiet: bool,
) -> list[Due]:
    """What somebody is to be told now.

    Args:
        failing: what concerns them, by key.
        told: what they were told before.
        well_since: from when on something is well; None: it is not, or nobody knows.
        keeps_quiet: whether they are left alone at hours at which nobody needs what fails.
    """
    by_key: dict[str, list[Told]] = {}
    for one in sorted(told, key=lambda t: t.at):
        if one.phase is not Phase.TEST:
            by_key.setdefault(one.key, []).append(one)
    found = []
    for key, cause in sorted(failing.items()):
        before = by_key.get(key, [])
        waits = cause.is_maintained or (keeps_quiet and cause.is_quiet)
        if not _is_open(before) and not waits:
            phase = Phase.FLAPS if _flaps(before, now) else Phase.BEGAN
            found.append(Due(key=key, phase=phase, since=cause.since))
    for key, before in sorted(by_key.items()):
        if key in failing or not _is_open(before):
            continue
        since = well_since(key)
        rest = STABLE if before[-1].phase is Phase.FLAPS else 0
        if since is not None and now - since >= rest:
            found.append(Due(key=key, phase=Phase.ENDED, since=before[-1].since))
    return found


def _is_open(before: list[Told]) -> bool:
    return bool(before) and before[-1].phase is not Phase.ENDED


def _flaps(before: list[Told], now: int) -> bool:
    recent = [one for one in before if one.phase is Phase.BEGAN and now - one.at < HOUR]
    return len(recent) >= FLAPS_AFTER
