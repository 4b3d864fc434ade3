"""Rows as CSV: one form for the terminal and for files."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from fleet.core.harmless import harmless


def to_csv(rows: Iterable[Mapping[str, Any]], fields: Sequence[str]) -> str:
    """With a head; nested values as JSON; no text can be taken for a formula."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(fields)
    for row in rows:
        writer.writerow([_cell(row.get(name)) for name in fields])
    return buffer.getvalue()


def _cell(value: Any) -> Any:
    if isinstance(value, list | dict):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, str):
        return harmless(value)
    return str(value).lower() if isinstance(value, bool) else value
