"""School calendars: the days on which schools are closed, as data, by member."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date

SCHOOL_HOLIDAYS = "school_holidays.yaml"  # in the workspace's inventory/


@dataclass(frozen=True, slots=True, kw_only=True)
class Closed:
    """Days on which schools are closed.

    Args:
        from_: the first day.
        until: the first day of school again.
        members: whose schools; none: all members'.
    """

    from_: date
    until: date
    members: tuple[str, ...] = ()
    name: str | None = None


def is_closed(closed: Iterable[Closed], member: str) -> Callable[[date], bool]:
    """Whether the schools of a member are closed on a day."""
    own = [c for c in closed if not c.members or member in c.members]
    return lambda day: any(c.from_ <= day < c.until for c in own)
