"""`fleet path`"""

from typing import Annotated

import typer

from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.completing import names
from fleet.cli.options import Output, OutputOption, new_command, open_app
from fleet.cli.show import Row, note, show_rows, show_value
from fleet.core.topology import Hop
from fleet.errors import NotFound
from fleet.flows.status import open_situation
from fleet.flows.ways import Way, find_way

app = new_command()

_COLUMNS = {"device": "Device", "out": "Out", "link": "Link", "in": "In at the next"}


@app.command()
def path(
    a: Annotated[
        str,
        typer.Argument(
            metavar="A", help="A device or site.", autocompletion=names("device", "site")
        ),
    ],
    b: Annotated[
        str,
        typer.Argument(metavar="B", help="Another one.", autocompletion=names("device", "site")),
    ],
    output: OutputOption = Output.TABLE,
) -> None:
    """Show the way between two devices or sites.

    The best way over what is up now: few links, mobile ones last. If there is none, the way when
    all is well is shown, and what is not up on it; that ends with 1.

    \b
    Example:
      fleet path krs-radhus krs-skole
      fleet path krs-rh-sw1 krs-dc-srv1
    """
    fleet = open_app()
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    poll = fleet.workspace.settings.poll
    now = open_situation(fleet.reader, fleet.now(), poll.interval, poll.from_site)
    way = find_way(now.network, a, b, now.failed)
    rows = [_row(hop) for hop in way.hops]
    if output in (Output.JSON, Output.YAML):
        show_value({"reachable": way.is_open, "hops": rows}, output)
    else:
        show_rows(rows, output, _COLUMNS)
    _explain(way, a, b)
    finish(0 if way.is_open else FINDINGS)


def _row(hop: Hop) -> Row:
    return {"device": hop.device, "out": hop.out, "link": hop.link, "in": hop.in_}


def _explain(way: Way, a: str, b: str) -> None:
    if way.is_open:
        return
    if not way.hops:
        note(f"no declared link leads from {a} to {b}")
    else:
        note(f"there is no way now; on the usual one is not up: {', '.join(way.closed)}")
