"""`fleet report procurement`"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from typing import Annotated

import typer

from fleet.cli.options import MemberOption, Output, OutputOption, open_app
from fleet.cli.report_cost import check_year
from fleet.cli.report_rows import OutOption, PublicOption, give_rows, inventory_with
from fleet.cli.show import note
from fleet.core.inventory import Inventory
from fleet.core.money import from_ore
from fleet.core.procurement import Agreement, Purchase, purchases, saved
from fleet.core.record import Record
from fleet.errors import NotFound


class By(StrEnum):
    AGREEMENT = "agreement"
    MEMBER = "member"


_BOTH = {"alone": "Alone NOK", "paid": "Together NOK", "saved": "Saved NOK"}
_AGREEMENTS = {
    "agreement": "Agreement",
    "name": "Of",
    "members": "Members",
    "quantity": "Quantity",
    **_BOTH,
    "until": "Ends",
    "notice_by": "Notice by",
    "option": "Option until",
    "ring": "To ring",
    "phone": "Phone",
}
_MEMBERS = {"member": "Member", "agreements": "Agreements", **_BOTH}


def procurement(
    by: Annotated[By, typer.Option("--by", help="One row for each of these.")] = By.AGREEMENT,
    year: Annotated[
        int | None, typer.Option("--year", help="Only what was called off in it.")
    ] = None,
    member: MemberOption = None,
    public: PublicOption = False,
    out: OutOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """What joint purchases saved: what was called off, at the joint price and at that before.

    \b
    Example:
      fleet report procurement
      fleet report procurement --by member --year 2025
    """
    fleet = open_app()
    inventory = inventory_with(fleet, member)
    agreements = {a.slug: a for a in fleet.books(inventory).agreements}
    if not agreements:
        raise NotFound(
            "no agreement is written down", hint="inventory/agreements.yaml; see the reference"
        )
    which = None if year is None else check_year(year, "--year")
    start, end = (date(which, 1, 1), date(which + 1, 1, 1)) if which else (date.min, date.max)
    found = purchases(agreements.values(), start, end)
    bought = [one for one in found if member in (None, one.member)]
    if by is By.MEMBER:
        rows = _by_member(bought)
    else:
        rows = [_row(inventory, a, bought) for a in agreements.values()]
    columns = _MEMBERS if by is By.MEMBER else _AGREEMENTS
    hidden = ("ring", "phone", "supplier") if public else ()
    give_rows(rows, columns, out, output, title="procurement", hidden=hidden)
    when = f"in {which}" if which else "so far"
    note(f"{from_ore(saved(bought))} NOK saved {when}, against what each paid before by itself")


def _by_member(bought: Sequence[Purchase]) -> list[Record]:
    mine: dict[str, list[Purchase]] = defaultdict(list)
    for one in bought:
        mine[one.member].append(one)
    return [
        {"member": member, "agreements": sorted(p.agreement for p in theirs), **_sums(theirs)}
        for member, theirs in sorted(mine.items())
    ]


def _row(inventory: Inventory, agreement: Agreement, bought: Sequence[Purchase]) -> Record:
    mine = [one for one in bought if one.agreement == agreement.slug]
    contract = inventory.contracts[agreement.contract]
    contact = contract.contact
    return {
        "agreement": agreement.slug,
        "name": agreement.name,
        "supplier": contract.supplier,
        "members": [one.member for one in mine],
        "quantity": sum(one.quantity for one in mine),
        "unit": agreement.unit,
        **_sums(mine),
        "until": contract.until.isoformat() if contract.until else None,
        "notice_by": contract.notice_by.isoformat() if contract.notice_by else None,
        "option": max((o.until.isoformat() for o in agreement.options), default=None),
        "ring": contact.role if contact else None,
        "phone": contact.phone if contact else None,
    }


def _sums(bought: Sequence[Purchase]) -> Record:
    return {
        "alone": from_ore(sum(one.alone for one in bought)),
        "paid": from_ore(sum(one.paid for one in bought)),
        "saved": from_ore(saved(bought)),
    }
