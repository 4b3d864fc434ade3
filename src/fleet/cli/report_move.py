"""`fleet report move`"""

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from typing import Annotated

import typer

from fleet.app import App
from fleet.cli.options import Output, OutputOption, open_app
from fleet.cli.report_cost import own_rule
from fleet.cli.report_rows import inventory_with
from fleet.cli.show import note, show_rows, show_value
from fleet.core.cost import Key, Pot, Row, state
from fleet.core.cost_line import CostLine, pots_of_lines
from fleet.core.inventory import Inventory
from fleet.core.moment import local
from fleet.core.money import from_ore
from fleet.core.move import Load, Move, loads, move_quantities, plan_moves
from fleet.core.record import Record
from fleet.errors import Malformed, NotFound
from fleet.flows.balance import population_date
from fleet.flows.books import Books

_LOADS = {
    "site": "Site",
    "users": "Users",
    "users_after": "After",
    "capacity_mbps": "Mbit/s",
    "mbps_per_user": "per user",
    "mbps_per_user_after": "After ",
}
_COSTS = {"member": "Member", "before": "Before NOK", "after": "After NOK", "difference": "NOK"}


def move(
    sites: Annotated[list[str], typer.Argument(metavar="SITE[=USERS]…", help="Who moves.")],
    to: Annotated[str, typer.Option("--to", metavar="SITE", help="Where they go.")],
    service: Annotated[
        str | None, typer.Option("--service", help="Whose cost by use goes with them; else all.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """What if people of some sites worked at another: its load, and what members pay by use.

    Only asks what if: nothing is stored.

    \b
    Example:
      fleet report move smo-radhus=3 aur-radhus=4 --to krs-radhus --service lonn
    """
    fleet = open_app()
    inventory = inventory_with(fleet)
    if service is not None and service not in inventory.services:
        raise NotFound(f"there is no service `{service}`", hint="fleet list services")
    given = [_site(text) for text in sites]
    wanted = dict(given)
    if len(wanted) != len(given):
        raise Malformed("a site is named twice", hint="name each once, with all who move")
    users = {slug: count for slug, count in wanted.items() if count is not None}
    moves = plan_moves(inventory, list(wanted), to, users)
    found = [_load(one) for one in loads(inventory, moves)]
    costs = _costs(fleet, inventory, fleet.books(inventory), moves, service)
    if output in (Output.JSON, Output.YAML):
        show_value({"sites": found, "costs": costs}, output)
        return
    show_rows(found, output, _LOADS)
    if costs:
        show_rows(costs, output, _COSTS)
    note("what if; nothing was stored")


def _site(text: str) -> tuple[str, int | None]:
    slug, equals, count = text.partition("=")
    if equals and not count.isdecimal():
        raise Malformed(f"`{count}` is no number of users", hint=f"{slug}=3")
    return slug, int(count) if equals else None


def _load(one: Load) -> Record:
    before, after = (one.per_user(n) for n in (one.users, one.users_after))
    return {
        "site": one.site,
        "users": one.users,
        "users_after": one.users_after,
        "capacity_mbps": one.capacity_mbps,
        "mbps_per_user": _tenths(before),
        "mbps_per_user_after": _tenths(after),
    }


def _tenths(value: Fraction | None) -> float | None:
    return None if value is None else int(value * 10 + Fraction(1, 2)) / 10


def _costs(
    fleet: App, inventory: Inventory, books: Books, moves: Sequence[Move], service: str | None
) -> list[Record]:
    """What members pay by use, before and after, where that differs."""
    year, key = local(fleet.now()).year, own_rule(fleet)
    moved = move_quantities(inventory, books.costs, moves, service)
    changed = [line for line, old in zip(moved, books.costs, strict=True) if line != old]
    if not changed:
        return []
    slugs = {line.slug for line in changed}
    rows = [
        _rows(inventory, books, [line for line in lines if line.slug in slugs], year, key)
        for lines in (books.costs, moved)
    ]
    both = [{row.member: row.ore for row in one} for one in rows]
    return [
        {
            "member": member,
            "before": from_ore(both[0].get(member, 0)),
            "after": from_ore(both[1].get(member, 0)),
            "difference": from_ore(both[1].get(member, 0) - both[0].get(member, 0)),
        }
        for member in sorted({*both[0], *both[1]})
        if both[0].get(member, 0) != both[1].get(member, 0)
    ]


def _rows(
    inventory: Inventory, books: Books, lines: Sequence[CostLine], year: int, key: Key
) -> Sequence[Row]:
    pots: list[Pot] = pots_of_lines(lines, books.indexes, year, key)
    people: date = population_date(inventory, year)
    return state(inventory, year, pots, population_date=people).rows
