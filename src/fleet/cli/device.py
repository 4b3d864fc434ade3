"""`fleet device swap|move|retire`"""

from datetime import date, datetime
from typing import Annotated

import typer

from fleet.app import App
from fleet.cli.completing import names
from fleet.cli.export import write_declared
from fleet.cli.options import YesOption, new_command, open_app
from fleet.cli.show import hint, note
from fleet.core.moment import local, parse_moment
from fleet.flows.device import NewMachine, Plan, plan_move, plan_retire, plan_swap

app = new_command()

NameArgument = Annotated[
    str, typer.Argument(metavar="NAME", help="Of the device.", autocompletion=names("device"))
]
DayOption = Annotated[
    str | None, typer.Option("--on", metavar="DATE", help="The day of it; default: today.")
]


@app.callback()
def device() -> None:
    """Machines that are swapped, moved or taken away: shows what changes in the files, and asks."""


@app.command()
def swap(
    name: NameArgument,
    serial: Annotated[str, typer.Argument(metavar="NEW-SERIAL", help="Of the machine that comes.")],
    asset_tag: Annotated[str | None, typer.Option("--asset-tag", help="Of the new one.")] = None,
    vendor: Annotated[str | None, typer.Option("--vendor", help="If it is another.")] = None,
    model: Annotated[str | None, typer.Option("--model", help="If it is another.")] = None,
    warranty: Annotated[
        str | None, typer.Option("--warranty-until", metavar="DATE", help="Of the new one.")
    ] = None,
    contract: Annotated[str | None, typer.Option("--contract", help="If it is another.")] = None,
    keep: Annotated[
        bool, typer.Option("--keep", help="The old one is a spare from now on.")
    ] = False,
    on: DayOption = None,
    yes: YesOption = False,
) -> None:
    """Another machine comes into the place of one.

    With the place stay name, address, role, room, links and configuration; with the machine go
    serial, asset tag, model, warranty and contract. A spare one of the inventory changes places
    with it; else the old one gets an entry of its own, taken away.

    \b
    Example:
      fleet device swap krs-rh-sw1 FCW1234A0BC --asset-tag IKT-009001
    """
    fleet = open_app()
    new = NewMachine(
        serial=serial,
        vendor=vendor,
        model=model,
        asset_tag=asset_tag,
        warranty_until=_day(warranty) if warranty else None,
        contract=contract,
    )
    _write(fleet, plan_swap(fleet.declared(), name, new, _on(fleet, on), keep=keep), yes=yes)


@app.command()
def move(
    name: NameArgument,
    site: Annotated[
        str,
        typer.Argument(metavar="SITE", help="Where it goes (slug).", autocompletion=names("site")),
    ],
    room: Annotated[str | None, typer.Option("--room", help="There.")] = None,
    rack: Annotated[str | None, typer.Option("--rack", help="There.")] = None,
    yes: YesOption = False,
) -> None:
    """A machine goes to another site of its member, with its name and address.

    \b
    Example:
      fleet device move krs-rh-ap1 krs-skole --room 112
    """
    fleet = open_app()
    _write(fleet, plan_move(fleet.declared(), name, site, room=room, rack=rack), yes=yes)


@app.command()
def retire(name: NameArgument, on: DayOption = None, yes: YesOption = False) -> None:
    """A machine is taken away. It stays in the history, and in reports on the time before.

    \b
    Example:
      fleet device retire krs-rh-prn1 --on 2026-11-01
    """
    fleet = open_app()
    _write(fleet, plan_retire(fleet.declared(), name, _on(fleet, on)), yes=yes)


def _write(fleet: App, made: Plan, *, yes: bool) -> None:
    for text in made.notes:
        note(text)
    write_declared(fleet, made.export, fleet.workspace.inventory, yes=yes)
    hint("hint: fleet sync takes it over")


def _on(fleet: App, text: str | None) -> date:
    today = local(fleet.now()).date()
    day = today if text is None else _day(text)
    if day > today:
        raise typer.BadParameter(f"{day} is still to come", param_hint="--on")
    return day


def _day(text: str) -> date:
    found = parse_moment(text)
    if isinstance(found, datetime):
        raise typer.BadParameter(f"`{text}` is no day", param_hint="--on")
    return found
