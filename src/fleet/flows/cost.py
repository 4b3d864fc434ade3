"""What each member pays in a year: of one amount, or of the contracts; also as it might be."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from fleet.core.cost import AMOUNT, ROUNDING, Key, Pot, Row, Statement, WhatIf, pots_of, state
from fleet.core.cost_line import Sharing, pots_of_lines
from fleet.core.inventory import Inventory
from fleet.core.money import from_ore, to_ore
from fleet.core.record import Record
from fleet.errors import Malformed, NotFound

if TYPE_CHECKING:
    from fleet.flows.books import Books


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which money is shared, and how.

    Args:
        amount: in kroner; None: what the contracts cost in the year.
        population_date: None: 1 January of the year.
        changes: memberships as they might be, by member.
    """

    year: int
    key: Key
    amount: Decimal | None = None
    population_date: date | None = None
    changes: Mapping[str, WhatIf] = field(default_factory=dict)


def report_cost(inventory: Inventory, wanted: Wanted, books: "Books | None" = None) -> Statement:
    """Share the money of a year among the members.

    Args:
        books: with the costs beside the contracts.

    Raises:
        NotFound: a member is not there, or there is nothing to share.
        Malformed: a population is not known, or a day has nobody to pay for it.
    """
    for member in wanted.changes:
        if member not in inventory.members:
            raise NotFound(f"there is no member `{member}`", hint="fleet list members --all")
    year = wanted.year
    if wanted.amount is None:
        pots = _all_pots(inventory, wanted, books)
        if not pots:
            raise NotFound(
                f"nothing costs anything in {year}",
                hint="give an --amount, or `cost_per_year` in inventory/contracts.yaml, or a line "
                "in inventory/costs.yaml",
            )
    else:
        start, end = date(year, 1, 1), date(year + 1, 1, 1)
        pots = [Pot(name=AMOUNT, ore=to_ore(wanted.amount), key=wanted.key, start=start, end=end)]
    day = wanted.population_date or date(year, 1, 1)
    statement = state(inventory, year, pots, population_date=day, changes=wanted.changes)
    if books is not None and wanted.amount is None and not wanted.changes:
        _check_own(pots, statement, {c.slug for c in books.costs if c.sharing is Sharing.OWN})
    return statement


def _check_own(pots: Sequence[Pot], statement: Statement, own: Container[str]) -> None:
    """Refuse a member's own cost on days on which it is no member: nobody would pay for these."""
    for before, after in zip(pots, statement.pots, strict=True):
        if before.name in own and before.ore != after.ore:
            missing = from_ore(before.ore - after.ore)
            raise Malformed(
                f"inventory/costs.yaml: {before.name}: {missing} NOK of it fall on days on which "
                f"{', '.join(before.each or ())} is no member, so nobody would pay them",
                hint="end it with `until` on the day on which the member left, or share it",
            )


def _all_pots(inventory: Inventory, wanted: Wanted, books: "Books | None") -> list[Pot]:
    for slug in (*inventory.contracts, *(line.slug for line in (books.costs if books else ()))):
        if slug in (AMOUNT, ROUNDING):
            raise Malformed(
                f"`{slug}` is the name of a line that every statement may have",
                hint="give that contract or cost another slug",
            )
    pots = pots_of(inventory.contracts.values(), wanted.year, wanted.key)
    if books is not None:
        for line in books.costs:
            if line.slug in inventory.contracts:
                raise Malformed(
                    f"inventory/costs.yaml: `{line.slug}` is also a contract's slug",
                    hint="give the line another slug: a statement has a line for each",
                )
        pots += pots_of_lines(books.costs, books.indexes, wanted.year, wanted.key)
    return pots


def to_document(statement: Statement, key: Key) -> Record:
    """A statement as other programs read it; amounts are text in kroner."""
    return {
        "year": statement.year,
        "population_date": statement.population_date.isoformat(),
        "amount": from_ore(statement.ore),
        "rule": to_rule(key),
        "pots": [
            {
                "name": pot.name,
                "amount": from_ore(pot.ore),
                "from": pot.start.isoformat(),
                "to": pot.end.isoformat(),
                "sharing": sharing_of(pot).value,
                "rule": to_rule(pot.key) if sharing_of(pot) is Sharing.SHARED else None,
                "by": sorted(pot.weights or pot.each or {}),
                "only": sorted(pot.only or ()),
            }
            for pot in statement.pots
        ],
        "rows": [to_row(row) | {"lines": lines_of(row)} for row in statement.rows],
    }


