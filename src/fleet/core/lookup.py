"""The keys by which a person may ask for a thing, and how a question is compared with them."""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fleet.core.inventory import (
    Contract,
    Device,
    Interface,
    Inventory,
    Link,
    Member,
    Service,
    Site,
    Thing,
    kind_of,
)


@dataclass(frozen=True, slots=True)
class Key:
    """One thing under one of its keys; `normal` is the form in which keys are compared."""

    kind: str
    name: str
    member: str | None
    site: str | None
    field: str
    value: str
    normal: str
    source: str = "inventory"

    @property
    def is_device(self) -> bool:
        """Whether it tells one machine from others: a room or a contract does not."""
        names_it = self.field in ("name", "serial", "asset_tag", "address", "system_name")
        return (self.kind == "device" and names_it) or self.field == "mac"


_FIELDS: dict[type[Thing], tuple[str, ...]] = {
    Member: ("slug", "name", "number"),
    Site: ("slug", "name", "address"),
    Device: ("name", "address", "serial", "asset_tag", "room", "rack", "contract"),
    Interface: ("mac", "address", "description"),
    Link: ("circuit_id", "provider"),
    Service: ("slug", "name"),
    Contract: ("slug", "supplier"),
}


def find_keys(inventory: Inventory) -> set[Key]:
    """Every key of everything that is not retired."""
    return {key for thing in inventory if not thing.retired for key in _keys(inventory, thing)}


def _keys(inventory: Inventory, thing: Thing) -> Iterator[Key]:
    member, site = inventory.member_of(thing), inventory.site_of(thing)
    for field in _FIELDS[type(thing)]:
        if value := getattr(thing, field):
            normal = _normal(thing, field, value)
            yield Key(kind_of(thing), thing.key, member, site, field, value, normal)
    if isinstance(thing, Member):
        yield from _earlier_keys(thing)


_LASTING: dict[str, tuple[str, ...]] = {
    "site": ("name", "address"),
    "device": ("serial", "asset_tag"),
    "interface": ("mac",),
    "link": ("circuit_id",),
    "service": ("name",),
}


def find_earlier_keys(
    inventory: Inventory,
    before: Iterable[Key],
    changes: Iterable[tuple[str, str, Mapping[str, Any]]],
) -> set[Key]:
    """What things that are there were also known by: it still stands on papers and old labels.

    Args:
        inventory: as it is.
        before: such keys as they were kept until now.
        changes: since then: kind, key, and by field what was there and what is there.
    """
    olds = {(key.kind, key.name, key.field.removeprefix(_EARLIER), key.value) for key in before}
    olds |= {
        (kind, name, field, fields[field][0])
        for kind, name, fields in changes
        for field in fields.keys() & _LASTING.get(kind, ())
        if fields[field][0]
    }
    found = set()
    for kind, name, field, old in olds:
        thing = inventory.of_kind(kind).get(name)
        if thing is None or thing.retired or getattr(thing, field) == old:
            continue
        member, site = inventory.member_of(thing), inventory.site_of(thing)
        normal = _normal(thing, field, old)
        found.add(Key(kind, name, member, site, _EARLIER + field, old, normal, "history"))
    return found


_EARLIER = "earlier_"


def _earlier_keys(member: Member) -> Iterator[Key]:
    """What a member was called and numbered before: it still stands on old papers."""
    slug = member.slug
    for before in member.earlier:
        for field, old in (("earlier_name", before.name), ("earlier_number", before.number)):
            if old:
                yield Key("member", slug, slug, None, field, old, normalise(old))


def _normal(thing: Thing, field: str, value: str) -> str:
    if field == "mac":
        return hex_digits(value)
    if field == "address" and isinstance(thing, Interface):
        return normalise(value.partition("/")[0])
    return normalise(value)


def normalise(text: str) -> str:
    """The text as compared: NFC, without case, blanks at the ends gone."""
    return nfc(text).strip().casefold()[:_LONGEST]


_LETTERS = "abcdefghijklmnopqrstuvwxyzæøåäö0123456789-. _/"


def misspellings(text: str) -> set[str]:
    """What `text` may have been before one letter was left out, doubled, swapped or mistaken."""
    halves = [(text[:at], text[at:]) for at in range(len(text) + 1)]
    found = {a + b[1:] for a, b in halves if b}
    found |= {a + b[1] + b[0] + b[2:] for a, b in halves if len(b) > 1}
    found |= {a + letter + b[1:] for a, b in halves if b for letter in _LETTERS}
    found |= {a + letter + b for a, b in halves for letter in _LETTERS}
    return found - {text}


_LONGEST = 200  # characters: an index has its limits, and nobody types more


def readable(text: str) -> str:
    """What somebody typed or scanned, without what is no letter: noise of a scanner, bad octets."""
    clean = text.encode("utf-8", "replace").decode()
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) == "Cc" else c for c in clean
    )


def nfc(text: str) -> str:
    """The text in the form in which the inventory has it."""
    return unicodedata.normalize("NFC", text)


def hex_digits(mac: str) -> str:
    """A MAC address (or a part of one) in any notation as bare lower-case hex digits."""
    return re.sub(r"[^0-9a-f]", "", mac.lower())


_HEX = r"[0-9a-f]"
_MAC = re.compile(
    rf"(0x)?{_HEX}{{12}}"
    rf"|{_HEX}{{6}}[:.\- ]{_HEX}{{6}}"
    rf"|{_HEX}{{4}}([:.\- ]{_HEX}{{4}}){{1,2}}"
    rf"|{_HEX}{{1,2}}([:-]{_HEX}{{1,2}})+"
    rf"|{_HEX}{{2}}([. ]{_HEX}{{2}}){{5}}"
)


def read_mac(text: str) -> str | None:
    """The bare hex digits if a text is a MAC address, or a part of one, in some notation.

    Understood: `00:11:22:33:44:55`, `00-11-22-33-44-55`, `0011.2233.4455`, `001122-334455`,
    `001122334455`, `0x001122334455`, `00 11 22 33 44 55`, groups without leading zeros, and runs
    of at least two groups.
    """
    text = text.strip().lower()
    if not _MAC.fullmatch(text):
        return None
    groups = re.split(r"[:\-. ]", text.removeprefix("0x"))
    if len(groups) > 1 and max(map(len, groups)) <= len("00"):
        return "".join(group.zfill(2) for group in groups) if len(groups) <= 6 else None
    return "".join(groups)


def to_mac(text: str) -> str | None:
    """`aa:bb:cc:dd:ee:ff` for a whole MAC address in any notation, else None."""
    digits = read_mac(text)
    if digits is None or len(digits) != 12:
        return None
    return ":".join(digits[i : i + 2] for i in range(0, 12, 2))
