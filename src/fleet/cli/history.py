"""`fleet history`"""

from typing import Annotated

import typer

from fleet.cli.completing import kinds, names
from fleet.cli.options import Output, OutputOption, new_command, open_app
from fleet.cli.show import local_times, show_rows
from fleet.errors import NotFound
from fleet.flows.history import history_of
from fleet.flows.lookup import singular

app = new_command()

_COLUMNS = {
    "at": "When",
    "actor": "Who",
    "source": "Source",
    "action": "Action",
    "fields": "Fields",
}


@app.command()
def history(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="device, site, member …", autocompletion=kinds)
    ],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Its name or slug.", autocompletion=names())
    ],
    output: OutputOption = Output.TABLE,
) -> None:
    """Show who changed what of a thing, when, and from which source; the newest first.

    \b
    Example:
      fleet history device krs-rh-sw1
    """
    fleet = open_app()
    kind = singular(kind)
    rows = history_of(fleet.reader, kind, name) if fleet.reader else []
    if not rows:
        raise NotFound(f"nothing was recorded of a {kind} `{name}`", hint=f"fleet list {kind}s")
    shown = [local_times(row) for row in rows] if output is Output.TABLE else rows
    show_rows(shown, output, _COLUMNS)
