"""CSV as spreadsheets write it: comma or semicolon, with the field names as column heads."""

import csv
import io
from pathlib import Path
from typing import Any

from fleet.sources.problem import Problem
from fleet.sources.yaml12 import Mapping

_WHOLE_NUMBERS = {"port", "users", "capacity_mbps"}
_NUMBERS = {"latitude", "longitude"}


def read_table(path: Path, name: str) -> tuple[list[Mapping], list[Problem]]:
    """The rows of a CSV file, empty cells left out, each knowing its line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        hint = "save it as “CSV UTF-8” in the spreadsheet"
        return [], [Problem(name, None, f"is not UTF-8: {error}", hint)]
    except OSError as error:
        return [], [Problem(name, None, f"cannot be read: {error.strerror}")]
    return _read(text, name)


def _read(text: str, name: str) -> tuple[list[Mapping], list[Problem]]:
    head = text.partition("\n")[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[Mapping] = []
    problems: list[Problem] = []
    try:
        heads = [h.strip() for h in next(reader, [])]
        if not any(heads):
            message = "has no column heads"
            return [], [
                Problem(name, 1, message, "the first row must have the names of the fields")
            ]
        if "" in heads:
            problems.append(Problem(name, 1, f"column {heads.index('') + 1} has no head"))
        for doubled in sorted({h for h in heads if h and heads.count(h) > 1}):
            problems.append(Problem(name, 1, f"the column `{doubled}` is there twice"))
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if len(cells) > len(heads):
                message = f"{len(cells)} cells under {len(heads)} column heads"
                problems.append(Problem(name, reader.line_num, message))
            rows.append(_row(heads, cells, reader.line_num))
    except csv.Error as error:
        problems.append(Problem(name, reader.line_num, f"is not CSV: {error}"))
    return rows, problems


def _row(heads: list[str], cells: list[str], line: int) -> Mapping:
    row = Mapping(line)
    for head, cell in zip(heads, cells, strict=False):
        if text := cell.strip():
            row[head] = _value(head, text)
            row.lines[head] = line
    return row


def _value(head: str, text: str) -> Any:
    try:
        if head in _WHOLE_NUMBERS:
            return int(text)
        if head in _NUMBERS:
            return float(text.replace(",", "."))
    except ValueError:
        pass
    return text
