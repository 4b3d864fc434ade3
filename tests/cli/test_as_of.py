"""`--at`, `fleet history` and `fleet diff`: the inventory of an earlier day."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleet.core.asof import Recorded, records_at
from fleet.flows.init import Example, make_workspace
from tests.worlds import fleet, make_example, replace_in, write_world


@pytest.fixture(scope="module")
def orkide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield make_example(tmp_path_factory.mktemp("asof"))


def members(root: Path, day: str) -> list[str]:
    rows = fleet(root, "list", "members", "--at", day, "-o", "json").json
    return [row["slug"] for row in rows]


def test_members_of_orkide_on_any_day(orkide: Path) -> None:
    counts = {day: len(members(orkide, day)) for day in ("2013-06-01", "2018-12-31", "2019-12-31")}

    assert counts == {"2013-06-01": 13, "2018-12-31": 13, "2019-12-31": 10}
    assert len(members(orkide, "2020-01-01")) == 9
    assert members(orkide, "1990-01-01") == []
    assert "hustadvika" not in members(orkide, "2021-01-01")


def test_hedmark_joined_in_stages(tmp_path: Path) -> None:
    root = tmp_path / "w"
    make_workspace(root, Example.HEDMARK)
    assert fleet(root, "sync", "--yes").status == 0

    days = ("2005-12-31", "2008-01-01", "2012-01-01", "2018-01-01")

    assert [len(members(root, day)) for day in days] == [0, 3, 6, 7]


def test_a_member_has_the_number_and_county_of_then(orkide: Path) -> None:
    then = fleet(orkide, "show", "member", "rindal", "--at", "2018-12-31", "-o", "json").json
    now = fleet(orkide, "show", "member", "rindal", "-o", "json").json

    assert (then["number"], then["county"]) == ("1567", "Møre og Romsdal")
    assert (now["number"], now["county"]) == ("5061", "Trøndelag")


def test_who_left_between_two_days(orkide: Path) -> None:
    found = fleet(orkide, "diff", "2018-12-31", "2019-01-01", "-o", "json")

    gone = [(r["kind"], r["key"]) for r in found.json if r["action"] == "went"]
    assert found.status == 1
    assert gone[:3] == [("member", "eide"), ("member", "frana"), ("member", "nesset")]
    assert ("site", "eid-radhus") in gone
    mine = fleet(orkide, "diff", "2018-12-31", "2019-01-01", "--member", "eide", "-o", "json").json
    assert mine == [row for row in found.json if "eid" in row["key"]]
    assert fleet(orkide, "diff", "2018-12-31", "2019-01-01", "--member", "oslo").status == 4
    same = fleet(orkide, "diff", "2012-06-01", "2012-06-02")
    assert (same.status, same.err) == (0, "0 differences\n")


def at(root: Path, instant: str, kind: str, name: str) -> dict[str, object]:
    ran = fleet(root, "show", kind, name, "--at", instant, "-o", "json")
    assert ran.status == 0, ran.err
    found: dict[str, object] = ran.json
    return found


def test_a_device_is_where_it_stood_then_and_there_until_it_was_retired(tmp_path: Path) -> None:
    root = write_world(tmp_path / "w")
    assert fleet(root, "sync", "--yes").status == 0
    devices = root / "inventory/aure/devices.yaml"
    first = now()
    replace_in(devices, "name: skole-sw1\n    site: skole", "name: skole-sw1\n    site: barnehage")
    assert fleet(root, "sync", "--yes").status == 0
    second = now()
    text = devices.read_text()
    devices.write_text(text[: text.index("  - name: skole-sw1")])
    links = root / "inventory/aure/links.yaml"
    links.write_text(links.read_text().replace('  - {a: "skole-r1 : Gi3"', '  # {a: "'))
    replace_in(links, '"dc-r1 : Gi2", b: "bhg-r1 : Gi1"', '"dc-r1 : Gi2", b: "skole-r1 : Gi1"')
    assert fleet(root, "sync", "--yes", "--force").status == 0

    assert at(root, first, "device", "skole-sw1")["site"] == "skole"
    assert at(root, second, "device", "skole-sw1")["site"] == "barnehage"
    assert at(root, second, "device", "bhg-r1")["status"] == "active"
    gone = fleet(root, "show", "device", "skole-sw1", "--at", now())
    assert (gone.status, "there is no device `skole-sw1`" in gone.err) == (4, True)
    # Before fleet knew it, it was as it was first known; before it was commissioned, nowhere.
    assert at(root, "2021-01-01", "device", "skole-sw1")["site"] == "skole"
    assert fleet(root, "show", "device", "skole-sw1", "--at", "2019-12-31").status == 4
    actions = [
        row["action"] for row in fleet(root, "history", "device", "skole-sw1", "-o", "json").json
    ]
    assert actions == ["retire", "update", "create"]


def now() -> str:
    return datetime.now(UTC).isoformat()


def test_what_was_deleted_since_was_there() -> None:
    entries: list[Recorded] = [
        (10, "create", "device", "a", {"name": (None, "a"), "site": (None, "x")}),
        (20, "update", "device", "a", {"site": ("x", "y")}),
        (30, "delete", "device", "a", {"name": ("a", None)}),
        (40, "create", "device", "b", {"name": (None, "b"), "site": (None, "z")}),
        (50, "update", "device", "b", {"site": ("z", "x")}),
    ]

    sites = {t: {k[1]: r["site"] for k, r in records_at(entries, t).items()} for t in (5, 25, 60)}

    assert sites == {5: {"a": "x", "b": "z"}, 25: {"a": "y", "b": "z"}, 60: {"b": "x"}}


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        (("list", "members", "--at", "2099-01-01"), 4, "2099-01-01 is still to come"),
        (("list", "members", "--at", "yesterday"), 4, "yesterday"),
        (("list", "outages", "--at", "2020-01-01"), 2, "outages have their own times"),
        (("show", "member", "heim", "--at", "2020-06-01"), 4, "there is no member `heim`"),
        (("diff", "2020-01-01", "2019-01-01"), 4, "hint: fleet diff 2019-01-01 2020-01-01"),
        (("history", "device", "nobody"), 4, "nothing was recorded of a device `nobody`"),
    ],
)
def test_bad_input(orkide: Path, command: tuple[str, ...], status: int, message: str) -> None:
    ran = fleet(orkide, *command)

    assert (ran.status, message in ran.err, ran.out) == (status, True, ""), ran.err


@pytest.mark.parametrize(
    ("kind", "name", "said"),
    [
        ("site", "krs-radhus", "ring Kristiansund: IT-vakt"),
        ("device", "krs-rh-r1", "uplink: GigabitEthernet0/0/0 → krs-dc-r1"),
        ("service", "lonn", "Lønn, økonomi og personal"),
        ("member", "kristiansund", "krs-radhus"),
        ("contract", "nett-2023", "Nordmøre Breiband"),
    ],
)
def test_the_card_of_then_is_as_whole_as_that_of_today(
    orkide: Path, kind: str, name: str, said: str
) -> None:
    ran = fleet(orkide, "show", kind, name, "--at", "2026-01-15")

    assert (ran.status, said in ran.out) == (0, True), ran.err + ran.out


def test_a_site_shows_its_rooms_and_racks(orkide: Path) -> None:
    ran = fleet(orkide, "show", "site", "krs-radhus")

    assert "room U-101\n  rack R1: krs-rh-r1 (router), krs-rh-r2 (router)" in ran.out
    assert ran.out.index("room 109") < ran.out.index("room U-101")
