"""Slugs: NetBox takes only ASCII, and Norwegian names have more; the same name, the same slug."""

import re
import unicodedata
from collections.abc import Collection

_LETTERS = str.maketrans(
    {"æ": "ae", "ø": "o", "å": "a", "ä": "a", "ö": "o", "ð": "d", "þ": "th", "ß": "ss"}
)
_LONGEST = 100


def to_slug(name: str) -> str:
    """A name in the letters of a slug: `Våler rådhus` is `valer-radhus`."""
    text = unicodedata.normalize("NFC", name).casefold().translate(_LETTERS)
    text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", text).strip("-")[:_LONGEST].strip("-") or "x"


def new_slug(name: str, taken: Collection[str], suffix: str | None = None) -> str:
    """A slug that is not taken: with a municipality's number if that helps, else with a count.

    Args:
        suffix: the number of the municipality that the thing belongs to.
    """
    slug = to_slug(name)
    if slug not in taken:
        return slug
    if suffix and (numbered := f"{slug[: _LONGEST - len(suffix) - 1]}-{suffix}") not in taken:
        return numbered
    number = 2
    while (counted := f"{slug[: _LONGEST - 5]}-{number}") in taken:
        number += 1
    return counted
