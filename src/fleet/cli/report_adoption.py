"""`fleet report adoption`"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Annotated

import typer

from fleet.cli.at import AtOption, instant
from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import Output, OutputOption, open_app
from fleet.cli.report_rows import OutOption, PublicOption, give_rows, inventory_with
from fleet.cli.show import note
from fleet.core.inventory import SiteKind
from fleet.core.moment import local
from fleet.core.record import Record
from fleet.flows.adoption import report_adoption


def adoption(
    at: AtOption = None,
    service: Annotated[str | None, typer.Option("--service", help="Only this one (slug).")] = None,
    sites: Annotated[
        list[SiteKind] | None,
        typer.Option("--sites", metavar="KIND", help="List the sites of this kind without it."),
    ] = None,
    public: PublicOption = False,
    out: OutOption = None,
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
    inventory = inventory_with(fleet)
    day = local(fleet.now() if at is None else instant(fleet, at)).date()
    rows = report_adoption(inventory, day, service, sites or [])
    columns = _COLUMNS | ({"sites_without": "Sites without"} if sites else {})
    hidden = ("service", "sites_without", "variants") if public else ()
    columns = {"name": "Of", **columns} if public else columns
    shown = [_flat(row) for row in rows]
    give_rows(rows, columns, out, output, title="adoption", shown=shown, hidden=hidden)
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
