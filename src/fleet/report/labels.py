"""Sheets of labels with QR codes, as SVG and as PDF."""

import html
import io
from collections.abc import Sequence

import segno

from fleet.core.labels import Label, Sheet

_WIDTH, _HEIGHT = 210, 297  # of A4, in millimetres
_EDGE = 2.0  # that stays white around what is on a label
_POINT = 0.353  # millimetres


def to_svg(labels: Sequence[Label | None], sheet: Sheet) -> str:
    """One sheet; the same labels give the same bytes."""
    placed = zip(labels, sheet.places(), strict=False)
    drawn = [_label(label, sheet, left, top) for label, (left, top) in placed if label is not None]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}mm" height="{_HEIGHT}mm" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="DejaVu Sans, sans-serif">\n'
        + "\n".join(drawn)
        + "\n</svg>\n"
    )


def to_html(sheets: Sequence[str]) -> str:
    """Sheets as pages, to be made a PDF of."""
    pages = "".join(f'<div class="sheet">{svg}</div>' for svg in sheets)
    return (
        "<!doctype html><html><head><meta charset='utf-8'><title>fleet label</title><style>"
        "@page { size: A4; margin: 0; } body { margin: 0; }"
        ".sheet { width: 210mm; height: 297mm; overflow: hidden; break-after: page; }"
        ".sheet:last-child { break-after: auto; }"
        f"</style></head><body>{pages}</body></html>"
    )


def _label(label: Label, sheet: Sheet, left: float, top: float) -> str:
    side = min(sheet.height - 2 * _EDGE, sheet.width * 0.4)
    code = segno.make(label.code, error="m", micro=False)
    modules = code.symbol_size(border=2)[0]
    out = io.BytesIO()
    code.save(out, kind="svg", border=2, xmldecl=False, svgns=False, omitsize=True, nl=False)
    drawing = out.getvalue().decode()
    x, room = left + side + 2 * _EDGE, sheet.width - side - 3 * _EDGE
    size = min(sheet.height / 7, 4.2)
    texts = [_text(label.title, x, top + _EDGE + size, size, room, weight="bold")]
    y = top + _EDGE + size
    for line in label.lines:
        y += size * 1.25
        if y < top + sheet.height - _EDGE / 2:
            texts.append(_text(line, x, y, size * 0.8, room))
    place = (
        f'<svg x="{left + _EDGE:.2f}" y="{top + _EDGE:.2f}" width="{side:.2f}" '
        f'height="{side:.2f}" viewBox="0 0 {modules} {modules}">{drawing}</svg>'
    )
    return place + "".join(texts)


def _text(text: str, x: float, y: float, size: float, room: float, weight: str = "normal") -> str:
    """A line, made smaller where it would be too long for the label."""
    wanted = size * 0.62 * len(text)  # DejaVu Sans is about so wide
    size = size if wanted <= room else max(size * room / wanted, 1.2)
    return (
        f'<text x="{x:.2f}" y="{y:.2f}" font-size="{size:.2f}" font-weight="{weight}">'
        f"{html.escape(text)}</text>"
    )
