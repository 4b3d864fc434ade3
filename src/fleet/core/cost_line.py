"""Costs beside the contracts: shared by a key, a member's own, or by what each uses."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from fractions import Fraction

from fleet.core.cost import Key, Pot, to_weights, whole_ore
from fleet.errors import Malformed


class Sharing(StrEnum):
    """Whose a cost is."""

    SHARED = "shared"  # everybody's, by a key
    OWN = "own"  # one member's
    USE = "use"  # by quantity


@dataclass(frozen=True, slots=True, kw_only=True)
class Index:
    """A price index: its value for each year, and who publishes it."""

    slug: str
    name: str
    source: str
    values: Mapping[int, Decimal]


@dataclass(frozen=True, slots=True, kw_only=True)
class Regulation:
    """That a yearly amount follows an index: it is that of the year `base`."""

    index: str
    base: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CostLine:
    """A cost, or an income if it is negative.

    Args:
        until: the first day on which it no longer costs anything.
        once: NOK, on the day `from`.
        per_year: NOK a year.
        price: NOK a year for one of what is used; the quantities say how many there are.
        split: weights; None: the cooperation's rule.
        share_only: the members that share it; empty: all of a day's.
        member: whose own it is.
        quantities: what each member uses, in `unit`.
        service: that it is for.
    """

    slug: str
    name: str
    sharing: Sharing
    from_: date
    until: date | None = None
    once: Decimal | None = None
    per_year: Decimal | None = None
    price: Decimal | None = None
    regulation: Regulation | None = None
    split: Mapping[str, int] | None = None
    share_only: tuple[str, ...] = ()
    member: str | None = None
    quantities: Mapping[str, int] = field(default_factory=dict)
    unit: str | None = None
    service: str | None = None

    @property
    def key(self) -> str:
        return self.slug


def pots_of_lines(
    lines: Iterable[CostLine], indexes: Mapping[str, Index], year: int, key: Key
) -> list[Pot]:
    """What cost lines cost in a year, to the whole øre.

    What is paid once falls on its day; a yearly amount is spread over the days of the year.

    Args:
        key: of those that have none of their own.

    Raises:
        Malformed: an index has no value for the year.
    """
    first, after = date(year, 1, 1), date(year + 1, 1, 1)
    found = []
    for line in sorted(lines, key=lambda one: one.slug):
        until = line.from_ + timedelta(days=1) if line.once is not None else line.until or after
        start, end = max(line.from_, first), min(until, after)
        if end <= start:
            continue
        days = (end - start).days
        if line.once is not None:
            exact = Fraction(line.once)
        else:
            exact = _yearly(line, indexes, year) * days / (after - first).days
        ore = whole_ore(exact * 100)
        is_by_use = line.sharing is Sharing.USE and line.price is None
        pot = Pot(
            name=line.slug,
            ore=ore,
            key=_key(line, key),
            start=start,
            end=end,
            only=frozenset(line.share_only) or None,
            weights=to_weights(line.quantities) if is_by_use else None,
            each=_each(line, Fraction(ore, days)),
        )
        found.append(pot)
    return found


def _each(line: CostLine, a_day: Fraction) -> Mapping[str, Fraction] | None:
    """What members pay for themselves alone: their own costs, and what they use at its price."""
    if line.sharing is Sharing.OWN:
        return {line.member or "": a_day}
    if line.price is None:
        return None
    every = sum(line.quantities.values()) or 1
    return {m: a_day * count / every for m, count in line.quantities.items() if count}


def _yearly(line: CostLine, indexes: Mapping[str, Index], year: int) -> Fraction:
    if line.price is not None:
        yearly = Fraction(line.price) * sum(line.quantities.values())
    else:
        yearly = Fraction(line.per_year or 0)
    if line.regulation is None:
        return yearly
    index = indexes[line.regulation.index]
    for wanted in (year, line.regulation.base):
        if wanted not in index.values:
            raise Malformed(
                f"{line.slug} follows {index.name}, which has no value for {wanted}",
                hint=f"inventory/indexes.yaml: {index.slug}: values: {{{wanted}: …}}",
            )
    return yearly * Fraction(index.values[year]) / Fraction(index.values[line.regulation.base])


def _key(line: CostLine, key: Key) -> Key:
    return key if line.split is None else Key(to_weights(line.split))
