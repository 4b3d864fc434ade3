"""sync, list, find and show, as a user sees them."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.worlds import fleet, replace_in


def test_a_plan_shows_every_field_and_changes_nothing(world: Path) -> None:
    plan = fleet(world, "sync", "--plan", "-o", "json").json

    assert plan["sources"] == ["files"]
    assert plan["counts"] == {"create": 13, "update": 0, "retire": 0, "delete": 0}
    change = next(c for c in plan["changes"] if c["key"] == "dc-r1")
    assert change["action"] == "create"
    assert change["fields"]["serial"] == [None, "FCW1234A0BC"]
    assert fleet(world, "list", "devices", "-o", "json").json == []


def test_syncing_twice_changes_nothing_the_second_time(world: Path) -> None:
    assert fleet(world, "sync", "--plan", "--exit-code").status == 10
    assert fleet(world, "sync", "--yes").status == 0

    again = fleet(world, "sync", "--yes")

    assert again.out == "0 changes: the inventory is as declared.\n"
    assert fleet(world, "sync", "--plan", "--exit-code").status == 0


def test_without_a_yes_and_without_a_terminal_nothing_changes(world: Path) -> None:
    ran = fleet(world, "sync")

    assert ran.status == 2
    assert "nobody said yes; nothing was changed" in ran.err
    assert fleet(world, "list", "devices", "-o", "json").json == []


def test_an_update_is_shown_field_by_field(world: Path) -> None:
    fleet(world, "sync", "--yes")
    replace_in(world / "inventory/aure/devices.yaml", "FCW1234A0BC", "FCW9999Z9ZZ")

    assert fleet(world, "sync", "--yes").out == (
        "update  device     dc-r1\n"
        "                     serial: FCW1234A0BC → FCW9999Z9ZZ\n"
        "Plan: 1 to update.\n"
    )


def test_what_is_gone_is_retired_and_comes_back(world: Path) -> None:
    fleet(world, "sync", "--yes")
    devices = world / "inventory/aure/devices.yaml"
    whole = devices.read_text()
    devices.write_text(whole.partition("  - name: bhg-r1")[0])
    replace_in(
        world / "inventory/aure/links.yaml",
        '  - {a: "dc-r1 : Gi2", b: "bhg-r1 : Gi1", kind: fibre}\n',
        "",
    )

    gone = fleet(world, "sync", "--yes", "-o", "json").json

    assert gone["counts"] == {"create": 0, "update": 0, "retire": 2, "delete": 0}
    names = [d["name"] for d in fleet(world, "list", "devices", "-o", "json").json]
    assert names == ["dc-r1", "skole-r1", "skole-sw1"]
    retired = fleet(world, "list", "devices", "--status", "retired", "-o", "json").json
    assert [d["name"] for d in retired] == ["bhg-r1"]
    assert retired[0]["decommissioned"]
    assert len(fleet(world, "list", "devices", "--all", "-o", "json").json) == 4
    assert fleet(world, "find", "127.3.0.4").status == 1

    devices.write_text(whole)
    back = fleet(world, "sync", "--yes", "-o", "json").json["changes"]
    assert back[0]["fields"]["status"] == ["retired", "active"]
    assert fleet(world, "find", "127.3.0.4").status == 0


def test_the_brake_refuses_to_retire_very_much_at_once(world: Path) -> None:
    fleet(world, "sync", "--yes")
    (world / "inventory/aure/devices.yaml").write_text("devices: []\n")
    (world / "inventory/aure/links.yaml").write_text("links: []\n")

    refused = fleet(world, "sync", "--yes")

    assert refused.status == 6
    assert "aure: 4 of 4 devices (dc-r1, skole-r1, skole-sw1, …)" in refused.err
    assert len(fleet(world, "list", "devices", "-o", "json").json) == 4
    assert fleet(world, "sync", "--plan").status == 0
    assert fleet(world, "sync", "--yes", "--force").status == 0
    assert fleet(world, "list", "devices", "-o", "json").json == []


@pytest.mark.parametrize(
    ("text", "kind", "name", "field"),
    [
        ("FCW1234A0BC", "device", "dc-r1", "serial"),
        ("fcw1234a0bc", "device", "dc-r1", "serial"),
        ("1234A0", "device", "dc-r1", "serial"),
        ("IKT-004711", "device", "skole-r1", "asset_tag"),
        ("U-101", "device", "skole-r1", "room"),
        ("127.3.0.2", "device", "skole-r1", "address"),
        ("10.15.5.11", "interface", "skole-r1 : Gi1", "address"),
        ("00:11:22:33:44:55", "interface", "skole-r1 : Gi1", "mac"),
        ("0011.2233.4455", "interface", "skole-r1 : Gi1", "mac"),
        ("00-11-22-33-44-55", "interface", "skole-r1 : Gi1", "mac"),
        ("001122334455", "interface", "skole-r1 : Gi1", "mac"),
        ("0:11:22:33:44:55", "interface", "skole-r1 : Gi1", "mac"),
        ("33:44:55", "interface", "skole-r1 : Gi1", "mac"),
        ("NEAS-8841", "link", "dc-r1 : Gi1 – skole-r1 : Gi2", "circuit_id"),
        ("SMØLA", "member", "smola", "name"),
        ("1573", "member", "smola", "number"),
        ("aure barneh", "site", "barnehage", "name"),
    ],
)
def test_find_understands(world: Path, text: str, kind: str, name: str, field: str) -> None:
    fleet(world, "sync", "--yes")

    hits = fleet(world, "find", text, "-o", "json").json

    assert (kind, name, field) in [(h["kind"], h["name"], h["field"]) for h in hits]


def test_an_exact_hit_stands_alone_and_a_beginning_comes_first(world: Path) -> None:
    fleet(world, "sync", "--yes")

    exact = fleet(world, "find", "skole", "-o", "json").json
    part = fleet(world, "find", "skol", "-o", "json").json

    assert [(h["kind"], h["name"]) for h in exact] == [("site", "skole")]
    assert part[-1]["value"] == "Aure skole"
    assert {h["value"] for h in part[:-1]} == {"skole", "skole-r1", "skole-sw1"}


def test_the_kinds_of_a_percent_sign_are_only_percent_signs(world: Path) -> None:
    fleet(world, "sync", "--yes")

    assert fleet(world, "find", "%").status == 1
    assert fleet(world, "find", "_").status == 1


def test_nothing_found_is_an_empty_list_and_status_1(world: Path) -> None:
    assert fleet(world, "find", "nowhere", "-o", "json").json == []
    fleet(world, "sync", "--yes")

    ran = fleet(world, "find", "nowhere", "-o", "json")

    assert (ran.status, ran.json) == (1, [])


def test_a_site_shows_all_that_a_technician_needs(world: Path) -> None:
    fleet(world, "sync", "--yes")

    ran = fleet(world, "show", "site", "skole")

    assert ran.out.splitlines()[0] == "Aure skole (skole), school, aure"
    assert "opening hours: Mo-Fr 07:30-16:30; PH off; SH off" in ran.out
    assert "ring Aure: IT-vakt 71 64 74 00" in ran.out
    line = next(line for line in ran.out.splitlines() if line.startswith("skole-r1"))
    assert line.split() == [
        "skole-r1",
        "router",
        "unknown",
        "–",
        "U-101",
        "–",
        "–",
        "127.3.0.2",
        "Gi2",
        "→",
        "dc-r1",
        ":",
        "Gi1",
        "(fibre,",
        "1000",
        "Mbit/s)",
    ]


def test_something_that_is_not_there_is_status_4_with_the_nearest_name(world: Path) -> None:
    fleet(world, "sync", "--yes")

    ran = fleet(world, "show", "device", "skole-r2")

    assert ran.status == 4
    assert ran.err.startswith("fleet: there is no device `skole-r2`\nhint: did you mean `skole-r1`")


def test_lists_count_by_a_field(world: Path) -> None:
    fleet(world, "sync", "--yes")

    ran = fleet(world, "list", "devices", "--by", "role", "-o", "csv")

    assert ran.out == "role,count\nrouter,3\nswitch,1\n"
    table = fleet(world, "list", "devices", "--by", "role").out.splitlines()
    assert table[-1].split() == ["total", "4"]


def test_csv_and_yaml_have_all_fields(world: Path) -> None:
    fleet(world, "sync", "--yes")

    as_csv = fleet(world, "list", "devices", "--site", "dc", "-o", "csv").out
    as_yaml = fleet(world, "list", "links", "-o", "yaml").out

    assert as_csv.splitlines()[0].startswith("name,site,role,address,port,credential,platform")
    assert "circuit_id: NEAS-8841" in as_yaml


def test_every_change_is_kept_with_time_actor_and_source(world: Path) -> None:
    fleet(world, "sync", "--yes")
    replace_in(world / "inventory/aure/devices.yaml", "U-101", "U-102")
    fleet(world, "sync", "--yes")

    newest = fleet(world, "list", "changes", "-o", "json").json[0]

    assert newest["key"] == "skole-r1"
    assert newest["fields"] == {"room": ["U-101", "U-102"]}
    assert newest["source"] == "files"
    assert newest["actor"]
    assert newest["at"].startswith("20")


def test_both_forms_of_a_kind_and_both_places_of_the_workspace(world: Path, tmp_path: Path) -> None:
    fleet(world, "sync", "--yes")
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()

    before = fleet(elsewhere, "--workspace", str(world), "list", "device", "-o", "json")
    after = fleet(elsewhere, "list", "devices", "--workspace", str(world), "-o", "json")

    assert before.out == after.out != "[]\n"
    assert fleet(elsewhere, "list", "devices").status == 3


def test_a_typing_error_is_forgiven_with_the_names_that_are_close(world: Path) -> None:
    fleet(world, "sync", "--yes")

    ran = fleet(world, "find", "skole-sw")
    wrong = fleet(world, "find", "skloe-r1")

    assert ran.status == 0
    assert (wrong.status, wrong.out) == (1, "")
    assert "nothing is known by `skloe-r1`; did you mean `skole-r1`" in wrong.err
    assert "did you mean" not in fleet(world, "find", "something else").err


def test_many_are_found_at_once(world: Path) -> None:
    fleet(world, "sync", "--yes")
    asked = "0011.2233.4455\n\nIKT-004711\nnot there\nIKT-004711\n"

    ran = fleet(world, "find", "-", "-o", "json", given=asked)

    assert ran.status == 1
    assert {(row["asked"], row["kind"]) for row in ran.json} == {
        ("0011.2233.4455", "interface"),
        ("IKT-004711", "device"),
    }
    assert "nothing is known by `not there`" in ran.err


def test_the_card_of_a_device_has_its_way_and_its_last_changes(world: Path) -> None:
    fleet(world, "sync", "--yes")
    replace_in(world / "inventory/aure/devices.yaml", 'room: "U-101"', 'room: "U-102"')
    fleet(world, "sync", "--yes")

    shown = fleet(world, "show", "device", "skole-sw1").out
    changed = fleet(world, "show", "device", "skole-r1").out

    assert "way: skole-sw1 → skole-r1 → dc-r1\n" in shown
    assert "(files): room → U-102\n" in changed
    found = fleet(world, "show", "device", "skole-r1", "-o", "json").json
    assert (found["way"], found["behind"], found["differs_from"]) == (["dc-r1"], None, [])
    assert list(found["changes"][0]["fields"]) == ["room"]


def test_a_member_is_found_by_what_it_was_called_and_numbered_before(world: Path) -> None:
    members = world / "inventory/members.yaml"
    replace_in(
        members,
        "population: {2013: 2180}",
        'population: {2013: 2180}, earlier: [{until: 2020-01-01, number: "1500", name: Edøy}]',
    )
    fleet(world, "sync", "--yes")

    for text in ("1500", "edøy"):
        (row,) = fleet(world, "find", text, "-o", "json").json
        assert (row["kind"], row["name"]) == ("member", "smola")
        assert row["field"].startswith("earlier_")


def test_an_upgrade_of_the_database_writes_the_keys_anew(world: Path) -> None:
    fleet(world, "sync", "--yes")
    database = sqlite3.connect(world / ".fleet/fleet.db")
    with closing(database):
        database.execute("DELETE FROM lookup WHERE name = 'skole-r1'")
        for table in ("audit", "whereabouts", "alert"):  # the form before these had none
            database.execute(f"DROP TABLE {table}")
        for table in ("change", "correction", "revision", "answer", "step"):
            database.execute(f"DROP TRIGGER {table}_no_replace")
        database.execute("UPDATE alembic_version SET version_num = '0004'")
        database.commit()
    assert fleet(world, "find", "skole-r1").status == 4

    assert fleet(world, "store", "upgrade").status == 0

    assert fleet(world, "find", "skole-r1").status == 0
    assert fleet(world, "store", "check").status == 0


def test_who_looks_for_a_machine_that_was_taken_away_is_told_so(world: Path) -> None:
    fleet(world, "sync", "--yes")
    assert fleet(world, "device", "retire", "dc-r1", "--yes").status == 0
    fleet(world, "sync", "--yes", "--force")

    for asked in ("dc-r1", "FCW1234a0bc"):
        ran = fleet(world, "find", asked)
        assert ran.status == 1
        assert f"nothing is known by `{asked}` any more: device dc-r1 is retired since" in ran.err


def test_a_table_of_hits_ends_somewhere_and_a_file_does_not(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fleet.cli.find._LINES", 2)
    fleet(world, "sync", "--yes")

    table = fleet(world, "find", "skol")

    assert table.out.count("skole") < fleet(world, "find", "skol", "-o", "csv").out.count("skole")
    assert "2 more: type more of it, or take all with -o csv" in table.err
