"""`fleet report adoption`"""

from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.at import AtOption, instant
from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import Output, OutputOption, open_app
from fleet.cli.show import count_of, note, show_rows
from fleet.core.inventory import SiteKind
from fleet.core.moment import local
from fleet.core.record import Record
from fleet.errors import NotFound
from fleet.flows.adoption import report_adoption
from fleet.report.table import SUFFIXES, table_to_bytes


def adoption(
    at: AtOption = None,
    service: Annotated[str | None, typer.Option("--service", help="Only this one (slug).")] = None,
    sites: Annotated[
        list[SiteKind] | None,
        typer.Option("--sites", metavar="KIND", help="List the sites of this kind without it."),
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help=".csv .xlsx .json .yaml")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Which members use which service, in which variant, and who is later than planned.

    Counted are the members of that day. Ends with 1 if somebody is late, or a site does without.

    \b
    Example:
      fleet report adoption --at 2013-06-01
      fleet report adoption --service oppvekst --sites school --sites kindergarten
    """
    fleet = open_app()
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    day = local(fleet.now() if at is None else instant(fleet, at)).date()
    rows = report_adoption(fleet.inventory(), day, service, sites or [])
    if out is not None:
        if out.suffix not in SUFFIXES:
            raise typer.BadParameter(
                f"a file that ends in {', '.join(SUFFIXES)}", param_hint="--out"
            )
        out.write_bytes(table_to_bytes(rows, out.suffix, "adoption"))
        note(f"wrote {count_of(len(rows), 'row')} to {out}")
    else:
        shown = [_flat(row) for row in rows] if output is Output.TABLE else rows
        show_rows(shown, output, _COLUMNS | ({"sites_without": "Sites without"} if sites else {}))
    note(f"on {day}; of the members of that day")
    finish(FINDINGS if any(r["overdue"] or r.get("sites_without") for r in rows) else 0)


_COLUMNS = {
    "service": "Service",
    "using": "Using",
    "members": "Of",
    "percent": "%",
    "used_by": "Members",
    "variants": "Variants",
    "overdue": "Late",
    "planned": "Planned",
}


def _flat(row: Record) -> Record:
    """A row for the eye: all members are not named one by one, nor every variant and day."""
    is_all = row["using"] == row["members"]
    return row | {
        "used_by": "all" if is_all else ", ".join(row["used_by"]),
        "variants": _grouped(row["variants"], is_all=is_all),
        "overdue": _grouped(row["overdue"]),
        "planned": _grouped(row["planned"]),
        "sites_without": ", ".join(row.get("sites_without", [])),
    }


def _grouped(values: Mapping[str, str | None], *, is_all: bool = False) -> str:
    """Members by what they have in common: `2027-03-01: aure, averoy`."""
    groups: dict[str, list[str]] = defaultdict(list)
    for member, value in values.items():
        groups[value or "without a day"].append(member)
    if is_all and len(groups) == 1:
        return next(iter(groups))
    return "; ".join(f"{value}: {', '.join(names)}" for value, names in sorted(groups.items()))
