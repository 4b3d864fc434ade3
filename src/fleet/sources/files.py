"""The declared inventory: a folder of YAML and CSV files, read and checked wholly.

inventory/members.yaml  services.yaml  contracts.yaml
inventory/<member>/sites.yaml  devices.yaml  links.yaml      (or .csv)
"""

import difflib
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fleet.core.inventory import KINDS, Inventory, Thing, kind_of
from fleet.core.references import find_dangling
from fleet.sources.problem import Problem, refuse
from fleet.sources.schema import (
    ContractEntry,
    DeviceEntry,
    Entry,
    LinkEntry,
    MemberEntry,
    ServiceEntry,
    SiteEntry,
)
from fleet.sources.table import read_table
from fleet.sources.yaml12 import Float, Integer, Mapping, read_yaml

NAME = "files"

_COMMON: dict[str, type[Entry]] = {
    "members": MemberEntry,
    "contracts": ContractEntry,
    "services": ServiceEntry,
}
# Read by those who need them.
_BESIDE = (
    "school_holidays",
    "costs",
    "indexes",
    "parties",
    "agreements",
    "models",
    "capacity",
    "courses",
    "figures",
)
_PER_MEMBER: dict[str, type[Entry]] = {
    "sites": SiteEntry,
    "devices": DeviceEntry,
    "links": LinkEntry,
}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a thing was declared."""

    file: str
    entry: Mapping

    def line(self, field_name: str | None = None) -> int:
        return self.entry.lines.get(field_name, self.entry.line)


@dataclass
class _Reading:
    """What has been read so far, and everything that is wrong with it."""

    things: dict[str, dict[str, Thing]] = field(default_factory=lambda: {k: {} for k in KINDS})
    places: dict[tuple[str, str], _Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def add(self, thing: Thing, place: _Place) -> None:
        kind, key = kind_of(thing), thing.key
        if before := self.places.get((kind, key)):
            where = f"{before.file}:{before.line()}"
            message = f"{kind} `{key}` is there twice"
            self.problems.append(
                Problem(place.file, place.line(), message, f"it is also at {where}")
            )
            return
        self.places[kind, key] = place
        self.things[kind][key] = thing


def read_files(
    folder: Path,
    root: Path,
    credentials: Collection[str],
    times: dict[tuple[str, str], int] | None = None,
) -> Inventory:
    """The declared inventory of a workspace.

    Args:
        folder: the workspace's `inventory/`.
        root: the workspace; messages show paths relative to it.
        credentials: names of the SNMP credentials in the settings.
        times: is filled with when the file of each thing was written, microseconds since 1970.

    Raises:
        Malformed: with every problem of every file.
    """
    reading = _Reading()
    members_file = folder / "members.yaml"
    if not members_file.is_file():
        name = str(members_file.relative_to(root))
        refuse([Problem(name, None, "is missing", "every inventory has its members there")])
    for section, entry in _COMMON.items():
        _read_section(reading, folder / f"{section}.yaml", root, section, entry)
    _check_file_names(reading, folder, root)
    _read_members(reading, folder, root)
    inventory = Inventory(**{f"{kind}s": things for kind, things in reading.things.items()})  # type: ignore[arg-type]  # one dict per kind
    if not reading.problems:
        _check_references(reading, inventory, credentials)
    refuse(reading.problems)
    if times is not None:
        times |= _times(reading, root)
    return inventory


def _read_members(reading: _Reading, folder: Path, root: Path) -> None:
    for member_folder in sorted(p for p in folder.iterdir() if _is_folder(p)):
        slug = member_folder.name
        if slug not in reading.things["member"] and not reading.problems:
            hint = closest(slug, reading.things["member"]) or "add it to inventory/members.yaml"
            name = str(member_folder.relative_to(root))
            reading.problems.append(Problem(name, None, f"there is no member `{slug}`", hint))
        for section, entry in _PER_MEMBER.items():
            for suffix in (".yaml", ".csv"):
                path = member_folder / f"{section}{suffix}"
                _read_section(reading, path, root, section, entry, member=slug)


def _times(reading: _Reading, root: Path) -> dict[tuple[str, str], int]:
    files = {place.file for place in reading.places.values()}
    written = {file: (root / file).stat().st_mtime_ns // 1000 for file in files}
    return {id_: written[place.file] for id_, place in reading.places.items()}


def _is_folder(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _check_file_names(reading: _Reading, folder: Path, root: Path) -> None:
    """A misspelt file would be left out in silence, and its devices retired."""
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in (".yaml", ".yml", ".csv") or any(
            part.startswith(".") for part in path.relative_to(folder).parts
        ):
            continue
        depth = len(path.relative_to(folder).parts)
        known: Collection[str] = {1: (*_COMMON, *_BESIDE), 2: (*_PER_MEMBER,)}.get(depth, ())
        if path.stem in known and path.suffix in ((".yaml", ".csv") if depth == 2 else (".yaml",)):
            continue
        expected = ", ".join(f"{name}.yaml" for name in known)
        message = "is not a file that fleet reads"
        hint = f"expected here: {expected}" if known else "only one level of folders is read"
        reading.problems.append(Problem(str(path.relative_to(root)), None, message, hint))


def _read_section(
    reading: _Reading,
    path: Path,
    root: Path,
    section: str,
    entry: type[Entry],
    *,
    member: str | None = None,
) -> None:
    if not path.is_file():
        return
    name = str(path.relative_to(root))
    if path.suffix == ".csv":
        items, problems = read_table(path, name)
    else:
        items, problems = read_list(path, name, section)
    reading.problems += problems
    for item in items:
        _read_entry(reading, name, item, entry, member)


def read_list(path: Path, name: str, section: str) -> tuple[list[Any], list[Problem]]:
    """The list of a file under its section, and what is wrong with the file's form."""
    value, problems = read_yaml(path, name)
    if value is None:
        return [], problems
    if not isinstance(value, Mapping) or not isinstance(value.get(section) or [], list):
        message = f"must have the form `{section}:` with a list of entries under it"
        return [], [*problems, Problem(name, 1, message)]
    for key in value:
        if key != section:
            message = f"unknown section `{key}`"
            problems.append(Problem(name, value.lines[key], message, f"expected: `{section}`"))
    return value.get(section) or [], problems


