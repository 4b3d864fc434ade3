"""Data to standard output as table, JSON, CSV or YAML; everything else to standard error."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fleet.cli.options import Output, is_quiet
from fleet.core.moment import parse_moment, short_text, to_instant
from fleet.report.csv_text import to_csv

Row = Mapping[str, Any]


def show_rows(rows: Sequence[Row], output: Output, columns: Mapping[str, str]) -> None:
    """Many things.

    Args:
        rows: with JSON values.
        output: the form.
        columns: field → column head, for the table; the other forms have all fields.
    """
    match output:
        case Output.TABLE:
            show_table(rows, columns)
        case Output.CSV:
            sys.stdout.write(to_csv(rows, list(rows[0]) if rows else list(columns)))
        case _:
            show_value(list(rows), output)


def show_value(value: Any, output: Output) -> None:
    """One value as JSON or YAML."""
    if output is Output.YAML:
        import yaml

        yaml.safe_dump(value, sys.stdout, allow_unicode=True, sort_keys=False, width=10_000)
    else:
        print(to_json(value))  # noqa: T201


_MANY = 100


def to_json(value: Any) -> str:
    """JSON as people like to read it; of long lists each item on a line of its own."""
    if _is_long(value):
        return _lines(value, "")
    if isinstance(value, dict) and any(_is_long(inner) for inner in value.values()):
        parts = [f"  {json.dumps(key)}: {_inner(inner)}" for key, inner in value.items()]
        return "{\n" + ",\n".join(parts) + "\n}"
    return json.dumps(value, ensure_ascii=False, indent=2)


def _is_long(value: Any) -> bool:
    return isinstance(value, list) and len(value) > _MANY


def _inner(value: Any) -> str:
    if _is_long(value):
        return _lines(value, "  ")
    return json.dumps(value, ensure_ascii=False, indent=2).replace("\n", "\n  ")


def _lines(items: Sequence[Any], indent: str) -> str:
    dump = json.JSONEncoder(ensure_ascii=False).encode
    lines = ",\n".join(f"{indent}  {dump(item)}" for item in items)
    return f"[\n{lines}\n{indent}]"


def show_table(rows: Sequence[Row], columns: Mapping[str, str]) -> None:
    """A table; shortened to the width of a terminal, never elsewhere."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    is_terminal = sys.stdout.isatty()
    console = Console(
        width=None if is_terminal else 100_000,
        highlight=False,
        markup=False,
        emoji=False,
        soft_wrap=not is_terminal,
    )
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for name, head in columns.items():
        is_number = bool(rows) and all(
            isinstance(row.get(name), int | float) for row in rows if row.get(name) is not None
        )
        # On a phone the first column stays whole, and the others go over several lines.
        is_first = name == next(iter(columns))
        table.add_column(
            head,
            justify="right" if is_number else "left",
            no_wrap=is_first or is_number,
            overflow="fold",
        )
    for row in rows:
        table.add_row(*(cell(row.get(name)) for name in columns))
    console.print(table)


def cell(value: Any) -> str:
    """A value as a person reads it in a cell."""
    match value:
        case None:
            return "–"
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(cell, value)) or "–"
        case dict():
            return ", ".join(f"{k} {cell(v)}" for k, v in value.items() if v is not None)
        case _:
            return str(value)


_TIMES = frozenset({"at", "since", "until", "state_since", "start", "end", "announced", "ended"})


def local_times(row: Row) -> Row:
    """The row with its instants as a clock on an Oslo wall shows them."""
    shown = {
        name: short_text(to_instant(parse_moment(row[name])))
        for name in _TIMES & row.keys()
        if row[name] and "T" in row[name]
    }
    return {**row, **shown}


def count_of(number: int, noun: str, nouns: str | None = None) -> str:
    """`1 device`, `2 devices`."""
    return f"{number} {noun}" if number == 1 else f"{number} {nouns or noun + 's'}"


def asked_counter(total: int | None = None) -> Callable[[object], None]:
    """Counts what is asked on a terminal, says nothing elsewhere; called for each outcome."""
    heard = 0
    is_terminal = sys.stderr.isatty()

    def hear(_outcome: object) -> None:
        nonlocal heard
        heard += 1
        if is_terminal:
            of_all = f" of {total}" if total is not None else ""
            end = "\n" if heard == total else ""
            print(f"\rasked {heard}{of_all}", end=end, file=sys.stderr, flush=True)  # noqa: T201

    return hear


def say(text: str = "") -> None:
    """Data as text, to standard output."""
    print(text, flush=True)  # noqa: T201


def note(text: str) -> None:
    """Progress, a warning or a result in words, to standard error."""
    print(text, file=sys.stderr)  # noqa: T201


def hint(text: str) -> None:
    """Something that may help, unless hints are unwanted."""
    if not is_quiet():
        note(text)
