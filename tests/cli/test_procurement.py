"""Joint purchases: what they saved, what ends, and what must be replaced."""

from decimal import Decimal
from pathlib import Path

import pytest

from tests.worlds import fleet, replace_in, write_world


@pytest.fixture
def world(tmp_path: Path) -> Path:
    root = write_world(tmp_path / "w")
    (root / "inventory/contracts.yaml").write_text(
        "contracts:\n"
        "  - {slug: net, supplier: NEAS, from: 2010-01-01, until: 2020-01-01,\n"
        '     notice_by: 2019-01-01, contact: {role: Nettvakt, phone: "71 58 30 00"}}\n'
    )
    # The joint network: 20 million a year alone, 10 million together, for ten years.
    (root / "inventory/agreements.yaml").write_text(
        "agreements:\n"
        "  - slug: nett\n    name: Datanett\n    contract: net\n    unit: km\n"
        "    baseline: 20000.00\n    price: 10000.00\n"
        "    options: [{until: 2025-01-01, notice_by: 2019-07-01}]\n"
        "    call_offs:\n"
        "      - {member: aure, on: 2012-01-01, quantity: 333}\n"
        "      - {member: smola, on: 2012-12-31, quantity: 300}\n"
        "      - {member: smola, on: 2013-01-01, quantity: 367}\n"
    )
    assert fleet(root, "sync", "--yes").status == 0
    return root


def test_what_members_saved_adds_up(world: Path) -> None:
    rows = fleet(world, "report", "procurement", "--by", "member", "-o", "json").json
    (one,) = fleet(world, "report", "procurement", "-o", "json").json

    assert {row["member"]: row["saved"] for row in rows} == {
        "aure": "3330000.00",
        "smola": "6670000.00",
    }
    assert sum(Decimal(row["saved"]) for row in rows) == Decimal(one["saved"]) == 10_000_000
    assert (one["alone"], one["paid"]) == ("20000000.00", "10000000.00")


def test_an_agreement_shows_its_days_and_whom_to_ring(world: Path) -> None:
    (one,) = fleet(world, "report", "procurement", "-o", "json").json

    assert [one[name] for name in ("until", "notice_by", "option", "ring", "phone")] == [
        "2020-01-01",
        "2019-01-01",
        "2025-01-01",
        "Nettvakt",
        "71 58 30 00",
    ]


def test_a_year_counts_from_its_first_day_to_its_last(world: Path) -> None:
    ran = fleet(world, "report", "procurement", "--by", "member", "--year", "2012", "-o", "json")

    assert {row["member"]: row["saved"] for row in ran.json} == {
        "aure": "3330000.00",
        "smola": "3000000.00",
    }
    assert "6330000.00 NOK saved in 2012" in ran.err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("quantity: 333", "quantity: -3", "agreements.yaml:10: nett: `call_offs.quantity`"),
        ("contract: net", "contract: nett", "did you mean `net`?"),
        ("member: aure", "member: oslo", "nett: there is no member `oslo`"),
        ("price: 10000.00", "price: 1e4", "`1e4` is no amount in kroner"),
    ],
)
def test_a_wrong_agreement_is_refused(world: Path, old: str, new: str, message: str) -> None:
    replace_in(world / "inventory/agreements.yaml", old, new)

    ran = fleet(world, "report", "procurement")

    assert (ran.status, message in ran.err, ran.out) == (4, True, ""), ran.err


def test_what_must_be_replaced_is_counted_by_owner_and_year(world: Path) -> None:
    replace_in(
        world / "inventory/aure/devices.yaml",
        "asset_tag: IKT-004711",
        "asset_tag: IKT-004711\n    model: X1",
    )
    (world / "inventory/models.yaml").write_text(
        "models:\n  - {model: X1, price: 1000.50, years: 200, end_of_support: 2001-12-31}\n"
    )
    refused = fleet(world, "report", "lifecycle", "--budget")
    assert (refused.status, "X1: `years`" in refused.err) == (4, True)
    replace_in(world / "inventory/models.yaml", "years: 200, end", "years: 100, end")
    assert fleet(world, "sync", "--yes").status == 0

    overdue = fleet(world, "report", "lifecycle", "--budget", "-o", "json")
    replace_in(world / "inventory/models.yaml", ", end_of_support: 2001-12-31", "")
    later = fleet(world, "report", "lifecycle", "--budget", "--months", "600", "-o", "json")

    (row,) = overdue.json
    assert (row["owner"], row["amount"], row["names"]) == ("aure", "1000.50", ["skole-r1"])
    assert "nothing says when to replace 3 devices" in overdue.err
    assert later.json == []
