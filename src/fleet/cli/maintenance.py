"""`fleet maintenance`"""

from typing import Annotated

import typer

from fleet.cli.options import Output, OutputOption, new_command, open_app
from fleet.cli.show import local_times, note, say, show_rows
from fleet.core.lookup import nfc
from fleet.core.maintenance import Window
from fleet.core.moment import parse_moment, to_us
from fleet.errors import NotFound
from fleet.flows.maintenance import check_window, find_same, window_row

app = new_command()

_COLUMNS = {
    "id": "Id",
    "kind": "Kind",
    "name": "Name",
    "start": "Start",
    "end": "End",
    "announced": "Announced",
    "counts_as": "Counts as",
    "reason": "Reason",
    "ended": "Ended",
}


@app.callback()
def maintenance() -> None:
    """Planned windows, in which an outage is no outage."""


@app.command()
def add(
    start: Annotated[str, typer.Option("--start", metavar="TIME", help="When it begins.")],
    end: Annotated[str, typer.Option("--end", metavar="TIME", help="When it ends.")],
    reason: Annotated[str, typer.Option("--reason", help="What is done.")],
    device: Annotated[str | None, typer.Option("--device", help="For a device.")] = None,
    site: Annotated[str | None, typer.Option("--site", help="For a site.")] = None,
    member: Annotated[str | None, typer.Option("--member", help="For a member.")] = None,
    service: Annotated[str | None, typer.Option("--service", help="For a service.")] = None,
    announced: Annotated[
        str | None, typer.Option("--announced", metavar="TIME", help="When people were told.")
    ] = None,
) -> None:
    """Add a window.

    It counts as planned if it was announced (default: now) at least 48 hours before it begins.
    It covers what hangs behind it as far as an outage there really came from it.

    \b
    Example:
      fleet maintenance add --device krs-rh-r1 --start 2026-12-01T20:00 --end 2026-12-01T23:00 \\
        --announced 2026-11-20 --reason "new software"
    """
    fleet = open_app()
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    named = {"device": device, "site": site, "member": member, "service": service}
    given = [(kind, nfc(name)) for kind, name in named.items() if name is not None]
    if len(given) != 1:
        raise typer.BadParameter("name one of --device, --site, --member, --service")
    now = fleet.now()
    window = Window(
        id=0,
        kind=given[0][0],
        name=given[0][1],
        start=to_us(parse_moment(start)),
        end=to_us(parse_moment(end)),
        announced=to_us(parse_moment(announced) if announced else now),
        reason=nfc(reason).strip(),
        actor=fleet.actor,
        at=to_us(now),
    )
    check_window(fleet.reader.inventory(), window, now)
    if same := find_same(fleet.reader.maintenance(), window):
        note(f"that window is there already, number {same.id}")
        return
    with fleet.store() as store:
        number = store.add_maintenance(window)
    counts = "planned" if window.is_planned else "unplanned: it was announced less than 48 h before"
    say(f"maintenance {number}: {window.kind} {window.name}, counts as {counts}")


@app.command("list")
def list_(
    current: Annotated[bool, typer.Option("--current", help="Only those that go on now.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List the windows, by their start.

    \b
    Example:
      fleet maintenance list
    """
    fleet = open_app()
    windows = fleet.reader.maintenance() if fleet.reader else []
    at = to_us(fleet.now())
    rows = [window_row(w) for w in windows if not current or w.start <= at < w.until]
    if output is Output.TABLE:
        rows = [dict(local_times(row)) for row in rows]
    show_rows(rows, output, _COLUMNS)


@app.command()
def end(
    number: Annotated[int, typer.Argument(metavar="ID", help="Of the window.")],
) -> None:
    """End a window now; one that has not begun is called off.

    \b
    Example:
      fleet maintenance end 3
    """
    fleet = open_app()
    windows = {w.id: w for w in fleet.reader.maintenance()} if fleet.reader else {}
    if number not in windows:
        raise NotFound(f"there is no maintenance {number}", hint="fleet maintenance list")
    at = to_us(fleet.now())
    if windows[number].until <= at:
        note(f"maintenance {number} has ended already")
        return
    with fleet.store() as store:
        store.end_maintenance(number, at, fleet.actor)
    say(f"maintenance {number} " + ("ended" if windows[number].start < at else "called off"))
