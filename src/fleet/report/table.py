"""A list of things as the bytes of a file."""

import io
import json
from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from fleet.core.record import Json, Record
from fleet.report.csv_text import to_csv

_NEVER = datetime(2000, 1, 1)  # noqa: DTZ001 - a workbook knows no time zone
SUFFIXES = (".csv", ".xlsx", ".json", ".yaml")


def table_to_bytes(
    rows: Sequence[Record],
    suffix: str,
    title: str,
    *,
    fields: Sequence[str] = (),
    amounts: Collection[str] = (),
) -> bytes:
    """Rows with the same fields, in the form that a file name's suffix names.

    Args:
        suffix: one of `SUFFIXES`.
        title: of the sheet in a workbook.
        fields: heads where there is no row.
        amounts: fields of kroner, which are numbers in a workbook.
    """
    fields = list(rows[0]) if rows else fields
    match suffix:
        case ".csv":
            return to_csv(rows, fields).encode()
        case ".xlsx":
            return _workbook(rows, fields, title, amounts)
        case ".yaml":
            import yaml

            return yaml.safe_dump(list(rows), allow_unicode=True, sort_keys=False).encode()
        case _:
            return (json.dumps(list(rows), ensure_ascii=False, indent=2) + "\n").encode()


def _workbook(
    rows: Sequence[Record], fields: Sequence[str], title: str, amounts: Collection[str]
) -> bytes:
    from xlsxwriter import Workbook

    out = io.BytesIO()
    options = {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    with Workbook(out, options) as book:
        sheet = book.add_worksheet(title)
        head = book.add_format({"bold": True})
        kroner = book.add_format({"num_format": "#,##0.00"})
        book.set_properties({"created": _NEVER})  # the same bytes every time
        for column, name in enumerate(fields):
            sheet.write_string(0, column, name, head)
        for number, row in enumerate(rows, start=1):
            for column, name in enumerate(fields):
                value = row[name]
                if name in amounts and isinstance(value, str):
                    sheet.write_number(number, column, float(value), kroner)
                else:
                    _write(sheet, number, column, value)
        sheet.freeze_panes(1, 1)
        sheet.autofilter(0, 0, len(rows), max(len(fields) - 1, 0))
        sheet.autofit()
    return out.getvalue()


def _write(sheet: Any, row: int, column: int, value: Json) -> None:
    """Numbers as numbers, all else as text: a serial number keeps its zeros."""
    match value:
        case None:
            return
        case bool():
            sheet.write_boolean(row, column, value)
        case int() | float():
            sheet.write_number(row, column, value)
        case str():
            sheet.write_string(row, column, value)
        case _:
            sheet.write_string(row, column, json.dumps(value, ensure_ascii=False))
