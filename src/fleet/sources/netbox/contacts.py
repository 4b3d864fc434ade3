"""Who to ring: roles, never persons. A contact of NetBox counts if it is assigned as operations.

What fleet calls the role is the contact's title there; a contact without one is a person's, and
is left alone.
"""

from collections.abc import Mapping

from fleet.core.record import Json, Record
from fleet.sources.netbox.draft import Draft, Ref
from fleet.sources.netbox.state import State
from fleet.sources.netbox.types import CONTACT_ASSIGNMENTS, CONTACT_ROLES, CONTACTS

OPERATIONS = "operations"
TENANT, SITE = "tenancy.tenant", "dcim.site"


def read_contacts(state: State, of: str) -> Mapping[int, Record]:
    """Per tenant or site, by number: who to ring.

    Args:
        of: `TENANT` or `SITE`.
    """
    found = {}
    for assigned, contact in _assigned(state, of):
        if contact["title"]:
            found[assigned["object_id"]] = {
                "role": contact["title"],
                "phone": contact["phone"],
                "email": contact["email"],
            }
    return found


def knows_contacts(state: State) -> bool:
    """Whether all of them were read."""
    return state.is_whole(CONTACTS, CONTACT_ROLES, CONTACT_ASSIGNMENTS)


def _assigned(state: State, of: str) -> list[tuple[Record, Record]]:
    roles = {n for n, row in state.of(CONTACT_ROLES).items() if row["slug"] == OPERATIONS}
    return [
        (row, state.of(CONTACTS)[row["contact"]])
        for row in state.of(CONTACT_ASSIGNMENTS).values()
        if row["object_type"] == of
        and row["role"] in roles
        and row["contact"] in state.of(CONTACTS)
    ]


def write_contact(draft: Draft, of: str, object_: Ref, name: str, contact: Json) -> None:
    """The contact of a tenant or site: made, changed, or let go.

    Args:
        name: of the tenant or site, since names of contacts are unique.
        contact: role, phone and email; None: there is none any more.
    """
    here = [(a, c) for a, c in _assigned(draft.state, of) if a["object_id"] == object_]
    if contact is None:
        for assigned, _ in here:
            draft.delete(CONTACT_ASSIGNMENTS, assigned["id"], None)
        return
    body = {
        "title": contact["role"],
        "phone": contact["phone"] or "",
        "email": contact["email"] or "",
    }
    if here:
        draft.update(CONTACTS, here[0][1]["id"], body)
        return
    role = draft.named(CONTACT_ROLES, "Operations", slug=OPERATIONS)
    label = f"{contact['role']} – {name}"
    new = draft.ensure(CONTACTS, {"name": label, **body}, symbol=label)
    assigned = {"object_type": of, "object_id": object_, "contact": new, "role": role}
    draft.create(CONTACT_ASSIGNMENTS, f"{of} {name}", assigned)
