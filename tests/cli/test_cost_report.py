"""`fleet report cost`: what each member pays, what if, and why it is another amount."""

import csv
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.worlds import fleet, make_example, replace_in, write_world


@pytest.fixture(scope="module")
def orkide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield make_example(tmp_path_factory.mktemp("cost"))


def ore(text: str) -> int:
    kroner, _, rest = text.partition(".")
    assert len(rest) == 2
    return int(kroner + rest)


@pytest.mark.parametrize("amount", ["10000000", "20000000.00", "-2500000", "0.01", "0", "-0.07"])
def test_every_ore_lands_on_exactly_one_of_the_thirteen(orkide: Path, amount: str) -> None:
    found = fleet(orkide, "report", "cost", f"--amount={amount}", "--year", "2013", "-o", "json")

    assert found.status == 0
    rows = found.json["rows"]
    assert len(rows) == 13
    assert sum(row["population"] for row in rows) == 74_089
    assert sum(ore(row["share"]) for row in rows) == ore(found.json["amount"])
    assert found.json["rule"] == {"population": 70, "equal": 30}
    assert "by population 70, equal 30; populations of 2013-01-01" in found.err


def test_a_report_on_2013_says_thirteen_and_the_names_and_numbers_of_then(orkide: Path) -> None:
    found = fleet(orkide, "report", "cost", "--amount", "1", "--year", "2013", "-o", "json").json

    rindal = next(row for row in found["rows"] if row["member"] == "rindal")
    assert (rindal["number"], rindal["days"]) == ("1567", 365)
    then = fleet(orkide, "report", "cost", "--amount", "1", "--year", "2019", "-o", "json").json
    assert next(r["number"] for r in then["rows"] if r["member"] == "rindal") == "5061"
    assert [len(found["rows"]), len(then["rows"])] == [13, 10]


def test_a_members_statement_is_the_sum_of_its_lines(orkide: Path) -> None:
    found = fleet(orkide, "report", "cost", "--year", "2024", "--member", "smola", "-o", "json")

    (row,) = found.json["rows"]
    lines = {line["name"]: line["share"] for line in row["lines"]}
    # nett-2023: 1,250,000.00; 2,159 of the nine members' 56,805 inhabitants, and a ninth.
    assert sum(r["population"] for r in all_rows(orkide, 2024)) == 56_805
    # Its part of what all share: 0.7 × 2159/56805 + 0.3/9 = 0.0599383...
    by_hand = {
        "mobil-2024": "5254.54",  # 184000 × 275/366 days, by inhabitants alone: × 2159/56805
        "nett-2023": "74922.98",  # 1250000 × 0.0599383...
        "server-2022": "38360.56",  # 640000
        "skriver-2024": "4395.48",  # 220000 × 122/366
        "strom-2023": "5754.08",  # 96000
        "tradlos-2024": "18580.89",  # 310000
        "drift": "548795.85",  # 8400000 × 109.0/100.0, its index since 2022
        "lonnslisenser": "207000.00",  # 150 licences at 1380
        "skjonnsmidler-2024": "-149845.96",  # -2500000
        "smola-fiber": "48262.30",  # its own: 96000 × 184/366
        "rounding": "0.04",
    }
    assert lines == by_hand
    assert sum(ore(share) for share in by_hand.values()) == ore(row["share"]) == 80_148_076


def all_rows(root: Path, year: int) -> list[dict[str, int]]:
    found = fleet(root, "report", "cost", "--year", str(year), "-o", "json").json
    rows: list[dict[str, int]] = found["rows"]
    return rows


def test_what_if_a_member_leaves_or_the_key_is_another_one_stores_nothing(orkide: Path) -> None:
    ask = ("report", "cost", "--amount", "1000000", "--year", "2018")
    before = (orkide / ".fleet/fleet.db").read_bytes()

    without = fleet(orkide, *ask, "--without", "halsa", "-o", "json").json
    half = fleet(orkide, *ask, "--without", "halsa=2018-07-02", "-o", "json").json
    other = fleet(orkide, *ask, "--rule", "population=60,equal=40", "--against", "now")

    assert len(without["rows"]) == 12
    assert next(r["days"] for r in half["rows"] if r["member"] == "halsa") == 182
    assert sum(ore(row["share"]) for row in half["rows"]) == 100_000_000
    rows = {line.split()[0]: line.split()[1:] for line in other.out.splitlines()[2:]}
    assert ore(rows["halsa"][2]) > 0 > ore(rows["kristiansund"][2])
    assert sum(ore(row[2]) for row in rows.values()) == 0
    assert (orkide / ".fleet/fleet.db").read_bytes() == before


