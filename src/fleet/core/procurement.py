"""Joint purchases: what members called off, and what it would have cost each by itself."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from fleet.core.money import to_ore


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOff:
    """That a member took something of an agreement on a day."""

    member: str
    on: date
    quantity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """That an agreement may be prolonged until a day, if that is said in time."""

    until: date
    notice_by: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Agreement:
    """A frame agreement.

    Args:
        contract: with its supplier, its end, its notice date, and whom to ring.
        baseline: NOK for one, as members paid before, each by itself.
        price: NOK for one, together.
    """

    slug: str
    name: str
    contract: str
    unit: str | None = None
    baseline: Decimal
    price: Decimal
    options: tuple[Option, ...] = ()
    call_offs: tuple[CallOff, ...] = ()

    @property
    def key(self) -> str:
        return self.slug


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """What one member took of one agreement, in øre.

    Args:
        alone: what it would have cost by itself.
        paid: what it cost together.
    """

    agreement: str
    member: str
    quantity: int
    alone: int
    paid: int

    @property
    def saved(self) -> int:
        return self.alone - self.paid


def purchases(agreements: Iterable[Agreement], start: date, end: date) -> list[Purchase]:
    """What was called off from one day to another (not included), by agreement and member."""
    found = []
    for agreement in sorted(agreements, key=lambda one: one.slug):
        inside = [c for c in agreement.call_offs if start <= c.on < end]
        for member in sorted({c.member for c in inside}):
            quantity = sum(c.quantity for c in inside if c.member == member)
            found.append(
                Purchase(
                    agreement=agreement.slug,
                    member=member,
                    quantity=quantity,
                    alone=to_ore(agreement.baseline) * quantity,
                    paid=to_ore(agreement.price) * quantity,
                )
            )
    return found


def saved(bought: Sequence[Purchase]) -> int:
    """What all of them saved, in øre; less than zero if together it was dearer."""
    return sum(one.saved for one in bought)
