"""Taking lists over that people kept elsewhere: what they mean, and what that changes.

Nothing is guessed and nothing is dropped in silence: a row is taken, or it is a problem, or it is
told that it was left out.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pydantic import ValidationError

from fleet.core.inventory import Interface, Inventory, Link, Thing, kind_of
from fleet.core.record import to_record
from fleet.core.references import find_dangling
from fleet.flows.export import Export, plan_export
from fleet.flows.list_words import how_to_mend, meaning_of
from fleet.sources.cells import DAYS, is_nothing
from fleet.sources.files import explain
from fleet.sources.problem import Problem, refuse
from fleet.sources.schema import DeviceEntry, Entry, LinkEntry, SiteEntry
from fleet.sources.sheets import Sheet, Value
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


@dataclass(frozen=True, slots=True)
class _Row:
    """A row of a list: where it stands, its fields, and those that hold for all of the list."""

    sheet: str
    fields: Written
    given: frozenset[str]

    @property
    def line(self) -> int:
        return int(self.fields.line)


@dataclass(slots=True, kw_only=True)
class _List:
    """A list that is being read."""

    kind: str
    declared: Inventory
    words: Vocabulary
    given: Mapping[str, str]
    problems: list[Problem] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    found: list[_Row] = field(default_factory=list)

    def problem(self, row: _Row, message: str, hint: str | None = None) -> None:
        self.problems.append(Problem(row.sheet, row.line, message, hint))


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
        given: by field, what holds for what is new and of which the lists say nothing.
        credentials: that the settings name.

    Raises:
        Malformed: with every problem of them; nothing is taken then.
    """
    file = sheets[0].file if sheets else "the list"
    reading = _List(kind=kind, declared=declared, words=words, given=given)
    reading.problems += problems
    understood: list[Understood] = []
    for sheet in sheets:
        tables, rest = find_tables(sheet, words.field_of)
        reading.left_out += [*sheet.left_out, *(f"{sheet.name}, {line}" for line in rest)]
        understood += [_understand(reading, table) for table in tables]
    if not understood and not reading.problems:
        known = ", ".join(sorted(words.fields))
        hint = f"a row of heads such as: {known}; say what a head is: --map 'HEAD=FIELD'"
        reading.problems.append(Problem(file, None, f"no table of {kind} was found", hint))
    things = list(_things(reading))
    inventory = _with(declared, things)
    _check(reading, inventory, things, credentials)
    refuse(reading.problems, file)
    return Taken(
        export=plan_export(inventory, declared),
        tables=tuple(understood),
        left_out=tuple(reading.left_out),
    )


def _understand(reading: _List, table: Table) -> Understood:
    columns = {c: reading.words.field_of(head) for c, head in table.heads.items()}
    for number, cells in table.rows.items():
        before = len(reading.problems)
        row = _read_row(reading, table, columns, number, cells)
        if len(reading.problems) == before:
            reading.found.append(row)
    return Understood(
        sheet=table.sheet.name,
        title=table.title,
        heads={head: None if columns[c] == SKIP else columns[c] for c, head in table.heads.items()},
        samples={
            head: next((str(cells[c]) for cells in table.rows.values() if c in cells), "–")
            for c, head in table.heads.items()
        },
        rows=len(table.rows),
    )


def _read_row(
    reading: _List,
    table: Table,
    columns: Mapping[int, str | None],
    number: int,
    cells: Mapping[int, Value],
) -> _Row:
    """The fields of a row; what cannot be read is among the problems then."""
    fields, given = Written(number), dict(reading.given)
    if reading.kind == "devices":
        title = reading.words.value_of("role", table.title)
        given = {**({"role": title} if title else {}), **given}
    heads: dict[str, str] = {}
    row = _Row(table.sheet.label, fields, frozenset(given))
    for column, value in cells.items():
        name, head = columns[column], table.heads[column]
        if name is None or name == SKIP:
            continue
        if flaw := table.sheet.flaws.get((number, column)):
            reading.problem(row, *flaw)
        elif not is_nothing(value):
            shifted = _shifted(name, value, is_1904=table.sheet.counts_from_1904)
            _put(reading, row, name, shifted, head, heads)
    for name, text in given.items():
        if name not in fields:
            _put(reading, row, name, text, None, heads)
    said = frozenset(name for name in given if name not in heads)
    return _Row(table.sheet.label, fields, said)


