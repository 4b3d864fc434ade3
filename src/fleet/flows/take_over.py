"""Taking lists over that people kept elsewhere: what they mean, and what that changes.

Nothing is guessed and nothing is dropped in silence: a row is taken, or it is a problem, or it is
told that it was left out.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from pydantic import ValidationError

from fleet.core.inventory import Interface, Inventory, Thing
from fleet.core.record import to_record
from fleet.core.references import find_dangling
from fleet.flows.export import Export, plan_export
from fleet.sources.cells import read_cell
from fleet.sources.files import closest, explain
from fleet.sources.problem import Problem, refuse
from fleet.sources.schema import DeviceEntry, Entry, LinkEntry, SiteEntry
from fleet.sources.sheets import Sheet
from fleet.sources.tables import Table, find_tables
from fleet.sources.vocabulary import SKIP, Vocabulary, plain, to_slug
from fleet.sources.yaml12 import Mapping as Written

_ENTRIES: Mapping[str, type[Entry]] = {
    "devices": DeviceEntry,
    "sites": SiteEntry,
    "links": LinkEntry,
}
PORT = "mgmt"  # the interface to which a MAC address in a list of machines belongs


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """How a table of a list was understood.

    Args:
        heads: head → field; None: it was left out.
        samples: head → the first that stands below it.
        rows: how many things it has.
    """

    sheet: str
    title: str
    heads: Mapping[str, str | None]
    samples: Mapping[str, str]
    rows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What a list is, and what it changes in people's files."""

    export: Export
    tables: tuple[Understood, ...]
    left_out: tuple[str, ...]


@dataclass(slots=True, kw_only=True)
class _List:
    """A list that is being read.

    Args:
        found: the fields of each thing, with the rows in which they stand.
    """

    kind: str
    file: str
    declared: Inventory
    words: Vocabulary
    given: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)
    found: list[Written] = field(default_factory=list)

    def problem(self, line: int | None, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(self.file, line, message, hint))


def take_over(
    sheets: Sequence[Sheet],
    problems: Iterable[Problem],
    kind: str,
    declared: Inventory,
    words: Vocabulary,
    given: Mapping[str, str],
    credentials: Collection[str],
) -> Taken:
    """What the lists on some sheets say, and how the declared files come to say it.

    Args:
        problems: of reading the sheets.
        kind: devices, sites or links.
        declared: what the files say now.
        given: by field, what holds for all that the lists say nothing of.
        credentials: that the settings name.

    Raises:
        Malformed: with every problem of them; nothing is taken then.
    """
    file = sheets[0].file if sheets else "the list"
    reading = _List(kind=kind, file=file, declared=declared, words=words, given=given)
    reading.problems += problems
    understood: list[Understood] = []
    left_out: list[str] = []
    for sheet in sheets:
        tables, rest = find_tables(sheet, words.field_of)
        left_out += [*sheet.left_out, *(f"{sheet.name}, {line}" for line in rest)]
        understood += [_understand(reading, table) for table in tables]
    if not understood and not reading.problems:
        known = ", ".join(sorted(words.fields))
        reading.problem(None, f"no table of {kind} was found", f"a row of heads such as: {known}")
    things = list(_things(reading))
    inventory = _with(declared, things)
    _check(reading, inventory, things, credentials)
    refuse(reading.problems, file)
    return Taken(
        export=plan_export(inventory, declared),
        tables=tuple(understood),
        left_out=tuple(left_out),
    )


