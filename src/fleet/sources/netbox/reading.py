"""A NetBox's objects → claims on things of the inventory; members and sites here, then the rest."""

from collections.abc import Mapping

from fleet.core.claims import Claims, Id, Nature
from fleet.core.inventory import SiteKind
from fleet.core.lookup import nfc
from fleet.core.matching import Clues, Matching
from fleet.core.moment import parse_moment, to_us
from fleet.core.record import Record
from fleet.sources.netbox.contacts import SITE, TENANT, knows_contacts, read_contacts
from fleet.sources.netbox.known import TAKES, Known, Reading
from fleet.sources.netbox.reading_devices import read_devices, read_interfaces
from fleet.sources.netbox.reading_links import read_links
from fleet.sources.netbox.said import Said
from fleet.sources.netbox.slugs import new_slug
from fleet.sources.netbox.state import State
from fleet.sources.netbox.types import (
    ADDRESSES,
    CABLES,
    CIRCUIT_ENDS,
    CIRCUITS,
    DEVICE_TYPES,
    DEVICES,
    FLEET_ID,
    INTERFACES,
    LOCATIONS,
    MANUFACTURERS,
    PLATFORMS,
    PROVIDERS,
    RACKS,
    ROLES,
    SITES,
    TENANTS,
)

_OF_SITES = (TENANTS, SITES)
_OF_DEVICES = (
    *(*_OF_SITES, DEVICES, DEVICE_TYPES, MANUFACTURERS, ROLES),
    *(PLATFORMS, LOCATIONS, RACKS, ADDRESSES),
)
_NEEDS = {
    "member": (TENANTS,),
    "site": _OF_SITES,
    "device": _OF_DEVICES,
    "interface": (*_OF_DEVICES, INTERFACES),
    "link": (*_OF_DEVICES, INTERFACES, CABLES, CIRCUITS, CIRCUIT_ENDS, PROVIDERS),
}
_LEANS_ON = {
    "site": ("member",),
    "device": ("site",),
    "interface": ("device",),
    "link": ("interface",),
}
_FEW = 5  # shared things of a kind, all of which can be gone


def read_claims(state: State, known: Known) -> Reading:
    """What a NetBox says of the things of the inventory, and of new ones."""
    said = Said(state=state, known=known)
    _read_members(said)
    _read_sites(said)
    read_devices(said)
    read_interfaces(said)
    read_links(said)
    whole = frozenset(_whole_kinds(state, known, said))
    return Reading(
        claims=Claims(
            source=known.source,
            nature=Nature.NETBOX,
            things=said.things,
            whole=whole,
            takes=TAKES if known.may_write else {},
            members=known.members,
            times=_times(state, said),
            not_told=frozenset(said.not_told),
            left_out=tuple(said.left_out),
        ),
        numbers=said.numbers,
        rungs=said.rungs,
        doubts={kind: m.doubts for kind, m in said.matchings.items() if m.doubts},
        labels=said.labels,
    )


def _whole_kinds(state: State, known: Known, said: Said) -> list[str]:
    """The kinds of which all was read; where all that was shared is missing, it was not."""
    found = []
    for kind, types in _NEEDS.items():
        reasons = [f"{t}: {state.incomplete[t]}" for t in types if t in state.incomplete]
        shared = [id_ for id_ in known.linked if id_[0] == kind]
        if not reasons and len(shared) >= _FEW and not any(id_ in said.things for id_ in shared):
            reasons = [f"none of {len(shared)} that were there is given out"]
        if not reasons and (before := [k for k in _LEANS_ON.get(kind, ()) if k not in found]):
            reasons = [f"every {before[0]} is not known"]
        if reasons:
            said.left_out.append((f"every {kind}", f"not read to the end ({reasons[0]})"))
        else:
            found.append(kind)
    return found


def _times(state: State, said: Said) -> Mapping[Id, int]:
    types = {"site": SITES, "device": DEVICES, "interface": INTERFACES}
    found = {}
    for id_, number in said.numbers.items():
        row = state.of(types.get(id_[0], "")).get(number, {})
        if text := row.get("last_updated"):
            found[id_] = to_us(parse_moment(text))
    return found


