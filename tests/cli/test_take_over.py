"""Lists that municipalities keep in spreadsheets, and what other systems write out."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import Workbook
from openpyxl.worksheet.worksheet import Worksheet

from fleet.core.inventory import Device
from fleet.sources.cells import read_cell, to_day
from fleet.sources.files import read_files
from tests.worlds import Ran, fleet, make_example

Inventory = Any


@pytest.fixture
def orkide(tmp_path: Path) -> Path:
    return make_example(tmp_path / "orkide")


def book(
    path: Path, fill: Callable[[Worksheet], None], **sheets: Callable[[Worksheet], None]
) -> Path:
    made = Workbook()
    sheet = made.active
    assert sheet is not None
    fill(sheet)
    for name, fill_other in sheets.items():
        fill_other(made.create_sheet(name))
    made.save(path)
    return path


def take(root: Path, kind: str, file: Path, *more: str) -> Ran:
    return fleet(root, "import", kind, str(file), *more, "--yes")


def declared(root: Path) -> Inventory:
    return read_files(root / "inventory", root, {"default"})


def network_list(sheet: Worksheet) -> None:
    """Two tables on a sheet, a site merged over rows, dates as days and as numbers, a sum."""
    sheet.title = "Nettutstyr"
    sheet["A1"] = "Nettutstyr Kristiansund – oppdatert i mars"
    sheet.merge_cells("A1:H1")
    sheet["A3"] = "Svitsjer"
    heads = [
        "Navn",
        "Lokasjon",
        "Produsent",
        "Modell",
        "Serienr.",
        "Inventarnr",
        "Garanti til",
        "Merknad",
    ]
    sheet.append(heads)
    when = datetime(2028, 6, 30)
    sheet.append(
        [
            "krs-rh-sw7",
            "Kristiansund rådhus",
            "Cisco",
            "C9200L",
            "FCW2450A0B1",
            4711,
            when,
            "i kjelleren",
        ]
    )
    sheet.append(["krs-rh-sw8", None, "Cisco", "C9200L", "FCW2450A0B2", 4712, 46934, None])
    sheet.merge_cells("B5:B6")
    for row in (5, 6):
        sheet.cell(row, 6).number_format = "000000"
    sheet.append([])
    sheet.append(
        ["krs-sk-sw9", "KRS-SKOLE", "HPE", 5130, "CN77HKD0AB", "IKT-77", "30.6.2027", None]
    )
    sheet.append(["Sum: 3 stk"])
    sheet.append([])
    sheet.append(["Trådløst"])
    sheet.append(["Enhet", "Bygg", "Modell", "MAC-adresse", "Rom"])
    sheet.append(["krs-rh-ap8", "Kristiansund rådhus", "AP-515", "0011.2233.aabb", 112])


def test_two_tables_on_a_sheet_with_merged_cells_and_dates_as_numbers(
    orkide: Path, tmp_path: Path
) -> None:
    before = declared(orkide)
    list_ = book(tmp_path / "Utstyr 2024.xlsx", network_list)

    ran = take(orkide, "devices", list_, "--map", "Merknad=skip")

    assert ran.status == 0, ran.err
    after = declared(orkide)
    new = {n: d for n, d in after.devices.items() if n not in before.devices}
    assert new["krs-rh-sw8"] == Device(
        name="krs-rh-sw8",
        site="krs-radhus",
        role="switch",
        vendor="Cisco",
        model="C9200L",
        serial="FCW2450A0B2",
        asset_tag="004712",
        warranty_until=datetime(2028, 6, 30).date(),
    )
    assert (new["krs-rh-sw7"].asset_tag, new["krs-rh-sw7"].warranty_until) == (
        "004711",
        new["krs-rh-sw8"].warranty_until,
    )
    assert (new["krs-sk-sw9"].site, new["krs-sk-sw9"].model) == ("krs-skole", "5130")
    assert (new["krs-rh-ap8"].role, new["krs-rh-ap8"].room) == ("access_point", "112")
    assert after.interfaces["krs-rh-ap8 : mgmt"].mac == "00:11:22:33:aa:bb"
    assert len(new) == 4
    assert "Nettutstyr (Svitsjer): 3 devices" in ran.err
    assert "left out: Nettutstyr, row 9: Sum: 3 stk" in ran.err
    assert "left out: Merknad" in ran.err
    assert {n: d for n, d in after.devices.items() if n in before.devices} == before.devices

    again = take(orkide, "devices", list_)  # mappings/utstyr-2024.yaml says the rest
    assert "the inventory says all of that already" in again.err
    assert declared(orkide) == after


def test_what_the_list_says_changes_what_is_there_and_the_rest_stays(
    orkide: Path, tmp_path: Path
) -> None:
    was = declared(orkide)
    name = next(n for n, d in was.devices.items() if d.site == "krs-radhus")

    def fill(sheet: Worksheet) -> None:
        sheet.append(["Maskin", "Rom", "Skap", "Status"])
        sheet.append([name, "K-07", "R2", "I drift"])

    yaml = (orkide / "inventory/kristiansund/devices.yaml").read_text()
    list_ = book(tmp_path / "rom.xlsx", fill)

    assert take(orkide, "devices", list_).status == 0

    now = declared(orkide).devices[name]
    assert (now.room, now.rack) == ("K-07", "R2")
    assert (now.serial, now.site) == (was.devices[name].serial, was.devices[name].site)
    comments = [line for line in yaml.splitlines() if line.lstrip().startswith("#")]
    assert set(comments) <= set(
        (orkide / "inventory/kristiansund/devices.yaml").read_text().splitlines()
    )


def test_places_in_nynorsk_with_two_tables_side_by_side_and_a_hidden_sheet(
    orkide: Path, tmp_path: Path
) -> None:
    def fill(sheet: Worksheet) -> None:
        sheet.title = "Bygg"
        sheet.append(["Namn", "Slag", "Adresse", None, "Namn", "Slag", "Tal på brukarar"])
        sheet.append(
            [
                "Brattvær skule",
                "Skule",
                "Brattværvegen 1",
                None,
                "Hopen barnehage",
                "Barnehage",
                None,
            ]
        )
        sheet.append([])
        sheet.append(["Dyrnes vassverk", "Vassverk", "Dyrnesvegen 9"])

    def hidden(sheet: Worksheet) -> None:
        sheet.append(["Namn", "Slag"])
        sheet.append(["Gamle skulen", "Skule"])
        sheet.sheet_state = "hidden"

    list_ = book(tmp_path / "bygg.xlsx", fill, Gammalt=hidden)
    ran = take(orkide, "sites", list_, "--set", "member=Smøla", "--map", "Tal på brukarar=users")

    assert ran.status == 0, ran.err
    sites = declared(orkide).sites
    found = {s: (sites[s].kind.value, sites[s].address, sites[s].member) for s in sites if s in NEW}
    assert found == NEW
    assert "sheet Gammalt: it is hidden" in ran.err
    assert "gamle-skulen" not in sites


NEW = {
    "brattvaer-skule": ("school", "Brattværvegen 1", "smola"),
    "hopen-barnehage": ("kindergarten", None, "smola"),
    "dyrnes-vassverk": ("water", "Dyrnesvegen 9", "smola"),
}


def test_links_from_an_old_csv_of_windows(orkide: Path, tmp_path: Path) -> None:
    text = (
        "Samband for Nordmøre;;;;\r\n"
        "Fra;Til;Type;Hastighet;Leverandør;Sambandsnr.\r\n"
        "krs-radhus;krs-bibliotek;Mørk fiber;10 Gbit/s;Nordmøre Breiband;0047\r\n"
    )
    (tmp_path / "samband.csv").write_bytes(text.encode("cp1252"))

    ran = take(orkide, "links", tmp_path / "samband.csv")

    assert ran.status == 0, ran.err
    link = declared(orkide).links["krs-radhus – krs-bibliotek"]
    assert (link.kind, link.capacity_mbps, link.provider, link.circuit_id) == (
        "fibre",
        10_000,
        "Nordmøre Breiband",
        "0047",
    )
    assert "read as Windows-1252" in ran.err


# What a system writes: its delimiter, a head and a cell for each column, and what it means.
Written = tuple[str, dict[str, str], dict[str, Any]]
SYSTEMS: dict[str, Written] = {
    "librenms": (
        ",",
        {
            "device_id": "7",
            "hostname": "10.15.9.9",
            "sysName": "krs-rh-fw9",
            "hardware": "FortiGate 60F",
            "os": "fortios",
            "version": "7.4.1",
            "serial": "FGT60F0001",
            "location": "Kristiansund rådhus",
            "type": "firewall",
            "status": "1",
        },
        {"address": "10.15.9.9", "platform": "fortios", "model": "FortiGate 60F"},
    ),
    "netbox": (
        ",",
        {
            "Name": "krs-rh-fw9",
            "Status": "Active",
            "Tenant": "Kristiansund",
            "Site": "krs-radhus",
            "Location": "U-101",
            "Rack": "R1",
            "Role": "Firewall",
            "Manufacturer": "Fortinet",
            "Type": "FortiGate 60F",
            "IP Address": "10.15.9.9/24",
            "Serial number": "FGT60F0001",
            "Asset tag": "IKT-9",
            "ID": "12",
        },
        {"address": "10.15.9.9", "rack": "R1", "room": "U-101", "vendor": "Fortinet"},
    ),
    "glpi": (
        ";",
        {
            "Name": "krs-rh-fw9",
            "Entity": "Root > Kristiansund",
            "Status": "I bruk",
            "Manufacturers": "Fortinet",
            "Locations": "Møre > Kristiansund rådhus",
            "Types": "Brannmur",
            "Models": "FortiGate 60F",
            "Serial number": "FGT60F0001",
            "Inventory number": "IKT-9",
            "Last update": "2024-05-01 10:00",
        },
        {"model": "FortiGate 60F", "asset_tag": "IKT-9"},
    ),
    "snipe-it": (
        ",",
        {
            "Company": "Kristiansund",
            "Asset Name": "krs-rh-fw9",
            "Asset Tag": "IKT-9",
            "Model": "FortiGate 60F",
            "Model No.": "FG-60F",
            "Category": "Firewall",
            "Manufacturer": "Fortinet",
            "Serial": "FGT60F0001",
            "Purchase Date": "2024-05-01",
            "Location": "Kristiansund rådhus",
            "Status": "Ready to Deploy (deployable)",
            "Warranty": "36",
            "Warranty Expires": "2027-05-01",
        },
        {"status": "inventory", "warranty_until": to_day("2027-05-01"), "asset_tag": "IKT-9"},
    ),
}


@pytest.mark.parametrize("system", SYSTEMS)
def test_lists_of_other_systems(orkide: Path, tmp_path: Path, system: str) -> None:
    delimiter, cells, wanted = SYSTEMS[system]
    lines = [delimiter.join(f'"{cell}"' for cell in row) for row in (cells, cells.values())]
    (tmp_path / "export.csv").write_text("\n".join(lines))

    ran = take(orkide, "devices", tmp_path / "export.csv", "--from", system)

    assert ran.status == 0, ran.err
    device = declared(orkide).devices["krs-rh-fw9"]
    assert {name: getattr(device, name) for name in wanted} == wanted
    assert (device.site, device.role, device.serial) == ("krs-radhus", "firewall", "FGT60F0001")
    assert f"system: {system}" in (orkide / "mappings/export.yaml").read_text()


def row(
    *cells: Any, heads: tuple[str, ...] = ("Navn", "Sted", "Rolle", "Serienummer", "Garanti")
) -> Callable[[Worksheet], None]:
    def fill(sheet: Worksheet) -> None:
        sheet.title = "Ark1"
        sheet.append(list(heads))
        sheet.append(list(cells))

    return fill


BAD: dict[str, tuple[Callable[[Worksheet], None], str]] = {
    "a formula that nobody worked out": (
        row("x1", "krs-radhus", "switch", '="FC"&"W1"'),
        "Ark1!D2 is a formula that nobody worked out",
    ),
    "an error": (row("x1", "krs-radhus", "switch", "#REF!"), "Ark1!D2 is an error: #REF!"),
    "a number that Excel cut": (
        row("x1", "krs-radhus", "switch", 3526140112345678),
        "Ark1!D2 is a number of 16 digits, of which Excel keeps only 15",
    ),
    "damaged letters": (row("x1", "Kristiansund rÃ¥dhus", "switch"), "are damaged"),
    "an unknown place": (
        row("x1", "Kristiansund rådhuset", "switch"),
        "did you mean `Kristiansund rådhus`?",
    ),
    "an unknown word": (
        row("x1", "krs-radhus", "Dingseboms"),
        "--value 'role:Dingseboms=…'; or leave the column out: --map 'Rolle=skip'",
    ),
    "no day": (row("x1", "krs-radhus", "switch", "S1", "3 år"), "`3 år` is no day"),
    "no such day": (row("x1", "krs-radhus", "switch", "S1", "31.2.2027"), "`warranty_until`"),
    "a row without a name": (row(None, "krs-radhus", "switch", "S1"), "the row has no name"),
    "heads that nobody knows": (
        row("x", "y", heads=("Dings", "Boms")),
        "no table of devices was found",
    ),
}


@pytest.mark.parametrize("what", BAD)
def test_what_cannot_be_taken_as_it_is_meant_is_told_and_nothing_is_done(
    orkide: Path, tmp_path: Path, what: str
) -> None:
    fill, said = BAD[what]
    before = declared(orkide)

    ran = take(orkide, "devices", book(tmp_path / "x.xlsx", fill))

    assert ran.status == 4, ran.err
    assert said in ran.err
    assert "x.xlsx" in ran.err
    assert declared(orkide) == before
    assert not (orkide / "mappings").exists()


def test_a_machine_is_one_machine(orkide: Path, tmp_path: Path) -> None:
    taken = next(d for d in declared(orkide).devices.values() if d.serial and not d.retired)
    other = next(d for d in declared(orkide).devices.values() if d.site.startswith("smo-"))

    def fill(sheet: Worksheet) -> None:
        sheet.append(["Navn", "Sted", "Rolle", "Serienummer"])
        sheet.append(["ny-sw1", "krs-radhus", "switch", taken.serial])
        sheet.append(["ny-sw2", "krs-radhus", "switch", "S2"])
        sheet.append(["ny-sw2", "krs-skole", "switch", "S2"])
        sheet.append([other.name, "krs-radhus", "switch", None])

    ran = take(orkide, "devices", book(tmp_path / "x.xlsx", fill))

    assert ran.status == 4
    for said in (
        f"x.xlsx:2: ny-sw1: the serial {taken.serial} is that of {taken.name}",
        "x.xlsx:4: ny-sw2 stands in row 3 too, and says something else",
        f"x.xlsx:5: {other.name} would go to another member",
        "3 problems in x.xlsx; nothing was changed",
    ):
        assert said in ran.err


def test_files_that_are_no_lists(orkide: Path, tmp_path: Path) -> None:
    (tmp_path / "x.xlsx").write_bytes(b"PK\x03\x04 not a workbook")
    (tmp_path / "x.csv").write_bytes(b'Navn;Sted\n"x;y')
    (tmp_path / "x.pdf").write_bytes(b"%PDF")

    for name, said in (
        ("x.xlsx", "is no workbook"),
        ("x.csv", "is not CSV"),
        ("x.pdf", "is neither .xlsx nor .csv"),
    ):
        ran = take(orkide, "devices", tmp_path / name)
        assert (ran.status, said in ran.err) == (4, True), ran.err
    assert take(orkide, "devices", tmp_path / "none.csv").status == 4


def test_utf_16_and_tabs_as_excel_writes_unicode_text(orkide: Path, tmp_path: Path) -> None:
    text = "Navn\tSted\tRolle\r\nkrs-rh-ap9\tKristiansund rådhus\tTrådløst\r\n"
    (tmp_path / "x.txt").write_bytes(text.encode("utf-16"))

    assert take(orkide, "devices", tmp_path / "x.txt").status == 0
    assert declared(orkide).devices["krs-rh-ap9"].role == "access_point"


def test_without_a_yes_nothing_is_written(orkide: Path, tmp_path: Path) -> None:
    list_ = book(tmp_path / "x.xlsx", row("x1", "krs-radhus", "switch"))
    before = declared(orkide)

    ran = fleet(orkide, "import", "devices", str(list_))

    assert ran.status == 2
    assert "Navn → name (x1)" in ran.err
    assert "add      1 device to kristiansund/devices" in ran.out
    assert declared(orkide) == before
    assert not (orkide / "mappings").exists()


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2023-06-15", "2023-06-15"),
        ("15.06.2023", "2023-06-15"),
        ("15/6-23", "2023-06-15"),
        ("1.2.2024", "2024-02-01"),
        ("45092", "2023-06-15"),
        ("2023-06-15 00:00:00", "2023-06-15"),
    ],
)
def test_days_as_people_write_them(text: str, day: str) -> None:
    assert to_day(text).isoformat() == day


@pytest.mark.parametrize(
    ("text", "mbps"),
    [("1000", 1000), ("100 Mbit/s", 100), ("10G", 10_000), ("2,5 Gbit", 2500), ("1 000", 1000)],
)
def test_speeds_as_people_write_them(text: str, mbps: int) -> None:
    assert read_cell("capacity_mbps", text) == mbps


@pytest.mark.parametrize("text", ["fort", "0,5 Mbit", "-3", ""])
def test_what_is_no_speed(text: str) -> None:
    with pytest.raises(ValueError, match="is no"):
        read_cell("capacity_mbps", text)
