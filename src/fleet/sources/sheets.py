"""Spreadsheets as people keep them: the cells of CSV and Excel files, each knowing where it stands.

What cannot be taken as it is meant is a problem, never a guess: a formula that nobody worked out,
a number of which Excel has lost the end, letters that were damaged on the way.
"""

import csv
import io
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from functools import cached_property
from pathlib import Path
from typing import Any

from fleet.core.lookup import nfc
from fleet.errors import NotFound
from fleet.sources.problem import Problem

Value = str | date
Flaw = tuple[str, str | None]
"""What is wrong with a cell, and how to mend it."""

_LARGEST = 50_000_000  # octets
_DIGITS = 15  # that a number in Excel keeps
_DAMAGED = ("Ã¥", "Ã¸", "Ã¦", "Ã…", "Ã˜", "Ã†", "\N{REPLACEMENT CHARACTER}")


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """One sheet of a file.

    Args:
        name: of the sheet; of the file if that is a CSV.
        cells: what stands in a row and a column, both counted from 1; empty ones are left out.
        flaws: what is wrong with cells, of which nobody knows yet whether they are wanted.
        left_out: what was not read, and why.
        counts_from_1904: as Excel on old Macs did: its days as numbers are 1462 less.
        is_alone: the file has no other.
    """

    file: str
    name: str
    cells: Mapping[tuple[int, int], Value]
    flaws: Mapping[tuple[int, int], Flaw] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()
    counts_from_1904: bool = False
    is_alone: bool = True

    @cached_property
    def rows(self) -> Mapping[int, Mapping[int, Value]]:
        """The cells of each row that has any, by their columns."""
        found: dict[int, dict[int, Value]] = {}
        for row, column in sorted({*self.cells, *self.flaws}):
            found.setdefault(row, {})[column] = self.cells.get((row, column), "")
        return found

    @property
    def label(self) -> str:
        """How messages call it."""
        return self.file if self.is_alone else f"{self.file} [{self.name}]"


@dataclass(slots=True)
class _Reading:
    """A sheet that is being read; `line` is None for what is wrong with all of the file."""

    file: str
    problems: list[Problem] = field(default_factory=list)
    flaws: dict[tuple[int, int], Flaw] = field(default_factory=dict)

    def problem(self, line: int | None, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(self.file, line, message, hint))

    def flaw(self, place: tuple[int, int], message: str, hint: str | None = None) -> None:
        self.flaws[place] = (message, hint)


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
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    try:
        line = 1
        for row in reader:
            for column, cell in enumerate(row, start=1):
                if whole := _whole(cell, (line, column), reading):
                    cells[line, column] = whole
            line = reader.line_num + 1
    except csv.Error as error:
        reading.problem(reader.line_num, f"is not CSV: {error}")
    sheet = Sheet(file=path.name, name=path.stem, cells=cells, flaws=reading.flaws, left_out=note)
    return [sheet]


def _delimiter(text: str) -> str:
    """What stands in most lines; a comma also stands in addresses and numbers."""
    lines = [line for line in text.splitlines()[:20] if line.strip()]
    for delimiter in ";\t":
        if 2 * sum(delimiter in line for line in lines) >= len(lines) > 0:
            return delimiter
    return ","


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


def _whole(text: str, place: tuple[int, int], reading: _Reading) -> str:
    """The text of a cell on one line, without what spreadsheets put around it."""
    if any(sign in text for sign in _DAMAGED):
        reading.flaw(
            place,
            f"the letters of `{text.strip()}` are damaged",
            "it was saved with the wrong encoding once; save it anew as .xlsx or “CSV UTF-8”",
        )
    whole = " ".join(nfc(text).translate(_UNSEEN).split())
    if _CUT.fullmatch(whole):
        reading.flaw(place, f"`{whole}` is a number of which the spreadsheet lost the end", _TEXT)
    if match := re.fullmatch(r'="(.*)"', whole):  # a number that was to stay text
        whole = match[1]
    return whole.removeprefix("'")


_UNSEEN = dict.fromkeys(map(ord, "\N{ZERO WIDTH SPACE}\N{ZERO WIDTH NO-BREAK SPACE}"))
_CUT = re.compile(r"\d[.,]\d+E\+\d+")
_TEXT = "make the column text, and enter it again"


def _read_workbook(path: Path, reading: _Reading) -> list[Sheet]:
    import warnings

    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of extensions that it leaves out, such as colours
            # From memory: of a damaged file it leaves the file open.
            octets = path.read_bytes()
            values = load_workbook(io.BytesIO(octets), data_only=True)
            written = load_workbook(io.BytesIO(octets))
        visible = [sheet for sheet in values.worksheets if sheet.sheet_state == "visible"]
        found = [
            _read_sheet(path, sheet, written[sheet.title], is_alone=len(visible) == 1)
            for sheet in values.worksheets
        ]
    except Exception as error:  # noqa: BLE001  # it raises whatever it stumbles over in a damaged file
        reading.problem(None, f"is no workbook: {error}", "is it protected by a password?")
        return []
    return found


def _read_sheet(path: Path, sheet: Any, written: Any, *, is_alone: bool) -> Sheet:
    if sheet.sheet_state != "visible":
        has_any = any(any(row) for row in sheet.iter_rows(values_only=True))
        left_out = (f"sheet {sheet.title}: it is hidden",) if has_any else ()
        return Sheet(file=path.name, name=sheet.title, cells={}, left_out=left_out)
    reading = _Reading(path.name)
    cells = dict(_cells(sheet, written, reading))
    return Sheet(
        file=path.name,
        name=sheet.title,
        cells=cells,
        flaws=reading.flaws,
        counts_from_1904=sheet.parent.epoch.year == _OF_OLD_MACS,
        is_alone=is_alone,
    )


_OF_OLD_MACS = 1904


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
    place = (cell.row, cell.column)
    if written.data_type == "f" and value is None and cell.data_type == "n":
        reading.flaw(
            place,
            f"{where} is a formula that nobody worked out",
            "open it in the spreadsheet and save it, or put the value in its place",
        )
    if cell.data_type == "e":
        reading.flaw(place, f"{where} is an error: {value}")
        return None
    return None if value is None else _meant(cell, where, reading)


def _meant(cell: Any, where: str, reading: _Reading) -> Value | None:
    value, place = cell.value, (cell.row, cell.column)
    match value:
        case bool():
            return "yes" if value else "no"
        case time():
            return f"{value:%H:%M}"
        case datetime():
            return value.date()
        case date():
            return value
        case int() | float():
            return _number(value, cell.number_format or "", where, place, reading)
        case _:
            return _whole(str(value), place, reading) or None


def _number(value: float, form: str, where: str, place: tuple[int, int], reading: _Reading) -> str:
    """A number as the sheet shows it, as far as that is more than the number."""
    if value != int(value):
        return repr(value)
    text = str(int(value))
    if len(text) > _DIGITS:
        reading.flaw(
            place,
            f"{where} is a number of {len(text)} digits, of which Excel keeps only {_DIGITS}",
            _TEXT,
        )
    # 000000 shows zeros that the number does not have, and "IKT-"000000 a word before them.
    if match := re.fullmatch(r'(?:"([^"]*)")?(0{2,})', form):
        return (match[1] or "") + text.zfill(len(match[2]))
    return text
