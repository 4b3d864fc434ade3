"""`fleet find`"""

from typing import Annotated

import typer

from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import Output, OutputOption, new_command, open_app
from fleet.cli.show import hint, show_rows

app = new_command()

_COLUMNS = {
    "kind": "Kind",
    "name": "Name",
    "member": "Member",
    "site": "Site",
    "field": "Field",
    "value": "Value",
}


@app.command()
def find(
    text: Annotated[str, typer.Argument(metavar="TEXT", help="What you know of it.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Find anything by what you know of it, also by a part.

    Name, address, MAC in any notation, serial, asset tag, room, rack, circuit id, description.
    What matches exactly is shown alone; else what begins with the text or holds it.

    \b
    Example:
      fleet find 0011.2233.4455
      fleet find U-101
    """
    fleet = open_app()
    keys = fleet.reader.find(text) if fleet.reader else []
    rows = [{name: getattr(key, name) for name in _COLUMNS} for key in keys]
    if rows or output is not Output.TABLE:
        show_rows(rows, output, _COLUMNS)
    if not rows:
        hint(f"nothing is known by `{text}`" if fleet.reader else "no inventory yet: fleet sync")
        finish(FINDINGS)
