"""`fleet report cost`: what each member pays, what if, and why it is another amount."""

import csv
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.flows.init import Example, make_workspace
from tests.worlds import fleet, replace_in, write_world


@pytest.fixture(scope="module")
def orkide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    root = tmp_path_factory.mktemp("cost") / "w"
    make_workspace(root, Example.ORKIDE)
    assert fleet(root, "sync", "--yes").status == 0
    yield root


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
    assert lines["nett-2023"] == "74922.98"  # 1250000 × (0.7 × 2159/56805 + 0.3/9), rounded down
    assert list(lines) == [
        "mobil-2024",
        "nett-2023",
        "server-2022",
        "skriver-2024",
        "strom-2023",
        "tradlos-2024",
        "rounding",
    ]
    assert sum(ore(share) for share in lines.values()) == ore(row["share"])


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

    assert row["lines"][0]["name"] == "nett-2023"
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
    total = {"en": "NOK\xa0147,268.56"}.get(language, "147\xa0268,56\xa0kr")
    assert page.count(total) == 2
    says = {"nb": "innbyggere", "nn": "innbyggjarar", "en": "inhabitants"}
    assert [word in page for word in says.values()] == [key == language for key in says]


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
        (("--year", "2005"), 4, "no contract costs anything in 2005"),
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
