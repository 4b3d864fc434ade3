"""The tables on a sheet: where their heads stand, what belongs to them, and what does not.

People put titles above tables, sums below, several tables on a sheet, blank rows between. A row
is a head if enough of its cells are heads that are known; what follows is its table, until
another head, or a title that stands alone after a blank row.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fleet.sources.sheets import Sheet, Value
from fleet.sources.vocabulary import SKIP, plain

FieldOf = Callable[[str], str | None]
Cells = Mapping[int, Value]

_FEWEST = 2
_MANY = 4  # heads that are known make a head of any row, however many are not
_SUM = re.compile(
    r"(sum|total|totalt|totalsum|sum totalt|antall|antal|i alt|til saman|tilsammen|til sammen)"
    r"(?=$|[\s:.=(])",
    re.IGNORECASE,
)


@dataclass(slots=True, kw_only=True)
class Table:
    """One table.

    Args:
        title: what stood above it, or the name of the sheet.
        heads: by column, as they are written.
        rows: by their number, the cells by their column.
    """

    sheet: Sheet
    title: str
    heads: Mapping[int, str]
    rows: dict[int, dict[int, Value]] = field(default_factory=dict)


def find_tables(sheet: Sheet, field_of: FieldOf) -> tuple[list[Table], list[str]]:
    """The tables of a sheet, and which of its rows belong to none.

    Args:
        field_of: the field that a head means, if it is known.
    """
    finder = _Finder(sheet, field_of)
    for number in sheet.rows:
        finder.take(number)
    return finder.tables, finder.finish()


class _Finder:
    def __init__(self, sheet: Sheet, field_of: FieldOf) -> None:
        self._sheet = sheet
        self._field_of = field_of
        self._numbers = list(sheet.rows)
        self._place = {number: at for at, number in enumerate(self._numbers)}
        self._current: list[Table] = []
        self._title: tuple[int, str] | None = None
        self._left_out: list[str] = []
        self.tables: list[Table] = []

    def take(self, number: int) -> None:
        cells = self._sheet.rows[number]
        if _is_head(cells, self._field_of, is_first=not self._current):
            self._begin(cells)
        elif self._is_title(number):
            self._leave_out_title()
            self._title = (number, str(next(iter(cells.values()))))
            self._current = []
        elif not self._current or self._is_beside(cells):
            self._leave_out(number, cells)
        else:
            self._add(number, cells)

    def finish(self) -> list[str]:
        self._leave_out_title()
        return self._left_out

    def _begin(self, cells: Cells) -> None:
        title = self._title[1] if self._title else self._sheet.name
        self._title = None
        self._current = [
            Table(sheet=self._sheet, title=title, heads=heads)
            for heads in _side_by_side(cells, self._field_of)
        ]
        self.tables += self._current

    def _is_title(self, number: int) -> bool:
        """Whether a row is a line alone above a table, or after one and a blank row."""
        cells = self._sheet.rows[number]
        if len(cells) != 1 or not isinstance(next(iter(cells.values())), str):
            return False
        if not self._current:
            return True
        if _SUM.match(str(next(iter(cells.values())))):
            return False
        at = self._place[number]
        follows = self._numbers[at + 1] if at + 1 < len(self._numbers) else None
        is_above = follows is not None and _is_head(
            self._sheet.rows[follows], self._field_of, is_first=False
        )
        return is_above or self._numbers[at - 1] < number - 1

    def _is_beside(self, cells: Cells) -> bool:
        """Whether a row in a table is none of its things: a sum, or a remark in one cell."""
        first = str(cells[min(cells)])
        width = len(self._current[0].heads)
        if _SUM.match(first) is not None and len(cells) <= width // 2 + 1:
            return True
        return len(cells) == 1 and width > 1 and len(self._current) == 1

    def _leave_out_title(self) -> None:
        if self._title is not None:
            self._left_out.append(f"row {self._title[0]}: {self._title[1]}")
            self._title = None

    def _leave_out(self, number: int, cells: Cells) -> None:
        self._left_out.append(f"row {number}: {', '.join(map(str, cells.values()))}")

    def _add(self, number: int, cells: Cells) -> None:
        rest = dict(cells)
        for table in self._current:
            mine = {column: rest.pop(column) for column in list(rest) if column in table.heads}
            if mine:
                table.rows[number] = mine
        if rest:  # beside all tables: a remark in the margin
            self._leave_out(number, rest)


def _is_head(cells: Cells, field_of: FieldOf, *, is_first: bool) -> bool:
    """Whether a row has the heads of a table; below another, words in it may look like some."""
    texts = [value for value in cells.values() if isinstance(value, str)]
    known = {found for text in texts if (found := field_of(text)) is not None}
    if len(known) < _FEWEST:
        return False
    if not is_first:
        return len(known) >= _MANY or all(field_of(text) for text in texts)
    return len(known) >= _MANY or 2 * len(known) > len(cells) - 3


def _side_by_side(cells: Cells, field_of: FieldOf) -> list[dict[int, str]]:
    """The heads of a row: another table begins where its first head comes again.

    Or, after a gap, any field that was there already.
    """
    found: list[dict[int, str]] = [{}]
    before = min(cells)
    for column in sorted(cells):
        head = str(cells[column])
        there = list(found[-1].values())
        meant = {field_of(text) for text in there} - {None, SKIP}
        ahead = {field_of(str(cells[c])) for c in cells if c >= column}
        again = len(there) > 1 and plain(head) == plain(there[0]) and field_of(head) in meant
        if again or (column > before + 1 and ahead & meant):
            found.append({})
        found[-1][column] = head
        before = column
    return found
