"""`fleet report cost`"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.app import App
from fleet.cli.options import Language, MemberOption, Output, OutputOption, open_app
from fleet.cli.report_rows import PublicOption, give_rows, inventory_with, look_of, write
from fleet.cli.show import count_of, note, show_rows, show_value
from fleet.core.cost import Key, Statement, WhatIf
from fleet.core.inventory import Inventory
from fleet.core.moment import local, parse_moment
from fleet.core.money import from_ore, to_amount
from fleet.core.record import Record
from fleet.errors import Malformed, NotFound
from fleet.flows.cost import (
    Wanted,
    differences,
    lines_of,
    parse_rule,
    report_cost,
    to_document,
    to_row,
    to_rule,
)
from fleet.report.table import SUFFIXES

if TYPE_CHECKING:
    from fleet.flows.books import Books

_COLUMNS = {
    "member": "Member",
    "name": "Name",
    "population": "Population",
    "days": "Days",
    "share": "NOK",
}
_LINES = {"name": "Of", "share": "NOK"}
_DIFFERENCES = {
    "member": "Member",
    "before": "Before",
    "after": "After",
    "difference": "Difference",
    "why": "Why",
}
_CHANGES = ("before", "after", "difference")
PAGES = (".html", ".pdf")
AmountOption = Annotated[
    str | None,
    typer.Option("--amount", metavar="NOK", help="To share; default: the contracts' cost."),
]
PopulationDateOption = Annotated[
    str | None, typer.Option("--population-date", metavar="DATE", help="1 January of a year.")
]
_YEARS = range(1838, 2200)  # since Norway has municipalities


def cost(
    year: Annotated[int | None, typer.Option("--year", help="Default: this year.")] = None,
    amount: AmountOption = None,
    population_date: PopulationDateOption = None,
    rule: Annotated[
        str | None,
        typer.Option("--rule", metavar="population=70,equal=30", help="Default: fleet.toml's."),
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option("--without", metavar="MEMBER[=DATE]", help="What if it leaves (on that day)?"),
    ] = None,
    with_: Annotated[
        list[str] | None,
        typer.Option("--with", metavar="MEMBER[=DATE]", help="What if it joins (on that day)?"),
    ] = None,
    against: Annotated[
        str | None,
        typer.Option(
            "--against", metavar="YEAR|now", help="Show the difference to a year, or to how it is."
        ),
    ] = None,
    member: MemberOption = None,
    public: PublicOption = False,
    language: Annotated[
        Language | None,
        typer.Option("--language", help="Of a page; default: the member's, or fleet.toml's."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help=".html .pdf .csv .xlsx .json .yaml"),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """What each member pays of an amount, or of the year's contracts, to the øre.

    Each day costs its part of the year, shared by that day's members; the joining day counts, the
    leaving day does not. --rule, --with and --without only ask what if: nothing is stored.

    \b
    Example:
      fleet report cost --amount 10000000 --year 2013
      fleet report cost --year 2024 --member smola --language nn --out smola.pdf
      fleet report cost --year 2019 --amount 1000000 --without halsa --against now
      fleet report cost --year 2024 --rule population=60,equal=40 --against now
    """
    fleet = open_app()
    which = check_year(year if year is not None else local(fleet.now()).year, "--year")
    wanted = Wanted(
        year=which,
        key=own_rule(fleet) if rule is None else _rule(rule),
        amount=None if amount is None else _amount(amount),
        population_date=read_population_date(population_date, which),
        changes=_both(_changes(without, which, "left"), _changes(with_, which, "joined")),
    )
    if out is not None and out.suffix in PAGES and against is None:
        _write_page(fleet, wanted, member, language, out, public=public)
    else:
        _report(fleet, wanted, member, against, out, output, public=public)


def _write_page(
    fleet: App,
    wanted: Wanted,
    member: str | None,
    language: Language | None,
    out: Path,
    *,
    public: bool,
) -> None:
    """A page for leaders."""
    from fleet.report.cost_page import render_cost
    from fleet.report.files import to_pdf

    inventory = inventory_with(fleet, member)
    books = fleet.books(inventory)
    made = report_cost(inventory, wanted, books)
    row = next((row for row in made.rows if row.member == member), None)
    if member is not None and row is None:
        raise NotFound(f"{member} is no member in {wanted.year}", hint="fleet list members --at")
    of = inventory.members[member] if member else None
    look = look_of(fleet, of, language, public=public)
    labels = labels_of(inventory, books)
    page = render_cost(made, look, labels, row)
    write(out, to_pdf(page) if out.suffix == ".pdf" else page.encode())
    note(f"wrote {out}")


def labels_of(inventory: Inventory, books: "Books") -> dict[str, str]:
    """What people call what the year costs."""
    labels = {c.slug: f"{c.supplier} ({c.slug})" for c in inventory.contracts.values()}
    return labels | {line.slug: line.name for line in books.costs}


def _report(
    fleet: App,
    wanted: Wanted,
    member: str | None,
    against: str | None,
    out: Path | None,
    output: Output,
    *,
    public: bool,
) -> None:
    inventory = inventory_with(fleet, member)
    books = fleet.books(inventory)
    made = report_cost(inventory, wanted, books)
    if against is not None:
        other = report_cost(inventory, _other(wanted, own_rule(fleet), against), books)
        rows = [r for r in differences(other, made) if member in (None, r["member"])]
        _give(rows, _DIFFERENCES, out, output)
        if member is not None and out is None and output is Output.TABLE:
            columns = {"name": "Of", **{n: _DIFFERENCES[n] for n in _CHANGES}}
            show_rows([line for row in rows for line in row["lines"]], output, columns)
        return
    mine = [row for row in made.rows if member in (None, row.member)]
    if not mine:
        raise NotFound(f"{member} is no member in {wanted.year}", hint="fleet list members --at")
    if out is None and output in (Output.JSON, Output.YAML):
        lines = [{} if public else {"lines": lines_of(row)} for row in mine]
        rows = [to_row(row) | more for row, more in zip(mine, lines, strict=True)]
        pots: Record = {"pots": []} if public else {}
        show_value(to_document(made, wanted.key) | pots | {"rows": rows}, output)
    else:
        _give([to_row(row) for row in mine], _COLUMNS, out, output)
    if member is not None and out is None and output is Output.TABLE and not public:
        show_rows([line for row in mine for line in lines_of(row)], output, _LINES)
    _tell(made, wanted.key)


def _give(
    rows: Sequence[Record], columns: Mapping[str, str], out: Path | None, output: Output
) -> None:
    flat = [r | {"why": "; ".join(r["why"])} for r in rows] if "why" in columns else None
    kinds = SUFFIXES if flat else (*PAGES, *SUFFIXES)
    give_rows(rows, columns, out, output, title="cost", shown=flat, kinds=kinds)


def _tell(made: Statement, key: Key) -> None:
    """How it was counted."""
    parts = ", ".join(f"{name} {weight}" for name, weight in to_rule(key).items())
    note(
        f"{from_ore(made.ore)} NOK in {made.year} over {count_of(len(made.rows), 'member')} by "
        f"{parts}; populations of {made.population_date}; each day by its members"
    )


def own_rule(fleet: App) -> Key:
    """The cooperation's rule, as the settings have it."""
    weights = fleet.workspace.settings.cooperation.cost_rule
    return Key({name: Fraction(weight) for name, weight in weights.items()})


