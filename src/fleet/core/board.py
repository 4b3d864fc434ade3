"""What leaders ask, for a quarter: of the cooperation, or of one member.

How many hours were we down, and why? What do we pay, and why more than last year? What must be
replaced next year, and what ends? What did we save? What awaits our decision?
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from fleet.core.lifecycle import End
from fleet.core.moment import later
from fleet.core.record import Record
from fleet.core.uptime import UptimeReport


@dataclass(frozen=True, slots=True)
class Quarter:
    """Three months of a year."""

    year: int
    number: int  # 1 to 4

    @property
    def start(self) -> date:
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def end(self) -> date:
        """The first day after it."""
        return later(self.start, 3)

    @property
    def name(self) -> str:
        return f"{self.year}-Q{self.number}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    """What a year costs, and the one before.

    Args:
        ore, before: in all, or a member's share; None: nothing was written down for the year.
        lines: what made the difference, in øre, the largest first.
        people, people_before: the days whose populations count.
    """

    year: int
    ore: int | None
    before: int | None
    lines: Sequence[tuple[str, int]]
    people: date | None
    people_before: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Board:
    """The answers.

    Args:
        member: None: all of the cooperation.
        name: of the member.
        services: that it uses, of `all_services`.
        ends: contracts, notices and options in the twelve months after the quarter.
        replaced, replacing: devices to be replaced until the end of the next year, and øre.
        unpriced: of these, how many have no price.
        saved: øre, by joint purchases in the year until the end of the quarter.
        open: proposals that await answers, the oldest first; of a member: those it has not said
            anything to.
        decided: proposals that were carried or fell.
    """

    quarter: Quarter
    member: str | None
    name: str | None
    members: int
    sites: int
    users: int
    devices: int
    services: int
    all_services: int
    uptime: UptimeReport
    cost: Cost
    ends: Sequence[End]
    replaced: int
    replacing: int
    unpriced: int
    saved: int
    open: Sequence[Record]
    decided: Sequence[Record]