def test_the_difference_to_another_year_says_why(orkide: Path) -> None:
    ask = ("report", "cost", "--amount", "1000000", "--year", "2019", "--against", "2018")

    rows = {row["member"]: row for row in fleet(orkide, *ask, "-o", "json").json}

    assert rows["nesset"]["why"] == ["no member any more"]
    assert rows["smola"]["why"] == [
        "-38 inhabitants",
        "-16361 inhabitants in all",
        "10 members, before 13",
    ]
    assert sum(ore(row["difference"]) for row in rows.values()) == 0


def test_the_difference_is_the_sum_of_its_lines(orkide: Path) -> None:
    ask = ("report", "cost", "--year", "2024", "--member", "smola", "--population-date")
    against = ("2024-01-01", "--without", "rindal", "--against", "now")

    (row,) = fleet(orkide, *ask, *against, "-o", "json").json

    assert row["lines"][0]["name"] == "drift"
    assert sum(ore(line["difference"]) for line in row["lines"]) == ore(row["difference"]) > 0
    shown = fleet(orkide, *ask, *against).out
    assert "nett-2023" in shown
    assert "rounding" in shown


def test_a_file_for_the_invoices(orkide: Path, tmp_path: Path) -> None:
    out = tmp_path / "cost.csv"

    ran = fleet(orkide, "report", "cost", "--amount", "100", "--year", "2013", "--out", str(out))

    assert (ran.status, ran.out) == (0, "")
    rows = list(csv.DictReader(out.read_text().splitlines()))
    assert sum(ore(row["share"]) for row in rows) == 100_00
    assert list(rows[0]) == ["member", "name", "number", "population", "days", "share"]


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_the_statement_of_a_member_is_a_page_in_one_language(
    orkide: Path, tmp_path: Path, language: str
) -> None:
    out = tmp_path / f"smola-{language}.html"
    ask = ("report", "cost", "--year", "2024", "--member", "smola", "--out", str(out))

    ran = fleet(orkide, *ask, "--language", language)

    page = out.read_text()
    assert (ran.status, f'<html lang="{language}">' in page) == (0, True)
    total = {"en": "NOK\xa0801,480.76"}.get(language, "801\xa0480,76\xa0kr")
    assert page.count(total) == 2
    says = {"nb": "innbyggere", "nn": "innbyggjarar", "en": "inhabitants"}
    assert [word in page for word in says.values()] == [key == language for key in says]


def test_a_workbook_has_kroner_as_numbers_and_the_same_bytes(orkide: Path, tmp_path: Path) -> None:
    def made(name: str) -> bytes:
        ask = ("report", "cost", "--amount", "100", "--year", "2013", "--out", str(tmp_path / name))
        assert fleet(orkide, *ask).status == 0
        return (tmp_path / name).read_bytes()

    book = made("a.xlsx")

    assert made("b.xlsx") == book
    with zipfile.ZipFile(tmp_path / "a.xlsx") as parts:
        sheet = parts.read("xl/worksheets/sheet1.xml").decode()
    assert re.search(r'<c r="F2" s="[0-9]"><v>[0-9.]+</v></c>', sheet)


def test_a_contract_that_was_taken_out_costs_nothing_after_that(tmp_path: Path) -> None:
    root = write_world(tmp_path / "w")
    contracts = root / "inventory/contracts.yaml"
    members = root / "inventory/members.yaml"
    replace_in(members, "{2013: 3570}", "{2013: 3570, 2027: 3400}")
    replace_in(members, "{2013: 2180}", "{2013: 2180, 2027: 2100}")
    right = contracts.read_text() if contracts.exists() else "contracts:\n"
    line = "  - {slug: x, supplier: X, from: 2025-01-01, cost_per_year: 1000000.00}\n"
    contracts.write_text(right + line)
    assert fleet(root, "sync", "--yes").status == 0
    contracts.write_text(right)
    assert fleet(root, "sync", "--yes").status == 0

    ran = fleet(root, "report", "cost", "--year", "2199")

    assert (ran.status, "nothing costs anything in 2199" in ran.err) == (4, True), ran.err


