"""Costs beside the contracts: shared, one member's own, or by use; once, or by the year."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest

from fleet.core.cost import Key, Row, WhatIf, state
from fleet.core.cost_line import CostLine, Index, Regulation, Sharing, pots_of_lines
from fleet.core.inventory import Inventory, Member, Membership
from fleet.core.invoice import Party, Tax, invoices, is_organisation
from fleet.errors import Malformed
from fleet.flows.cost import ore_of

RULE = Key({"population": Fraction(70), "equal": Fraction(30)})
KPI = Index(
    slug="kpi",
    name="Consumer prices",
    source="invented",
    values={2022: Decimal(100), 2024: Decimal("109.0")},
)


def inventory() -> Inventory:
    people = {"aure": 300, "smola": 100}
    members = {
        slug: Member(
            slug=slug,
            name=slug.title(),
            number=f"157{place}",
            memberships=(Membership(joined=date(2020, 1, 1)),),
            population={2024: count},
        )
        for place, (slug, count) in enumerate(people.items())
    }
    return Inventory(members=members)


def pay(*lines: CostLine, year: int = 2024) -> dict[str, int]:
    """What each pays, in øre."""
    return {row.member: row.ore for row in rows(*lines, year=year)}


def rows(*lines: CostLine, year: int = 2024) -> tuple[Row, ...]:
    pots = pots_of_lines(lines, {"kpi": KPI}, year, RULE)
    return state(inventory(), year, pots, population_date=date(2024, 1, 1)).rows


def line(**values: object) -> CostLine:
    first = {"slug": "x", "name": "X", "from_": date(2024, 1, 1), "sharing": Sharing.SHARED}
    return CostLine(**{**first, **values})  # type: ignore[arg-type]  # each test gives its own


def test_a_shared_line_follows_the_key() -> None:
    # 0.7 × 300/400 + 0.3 × 1/2 = 0.675
    assert pay(line(per_year=Decimal(1000))) == {"aure": 67_500, "smola": 32_500}


def test_an_own_line_falls_on_its_member_alone() -> None:
    own = line(sharing=Sharing.OWN, member="smola", per_year=Decimal(366), until=date(2024, 1, 11))
    assert pay(own) == {"aure": 0, "smola": 1000}


def test_a_line_by_use_follows_the_quantities() -> None:
    used = {"aure": 2, "smola": 1}
    licences = line(sharing=Sharing.USE, price=Decimal("10.10"), quantities=used)
    assert pay(licences) == {"aure": 2020, "smola": 1010}
    storage = line(sharing=Sharing.USE, per_year=Decimal("100"), quantities=used)
    assert pay(storage) == {"aure": 6667, "smola": 3333}


def test_who_is_no_member_any_more_leaves_nobody_its_licences() -> None:
    used = {"aure": 10, "smola": 10}
    licences = line(sharing=Sharing.USE, price=Decimal(366), quantities=used)
    pots = pots_of_lines([licences], {}, 2024, RULE)
    gone = {"smola": WhatIf(left=date(2024, 1, 11))}

    made = state(inventory(), 2024, pots, population_date=date(2024, 1, 1), changes=gone)

    # Ten of 366 days at 366 kroner a year.
    assert {row.member: row.ore for row in made.rows} == {"aure": 366_000, "smola": 10_000}
    assert made.ore == 376_000


def test_the_heir_of_a_merged_member_pays_what_it_used_and_its_own() -> None:
    before = inventory()
    smola = replace(before.members["smola"], ended=date(2024, 7, 1), successors=("ny",))
    ny = Member(
        slug="ny",
        name="Ny",
        number="1599",
        memberships=(Membership(joined=date(2024, 7, 1)),),
    )
    merged = Inventory(members={**before.members, "smola": smola, "ny": ny})
    lines = [
        line(sharing=Sharing.USE, price=Decimal(366), quantities={"aure": 1, "smola": 1}),
        line(slug="y", sharing=Sharing.OWN, member="smola", per_year=Decimal(366)),
        line(slug="z", sharing=Sharing.USE, per_year=Decimal(366), quantities={"smola": 3}),
    ]
    pots = pots_of_lines(lines, {}, 2024, RULE)

    made = state(merged, 2024, pots, population_date=date(2024, 1, 1))

    # 182 days before 1 July, 184 from it on; three lines of one krone a day.
    assert {row.member: row.ore for row in made.rows} == {
        "aure": 36_600,
        "smola": 3 * 18_200,
        "ny": 3 * 18_400,
    }


def test_an_heir_that_came_before_the_merger_pays_from_it_on() -> None:
    before = inventory()
    smola = replace(before.members["smola"], ended=date(2024, 9, 26), successors=("aure",))
    merged = Inventory(members={**before.members, "smola": smola})
    own = line(sharing=Sharing.OWN, member="smola", per_year=Decimal(366))
    gone = {"smola": WhatIf(left=date(2024, 7, 26))}

    made = state(
        merged,
        2024,
        pots_of_lines([own], {}, 2024, RULE),
        population_date=date(2024, 1, 1),
        changes=gone,
    )

    # A krone a day: 207 days until it left, 97 from the merger on; nobody's in between.
    assert {row.member: row.ore for row in made.rows} == {"aure": 9_700, "smola": 20_700}


def test_what_is_paid_once_falls_on_its_day() -> None:
    grant = line(once=Decimal(-2_500_000), from_=date(2024, 7, 1))
    assert sum(pay(grant).values()) == -250_000_000
    assert pots_of_lines([grant], {}, 2025, RULE) == []


def test_a_yearly_amount_follows_its_index() -> None:
    regulated = line(
        per_year=Decimal(1000),
        from_=date(2022, 1, 1),
        regulation=Regulation(index="kpi", base=2022),
    )
    assert sum(pay(regulated).values()) == 109_000

    with pytest.raises(Malformed) as error:
        pots_of_lines([regulated], {"kpi": KPI}, 2023, RULE)
    assert "no value for 2023" in str(error.value)


def test_days_before_the_beginning_and_after_the_end_cost_nothing() -> None:
    half = line(per_year=Decimal(366), from_=date(2024, 3, 1), until=date(2024, 4, 1))
    (pot,) = pots_of_lines([half], {}, 2024, RULE)
    assert (pot.ore, pot.start, pot.end) == (3100, date(2024, 3, 1), date(2024, 4, 1))


# --- invoices


def parties(*members: str) -> Mapping[str, Party]:
    return {m: Party(member=m, name=m.title(), organisation="999000118") for m in members}


def made(*lines: CostLine, percent: int = 0) -> list[dict[str, object]]:
    pots = pots_of_lines(lines, {}, 2024, RULE)
    statement = state(inventory(), 2024, pots, population_date=date(2024, 1, 1))
    every = {row.member: ore_of(row) for row in statement.rows}
    return list(
        invoices(statement, every, parties("shared", "aure", "smola"), {"x": "X"}, Tax(percent))
    )


def total(invoice: Mapping[str, object], name: str) -> object:
    amounts = invoice["LegalMonetaryTotal"]
    assert isinstance(amounts, dict)
    return amounts[name]


def test_the_lines_of_an_invoice_add_up_to_it_and_the_tax_is_of_the_sum() -> None:
    first, second = made(line(per_year=Decimal("1000.00")), percent=25)
    assert [total(i, "LineExtensionAmount") for i in (first, second)] == ["675.00", "325.00"]
    assert [total(i, "PayableAmount") for i in (first, second)] == ["843.75", "406.25"]
    assert first["InvoiceTypeCode"] == "380"


def test_money_back_is_a_credit_note_and_no_price_is_negative() -> None:
    cost = line(slug="cost", per_year=Decimal(100))
    grant = line(slug="grant", once=Decimal(-300))
    first, _ = made(cost, grant)
    assert first["InvoiceTypeCode"] == "381"
    assert total(first, "PayableAmount") == "135.00"
    lines = first["InvoiceLines"]
    assert isinstance(lines, list)
    assert [(one["InvoicedQuantity"], one["PriceAmount"]) for one in lines] == [
        (-1, "67.50"),
        (1, "202.50"),
    ]


def test_who_owes_nothing_gets_no_invoice() -> None:
    own = line(sharing=Sharing.OWN, member="smola", once=Decimal(5))
    assert len(made(own)) == 1


def test_a_party_without_an_organisation_number_is_named() -> None:
    statement = state(
        inventory(),
        2024,
        pots_of_lines([line(once=Decimal(5))], {}, 2024, RULE),
        population_date=date(2024, 1, 1),
    )
    every = {row.member: ore_of(row) for row in statement.rows}
    with pytest.raises(Malformed) as error:
        list(invoices(statement, every, parties("shared", "aure"), {}, Tax()))
    assert "`smola`" in str(error.value)


@pytest.mark.parametrize(
    ("number", "is_one"),
    [("974760673", True), ("974760674", False), ("97476067", False), ("97476067x", False)],
)
def test_an_organisation_number_has_a_check_digit(number: str, is_one: bool) -> None:
    assert is_organisation(number) is is_one