def _shifted(name: str, value: Value, *, is_1904: bool) -> Value:
    """A day that is a number as it would be in a workbook that counts from 1900."""
    is_number = is_1904 and name in DAYS and isinstance(value, str) and value.isdecimal()
    return str(int(value) + 1462) if is_number and isinstance(value, str) else value


def _put(
    reading: _List,
    row: _Row,
    name: str,
    value: Value,
    head: str | None,
    heads: dict[str, str],
) -> None:
    try:
        meaning = meaning_of(reading.kind, reading.declared, reading.words, name, value)
    except ValueError as error:
        reading.problem(row, f"`{name}`: {error}", how_to_mend(name, str(value), head))
        return
    if name in row.fields and row.fields[name] != meaning:
        other, said = heads.get(name), row.fields[name]
        reading.problem(
            row,
            f"the columns {other} and {head} are both `{name}`, and say {said} and {meaning}",
            f"leave one of them out: --map '{head}={SKIP}'",
        )
        return
    row.fields[name] = meaning
    row.fields.lines[name] = row.line
    if head is not None:
        heads.setdefault(name, head)


def _things(reading: _List) -> Iterator[tuple[_Row, Thing]]:
    """What the rows say, each thing once."""
    seen: dict[str, _Row] = {}
    known = _Known.of(reading)
    for row in reading.found:
        key = known.identify(reading, row)
        if key is None:
            continue
        if key in seen:
            first = seen[key]
            if dict(first.fields) != dict(row.fields):
                where = f"row {first.line}"
                where += f" of {first.sheet}" if first.sheet != row.sheet else ""
                reading.problem(row, f"{key} stands in {where} too, and says something else")
            continue
        seen[key] = row
        yield from ((row, thing) for thing in _read(reading, key, row))


@dataclass(frozen=True, slots=True)
class _Known:
    """How what is declared may be named in a list."""

    names: Mapping[str, str]
    serials: Mapping[str, str]

    @classmethod
    def of(cls, reading: _List) -> "_Known":
        devices = reading.declared.devices
        return cls(
            {name.casefold(): name for name in devices},
            {d.serial.casefold(): n for n, d in devices.items() if d.serial and not d.retired},
        )

    def identify(self, reading: _List, row: _Row) -> str | None:
        """The key of what a row is about; None, with a problem: it says none."""
        fields = row.fields
        match reading.kind:
            case "devices":
                name = fields.get("name") or self.serials.get(fields.get("serial", "").casefold())
                key = fields["name"] = self.names.get((name or "").casefold(), name)
            case "sites":
                key = fields["slug"] = _slug_of(reading.declared, fields)
            case _:
                key = _link_of(reading.declared, fields)
        if not key:
            what = "ends" if reading.kind == "links" else "name"
            reading.problem(row, f"the row has no {what}")
        return key or None


def _slug_of(declared: Inventory, fields: Written) -> str | None:
    """The slug of a place: that of one of the same name at the same member, or a new one."""
    if slug := fields.get("slug"):
        return str(slug)
    name, member = fields.get("name"), fields.get("member")
    same = [
        slug
        for slug, site in declared.sites.items()
        if name and plain(site.name) == plain(name) and member in (None, site.member)
    ]
    return same[0] if len(same) == 1 else to_slug(name) if name else None


def _link_of(declared: Inventory, fields: Written) -> str | None:
    """The key of a link, whichever of its ends is named first."""
    if not {"a", "b"} <= fields.keys():
        return None
    if f"{fields['b']} – {fields['a']}" in declared.links:
        fields["a"], fields["b"] = fields["b"], fields["a"]
    return f"{fields['a']} – {fields['b']}"


