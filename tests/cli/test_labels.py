"""Labels: what is printed can be scanned, and what is scanned is found."""

from pathlib import Path

import pypdfium2
import pytest
import zxingcpp

from fleet.core.labels import SHEETS
from tests.worlds import fleet


def scan(pdf: Path) -> list[set[str]]:
    """The codes that a scanner reads on each page."""
    document = pypdfium2.PdfDocument(str(pdf))
    try:
        pages = []
        for page in document:
            image = page.render(scale=200 / 72).to_pil()  # 200 dots per inch
            pages.append({found.text for found in zxingcpp.read_barcodes(image)})
        return pages
    finally:
        document.close()


@pytest.mark.parametrize("sheet", SHEETS)
def test_a_scanner_reads_every_label_of_a_sheet(world: Path, tmp_path: Path, sheet: str) -> None:
    fleet(world, "sync", "--yes")
    out = tmp_path / "labels.pdf"

    ran = fleet(world, "label", "--sheet", sheet, "--out", str(out))

    assert ran.status == 0, ran.err
    assert f"4 labels on 1 sheet {sheet}" in ran.err
    names = ("dc-r1", "skole-r1", "skole-sw1", "bhg-r1")
    (codes,) = scan(out)
    assert codes == {f"fleet:d:{name}" for name in names}
    for code in codes:
        (row,) = fleet(world, "find", code, "-o", "json").json
        assert (row["kind"], row["name"]) == ("device", code.removeprefix("fleet:d:"))


def test_labels_that_are_gone_are_left_out_and_the_rest_goes_on_the_next_sheet(
    world: Path, tmp_path: Path
) -> None:
    fleet(world, "sync", "--yes")
    out = tmp_path / "labels.pdf"

    ran = fleet(world, "label", "--skip", "19", "--out", str(out))

    assert ran.status == 0, ran.err
    assert [len(codes) for codes in scan(out)] == [2, 2]


def test_places_have_labels_too(world: Path, tmp_path: Path) -> None:
    fleet(world, "sync", "--yes")
    out = tmp_path / "rooms.pdf"

    assert fleet(world, "label", "--places", "--site", "skole", "--out", str(out)).status == 0

    (codes,) = scan(out)
    assert codes == {"fleet:s:skole", "fleet:r:skole:U-101"}
    room = fleet(world, "find", "fleet:r:skole:U-101", "-o", "json").json
    assert [row["name"] for row in room] == ["skole-r1"]
    assert fleet(world, "find", "fleet:r:dc:U-101").status == 1


def test_svg_says_the_same_every_time_and_shows_whom_to_ring(world: Path, tmp_path: Path) -> None:
    fleet(world, "sync", "--yes")
    made = []
    for name in ("a.svg", "b.svg"):
        assert fleet(world, "label", "skole-r1", "--out", str(tmp_path / name)).status == 0
        made.append((tmp_path / name).read_text())

    assert made[0] == made[1]
    for text in ("skole-r1", "IKT-004711", "Aure skole U-101", "IT-vakt 71 64 74 00"):
        assert f">{text}<" in made[0]


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (("--out", "x.png"), 2, ".pdf, .svg"),
        (("--out", "x.pdf", "--sheet", "A4"), 2, "L7160"),
        (("--out", "x.pdf", "nowhere"), 4, "there is no device `nowhere`"),
        (("--out", "x.pdf", "--site", "nowhere"), 4, "there is no site `nowhere`"),
        (("--out", "x.pdf", "--member", "smola"), 4, "there is nothing to label"),
        (("--out", "no/x.pdf"), 6, "cannot write no/x.pdf"),
    ],
)
def test_bad_input_is_refused(
    world: Path, options: tuple[str, ...], status: int, message: str
) -> None:
    fleet(world, "sync", "--yes")

    ran = fleet(world, "label", *options)

    assert (ran.status, message in ran.err) == (status, True), ran.err
