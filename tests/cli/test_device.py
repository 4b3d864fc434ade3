"""`fleet device swap|move|retire`: with a plan, in people's files, and once."""

from pathlib import Path

import pytest

from tests.worlds import fleet, replace_in

DEVICES = "inventory/aure/devices.yaml"


@pytest.fixture
def synced(world: Path) -> Path:
    replace_in(
        world / DEVICES,
        "asset_tag: IKT-004711",
        "asset_tag: IKT-004711   # behind the door\n    serial: OLD1\n    model: X1\n"
        "    warranty_until: 2027-01-01",
    )
    (world / "inventory/smola").mkdir(exist_ok=True)
    (world / "inventory/smola/sites.yaml").write_text(
        "sites: [{slug: smo-radhus, name: Smøla rådhus, kind: town_hall}]\n"
    )
    assert fleet(world, "sync", "--yes").status == 0
    return world


def device(root: Path, name: str) -> dict[str, object]:
    rows = fleet(root, "list", "devices", "--all", "-o", "json").json
    return next(dict(row) for row in rows if row["name"] == name)


def test_a_swap_leaves_the_place_and_takes_the_machine(synced: Path) -> None:
    before = device(synced, "skole-r1")
    tag = ("--asset-tag", "IKT-009001", "--on", "2026-11-01")

    shown = fleet(synced, "device", "swap", "skole-r1", "NEW1", *tag)
    assert (shown.status, "nobody said yes" in shown.err) == (2, True)
    assert "serial → NEW1" in shown.out
    assert device(synced, "skole-r1") == before
    assert fleet(synced, "device", "swap", "skole-r1", "NEW1", *tag, "--yes").status == 0
    assert fleet(synced, "sync", "--yes").status == 0

    new, old = device(synced, "skole-r1"), device(synced, f"skole-r1-{before['serial']}")
    stays = ("site", "role", "address", "room", "rack", "credential", "platform", "model")
    assert {n: new[n] for n in stays} == {n: before[n] for n in stays}
    assert (new["serial"], new["asset_tag"], new["commissioned"]) == (
        "NEW1",
        "IKT-009001",
        "2026-11-01",
    )
    assert new["warranty_until"] is None
    goes = ("serial", "asset_tag", "warranty_until", "commissioned", "model")
    assert {n: old[n] for n in goes} == {n: before[n] for n in goes}
    assert (old["status"], old["decommissioned"]) == ("retired", "2026-11-01")
    text = (synced / DEVICES).read_text()
    assert "asset_tag: IKT-009001   # behind the door" in text
    again = fleet(synced, "device", "swap", "skole-r1", "NEW1", "--yes")
    assert (again.status, "has the serial number NEW1 already" in again.err) == (4, True)


def test_a_spare_machine_changes_places_with_the_old_one(synced: Path) -> None:
    old = device(synced, "skole-r1")
    with (synced / DEVICES).open("a") as file:
        file.write(
            "  - {name: spare-1, site: dc, role: router, status: inventory, serial: S9,\n"
            "     asset_tag: IKT-5, model: X2, warranty_until: 2030-01-01}\n"
        )
    assert fleet(synced, "sync", "--yes").status == 0, fleet(synced, "sync", "--yes").err

    ran = fleet(synced, "device", "swap", "skole-r1", "S9", "--keep", "--yes")

    assert ran.status == 0, ran.err
    assert fleet(synced, "sync", "--yes").status == 0
    new, spare = device(synced, "skole-r1"), device(synced, "spare-1")
    assert [new[n] for n in ("serial", "asset_tag", "model", "warranty_until")] == [
        "S9",
        "IKT-5",
        "X2",
        "2030-01-01",
    ]
    assert [spare[n] for n in ("serial", "asset_tag", "status", "site")] == [
        old["serial"],
        old["asset_tag"],
        "inventory",
        "dc",
    ]
    assert fleet(synced, "find", "S9", "-o", "json").json[0]["name"] == "skole-r1"


def test_a_machine_that_is_in_use_elsewhere_is_no_spare(synced: Path) -> None:
    taken = device(synced, "dc-r1")["serial"]
    before = (synced / DEVICES).read_text()

    ran = fleet(synced, "device", "swap", "skole-r1", str(taken), "--yes")

    assert (ran.status, "which is active" in ran.err) == (6, True), ran.err
    assert (synced / DEVICES).read_text() == before


def test_a_move_within_a_member_changes_the_site_and_names_the_links(synced: Path) -> None:
    ran = fleet(synced, "device", "move", "skole-r1", "barnehage", "--room", "12", "--yes")

    assert ran.status == 0, ran.err
    assert "its links stay declared" in ran.err
    assert fleet(synced, "sync", "--yes").status == 0
    moved = device(synced, "skole-r1")
    assert (moved["site"], moved["room"]) == ("barnehage", "12")


