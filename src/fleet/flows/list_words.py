"""What a word in a list means: which place, which member, what kind of thing; never a guess."""

from fleet.core.inventory import Inventory
from fleet.sources.cells import DAYS, read_cell
from fleet.sources.files import closest
from fleet.sources.sheets import Value
from fleet.sources.vocabulary import SKIP, Vocabulary, plain


def how_to_mend(name: str, word: str, head: str | None) -> str | None:
    """How a person says what a word means, or that a column is to be left out."""
    if head is None:
        return None
    skip = f"leave the column out: --map '{head}={SKIP}'"
    if name in ("role", "kind", "status", "site", "member", "owner"):
        return f"say what it is: --value '{name}:{word}=…'; or {skip}"
    return f"mend it in the list, or {skip}"


def meaning_of(
    kind: str, declared: Inventory, words: Vocabulary, name: str, value: Value
) -> object:
    """What a word means in a field.

    Raises:
        ValueError: nobody said.
    """
    if not isinstance(value, str):
        if name not in DAYS:
            raise ValueError(f"{value} is a day: the spreadsheet made one of something else")
        return value.isoformat()
    known = words.value_of(name, value)
    match name:
        case "role" | "kind" | "status":
            if known is None and not _is_role(declared, name, value):
                raise ValueError(f"what `{value}` is, is not known")
            return known or value
        case "site":
            return _site(declared, known or value)
        case "member" | "owner":
            return _member(declared, known or value)
        case "address" if kind == "sites":
            return known or value
        case _:
            return read_cell(name, known or value)


def _is_role(declared: Inventory, name: str, value: str) -> bool:
    return name == "role" and value in {d.role for d in declared.devices.values()}


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
