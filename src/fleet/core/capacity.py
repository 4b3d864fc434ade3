"""Who uses how much of what is shared: storage, processors, memory."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a member's part of a service took on a day.

    Args:
        member: its slug, or `shared` for what is nobody's alone.
        amount: in the unit of what it is taken from.
    """

    member: str
    on: date
    amount: Decimal
    service: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Capacity:
    """Something shared, of a size.

    Args:
        host: the device that has it.
        unit: such as TB.
        is_archive: kept for good; nothing of it is ever offered for deletion.
    """

    slug: str
    name: str
    host: str
    unit: str
    size: Decimal
    is_archive: bool = False
    used: tuple[Usage, ...] = ()

    @property
    def key(self) -> str:
        return self.slug

    def at(self, day: date) -> dict[tuple[str, str | None], Decimal]:
        """Member and service → what they took, by what was last said of them until a day."""
        newest: dict[tuple[str, str | None], Usage] = {}
        for usage in self.used:
            place = (usage.member, usage.service)
            if usage.on <= day and (place not in newest or newest[place].on <= usage.on):
                newest[place] = usage
        return {place: usage.amount for place, usage in sorted(newest.items(), key=_by_name)}


def readings(capacity: Capacity, member: str | None = None) -> list[tuple[date, float]]:
    """How much of it was used on the days on which somebody looked; of a member alone, or all."""
    return [
        (day, float(sum(a for (who, _), a in capacity.at(day).items() if member in (None, who))))
        for day in sorted({usage.on for usage in capacity.used if member in (None, usage.member)})
    ]


def _by_name(item: tuple[tuple[str, str | None], Usage]) -> tuple[str, str]:
    (member, service), _ = item
    return member, service or ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A member's part of a capacity.

    Args:
        part: of what is used, between 0 and 1; the parts of all add up to 1.
    """

    capacity: str
    member: str
    amount: Decimal
    part: Fraction
    services: Mapping[str, Decimal]


def shares(capacities: Iterable[Capacity], day: date) -> list[Share]:
    """Each member's part of what is used, by capacity."""
    found = []
    for capacity in sorted(capacities, key=lambda one: one.slug):
        used = capacity.at(day)
        total = sum(used.values(), Decimal())
        for member in sorted({member for member, _ in used}):
            mine = {service or "": a for (who, service), a in used.items() if who == member}
            amount = sum(mine.values(), Decimal())
            part = Fraction(amount) / Fraction(total) if total else Fraction()
            found.append(
                Share(
                    capacity=capacity.slug, member=member, amount=amount, part=part, services=mine
                )
            )
    return found
