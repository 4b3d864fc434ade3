"""School calendars: `inventory/school_holidays.yaml`, the days on which schools are closed."""

from collections.abc import Collection
from datetime import date, datetime
from pathlib import Path

from fleet.core.moment import parse_moment
from fleet.core.school import Closed
from fleet.errors import FleetError, Malformed
from fleet.sources.files import closest
from fleet.sources.problem import Problem, refuse
from fleet.sources.yaml12 import Mapping, read_yaml

_FIELDS = ("from", "until", "members", "name")


def read_school_holidays(path: Path, root: Path, members: Collection[str]) -> tuple[Closed, ...]:
    """The school calendar of a workspace.

    Args:
        path: of the file.
        root: the workspace; messages show paths relative to it.

    Raises:
        Malformed: with every problem of the file.
    """
    name = str(path.relative_to(root))
    value, problems = read_yaml(path, name)
    entries = value.get("school_holidays") if isinstance(value, Mapping) else None
    if not isinstance(entries, list) and not problems:
        hint = "- {from: 2026-06-20, until: 2026-08-17}"
        problems.append(Problem(name, 1, "must have a list `school_holidays:`", hint))
    for key in value if isinstance(value, Mapping) else ():
        if key != "school_holidays":
            problems.append(Problem(name, value.lines.get(key, 1), f"unknown field `{key}`"))
    found = []
    for entry in entries if isinstance(entries, list) else ():
        try:
            found.append(_read(entry, members))
        except FleetError as error:
            line = entry.line if isinstance(entry, Mapping) else None
            problems.append(Problem(name, line, error.message, error.hint))
    refuse(problems, name)
    return tuple(found)


def _read(entry: object, known: Collection[str]) -> Closed:
    if not isinstance(entry, Mapping):
        raise Malformed("is no entry", hint="{from: 2026-06-20, until: 2026-08-17}")
    for field in entry:
        if field not in _FIELDS:
            raise Malformed(f"unknown field `{field}`", hint=f"fields: {', '.join(_FIELDS)}")
    listed = entry.get("members") or []
    if not isinstance(listed, list):
        raise Malformed("`members` must be a list", hint="members: [aure, smola]")
    members = tuple(str(m) for m in listed)
    for member in members:
        if member not in known:
            hint = closest(member, known)
            raise Malformed(f"unknown member `{member}`", hint=hint)
    begin, until = (_day(entry, field) for field in ("from", "until"))
    if until <= begin:
        raise Malformed("it ends before it begins", hint="`until` is the first day of school again")
    name = entry.get("name")
    return Closed(from_=begin, until=until, members=members, name=str(name) if name else None)


def _day(entry: Mapping, field: str) -> date:
    if field not in entry:
        raise Malformed(f"`{field}` is missing")
    day = parse_moment(str(entry[field]))
    if isinstance(day, datetime):
        raise Malformed(f"`{field}` must be a date, like 2026-06-20")
    return day
