"""Outages: how stretches of down and unreachable hang together, and what people call them."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fleet.core.moment import from_local, to_us
from fleet.core.states import FAILING, Interval, State
from fleet.errors import Malformed

_SECOND = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Outage:
    """A device that was away from one answer to the next.

    Args:
        parts: its stretches, in order; a new one begins where state or root cause changed.
    """

    device: str
    parts: tuple[Interval, ...]

    @property
    def since(self) -> datetime:
        return self.parts[0].since

    @property
    def until(self) -> datetime | None:
        return self.parts[-1].until

    @property
    def state(self) -> State:
        """Down if it ever was for a reason of its own."""
        own = any(part.state is State.DOWN for part in self.parts)
        return State.DOWN if own else State.UNREACHABLE

    @property
    def name(self) -> str:
        """`DEVICE@2026-10-07T07:12:00Z`: what commands take."""
        return outage_name(self.device, self.since)


def outage_name(device: str, since: datetime) -> str:
    """What people call the outage of a device that began at an instant."""
    return f"{device}@{since:%Y-%m-%dT%H:%M:%SZ}"


def find_outages(intervals: Iterable[Interval]) -> list[Outage]:
    """The outages in stretches of any devices; newest first."""
    found: list[Outage] = []
    for interval in sorted(intervals, key=lambda i: (i.device, i.since)):
        if interval.state not in FAILING:
            continue
        last = found[-1] if found else None
        if last and last.device == interval.device and last.until == interval.since:
            found[-1] = Outage(device=last.device, parts=(*last.parts, interval))
        else:
            found.append(Outage(device=interval.device, parts=(interval,)))
    return sorted(found, key=lambda o: (-to_us(o.since), o.device))


_NAME = re.compile(
    r"(?P<device>.+)@(?P<at>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2})?(Z|[+-]\d{2}:\d{2})?)"
)


def parse_outage_name(text: str) -> tuple[str, datetime]:
    """Device and beginning, to the second.

    Raises:
        Malformed: it is no outage's name.
    """
    match = _NAME.fullmatch(text)
    if match is None:
        hint = "`fleet list outages` shows them, like krs-rh-r1@2026-10-07T07:12:00Z"
        raise Malformed(f"`{text}` is no outage", hint=hint)
    return match["device"], from_local(datetime.fromisoformat(match["at"]))


def is_named(outage: Outage, device: str, at: datetime) -> bool:
    """Whether an outage is the one that began at this second."""
    return outage.device == device and to_us(outage.since) // _SECOND == to_us(at) // _SECOND
