"""`fleet report lifecycle`"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

import typer

from fleet.cli.options import MemberOption, Output, OutputOption, open_app
from fleet.cli.report_rows import OutOption, PublicOption, give_rows, inventory_with
from fleet.cli.show import count_of, note
from fleet.core.inventory import Inventory
from fleet.core.lifecycle import End, endings, without_warranty
from fleet.core.moment import later, local
from fleet.core.money import from_ore
from fleet.core.record import Record
from fleet.core.replacement import Model, replacements, unknown

_COLUMNS = {
    "day": "Day",
    "what": "What",
    "name": "Of",
    "member": "Member",
    "about": "Supplier or model",
    "ring": "To ring",
    "phone": "Phone",
}
_BUDGET = {
    "year": "Year",
    "owner": "Owner",
    "devices": "Devices",
    "amount": "NOK",
    "unpriced": "Without a price",
}
_WHAT = {
    "notice": "last day to give notice",
    "contract": "contract ends",
    "warranty": "warranty ends",
    "support": "maker's support ends",
    "option": "last day to prolong",
}


def lifecycle(
    months: Annotated[
        int, typer.Option("--months", min=1, max=600, help="How far to look ahead.")
    ] = 12,
    budget: Annotated[
        bool, typer.Option("--budget", help="What replacing costs, by owner and year, instead.")
    ] = False,
    member: MemberOption = None,
    public: PublicOption = False,
    out: OutOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """What ends in the next months: contracts, days to give notice, warranties, and whom to ring.

    --budget: what has to be replaced, by the end of support and the years that
    inventory/models.yaml gives a model, with its price; what is overdue counts this year.

    \b
    Example:
      fleet report lifecycle --months 24 --member smola
      fleet report lifecycle --budget --months 48
    """
    fleet = open_app()
    inventory = inventory_with(fleet, member)
    today = local(fleet.now()).date()
    end = later(today, months)
    books = fleet.books(inventory)
    if budget:
        made = _budget(inventory, books.models, (today.year, end.year), member)
        names = ("names",) if public else ()
        give_rows(made, _BUDGET, out, output, title="budget", hidden=names)
        return
    every = endings(inventory, today, end, books.models, books.agreements)
    found = [e for e in every if member in (None, e.member)]
    # The public knows the contracts, not the machines or whom to ring.
    rows = [_row(one) for one in found if not public or one.member is None]
    said = [row | {"what": _WHAT[row["what"]]} for row in rows]
    hidden = ("ring", "phone", "name") if public else ()
    give_rows(rows, _COLUMNS, out, output, title="lifecycle", shown=said, hidden=hidden)
    note(f"from {today} to {end - timedelta(days=1)}")
    if missing := without_warranty(inventory, member):
        note(f"{count_of(missing, 'device')} in use say nothing of a warranty (`warranty_until`)")


def _budget(
    inventory: Inventory,
    models: Mapping[str, Model],
    years: tuple[int, int],
    member: str | None,
) -> list[Record]:
    """What replacing costs, by year and owner."""
    found = [r for r in replacements(inventory, models, *years) if member in (None, r.owner)]
    rows: list[Record] = [
        {
            "year": one.year,
            "owner": one.owner,
            "devices": len(one.devices),
            "amount": from_ore(one.ore),
            "unpriced": one.unpriced,
            "names": list(one.devices),
        }
        for one in sorted(found, key=lambda r: (r.year, r.owner))
    ]
    note(f"{from_ore(sum(one.ore for one in found))} NOK from {years[0]} to {years[1]}")
    if missing := unknown(inventory, models, member):
        note(f"nothing says when to replace {count_of(missing, 'device')} (inventory/models.yaml)")
    return rows


def _row(one: End) -> Record:
    return {
        "day": one.day.isoformat(),
        "what": one.ending.value,
        "name": one.name,
        "member": one.member,
        "about": one.about,
        "ring": one.contact.role if one.contact else None,
        "phone": one.contact.phone if one.contact else None,
    }
