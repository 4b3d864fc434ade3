"""Changing fields in people's files: every octet that is not the value itself stays as it is.

YAML is composed into nodes only to learn where in the text each value stands; the text is then
changed there, from its end to its beginning. In CSV only the rows that change are written anew.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from fleet.errors import Malformed
from fleet.sources.append import scalar

Key = tuple[str, ...]
"""The values of the fields that tell an entry from the others of its section."""

KEYS: Mapping[str, tuple[str, ...]] = {
    "members": ("slug",),
    "contracts": ("slug",),
    "services": ("slug",),
    "sites": ("slug",),
    "devices": ("name",),
    "links": ("a", "b"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """What changes in one entry.

    Args:
        fields: new values; None: it says nothing there any more.
        ports: of a device, by the names of its interfaces: new values; all of a new one.
    """

    key: Key
    fields: Mapping[str, Any] = field(default_factory=dict)
    ports: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def edit_yaml(name: str, text: str, section: str, edits: Sequence[Edit]) -> str:
    """The text with the values changed.

    Raises:
        Malformed: an entry is not there, or a value stands where it cannot be changed alone.
    """
    editing = _Editing(name, text)
    entries = editing.entries(section)
    for edit in edits:
        node = entries.get(edit.key)
        if node is None:
            raise Malformed(f"{name}: there is no entry {' – '.join(edit.key)}")
        for field_name, value in edit.fields.items():
            editing.put(node, field_name, value)
        if edit.ports:
            editing.put_ports(node, edit.ports)
    return editing.result()


class _Editing:
    def __init__(self, name: str, text: str) -> None:
        self._name = name
        self._text = text
        self._newline = "\r\n" if "\r\n" in text else "\n"
        self._changes: list[tuple[int, int, str]] = []

    def entries(self, section: str) -> dict[Key, yaml.MappingNode]:
        """The entries of a section by their keys."""
        try:
            document = yaml.compose(self._text, Loader=yaml.SafeLoader)
        except yaml.YAMLError as error:
            raise Malformed(
                f"{self._name} is not YAML", hint="fleet sync --plan says where"
            ) from error
        found = {}
        sections = _fields(document) if isinstance(document, yaml.MappingNode) else {}
        node = sections.get(section)
        for entry in node.value if isinstance(node, yaml.SequenceNode) else ():
            if isinstance(entry, yaml.MappingNode):
                fields = _fields(entry)
                key = tuple(str(fields[n].value) for n in KEYS[section] if n in fields)
                found[key] = entry
        return found

    def put(self, entry: yaml.MappingNode, name: str, value: Any) -> None:
        """Change one field, or add it behind the others."""
        node = _fields(entry).get(name)
        if node is None:
            if value is not None:
                self._add(entry, name, value)
        elif isinstance(node, yaml.ScalarNode) and node.style not in ("|", ">"):
            begin, end = node.start_mark.index, node.end_mark.index
            gap = " " if begin == end else ""  # `serial:` with nothing behind it
            self._changes.append((begin, end, gap + _written(value, node.style)))
        elif isinstance(node, yaml.CollectionNode) and node.flow_style:
            self._changes.append((node.start_mark.index, node.end_mark.index, scalar(value)))
        else:
            line = node.start_mark.line + 1
            raise Malformed(
                f"{self._name}:{line}: `{name}` is written over several lines",
                hint=f"change it by hand to: {name}: {scalar(value)}",
            )

    def _add(self, entry: yaml.MappingNode, name: str, value: Any) -> None:
        first = entry.value[0][0]
        label = f'"{name}"' if first.style == '"' else name
        if entry.flow_style:
            end = entry.value[-1][1].end_mark.index
            self._changes.append((end, end, f", {label}: {_written(value, first.style)}"))
            return
        # Behind the last field that stands on one line: what is below it may be a list.
        single = [v for _, v in entry.value if isinstance(v, yaml.ScalarNode)]
        at = self._text.find("\n", single[-1].end_mark.index) + 1
        line = f"{' ' * first.start_mark.column}{label}: {scalar(value)}{self._newline}"
        if at == 0:
            at, line = len(self._text), self._newline + line
        self._changes.append((at, at, line))

    def put_ports(self, entry: yaml.MappingNode, ports: Mapping[str, Mapping[str, Any]]) -> None:
        """Change the interfaces of a device, or add them."""
        node = _fields(entry).get("interfaces")
        if not isinstance(node, yaml.SequenceNode):
            new = [{"name": name, **values} for name, values in ports.items()]
            self._add(entry, "interfaces", new)
            return
        there = {_fields(p)["name"].value: p for p in node.value if "name" in _fields(p)}
        for name, values in ports.items():
            if name in there:
                for field_name, value in values.items():
                    self.put(there[name], field_name, value)
        new = [{"name": name, **values} for name, values in ports.items() if name not in there]
        if not new:
            return
        last = node.value[-1] if node.value else None
        if node.flow_style or last is None:
            end = last.end_mark.index if last is not None else node.end_mark.index - 1
            text = ", ".join(scalar(port) for port in new)
            self._changes.append((end, end, f", {text}" if last is not None else text))
            return
        at = self._text.rfind("\n", 0, last.end_mark.index) + 1
        at = at if not last.flow_style else self._text.find("\n", last.end_mark.index) + 1
        indent = " " * node.start_mark.column
        lines = "".join(f"{indent}- {scalar(port)}{self._newline}" for port in new)
        if at == 0:
            at, lines = len(self._text), self._newline + lines
        self._changes.append((at, at, lines))

    def result(self) -> str:
        text = self._text
        for begin, end, new in sorted(self._changes, key=lambda c: c[0], reverse=True):
            text = text[:begin] + new + text[end:]
        return text


def _written(value: Any, style: str | None) -> str:
    """A value as those around it are written: in double quotes, as JSON wants, or plain."""
    return json.dumps(value, ensure_ascii=False) if style == '"' else scalar(value)


def _fields(node: yaml.MappingNode) -> dict[str, Any]:
    return {key.value: value for key, value in node.value}


def edit_csv(name: str, text: str, section: str, edits: Sequence[Edit]) -> str:
    """The text with the cells changed; rows that do not change stay as they are.

    Raises:
        Malformed: an entry is not there, a column is missing, or a cell cannot hold the value.
    """
    head = text.partition("\n")[0]
    delimiter = ";" if head.count(";") > head.count(",") else ","
    lines = text.splitlines(keepends=True)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    heads = [h.strip() for h in next(reader, [])]
    wanted = {edit.key: edit for edit in edits}
    parts, before = lines[: reader.line_num], reader.line_num
    for cells in reader:
        written = "".join(lines[before : reader.line_num])
        before = reader.line_num
        row = dict(zip(heads, (c.strip() for c in cells), strict=False))
        edit = wanted.pop(tuple(row.get(n, "") for n in KEYS[section]), None)
        parts.append(
            written if edit is None else _row(name, heads, cells, edit, delimiter, written)
        )
    if wanted:
        raise Malformed(f"{name}: there is no entry {' – '.join(next(iter(wanted)))}")
    return "".join(parts)


def _row(
    name: str, heads: Sequence[str], cells: Sequence[str], edit: Edit, delimiter: str, written: str
) -> str:
    missing = sorted(edit.fields.keys() - set(heads))
    if missing or edit.ports:
        what = missing[0] if missing else "interfaces"
        hint = "add the column head" if missing else "ports need a devices.yaml"
        raise Malformed(f"{name} has no column {what}", hint=hint)
    row = [*cells, *([""] * (len(heads) - len(cells)))]
    for field_name, value in edit.fields.items():
        row[heads.index(field_name)] = "" if value is None else str(value)
    out = io.StringIO()
    ending = "\r\n" if written.endswith("\r\n") else "\n" if written.endswith("\n") else ""
    csv.writer(out, delimiter=delimiter, lineterminator=ending).writerow(row)
    return out.getvalue()