def _understand(reading: _List, table: Table) -> Understood:
    heads = {head: reading.words.field_of(head) for head in table.heads.values()}
    title = reading.words.value_of("role", table.title) if reading.kind == "devices" else None
    for number, cells in table.rows.items():
        record = Written(number)
        for column, value in cells.items():
            name = heads[table.heads[column]]
            if name is None or name == SKIP or name in record:
                continue
            _put(reading, record, name, value, table.heads[column])
        for name, value in reading.given.items():
            if name not in record:
                _put(reading, record, name, value, None)
        if title and "role" not in record:
            record["role"] = title
        if number not in {problem.line for problem in reading.problems}:
            reading.found.append(record)
    meant = {head: None if name == SKIP else name for head, name in heads.items()}
    samples = {
        head: next((str(cells[c]) for cells in table.rows.values() if c in cells), "–")
        for c, head in table.heads.items()
    }
    return Understood(
        sheet=table.sheet, title=table.title, heads=meant, samples=samples, rows=len(table.rows)
    )


def _put(reading: _List, record: Written, name: str, value: str | date, head: str | None) -> None:
    try:
        record[name] = _meaning(reading, name, value)
    except ValueError as error:
        reading.problem(record.line, f"`{name}`: {error}", _how(name, str(value), head))
    record.lines[name] = record.line


def _how(name: str, word: str, head: str | None) -> str | None:
    """How a person says what a word means, or that a column is to be left out."""
    if head is None:
        return None
    skip = f"leave the column out: --map '{head}={SKIP}'"
    if name in ("role", "kind", "status", "site", "member", "owner"):
        return f"say what it is: --value '{name}:{word}=…'; or {skip}"
    return f"mend it in the list, or {skip}"


def _meaning(reading: _List, name: str, value: str | date) -> object:
    """What a word means in a field.

    Raises:
        ValueError: nobody said.
    """
    if not isinstance(value, str):
        return read_cell(name, value)
    known = reading.words.value_of(name, value)
    match name:
        case "role" | "kind" | "status":
            if known is None and not _is_role(reading, name, value):
                raise ValueError(f"what `{value}` is, is not known")
            return known or value
        case "site":
            return _site(reading.declared, known or value)
        case "member" | "owner":
            return _member(reading.declared, known or value)
        case _:
            return read_cell(name, known or value)


def _is_role(reading: _List, name: str, value: str) -> bool:
    return name == "role" and value in {d.role for d in reading.declared.devices.values()}


def _site(inventory: Inventory, text: str) -> str:
    """The slug of a site by slug, name or a path to it: `Møre > Kristiansund > Rådhuset`."""
    for part in [text, *reversed(text.split(">"))]:
        found = {
            slug
            for slug, site in inventory.sites.items()
            if not site.retired and plain(part) in (plain(slug), plain(site.name))
        }
        if len(found) == 1:
            return found.pop()
        if found:
            raise ValueError(f"`{text}` may be {' or '.join(sorted(found))}")
    close = closest(text, [*inventory.sites, *(s.name for s in inventory.sites.values())])
    raise ValueError(f"there is no site `{text}`" + (f" ({close})" if close else ""))


def _member(inventory: Inventory, text: str) -> str:
    bare = plain(text.casefold().removesuffix(" kommune"))
    for slug, member in inventory.members.items():
        if bare in (plain(slug), plain(member.name), member.number):
            return slug
    if bare == "shared":
        return bare
    raise ValueError(f"there is no member `{text}`")


def _things(reading: _List) -> Iterator[tuple[Written, Thing]]:
    """What the records say, each thing once."""
    seen: dict[str, Written] = {}
    for record in reading.found:
        key = _identify(reading, record)
        if key is None:
            continue
        if key in seen:
            if dict(seen[key]) != dict(record):
                line = seen[key].line
                reading.problem(
                    record.line, f"{key} stands in row {line} too, and says something else"
                )
            continue
        seen[key] = record
        yield from ((record, thing) for thing in _read(reading, key, record))


def _identify(reading: _List, record: Written) -> str | None:
    """The key of what a record is about; a machine is also known by its serial number."""
    match reading.kind:
        case "devices":
            serials = {d.serial: n for n, d in reading.declared.devices.items() if d.serial}
            if "name" not in record and record.get("serial") in serials:
                record["name"] = serials[record["serial"]]
            key = record.get("name")
        case "sites":
            if "slug" not in record and "name" in record:
                record["slug"] = to_slug(record["name"])
            key = record.get("slug")
        case _:
            key = f"{record.get('a')} – {record.get('b')}" if {"a", "b"} <= record.keys() else None
    if key is None:
        what = "name" if reading.kind != "links" else "ends"
        reading.problem(record.line, f"the row has no {what}")
    return key


