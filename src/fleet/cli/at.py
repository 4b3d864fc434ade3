"""`--at`: the inventory of an earlier day."""

from datetime import datetime
from typing import Annotated

import typer

from fleet.app import App
from fleet.core.moment import parse_moment, to_instant
from fleet.errors import Malformed

AtOption = Annotated[
    str | None, typer.Option("--at", metavar="TIME", help="As it was then; a day is its 00:00.")
]


def instant(fleet: App, text: str) -> datetime:
    """The instant that an option names, which is not to come.

    Raises:
        Malformed: it is none, or lies ahead.
    """
    at = to_instant(parse_moment(text))
    if at > fleet.now():
        raise Malformed(f"{text} is still to come", hint="leave --at out to see what is now")
    return at
