"""`fleet init`"""

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.options import new_command
from fleet.cli.show import hint, note
from fleet.flows.init import make_workspace

app = new_command()


class Example(StrEnum):
    ORKIDE = "orkide"


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
    """
    make_workspace(folder, with_example=example is not None)
    note(f"made the workspace {folder}")
    hint(f"next: cd {folder} && fleet sync")