def sharing_of(pot: Pot) -> Sharing:
    """Whose the money of a pot is."""
    mine = pot.each or pot.weights
    if mine is None:
        return Sharing.SHARED
    return Sharing.OWN if len(mine) == 1 else Sharing.USE


def to_row(row: Row) -> Record:
    """What one member pays."""
    return {
        "member": row.member,
        "name": row.name,
        "number": row.number,
        "population": row.population,
        "days": row.days,
        "share": from_ore(row.ore),
    }


def lines_of(row: Row) -> list[Record]:
    """The lines that add up to what a member pays."""
    return [{"name": name, "share": from_ore(ore)} for name, ore in ore_of(row).items()]


def ore_of(row: Row | None) -> dict[str, int]:
    """What a member pays of each pot, in øre, and a last line for what these were rounded down.

    Øre are made once for all of it: so the lines are rounded down, and the rest has a line.
    """
    if row is None:
        return {}
    if len(row.parts) == 1:
        return dict.fromkeys(row.parts, row.ore)
    whole = {name: int(part) for name, part in row.parts.items()}
    return {**whole, ROUNDING: row.ore - sum(whole.values())}


def to_rule(key: Key) -> Record:
    """The weights of a key, whole ones as numbers."""
    return {
        name: int(weight) if weight.denominator == 1 else str(float(weight))
        for name, weight in key.weights.items()
    }


def parse_rule(text: str) -> Key:
    """A key as it is written: `population=70,equal=30`.

    Raises:
        ValueError: with what is wrong with it.
    """
    weights: dict[str, Fraction] = {}
    for part in text.split(","):
        name, equals, value = (x.strip() for x in part.partition("="))
        if not equals or not value.replace(".", "", 1).isdecimal() or not value.isascii():
            raise ValueError(f"`{part.strip()}` is not of the form population=70")
        if name in weights:
            raise ValueError(f"`{name}` stands twice")
        weights[name] = Fraction(value)
    return Key(weights)


def differences(before: Statement, after: Statement) -> list[Record]:
    """What each member pays more or less than in another statement, and why."""
    old = {row.member: row for row in before.rows}
    new = {row.member: row for row in after.rows}
    found = []
    for member in sorted(old.keys() | new.keys()):
        was, now = old.get(member), new.get(member)
        found.append(
            {
                "member": member,
                "before": from_ore(was.ore if was else 0),
                "after": from_ore(now.ore if now else 0),
                "difference": from_ore((now.ore if now else 0) - (was.ore if was else 0)),
                "why": _why(before, after, was, now),
                "lines": _line_differences(ore_of(was), ore_of(now)),
            }
        )
    return found


def _line_differences(was: Mapping[str, int], now: Mapping[str, int]) -> list[Record]:
    """What each line adds to the difference, the largest first."""
    both = {name: now.get(name, 0) - was.get(name, 0) for name in {**was, **now}}
    return [
        {
            "name": name,
            "before": from_ore(was.get(name, 0)),
            "after": from_ore(now.get(name, 0)),
            "difference": from_ore(difference),
        }
        for name, difference in sorted(both.items(), key=lambda item: (-abs(item[1]), item[0]))
    ]


def _why(before: Statement, after: Statement, was: Row | None, now: Row | None) -> Sequence[str]:
    if was is None or now is None:
        return ["not a member before" if was is None else "no member any more"]
    reasons = []
    if was.days != now.days:
        reasons.append(f"member for {now.days} days, before {was.days}")
    if was.population != now.population:
        reasons.append(f"{now.population - was.population:+d} inhabitants")
    everybody = [sum(r.population for r in s.rows) for s in (before, after)]
    if everybody[0] != everybody[1]:
        reasons.append(f"{everybody[1] - everybody[0]:+d} inhabitants in all")
    if len(before.rows) != len(after.rows):
        reasons.append(f"{len(after.rows)} members, before {len(before.rows)}")
    if before.ore != after.ore:
        reasons.append(f"{from_ore(after.ore - before.ore)} kr more to share")
    return reasons
