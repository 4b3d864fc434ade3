"""Going through a place with a scanner: found, missing, moved, unknown; and kept."""

from pathlib import Path

import pytest

from tests.worlds import fleet


@pytest.fixture
def synced(world: Path) -> Path:
    assert fleet(world, "sync", "--yes").status == 0
    return world


def audit(root: Path, scanned: str, *more: str) -> dict[tuple[str, str], dict[str, object]]:
    ran = fleet(root, "audit", "skole", "--scan", "-", "-o", "json", *more, given=scanned)
    assert ran.status in (0, 1), ran.err
    rows = {(row["verdict"], row["name"]): row for row in ran.json["rows"]}
    assert ran.status == (0 if ran.json["whole"] else 1)
    return rows


def test_every_way_of_scanning_finds_the_machine_and_doubles_count_once(synced: Path) -> None:
    # By label, asset tag, and a MAC in another notation: one machine; then another by its name.
    scanned = "\ufefffleet:d:skole-r1\n\n  IKT-004711 \n0011.2233.4455\n# a remark\nskole-sw1\n"

    assert set(audit(synced, scanned)) == {("found", "skole-r1"), ("found", "skole-sw1")}
    shown = fleet(synced, "audit", "skole", "--scan", "-", given=scanned)
    assert "2 found, 0 moved, 0 missing, 0 unknown; 2 doubles left out" in shown.err


def test_what_is_missing_moved_or_unknown_says_how_to_mend_it(synced: Path) -> None:
    found = audit(synced, "fleet:d:skole-r1\nbhg-r1\nXYZ-9\n")

    assert set(found) == {
        ("found", "skole-r1"),
        ("missing", "skole-sw1"),
        ("moved", "bhg-r1"),
        ("unknown", "XYZ-9"),
    }
    assert found["moved", "bhg-r1"]["where"] == "barnehage of aure"
    assert found["moved", "bhg-r1"]["mend"] == "fleet device move bhg-r1 skole"
    assert found["missing", "skole-sw1"]["mend"] == "fleet device retire skole-sw1"
    again = fleet(synced, "list", "devices", "-o", "json").json
    assert next(d["site"] for d in again if d["name"] == "bhg-r1") == "barnehage"


def test_a_machine_of_another_member_is_not_taken_over(synced: Path) -> None:
    (synced / "inventory/smola").mkdir(exist_ok=True)
    (synced / "inventory/smola/sites.yaml").write_text(
        "sites: [{slug: smo-radhus, name: Smøla rådhus, kind: town_hall}]\n"
    )
    (synced / "inventory/smola/devices.yaml").write_text(
        "devices: [{name: smo-sw1, site: smo-radhus, role: switch}]\n"
    )
    assert fleet(synced, "sync", "--yes").status == 0

    found = audit(synced, "smo-sw1\n")["moved", "smo-sw1"]

    assert (found["where"], found["mend"]) == ("smo-radhus of smola", None)


def test_the_code_of_a_room_holds_for_what_follows(synced: Path) -> None:
    found = audit(synced, "fleet:r:skole:112\nskole-r1\nfleet:s:skole\nskole-sw1\n")

    assert found["moved", "skole-r1"]["where"] == "skole U-101 of aure"
    assert found["moved", "skole-r1"]["mend"] == "fleet device move skole-r1 skole --room 112"
    assert ("found", "skole-sw1") in found


def test_one_room_expects_only_what_stands_in_it(synced: Path) -> None:
    assert set(audit(synced, "skole-r1\n", "--room", "U-101")) == {("found", "skole-r1")}


def test_audits_are_kept_and_say_when_a_place_was_last_whole(synced: Path) -> None:
    assert "never audited" in fleet(synced, "audit", "skole").err
    audit(synced, "skole-r1\nskole-sw1\n")
    audit(synced, "skole-r1\n")

    ran = fleet(synced, "audit", "skole", "-o", "json")

    assert [(a["found"], a["missing"], a["whole"]) for a in ran.json] == [
        (1, 1, False),
        (2, 0, True),
    ]
    assert "last whole: 20" in ran.err
    assert fleet(synced, "audit", "barnehage", "-o", "json").json == []


@pytest.mark.parametrize(
    ("command", "given", "message"),
    [
        (("nowhere", "--scan", "-"), "x", "there is no site `nowhere`"),
        (("skole", "--scan", "no.txt"), "", "there is no file no.txt"),
        (("skole", "--scan", "-"), "# nothing\n", "nothing was scanned"),
    ],
)
def test_bad_input_is_refused_and_nothing_is_kept(
    synced: Path, command: tuple[str, ...], given: str, message: str
) -> None:
    ran = fleet(synced, "audit", *command, given=given)

    assert (ran.status, message in ran.err) == (4, True), ran.err
    assert fleet(synced, "audit", "skole", "-o", "json").json == []


def test_a_site_with_24_machines_three_moved_one_missing_two_unknown(world: Path) -> None:
    def entries(site: str, names: list[str]) -> str:
        return "".join(f"  - {{name: {n}, site: {site}, role: switch}}\n" for n in names)

    here = [f"hall-sw{n}" for n in range(1, 25)]
    elsewhere = [f"bhg-sw{n}" for n in range(1, 4)]
    devices = world / "inventory/aure/devices.yaml"
    with devices.open("a") as file:
        file.write(entries("skole", here) + entries("barnehage", elsewhere))
    text = devices.read_text().replace("site: skole\n", "site: dc\n")
    devices.write_text(text)  # what stood there before
    assert fleet(world, "sync", "--yes").status == 0

    scanned = [f"fleet:d:{n}" for n in (*here[:23], *elsewhere)] + ["4711-0815", "fleet:d:gone"]
    found = audit(world, "\r\n".join([*scanned, scanned[3], "", "#", scanned[7]]))

    assert {name for verdict, name in found if verdict == "found"} == set(here[:23])
    assert {name for verdict, name in found if verdict == "moved"} == set(elsewhere)
    assert [name for verdict, name in found if verdict == "missing"] == ["hall-sw24"]
    assert {name for verdict, name in found if verdict == "unknown"} == {
        "4711-0815",
        "fleet:d:gone",
    }


def test_noise_of_a_scanner_is_unknown_and_no_bug(synced: Path) -> None:
    noise = "fleet:d:skole-r1\n\udcff\x00\nskole-sw1\n"

    assert set(audit(synced, noise)) == {
        ("found", "skole-r1"),
        ("found", "skole-sw1"),
        ("unknown", "?\N{REPLACEMENT CHARACTER}"),
    }
    (synced / "scan.bin").write_bytes(b"skole-r1\r\n\xff\xfe\x00\r\nskole-sw1")
    ran = fleet(synced, "audit", "skole", "--scan", str(synced / "scan.bin"))
    assert (ran.status, "2 found, 0 moved, 0 missing, 1 unknown" in ran.err) == (1, True)
    assert fleet(synced, "find", "\udcff").status == 1


def test_a_machine_that_was_taken_away_is_not_found(synced: Path) -> None:
    assert fleet(synced, "device", "retire", "skole-sw1", "--yes").status == 0
    assert fleet(synced, "sync", "--yes", "--force").status == 0

    found = audit(synced, "FLEET:D:skole-r1\nskole-sw1\n")

    assert set(found) == {("found", "skole-r1"), ("moved", "skole-sw1")}
    assert "(retired)" in str(found["moved", "skole-sw1"]["where"])
