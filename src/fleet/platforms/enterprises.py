"""Rebuilds `enterprises.tsv` from a copy of the registry of enterprise numbers.

    python -m fleet.platforms.enterprises COPY

COPY is https://www.iana.org/assignments/enterprise-numbers.txt, or a table of number and name
such as the `enterprises.tsv` of Wireshark (Debian: libwireshark-data).
"""

import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from fleet.platforms.load import ENTERPRISES

_TABLE = re.compile(r"(\d+)[\t ]+(\S.*)")
_NUMBER = re.compile(r"(\d+)\s*")
_NOBODY = frozenset({"", "none", "reserved", "unassigned", "---none---"})


def read_registry(lines: Iterable[str]) -> Iterator[tuple[int, str]]:
    """(number, organisation) from either form of the registry."""
    number: int | None = None
    for line in lines:
        if line.startswith("#"):
            continue
        if alone := _NUMBER.fullmatch(line):
            number = int(alone[1])  # the organisation stands in the line below
        elif number is not None:
            yield number, line.strip()
            number = None
        elif row := _TABLE.fullmatch(line.rstrip()):
            yield int(row[1]), row[2]


def tidy(name: str) -> str:
    """A name without blanks that are doubled, and without what it was called before."""
    name = re.sub(r"\s+", " ", name).strip().strip('"')
    return re.sub(r"(?i)\s*\(?(formerly|previously|was)\b.*$", "", name).strip(" ,") or name


def main(arguments: list[str]) -> None:
    """Write the table anew."""
    copy = Path(arguments[0])
    rows = dict(read_registry(copy.read_text(encoding="utf-8", errors="replace").splitlines()))
    named = {n: tidy(name) for n, name in rows.items() if name.casefold() not in _NOBODY}
    head = "# Private enterprise numbers, registry of the IANA: number and organisation\n"
    lines = "".join(f"{number}\t{name}\n" for number, name in sorted(named.items()))
    ENTERPRISES.write_text(head + lines, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
