"""`fleet report compare`, `staffing` and `balance`"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Annotated

import typer

from fleet.app import App
from fleet.cli.options import MemberOption, Output, OutputOption, open_app
from fleet.cli.report_cost import check_year, own_rule
from fleet.cli.report_rows import OutOption, give_rows, inventory_until, inventory_with
from fleet.cli.report_uptime import make_uptime
from fleet.cli.show import note
from fleet.core.comparison import FEWEST_EVENTS, Compared
from fleet.core.cost import Statement, population_of
from fleet.core.figures import SMALLEST_GROUP, FigureKind
from fleet.core.inventory import Inventory
from fleet.core.moment import local, to_us
from fleet.core.uptime import By
from fleet.errors import NotFound
from fleet.flows.balance import balance as balance_of
from fleet.flows.balance import population_date
from fleet.flows.books import Books
from fleet.flows.compare import compare as compare_members
from fleet.flows.compare import staffing as staffing_of
from fleet.flows.compare import to_anonymous, to_row
from fleet.flows.cost import Wanted as WantedCost
from fleet.flows.cost import report_cost
from fleet.flows.report import Wanted

_COLUMNS = {
    "member": "Member",
    "population": "Population",
    "users": "Users",
    "devices": "Devices",
    "devices_per_1000": "per 1,000",
    "age_years": "Age, years",
    "incidents_per_1000_users": "Incidents per 1,000 users",
    "rank": "Rank",
    "availability_percent": "Available %",
    "measured_percent": "Measured %",
    "cost_per_inhabitant": "NOK per inhabitant",
    "cost_per_user": "NOK per user",
    "services": "Services",
    "tickets_per_1000": "Tickets per 1,000",
}
_POSTS = {
    "year": "Year",
    "posts": "Posts",
    "devices_per_post": "Devices per post",
    "sites_per_post": "Sites per post",
    "users_per_post": "Users per post",
}
_BALANCE = {
    "year": "Year",
    "member": "Member",
    "benefit": "Had of it NOK",
    "paid": "Paid NOK",
    "net": "Net NOK",
    "so_far": "So far NOK",
}
_YearOption = Annotated[int | None, typer.Option("--year", help="Default: last year.")]
_FirstOption = Annotated[int | None, typer.Option("--from", help="First year; default: 4 before.")]
_LastOption = Annotated[int | None, typer.Option("--to", help="Last year; default: this one.")]


def compare(
    year: _YearOption = None,
    anonymous: Annotated[
        bool, typer.Option("--anonymous", help="Without names and sizes, for others to read.")
    ] = False,
    member: MemberOption = None,
    out: OutOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Members side by side: what they have, pay and use, per 1,000 inhabitants and per user.

    Small numbers say nothing: who had fewer than 5 incidents has no rank, and surveys with fewer
    than 5 answers are left blank.

    \b
    Example:
      fleet report compare --year 2025
      fleet report compare --year 2025 --anonymous --out compare.csv
    """
    fleet = open_app()
    if anonymous and member is not None:
        raise typer.BadParameter("one member alone is not anonymous", param_hint="--anonymous")
    which = check_year(year or local(fleet.now()).year - 1, "--year")
    inventory = inventory_with(fleet, member)
    books = fleet.books(inventory)
    rows = _compared(fleet, inventory, books, which)
    mine = [row for row in rows if member in (None, row.member)]
    columns = _COLUMNS if not anonymous else {k: v for k, v in _COLUMNS.items() if k not in _SIZE}
    published = {s.slug for s in books.figures if s.kind is FigureKind.INDICATOR}
    found = to_anonymous(rows, published) if anonymous else [to_row(row) for row in mine]
    others = sorted({name for row in found for name in row["figures"]})
    flat = [{**row["figures"], **row} for row in found]
    columns |= {name: name for name in others if name not in columns}
    give_rows(found, columns, out, output, title="compare", shown=flat)
    _tell(rows, which)


_SIZE = ("population", "users", "devices", "cost_per_inhabitant")


def _compared(fleet: App, inventory: Inventory, books: Books, year: int) -> list[Compared]:
    after = date(year + 1, 1, 1)
    now = local(fleet.now()).date()
    then = inventory_until(fleet, after)
    assert fleet.reader is not None
    period = (to_us(date(year, 1, 1)), to_us(min(after, now + timedelta(days=1))))
    if period[0] >= period[1]:
        raise NotFound(f"{year} is still to come", hint="--year")
    uptime = make_uptime(fleet, fleet.reader, Wanted(period=period, by=By.MEMBER))
    day = min(after - timedelta(days=1), now)
    people = population_date(inventory, year)
    statement = _statement(fleet, inventory, books, year, people)
    note(f"populations of {people}")
    return compare_members(
        then,
        books,
        year,
        day,
        uptime=uptime.rows,
        statement=statement,
        people={m: population_of(inventory, inventory.members[m], people) for m in then.members},
    )


def _statement(
    fleet: App, inventory: Inventory, books: Books, year: int, people: date
) -> Statement | None:
    """What members pay in a year; None if nothing cost anything."""
    try:
        wanted = WantedCost(year=year, key=own_rule(fleet), population_date=people)
        return report_cost(inventory, wanted, books)
    except NotFound:
        return None


def _tell(rows: Sequence[Compared], year: int) -> None:
    incidents = sum(row.incidents for row in rows)
    note(
        f"{year}, {len(rows)} members, {incidents} incidents; no rank with fewer than "
        f"{FEWEST_EVENTS}, no survey with fewer than {SMALLEST_GROUP} answers"
    )


def staffing(
    first: _FirstOption = None,
    last: _LastOption = None,
    out: OutOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Devices, sites and users per full-time post, by year: as it was on 31 December, or is now.

    \b
    Example:
      fleet report staffing --from 2022
    """
    fleet = open_app()
    inventory = inventory_with(fleet)
    years = _years(fleet, first, last)
    thens = [inventory_until(fleet, date(year + 1, 1, 1)) for year in years]
    rows = staffing_of(fleet.books(inventory), years, thens)
    give_rows(rows, _POSTS, out, output, title="staffing")


def balance(
    first: _FirstOption = None,
    last: _LastOption = None,
    member: MemberOption = None,
    out: OutOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """What the cooperation was worth to each member: what it saved and had, less what it paid.

    Savings are those of joint purchases; other benefits stand in inventory/figures.yaml.

    \b
    Example:
      fleet report balance --from 2022 --member smola
    """
    fleet = open_app()
    inventory = inventory_with(fleet, member)
    years = _years(fleet, first, last)
    rows = balance_of(inventory, fleet.books(inventory), years, own_rule(fleet))
    mine = [row for row in rows if member in (None, row["member"])]
    give_rows(mine, _BALANCE, out, output, title="balance")


def _years(fleet: App, first: int | None, last: int | None) -> list[int]:
    end = check_year(last or local(fleet.now()).year, "--to")
    begin = check_year(first or end - 4, "--from")
    if begin > end:
        raise typer.BadParameter(f"it comes after {end}", param_hint="--from")
    return list(range(begin, end + 1))
