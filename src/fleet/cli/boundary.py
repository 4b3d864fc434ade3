"""The one place where errors become messages and exit statuses."""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from fleet.cli.options import close_app, open_app
from fleet.cli.show import hint, note
from fleet.errors import FleetError, NotPermitted

FINDINGS = 1
WRONG_USAGE = 2
PENDING = 10
BUG = 70
INTERRUPTED = 130


class Boundary(TyperGroup):
    """A group of commands whose errors end here."""

    def invoke(self, ctx: Any) -> Any:
        try:
            with _errors_to_status():
                return super().invoke(ctx)
        finally:
            close_app()


@contextmanager
def _errors_to_status() -> Iterator[None]:
    try:
        yield
    except FleetError as error:
        note(f"fleet: {error.message}")
        if error.hint:
            hint(f"hint: {error.hint}")
        raise typer.Exit(error.exit_status) from error
    except KeyboardInterrupt as error:
        note("\nfleet: interrupted")
        raise typer.Exit(INTERRUPTED) from error
    except OSError as error:
        raise typer.Exit(_report_system(error)) from error
    except Exception as error:
        if _is_usage(error) or isinstance(error, typer.Exit | typer.Abort):
            raise
        _report_bug(error)


def _report_system(error: OSError) -> int:
    """What the operating system refused."""
    if isinstance(error, BrokenPipeError):
        # `fleet list devices | head -1`: the reader has enough, which is no failure.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    where = f" {error.filename}" if error.filename else ""
    note(f"fleet: the operating system refused{where}: {error.strerror or error}")
    hint("hint: look at who may read and write there, and at the space that is left")
    return NotPermitted.exit_status


def _is_usage(error: Exception) -> bool:
    """Typer's own errors know how to show themselves."""
    return hasattr(error, "exit_code") and hasattr(error, "show")


def _report_bug(error: Exception) -> NoReturn:
    if os.environ.get("FLEET_DEBUG"):
        raise error
    open_app().log.error("bug", exc_info=error)
    note(f"fleet: a bug: {type(error).__name__}: {error}")
    hint("hint: .fleet/fleet.log has the details; FLEET_DEBUG=1 shows them here")
    raise typer.Exit(BUG) from error


def finish(status: int) -> None:
    """End the command with a status other than 0."""
    if status:
        raise typer.Exit(status)
