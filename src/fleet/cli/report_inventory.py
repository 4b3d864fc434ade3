"""`fleet report inventory`"""

from enum import StrEnum
from typing import Annotated

import typer

from fleet.cli.options import MemberOption, Output, OutputOption, open_app
from fleet.cli.report_rows import OutOption, PublicOption, give_rows, inventory_with
from fleet.cli.show import note
from fleet.core.moment import local
from fleet.core.record import Record
from fleet.flows.completeness import completeness, counts, gather


class By(StrEnum):
    MEMBER = "member"
    KIND = "kind"
    ROLE = "role"
    AGE = "age"


_COLUMNS = {
    "principle": "NSM",
    "measure": "What",
    "have": "Have",
    "of": "Of",
    "percent": "%",
    "missing": "Missing",
}
_COUNTS = {
    "devices": "Devices",
    "no_serial": "No serial",
    "never_seen": "Never seen",
    "no_room": "No room",
    "no_contract": "No contract",
    "no_model": "No model",
}
_SAYS = {
    "answered": "answered at some time",
    "serial": "serial number known",
    "model": "maker and model known",
    "software_version": "version of the software known",
    "owner": "owner known",
    "room": "room known",
    "contract": "contract known",
    "end_of_life": "known when to replace",
    "known_neighbours": "neighbours that are in the inventory",
    "baseline": "common configuration rolled out",
    "as_baseline": "and still as it was rolled out",
    "decided": "last change had its member's yes",
    "logs_sent": "logs are sent to the common place",
}
_SHOWN = 3


def inventory(
    by: Annotated[By | None, typer.Option("--by", help="Counts for each of these instead.")] = None,
    member: MemberOption = None,
    public: PublicOption = False,
    out: OutOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """How far the inventory may be trusted, by the principles of NSM that it can answer.

    1.2 devices and software are known, 2.3 their configuration is as decided, 2.10 changes are
    decided, 3.2 logs are sent. Counted are the devices in use; what is missing is named.

    \b
    Example:
      fleet report inventory --member smola
      fleet report inventory --by role
      fleet report inventory -o json
    """
    fleet = open_app()
    joint = inventory_with(fleet, member)
    assert fleet.reader is not None
    known = gather(fleet.reader, joint, fleet.books(joint))
    mine = [d for d in joint.devices.values() if member in (None, joint.member_of(d))]
    if by is not None:
        year = local(fleet.now()).year
        rows = counts(joint, known, mine, by.value, year)
        columns = {by.value: by.value.capitalize(), **_COUNTS}
        give_rows(rows, columns, out, output, title="inventory")
    else:
        rows = completeness(joint, known, mine)
        hidden = ("missing",) if public else ()
        shown = [_short(r) for r in rows]
        give_rows(rows, _COLUMNS, out, output, title="inventory", shown=shown, hidden=hidden)
    note("NSM: grunnprinsipper for IKT-sikkerhet, 1.2, 2.3, 2.10 and 3.2; devices in use")


def _short(row: Record) -> Record:
    """A row for the eye; all that is missing stands in the other forms."""
    missing = row["missing"]
    said = ", ".join(missing[:_SHOWN])
    more = len(missing) - _SHOWN
    return row | {
        "measure": _SAYS[row["measure"]],
        "missing": f"{said} … and {more} more" if more > 0 else said,
    }
