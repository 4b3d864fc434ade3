"""Outages from another system, as a CSV file: device, start, end, state, cause."""

from collections.abc import Collection
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from fleet.core.imported import IMPORT, Stretch
from fleet.core.lookup import nfc
from fleet.core.moment import parse_moment, to_us
from fleet.core.spans import Span
from fleet.core.states import State
from fleet.errors import FleetError, Malformed
from fleet.sources.files import closest
from fleet.sources.problem import Problem, refuse
from fleet.sources.table import read_table
from fleet.sources.yaml12 import Mapping

_STATES = (State.DOWN, State.UNREACHABLE, State.UNKNOWN)
_COLUMNS = ("device", "start", "end", "state", "cause")


def read_outages(path: Path, covers: Span, devices: Collection[str]) -> dict[str, list[Stretch]]:
    """The outages of each device in the file.

    Args:
        covers: the time for which the file is complete; every outage lies in it.
        devices: names in the inventory.

    Raises:
        Malformed: with every problem of the file.
    """
    name = str(path)
    rows, problems = read_table(path, name)
    found: dict[str, list[Stretch]] = {}
    lines: dict[Stretch, int] = {}
    for row in rows:
        try:
            stretch = _read(row, covers)
            device = nfc(row.get("device", ""))
            if device not in devices:
                raise Malformed(f"unknown device `{device}`", hint=closest(device, devices))
        except FleetError as error:
            problems.append(Problem(name, row.line, error.message, error.hint))
            continue
        found.setdefault(device, []).append(stretch)
        lines[stretch] = row.line
    for device, mine in found.items():
        mine.sort(key=lambda s: (s.since, s.until or 0))
        for one, other in pairwise(mine):
            if one.until is not None and other.since < one.until:
                message = f"two outages of {device} overlap"
                hint = f"the other one is on line {lines[one]}"
                problems.append(Problem(name, lines[other], message, hint))
    refuse(problems, name)
    return found


def _read(row: Mapping, covers: Span) -> Stretch:
    unknown = [column for column in row if column not in _COLUMNS]
    if unknown:
        raise Malformed(f"unknown column `{unknown[0]}`", hint=f"columns: {', '.join(_COLUMNS)}")
    for column in ("device", "start", "end", "state"):
        if column not in row:
            raise Malformed(f"the cell `{column}` is empty")
    start, end = to_us(parse_moment(row["start"])), to_us(parse_moment(row["end"]))
    if end <= start:
        raise Malformed(f"it ends ({row['end']}) before it begins ({row['start']})")
    if not covers[0] <= start < end <= covers[1]:
        raise Malformed("it is not within the time of --covers")
    if row["state"] not in _STATES:
        raise Malformed(f"`{row['state']}` is no state", hint=f"one of {', '.join(_STATES)}")
    return Stretch(start, end, row["state"], row.get("cause"), IMPORT)


def read_covers(text: str, now: datetime) -> Span:
    """The half-open period `FROM/TO`.

    Raises:
        Malformed: it is none, or ends after now.
    """
    begin, slash, end = text.partition("/")
    if not slash:
        raise Malformed(f"`{text}` is no period", hint="write it like 2026-01-01/2026-02-01")
    covers = to_us(parse_moment(begin)), to_us(parse_moment(end))
    if covers[0] >= covers[1]:
        raise Malformed(f"`{text}` ends before it begins")
    if covers[1] > to_us(now):
        raise Malformed(f"`{text}` ends after now", hint="nobody knows yet what will be up")
    return covers
