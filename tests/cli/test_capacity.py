"""`fleet report capacity` and `access` on the example cooperation."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from tests.worlds import fleet, make_example, replace_in


@pytest.fixture(scope="module")
def orkide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield make_example(tmp_path_factory.mktemp("capacity"))


def test_the_members_parts_add_up_to_what_is_used(orkide: Path) -> None:
    ran = fleet(orkide, "report", "capacity", "--at", "2026-06-01", "-o", "json")

    rows = [row for row in ran.json if row["capacity"] == "lagring-krs"]
    assert sum(Decimal(row["amount"]) for row in rows) == Decimal("37.00")
    assert "Lagringen i Kristiansund (krs-dc-nas1): 37.00 of 96 TB used on 2026-06-01" in ran.err
    assert "kept for good: nothing of it is deleted" in ran.err


def test_what_was_last_said_until_a_day_holds_on_it(orkide: Path) -> None:
    ran = fleet(orkide, "report", "capacity", "--at", "2025-06-01", "-o", "json")

    archive = [row for row in ran.json if row["capacity"] == "arkivlager"]
    assert [(row["member"], row["amount"], row["percent"]) for row in archive] == [
        ("kristiansund", "7", "100.0")
    ]


def test_what_grows_says_when_it_has_doubled_and_what_is_young_does_not(orkide: Path) -> None:
    ran = fleet(orkide, "report", "capacity", "--growth", "-o", "json")

    rows = {(row["capacity"], row["member"]): row for row in ran.json}
    mine = rows["lagring-krs", "kristiansund"]
    assert (mine["trend"], mine["readings"], mine["full_on"]) == ("grows", 8, None)
    assert 1.9 < mine["doubles_from"] < mine["doubles_years"] < mine["doubles_to"] < 2.1
    # When the others' part was first written down, all of it jumped: that is no growth.
    every = rows["lagring-krs", "all"]
    assert 1.8 < every["doubles_years"] < 2.2
    assert every["full_from"] <= every["full_on"] <= every["full_to"]
    assert "2028" < every["full_on"] < "2030"
    assert rows["arkivlager", "all"]["trend"] == "too short"
    assert rows["lagring-krs", "smola"]["doubles_years"] is None
    table = fleet(orkide, "report", "capacity", "--growth").out
    assert "Doubles in years" in table
    rests = "lagring-krs: how all of it grows rests on kristiansund; of 9 others there are too few"
    assert rests in table and rests in ran.err
    assert "arkivlager: how" not in table
    assert "how all" not in fleet(orkide, "report", "capacity", "--growth", "--member", "smola").out


def test_every_member_reaches_every_intranet(orkide: Path) -> None:
    ran = fleet(orkide, "report", "access", "-o", "json")

    assert ran.status == 0
    assert len(ran.json) == 9 * 3
    assert all(row["reaching"] == row["sites"] > 0 for row in ran.json)
    table = fleet(orkide, "report", "access", "--member", "smola").out
    assert table.splitlines()[-1].split() == [
        "smola",
        *["4", "of", "4", "4", "of", "4", "4", "of", "4"],
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("size: 96", "size: -96", "lagring-krs: `size`"),
        ("host: krs-dc-nas1", "host: krs-dc-nas9", "did you mean `krs-dc-nas1`?"),
        ("service: lonn, member: shared", "service: lonn, member: oslo", "no member `oslo`"),
        ("amount: 6}", "amount: 6,5}", "a point, not a comma"),
        (
            "2025-01-01, amount: 7}",
            "2026-01-01, amount: 7}",
            "kristiansund is there twice for 2026-01-01",
        ),
    ],
)
def test_wrong_capacities_are_refused(orkide: Path, old: str, new: str, message: str) -> None:
    book = orkide / "inventory/capacity.yaml"
    right = book.read_text()
    replace_in(book, old, new)

    ran = fleet(orkide, "report", "capacity")

    book.write_text(right)
    assert (ran.status, message in ran.err, ran.out) == (4, True, ""), ran.err
