"""The basis of invoices: for each member, the lines of its statement.

Named after the terms of Peppol BIS Billing 3.0, to which Norway's EHF Billing 3.0 conforms: so a
program that makes such invoices needs no more than a date and a number of its own.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from fleet.core.cost import Row, Statement
from fleet.core.money import from_ore
from fleet.core.record import Record
from fleet.errors import Malformed

COOPERATION = "shared"  # the party that sends the invoices
_INVOICE, _CREDIT_NOTE = "380", "381"  # UNCL1001
_ORGANISATION = "0192"  # Norway's organisation numbers in ISO/IEC 6523
_UNIT = "C62"  # "one", UN/ECE Recommendation 20
_WEIGHTS = (3, 2, 7, 6, 5, 4, 3, 2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """Who sends or gets an invoice.

    Args:
        member: its slug, or `shared` for the cooperation itself.
        organisation: Norway's organisation number, nine digits.
        reference: what the buyer wants on its invoices, like a number of an account.
    """

    member: str
    name: str
    organisation: str
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Tax:
    """Value added tax, in per cent; none at all for what lies outside of it."""

    percent: int = 0

    def to_record(self) -> Record:
        """UNCL5305: standard rate; or outside the scope, which has no rate (rule BR-O-05)."""
        return {"ID": "S", "Percent": self.percent} if self.percent else {"ID": "O"}

    def on(self, ore: int) -> int:
        """The tax on an amount, half an øre up."""
        sign = -1 if ore < 0 else 1
        return sign * ((abs(ore) * self.percent + 50) // 100)


def is_organisation(text: str) -> bool:
    """Whether nine digits are an organisation number, by their check digit (modulo 11)."""
    if len(text) != 9 or not text.isascii() or not text.isdecimal():
        return False
    rest = -sum(int(d) * w for d, w in zip(text, _WEIGHTS, strict=False)) % 11
    return rest == int(text[-1])


def invoices(
    statement: Statement,
    lines: Mapping[str, Mapping[str, int]],
    parties: Mapping[str, Party],
    labels: Mapping[str, str],
    tax: Tax,
) -> Iterator[Record]:
    """One invoice for each member that pays, a credit note for each that gets money back.

    Args:
        lines: by member, what its share is made of, in øre.
        labels: what people call a line.

    Raises:
        Malformed: a party's organisation number is not known.
    """
    seller = _party(parties, COOPERATION)
    for row in statement.rows:
        if row.ore:
            buyer = _party(parties, row.member)
            yield _invoice(statement.year, row, lines[row.member], (seller, buyer), labels, tax)


def _party(parties: Mapping[str, Party], member: str) -> Party:
    if member not in parties:
        raise Malformed(
            f"the organisation number of `{member}` is not known",
            hint=f'inventory/parties.yaml: - {{member: {member}, name: …, organisation: "…"}}',
        )
    return parties[member]


def _invoice(
    year: int,
    row: Row,
    lines: Mapping[str, int],
    parties: tuple[Party, Party],
    labels: Mapping[str, str],
    tax: Tax,
) -> Record:
    seller, buyer = parties
    sign = -1 if row.ore < 0 else 1  # a credit note's amounts are what is given back
    net = row.ore * sign
    return {
        "InvoiceTypeCode": _INVOICE if sign > 0 else _CREDIT_NOTE,
        "DocumentCurrencyCode": "NOK",
        "BuyerReference": buyer.reference or buyer.member,
        "InvoicePeriod": {"StartDate": f"{year}-01-01", "EndDate": f"{year}-12-31"},
        "AccountingSupplierParty": _endpoint(seller),
        "AccountingCustomerParty": _endpoint(buyer),
        "InvoiceLines": [
            _line(number, labels.get(name, name), ore * sign, tax)
            for number, (name, ore) in enumerate(lines.items(), start=1)
            if ore
        ],
        "TaxTotal": {
            "TaxAmount": from_ore(tax.on(net)),
            "TaxableAmount": from_ore(net),
            "TaxCategory": tax.to_record(),
        },
        "LegalMonetaryTotal": {
            "LineExtensionAmount": from_ore(net),
            "TaxExclusiveAmount": from_ore(net),
            "TaxInclusiveAmount": from_ore(net + tax.on(net)),
            "PayableAmount": from_ore(net + tax.on(net)),
        },
    }


def _line(number: int, name: str, ore: int, tax: Tax) -> Record:
    """A line; a price is never negative (rule BR-27), so the quantity is."""
    return {
        "ID": str(number),
        "ItemName": name,
        "InvoicedQuantity": 1 if ore > 0 else -1,
        "UnitCode": _UNIT,
        "PriceAmount": from_ore(abs(ore)),
        "LineExtensionAmount": from_ore(ore),
        "TaxCategory": tax.to_record(),
    }


def _endpoint(party: Party) -> Record:
    return {
        "EndpointID": {"schemeID": _ORGANISATION, "value": party.organisation},
        "PartyName": party.name,
        "CompanyID": party.organisation,
    }
