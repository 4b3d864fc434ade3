"""`fleet report lifecycle`: what ends, and by when one has to decide."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from fleet.core.moment import later as months_later
from tests.worlds import fleet, replace_in, write_world

TODAY = datetime.now(UTC).date()


@pytest.fixture
def world(tmp_path: Path) -> Path:
    root = write_world(tmp_path / "w")
    soon, later = TODAY + timedelta(days=30), TODAY + timedelta(days=400)
    (root / "inventory/contracts.yaml").write_text(
        "contracts:\n"
        f"  - {{slug: net, supplier: NEAS, from: 2020-01-01, until: {later}, notice_by: {soon},\n"
        '     contact: {role: Nettvakt, phone: "71 58 30 00"}}\n'
        f"  - {{slug: old, supplier: Atea, from: 2010-01-01, until: 2015-01-01}}\n"
    )
    replace_in(
        root / "inventory/aure/devices.yaml",
        "asset_tag: IKT-004711",
        f"asset_tag: IKT-004711\n    warranty_until: {soon}\n    model: X1\n    contract: net",
    )
    assert fleet(root, "sync", "--yes").status == 0
    return root


def test_what_ends_in_a_year_is_listed_with_whom_to_ring(world: Path) -> None:
    soon = str(TODAY + timedelta(days=30))

    ran = fleet(world, "report", "lifecycle", "-o", "json")

    assert ran.status == 0
    assert [(row["day"], row["what"], row["name"]) for row in ran.json] == [
        (soon, "notice", "net"),
        (soon, "warranty", "skole-r1"),
    ]
    assert {row["phone"] for row in ran.json} == {"71 58 30 00"}
    assert "3 devices in use say nothing of a warranty" in ran.err


def test_one_may_look_further_and_at_one_member(world: Path) -> None:
    far = fleet(world, "report", "lifecycle", "--months", "24")
    mine = fleet(world, "report", "lifecycle", "--member", "aure", "-o", "json").json

    assert "contract ends" in far.out
    assert "last day to give notice" in far.out
    assert "old" not in far.out
    assert [row["name"] for row in mine] == ["skole-r1"]
    assert fleet(world, "report", "lifecycle", "--member", "smola", "-o", "json").json == []


@pytest.mark.parametrize(
    ("day", "months", "later"),
    [
        (date(2026, 11, 22), 12, date(2027, 11, 22)),
        (date(2026, 1, 31), 1, date(2026, 3, 1)),
        (date(2024, 2, 29), 12, date(2025, 3, 1)),
        (date(2026, 12, 31), 2, date(2027, 3, 1)),
    ],
)
def test_months_ahead(day: date, months: int, later: date) -> None:
    assert months_later(day, months) == later
