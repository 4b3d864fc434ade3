"""Lists as they come: what is taken of them, what is told, and what is refused."""

import unicodedata
import zipfile
from collections.abc import Sequence
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from fleet.core.inventory import Inventory
from fleet.sources.files import read_files
from tests.worlds import Ran, fleet, make_example

Rows = Sequence[Sequence[Any]]
SWITCH = ("smo-radhus", "svitsj")


@pytest.fixture
def orkide(tmp_path: Path) -> Path:
    return make_example(tmp_path / "orkide")


def book(root: Path, *sheets: Rows, epoch: datetime | None = None) -> Path:
    made = Workbook()
    if epoch is not None:
        made.epoch = epoch
    for number, rows in enumerate(sheets):
        sheet = made.active if number == 0 else made.create_sheet()
        assert sheet is not None
        for row in rows:
            sheet.append(list(row))  # type: ignore[union-attr]  # no sheet of charts
    path = root / "liste.xlsx"
    made.save(path)
    return path


def take(root: Path, kind: str, *sheets: Rows, more: Sequence[str] = (), yes: bool = True) -> Ran:
    file = book(root, *sheets)
    return fleet(root, "import", kind, str(file), *more, *(["--yes"] if yes else []))


def declared(root: Path) -> Inventory:
    return read_files(root / "inventory", root, {"default"})


def test_a_site_of_another_member_is_not_written_over(orkide: Path) -> None:
    heads = ["Navn", "Type", "Adresse"]
    ours = [heads, ["Sentrum skole", "skole", "Smølavegen 12/14, 6570 Smøla"]]
    assert take(orkide, "sites", ours, more=("--set", "member=smola")).status == 0
    site = declared(orkide).sites["sentrum-skole"]
    assert (site.member, site.address) == ("smola", "Smølavegen 12/14, 6570 Smøla")

    theirs = [["Slug", *heads], ["sentrum-skole", "Sentrum skole", "barnehage", "x"]]
    ran = take(orkide, "sites", theirs, more=("--set", "member=aure"))

    assert ran.status == 4
    assert "sentrum-skole is a site of smola, and here of aure" in ran.err
    assert declared(orkide).sites["sentrum-skole"] == site


def test_a_site_is_known_by_its_name(orkide: Path) -> None:
    rows = [["Navn", "Type", "Tilsette"], ["SMØLA RÅDHUS", "Rådhus", 50]]

    assert take(orkide, "sites", rows, more=("--set", "member=smola")).status == 0

    assert declared(orkide).sites["smo-radhus"].users == 50
    assert "smola-radhus" not in declared(orkide).sites


def test_letters_and_case_do_not_make_another_machine(orkide: Path) -> None:
    before = declared(orkide).devices["smo-rh-sw1"]
    name = unicodedata.normalize("NFD", "SMO-RH-SW1\N{NO-BREAK SPACE}")
    rows = [["Navn", "Sted", "Type", "Rom"], [name, *SWITCH, "Målar-9"]]

    assert take(orkide, "devices", rows).status == 0

    now = declared(orkide).devices["smo-rh-sw1"]
    assert now.room == "Målar-9"
    assert (now.serial, now.contract) == (before.serial, before.contract)


def test_what_holds_for_all_of_a_list_is_not_said_of_what_is_there(orkide: Path) -> None:
    rows = [["Svitsjer"], ["Navn", "Rom"], ["smo-rh-ap1", "7"], ["smo-rh-sw7", "8"]]

    ran = take(
        orkide, "devices", rows, more=("--set", "site=smo-radhus", "--set", "status=planned")
    )

    assert ran.status == 0, ran.err
    assert "for all that is new: site smo-radhus, status planned" in ran.err
    devices = declared(orkide).devices
    assert (devices["smo-rh-ap1"].role, devices["smo-rh-ap1"].status) == ("access_point", "active")
    assert (devices["smo-rh-sw7"].role, devices["smo-rh-sw7"].status) == ("switch", "planned")


