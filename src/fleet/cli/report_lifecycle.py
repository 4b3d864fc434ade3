"""`fleet report lifecycle`"""

from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.options import MemberOption, Output, OutputOption, open_app
from fleet.cli.show import count_of, note, show_rows
from fleet.core.lifecycle import End, endings, without_warranty
from fleet.core.moment import local
from fleet.core.record import Record
from fleet.errors import NotFound
from fleet.report.table import SUFFIXES, table_to_bytes

_COLUMNS = {
    "day": "Day",
    "what": "What",
    "name": "Of",
    "member": "Member",
    "about": "Supplier or model",
    "ring": "To ring",
    "phone": "Phone",
}
_WHAT = {
    "notice": "last day to give notice",
    "contract": "contract ends",
    "warranty": "warranty ends",
}


def lifecycle(
    months: Annotated[
        int, typer.Option("--months", min=1, max=600, help="How far to look ahead.")
    ] = 12,
    member: MemberOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help=".csv .xlsx .json .yaml")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """What ends in the next months: contracts, days to give notice, warranties, and whom to ring.

    \b
    Example:
      fleet report lifecycle --months 24 --member smola
    """
    fleet = open_app()
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    inventory = fleet.inventory()
    if member is not None and member not in inventory.members:
        raise NotFound(f"there is no member `{member}`", hint="fleet list members")
    today = local(fleet.now()).date()
    end = _later(today, months)
    found = [e for e in endings(inventory, today, end) if member in (None, e.member)]
    rows = [_row(one) for one in found]
    if out is None:
        is_table = output is Output.TABLE
        said = [row | {"what": _WHAT[row["what"]]} for row in rows] if is_table else rows
        show_rows(said, output, _COLUMNS)
    elif out.suffix not in SUFFIXES:
        raise typer.BadParameter(f"a file that ends in {', '.join(SUFFIXES)}", param_hint="--out")
    else:
        out.write_bytes(table_to_bytes(rows, out.suffix, "lifecycle"))
        note(f"wrote {count_of(len(rows), 'row')} to {out}")
    note(f"from {today} to {end - timedelta(days=1)}")
    if missing := without_warranty(inventory):
        note(f"{count_of(missing, 'device')} in use say nothing of a warranty (`warranty_until`)")


def _later(day: date, months: int) -> date:
    """The same day of a later month, or the first of the one after."""
    count = day.year * 12 + day.month - 1 + months
    try:
        return day.replace(year=count // 12, month=count % 12 + 1)
    except ValueError:
        return date((count + 1) // 12, (count + 1) % 12 + 1, 1)


def _row(one: End) -> Record:
    return {
        "day": one.day.isoformat(),
        "what": one.ending.value,
        "name": one.name,
        "member": one.member,
        "about": one.about,
        "ring": one.contact.role if one.contact else None,
        "phone": one.contact.phone if one.contact else None,
    }
