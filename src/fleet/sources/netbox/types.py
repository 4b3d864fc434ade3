"""NetBox's types of objects as far as fleet knows them: which fields, and what identifies one."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fleet.core.lookup import nfc
from fleet.core.record import Json, Record

TENANTS = "tenancy.tenants"
SITE_GROUPS = "dcim.site-groups"
SITES = "dcim.sites"
LOCATIONS = "dcim.locations"
RACKS = "dcim.racks"
MANUFACTURERS = "dcim.manufacturers"
DEVICE_TYPES = "dcim.device-types"
ROLES = "dcim.device-roles"
PLATFORMS = "dcim.platforms"
DEVICES = "dcim.devices"
INTERFACES = "dcim.interfaces"
MACS = "dcim.mac-addresses"
VRFS = "ipam.vrfs"
VLANS = "ipam.vlans"
PREFIXES = "ipam.prefixes"
ADDRESSES = "ipam.ip-addresses"
CABLES = "dcim.cables"
PROVIDERS = "circuits.providers"
CIRCUIT_TYPES = "circuits.circuit-types"
CIRCUITS = "circuits.circuits"
CIRCUIT_ENDS = "circuits.circuit-terminations"
CONTACT_ROLES = "tenancy.contact-roles"
CONTACTS = "tenancy.contacts"
CONTACT_ASSIGNMENTS = "tenancy.contact-assignments"
TAGS = "extras.tags"
CUSTOM_FIELDS = "extras.custom-fields"

FLEET_ID = "fleet_id"
ORPHAN = "fleet-orphan"

INTERFACE = "dcim.interface"
"""What an interface is called where any kind of object may stand."""


@dataclass(frozen=True, slots=True)
class Type:
    """One type of objects.

    Args:
        fields: that are read.
        identity: fields that tell an object from all others of its type; of a custom field
            `custom_fields.NAME`.
        filters: what the identity's fields are called as filters, where that differs.
    """

    fields: tuple[str, ...]
    identity: tuple[str, ...] = ("slug",)
    filters: Mapping[str, str] | None = None

    def filter_many(self, bodies: Sequence[Record]) -> Record:
        """A filter that gives the objects with these bodies, perhaps among others."""
        first = self.identity[0]
        values = {str(value) for body in bodies if (value := _get(body, first)) is not None}
        return {dict(self.filters or {}).get(first, first): sorted(values)} if values else {}


# In the order in which one may refer to another.
TYPES: Mapping[str, Type] = {
    CUSTOM_FIELDS: Type(("name", "object_types", "type"), ("name",)),
    TAGS: Type(("name", "slug")),
    TENANTS: Type(("name", "slug", "custom_fields", "tags", "last_updated")),
    SITE_GROUPS: Type(("slug",)),
    SITES: Type(
        (
            *("name", "slug", "status", "tenant", "group", "physical_address"),
            *("latitude", "longitude", "custom_fields", "tags", "last_updated"),
        )
    ),
    LOCATIONS: Type(("name", "slug", "site"), ("slug", "site"), {"site": "site_id"}),
    RACKS: Type(("name", "site", "location"), ("name", "site", "location"), {"site": "site_id"}),
    MANUFACTURERS: Type(("name", "slug")),
    DEVICE_TYPES: Type(
        ("model", "slug", "manufacturer"),
        ("slug", "manufacturer"),
        {"manufacturer": "manufacturer_id"},
    ),
    ROLES: Type(("name", "slug")),
    PLATFORMS: Type(("name", "slug")),
    VRFS: Type(("name", "rd", "tenant"), ("name",)),
    VLANS: Type(("vid", "name", "site"), ("vid", "site"), {"site": "site_id"}),
    PREFIXES: Type(("prefix", "vrf", "status"), ("prefix", "vrf"), {"vrf": "vrf_id"}),
    PROVIDERS: Type(("name", "slug")),
    CIRCUIT_TYPES: Type(("name", "slug")),
    CIRCUITS: Type(
        ("cid", "provider", "type", "commit_rate", "custom_fields", "tags", "last_updated"),
        ("cid", "provider"),
        {"provider": "provider_id"},
    ),
    CIRCUIT_ENDS: Type(
        ("circuit", "term_side", "site", "termination_type", "termination_id"),
        ("circuit", "term_side"),
        {"circuit": "circuit_id"},
    ),
    DEVICES: Type(
        (
            *("name", "device_type", "role", "tenant", "platform", "serial", "asset_tag"),
            *("site", "location", "rack", "status", "primary_ip4", "primary_ip6"),
            *("custom_fields", "tags", "last_updated"),
        ),
        ("custom_fields.fleet_id",),
        {"custom_fields.fleet_id": "cf_fleet_id"},
    ),
    INTERFACES: Type(
        ("device", "name", "description", "mac_address", "mgmt_only", "tags", "last_updated"),
        ("device", "name"),
        {"device": "device_id"},
    ),
    MACS: Type(
        ("mac_address", "assigned_object_type", "assigned_object_id"),
        ("assigned_object_id", "mac_address"),
        {"assigned_object_id": "interface_id"},
    ),
    ADDRESSES: Type(
        ("address", "vrf", "assigned_object_type", "assigned_object_id"),
        ("assigned_object_id", "address"),
        {"assigned_object_id": "interface_id"},
    ),
    CABLES: Type(("type", "a_terminations", "b_terminations", "tags"), ("a_terminations",)),
    CONTACT_ROLES: Type(("name", "slug")),
    CONTACTS: Type(("name", "title", "phone", "email"), ("name",)),
    CONTACT_ASSIGNMENTS: Type(
        ("object_type", "object_id", "contact", "role"),
        ("object_id", "contact"),
        {"contact": "contact_id"},
    ),
}


def plain(value: Json) -> Json:
    """A value as it is written, of a value as it is read.

    Objects are read nested and written by number, choices read with a label and written bare,
    tags read as objects and written by their slugs; nothing may be null or empty text.
    """
    match value:
        case {"value": choice, "label": _}:
            return choice
        case {"object_type": type_, "object_id": number}:
            return {"object_type": type_, "object_id": number}
        case {"id": number, "url": _} | {"id": number, "display": _}:
            return number
        case list():
            return [plain(item) for item in value]
        case "":
            return None
        case _:
            return value


def plain_object(row: Record) -> Record:
    """An object with its fields as they are written."""
    found = {name: plain(value) for name, value in row.items()}
    if "tags" in row:
        found["tags"] = sorted(tag["slug"] for tag in row["tags"] or ())
    if "custom_fields" in row:
        fields = row["custom_fields"] or {}
        found["custom_fields"] = {name: plain(value) for name, value in fields.items()}
    return found


def is_same(sent: Json, read: Json) -> bool:
    """Whether a value stuck: as it was sent, and as it is read back."""
    if isinstance(sent, list):  # tags are sent and read by slug, among others; ends of cables
        return isinstance(read, list) and all(any(is_same(s, r) for r in read) for s in sent)
    if isinstance(sent, dict) and isinstance(read, dict):
        return all(is_same(value, read.get(name)) for name, value in sent.items())
    read = plain(read)
    match sent:
        case bool():
            return sent is read
        case float() | int():
            return read is not None and abs(float(read) - sent) < _TINY
        case str() if isinstance(read, str):
            return nfc(sent).strip().casefold() == nfc(read).strip().casefold()
        case _:
            return (sent or None) == (read or None)


_TINY = 1e-6


def _get(body: Record, path: str) -> Any:
    value: Any = body
    for part in path.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def identity_of(type_: str, row: Record) -> tuple[Json, ...]:
    """What tells an object from all others of its type, as it is written."""
    return tuple(_key(_get(row, name)) for name in TYPES[type_].identity)


def _key(value: Json) -> Json:
    match value:
        case str():
            return value.casefold()
        case {"$ref": symbol}:
            return ("$ref", symbol)
        case list():
            return tuple(sorted(((v["object_type"], _key(v["object_id"])) for v in value), key=str))
        case _:
            return value