def _read_members(said: Said) -> None:
    """Tenants are members; those that are none stay what they are."""
    ours: dict[str, Clues] = {
        key: {"fleet_id": key, "slug": key, "name": _folded(record["name"])}
        for key, record in said.known.of("member").items()
    }
    theirs: dict[int, Clues] = {
        number: {
            "fleet_id": row["custom_fields"].get(FLEET_ID),
            "slug": row["slug"].casefold(),
            "name": _folded(row["name"]),
        }
        for number, row in said.state.of(TENANTS).items()
    }
    found = said.match("member", theirs, ours, ("fleet_id", "slug", "name"))
    contacts = read_contacts(said.state, TENANT)
    for number, key in found.found.items():
        if said.known.is_in_scope(key):
            record: Record = {"name": said.state.of(TENANTS)[number]["name"]}
            if knows_contacts(said.state):
                record["contact"] = contacts.get(number)
            said.claim(("member", key), number, record)


def _folded(name: str) -> str:
    return nfc(name).casefold().strip()


def _read_sites(said: Said) -> None:
    known = said.known
    names = {key: record["name"] for key, record in known.of("member").items()}
    ours: dict[str, Clues] = {
        key: {
            "fleet_id": (record["member"], key),
            "slug": (record["member"], key),
            "slug alone": key,
            "name": (record["member"], _folded(record["name"])),
        }
        for key, record in known.of("site").items()
        if known.is_in_scope(record["member"])
    }
    theirs: dict[int, Clues] = {}
    contacts = read_contacts(said.state, SITE)
    rows: dict[int, Record] = {}
    for number, row in said.state.of(SITES).items():
        member = said.member_of_tenant(row["tenant"])
        if not known.is_in_scope(member) and row["tenant"] is not None:
            continue
        rows[number] = _site(row, member, names.get(member or ""))
        if knows_contacts(said.state):
            rows[number]["contact"] = contacts.get(number)
        theirs[number] = {
            "fleet_id": (member, row["custom_fields"].get(FLEET_ID)),
            "slug": (member, row["slug"].casefold()),
            "slug alone": row["slug"].casefold() if row["tenant"] is None else None,
            "name": (member, _folded(rows[number]["name"])),
        }
    ladder = ("fleet_id", "slug", "slug alone", "name")
    found = said.match("site", theirs, ours, ladder)
    for number, record in rows.items():
        if (key := found.found.get(number)) is not None:
            no_word = {"member"} if record["member"] is None else set()
            mine = known.of("site")[key]["name"]
            if said.state.of(SITES)[number]["name"].endswith(f" – {mine}"):
                record["name"] = mine  # whatever its member was called then
            said.claim(("site", key), number, {n: v for n, v in record.items() if n not in no_word})
        else:
            _new_site(said, number, record, found)


def _site(row: Record, member: str | None, member_name: str | None) -> Record:
    name = row["name"]
    if member_name and name.startswith(f"{member_name} – "):
        name = name.removeprefix(f"{member_name} – ")  # since names of sites are unique there
    address = row["physical_address"]
    return {
        "name": name,
        "member": member,
        "address": ", ".join(line.strip() for line in address.splitlines()) if address else None,
        "latitude": None if row["latitude"] is None else float(row["latitude"]),
        "longitude": None if row["longitude"] is None else float(row["longitude"]),
    }


def _new_site(said: Said, number: int, record: Record, found: Matching) -> None:
    row = said.state.of(SITES)[number]
    if said.is_old("site", number) or said.is_doubtful(found, number, f"site {row['name']}"):
        return
    if record["member"] is None:
        said.left_out.append((f"site {row['name']}", "its tenant is no member"))
        return
    member = said.known.of("member")[record["member"]]
    taken = {key for kind, key in {**said.known.things, **said.things} if kind == "site"}
    slug = new_slug(row["slug"], taken, member["number"])
    kind = (said.group_slugs.get(row["group"]) or "").replace("-", "_")
    kinds = {k.value for k in SiteKind}
    new = {"slug": slug, "kind": kind if kind in kinds else SiteKind.OTHER.value}
    said.claim(("site", slug), number, record | new)
