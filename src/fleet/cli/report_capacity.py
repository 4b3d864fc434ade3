"""`fleet report capacity`"""

from decimal import Decimal
from typing import Annotated

import typer

from fleet.cli.at import instant
from fleet.cli.options import MemberOption, Output, OutputOption, open_app
from fleet.cli.report_rows import OutOption, PublicOption, give_rows, inventory_with
from fleet.cli.show import note
from fleet.core.adoption import percent
from fleet.core.capacity import Capacity, Share, shares
from fleet.core.moment import local
from fleet.core.record import Record
from fleet.errors import NotFound

_COLUMNS = {
    "capacity": "Capacity",
    "member": "Member",
    "amount": "Used",
    "unit": "",
    "percent": "% of used",
    "services": "Services",
}


def capacity(
    at: Annotated[str | None, typer.Option("--at", metavar="DATE", help="Default: today.")] = None,
    member: MemberOption = None,
    public: PublicOption = False,
    out: OutOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Who uses how much of what is shared; the members' parts add up to what is used.

    \b
    Example:
      fleet report capacity
      fleet report capacity --member smola --at 2025-01-01
    """
    fleet = open_app()
    inventory = inventory_with(fleet, member)
    known = {c.slug: c for c in fleet.books(inventory).capacities}
    if not known:
        raise NotFound("no capacity is written down", hint="inventory/capacity.yaml")
    day = local(fleet.now() if at is None else instant(fleet, at)).date()
    every = shares(known.values(), day)
    rows = [_row(one, known[one.capacity]) for one in every if member in (None, one.member)]
    give_rows(rows, _COLUMNS, out, output, title="capacity")
    for slug, one in sorted(known.items()):
        used = sum((s.amount for s in every if s.capacity == slug), Decimal())
        kept = ", kept for good: nothing of it is deleted" if one.is_archive else ""
        host = "" if public else f" ({one.host})"
        note(f"{one.name}{host}: {used} of {one.size} {one.unit} used on {day}{kept}")


def _row(one: Share, of: Capacity) -> Record:
    return {
        "capacity": one.capacity,
        "member": one.member,
        "amount": str(one.amount),
        "unit": of.unit,
        "percent": percent(one.part),
        "services": {name or "–": str(amount) for name, amount in one.services.items()},
    }
