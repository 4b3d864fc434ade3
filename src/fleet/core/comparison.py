"""Members side by side: what they have, what it costs and how it works, per inhabitant and user.

Small numbers say nothing: who had few incidents is not ranked, and of few answers nothing is said.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction

from fleet.core.inventory import Device, Inventory
from fleet.core.moment import local, to_instant
from fleet.core.uptime import Figures

FEWEST_EVENTS = 5  # incidents in the period; with fewer, a member has no rank


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One member in a year.

    Args:
        age_years: the mean age of the devices that say since when they are there.
        aged: how many of them say so.
        uptime: of its sites; None: there was none.
        ore: what it pays; None: that is not known.
        services: that it uses, of those that there are.
        tickets: None: they were not imported.
        others: surveys and indicators, by name, as far as they may be shown.
        rank: by incidents per user, the fewest first; None: too few to say.
    """

    member: str
    name: str
    population: int | None
    users: int
    sites: int
    devices: int
    age_years: Fraction | None
    aged: int
    uptime: Figures | None
    ore: int | None
    services: int
    tickets: Decimal | None
    others: Mapping[str, Decimal | None]
    rank: int | None = None

    @property
    def incidents(self) -> int:
        return self.uptime.started if self.uptime else 0

    def per_thousand(self, value: Fraction | int | Decimal | None) -> Fraction | None:
        """A value per 1,000 inhabitants."""
        if value is None or not self.population:
            return None
        return Fraction(value) * 1000 / self.population

    def per_user(self, value: Fraction | int | Decimal | None) -> Fraction | None:
        """A value per user; None without users."""
        return None if value is None or not self.users else Fraction(value) / self.users


def polled_of(inventory: Inventory, member: str) -> list[Device]:
    """The devices in use at a member's sites."""
    return [
        d
        for d in inventory.devices.values()
        if d.is_polled and inventory.sites[d.site].member == member
    ]


def age_of(devices: Sequence[Device], day: date) -> tuple[Fraction | None, int]:
    """The mean age in years of those that say since when they are there, and their number."""
    begun = [local(to_instant(d.commissioned)).date() for d in devices if d.commissioned]
    days = [(day - one).days for one in begun if one <= day]
    return (Fraction(sum(days), len(days) * 36525) * 100 if days else None), len(days)


def ranks(rows: Sequence[Compared]) -> dict[str, int]:
    """Member → rank by incidents per user, the fewest first; equal ones share a rank."""
    rates = {
        row.member: rate
        for row in rows
        if row.incidents >= FEWEST_EVENTS and (rate := row.per_user(row.incidents)) is not None
    }
    ordered = sorted(rates.values())
    return {member: ordered.index(rate) + 1 for member, rate in rates.items()}


def letters(number: int) -> str:
    """A, B … Z, AA, AB …: a name that says nothing."""
    return chr(65 + number) if number < 26 else letters(number // 26 - 1) + chr(65 + number % 26)