def test_an_own_cost_of_who_has_left_is_refused_since_nobody_would_pay_it(orkide: Path) -> None:
    costs = orkide / "inventory/costs.yaml"
    right = costs.read_text()
    line = (
        "  - {slug: bru, name: Bru, from: 2018-01-01, per_year: 365, sharing: own, member: eide}\n"
    )
    costs.write_text(right + line)
    try:
        refused = fleet(orkide, "report", "cost", "--year", "2019")
        asked = fleet(orkide, "report", "cost", "--year", "2019", "--without", "smola=2019-06-01")
    finally:
        costs.write_text(right)

    assert refused.status == 4
    assert "bru: 365.00 NOK of it fall on days on which eide is no member" in refused.err
    assert asked.status == 0, asked.err


@pytest.mark.parametrize("slug", ["rounding", "amount"])
def test_the_names_of_lines_that_every_statement_has_are_taken(tmp_path: Path, slug: str) -> None:
    root = write_world(tmp_path / "w")
    assert fleet(root, "sync", "--yes").status == 0
    costs = f"costs:\n  - {{slug: {slug}, name: A, from: 2013-01-01, once: 5.00}}\n"
    (root / "inventory/costs.yaml").write_text(costs)

    ran = fleet(root, "report", "cost", "--year", "2013")

    assert (ran.status, f"`{slug}` is the name of a line" in ran.err) == (4, True)


def test_the_split_is_a_page_and_a_pdf_with_the_same_bytes_every_day(
    orkide: Path, tmp_path: Path
) -> None:
    def made(name: str) -> bytes:
        ask = ("report", "cost", "--amount", "10000000", "--year", "2013")
        assert fleet(orkide, *ask, "--out", str(tmp_path / name)).status == 0
        return (tmp_path / name).read_bytes()

    assert made("a.html") == made("b.html")
    assert "74\xa0089" in (tmp_path / "a.html").read_text()
    assert made("a.pdf") == made("b.pdf")
    assert made("a.pdf").startswith(b"%PDF-")


