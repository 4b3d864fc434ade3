"""`fleet privacy`"""

import sys
from datetime import datetime, timedelta
from typing import Annotated

import typer

from fleet.app import App
from fleet.cli.options import Output, OutputOption, YesOption, new_command, open_app
from fleet.cli.report_rows import inventory_with
from fleet.cli.show import count_of, note, say, show_rows
from fleet.core.moment import parse_moment, short_text, to_instant
from fleet.errors import Malformed, NotConfirmed
from fleet.flows import privacy as flow

app = new_command()

_COLUMNS = {
    "place": "Where",
    "purpose": "What for",
    "people": "People",
    "name": "Name",
    "entries": "Entries",
    "oldest": "Oldest",
    "deleted_by": "Taken out by",
}


@app.callback()
def privacy() -> None:
    """Personal data: where it stands and what for, and taking it out."""


@app.command()
def report(
    names: Annotated[
        bool, typer.Option("--names", help="Name the people; without it they are counted.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show where names of people may stand, what for, since when, and how they are taken out.

    \b
    Example:
      fleet privacy report
      fleet privacy report --names -o csv
    """
    fleet = open_app()
    inventory = inventory_with(fleet)
    with fleet.store() as store:
        rows = flow.report(store, inventory, fleet.books(inventory), names=names)
    columns = _COLUMNS if names else {k: v for k, v in _COLUMNS.items() if k != "name"}
    is_table = output is Output.TABLE
    shown = [r | {"oldest": _day(r["oldest"])} for r in rows] if is_table else rows
    show_rows(shown, output, columns)
    days = fleet.workspace.settings.privacy.keep_days
    note(f"names are kept for {days} days ([privacy] keep_days), then: fleet privacy delete")


def _day(text: str | None) -> str | None:
    return None if text is None else short_text(to_instant(parse_moment(text)))


@app.command()
def delete(
    person: Annotated[
        str | None, typer.Option("--person", metavar="NAME", help="Only this one, however new.")
    ] = None,
    before: Annotated[
        str | None, typer.Option("--before", metavar="DATE", help="Only what is older.")
    ] = None,
    yes: YesOption = False,
) -> None:
    """Put pseudonyms in the place of names: of one person, or of what is older than they are kept.

    What was done stays, by the same somebody; who that was is not kept anywhere. Shows first what
    would be changed. Contacts and courses stand in files, and are taken out there.

    \b
    Example:
      fleet privacy delete
      fleet privacy delete --person kari --yes
    """
    fleet = open_app()
    inventory_with(fleet)
    before_at = _before(fleet, person, before)
    fleet.close()  # a reader that stays open holds back the database's housekeeping
    with fleet.store() as store:
        wanted = flow.plan(store, person, before_at)
        for one in wanted.entries:
            entries = count_of(one.entries, "entry", "entries")
            say(f"{flow.PURPOSES[one.table]}: {one.name}, {entries}")
        if not wanted.entries:
            note("There is nothing to take out.")
            return
        if not yes and not sys.stdin.isatty():
            raise NotConfirmed("nobody said yes; nothing was changed", hint="use --yes")
        if not yes and not typer.confirm("Take these names out for good?", err=True):
            raise NotConfirmed("nothing was changed")
        changed, is_wiped = flow.carry_out(store, wanted)
    if not is_wiped:
        note("somebody reads the database: its log still has the names; run: fleet store check")
    note(f"{count_of(changed, 'entry', 'entries')} changed.")


def _before(fleet: App, person: str | None, text: str | None) -> datetime | None:
    if text is not None:
        at = to_instant(parse_moment(text))
        if at > fleet.now():
            raise Malformed(f"{text} is still to come", hint="--before an earlier day")
        return at
    if person is not None:
        return None
    return fleet.now() - timedelta(days=fleet.workspace.settings.privacy.keep_days)
