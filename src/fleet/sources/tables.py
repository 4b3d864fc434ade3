"""The tables on a sheet: where their heads stand, what belongs to them, and what does not.

People put titles above tables, sums below, several tables on a sheet, blank rows between. A row
is a head if two of its cells at least are heads that are known; what follows is its table.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fleet.sources.sheets import Sheet, Value

_FEWEST = 2
_SUM = re.compile(r"(sum|total|totalt|antall|antal|i alt|til saman|tilsammen)\b", re.IGNORECASE)


@dataclass(slots=True, kw_only=True)
class Table:
    """One table.

    Args:
        title: what stood above it, or the name of the sheet.
        heads: by column, as they are written.
        rows: by their number, the cells by their column.
    """

    sheet: str
    title: str
    heads: Mapping[int, str]
    rows: dict[int, dict[int, Value]] = field(default_factory=dict)


def find_tables(
    sheet: Sheet, field_of: Callable[[str], str | None]
) -> tuple[list[Table], list[str]]:
    """The tables of a sheet, and which of its rows belong to none.

    Args:
        field_of: the field that a head means, if it is known.
    """
    tables: list[Table] = []
    current: list[Table] = []
    left_out: list[str] = []
    title: tuple[int, str] | None = None
    filled = [number for number in range(1, sheet.height + 1) if sheet.row(number)]
    for at, number in enumerate(filled):
        cells = sheet.row(number)
        if _is_head(cells, field_of):
            current = [
                Table(sheet=sheet.name, title=title[1] if title else sheet.name, heads=heads)
                for heads in _side_by_side(cells, field_of)
            ]
            tables += current
            title = None
            continue
        texts = [value for value in cells.values() if isinstance(value, str)]
        follows = sheet.row(filled[at + 1]) if at + 1 < len(filled) else {}
        if len(cells) == 1 and texts and (not current or _is_head(follows, field_of)):
            if title is not None:  # only the one right above belongs to the table
                left_out.append(f"row {title[0]}: {title[1]}")
            title = (number, texts[0])
        elif not current or _is_sum(cells, current):
            left_out.append(f"row {number}: {', '.join(map(str, cells.values()))}")
        else:
            _add(current, number, cells, left_out)
    return tables, left_out


def _is_head(cells: Mapping[int, Value], field_of: Callable[[str], str | None]) -> bool:
    known = {field_of(value) for value in cells.values() if isinstance(value, str)} - {None}
    return len(known) >= _FEWEST and 2 * len(known) > len(cells) - 3


def _is_sum(cells: Mapping[int, Value], tables: list[Table]) -> bool:
    first = str(cells[min(cells)])
    return _SUM.match(first) is not None and len(cells) <= len(tables[0].heads) // 2 + 1


def _side_by_side(
    cells: Mapping[int, Value], field_of: Callable[[str], str | None]
) -> list[dict[int, str]]:
    """The heads of a row: a field that comes again after a gap begins another table."""
    found: list[dict[int, str]] = [{}]
    before = min(cells)
    for column in sorted(cells):
        seen = {field_of(head) for head in found[-1].values()}
        head = str(cells[column])
        ahead = {field_of(str(cells[c])) for c in cells if c >= column} - {None}
        if column > before + 1 and ahead & (seen - {None}):
            found.append({})
        found[-1][column] = head
        before = column
    return found


def _add(tables: list[Table], number: int, cells: dict[int, Value], left_out: list[str]) -> None:
    rest = dict(cells)
    for table in tables:
        mine = {column: rest.pop(column) for column in list(rest) if column in table.heads}
        if mine:
            table.rows[number] = mine
    if rest:  # beside all tables: a remark in the margin
        left_out.append(f"row {number}: {', '.join(map(str, rest.values()))}")
