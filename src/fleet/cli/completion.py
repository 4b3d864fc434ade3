"""`fleet completion`"""

from enum import StrEnum
from typing import Annotated

import typer

from fleet.cli.completing import VARIABLE
from fleet.cli.options import new_command
from fleet.cli.show import say

app = new_command()


class Shell(StrEnum):
    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


@app.command()
def completion(
    shell: Annotated[Shell, typer.Argument(metavar="bash|zsh|fish", help="Of which shell.")],
) -> None:
    """Print what lets a shell complete commands, options and names of the inventory.

    \b
    Example:
      fleet completion bash >> ~/.bashrc
      fleet completion zsh > ~/.zfunc/_fleet
      fleet completion fish > ~/.config/fish/completions/fleet.fish
    """
    # It has no __all__.
    from typer.completion import get_completion_script  # type: ignore[attr-defined]

    script = get_completion_script(prog_name="fleet", complete_var=VARIABLE, shell=shell.value)
    say(script.strip())
