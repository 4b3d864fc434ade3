"""A report as the bytes of a file: HTML, PDF, CSV, XLSX, JSON. The same report, the same bytes."""

import io
import json
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from fleet.core.record import Record
from fleet.core.uptime import By, UptimeReport
from fleet.errors import Missing
from fleet.report.csv_text import to_csv
from fleet.report.look import Look
from fleet.report.render import label_of, render_uptime, worst_first
from fleet.report.rows import CAUSE_FIELDS, FIELDS, to_cause_row, to_rows
from fleet.report.words import words


def to_bytes(report: UptimeReport, suffix: str, look: Look, document: Record) -> bytes:
    """A report in the form that a file name's suffix names.

    Args:
        document: the report as JSON.

    Raises:
        Missing: PDF without the package that makes it.
    """
    match suffix:
        case ".html":
            return render_uptime(report, look).encode()
        case ".pdf":
            return to_pdf(render_uptime(report, look))
        case ".csv":
            return _csv(report, document)
        case ".xlsx":
            return _xlsx(report, look, document)
        case _:
            return (json.dumps(document, ensure_ascii=False, indent=2) + "\n").encode()


def _csv(report: UptimeReport, document: Record) -> bytes:
    rows = document["rows"]
    fields = list(rows[0]) if rows else CAUSE_FIELDS if report.by is By.CAUSE else FIELDS
    return to_csv(rows, fields).encode()


_DRAWINGS = re.compile(r'<style class="drawings">(.*?)</style>', re.DOTALL)


def to_pdf(page: str) -> bytes:
    """By WeasyPrint, which writes no date into it; PDF/UA, for everybody to read.

    A page's style does not reach into its drawings there: each gets what is meant for them.
    """
    try:
        from weasyprint import HTML
    except (ImportError, OSError) as error:
        raise Missing(
            f"PDF needs the package weasyprint and its libraries: {error}",
            hint="pip install 'fleet-toolkit[pdf]'; Debian: apt install libpangoft2-1.0-0",
        ) from error
    style = _DRAWINGS.search(page)
    if style:
        page = re.sub(r"<svg\b[^>]*>", lambda svg: f"{svg[0]}<style>{style[1]}</style>", page)
    found: bytes = HTML(string=page).write_pdf(pdf_variant="pdf/ua-1")
    return found


_LONG_AGO = datetime(1980, 1, 1, tzinfo=UTC).replace(tzinfo=None)  # for the same bytes every day


def _xlsx(report: UptimeReport, look: Look, document: Record) -> bytes:
    """A sheet of rows and a sheet of causes, with numbers that can be reckoned with."""
    from xlsxwriter import Workbook

    say = words(look.language)
    buffer = io.BytesIO()
    book = Workbook(buffer, {"in_memory": True, "strings_to_formulas": False})
    book.set_properties({"created": _LONG_AGO, "title": say(f"title_{report.by.value}")})
    head = book.add_format({"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"})
    if report.by is not By.CAUSE:
        sheet = book.add_worksheet(say(f"name_{report.by.value}")[:31])
        by_name = {row["name"]: row for row in to_rows(report)}
        fields = list(document["rows"][0]) if document["rows"] else list(FIELDS)
        fields = [name for name in fields if name != "name" or not look.is_public]
        rows = [
            [
                label_of(report, row.name, say),
                *(_number(by_name[row.name].get(field)) for field in fields),
            ]
            for row in worst_first(report.rows)
        ]
        _fill(sheet, [say(f"name_{report.by.value}"), *fields], rows, head)
    if not look.is_public:
        sheet = book.add_worksheet(say("causes_title")[:31])
        causes = [[_number(v) for v in to_cause_row(c).values()] for c in report.causes]
        _fill(sheet, CAUSE_FIELDS, causes, head)
    book.close()
    return buffer.getvalue()


def _number(value: Any) -> Any:
    """Percentages as numbers, since people add charts to them; lists as text."""
    if isinstance(value, list):
        return ", ".join(value)
    if isinstance(value, str) and value.replace(".", "", 1).isdigit() and "." in value:
        return float(value)
    return value


def _fill(sheet: Any, head: Sequence[str], rows: Sequence[Sequence[Any]], style: Any) -> None:
    sheet.freeze_panes(1, 1)
    sheet.set_column(0, 0, 34)
    sheet.set_column(1, len(head), 14)
    for column, name in enumerate(head):
        sheet.write(0, column, name, style)
    for number, row in enumerate(rows, start=1):
        for column, value in enumerate(row):
            if value is not None:
                sheet.write(number, column, value)
    sheet.autofilter(0, 0, max(1, len(rows)), len(head) - 1)