def test_invoices_add_up_to_the_statement_and_are_a_table_too(orkide: Path, tmp_path: Path) -> None:
    out, flat = tmp_path / "invoices.json", tmp_path / "invoices.csv"
    ask = ("report", "invoices", "--year", "2024", "--vat", "25", "--out")

    assert fleet(orkide, *ask, str(out)).err.startswith("wrote 9 invoices")
    assert fleet(orkide, *ask, str(flat)).status == 0

    made = json.loads(out.read_text())
    nets = [ore(i["LegalMonetaryTotal"]["LineExtensionAmount"]) for i in made]
    assert nets == [ore(str(row["share"])) for row in all_rows(orkide, 2024)]
    for one, net in zip(made, nets, strict=True):
        assert sum(ore(line["LineExtensionAmount"]) for line in one["InvoiceLines"]) == net
        tax = ore(one["TaxTotal"]["TaxAmount"])
        assert ore(one["LegalMonetaryTotal"]["PayableAmount"]) == net + tax
    lines = list(csv.DictReader(flat.read_text().splitlines()))
    assert sum(ore(line["amount"]) for line in lines) == sum(nets)
    assert {line["name"] for line in lines} >= {"Driftsavdelingen", "Øreavrunding"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("per_year: '-1,5'", "costs.yaml:3: x: `per_year`: `-1,5` is no amount in kroner"),
        ("per_year: 1e6", "`1e6` is no amount in kroner"),
        ("{}", "x: write one of `once`, `per_year` and `price`"),
        ("once: 1, per_year: 2", "x: write one of `once`, `per_year` and `price`"),
        ("once: 1, until: 2025-01-01", "x: what is paid once has neither `until` nor"),
        ("once: 1, sharing: own, member: oslo", "x: there is no member `oslo`"),
        ("once: 1, sharing: use, quantities: {aure: -2}", "`quantities.aure`"),
        ("once: 1, sharing: use, quantities: {aure: 0}", "x: somebody must use more than 0"),
        ("once: 1, split: {people: 1}", "`people` is no part of a key"),
        ("once: 1, until_: 2025-01-01", "unknown field `until_`"),
        ("per_year: 1, until: 2020-01-01", "x: `until` must come after `from`"),
        ("per_year: 1, regulation: {index: cpi, base: 2024}", "x: there is no index `cpi`"),
    ],
)
def test_a_wrong_cost_line_is_refused_with_its_line(
    tmp_path: Path, line: str, message: str
) -> None:
    root = write_world(tmp_path / "w")
    assert fleet(root, "sync", "--yes").status == 0
    fields = line if line == "{}" else f"{{{line}}}"
    entry = fields.replace("{", "{slug: x, name: X, from: 2024-01-01, ", 1).replace(", }", "}")
    (root / "inventory/costs.yaml").write_text(f"# Invented\ncosts:\n  - {entry}\n")

    ran = fleet(root, "report", "cost", "--year", "2024")

    assert (ran.status, message in ran.err, ran.out) == (4, True, ""), ran.err


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (("--amount", "12,5"), 2, "write it with a point: 1250000.00"),
        (("--amount", "1e6"), 2, "`1e6` is no amount in kroner"),
        (("--amount", "1", "--rule", "people=1"), 2, "`people` is no part of a key"),
        (("--amount", "1", "--rule", "population=0"), 2, "not all zero"),
        (("--amount", "1", "--year", "13"), 2, "13 is no year of a cooperation"),
        (("--amount", "1", "--year", "1990"), 4, "has no member that could pay"),
        (("--amount", "1", "--year", "2014"), 4, "the population of Aure on 2014-01-01 is not"),
        (("--amount", "1", "--population-date", "2014-01-01"), 4, "lies after the year 2013"),
        (("--amount", "1", "--population-date", "2013-04-01"), 4, "hint: --population-date 2013"),
        (("--amount", "1", "--without", "oslo"), 4, "there is no member `oslo`"),
        (("--amount", "1", "--member", "oslo"), 4, "there is no member `oslo`"),
        (("--year", "2005"), 4, "nothing costs anything in 2005"),
        (("--amount", "1", "--without", "eide", "--without", "eide"), 2, "eide stands there twice"),
        (("--amount", "1", "--without", "eide", "--with", "eide"), 2, "eide both joins and leaves"),
        (("--amount", "1", "--member", "molde"), 4, "molde is no member in 2013"),
        (("--amount", "1", "--against", "last"), 2, "it is a year, or `now`"),
        (("--amount", "1", "--out", "x.doc"), 2, "a file that ends in .html, .pdf, .csv"),
    ],
)
def test_bad_input_is_refused(
    orkide: Path, options: tuple[str, ...], status: int, message: str
) -> None:
    year = () if "--year" in options else ("--year", "2013")

    ran = fleet(orkide, "report", "cost", *year, *options)

    assert (ran.status, message in ran.err, ran.out) == (status, True, ""), ran.err


FILES = {
    "no inhabitants": ("population: {2013: 3570}", "population: {2013: 0}", "above zero"),
    "a membership that overlaps another": (
        "language: nb, joined: 1997-01-01",
        "language: nb, memberships: [{joined: 1997-01-01}, {joined: 2001-01-01}]",
        "two memberships overlap: one begins on 2001-01-01",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_bad_members_are_refused_with_the_line(tmp_path: Path, name: str) -> None:
    old, new, message = FILES[name]
    root = write_world(tmp_path / "w")
    replace_in(root / "inventory/members.yaml", old, new)

    ran = fleet(root, "sync", "--yes")

    assert (ran.status, message in ran.err) == (4, True), ran.err
    assert "inventory/members.yaml:" in ran.err


CONTRACTS = {
    "an amount with a comma": ("cost_per_year: '12,5'", "`12,5` is no amount"),
    "an amount in scientific notation": ("cost_per_year: 1e6", "`1e6` is no amount"),
    "a key of nothing": ("split: {population: 0}", "not all zero"),
    "a key with an unknown part": ("split: {people: 70}", "`people` is no part of a key"),
    "no period": ("until: 2020-01-01", "until` must come after `from"),
}


@pytest.mark.parametrize("name", CONTRACTS)
def test_bad_contracts_are_refused_with_the_line(tmp_path: Path, name: str) -> None:
    line, message = CONTRACTS[name]
    root = write_world(tmp_path / "w")
    (root / "inventory/contracts.yaml").write_text(
        f"contracts:\n  - {{slug: net, supplier: S, from: 2023-01-01, {line}}}\n"
    )

    ran = fleet(root, "sync", "--yes")

    assert (ran.status, message in ran.err) == (4, True), ran.err
    assert "inventory/contracts.yaml:2" in ran.err
