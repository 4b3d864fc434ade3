"""A page of tables."""

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.report.look import Look
from fleet.report.template import load_template
from fleet.report.words import words


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One table, with what it is about.

    Args:
        rows: a value for each column; the first is the row's name.
        none: what is said instead, if there are no rows.
    """

    head: str
    note: str
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    none: str


def render_tables(
    look: Look, title: str, period: str, sections: Sequence[Section], method: Sequence[str]
) -> str:
    """The page; the same figures give the same bytes.

    Args:
        method: how the figures were made, a paragraph each.
    """
    return load_template(look, "report/tables.html.j2").render(
        say=words(look.language),
        look=look,
        title=title,
        period=period,
        sections=sections,
        method=method,
    )
