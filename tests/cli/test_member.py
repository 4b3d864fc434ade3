"""`fleet member join|leave|merge`: with a plan, and old reports stay as they were."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.flows.init import Example, make_workspace
from tests.worlds import fleet


@pytest.fixture
def orkide(tmp_path: Path) -> Iterator[Path]:
    root = tmp_path / "w"
    make_workspace(root, Example.ORKIDE)
    assert fleet(root, "sync", "--yes").status == 0
    yield root


def members(root: Path, day: str) -> set[str]:
    return {r["slug"] for r in fleet(root, "list", "members", "--at", day, "-o", "json").json}


def split(root: Path, year: str) -> str:
    ask = ("report", "cost", "--amount", "1000000", "--year", year)
    ran = fleet(root, *ask, "--population-date", f"{min(year, '2024')}-01-01", "-o", "json")
    assert ran.status == 0, ran.err
    return ran.out


def test_nothing_is_written_without_a_yes(orkide: Path) -> None:
    before = (orkide / "inventory/members.yaml").read_bytes()

    ran = fleet(orkide, "member", "leave", "smola", "--on", "2026-07-01")

    assert (ran.status, "nobody said yes; nothing was written" in ran.err) == (2, True)
    assert ran.out == "change   members smola: left → 2026-07-01\n"
    assert (orkide / "inventory/members.yaml").read_bytes() == before


def test_a_member_leaves_and_old_reports_stay_byte_for_byte(orkide: Path) -> None:
    before = split(orkide, "2013")
    text = (orkide / "inventory/members.yaml").read_text()

    assert fleet(orkide, "member", "leave", "smola", "--on", "2026-07-01", "--yes").status == 0
    assert fleet(orkide, "sync", "--yes").status == 0

    assert split(orkide, "2013") == before
    assert "smola" in members(orkide, "2026-06-30")
    assert "smola" not in members(orkide, "2026-07-01")
    lines = (orkide / "inventory/members.yaml").read_text().splitlines()
    assert [line for line in lines if line not in text.splitlines()] == ['    left: "2026-07-01"']


def test_a_member_joins_for_the_first_time_and_again(orkide: Path) -> None:
    new = ("--name", "Oppdal", "--number", "5021", "--language", "nb")
    assert fleet(orkide, "member", "leave", "smola", "--on", "2025-01-01", "--yes").status == 0
    for slug, more in (("oppdal", new), ("heim", ()), ("smola", ())):
        ran = fleet(orkide, "member", "join", slug, "--on", "2026-01-01", *more, "--yes")
        assert ran.status == 0, ran.err
    assert fleet(orkide, "sync", "--yes").status == 0

    assert {"oppdal", "heim", "smola"} <= members(orkide, "2026-01-01")
    assert not {"oppdal", "heim", "smola"} & members(orkide, "2025-12-31")
    assert "smola" in members(orkide, "2024-12-31")


def test_members_merge_and_their_sites_and_people_go_to_the_heir(orkide: Path) -> None:
    before = split(orkide, "2024")
    new = ("--into", "havet", "--name", "Havet", "--number", "1599")

    ran = fleet(orkide, "member", "merge", "averoy", "smola", *new, "--on", "2026-07-01", "--yes")

    assert ran.status == 0, ran.err
    assert fleet(orkide, "sync", "--yes").status == 0
    assert split(orkide, "2024") == before
    assert {"averoy", "smola"} <= members(orkide, "2026-06-30")
    assert {"averoy", "smola", "havet"} & members(orkide, "2026-07-01") == {"havet"}
    found = fleet(
        orkide, "report", "cost", "--amount", "1", "--year", "2026",
        "--population-date", "2024-01-01", "-o", "json",
    )  # fmt: skip
    people = {row["member"]: (row["population"], row["days"]) for row in found.json["rows"]}
    assert people["havet"] == (5955 + 2159, 184)
    assert people["smola"] == (2159, 181)
    then = fleet(orkide, "list", "sites", "--member", "havet", "--at", "2026-07-01", "-o", "json")
    assert "smo-radhus" in [site["slug"] for site in then.json]

    def up(month: str) -> dict[str, int]:
        ask = ("report", "uptime", "--month", month, "--by", "member", "-o", "json")
        return {row["name"]: row["scheduled_s"] for row in fleet(orkide, *ask).json["rows"]}

    june, july = up("2026-06"), up("2026-07")
    assert min(june["averoy"], june["smola"], july["havet"]) > 0
    assert not {"averoy", "smola"} & {name for name, time in july.items() if time}


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("leave", "oslo", "--on", "2026-01-01"), "there is no member `oslo`"),
        (("leave", "halsa", "--on", "2026-01-01"), "Halsa is no member that could leave"),
        (("leave", "smola", "--on", "1990-01-01"), "Smøla is no member that could leave"),
        (("join", "smola", "--on", "2026-01-01"), "Smøla is a member on 2026-01-01 or later"),
        (("join", "halsa", "--on", "2026-01-01"), "Halsa ended on 2020-01-01"),
        (("join", "oppdal", "--on", "2026-01-01"), "a new one needs --name and --number"),
        (("merge", "smola", "--into", "smola", "--on", "2026-01-01"), "cannot be its own heir"),
        (("merge", "halsa", "--into", "heim", "--on", "2026-01-01"), "Halsa ended on 2020-01-01"),
        (("merge", "aure", "aure", "--into", "heim", "--on", "2026-01-01"), "is named twice"),
        (("leave", "smola", "--on", "1.7.2026"), "1.7.2026"),
    ],
)
def test_bad_input_changes_nothing(orkide: Path, command: tuple[str, ...], message: str) -> None:
    before = (orkide / "inventory/members.yaml").read_bytes()

    ran = fleet(orkide, "member", *command, "--yes")

    assert (ran.status, message in ran.err) == (4, True), ran.err
    assert (orkide / "inventory/members.yaml").read_bytes() == before