def _read_entry(
    reading: _Reading, name: str, item: Any, entry: type[Any], member: str | None
) -> None:
    if not isinstance(item, Mapping):
        what = "an entry is empty" if item is None else f"`{item}` is not an entry with fields"
        reading.problems.append(Problem(name, None, what, "an entry begins with `- ` and fields"))
        return
    place = _Place(name, item)
    label = item.get("slug") or item.get("name")
    try:
        found = entry.model_validate(dict(item))
        things = found.things(member) if entry is SiteEntry else found.things()
        for thing in list(things):
            reading.add(thing, place)
    except ValidationError as error:
        reading.problems += explain(name, item, label, entry, error)
    except ValueError as error:
        reading.problems.append(Problem(name, item.line, _labelled(label, str(error))))


def _labelled(label: Any, message: str) -> str:
    return f"{label}: {message}" if label else message


def explain(
    name: str, item: Mapping, label: Any, entry: type[Entry], error: ValidationError
) -> Iterator[Problem]:
    """What Pydantic found wrong with an entry, by file and line.

    Args:
        item: the entry as it was read.
        label: how messages call it.
        entry: the form that it should have.
    """
    for details in error.errors():
        line, path, parent, value = _locate(item, details["loc"])
        message, hint = _message(details, path, parent, value, entry)
        yield Problem(name, line, _labelled(label, message), hint)


def _locate(item: Mapping, location: Iterable[int | str]) -> tuple[int, str, Any, Any]:
    """The line of a field, its name, the mapping that it is in, and its value."""
    line: int = item.line
    parent: Any = item
    value: Any = item
    names = []
    for part in location:
        parent = value if isinstance(value, Mapping) else parent
        if isinstance(value, Mapping):
            names.append(str(part))
            line = value.lines.get(part, value.line)
            value = value.get(part)
        elif isinstance(value, list) and isinstance(part, int) and part < len(value):
            value = value[part]
            line = getattr(value, "line", line)
    return line, ".".join(names), parent, value


def _message(
    details: Any, path: str, parent: Any, value: Any, entry: type[Entry]
) -> tuple[str, str | None]:
    last = str(details["loc"][-1]) if details["loc"] else ""
    kind = details["type"]
    context = details.get("ctx", {})
    if kind == "extra_forbidden":
        known = _field_names(entry) if len(details["loc"]) == 1 else []
        return f"unknown field `{path}`", closest(last, [k for k in known if k not in parent])
    if kind == "invalid_key":
        return f"`{path}` is no field", "a number has a point, not a comma: 6.5"
    if kind == "missing":
        return f"the field `{path}` is missing", None
    if kind == "string_type" and isinstance(value, Integer | Float):
        return f"`{path}` must be text", f'put it in quotes: {last}: "{value.written}"'
    if kind == "enum":
        return f"`{path}` cannot be `{value}`", f"one of {context.get('expected')}"
    if kind == "fleet":
        return f"`{path}`: {details['msg']}", context.get("hint")
    return f"`{path}`: {details['msg'].removeprefix('Value error, ')}", None


def _field_names(entry: type[Entry]) -> list[str]:
    return [info.alias or name for name, info in entry.model_fields.items()]


def closest(name: str, known: Iterable[str]) -> str | None:
    """A hint that names what is spelt most like `name`."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"did you mean `{close[0]}`?" if close else None


def _check_references(
    reading: _Reading, inventory: Inventory, credentials: Collection[str]
) -> None:
    for dangling in find_dangling(inventory, credentials):
        place = reading.places[dangling.kind, dangling.key]
        message = _labelled(dangling.key, dangling.message)
        reading.problems.append(
            Problem(place.file, place.line(dangling.field), message, dangling.hint)
        )
    seen: dict[frozenset[str], str] = {}
    for key, link in inventory.links.items():
        ends = frozenset((link.a, link.b))
        if before := seen.get(ends):
            place, first = reading.places["link", key], reading.places["link", before]
            hint = f"it is also at {first.file}:{first.line()}, from the other end"
            reading.problems.append(
                Problem(place.file, place.line(), f"link `{key}` is there twice", hint)
            )
        seen[ends] = key
