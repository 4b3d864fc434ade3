"""docs/reference/commands.md, written from the commands themselves: `make docs`."""

from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

from fleet.cli.main import COMMANDS, load

PAGE = Path(__file__).resolve().parents[1] / "docs/reference/commands.md"

HEAD = """\
# Commands

Written from the code by `make docs`. `fleet COMMAND --help` says the same. Every command also
takes `--workspace DIR` (else `FLEET_WORKSPACE`, else the nearest parent folder with a
`fleet.toml`) and `-q` (no hints).

## Exit status

| status | meaning |
| --- | --- |
| 0 | done |
| 1 | done, with findings: differences, silent devices, failed targets, no hit, an incomplete row |
| 2 | wrong usage, or nobody said yes |
| 3 | bad settings or secrets |
| 4 | bad input or data; nothing was changed |
| 5 | a server that fleet leans on (such as the database) could not be reached |
| 6 | refused by a rule (brake, lock, stale plan); nothing was changed |
| 10 | changes are pending (`fleet sync --plan --exit-code`) |
| 70 | a bug; `.fleet/fleet.log` has the details |
| 130 | interrupted |
"""


def all_commands() -> Iterator[tuple[str, Any]]:
    """Every command by its full name, groups before their members."""
    for name in COMMANDS:
        command = load(name)
        yield name, command
        for sub, leaf in getattr(command, "commands", {}).items():
            yield f"{name} {sub}", leaf


def render() -> str:
    return "\n".join([HEAD, *(_section(name, command) for name, command in all_commands())])


def _section(name: str, command: Any) -> str:
    text, _, example = (command.help or "").partition("\b")
    lines = [f"## fleet {name}", "", text.strip()]
    options = [p for p in command.params if p.name not in ("workspace", "quiet", "help")]
    if options:
        lines += ["", "| option | meaning |", "| --- | --- |"]
        lines += [f"| {_name(option)} | {_meaning(option)} |" for option in options]
    if example:
        shown = [line.strip() for line in example.strip().splitlines()[1:]]
        lines += ["", "```console", *(f"$ {line}" for line in shown), "```"]
    return "\n".join(lines) + "\n"


def _name(option: Any) -> str:
    if option.param_type_name == "argument":
        return f"`{option.metavar or option.name.upper()}`"
    metavar = f" {option.metavar}" if option.metavar else ""
    value = "" if option.is_flag else metavar or " " + _choices(option)
    names = ", ".join(sorted(option.opts, key=len))
    return f"`{names}{value}`".replace("|", "\\|")


def _choices(option: Any) -> str:
    annotation = option.type_descriptor.annotation
    if isinstance(annotation, type) and issubclass(annotation, StrEnum):
        return "|".join(annotation)
    return "TEXT"


def _meaning(option: Any) -> str:
    default = getattr(option.default, "value", option.default)
    shown = (
        f" Default: {default}."
        if getattr(option, "show_default", False) and default not in (None, False)
        else ""
    )
    return f"{option.help or ''}{shown}"


if __name__ == "__main__":
    PAGE.parent.mkdir(parents=True, exist_ok=True)
    PAGE.write_text(render())
    print(f"wrote {PAGE.name}")  # noqa: T201
