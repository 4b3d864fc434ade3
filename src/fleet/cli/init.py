"""`fleet init`"""

from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.options import new_command
from fleet.cli.show import hint, note
from fleet.flows.init import Example, make_workspace

app = new_command()


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="New or empty folder.")],
    example: Annotated[
        Example | None, typer.Option("--example", help="Fill it with an example cooperation.")
    ] = None,
) -> None:
    """Make a new workspace: settings, a first member, baselines.

    \b
    Example:
      fleet init nordmore
      fleet init tour --example orkide
      fleet init big --example hedmark
    """
    make_workspace(folder, example)
    note(f"made the workspace {folder}")
    hint(f"next: cd {folder} && fleet sync")
