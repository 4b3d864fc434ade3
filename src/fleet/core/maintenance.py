"""Maintenance windows, and what people say afterwards of outages."""

from dataclasses import dataclass
from enum import StrEnum

NOTICE = 48 * 3600 * 1_000_000  # announced at least so long before, or it counts as unplanned


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """A planned window; instants in microseconds since 1970.

    Args:
        kind: device, site, member or service.
        ended: when it was ended before its time; None: it was not.
    """

    id: int
    kind: str
    name: str
    start: int
    end: int
    announced: int
    reason: str
    actor: str
    at: int
    ended: int | None = None
    ended_by: str | None = None

    @property
    def until(self) -> int:
        """When it really ended."""
        return self.end if self.ended is None else max(self.start, min(self.end, self.ended))

    @property
    def is_planned(self) -> bool:
        """Whether it was announced early enough to count as planned."""
        return self.start - self.announced >= NOTICE


class Reading(StrEnum):
    """What an outage counts as, by a person's word."""

    PLANNED = "planned"
    USER_REPORTED = "user-reported"
    EXCLUDED = "excluded"
    AS_SEEN = "as-seen"


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What a person says of an outage; instants in microseconds since 1970.

    Args:
        kind: device or site.
        end: None: of an outage that goes on.
    """

    id: int
    kind: str
    name: str
    start: int
    end: int | None
    reading: Reading
    role: str
    reason: str
    actor: str
    at: int
