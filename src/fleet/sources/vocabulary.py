"""What the heads and words of people's lists mean: built in, of another system, and their own.

Heads and words are compared without case, blanks and signs. What a workspace says in
`mappings/NAME.yaml` goes before what the other system calls things, and that before what is usual.
"""

import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from fleet.core.lookup import nfc
from fleet.errors import Malformed, NotFound
from fleet.sources.append import write_whole
from fleet.sources.yaml12 import read_yaml

KINDS = ("devices", "sites", "links")
SYSTEMS = ("librenms", "netbox", "glpi", "snipe-it")
SKIP = "skip"  # what a head that is known, and left out, is mapped to
_FOLDER = Path(__file__).parent / "vocabulary"


def plain(text: str) -> str:
    """A head or word as it is compared: `Serie-nr.:` and `serie nr` are the same."""
    return " ".join(re.sub(r"[\W_]+", " ", nfc(text).casefold()).split())


class Mapped(BaseModel):
    """A mapping that a workspace keeps: what its own lists mean.

    Args:
        heads: head → field, or `skip`.
        values: field → word → value.
        set: field → value, for what a list does not say.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kind: str
    system: str | None = None
    heads: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    set: dict[str, str] = {}


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """What heads and words mean in a list of one kind of thing.

    Args:
        heads: by their plain form, fields.
        values: by field, and the plain form of words, values.
        fields: all that the kind has.
    """

    fields: frozenset[str]
    heads: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def field_of(self, head: str) -> str | None:
        """The field that a head means, `skip`, or None if it is not known."""
        known = self.heads.get(plain(head))
        return known or (head.strip() if head.strip() in self.fields else None)

    def value_of(self, name: str, word: str) -> str | None:
        """The value that a word means in a field, if it is known."""
        known = self.values.get(name, {})
        bare = re.sub(r"\(.*?\)", "", word)
        return known.get(plain(word)) or known.get(plain(bare))


def vocabulary_of(kind: str, mapped: Mapped) -> Vocabulary:
    """What is known of lists of a kind.

    Raises:
        NotFound: there is no such system.
        Malformed: the workspace's own mapping names a field that there is not.
    """
    if mapped.system is not None and mapped.system not in SYSTEMS:
        raise NotFound(f"no lists of `{mapped.system}` are known", hint=", ".join(SYSTEMS))
    known = _built_in("common")[kind]
    fields = frozenset(known["heads"])
    heads: dict[str, str] = {}
    values: dict[str, dict[str, str]] = {}
    parts = [known]
    if mapped.system is not None:
        parts.append(_built_in(mapped.system).get(kind, {}))
    for part in parts:
        heads |= {plain(h): name for name, found in part.get("heads", {}).items() for h in found}
        for name, words in part.get("values", {}).items():
            mine = values.setdefault(name, {})
            mine |= {plain(word): value for value, found in words.items() for word in found}
            mine |= {plain(value): value for value in words}
    for name in {*mapped.heads.values(), *mapped.values, *mapped.set} - {SKIP}:
        if name not in fields:
            raise Malformed(f"{kind} have no field `{name}`", hint=", ".join(sorted(fields)))
    heads |= {plain(head): name for head, name in mapped.heads.items()}
    for name, own in mapped.values.items():
        values.setdefault(name, {}).update({plain(word): value for word, value in own.items()})
    return Vocabulary(fields, heads, values)


@cache
def _built_in(name: str) -> dict[str, Any]:
    return tomllib.loads((_FOLDER / f"{name}.toml").read_text(encoding="utf-8"))


def read_mapping(path: Path, kind: str) -> Mapped:
    """What a workspace keeps of lists that it took over before; nothing if it has no such file.

    Raises:
        Malformed: it says something else than a mapping does, or is one of another kind.
    """
    if not path.is_file():
        return Mapped(kind=kind)
    document, problems = read_yaml(path, path.name)
    if problems:
        raise Malformed("\n".join(map(str, problems)))
    try:
        mapped = Mapped.model_validate(document)
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise Malformed(f"{path.name}: `{place}`: {first['msg']}") from error
    if mapped.kind != kind:
        raise Malformed(f"{path.name} is for {mapped.kind}", hint="give --mapping another name")
    return mapped


def write_mapping(path: Path, mapped: Mapped) -> bool:
    """Keep a mapping, for the next list like this; whether it says something else now."""
    head = "# What the heads and words of a list mean: field names of inventory/, or skip.\n"
    values = mapped.model_dump(exclude_none=True, exclude_defaults=True)
    text = yaml.safe_dump(values, allow_unicode=True, sort_keys=False)
    octets = (head + text).encode()
    if path.is_file() and path.read_bytes() == octets:
        return False
    write_whole(path, octets)
    return True


def to_slug(text: str) -> str:
    """`Kristiansund rådhus` → `kristiansund-radhus`."""
    text = nfc(text).casefold()
    for letter, plain_ in (("æ", "ae"), ("ø", "o"), ("å", "a"), ("ß", "ss")):
        text = text.replace(letter, plain_)
    bare = "".join(c for c in unicodedata.normalize("NFD", text) if not unicodedata.combining(c))
    return re.sub(r"[^a-z0-9]+", "-", bare).strip("-")
