"""`fleet audit`"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from fleet.app import App
from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.completing import names
from fleet.cli.options import Output, OutputOption, new_command, open_app
from fleet.cli.report_rows import inventory_with
from fleet.cli.show import count_of, local_times, note, show_rows, show_value
from fleet.core.audit import Audit, Row, Verdict, compare, read_scans
from fleet.core.moment import text_of
from fleet.core.record import Record
from fleet.errors import Malformed, NotFound

app = new_command()

_COLUMNS = {"verdict": "Verdict", "name": "Name", "where": "Declared at", "mend": "To mend it"}
_KEPT = {
    "at": "At",
    "site": "Site",
    "room": "Room",
    "found": "Found",
    "missing": "Missing",
    "moved": "Moved",
    "unknown": "Unknown",
    "by": "By",
}


@app.command()
def audit(
    site: Annotated[
        str, typer.Argument(metavar="SITE", help="Where (slug).", autocompletion=names("site"))
    ],
    scan: Annotated[
        str | None, typer.Option("--scan", metavar="FILE|-", help="What was scanned, a line each.")
    ] = None,
    room: Annotated[str | None, typer.Option("--room", help="Only this room of it.")] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Compare what was scanned at a place with what is declared there, and keep the result.

    Codes of labels, names, serials, asset tags and MACs are understood; the code of a room holds
    for what is scanned after it. Nothing of the inventory is changed: each row says what would
    mend it. Without --scan: the audits so far. Ends with 1 unless the place is whole.

    \b
    Example:
      fleet audit krs-skole --scan scanned.txt
      fleet audit krs-skole --room 112 --scan -
      fleet audit krs-skole
    """
    fleet = open_app()
    inventory = inventory_with(fleet)
    if site not in inventory.sites or inventory.sites[site].retired:
        raise NotFound(f"there is no site `{site}`", hint=f"try: fleet find {site}")
    if scan is None:
        _show_kept(fleet, site, room, output)
        return
    assert fleet.reader is not None
    reader = fleet.reader

    def find(text: str) -> set[str]:
        if text in inventory.devices:  # also of a machine that was taken away
            return {text}
        return {key.name.partition(" : ")[0] for key in reader.find_exactly(text) if key.is_device}

    scans, doubles = read_scans(_lines(scan), site, find)
    if not scans:
        raise Malformed("nothing was scanned", hint="one code, name or serial in a line")
    rows = tuple(compare(inventory, site, room, scans))
    made = Audit(
        site=site, room=room, at=fleet.now(), actor=fleet.actor, rows=rows, doubles=doubles
    )
    with fleet.store() as store:
        store.keep_audit(made)
    _show(made, output)
    finish(0 if made.is_whole else FINDINGS)


def _lines(scan: str) -> list[str]:
    if scan == "-":
        return sys.stdin.read().splitlines()
    try:
        return Path(scan).read_text(encoding="utf-8-sig", errors="replace").splitlines()
    except FileNotFoundError:
        raise NotFound(f"there is no file {scan}") from None
    except OSError as error:
        raise Malformed(f"{scan} cannot be read: {error.strerror}") from error


def _row(row: Row) -> Record:
    return {
        "verdict": row.verdict.value,
        "name": row.name,
        "where": row.where,
        "mend": row.mend,
    }


def _show(made: Audit, output: Output) -> None:
    rows = [_row(row) for row in made.rows]
    if output in (Output.JSON, Output.YAML):
        show_value(
            {
                "site": made.site,
                "room": made.room,
                "at": text_of(made.at),
                "whole": made.is_whole,
                "doubles": made.doubles,
                "rows": rows,
            },
            output,
        )
        return
    show_rows(rows, output, _COLUMNS)
    counts = ", ".join(f"{made.count(verdict)} {verdict.value}" for verdict in Verdict)
    note(f"{counts}; {count_of(made.doubles, 'double')} left out")


def _show_kept(fleet: App, site: str, room: str | None, output: Output) -> None:
    """The audits of a place, the newest first, and when it was last whole."""
    assert fleet.reader is not None
    kept = [a for a in fleet.reader.audits(site) if room in (None, a["room"])]
    if not kept and output is Output.TABLE:
        note("never audited; scan its labels: fleet audit SITE --scan FILE")
        return
    shown = [dict(local_times(a)) for a in kept] if output is Output.TABLE else kept
    show_rows(shown, output, _KEPT)
    whole = next((a["at"] for a in kept if a["whole"]), None)
    last = local_times({"at": whole})["at"] if whole else None
    note(f"last whole: {last}" if last else "never seen whole")