def test_a_retired_machine_stays_in_the_history(synced: Path) -> None:
    ran = fleet(synced, "device", "retire", "skole-r1", "--on", "2026-11-01", "--yes")

    assert ran.status == 0, ran.err
    assert fleet(synced, "sync", "--yes").status == 0
    assert device(synced, "skole-r1")["status"] == "retired"
    names = [d["name"] for d in fleet(synced, "list", "devices", "-o", "json").json]
    assert "skole-r1" not in names
    assert "status" in fleet(synced, "history", "device", "skole-r1").out


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        (("swap", "nowhere", "X"), 4, "the files declare no device `nowhere`"),
        (("swap", "skole-r1", "X", "--contract", "no"), 4, "there is no contract `no`"),
        (("move", "skole-r1", "nowhere"), 4, "there is no site `nowhere`"),
        (("move", "skole-r1", "skole"), 4, "skole-r1 stands there already"),
        (("move", "skole-r1", "smo-radhus"), 6, "smo-radhus is a site of smola"),
        (("retire", "skole-r1", "--on", "soon"), 4, "soon"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(
    synced: Path, command: tuple[str, ...], status: int, message: str
) -> None:
    before = (synced / DEVICES).read_text()

    ran = fleet(synced, "device", *command, "--yes")

    assert (ran.status, message in ran.err) == (status, True), ran.err
    assert (synced / DEVICES).read_text() == before


def test_a_machine_may_come_and_go_on_one_day(synced: Path) -> None:
    first = next(d for d in fleet(synced, "list", "devices", "-o", "json").json if d["serial"])

    for serial in ("NEW-1", first["serial"]):
        ran = fleet(synced, "device", "swap", first["name"], serial, "--yes")
        assert ran.status == 0, ran.err
        assert fleet(synced, "sync", "--yes").status == 0

    found = fleet(synced, "find", first["serial"], "-o", "json").json
    assert (first["name"], "serial") in {(row["name"], row["field"]) for row in found}
    assert fleet(synced, "store", "check").status == 0


def test_the_place_of_a_swapped_machine_was_there_before(synced: Path) -> None:
    rows = fleet(synced, "list", "devices", "-o", "json").json
    name, old, begun = next(
        (d["name"], d["serial"], d["commissioned"]) for d in rows if d["serial"]
    )
    earlier = fleet(synced, "show", "device", name, "--at", "2023-06-01", "-o", "json")
    counted = fleet(
        synced, "report", "uptime", "--month", "2026-01", "--by", "device", "-o", "json"
    )
    assert (earlier.status, name in counted.out) == (0, True)

    assert fleet(synced, "device", "swap", name, "NEW-1", "--yes").status == 0
    assert fleet(synced, "sync", "--yes").status == 0

    then = fleet(synced, "show", "device", name, "--at", "2023-06-01", "-o", "json").json
    assert (then["serial"], then["commissioned"]) == (old, begun)
    again = fleet(synced, "report", "uptime", "--month", "2026-01", "--by", "device", "-o", "json")
    assert again.json["rows"] == counted.json["rows"]
    now = fleet(synced, "show", "device", name, "-o", "json").json
    assert now["serial"] == "NEW-1"
    assert now["commissioned"] != begun


def test_a_file_is_changed_in_one_go(synced: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written = []

    def count(path: Path, octets: bytes) -> None:
        written.append(path.name)
        path.write_bytes(octets)

    monkeypatch.setattr("fleet.flows.export.write_whole", count)
    rows = fleet(synced, "list", "devices", "-o", "json").json
    name = next(row["name"] for row in rows if row["serial"])

    assert fleet(synced, "device", "swap", name, "NEW-1", "--yes").status == 0

    assert written == ["devices.yaml"]  # the machine that goes and the one that comes


def swap(root: Path, name: str, serial: str, *more: str) -> int:
    ran = fleet(root, "device", "swap", name, serial, "--yes", *more)
    if ran.status == 0:
        assert fleet(root, "sync", "--yes").status == 0
    return ran.status


def test_a_machine_comes_back_and_leaves_again(synced: Path) -> None:
    rows = fleet(synced, "list", "devices", "-o", "json").json
    name, old = next((d["name"], d["serial"]) for d in rows if d["serial"])

    assert swap(synced, name, "R1", "--on", "2026-11-10") == 0
    assert swap(synced, name, old, "--on", "2026-11-12") == 0
    assert swap(synced, name, "R2", "--on", "2026-11-13") == 0
    assert swap(synced, name, "R3", "--on", "2026-11-13") == 0  # R2 arrived dead

    every = fleet(synced, "list", "devices", "--all", "-o", "json").json
    serials = [(d["serial"], d["status"]) for d in every if d["name"].startswith(name)]
    wanted = [("R3", "active"), (old, "retired"), ("R1", "retired"), ("R2", "retired")]
    assert sorted(serials) == sorted(wanted)
    assert fleet(synced, "device", "retire", name, "--yes").status == 0
    assert fleet(synced, "sync", "--yes", "--force").status == 0
    assert fleet(synced, "store", "check").status == 0


def test_a_serial_is_the_same_in_any_case(synced: Path) -> None:
    rows = fleet(synced, "list", "devices", "-o", "json").json
    taken = next(d for d in rows if d["serial"])
    other = next(d["name"] for d in rows if d["name"] != taken["name"])

    assert swap(synced, other, f" {taken['serial'].lower()} ") == 6
    assert swap(synced, taken["name"], taken["serial"].lower()) == 4
    assert swap(synced, other, "NEW-1", "--on", "2099-01-01") == 2
