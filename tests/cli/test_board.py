"""The page for leaders: what they ask, answered in one language, on one sheet of paper."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from fleet.core.moment import OSLO
from tests.worlds import fleet, make_example

NOW = f"{datetime.now(OSLO):%Y}-Q{(datetime.now(OSLO).month + 2) // 3}"
ASK = ("report", "board", "--quarter", "2025-Q3")


@pytest.fixture(scope="module")
def orkide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The example with two outages of town halls, and a proposal that Smøla has answered."""
    root = make_example(tmp_path_factory.mktemp("board"))
    (root / "outages.csv").write_text(
        "device,start,end,state,cause\n"
        "smo-rh-r1,2025-08-04T10:00,2025-08-04T13:00,down,\n"
        "sun-rh-r1,2025-09-04T10:00,2025-09-04T12:30,down,\n"
    )
    covers = ("--covers", "2025-07-01/2025-10-01", "--all")
    assert fleet(root, "import", "outages", "outages.csv", *covers).status == 0
    (root / "x.md").write_text("# Felles lønn\n")
    named = fleet(root, "change", "propose", "x.md", "--group", "økonomi").out.strip()
    yes = ("change", "approve", named, "--member", "smola", "--role", "IT-leder")
    assert fleet(root, *yes).status == 0
    yield root


def test_the_five_questions_have_answers(orkide: Path) -> None:
    found = fleet(orkide, *ASK, "-o", "json").json

    assert (found["members"], found["sites"], found["users"]) == (9, 42, 3523)
    assert found["downtime_s"] == 5.5 * 3600
    assert [c["name"] for c in found["causes"]] == ["smo-rh-r1", "sun-rh-r1"]
    # Its index rose from 109.0 to 111.8, the grant of 2024 came once, and so did Smøla's fibre.
    assert {line["name"]: line["difference"] for line in found["lines"]} == {
        "drift": "235200.00",  # 8400000 × 2.8 %
        "mobil-2024": "45748.63",  # 184000 × 91 of 366 days
        "skriver-2024": "146666.67",  # 220000 × 244 of 366 days
        "skjonnsmidler-2024": "2500000.00",
        "smola-fiber": "-48262.30",
    }
    cost, before = (float(found[name]) for name in ("cost", "cost_before"))
    total = sum(float(line["difference"]) for line in found["lines"])
    assert round(cost - before, 2) == round(total, 2)
    assert found["saved"] == "81900.00"  # 39 access points at 1200, three printers at 11700
    assert [(end["what"], end["name"]) for end in found["ends"]] == []
    assert found["open"] == []  # nothing was proposed until then


def test_a_member_has_its_own_page_and_only_what_it_has_not_answered(orkide: Path) -> None:
    smola = fleet(orkide, *ASK, "--member", "smola", "-o", "json").json
    aure = fleet(orkide, *ASK, "--member", "aure", "-o", "json").json

    assert (smola["sites"], smola["downtime_s"], aure["downtime_s"]) == (4, 3 * 3600, 0)
    now = ("report", "board", "--quarter", NOW, "-o", "json", "--member")
    assert [len(fleet(orkide, *now, m).json["open"]) for m in ("smola", "aure")] == [0, 1]
    assert smola["saved"] == "35100.00"
    year = ("report", "cost", "--year", "2025", "--population-date", "2024-01-01")
    (row,) = fleet(orkide, *year, "--member", "smola", "-o", "json").json["rows"]
    assert smola["cost"] == row["share"]


WORDS = {
    "nb": ("Hva har vi?", "ikke", "Hvor lenge var vi nede"),
    "nn": ("Kva har vi?", "ikkje", "Kor lenge var vi nede"),
    "en": ("What do we have?", "not", "How long were we down"),
}


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("member", [(), ("--member", "smola")])
def test_the_page_is_in_one_language_and_fits_on_one_sheet(
    orkide: Path, tmp_path: Path, language: str, member: tuple[str, ...]
) -> None:
    from weasyprint import HTML

    out = tmp_path / "board.html"
    assert fleet(orkide, *ASK, *member, "--language", language, "--out", str(out)).status == 0

    page = out.read_text()
    assert f'<html lang="{language}">' in page
    text = re.sub(r"<style>.*?</style>|<[^>]+>", " ", page, flags=re.DOTALL)
    for other, words in WORDS.items():
        for word in words:
            assert bool(re.search(rf"\b{re.escape(word)}", text)) == (other == language), word
    assert len(HTML(string=page).render().pages) == 1
    if language != "en":
        assert re.search(r"\d,\d\d\xa0kr", text)
    again = tmp_path / "again.html"
    fleet(orkide, *ASK, *member, "--language", language, "--out", str(again))
    assert again.read_bytes() == out.read_bytes()


def test_the_public_page_names_no_machine_and_no_proposal(orkide: Path, tmp_path: Path) -> None:
    out = tmp_path / "board.html"
    fleet(orkide, *ASK, "--public", "--out", str(out))

    page = out.read_text()
    assert "Offentlig utgave" in page
    for name in ("smo-rh-r1", "Smøla rådhus", "Felles lønn"):
        assert name not in page
    document = fleet(orkide, *ASK, "--public", "-o", "json")
    assert "smo-rh-r1" not in document.out
    assert (document.json["open"], document.json["causes"][0]["kind"]) == ([], "device")


def test_a_quarter_is_seen_with_the_members_and_sites_of_its_last_day(orkide: Path) -> None:
    def members(quarter: str, *more: str) -> tuple[int, int]:
        found = fleet(orkide, "report", "board", "--quarter", quarter, *more, "-o", "json")
        assert found.status == 0, found.err
        return found.json["members"], found.json["sites"]

    assert [members(q)[0] for q in ("2013-Q1", "2018-Q4", "2019-Q1", "2020-Q1")] == [13, 13, 10, 9]
    assert members("2018-Q4", "--member", "eide")[0] == 13
    assert members("2025-Q3")[1] == 42
    now = fleet(orkide, "report", "board", "--quarter", NOW, "-o", "json").json
    assert now["sites"] == 42  # not those of members that left
    shown = fleet(orkide, "report", "board", "--quarter", "2018-Q4", "--member", "eide").out
    assert shown.startswith("Oversikt for Eide, 4. kvartal 2018")


def test_on_a_terminal_it_is_text(orkide: Path) -> None:
    shown = fleet(orkide, *ASK).out

    assert shown.startswith("Oversikt for IKT Orkidé, 3. kvartal 2025\n")
    assert "  - Ruteren på Smøla rådhus: nedetid 3 t 0 min, steder 1, brukere 44\n" in shown
    now = fleet(orkide, "report", "board", "--quarter", NOW).out
    assert "Felles lønn (fra økonomi): 0 dager gammelt, 1 av 9 har sagt ja." in now


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (("--quarter", "2025-Q5"), 4, "`2025-Q5` is no quarter"),
        (("--quarter", "0001-Q1"), 2, "1 is no year of a cooperation"),
        (("--quarter", "2199-Q1"), 4, "2199-Q1 is still to come"),
        (("--member", "oslo"), 4, "there is no member `oslo`"),
        (("--out", "x.csv"), 2, ".html, .pdf"),
    ],
)
def test_bad_input_is_refused(
    orkide: Path, options: tuple[str, ...], status: int, message: str
) -> None:
    ran = fleet(orkide, "report", "board", *options)

    assert (ran.status, message in ran.err, ran.out) == (status, True, ""), ran.err
