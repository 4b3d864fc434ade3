"""`fleet alert`"""

from typing import Annotated

import typer

from fleet.cli.channels import channel_of, words_of
from fleet.cli.options import Output, OutputOption, new_command, open_app
from fleet.cli.show import local_times, note, show_rows
from fleet.core.moment import from_us, text_of
from fleet.errors import NotFound
from fleet.flows.alerts import send_test
from fleet.flows.channels import check_channel

app = new_command()

_COLUMNS = {"at": "At", "channel": "To", "phase": "What", "cause": "Cause", "text": "Text"}


@app.callback()
def alert() -> None:
    """Who is told what fails: test a channel, or see what was sent."""


@app.command()
def test(
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="A section [alerts.NAME].")],
) -> None:
    """Send a message through a channel that says that it is a test.

    \b
    Example:
      fleet alert test drift
    """
    fleet = open_app()
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    chosen = channel_of(fleet, channel)
    check_channel(fleet.workspace, channel, fleet.inventory().members)
    with fleet.store() as store:
        message = send_test(store, chosen, words_of(fleet), fleet.now())
    note(f"sent: {message.title}")


@app.command()
def log(output: OutputOption = Output.TABLE) -> None:
    """Show what was sent to whom, the newest first.

    \b
    Example:
      fleet alert log
    """
    fleet = open_app()
    rows = [
        {
            "at": text_of(from_us(int(at))),
            "channel": channel,
            "phase": phase,
            "cause": cause,
            "since": text_of(from_us(int(since))),
            "text": text,
        }
        for at, channel, cause, phase, since, text in (
            fleet.reader.alerts() if fleet.reader else ()
        )
    ]
    if output is Output.TABLE:
        if not rows:
            note("nothing was sent yet")
            return
        rows = [{**local_times(row), "text": row["text"].partition("\n")[0]} for row in rows]
    show_rows(rows, output, _COLUMNS)
