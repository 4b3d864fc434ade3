"""`fleet report changes`"""

from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.options import MemberOption, Output, OutputOption, open_app
from fleet.cli.period import read_period
from fleet.cli.show import count_of, local_times, note, show_rows
from fleet.errors import NotFound
from fleet.flows.report_changes import report_changes
from fleet.report.table import SUFFIXES, table_to_bytes

_COLUMNS = {
    "id": "Id",
    "at": "At",
    "member": "Member",
    "baselines": "Baselines",
    "devices": "Devices",
    "changed": "Changed",
    "failed": "Failed",
    "reverted": "Taken back",
    "ended": "Ended",
    "duration_s": "Seconds",
    "decided_by": "Decided by",
    "by": "Run by",
}


def changes(
    from_: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="First instant, included.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Last instant, not included.")
    ] = None,
    month: Annotated[
        str | None, typer.Option("--month", metavar="YYYY-MM", help="A whole month.")
    ] = None,
    yesterday: Annotated[bool, typer.Option("--yesterday", help="The whole day before.")] = False,
    member: MemberOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help=".csv .xlsx .json .yaml")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """What was rolled out where, by whom decided, how long it took, what failed or was taken back.

    Without a period: last month.

    \b
    Example:
      fleet report changes --month 2026-10 --member smola
    """
    fleet = open_app()
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    period = read_period(fleet, from_, to, month, yesterday)
    if member is not None and member not in fleet.inventory().members:
        raise NotFound(f"there is no member `{member}`", hint="fleet list members")
    rows = report_changes(fleet.reader, period, member)
    if not rows:
        note("Nothing was rolled out in that time.")
    if out is None:
        shown = [local_times(r) for r in rows] if output is Output.TABLE else rows
        show_rows(shown, output, _COLUMNS)
        return
    if out.suffix not in SUFFIXES:
        raise typer.BadParameter(f"a file that ends in {', '.join(SUFFIXES)}", param_hint="--out")
    out.write_bytes(table_to_bytes(rows, out.suffix, "changes"))
    note(f"wrote {count_of(len(rows), 'row')} to {out}")