def test_a_head_that_is_to_be_left_out_is_even_if_it_is_a_field(orkide: Path) -> None:
    rows = [["name", "status"], ["smo-rh-sw1", 0]]

    assert take(orkide, "devices", rows, more=("--map", "status=skip")).status == 0
    assert declared(orkide).devices["smo-rh-sw1"].status == "active"


def test_two_columns_that_say_different_things_of_one_field_are_refused(orkide: Path) -> None:
    rows = [["Navn", "Rom", "Skap", "Romnr"], ["smo-rh-sw1", "A", "R1", "B"]]

    ran = take(orkide, "devices", rows)

    assert ran.status == 4
    assert "the columns Rom and Romnr are both `room`, and say A and B" in ran.err
    assert "--map 'Romnr=skip'" in ran.err
    same = [["Navn", "Rom", "Romnr"], ["smo-rh-sw1", "A", "A"], ["smo-rh-r1", None, "B"]]
    assert take(orkide, "devices", same).status == 0
    assert declared(orkide).devices["smo-rh-r1"].room == "B"


def test_tables_beside_each_other_without_a_gap(orkide: Path) -> None:
    heads = ["Enhet", "Sted", "Type"]
    rows = [[*heads, *heads], ["smo-rh-sw7", *SWITCH, "smo-rh-sw8", *SWITCH]]

    ran = take(orkide, "devices", rows)

    assert {"smo-rh-sw7", "smo-rh-sw8"} <= declared(orkide).devices.keys(), ran.err


def test_what_was_taken_away_is_told_to_be_left_out(orkide: Path) -> None:
    heads = ["Navn", "Sted", "Type", "Status"]

    ran = take(orkide, "devices", [heads, ["smo-rh-sw0", *SWITCH, "Kassert"]])

    assert "row 2: smo-rh-sw0, which was taken away" in ran.err
    assert "smo-rh-sw0" not in declared(orkide).devices


def test_remarks_sums_and_lists_of_people_are_no_machines(orkide: Path) -> None:
    rows = [
        ["Svitsjer"],
        ["Navn", "Sted", "Rom"],
        ["smo-rh-sw7", "smo-radhus", 1],
        ["Sum-sk-sw1", "smo-radhus", 2],
        ["Husk nye tall fra Kari"],
        ["Totalsum", 2],
        [],
        ["Kontakter"],
        ["Kari Nordmann", "Tlf 99887766"],
    ]
    before = declared(orkide).devices.keys()

    ran = take(orkide, "devices", rows)

    assert declared(orkide).devices.keys() - before == {"smo-rh-sw7", "Sum-sk-sw1"}
    for row in ("row 5: Husk", "row 6: Totalsum, 2", "row 8: Kontakter", "row 9: Kari Nordmann"):
        assert f"left out: Sheet, {row}" in ran.err


def test_a_row_of_words_is_no_head(orkide: Path) -> None:
    heads = ["Navn", "Type", "Område"]
    rows = [heads, ["Dyrnes skole", "Skole", "Sør"], ["Innsmøla skole", "Skole", "Navn"]]

    assert take(orkide, "sites", rows, more=("--set", "member=smola")).status == 0

    assert {"dyrnes-skole", "innsmola-skole"} <= declared(orkide).sites.keys()


def test_a_mac_goes_to_the_port_that_is_there(orkide: Path) -> None:
    devices = orkide / "inventory/smola/devices.yaml"
    port = "{name: mgmt, address: 10.1.1.2/24, description: styring}"
    with devices.open("a") as file:
        file.write(f"  - {{name: x1, site: smo-radhus, role: switch, interfaces: [{port}]}}\n")
    other = next(i for i in declared(orkide).interfaces.values() if i.mac)

    assert take(orkide, "devices", [["Navn", "MAC"], ["x1", "0200.0000.0099"]]).status == 0
    mine = declared(orkide).interfaces["x1 : mgmt"]
    assert (mine.mac, mine.address, mine.description) == (
        "02:00:00:00:00:99",
        "10.1.1.2/24",
        "styring",
    )
    ran = take(orkide, "devices", [["Navn", "MAC"], ["x1", other.mac]])
    assert (ran.status, f"is that of {other.key}" in ran.err) == (4, True)


