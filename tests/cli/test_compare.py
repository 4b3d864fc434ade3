"""Members side by side, and only where there is enough to compare."""

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from fleet.core.comparison import letters
from tests.worlds import fleet, make_example, replace_in


@pytest.fixture(scope="module")
def orkide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example, with six outages at one member and four at another in 2024."""
    root = make_example(tmp_path_factory.mktemp("compare"))
    outages = ["device,start,end,state,cause"]
    for device, count in (("smo-rh-r1", 6), ("aur-rh-r1", 4), ("sun-rh-r1", 12)):
        outages += [
            f"{device},2024-03-{day + 4:02d}T10:00,2024-03-{day + 4:02d}T11:00,down,"
            for day in range(14)
            if day % 7 < 5  # from Monday to Friday
        ][:count]
    (root / "outages.csv").write_text("\n".join(outages) + "\n")
    covers = ("--covers", "2024-01-01/2025-01-01", "--all")
    assert fleet(root, "import", "outages", "outages.csv", *covers).status == 0
    yield root


def rows(root: Path, *more: str) -> dict[str, dict[str, object]]:
    ran = fleet(root, "report", "compare", "--year", "2024", "-o", "json", *more)
    assert ran.status == 0, ran.err
    return {row["member"]: row for row in ran.json}


def test_figures_are_per_inhabitant_and_per_user(orkide: Path) -> None:
    smola = rows(orkide)["smola"]

    assert (smola["population"], smola["devices"]) == (2159, 10)
    assert smola["devices_per_1000"] == "4.6"  # 10 × 1000 / 2159
    assert smola["cost_per_inhabitant"] == "371.23"  # 801480.76 / 2159
    assert smola["tickets_per_1000"] == "181.1"  # 391 × 1000 / 2159
    assert smola["n"] == {"devices_with_age": 10, "incidents": 6, "known_hours": _hours(smola)}


def _hours(row: dict[str, object]) -> int:
    n = row["n"]
    assert isinstance(n, dict)
    assert n["known_hours"] > 5000
    return int(n["known_hours"])


def test_who_had_few_incidents_has_no_rank(orkide: Path) -> None:
    found = rows(orkide)

    assert {m: row["rank"] for m, row in found.items() if row["rank"]} == {"sunndal": 1, "smola": 2}
    assert found["aure"]["incidents_per_1000_users"] is None
    assert found["smola"]["incidents_per_1000_users"] == "40.8"  # 6 × 1000 / 147


def test_few_answers_are_not_shown(orkide: Path) -> None:
    found = rows(orkide)

    assert found["smola"]["figures"] == {"tilfredshet": "4.7", "ekartlegging": "118"}
    assert found["rindal"]["figures"] == {"tilfredshet": None, "ekartlegging": None}


def test_an_anonymous_export_names_nobody_and_no_size(orkide: Path) -> None:
    found = rows(orkide, "--anonymous")

    assert sorted(found) == list("ABCDEFGHI")
    for row in found.values():
        known = {"name", "population", "users", "devices", "sites", "cost", "cost_per_inhabitant"}
        assert not known & row.keys()
        # Anybody may look the indicator up, and whose it is.
        figures = row["figures"]
        assert isinstance(figures, dict)
        assert list(figures) == ["tilfredshet"]
    again = rows(orkide, "--anonymous")
    assert again == found
    ran = fleet(orkide, "report", "compare", "--anonymous", "--member", "smola")
    assert (ran.status, "one member alone is not anonymous" in ran.err) == (2, True)
    assert [letters(n) for n in (0, 25, 26, 27)] == ["A", "Z", "AA", "AB"]


def test_a_year_has_the_members_of_its_last_day(orkide: Path) -> None:
    def members(year: str) -> int:
        return len(fleet(orkide, "report", "compare", "--year", year, "-o", "json").json)

    assert [members(year) for year in ("2018", "2019", "2020")] == [13, 10, 9]


def test_negative_money_is_rounded_like_positive(orkide: Path) -> None:
    book = orkide / "inventory/costs.yaml"
    right = book.read_text()
    book.write_text("costs:\n  - {slug: g, name: G, from: 2013-01-01, once: -2000000.00}\n")

    ran = fleet(orkide, "report", "compare", "--year", "2013", "-o", "json")

    book.write_text(right)
    row = next(row for row in ran.json if row["member"] == "smola")
    assert (row["cost"], row["cost_per_inhabitant"]) == ("-87347.55", "-40.07")  # / 2180


def test_posts_are_compared_by_year_with_what_was_there_then(orkide: Path) -> None:
    ran = fleet(orkide, "report", "staffing", "--from", "2020", "--to", "2024", "-o", "json")

    found = {row["year"]: row for row in ran.json}
    assert found[2020]["posts"] is found[2020]["devices_per_post"] is None
    assert Decimal(found[2024]["sites_per_post"]) == round(Decimal(42) / Decimal("10.5"), 1)
    assert found[2022]["devices"] < found[2024]["devices"]


def test_what_it_was_worth_adds_up_over_the_years(orkide: Path) -> None:
    ran = fleet(orkide, "report", "balance", "--from", "2022", "--to", "2024", "-o", "json")

    mine = [row for row in ran.json if row["member"] == "smola"]
    assert mine[-1]["benefit"] == "545800.00"  # 535000 and 9 access points at 1200 less
    assert mine[-1]["paid"] == "801480.76"
    assert sum(Decimal(row["net"]) for row in mine) == Decimal(mine[-1]["so_far"])


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("smola: {2024: 21}", "smola: {2023: 21}", "how many of smola answered in 2024?"),
        ("kind: staff", "kind: posts", "`kind` cannot be `posts`"),
        ("2025: 655", "2025: -655", "what is counted is not below zero"),
        ("smola: {2024: 118}", "oslo: {2024: 118}", "there is no member `oslo`"),
        ("2024: 10.5", "'24': 10.5", "`values"),
    ],
)
def test_wrong_figures_are_refused(orkide: Path, old: str, new: str, message: str) -> None:
    book = orkide / "inventory/figures.yaml"
    right = book.read_text()
    replace_in(book, old, new)

    ran = fleet(orkide, "report", "compare", "--year", "2024")

    book.write_text(right)
    assert (ran.status, message in ran.err, ran.out) == (4, True, ""), ran.err