def _read(reading: _List, key: str, record: Written) -> Iterator[Thing]:
    was = reading.declared.of_kind(reading.kind[:-1]).get(key)
    values = Written(record.line)
    values.lines.update(record.lines)
    values.update({n: v for n, v in record.items() if n not in ("mac", "member")})
    if was is not None:  # what the list does not say stays
        before = to_record(was)
        required = [
            n for n, info in _ENTRIES[reading.kind].model_fields.items() if info.is_required()
        ]
        values.update({n: before[n] for n in required if n not in values})
    try:
        entry: Any = _ENTRIES[reading.kind].model_validate(dict(values))
        if reading.kind == "sites":
            member = record.get("member") or getattr(was, "member", None)
            if member is None:
                reading.problem(record.line, f"{key}: whose site is it?", "--set member=…")
                return
            new: Thing = next(iter(entry.things(member)))
        else:
            new = next(iter(entry.things()))
    except ValidationError as error:
        reading.problems += explain(reading.file, values, key, _ENTRIES[reading.kind], error)
        return
    except ValueError as error:
        reading.problem(record.line, f"{key}: {error}")
        return
    said = {n: getattr(new, n) for n in values}
    yield new if was is None else replace(was, **said)
    if "mac" in record:
        ports = reading.declared.interfaces_by_device.get(key, ())
        if record["mac"] not in {port.mac for port in ports}:
            yield Interface(device=key, name=PORT, mac=record["mac"])


def _with(declared: Inventory, things: Iterable[tuple[Written, Thing]]) -> Inventory:
    sites, devices = dict(declared.sites), dict(declared.devices)
    interfaces, links = dict(declared.interfaces), dict(declared.links)
    by_kind: Mapping[str, dict[str, Any]] = {
        "Site": sites,
        "Device": devices,
        "Interface": interfaces,
        "Link": links,
    }
    for _, thing in things:
        by_kind[type(thing).__name__][thing.key] = thing
    return replace(declared, sites=sites, devices=devices, interfaces=interfaces, links=links)


def _check(
    reading: _List,
    inventory: Inventory,
    things: Sequence[tuple[Written, Thing]],
    credentials: Collection[str],
) -> None:
    lines = {thing.key: record.line for record, thing in things}
    for dangling in find_dangling(inventory, credentials):
        if dangling.key in lines:
            line = lines[dangling.key]
            reading.problem(line, f"{dangling.key}: {dangling.message}", dangling.hint)
    if reading.kind == "devices":
        _check_machines(reading, inventory, lines)
    for key, line in lines.items():
        kind = reading.kind[:-1]
        was, now = (i.of_kind(kind).get(key) for i in (reading.declared, inventory))
        if was is None or now is None:
            continue
        if reading.declared.member_of(was) != inventory.member_of(now):
            reading.problem(line, f"{key} would go to another member", "move its entry by hand")


def _check_machines(reading: _List, inventory: Inventory, lines: Mapping[str, int]) -> None:
    """A serial number or asset tag is that of one machine."""
    for name in ("serial", "asset_tag"):
        seen: dict[str, str] = {}
        for key, device in inventory.devices.items():
            value = getattr(device, name)
            if value is None or device.retired:
                continue
            other = seen.setdefault(value, key)
            if other != key and (key in lines or other in lines):
                first, second = (key, other) if key in lines else (other, key)
                reading.problem(
                    lines[first],
                    f"{first}: the {name.replace('_', ' ')} {value} is that of {second}",
                    f"if it took its place: fleet device swap {first} {value}"
                    if name == "serial"
                    else None,
                )