def test_days_of_the_last_century_and_of_old_macs(orkide: Path) -> None:
    heads = ["Navn", "Sted", "Type", "Kjøpsdato"]
    assert take(orkide, "devices", [heads, ["x1", *SWITCH, "15/6-98"]]).status == 0
    assert declared(orkide).devices["x1"].commissioned == date(1998, 6, 15)
    file = book(orkide, [heads, ["x2", *SWITCH, 43630]], epoch=CALENDAR_MAC_1904)
    assert fleet(orkide, "import", "devices", str(file), "--yes").status == 0
    assert declared(orkide).devices["x2"].commissioned == date(2023, 6, 15)


REFUSED: dict[str, tuple[Rows, str]] = {
    "a number that was cut": (
        [["Navn", "Serienr"], ["smo-rh-sw1", "1,23457E+12"]],
        "of which the spreadsheet lost the end",
    ),
    "a room that became a day": (
        [["Navn", "Rom"], ["smo-rh-sw1", datetime(2024, 12, 3)]],
        "2024-12-03 is a day: the spreadsheet made one of something else",
    ),
    "a day the American way": (
        [["Navn", "Kjøpsdato"], ["smo-rh-sw1", "6/15/2023"]],
        "the day comes before the month",
    ),
    "a serial in other letters": (
        [["Navn", "Sted", "Type", "Serienr"], ["x1", *SWITCH, "{serial}"]],
        "is that of smo-rh-sw1",
    ),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(orkide: Path, what: str) -> None:
    rows, said = REFUSED[what]
    serial = (declared(orkide).devices["smo-rh-sw1"].serial or "").lower()
    rows = [[c.replace("{serial}", serial) if isinstance(c, str) else c for c in r] for r in rows]

    ran = take(orkide, "devices", rows)

    assert (ran.status, said in ran.err) == (4, True), ran.err


def test_what_says_nothing_and_what_a_sheet_shows(orkide: Path) -> None:
    heads = ["Navn", "Sted", "Type", "Serienr", "Rom", "Inventarnr", "Skap"]
    file = book(orkide, [heads, ["x1", *SWITCH, "-", "ukjent", 99001, time(8, 30)]])
    made = load_workbook(file)
    assert made.active is not None
    made.active["F2"].number_format = '"IKT-"000000'
    made.save(file)

    assert fleet(orkide, "import", "devices", str(file), "--yes").status == 0

    device = declared(orkide).devices["x1"]
    assert (device.serial, device.room, device.asset_tag, device.rack) == (
        None,
        None,
        "IKT-099001",
        "08:30",
    )


def test_a_flaw_in_a_column_that_is_left_out_is_nobodys_business(orkide: Path) -> None:
    rows = [["Navn", "Rom", "Merknad"], ["smo-rh-sw1", "9", "#N/A"]]

    assert take(orkide, "devices", rows).status == 0
    assert declared(orkide).devices["smo-rh-sw1"].room == "9"


def test_problems_name_the_sheet_if_there_are_several(orkide: Path) -> None:
    heads = ["Navn", "Sted", "Type"]
    first = [heads, ["smo-rh-sw7", *SWITCH]]
    second = [heads, ["x1", "smo-radhus", "Dingseboms"], ["smo-rh-sw7", "smo-skole", "svitsj"]]

    ran = take(orkide, "devices", first, second)

    assert "liste.xlsx [Sheet1]:2: `role`: what `Dingseboms` is" in ran.err
    assert "smo-rh-sw7 stands in row 2 of liste.xlsx [Sheet] too" in ran.err


def test_a_link_is_known_from_its_other_end(orkide: Path) -> None:
    before = declared(orkide).links
    link = next(x for x in before.values() if x.kind == "fibre")
    rows = [["Fra", "Til", "Type", "Kapasitet"], [link.b, link.a, "fiber", "1.000 Mbit/s"]]

    ran = take(orkide, "links", rows)

    assert ran.status == 0, ran.err
    assert declared(orkide).links[link.key].capacity_mbps == 1000
    assert declared(orkide).links.keys() == before.keys()


def test_full_exports_with_many_columns_are_found(orkide: Path) -> None:
    known = {"sysName": "smo-rh-fw9", "hostname": "10.1.9.9", "os": "fortios", "type": "firewall"}
    known |= {"location": "smo-radhus", "serial": "FGT1", "status": "0"}
    cells = {**{f"column_{n}": "x" for n in range(50)}, **known}

    ran = take(orkide, "devices", [list(cells), list(cells.values())], more=("--from", "librenms"))

    assert ran.status == 0, ran.err
    assert declared(orkide).devices["smo-rh-fw9"].status == "active"


def test_a_csv_with_commas_in_its_addresses(orkide: Path) -> None:
    file = orkide / "bygg.csv"
    file.write_text("Navn;Adresse\r\nDyrnes skole;Storgata 1, 2. etg, 6570 Smøla\r\n")

    more = ("--set", "member=smola", "--set", "kind=school", "--yes")
    assert fleet(orkide, "import", "sites", str(file), *more).status == 0
    assert declared(orkide).sites["dyrnes-skole"].address == "Storgata 1, 2. etg, 6570 Smøla"


@pytest.mark.parametrize(
    ("more", "status", "said"),
    [
        (("--value", "role:tull"), 2, "is not of the form"),
        (("--map", "Merknd=skip"), 4, "no column is called `Merknd`"),
        (("--mapping", "表"), 2, "give it a name of letters and digits"),
    ],
)
def test_options_that_make_no_sense(
    orkide: Path, more: tuple[str, ...], status: int, said: str
) -> None:
    ran = take(orkide, "devices", [["Navn", "Rom"], ["smo-rh-sw1", "1"]], more=more)
    assert (ran.status, said in ran.err) == (status, True), ran.err


def test_nothing_is_kept_without_a_yes_or_without_rows(orkide: Path) -> None:
    room = declared(orkide).devices["smo-rh-sw1"].room
    same = [["Navn", "Rom"], ["smo-rh-sw1", room or ""]]
    assert take(orkide, "devices", same, yes=False).status == 0
    heads_alone = take(orkide, "devices", [["Navn", "Sted", "Type"]])
    assert (heads_alone.status, "nothing stands below the heads" in heads_alone.err) == (0, True)
    assert not (orkide / "mappings").exists()


@pytest.mark.parametrize("damage", ["cut", "style", "garbage"])
def test_damaged_workbooks_are_no_bug(orkide: Path, damage: str) -> None:
    file = book(orkide, [["Navn", "Rom"], ["smo-rh-sw1", "1"]])
    damaged = orkide / "skadet.xlsx"
    with zipfile.ZipFile(file) as old, zipfile.ZipFile(damaged, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name.endswith("sheet1.xml"):
                content = {
                    "cut": content.replace(b"</sheetData>", b""),
                    "style": content.replace(b"<c r=", b'<c s="99" r=', 1),
                    "garbage": content[: len(content) // 2],
                }[damage]
            new.writestr(name, content)

    ran = fleet(orkide, "import", "devices", str(damaged), "--yes")

    assert (ran.status, "is no workbook" in ran.err) == (4, True), ran.err


def test_a_long_list_costs_what_its_rows_cost(orkide: Path) -> None:
    heads = ["Navn", "Sted", "Type", "Rom", "Skap", "Modell", "Produsent", "Merknad"]
    rows = [[f"x{n}", *SWITCH, "1", "R1", "M", "P", "–"] for n in range(3000)]

    ran = take(orkide, "devices", [heads, *rows])

    assert ran.status == 0, ran.err
    assert "add      3000 devices to smola/devices" in ran.out
