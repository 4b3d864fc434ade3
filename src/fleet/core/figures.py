"""Figures that come from elsewhere: posts, tickets, surveys, public indicators, benefits."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

SMALLEST_GROUP = 5  # answers; of fewer nothing is shown, as one could guess who gave them


class FigureKind(StrEnum):
    """What a figure counts."""

    STAFF = "staff"  # full-time posts
    TICKETS = "tickets"
    SURVEY = "survey"  # a mean of answers
    INDICATOR = "indicator"  # that somebody publishes
    BENEFIT = "benefit"  # NOK a year, beside what joint purchases save


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A figure by year, of the cooperation or of its members.

    Args:
        source: who says so.
        values: of the cooperation as a whole.
        members: by member.
        answers: of a survey: how many answered, by member and year.
    """

    slug: str
    kind: FigureKind
    name: str
    source: str
    unit: str | None = None
    values: Mapping[int, Decimal] = field(default_factory=dict)
    members: Mapping[str, Mapping[int, Decimal]] = field(default_factory=dict)
    answers: Mapping[str, Mapping[int, int]] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return self.slug

    def of(self, member: str, year: int) -> Decimal | None:
        """A member's value, if there is one that may be shown."""
        value = self.members.get(member, {}).get(year)
        if value is None or self.kind is not FigureKind.SURVEY:
            return value
        return value if self.answers.get(member, {}).get(year, 0) >= SMALLEST_GROUP else None
