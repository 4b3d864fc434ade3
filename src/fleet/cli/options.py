"""Options that several commands share, declared once."""

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.main import get_command

from fleet.app import App
from fleet.cli.completing import names


class Language(StrEnum):
    """Of a page."""

    NB = "nb"
    NN = "nn"
    EN = "en"


class Output(StrEnum):
    TABLE = "table"
    JSON = "json"
    CSV = "csv"
    YAML = "yaml"


OutputOption = Annotated[
    Output, typer.Option("-o", "--output", help="How to write it.", show_default=True)
]
MemberOption = Annotated[
    str | None,
    typer.Option("--member", help="Only this member (slug).", autocompletion=names("member")),
]
SiteOption = Annotated[
    str | None,
    typer.Option("--site", help="Only this site (slug).", autocompletion=names("site")),
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do it without asking.")]


class _Common:
    """What the options that every command takes were set to."""

    workspace: Path | None = None
    is_quiet: bool = False
    app: App | None = None


def common_options() -> list[Any]:
    """`--workspace` and `-q`, understood before and after the command's name."""
    carrier = typer.Typer(add_completion=False)
    carrier.command()(_carry)
    options = [option for option in get_command(carrier).params if option.name in _CARRIED]
    for option in options:
        option.expose_value = False
    return options


_CARRIED = ("workspace", "quiet")


def _set_workspace(value: Path | None) -> None:
    if value is not None:
        _Common.workspace = value


def _set_quiet(value: bool) -> None:
    _Common.is_quiet = _Common.is_quiet or value


def _carry(
    workspace: Annotated[
        Path | None,
        typer.Option(
            "--workspace",
            metavar="DIR",
            callback=_set_workspace,
            help="The workspace; else FLEET_WORKSPACE, else the nearest parent with fleet.toml.",
        ),
    ] = None,
    quiet: Annotated[
        bool, typer.Option("-q", "--quiet", callback=_set_quiet, help="No hints.")
    ] = False,
) -> None:
    """Never run: its options are lent to every command."""
    assert workspace is None or quiet is not None


def forget() -> None:
    """Set the common options back; each run of the command line begins so."""
    _Common.workspace, _Common.is_quiet = None, False


def is_quiet() -> bool:
    """Whether hints are unwanted."""
    return _Common.is_quiet


def new_command() -> typer.Typer:
    """An empty command or group, with fleet's manners: plain help, no completion options."""
    return typer.Typer(rich_markup_mode=None, add_completion=False, pretty_exceptions_enable=False)


def open_app() -> App:
    """What the command works with, in the workspace that the user named."""
    if _Common.app is None:
        _Common.app = App(_Common.workspace)
    return _Common.app


def close_app() -> None:
    """Close what the command opened."""
    if _Common.app is not None:
        _Common.app.close()
    _Common.app = None
