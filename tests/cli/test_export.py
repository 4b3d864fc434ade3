"""fleet export: people's files stay people's files."""

import json
import zipfile
from pathlib import Path

import pytest

from fleet.sources.edit import Edit, edit_csv, edit_yaml
from fleet.sources.files import read_files
from tests.worlds import fleet, replace_in

PEOPLES = """\
# Vårt utstyr. Ring Kari før du endrer noe!
devices:

  # Kjernen
  - name: dc-r1            # den store
    role: router
    site: dc
    address:   127.3.0.1
    serial: 'FCW1234A0BC'  # limt på undersiden

  - {name: skole-r1, site: skole, role: router, room: "U-101"}   # flyttes i høst
  - name: skole-sw1
    site: skole
    role: switch
    interfaces:
      - name: Gi1          # opp
        mac: 00:11:22:33:44:55
      - {name: Gi2}
# slutt
"""


def test_only_the_values_change() -> None:
    edits = [
        Edit(key=("dc-r1",), fields={"serial": "FCW9", "room": "U-1", "address": None}),
        Edit(key=("skole-r1",), fields={"room": "U-102", "asset_tag": "0042"}),
        Edit(
            key=("skole-sw1",),
            fields={"vendor": "HPE Aruba"},
            ports={"Gi1": {"mac": "00:11:22:33:44:66"}, "Gi3": {"description": "ny"}},
        ),
    ]

    assert edit_yaml("devices.yaml", PEOPLES, "devices", edits) == (
        PEOPLES.replace("'FCW1234A0BC'  # limt", "FCW9  # limt")
        .replace("  # limt på undersiden\n", "  # limt på undersiden\n    room: U-1\n")
        .replace("address:   127.3.0.1", "address:   null")
        .replace('room: "U-101"}', 'room: "U-102", asset_tag: "0042"}')
        .replace("    role: switch\n", '    role: switch\n    vendor: "HPE Aruba"\n')
        .replace("00:11:22:33:44:55", '"00:11:22:33:44:66"')
        .replace(
            "      - {name: Gi2}\n",
            '      - {name: Gi2}\n      - {"name": "Gi3", "description": "ny"}\n',
        )
    )


def test_windows_line_ends_and_a_last_line_without_one_stay() -> None:
    text = "devices:\r\n  - name: a\r\n    site: s\r\n    role: switch"

    done = edit_yaml("d", text, "devices", [Edit(key=("a",), fields={"serial": "X1"})])

    assert done == f"{text}\r\n    serial: X1\r\n"


def test_json_stays_json() -> None:
    text = json.dumps({"devices": [{"name": "a", "site": "s", "role": "switch", "port": 161}]})

    done = edit_yaml("d", text, "devices", [Edit(key=("a",), fields={"port": 1161, "room": "U"})])

    wanted = {"name": "a", "site": "s", "role": "switch", "port": 1161, "room": "U"}
    assert json.loads(done) == {"devices": [wanted]}


def test_rows_of_a_table_that_do_not_change_stay_as_they_are() -> None:
    text = 'name;site;role;serial\r\na;s;switch;"S""1"\r\nb; s ;switch;\r\n'

    done = edit_csv("d.csv", text, "devices", [Edit(key=("b",), fields={"serial": "S2"})])

    assert done == 'name;site;role;serial\r\na;s;switch;"S""1"\r\nb; s ;switch;S2\r\n'


def test_an_export_reads_back_as_the_same(world: Path) -> None:
    fleet(world, "sync", "--yes")

    ran = fleet(world, "export", "inventory", "--to", "copy")

    assert ran.status == 0, ran.err
    copy = read_files(world / "copy", world, {"default"})
    assert copy == read_files(world / "inventory", world, {"default"})


def test_the_example_cooperation_exports_whole(tmp_path: Path) -> None:
    fleet(tmp_path, "init", "w", "--example", "orkide")
    workspace = tmp_path / "w"
    fleet(workspace, "sync", "--yes")

    assert fleet(workspace, "export", "inventory", "--to", "copy").status == 0

    copy = read_files(workspace / "copy", workspace, {"default"})
    assert copy == read_files(workspace / "inventory", workspace, {"default"})


def test_nothing_to_write_writes_nothing(world: Path) -> None:
    fleet(world, "sync", "--yes")
    before = {p: p.read_bytes() for p in (world / "inventory").rglob("*.yaml")}

    ran = fleet(world, "export", "inventory", "--to", "inventory", "--yes")

    assert "nothing to write" in ran.err
    assert {p: p.read_bytes() for p in (world / "inventory").rglob("*.yaml")} == before


def test_a_folder_with_something_else_is_left_alone(world: Path) -> None:
    fleet(world, "sync", "--yes")
    (world / "other").mkdir()
    (world / "other/notes.txt").write_text("mine")

    ran = fleet(world, "export", "inventory", "--to", "other")

    assert ran.status == 4
    assert [p.name for p in (world / "other").iterdir()] == ["notes.txt"]


@pytest.mark.parametrize("suffix", [".csv", ".json", ".yaml", ".xlsx"])
def test_a_list_in_every_form(world: Path, suffix: str) -> None:
    fleet(world, "sync", "--yes")

    assert fleet(world, "export", "devices", "--to", f"d{suffix}").status == 0

    path = world / f"d{suffix}"
    if suffix == ".xlsx":
        with zipfile.ZipFile(path) as book:
            text = book.read("xl/sharedStrings.xml").decode()
    else:
        text = path.read_text()
    assert "IKT-004711" in text
    assert "dc-r1" in text


def test_a_form_that_nobody_knows(world: Path) -> None:
    fleet(world, "sync", "--yes")

    ran = fleet(world, "export", "devices", "--to", "d.docx")

    assert ran.status == 4
    assert ".xlsx" in ran.err


def test_what_cannot_be_written_changes_no_file(world: Path) -> None:
    """One file of two has a form in which the value cannot be changed: both stay."""
    fleet(world, "sync", "--yes")
    devices = world / "inventory/aure/devices.yaml"
    replace_in(devices, "    serial: FCW1234A0BC\n", "    serial: |\n      FCW1234A0BC\n")
    replace_in(world / "inventory/aure/sites.yaml", "Aure skole", "Aure nye skole")
    before = {p: p.read_bytes() for p in (world / "inventory").rglob("*.yaml")}
    replace_in(devices, "FCW1234A0BC", "OTHER")
    before[devices] = devices.read_bytes()

    ran = fleet(world, "export", "inventory", "--to", "inventory", "--yes")

    assert ran.status == 4
    assert {p: p.read_bytes() for p in (world / "inventory").rglob("*.yaml")} == before
