"""What was seen on a device before a change, and how it differs from what is wanted."""

import difflib
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fleet.core.desired import Desired, File
from fleet.core.secrets import MARK, filled, masked, parse_reference

Values = Mapping[str, str | None]


class Kind(StrEnum):
    """What stands at a path."""

    FILE = "file"
    ABSENT = "absent"
    LINK = "link"
    OTHER = "other"
    DENIED = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What stands at one path of a machine; `data` of a link is where it points to."""

    kind: Kind
    mode: str = ""
    owner: str = ""
    group: str = ""
    data: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One device as it was read; `error` says why it could not be."""

    device: str
    files: Mapping[str, Seen] = field(default_factory=dict)
    config: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """How one baseline differs on one device.

    Args:
        text: a unified difference, secrets by name only; empty: nothing differs.
        state: tells what was seen from anything else that could have been.
    """

    device: str
    baseline: str
    text: str
    state: str

    @property
    def is_needed(self) -> bool:
        return bool(self.text)


def compare_files(wanted: Desired, seen: Observed, values: Values, *, owners: bool) -> Difference:
    """How a machine's files differ from what is wanted.

    Args:
        values: secrets by reference; what differs only in a secret that is not to be had
            counts as different.
        owners: whether owner and group matter.
    """
    parts, states = [], []
    for file in wanted.files:
        found = seen.files.get(file.path, Seen(kind=Kind.ABSENT))
        states.append(_state(file, found, values))
        if not _is_right(file, found, values, owners=owners):
            parts.append(_diff_file(file, found, values))
    state = hashlib.sha256("\n".join(states).encode()).hexdigest()
    return Difference(
        device=wanted.device, baseline=wanted.baseline, text="".join(parts), state=state
    )


def _is_right(file: File, found: Seen, values: Values, *, owners: bool) -> bool:
    if file.content is None:
        return found.kind is Kind.ABSENT
    content = filled(file.content, values)
    if found.kind is not Kind.FILE or content is None or found.data != content.encode():
        return False
    is_owned = not owners or (found.owner, found.group) == (file.owner, file.group)
    return is_owned and int(found.mode or "0", 8) == int(file.mode, 8)


def _state(file: File, found: Seen, values: Values) -> str:
    """What was seen, not to be turned back: keyed with the secrets that belong there."""
    key = "".join(values.get(r) or "" for r in MARK.findall(file.content or "")) or "-"
    data = b"\0".join(
        s.encode() for s in (file.path, found.kind, found.mode, found.owner, found.group)
    )
    return hmac.new(key.encode(), data + b"\0" + found.data, "sha256").hexdigest()


def _diff_file(file: File, found: Seen, values: Values) -> str:
    new = masked(file.content) if file.content is not None else ""
    has_secret = MARK.search(file.content or "") is not None
    old = found.data.decode("utf-8", "replace") if found.kind is Kind.FILE else ""
    if has_secret:
        old = hide_like(file.content or "", old, values)
    lines = list(
        difflib.unified_diff(
            old.splitlines(keepends=True),
            new.splitlines(keepends=True),
            fromfile=file.path if found.kind is Kind.FILE else "/dev/null",
            tofile=file.path if file.content is not None else "/dev/null",
        )
    )
    text = "".join(line if line.endswith("\n") else line + "\n" for line in lines)
    return text + "".join(f"# {file.path}: {note}\n" for note in _notes(file, found, bool(text)))


def _notes(file: File, found: Seen, has_text: bool) -> list[str]:
    """What a difference of lines does not show."""
    match found.kind:
        case Kind.LINK:
            return [f"is a symbolic link to {found.data.decode('utf-8', 'replace')}"]
        case Kind.OTHER:
            return ["is a folder or a special file"]
        case Kind.DENIED:
            return ["could not be read"]
        case Kind.ABSENT:
            return []
    notes = []
    if file.content is not None and int(found.mode or "0", 8) != int(file.mode, 8):
        notes.append(f"mode {int(found.mode, 8):04o} → {int(file.mode, 8):04o}")
    if file.content is not None and (found.owner, found.group) != (file.owner, file.group):
        notes.append(f"owner {found.owner}:{found.group} → {file.owner}:{file.group}")
    return notes if notes or has_text else ["a secret in it differs"]


def hide_like(wanted: str, old: str, values: Values) -> str:
    """An old text as it may be shown, where the wanted one holds secrets.

    A line that looks like a wanted one but for the secret is shown with the secret's name; of
    others that no wanted line equals, only that they are there.
    """
    known = set(masked(wanted).splitlines())
    patterns = []
    for line in wanted.splitlines():
        if MARK.search(line):
            parts = MARK.split(line)
            texts, references = parts[::2], parts[1::2]
            pattern = re.escape(texts[0])
            for text in texts[1:]:
                pattern += r"(\S+)" + re.escape(text)
            patterns.append((re.compile(pattern), line, references))
    return "\n".join(_shown_line(line, known, patterns, values) for line in old.split("\n"))


def _shown_line(
    line: str,
    known: set[str],
    patterns: list[tuple[re.Pattern[str], str, list[str]]],
    values: Values,
) -> str:
    for pattern, wanted, references in patterns:
        if found := pattern.fullmatch(line):
            is_same = all(
                values.get(r) == v for r, v in zip(references, found.groups(), strict=True)
            )
            shown = masked(wanted)
            if is_same:
                return shown
            labels = [parse_reference(r).label for r in references]
            return shown.replace(labels[0], f"<another {labels[0].removeprefix('<')}")
    return line if line in known or not line.strip() else "<a line that may hold a secret>"
