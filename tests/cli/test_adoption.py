"""`fleet report adoption`: who uses what, since when, and who is later than planned."""

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from fleet.flows.adoption import percent
from fleet.flows.init import Example, make_workspace
from tests.worlds import fleet, replace_in


@pytest.fixture
def orkide(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "w"
    make_workspace(root, Example.ORKIDE)
    assert fleet(root, "sync", "--yes").status == 0
    yield root


def row(root: Path, service: str, *options: str) -> dict[str, Any]:
    ran = fleet(root, "report", "adoption", "--service", service, *options, "-o", "json")
    found: dict[str, Any] = ran.json[0]
    return found


def test_a_quarter_had_adopted_in_2013_and_any_day_is_recomputed(orkide: Path) -> None:
    then = row(orkide, "pasientmelding", "--at", "2013-06-01")
    before = row(orkide, "pasientmelding", "--at", "2013-01-31")
    now = row(orkide, "pasientmelding")

    assert (then["using"], then["members"], then["percent"]) == (3, 13, "23.1")
    assert then["used_by"] == ["kristiansund", "sunndal", "surnadal"]
    assert (before["using"], before["percent"]) == (0, "0.0")
    assert (now["using"], now["members"], now["percent"]) == (3, 9, "33.3")
    assert now["planned"] == {"aure": "2027-03-01", "averoy": "2027-03-01"}


def test_who_wanted_it_earlier_is_late(orkide: Path) -> None:
    services = orkide / "inventory/services.yaml"
    replace_in(services, "averoy, from: 2027-03-01", "averoy, from: 2026-03-01")
    fleet(orkide, "sync", "--yes")

    ran = fleet(orkide, "report", "adoption")

    assert ran.status == 1
    assert "2026-03-01: averoy, rindal" in ran.out
    assert row(orkide, "pasientmelding")["overdue"] == {
        "averoy": "2026-03-01",
        "rindal": "2026-03-01",
    }
    assert row(orkide, "pasientmelding", "--at", "2026-02-28")["overdue"] == {}


def test_sites_of_a_kind_that_do_without_are_listed(orkide: Path) -> None:
    services = orkide / "inventory/services.yaml"
    replace_in(
        services,
        "{member: smola, from: 2011-08-15}",
        "{member: smola, from: 2011-08-15, sites: [smo-radhus]}",
    )
    fleet(orkide, "sync", "--yes")
    schools = [
        s["slug"]
        for s in fleet(orkide, "list", "sites", "--member", "smola", "-o", "json").json
        if s["kind"] == "school"
    ]

    ran = fleet(
        orkide, "report", "adoption", "--service", "oppvekst", "--sites", "school", "-o", "json"
    )

    assert (ran.status, ran.json[0]["sites_without"]) == (1, schools)
    assert schools
    without = row(orkide, "oppvekst", "--at", "2010-01-01", "--sites", "school")["sites_without"]
    assert set(schools) < set(without)


def test_variants_and_all_are_said_shortly(orkide: Path) -> None:
    ran = fleet(orkide, "report", "adoption", "--service", "lonn")

    assert ran.out.splitlines()[-1].split() == ["lonn", "9", "9", "100.0", "all", "Visma"]


def test_bad_input(orkide: Path) -> None:
    ran = fleet(orkide, "report", "adoption", "--service", "lunsj")

    assert (ran.status, "there is no service `lunsj`" in ran.err) == (4, True)


@pytest.mark.parametrize(
    ("share", "text"),
    [(Fraction(3, 13), "23.1"), (Fraction(1, 8), "12.5"), (Fraction(1, 3), "33.3"), (None, None)],
)
def test_per_cent_have_one_decimal(share: Fraction | None, text: str | None) -> None:
    assert percent(share) == text