def _read(reading: _List, key: str, row: _Row) -> Iterator[Thing]:
    form = _ENTRIES[reading.kind]
    was = reading.declared.of_kind(reading.kind[:-1]).get(key)
    values = Written(row.line)
    values.lines.update(row.fields.lines)
    # What holds for all of the list is said of what is new; what is there says it itself.
    dropped = {"mac", "member"} | (row.given if was is not None else frozenset())
    values.update({n: v for n, v in row.fields.items() if n not in dropped})
    said = tuple(values)
    if was is not None:  # what the list does not say stays
        before = to_record(was)
        required = (n for n, info in form.model_fields.items() if info.is_required())
        values.update({n: before[n] for n in required if n not in values})
    elif row.fields.get("status") == "retired":
        reading.left_out.append(f"{row.sheet}, row {row.line}: {key}, which was taken away")
        return
    member = _member_of(reading, row, key, was)
    try:
        entry: Any = form.model_validate(dict(values))
        new: Thing = next(iter(entry.things(member) if reading.kind == "sites" else entry.things()))
    except ValidationError as error:
        reading.problems += explain(row.sheet, values, key, form, error)
        return
    except ValueError as error:
        reading.problem(row, f"{key}: {error}")
        return
    yield new if was is None else replace(was, **{n: getattr(new, n) for n in said})
    if "mac" in row.fields:
        yield from _port(reading, row, key)


def _member_of(reading: _List, row: _Row, key: str, was: Thing | None) -> str:
    """Whose a site is."""
    if reading.kind != "sites":
        return ""
    own, member = getattr(was, "member", None), row.fields.get("member")
    if own is None and member is None:
        reading.problem(row, f"{key}: whose site is it?", "--set member=…")
    elif own is not None and member not in (None, own):
        hint = "is it another one? Then give it a slug of its own, in a column `slug`"
        reading.problem(row, f"{key} is a site of {own}, and here of {member}", hint)
    return str(own or member or "")


def _port(reading: _List, row: _Row, device: str) -> Iterator[Interface]:
    """The interface that has a MAC address, unless one of the device has it."""
    mac = row.fields["mac"]
    for port in reading.declared.interfaces.values():
        if port.mac == mac and not port.retired:
            if port.device != device:
                reading.problem(row, f"{device}: the MAC address {mac} is that of {port.key}")
            return
    new = Interface(device=device, name=PORT)
    yield replace(reading.declared.interfaces.get(new.key, new), mac=mac, retired=None)


def _with(declared: Inventory, things: Iterable[tuple[_Row, Thing]]) -> Inventory:
    by_kind: Mapping[str, dict[str, Any]] = {
        kind: dict(declared.of_kind(kind)) for kind in ("site", "device", "interface", "link")
    }
    for _, thing in things:
        by_kind[kind_of(thing)][thing.key] = thing
    return replace(declared, **{f"{kind}s": found for kind, found in by_kind.items()})


def _check(
    reading: _List,
    inventory: Inventory,
    things: Sequence[tuple[_Row, Thing]],
    credentials: Collection[str],
) -> None:
    kind = reading.kind[:-1]
    rows = {thing.key: row for row, thing in things if kind_of(thing) == kind}
    for dangling in find_dangling(inventory, credentials):
        if dangling.key in rows and dangling.kind == kind:
            message = f"{dangling.key}: {dangling.message}"
            reading.problem(rows[dangling.key], message, dangling.hint)
    if reading.kind == "devices":
        _check_machines(reading, inventory, rows)
    for key, row in rows.items():
        was, now = (i.of_kind(kind).get(key) for i in (reading.declared, inventory))
        if was is None or now is None or isinstance(now, Link):
            continue
        if reading.declared.member_of(was) != inventory.member_of(now):
            reading.problem(row, f"{key} would go to another member", "move its entry by hand")


def _check_machines(reading: _List, inventory: Inventory, rows: Mapping[str, _Row]) -> None:
    """A serial number or asset tag is that of one machine."""
    for name in ("serial", "asset_tag"):
        seen: dict[str, str] = {}
        for key, device in inventory.devices.items():
            value = getattr(device, name)
            if value is None or device.retired:
                continue
            other = seen.setdefault(value.casefold(), key)
            if other == key or not rows.keys() & {key, other}:
                continue
            first, second = (key, other) if key in rows else (other, key)
            swap = f"if it took its place: fleet device swap {first} {value}"
            reading.problem(
                rows[first],
                f"{first}: the {name.replace('_', ' ')} {value} is that of {second}",
                swap if name == "serial" else None,
            )
