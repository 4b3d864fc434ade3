"""`fleet diff`"""

from typing import Annotated

import typer

from fleet.cli.at import instant
from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import MemberOption, Output, OutputOption, new_command, open_app
from fleet.cli.show import count_of, note, show_rows
from fleet.errors import Malformed, NotFound
from fleet.flows.history import difference
from fleet.flows.lookup import open_view_at

app = new_command()


@app.command()
def diff(
    first: Annotated[str, typer.Argument(metavar="DATE1", help="A day is its 00:00.")],
    second: Annotated[str, typer.Argument(metavar="DATE2", help="A later one.")],
    member: MemberOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what came, went and changed between two days. Ends with 1 if something did.

    \b
    Example:
      fleet diff 2018-12-31 2019-01-01
      fleet diff 2026-09-01 2026-10-01 --member smola
    """
    fleet = open_app()
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    days = instant(fleet, first), instant(fleet, second)
    if days[0] > days[1]:
        raise Malformed(f"{second} comes before {first}", hint=f"fleet diff {second} {first}")
    site = fleet.workspace.settings.poll.from_site
    before, after = (open_view_at(fleet.reader, day, site).inventory for day in days)
    if member is not None and member not in before.members.keys() | after.members.keys():
        raise NotFound(f"there was no member `{member}`", hint="fleet list members --all")
    rows = difference(before, after, member)
    columns = {"action": "Action", "kind": "Kind", "key": "What", "fields": "Fields"}
    show_rows(rows, output, columns)
    note(count_of(len(rows), "difference"))
    finish(FINDINGS if rows else 0)
