"""The types of objects that the NetBox that is none has, with their fields."""

from collections.abc import Iterator, Mapping
from typing import Any

# Per type its fields: `!` must be given, `>` is a number of another type's object, `=` a choice
# and its default. Then what is unique.
SPEC: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "extras.custom-fields": (
        "name! type object_types! unique filter_logic ui_editable description",
        ("name",),
    ),
    "extras.tags": ("name! slug!", ("slug",)),
    "tenancy.tenants": ("name! slug! description", ("name", "slug")),
    "dcim.site-groups": ("name! slug!", ("slug",)),
    "dcim.sites": (
        "name! slug! status=active tenant>tenancy.tenants group>dcim.site-groups"
        " physical_address latitude longitude comments",
        ("name", "slug"),
    ),
    "dcim.locations": ("name! slug! site!>dcim.sites status=active", ("site slug",)),
    "dcim.racks": ("name! site!>dcim.sites location>dcim.locations", ("location name",)),
    "dcim.manufacturers": ("name! slug!", ("name", "slug")),
    "dcim.device-types": ("model! slug! manufacturer!>dcim.manufacturers", ("manufacturer slug",)),
    "dcim.device-roles": ("name! slug!", ("slug",)),
    "dcim.platforms": ("name! slug!", ("slug",)),
    "ipam.vrfs": ("name! rd tenant>tenancy.tenants", ()),
    "ipam.vlans": ("vid! name! status=active site>dcim.sites", ("site vid",)),
    "ipam.prefixes": (
        "prefix! vrf>ipam.vrfs status=active scope_type scope_id site>dcim.sites",
        ("prefix vrf",),
    ),
    "circuits.providers": ("name! slug!", ("name", "slug")),
    "circuits.circuit-types": ("name! slug!", ("slug",)),
    "circuits.circuits": (
        "cid! provider!>circuits.providers type!>circuits.circuit-types status=active commit_rate",
        ("provider cid",),
    ),
    "circuits.circuit-terminations": (
        "circuit!>circuits.circuits term_side! termination_type termination_id site>dcim.sites",
        ("circuit term_side",),
    ),
    "dcim.devices": (
        "name device_type!>dcim.device-types role!>dcim.device-roles tenant>tenancy.tenants"
        " platform>dcim.platforms serial asset_tag site!>dcim.sites location>dcim.locations"
        " rack>dcim.racks status=active primary_ip4>ipam.ip-addresses"
        " primary_ip6>ipam.ip-addresses comments",
        ("site tenant name", "asset_tag"),
    ),
    "dcim.interfaces": (
        "device!>dcim.devices name! type=other description mac_address mgmt_only enabled"
        " primary_mac_address>dcim.mac-addresses",
        ("device name",),
    ),
    "dcim.mac-addresses": (
        "mac_address! assigned_object_type assigned_object_id",
        (),
    ),
    "ipam.ip-addresses": (
        "address! vrf>ipam.vrfs status=active assigned_object_type assigned_object_id",
        ("address vrf",),
    ),
    "dcim.cables": ("type status=connected a_terminations b_terminations", ()),
    "tenancy.contact-roles": ("name! slug!", ("slug",)),
    "tenancy.contacts": ("name! title phone email", ("name",)),
    "tenancy.contact-assignments": (
        "object_type! object_id! contact!>tenancy.contacts role!>tenancy.contact-roles",
        (),
    ),
}
_NEVER_TEXT = frozenset({"asset_tag", "latitude", "longitude", "rd", "commit_rate"})


def _fields(type_: str) -> Iterator[tuple[str, bool, str | None, str | None]]:
    for word in SPEC[type_][0].split():
        rest, _, target = word.partition(">")
        rest, _, choice = rest.partition("=")
        yield rest.removesuffix("!"), rest.endswith("!"), target or None, choice or None


def is_ignored(type_: str, name: str, version: tuple[int, int]) -> bool:
    """Whether a version takes no notice of a field that others have."""
    if type_ in ("ipam.prefixes", "circuits.circuit-terminations"):
        is_scope = name.startswith(("scope_", "termination_"))
        return is_scope if version < (4, 2) else name == "site"
    return (type_, name) == ("dcim.interfaces", "mac_address") and (4, 2) <= version < (4, 7)


def kinds(type_: str) -> dict[str, tuple[str | None, str | None]]:
    """Per field: the type of object that it points to, and its default if it is a choice."""
    return {name: (target, choice) for name, _, target, choice in _fields(type_)}


def required(type_: str) -> list[str]:
    """The fields that must be given."""
    return [name for name, is_required, _, _ in _fields(type_) if is_required]


def blank(type_: str) -> dict[str, Any]:
    """A new object: text is empty, what points somewhere is null."""
    new: dict[str, Any] = {"custom_fields": {}, "tags": [], "last_updated": ""}
    for name, _, target, choice in _fields(type_):
        is_null = target or name in _NEVER_TEXT or name.endswith(("_id", "_type"))
        new[name] = choice or (None if is_null else "")
    if type_ == "dcim.interfaces":
        new |= {"mgmt_only": False, "enabled": True, "mac_address": None}
    if type_ == "dcim.cables":
        new |= {"a_terminations": [], "b_terminations": []}
    return new
