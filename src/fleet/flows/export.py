"""Writing the joint inventory out: into people's files with their comments kept, or as lists."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fleet.core.inventory import KINDS, Device, Interface, Inventory, Link, Site, Thing, kind_of
from fleet.core.record import Json, Record, defaults, to_record
from fleet.errors import Malformed
from fleet.sources.append import all_or_none, append_text, write_whole
from fleet.sources.edit import Edit, edit_csv, edit_yaml

Place = tuple[str, str]
"""The folder of a member (or "" for the common files) and the section of a file."""

_COMMON = ("members", "contracts", "services")


@dataclass(frozen=True, slots=True, kw_only=True)
class Export:
    """What is written where.

    Args:
        edits: of entries that are there.
        entries: that are new.
        by_hand: what only a person can do, and why.
    """

    edits: Mapping[Place, Sequence[Edit]]
    entries: Mapping[Place, Sequence[Record]]
    by_hand: tuple[tuple[str, str], ...] = ()

    @property
    def is_empty(self) -> bool:
        return not self.edits and not self.entries


def plan_export(inventory: Inventory, declared: Inventory) -> Export:
    """How the declared files come to say what the joint inventory has.

    Args:
        declared: what they say now; empty for new ones.
    """
    edits: dict[Place, dict[tuple[str, ...], Edit]] = {}
    entries: dict[Place, list[Record]] = {}
    by_hand: list[tuple[str, str]] = []
    is_new = declared == Inventory()
    for kind in KINDS:
        for key, thing in inventory.of_kind(kind).items():
            was = declared.of_kind(kind).get(key)
            if isinstance(thing, Interface):
                continue
            if was is None:
                # What is declared as retired is history; a copy of all has it too.
                if not thing.retired or (is_new and isinstance(thing, Device)):
                    place = _place(inventory, thing)
                    entries.setdefault(place, []).append(_entry(inventory, thing))
                continue
            if thing.retired and not isinstance(thing, Device):
                by_hand.append((f"{kind} {key}", "is retired, and still declared: take it out"))
                continue
            edit = _edit(inventory, declared, thing, was)
            if edit.fields or edit.ports:
                edits.setdefault(_place(declared, was), {})[edit.key] = edit
    return Export(
        edits={place: list(found.values()) for place, found in edits.items()},
        entries=entries,
        by_hand=tuple(by_hand),
    )


def _place(inventory: Inventory, thing: Thing) -> Place:
    section = f"{kind_of(thing)}s"
    if section in _COMMON:
        return "", section
    return inventory.member_of(thing) or "", section


def _values(thing: Thing) -> Record:
    """The fields of a thing as its entry has them: what is as it is anyway is left out."""
    empty = defaults(type(thing))
    left_out = {"retired"} | ({"member"} if isinstance(thing, Site) else set())
    return {
        name: _without_none(value)
        for name, value in to_record(thing).items()
        if name not in left_out and value != empty.get(name)
    }


def _without_none(value: Json) -> Json:
    match value:
        case dict():
            return {name: _without_none(v) for name, v in value.items() if v is not None}
        case list():
            return [_without_none(item) for item in value]
        case _:
            return value


def _entry(inventory: Inventory, thing: Thing) -> Record:
    entry = _values(thing)
    ports = _ports(inventory, thing.name) if isinstance(thing, Device) else {}
    if ports:
        entry["interfaces"] = [{"name": name, **values} for name, values in ports.items()]
    return entry


def _ports(inventory: Inventory, device: str) -> dict[str, Record]:
    return {
        port.name: {n: v for n, v in _values(port).items() if n not in ("device", "name")}
        for port in inventory.interfaces_by_device.get(device, ())
        if not port.retired
    }


def _edit(inventory: Inventory, declared: Inventory, thing: Thing, was: Thing) -> Edit:
    new, old = _values(thing), _values(was)
    whole = to_record(thing)  # what is left out says its default where it said something else
    fields = {
        name: _without_none(whole[name])
        for name in dict.fromkeys([*new, *old])
        if new.get(name) != old.get(name)
    }
    key = (thing.a, thing.b) if isinstance(thing, Link) else (thing.key,)
    ports: dict[str, Record] = {}
    if isinstance(thing, Device) and not thing.retired:
        before = _ports(declared, thing.name)
        for name, values in _ports(inventory, thing.name).items():
            had = before.get(name)
            changed = {
                n: values.get(n)
                for n in (*values, *(had or {}))
                if had is None or values.get(n) != had.get(n)
            }
            if changed or had is None:
                ports[name] = changed
    return Edit(key=key, fields=fields, ports=ports)


def write_export(made: Export, folder: Path, check: Callable[[], object]) -> list[Path]:
    """Write it; if the inventory cannot be read any more, all files are put back.

    Args:
        folder: `inventory/` of a workspace, or a new folder.
        check: reads all of it.

    Raises:
        Malformed: a file has a form in which something cannot be written.
    """
    places = {place: _file(folder, place) for place in sorted({*made.edits, *made.entries})}
    with all_or_none(places.values()):
        for place, path in places.items():
            _write(path, place[1], made.edits.get(place, ()), made.entries.get(place, ()))
        check()
    return list(places.values())


def _file(folder: Path, place: Place) -> Path:
    member, section = place
    table = folder / member / f"{section}.csv"
    return table if table.exists() else folder / member / f"{section}.yaml"


def _write(path: Path, section: str, edits: Sequence[Edit], entries: Sequence[Record]) -> None:
    """Change a file in one go: who is killed leaves it as it was, or as it is to be."""
    octets = path.read_bytes() if path.exists() else b""
    mark = b"\xef\xbb\xbf" if octets.startswith(b"\xef\xbb\xbf") else b""
    try:
        text = octets[len(mark) :].decode()
    except UnicodeDecodeError as error:
        raise Malformed(f"{path.name} is not UTF-8", hint="save it as UTF-8") from error
    if edits:
        edit = edit_csv if path.suffix == ".csv" else edit_yaml
        text = edit(path.name, text, section, edits)
    if entries:
        text = append_text(path.name, text, section, entries)
    write_whole(path, mark + text.encode())
