"""Spreadsheets as people keep them: the cells of CSV and Excel files, each knowing where it stands.

What cannot be taken as it is meant is a problem, never a guess: a formula that nobody worked out,
a number of which Excel has lost the end, letters that were damaged on the way.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from fleet.errors import NotFound
from fleet.sources.problem import Problem

Value = str | date
_LARGEST = 50_000_000  # octets
_DIGITS = 15  # that a number in Excel keeps
_DAMAGED = ("Ã¥", "Ã¸", "Ã¦", "Ã…", "Ã˜", "Ã†", "\N{REPLACEMENT CHARACTER}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One sheet of a file.

    Args:
        name: of the sheet; of the file if that is a CSV.
        cells: what stands in a row and a column, both counted from 1; empty ones are left out.
        left_out: what was not read, and why.
    """

    file: str
    name: str
    cells: Mapping[tuple[int, int], Value]
    left_out: tuple[str, ...] = ()

    def row(self, number: int) -> dict[int, Value]:
        """The cells of a row by their columns."""
        columns = range(1, self.width + 1)
        return {c: self.cells[number, c] for c in columns if (number, c) in self.cells}

    @property
    def height(self) -> int:
        return max((row for row, _ in self.cells), default=0)

    @property
    def width(self) -> int:
        return max((column for _, column in self.cells), default=0)


@dataclass(slots=True)
class _Reading:
    file: str
    problems: list[Problem] = field(default_factory=list)

    def problem(self, line: int | None, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(self.file, line, message, hint))


def read_sheets(path: Path) -> tuple[list[Sheet], list[Problem]]:
    """All sheets of a .csv or .xlsx file that people can see.

    Raises:
        NotFound: there is no such file.
    """
    if not path.is_file():
        raise NotFound(f"there is no file {path}")
    reading = _Reading(path.name)
    if path.stat().st_size > _LARGEST:
        reading.problem(None, "is larger than 50 MB", "take over a part of it at a time")
        return [], reading.problems
    if path.suffix.lower() in (".xlsx", ".xlsm"):
        return _read_workbook(path, reading), reading.problems
    if path.suffix.lower() in (".csv", ".txt", ".tsv"):
        return _read_csv(path, reading), reading.problems
    reading.problem(None, "is neither .xlsx nor .csv", "save it as one of these in the spreadsheet")
    return [], reading.problems


def _read_csv(path: Path, reading: _Reading) -> list[Sheet]:
    text, note = _decode(path.read_bytes(), reading)
    cells: dict[tuple[int, int], Value] = {}
    first = "\n".join(text.splitlines()[:20])
    delimiter = max(";,\t", key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        line = 1
        for row in reader:
            for column, cell in enumerate(row, start=1):
                if cell.strip():
                    cells[line, column] = _whole(cell, line, reading)
            line = reader.line_num + 1
    except csv.Error as error:
        reading.problem(reader.line_num, f"is not CSV: {error}")
    return [Sheet(file=path.name, name=path.stem, cells=cells, left_out=note)]


def _decode(octets: bytes, reading: _Reading) -> tuple[str, tuple[str, ...]]:
    """Spreadsheets write UTF-8 with a mark, UTF-16 with one, or what Windows had before."""
    if octets.startswith((b"\xff\xfe", b"\xfe\xff")):
        encodings = ["utf-16"]
    else:
        encodings = ["utf-8-sig", "cp1252"]
    for encoding in encodings:
        try:
            text = octets.decode(encoding)
        except UnicodeDecodeError:
            continue
        return text, (("it is not UTF-8: read as Windows-1252",) if encoding == "cp1252" else ())
    reading.problem(None, "is no text that is known", "save it as “CSV UTF-8”")
    return "", ()


def _whole(text: str, line: int, reading: _Reading) -> str:
    if any(sign in text for sign in _DAMAGED):
        reading.problem(
            line,
            f"the letters of `{text.strip()}` are damaged",
            "it was saved with the wrong encoding once; save it anew as .xlsx or “CSV UTF-8”",
        )
    return " ".join(text.split())


def _read_workbook(path: Path, reading: _Reading) -> list[Sheet]:
    import warnings
    from zipfile import BadZipFile

    from openpyxl import load_workbook
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of extensions that it leaves out, such as colours
            values = load_workbook(path, data_only=True)
            written = load_workbook(path)
    except (BadZipFile, InvalidFileException, KeyError, ValueError, OSError) as error:
        reading.problem(None, f"is no workbook: {error}", "is it protected by a password?")
        return []
    found = []
    for sheet in values.worksheets:
        if sheet.sheet_state == "visible":
            cells = dict(_cells(sheet, written[sheet.title], reading))
            found.append(Sheet(file=path.name, name=sheet.title, cells=cells))
        elif any(True for row in sheet.iter_rows(values_only=True) if any(row)):
            left_out = (f"sheet {sheet.title}: it is hidden",)
            found.append(Sheet(file=path.name, name=sheet.title, cells={}, left_out=left_out))
    return found


def _cells(sheet: Any, written: Any, reading: _Reading) -> Iterator[tuple[tuple[int, int], Value]]:
    """The cells with what stands in them; a cell that was merged downwards stands in each row."""
    below = {
        (row, merged.min_col): (merged.min_row, merged.min_col)
        for merged in sheet.merged_cells.ranges
        for row in range(merged.min_row + 1, merged.max_row + 1)
    }
    for row in sheet.iter_rows():
        for cell in row:
            place = (cell.row, cell.column)
            of = sheet.cell(*below.get(place, place))
            source = written.cell(*below.get(place, place))
            where = f"{sheet.title}!{of.coordinate}"
            if (value := _value(of, source, where, reading)) is not None:
                yield place, value


def _value(cell: Any, written: Any, where: str, reading: _Reading) -> Value | None:
    value = cell.value
    if written.data_type == "f" and value is None:
        reading.problem(
            cell.row,
            f"{where} is a formula that nobody worked out",
            "open it in the spreadsheet and save it, or put the value in its place",
        )
    if cell.data_type == "e":
        reading.problem(cell.row, f"{where} is an error: {value}")
        return None
    match value:
        case None | time():
            return None
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.date()
        case date():
            return value
        case int() | float():
            return _number(value, cell.number_format, where, cell.row, reading)
        case _:
            return _whole(str(value), cell.row, reading) or None


def _number(value: float, form: str, where: str, line: int, reading: _Reading) -> str:
    if value != int(value):
        return repr(value)
    text = str(int(value))
    if len(text) > _DIGITS:
        reading.problem(
            line,
            f"{where} is a number of {len(text)} digits, of which Excel keeps only {_DIGITS}",
            "make the column text, and enter it again",
        )
    # A format like 000000 shows zeros that the number does not have.
    return text.zfill(len(form)) if form and set(form) == {"0"} else text
