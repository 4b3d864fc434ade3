"""Adding entries to people's files: what is there stays as it is, comments and all."""

import csv
import io
import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from fleet.errors import Malformed

Entry = Mapping[str, Any]


def append_entries(folder: Path, section: str, entries: Sequence[Entry]) -> Path:
    """Add entries at the end of a member's file; the file, which is made if there is none.

    Args:
        folder: the member's.
        section: `devices` or `links`.

    Raises:
        Malformed: the file has another form than fleet reads.
    """
    table = folder / f"{section}.csv"
    if table.exists():
        _write(table, _with_rows(table, entries))
        return table
    path = folder / f"{section}.yaml"
    _write(path, _with_entries(path, section, entries))
    return path


def _with_entries(path: Path, section: str, entries: Sequence[Entry]) -> str:
    from ruamel.yaml import YAML
    from ruamel.yaml.comments import CommentedSeq

    text = path.read_text(encoding="utf-8") if path.exists() else ""
    column = _dash_column(text)
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 10_000
    yaml.indent(mapping=2, sequence=column + 2, offset=column)
    document = yaml.load(text) or {}
    if not isinstance(document, dict):
        raise Malformed(f"{path.name}: `{section}:` is not at the top of it")
    if document.get(section) is None:
        document[section] = CommentedSeq()
    document[section].extend([dict(entry) for entry in entries])
    out = io.StringIO()
    yaml.dump(document, out)
    return out.getvalue()


def _dash_column(text: str) -> int:
    """How far the entries of the file are indented."""
    for line in text.splitlines():
        if line.lstrip().startswith("- "):
            return len(line) - len(line.lstrip())
    return 2


def _with_rows(path: Path, entries: Sequence[Entry]) -> str:
    text = path.read_text(encoding="utf-8-sig")
    first = text.splitlines()[0] if text.strip() else ""
    dialect = ";" if first.count(";") > first.count(",") else ","
    heads = next(csv.reader([first], delimiter=dialect))
    missing = {key for entry in entries for key in entry} - set(heads)
    if missing:
        raise Malformed(
            f"{path.name} has no column {', '.join(sorted(missing))}", hint="add the column heads"
        )
    out = io.StringIO()
    out.write(text if text.endswith("\n") else f"{text}\n")
    csv.DictWriter(out, heads, delimiter=dialect, lineterminator="\n").writerows(entries)
    return out.getvalue()


def _write(path: Path, text: str) -> None:
    """All of it or nothing, even if the machine stops in the middle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()
