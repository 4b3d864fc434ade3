"""What is wrong with a declared file: where, what, and how to mend it."""

from collections.abc import Iterable
from dataclasses import dataclass

from fleet.errors import Malformed


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    file: str
    line: int | None
    message: str
    hint: str | None = None

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" if self.line else self.file
        return f"{where}: {self.message}" + (f"\n    {self.hint}" if self.hint else "")


def refuse(problems: Iterable[Problem], what: str = "the declared files") -> None:
    """Raise all problems of `what` at once, if there are any."""
    found = sorted(set(problems), key=lambda p: (p.file, p.line or 0, p.message))
    if found:
        count = "1 problem" if len(found) == 1 else f"{len(found)} problems"
        raise Malformed("\n".join(map(str, found)), hint=f"{count} in {what}; nothing was changed")
