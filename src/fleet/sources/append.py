"""Adding entries to people's files: every octet that is there stays as it is.

New entries are written as text behind the last one of their section, in the file's own newline
and indent. Only JSON, which has no comments to lose, is written anew.
"""

import csv
import io
import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import yaml

from fleet.errors import Malformed

Entry = Mapping[str, Any]


def append_entries(folder: Path, section: str, entries: Sequence[Entry]) -> Path:
    """Add entries at the end of a member's file; the file, which is made if there is none.

    Args:
        folder: the member's.
        section: `devices` or `links`.

    Raises:
        Malformed: the file has a form in which nothing can be added.
    """
    table = folder / f"{section}.csv"
    path = table if table.exists() else folder / f"{section}.yaml"
    octets = path.read_bytes() if path.exists() else b""
    mark = b"\xef\xbb\xbf" if octets.startswith(b"\xef\xbb\xbf") else b""
    try:
        text = octets[len(mark) :].decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"{path.name} is not UTF-8", hint="save it as UTF-8") from error
    write_whole(path, mark + append_text(path.name, text, section, entries).encode())
    return path


def append_text(name: str, text: str, section: str, entries: Sequence[Entry]) -> str:
    """A file's text with entries added at its end.

    Args:
        name: of the file: .csv or .yaml.

    Raises:
        Malformed: it has a form in which nothing can be added.
    """
    newline = "\r\n" if "\r\n" in text else "\n"
    if name.endswith(".csv"):
        return _with_rows(name, text, newline, entries)
    return _with_entries(name, text, newline, section, entries)


def _with_rows(name: str, text: str, newline: str, entries: Sequence[Entry]) -> str:
    first = text.splitlines()[0] if text.strip() else ""
    delimiter = ";" if first.count(";") > first.count(",") else ","
    heads = [head.strip() for head in next(csv.reader([first], delimiter=delimiter))]
    missing = {key for entry in entries for key in entry} - set(heads)
    if missing:
        raise Malformed(
            f"{name} has no column {', '.join(sorted(missing))}", hint="add the column heads"
        )
    out = io.StringIO()
    csv.DictWriter(out, heads, delimiter=delimiter, lineterminator=newline).writerows(entries)
    return text + ("" if text.endswith("\n") else newline) + out.getvalue()


def _with_entries(
    name: str, text: str, newline: str, section: str, entries: Sequence[Entry]
) -> str:
    if text.lstrip().startswith("{"):
        return _with_json(name, text, section, entries)
    node = _section(name, text, section)
    lines = text.splitlines(keepends=True)
    if node is None:
        if lines and not lines[-1].endswith("\n"):
            lines[-1] += newline
        lines.append(f"{section}:{newline}")
        at, column = len(lines), 2
    elif isinstance(node, yaml.ScalarNode) and not node.value:
        at, column = node.start_mark.line + 1, 2  # `devices:` with nothing below it
    elif isinstance(node, yaml.SequenceNode) and not node.flow_style:
        column = node.start_mark.column
        at = _end(lines, node)
    else:
        raise Malformed(
            f"{name}: the entries of `{section}` are not one below the other",
            hint="write each as a line `- …` of its own",
        )
    if at and not lines[at - 1].endswith("\n"):
        lines[at - 1] += newline
    new = [line for entry in entries for line in _entry(entry, column, newline)]
    return "".join([*lines[:at], *new, *lines[at:]])


def _section(name: str, text: str, section: str) -> yaml.Node | None:
    """The entries of a section; None if the file has no such section, or nothing in it."""
    try:
        document = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        raise Malformed(f"{name} is not YAML", hint="fleet sync --plan says where") from error
    if document is None or (isinstance(document, yaml.ScalarNode) and not document.value):
        return None
    if not isinstance(document, yaml.MappingNode):
        raise Malformed(f"{name}: `{section}:` is not at the top of it")
    for key, value in document.value:
        if key.value == section:
            return value  # type: ignore[no-any-return]
    return None


def _end(lines: Sequence[str], node: yaml.SequenceNode) -> int:
    """The line behind the last entry: comments and blank lines that follow are not its."""
    at: int = min(node.end_mark.line + (node.end_mark.column > 0), len(lines))
    while at and (not lines[at - 1].strip() or lines[at - 1].lstrip().startswith("#")):
        at -= 1
    return at


def _entry(entry: Entry, column: int, newline: str) -> list[str]:
    indent = " " * column
    return [
        f"{indent}{'  ' if place else '- '}{key}: {scalar(value)}{newline}"
        for place, (key, value) in enumerate(entry.items())
    ]


def scalar(value: object) -> str:
    """A value as YAML; text that could be read as something else is quoted."""
    written = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str):
        return written
    return value if _PLAIN.fullmatch(value) and value not in _WORDS else written


_PLAIN = re.compile(r"[A-Za-z][\w.-]*|\d+(\.\d+){3}", re.ASCII)
_WORDS = frozenset({"true", "false", "null", "True", "False", "Null", "TRUE", "FALSE", "NULL"})


def _with_json(name: str, text: str, section: str, entries: Sequence[Entry]) -> str:
    try:
        document = json.loads(text)
        document.setdefault(section, []).extend(dict(entry) for entry in entries)
    except (ValueError, AttributeError) as error:
        raise Malformed(
            f"{name}: the entries of `{section}` are not one below the other",
            hint="write each as a line `- …` of its own",
        ) from error
    return json.dumps(document, ensure_ascii=False, indent=2) + "\n"


def write_whole(path: Path, octets: bytes) -> None:
    """All of it or nothing, even if the machine stops in the middle."""
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_name(f".{path.name}.new")
    try:
        with beside.open("wb") as file:
            file.write(octets)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            beside.chmod(path.stat().st_mode & 0o777)
        beside.replace(path)
    finally:
        with suppress(FileNotFoundError):
            beside.unlink()


@contextmanager
def all_or_none(paths: Iterable[Path]) -> Iterator[None]:
    """Write several files: if it goes wrong, all of them are as they were."""
    before = {path: path.read_bytes() if path.exists() else None for path in paths}
    try:
        yield
    except BaseException:
        for path, octets in before.items():
            if octets is None:
                path.unlink(missing_ok=True)
            elif path.read_bytes() != octets:
                write_whole(path, octets)
        raise
