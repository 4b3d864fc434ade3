"""Secrets by reference: marks that stand for them in texts, and looking for what leaked.

A template says `secret("env:NAME")`, and what is rendered has a mark in its place. The value is
put in only where a text is compared with what a device has, never in what is written down.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

_OPEN, _CLOSE = "\ue000", "\ue001"
MARK = re.compile(f"{_OPEN}([^{_OPEN}{_CLOSE}]+){_CLOSE}")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SHORTEST = 4  # a shorter value is found by chance


@dataclass(frozen=True, slots=True)
class Reference:
    """Where a secret is: `env:NAME`, `file:PATH`, `vault:PATH#KEY` or `sops:PATH#KEY`."""

    kind: str
    place: str
    key: str | None = None

    def __str__(self) -> str:
        return f"{self.kind}:{self.place}" + (f"#{self.key}" if self.key else "")

    @property
    def label(self) -> str:
        """How it is shown to people."""
        return f"<secret {self.place}{'#' + self.key if self.key else ''}>"


def parse_reference(text: str) -> Reference:
    """A reference as it is written; a bare name in capitals is an environment variable.

    Raises:
        ValueError: it is none of the four.
    """
    kind, colon, rest = text.partition(":")
    if not colon:
        if not re.fullmatch("[A-Z_][A-Z0-9_]*", text):
            # It is not shown: somebody may have written the secret itself.
            raise ValueError(
                "a reference to a secret is env:NAME, file:PATH, vault:PATH#KEY or sops:PATH#KEY"
            )
        kind, rest = "env", text
    place, _, key = rest.partition("#")
    is_name = _NAME.fullmatch(place) is not None
    is_path = bool(place) and not re.search(r"[\s'\"{}\\]|\.\./", place) and place[0] != "/"
    is_key = _NAME.fullmatch(key) is not None
    fits = {
        "env": is_name and not key,
        "file": is_path and not key,
        "vault": is_path and is_key,
        "sops": is_path and is_key,
    }
    if not fits.get(kind, False):
        raise ValueError(
            f"`{text}` is no reference to a secret: env:NAME, file:PATH, vault:PATH#KEY or "
            "sops:PATH#KEY, with paths below the workspace"
        )
    return Reference(kind, place, key or None)


def mark_of(reference: str) -> str:
    """What stands in a rendered text for a secret."""
    return f"{_OPEN}{parse_reference(reference)}{_CLOSE}"


def has_mark(text: str) -> bool:
    return _OPEN in text or _CLOSE in text


def references_in(texts: Iterable[str]) -> set[str]:
    """The references of all marks in some texts."""
    return {match for text in texts if _OPEN in text for match in MARK.findall(text)}


def filled(text: str, values: Mapping[str, str | None]) -> str | None:
    """The text with the secrets in it; None if one of them is not to be had."""
    if _OPEN not in text:
        return text
    if any(values.get(reference) is None for reference in MARK.findall(text)):
        return None
    return MARK.sub(lambda m: values[m[1]] or "", text)


def masked(text: str) -> str:
    """The text as it is shown: a name in the place of each secret."""
    return MARK.sub(lambda m: parse_reference(m[1]).label, text)


def replaced(text: str, lookup: Callable[[Reference], str]) -> str:
    """The text with something else in the place of each mark."""
    return MARK.sub(lambda m: lookup(parse_reference(m[1])), text)


def find_leak(text: str, values: Mapping[str, str]) -> str | None:
    """The name of a secret whose value stands in a text; None: there is none.

    Args:
        values: name → value; values of fewer than 4 characters are not looked for.
    """
    for name, value in values.items():
        if len(value) >= _SHORTEST and value in text:
            return name
    return None


def hide(text: str, values: Mapping[str, str]) -> str:
    """The text with known secrets replaced by their names."""
    for name, value in sorted(values.items(), key=lambda item: -len(item[1])):
        if len(value) >= _SHORTEST:
            text = text.replace(value, f"<secret {name}>")
    return text
