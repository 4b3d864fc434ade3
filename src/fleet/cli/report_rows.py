"""What reports of rows have in common: the inventory they are about, and where the rows go."""

from collections.abc import Collection, Mapping, Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer

from fleet import shipped
from fleet.app import App
from fleet.cli.options import Language, Output
from fleet.cli.show import count_of, note, show_rows
from fleet.core.inventory import Inventory, Member
from fleet.core.moment import to_instant
from fleet.core.record import Record
from fleet.errors import NotFound, NotPermitted
from fleet.flows.lookup import open_view_at
from fleet.report.look import Look
from fleet.report.table import SUFFIXES, table_to_bytes
from fleet.report.words import LANGUAGES

# Columns of kroner: text in JSON, where it stays exact, and numbers in a workbook.
_AMOUNTS = frozenset(
    {"share", "amount", "alone", "paid", "saved", "before", "after", "difference"}
    | {"benefit", "net", "so_far", "price", "cost"}
)
OutOption = Annotated[
    Path | None, typer.Option("--out", metavar="FILE", help=".csv .xlsx .json .yaml")
]


PAGES = (".html", ".pdf")
PageOption = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help=".html .pdf as a page; .csv .xlsx .json .yaml"),
]
LanguageOption = Annotated[
    Language | None, typer.Option("--language", help="Of the page; default: fleet.toml's.")
]
PublicOption = Annotated[
    bool, typer.Option("--public", help="For everybody: without what only concerns operators.")
]


def inventory_with(fleet: App, member: str | None = None) -> Inventory:
    """The joint inventory, with a member that was asked for.

    Raises:
        NotFound: nothing was synced yet, or there is no such member.
    """
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    inventory = fleet.inventory()
    if member is not None and member not in inventory.members:
        raise NotFound(f"there is no member `{member}`", hint="fleet list members")
    return inventory


def look_of(
    fleet: App, member: Member | None, language: Language | None, *, public: bool = False
) -> Look:
    """How a page is made: in the language that was asked for, else the member's, else the usual."""
    cooperation = fleet.workspace.settings.cooperation
    own = member.language.value if member else ""
    usual = own if own in LANGUAGES else cooperation.language
    return Look(
        language=language.value if language else usual,
        cooperation=cooperation.name,
        templates=[fleet.workspace.root / "templates", shipped.templates()],
        is_public=public,
    )


def inventory_until(fleet: App, end: date) -> Inventory:
    """The inventory as it was when a day began, a moment before; as it is now if that is to come.

    What ended with the period is there, what began with the next is not.
    """
    assert fleet.reader is not None
    at = min(to_instant(end) - timedelta(microseconds=1), fleet.now())
    return open_view_at(fleet.reader, at, None).inventory


def give_rows(
    rows: Sequence[Record],
    columns: Mapping[str, str],
    out: Path | None,
    output: Output,
    *,
    title: str,
    shown: Sequence[Record] | None = None,
    kinds: Sequence[str] = SUFFIXES,
    hidden: Collection[str] = (),
) -> None:
    """Show rows, or write them to a file.

    Args:
        columns: field → head, of a table to look at.
        title: of the sheet in a workbook.
        shown: the rows as a person reads them; as they are if None.
        kinds: of files that the report can be.
        hidden: fields that a public variant does not have.
    """
    rows, shown = _without(rows, hidden), None if shown is None else _without(shown, hidden)
    columns = {name: head for name, head in columns.items() if name not in hidden}
    if out is None:
        is_table = output is Output.TABLE and shown is not None
        show_rows((shown if is_table else rows) or [], output, columns)
        return
    if out.suffix not in SUFFIXES:
        raise typer.BadParameter(f"a file that ends in {', '.join(kinds)}", param_hint="--out")
    write(out, table_to_bytes(rows, out.suffix, title, fields=list(columns), amounts=_AMOUNTS))
    note(f"wrote {count_of(len(rows), 'row')} to {out}")


def _without(rows: Sequence[Record], hidden: Collection[str]) -> Sequence[Record]:
    return [{n: v for n, v in row.items() if n not in hidden} for row in rows] if hidden else rows


def names_of(inventory: Inventory, *kinds: str) -> dict[str, str]:
    """What people call things of some kinds ("service", "site", "member"), by slug."""
    found: dict[str, str] = {}
    if "service" in kinds:
        found |= {one.slug: one.name for one in inventory.services.values()}
    if "site" in kinds:
        found |= {one.slug: one.name for one in inventory.sites.values()}
    if "member" in kinds:
        found |= {one.slug: one.name for one in inventory.members.values()}
    return found


def write_page(out: Path, page: str) -> None:
    """Write a page as HTML or PDF, by its name, and say so."""
    from fleet.report.files import to_pdf

    write(out, to_pdf(page) if out.suffix == ".pdf" else page.encode())
    note(f"wrote {out}")


def write(out: Path, content: bytes) -> None:
    """Write a report to a file.

    Raises:
        NotPermitted: that is not possible.
    """
    try:
        out.write_bytes(content)
    except OSError as error:
        raise NotPermitted(f"cannot write {out}: {error.strerror}") from error
