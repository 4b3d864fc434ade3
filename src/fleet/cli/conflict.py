"""`fleet conflict`"""

from typing import Annotated

import typer

from fleet.cli.options import Output, OutputOption, new_command, open_app
from fleet.cli.show import cell, local_times, note, say, show_rows, show_value
from fleet.core.moment import from_us, text_of
from fleet.flows.conflicts import find_conflict, id_of, list_conflicts, resolve, to_row

app = new_command()

_COLUMNS = {
    "id": "Id",
    "kind": "Kind",
    "key": "Name",
    "field": "Field",
    "ours": "Inventory",
    "says": "Sources",
    "since": "Since",
}


@app.callback()
def conflict() -> None:
    """What sources say differently: list it, show it, resolve it."""


@app.command("list")
def list_(output: OutputOption = Output.TABLE) -> None:
    """List what the last sync left to be decided; findings are what the network says otherwise.

    \b
    Example:
      fleet conflict list
    """
    fleet = open_app()
    rows = [
        to_row(conflict) | {"since": text_of(from_us(since))}
        for since, conflict in list_conflicts(fleet.reader)
    ]
    if output is Output.TABLE:
        rows = [{**local_times(row), "says": _sides(row["says"])} for row in rows]
    show_rows(rows, output, _COLUMNS)


def _sides(says: dict[str, object]) -> str:
    return ", ".join(f"{source}: {cell(value)}" for source, value in says.items())


@app.command()
def show(
    named: Annotated[str, typer.Argument(metavar="ID", help="Its id, or how that begins.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Show one conflict: what was agreed, what each side says, and what that rests on.

    \b
    Example:
      fleet conflict show 3f2a9c
    """
    row = to_row(find_conflict(open_app().reader, named))
    if output is not Output.TABLE:
        show_value(row, output)
        return
    say(f"{row['id']}  {row['kind']} {row['key']}, {row['field']}")
    say(f"  was agreed: {cell(row['base'])}")
    say(f"  inventory:  {cell(row['ours'])}")
    for source, value in row["says"].items():
        say(f"  {source + ':':11} {cell(value)}")
    if row["evidence"]:
        say(f"  {row['evidence']}")


@app.command("resolve")
def resolve_(
    ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Which; several at once.")],
    take: Annotated[
        str, typer.Option("--take", help="Whose word it is: ours, or the name of a source.")
    ],
) -> None:
    """Decide conflicts and findings; what is decided once is not asked about again.

    `--take ours` keeps what the inventory has: a NetBox gets it with the next sync, and what the
    network said is rejected. `--take snmp` accepts what the network says.

    \b
    Example:
      fleet conflict resolve 3f2a9c --take ours
      fleet conflict resolve 3f2a9c b71d04 --take snmp
    """
    fleet = open_app()
    found = [find_conflict(fleet.reader, named) for named in ids]
    with fleet.store() as store:
        for conflict in found:
            change = resolve(store, conflict, take, actor=fleet.actor, now=fleet.now())
            what = f"{id_of(conflict)} {conflict.kind} {conflict.key}, {conflict.field}"
            note(f"{what}: {'taken from ' + take if change else 'kept as it is'}.")
