"""What the cooperation was worth to each member over the years: savings, less what was paid."""

from collections.abc import Sequence
from datetime import date
from decimal import Decimal

from fleet.core.cost import Key, population_of, stretches_of
from fleet.core.figures import FigureKind
from fleet.core.inventory import Inventory
from fleet.core.money import from_ore, to_ore
from fleet.core.procurement import purchases
from fleet.core.record import Record
from fleet.errors import Malformed, NotFound
from fleet.flows.books import Books
from fleet.flows.cost import Wanted, report_cost


def population_date(inventory: Inventory, year: int) -> date:
    """1 January of the newest year, not after another, of which all its members' people are known.

    Raises:
        Malformed: there is none.
    """
    there = {m for s in stretches_of(inventory.members.values(), year, {}) for m in s.members}
    known = {y for m in there for y in inventory.members[m].population if y <= year}
    for one in sorted(known, reverse=True):
        day = date(one, 1, 1)
        try:
            for member in there:
                population_of(inventory, inventory.members[member], day)
        except Malformed:
            continue
        return day
    raise Malformed(
        f"there is no year up to {year} of which all members' populations are known",
        hint=f"inventory/members.yaml: population: {{{year}: …}}",
    )


def balance(inventory: Inventory, books: Books, years: Sequence[int], key: Key) -> list[Record]:
    """For each year and member: what it saved and had of it, what it paid, and the sum so far.

    What is paid is the statement's share; a year in which nothing cost anything has none.
    """
    sums: dict[str, int] = {}
    rows = []
    for year in years:
        paid = _paid(inventory, books, year, key)
        gained = _gained(inventory, books, year)
        for member in sorted({*paid, *gained}):
            net = gained.get(member, 0) - paid.get(member, 0)
            sums[member] = sums.get(member, 0) + net
            rows.append(
                {
                    "year": year,
                    "member": member,
                    "benefit": from_ore(gained.get(member, 0)),
                    "paid": from_ore(paid.get(member, 0)),
                    "net": from_ore(net),
                    "so_far": from_ore(sums[member]),
                }
            )
    return rows


def _paid(inventory: Inventory, books: Books, year: int, key: Key) -> dict[str, int]:
    try:
        wanted = Wanted(year=year, key=key, population_date=population_date(inventory, year))
        return {row.member: row.ore for row in report_cost(inventory, wanted, books).rows}
    except NotFound:
        return {}


def _gained(inventory: Inventory, books: Books, year: int) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in purchases(books.agreements, date(year, 1, 1), date(year + 1, 1, 1)):
        found[one.member] = found.get(one.member, 0) + one.saved
    for series in books.figures:
        if series.kind is FigureKind.BENEFIT:
            for member in series.members:
                amount = series.of(member, year)
                if amount is not None:
                    ore = to_ore(amount.quantize(Decimal("0.01")))
                    found[member] = found.get(member, 0) + ore
    return found
