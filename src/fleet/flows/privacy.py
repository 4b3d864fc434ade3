"""Personal data: where names stand and why, and taking them out when their time is over."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.core.inventory import Inventory
from fleet.core.moment import from_us, text_of, to_us
from fleet.core.record import Record
from fleet.store.privacy import PSEUDONYM, Named, forget, named

if TYPE_CHECKING:
    from fleet.flows.books import Books
    from fleet.store.store import Store

# What a name is kept for.
PURPOSES: Mapping[str, str] = {
    "change": "who changed the inventory",
    "plan": "who synchronised with a NetBox",
    "proposal": "who proposed a rollout or a decision",
    "answer": "who answered for a member",
    "rollout": "who rolled out",
    "maintenance": "who announced work",
    "correction": "who corrected an outage",
    "audit": "who went through a place",
    "lease": "who is rolling out now",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgetting:
    """What would be taken out.

    Args:
        entries: by name and table.
        before: only what is older; None: all.
    """

    entries: Sequence[Named]
    before: datetime | None

    @property
    def names(self) -> list[str]:
        return sorted({one.name for one in self.entries})

    @property
    def count(self) -> int:
        return sum(one.entries for one in self.entries)


def report(store: "Store", inventory: Inventory, books: "Books", *, names: bool) -> list[Record]:
    """Where personal data may stand, what for, and how old the oldest is.

    Args:
        names: list people one by one; else only how many they are.
    """
    with store.transaction() as connection:
        found = named(connection)
    rows = []
    for table, purpose in PURPOSES.items():
        mine = [one for one in found if one.table == table]
        for group in [[one] for one in mine] if names else [mine]:
            if group:
                rows.append(_row(table, purpose, group, names=names))
    return rows + _in_files(inventory, books)


def _row(table: str, purpose: str, group: Sequence[Named], *, names: bool) -> Record:
    return {
        "place": f"database: {table}",
        "purpose": purpose,
        "people": len(group),
        "name": group[0].name if names else None,
        "entries": sum(one.entries for one in group),
        "oldest": text_of(from_us(min(one.first_us for one in group))),
        "deleted_by": "fleet privacy delete",
    }


def _in_files(inventory: Inventory, books: "Books") -> list[Record]:
    """What people wrote into the files of the workspace; there they take it out themselves."""
    contacts = [
        thing.contact
        for kind in (inventory.members, inventory.sites, inventory.services, inventory.contracts)
        for thing in kind.values()
        if getattr(thing, "contact", None) is not None
    ]
    took = {one.who for course in books.courses for one in course.taken}
    rows: list[Record] = []
    for place, purpose, count in (
        ("files: contact", "whom to ring; a role, not a person", len(contacts)),
        ("files: courses.yaml", "who may do what; roles and pseudonyms", len(took)),
    ):
        if count:
            rows.append(
                {
                    "place": place,
                    "purpose": purpose,
                    "people": count,
                    "name": None,
                    "entries": count,
                    "oldest": None,
                    "deleted_by": "an editor, and git",
                }
            )
    return rows


def plan(store: "Store", person: str | None, before: datetime | None) -> Forgetting:
    """What would be taken out.

    Args:
        person: only this one.
        before: only what is older.
    """
    with store.transaction() as connection:
        found = named(connection, to_us(before) if before else None)
    mine = [one for one in found if person in (None, one.name)]
    return Forgetting(entries=mine, before=before)


def carry_out(store: "Store", wanted: Forgetting) -> tuple[int, bool]:
    """Put a pseudonym in the place of each name, in one transaction.

    Returns:
        How many entries that were; and whether nothing of them is left in the database's log,
        which is so unless somebody reads it just then.
    """
    pseudonyms = {name: PSEUDONYM + secrets.token_hex(4) for name in wanted.names}
    before = to_us(wanted.before) if wanted.before else None
    with store.transaction() as connection:
        changed = forget(connection, pseudonyms, before)
    return changed, store.wipe()
