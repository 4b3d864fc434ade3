"""`fleet report board`"""

import re
from datetime import date
from pathlib import Path
from typing import Annotated

import typer

from fleet.app import App
from fleet.cli.options import Language, MemberOption, Output, OutputOption, open_app
from fleet.cli.report_cost import check_year, labels_of, own_rule
from fleet.cli.report_rows import inventory_until, inventory_with, look_of, write
from fleet.cli.report_uptime import make_uptime
from fleet.cli.show import note, say, show_value
from fleet.core.board import Board, Quarter
from fleet.core.inventory import Inventory
from fleet.core.moment import later, local, parse_moment, to_instant, to_us
from fleet.core.uptime import By
from fleet.errors import Malformed
from fleet.flows.board import board as board_of
from fleet.flows.board import to_document
from fleet.flows.books import Books
from fleet.flows.change import list_proposals, rules_of
from fleet.flows.report import Wanted

_PAGES = (".html", ".pdf")


def board(
    quarter: Annotated[
        str | None,
        typer.Option("--quarter", metavar="2026-Q3", help="Default: the last whole one."),
    ] = None,
    member: MemberOption = None,
    language: Annotated[
        Language | None,
        typer.Option("--language", help="Default: the member's, or fleet.toml's."),
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="For everybody: without machines and proposals.")
    ] = False,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help=".html .pdf"),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """One page for leaders: of a quarter, for the board or for one member.

    What we have, how long we were down and why, what we pay and why not the same as last year,
    what must be replaced and what ends, what we saved, what awaits our decision.

    \b
    Example:
      fleet report board --quarter 2026-Q3 --out board.pdf
      fleet report board --member smola --out smola.html
    """
    fleet = open_app()
    today = local(fleet.now()).date()
    which = _before(today) if quarter is None else _quarter(quarter, today)
    if out is not None and out.suffix not in _PAGES:
        raise typer.BadParameter(f"a file that ends in {', '.join(_PAGES)}", param_hint="--out")
    now = inventory_with(fleet, member)
    books = fleet.books(now)
    then = inventory_until(fleet, which.end)
    made = _make(fleet, then, books, which, member)
    if out is None and output is not Output.TABLE:
        show_value(to_document(made, is_public=public), output)
        return
    of = now.members[member] if member else None
    look = look_of(fleet, of, language, public=public)
    labels = labels_of(now, books)
    if out is None:
        from fleet.report.board_page import board_text

        say(board_text(made, look, then, labels))
        return
    from fleet.report.board_page import render_board
    from fleet.report.files import to_pdf

    page = render_board(made, look, then, labels)
    write(out, to_pdf(page) if out.suffix == ".pdf" else page.encode())
    note(f"wrote {out}")


def _make(
    fleet: App, inventory: Inventory, books: Books, quarter: Quarter, member: str | None
) -> Board:
    assert fleet.reader is not None
    period = (to_us(quarter.start), to_us(quarter.end))
    wanted = Wanted(period=period, by=By.SITE, member=member)
    rules = rules_of(fleet.workspace.settings.approval)
    # Of the last quarter, what awaits a decision now; of an earlier one, what was proposed then.
    is_past = later(quarter.end, 3) <= local(fleet.now()).date()
    until = to_instant(quarter.end) if is_past else fleet.now()
    proposals = [
        p
        for p in list_proposals(fleet.reader, rules, fleet.now())
        if p["title"] and to_instant(parse_moment(p["at"])) <= until
    ]
    return board_of(
        inventory,
        books,
        quarter,
        member,
        own_rule(fleet),
        everybody=fleet.inventory(),
        uptime=make_uptime(fleet, fleet.reader, wanted),
        proposals=proposals[::-1],
    )


def _quarter(text: str, today: date) -> Quarter:
    found = re.fullmatch(r"([0-9]{4})-?[QqKk]([1-4])", text)
    if not found:
        raise Malformed(f"`{text}` is no quarter", hint="write it like 2026-Q3")
    quarter = Quarter(check_year(int(found[1]), "--quarter"), int(found[2]))
    if quarter.start > today:
        raise Malformed(f"{quarter.name} is still to come", hint=f"--quarter {_before(today).name}")
    return quarter


def _before(today: date) -> Quarter:
    """The last quarter that is over."""
    number = (today.month - 1) // 3
    return Quarter(today.year, number) if number else Quarter(today.year - 1, 4)
