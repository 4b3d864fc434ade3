"""`fleet report invoices`"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.options import MemberOption, Output, OutputOption, open_app
from fleet.cli.report_cost import (
    PopulationDateOption,
    check_year,
    labels_of,
    own_rule,
    read_population_date,
)
from fleet.cli.report_rows import OutOption, give_rows, inventory_with, write
from fleet.cli.show import count_of, note, show_value
from fleet.core.cost import AMOUNT, ROUNDING
from fleet.core.invoice import Tax
from fleet.core.invoice import invoices as invoices_of
from fleet.core.moment import local
from fleet.core.record import Record
from fleet.errors import NotFound
from fleet.flows.cost import Wanted, ore_of, report_cost
from fleet.report.table import table_to_bytes
from fleet.report.words import words

_COLUMNS = {
    "organisation": "Organisation",
    "buyer": "Buyer",
    "type": "Type",
    "line": "No.",
    "name": "Of",
    "quantity": "Quantity",
    "amount": "NOK",
}


def invoices(
    year: Annotated[int | None, typer.Option("--year", help="Default: this year.")] = None,
    vat: Annotated[
        int, typer.Option("--vat", min=0, max=100, metavar="PERCENT", help="Value added tax.")
    ] = 0,
    population_date: PopulationDateOption = None,
    member: MemberOption = None,
    out: OutOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """What each member's invoice is made of, in the terms of EHF (Peppol BIS Billing 3.0).

    Type 380 is an invoice, 381 a credit note: what it says is given back.

    As JSON it is one invoice for each member, ready for a program that sends them; as CSV or a
    table it is a row for each line.

    \b
    Example:
      fleet report invoices --year 2024 --vat 25 --out invoices.json
      fleet report invoices --year 2024 --member smola
    """
    fleet = open_app()
    which = check_year(year if year is not None else local(fleet.now()).year, "--year")
    inventory = inventory_with(fleet, member)
    books = fleet.books(inventory)
    people = read_population_date(population_date, which)
    wanted = Wanted(year=which, key=own_rule(fleet), population_date=people)
    made = report_cost(inventory, wanted, books)
    say = words(fleet.workspace.settings.cooperation.language)
    labels = labels_of(inventory, books)
    labels |= {AMOUNT: say("cost_amount"), ROUNDING: say("cost_rounding")}
    mine = replace(made, rows=tuple(r for r in made.rows if member in (None, r.member)))
    if not mine.rows:
        raise NotFound(f"{member} is no member in {which}", hint="fleet list members --at")
    lines = {row.member: ore_of(row) for row in mine.rows}
    found = list(invoices_of(mine, lines, books.parties, labels, Tax(vat)))
    _give(found, out, output)


def _give(found: Sequence[Record], out: Path | None, output: Output) -> None:
    if out is not None and out.suffix in (".json", ".yaml"):
        write(out, table_to_bytes(found, out.suffix, "invoices"))
        note(f"wrote {count_of(len(found), 'invoice')} to {out}")
    elif out is None and output in (Output.JSON, Output.YAML):
        show_value(list(found), output)
    else:
        give_rows(list(_flat(found)), _COLUMNS, out, output, title="invoices")


def _flat(found: Sequence[Record]) -> Iterator[Record]:
    """Every line of every invoice, as a table has it."""
    for one in found:
        buyer = one["AccountingCustomerParty"]
        for line in one["InvoiceLines"]:
            yield {
                "organisation": buyer["CompanyID"],
                "buyer": buyer["PartyName"],
                "reference": one["BuyerReference"],
                "type": one["InvoiceTypeCode"],
                "line": line["ID"],
                "name": line["ItemName"],
                "quantity": line["InvoicedQuantity"],
                "price": line["PriceAmount"],
                "amount": line["LineExtensionAmount"],
                "vat_percent": line["TaxCategory"].get("Percent"),
            }
