"""How a report is to look. Needs no template and no language to be loaded."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SUFFIXES = (".html", ".pdf", ".csv", ".xlsx", ".json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """How a page is made.

    Args:
        cooperation: its name.
        templates: folders, the first that has a template wins.
        is_public: for everybody: no names of devices, nothing that only concerns the operators.
        revision: of a month that is kept.
        other_language: what it is written in, if that is not the cooperation's own.
    """

    language: str
    cooperation: str
    templates: Sequence[Path]
    is_public: bool = False
    revision: int | None = None
    other_language: str | None = None
