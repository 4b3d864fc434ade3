"""`fleet demo`"""

from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.options import new_command
from fleet.cli.show import note, say
from fleet.demo.tour import take_tour

app = new_command()


@app.command(no_args_is_help=False)
def demo(
    keep: Annotated[
        Path | None, typer.Option("--keep", metavar="DIR", help="Keep the workspace here.")
    ] = None,
    size: Annotated[
        int, typer.Option("--size", min=1, help="About how many devices: 138, or 3106.")
    ] = 138,
) -> None:
    """Take the tour: a simulated network on loopback, from inventory to report.

    Takes about a minute, and stops all that it started.

    \b
    Example:
      fleet demo
      fleet demo --keep tour
      fleet demo --size 3000
    """
    take_tour(keep, size, say)
    if keep is not None:
        note(f"the workspace is {keep}; its network is stopped")
