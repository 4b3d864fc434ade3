"""`fleet import`"""

from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.options import new_command, open_app
from fleet.cli.show import hint, note
from fleet.errors import NotFound
from fleet.flows.outages import import_outages
from fleet.sources.outages import read_covers, read_outages

app = new_command()


@app.callback()
def import_() -> None:
    """Take over history from another system."""


@app.command()
def outages(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV: device,start,end,state,cause")],
    covers: Annotated[
        str, typer.Option("--covers", metavar="FROM/TO", help="The time the file is complete for.")
    ],
    all_: Annotated[
        bool, typer.Option("--all", help="Devices that are not in the file were up, too.")
    ] = False,
) -> None:
    """Take over outages from another system.

    For the rest of the covered time the devices in the file count as up. Time that fleet polled
    itself stays as it was. Importing the same file again changes nothing.

    \b
    Example:
      fleet import outages 2026-09.csv --covers 2026-09-01/2026-10-01 --all
    """
    fleet = open_app()
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    now = fleet.now()
    span = read_covers(covers, now)
    found = read_outages(file, span, fleet.reader.inventory().devices)
    with fleet.store() as store:
        report = import_outages(
            store,
            found,
            covers=span,
            every_device=all_,
            now=now,
            interval=fleet.workspace.settings.poll.interval,
        )
    count = sum(map(len, found.values()))
    note(f"{count} outages, {report.devices} devices covered, {report.changed} changed")
    for name, overlap in list(report.overlaps.items())[:10]:
        note(f"fleet polled {name} itself for {overlap} of that time; what it saw stays")
    if len(report.overlaps) > 10:
        hint(f"… and {len(report.overlaps) - 10} more devices")