def _other(wanted: Wanted, own: Key, against: str) -> Wanted:
    """What a statement is held against: another year, or the same without what if."""
    plain = replace(wanted, key=own, changes={})
    if against == "now":
        return plain
    if not against.isdecimal():
        raise typer.BadParameter("it is a year, or `now`", param_hint="--against")
    return replace(plain, year=check_year(int(against), "--against"), population_date=None)


def check_year(year: int, option: str) -> int:
    """A year that may be asked for with an option."""
    if year not in _YEARS:
        raise typer.BadParameter(f"{year} is no year of a cooperation", param_hint=option)
    return year


def _amount(text: str) -> Decimal:
    try:
        return to_amount(text)
    except ValueError as error:
        raise typer.BadParameter(
            f"{error}; write it with a point: 1250000.00", param_hint="--amount"
        ) from error


def _rule(text: str) -> Key:
    try:
        return parse_rule(text)
    except ValueError as error:
        raise typer.BadParameter(str(error), param_hint="--rule") from error


def read_population_date(text: str | None, year: int) -> date | None:
    """The day whose populations count, as it was typed.

    Raises:
        Malformed: it is no 1 January, or lies after the year.
    """
    if text is None:
        return None
    day = _day(text, "--population-date")
    if (day.month, day.day) != (1, 1):
        raise Malformed(
            f"populations are known for 1 January of a year, not for {day}",
            hint=f"--population-date {day.year}-01-01",
        )
    if day.year > year:
        raise Malformed(
            f"the population date {day} lies after the year {year}",
            hint=f"--population-date {year}-01-01, or an earlier year's",
        )
    return day


def _day(text: str, option: str) -> date:
    found = parse_moment(text)
    if isinstance(found, datetime):
        raise typer.BadParameter(f"`{text}` is no day", param_hint=option)
    return found


def _both(left: Mapping[str, WhatIf], joined: Mapping[str, WhatIf]) -> dict[str, WhatIf]:
    if both := sorted(left.keys() & joined.keys()):
        raise typer.BadParameter(f"{both[0]} both joins and leaves", param_hint="--with, --without")
    return {**left, **joined}


def _changes(given: list[str] | None, year: int, field: str) -> dict[str, WhatIf]:
    changes = {}
    for text in given or []:
        member, _, day = text.partition("=")
        option = "--without" if field == "left" else "--with"
        if member in changes:
            raise typer.BadParameter(f"{member} stands there twice", param_hint=option)
        when = _day(day, option) if day else date(year, 1, 1)
        changes[member] = WhatIf(**{field: when})
    return changes
