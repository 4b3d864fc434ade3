"""What sources say of things, field by field, and what was last agreed with each of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fleet.core.inventory import KINDS, Inventory, kind_of
from fleet.core.record import Json, Record, to_record

Id = tuple[str, str]
"""A thing of the joint inventory: its kind (singular) and its key."""

Bases = Mapping[str, Mapping[Id, Record]]
"""Per source, of each thing that it shares with the inventory: the fields as last agreed."""

PRESENCE = "presence"
"""The field that says whether a thing is there at all: `there` or `gone`."""
THERE, GONE = "there", "gone"

KEY_FIELDS: Mapping[str, tuple[str, ...]] = {
    "member": ("slug",),
    "contract": ("slug",),
    "site": ("slug",),
    "device": ("name",),
    "interface": ("device", "name"),
    "link": ("a", "b"),
    "service": ("slug",),
}
"""The fields that a thing is known by: with another one it would be another thing."""


class Nature(StrEnum):
    """What a source is."""

    FILES = "files"
    NETBOX = "netbox"
    SNMP = "snmp"


@dataclass(frozen=True, slots=True, kw_only=True)
class Claims:
    """All that one source says now.

    Args:
        source: its name; that of files and of SNMP is their nature.
        things: only the fields that the source knows of: what is not here is never touched.
        whole: kinds that were read to their end; only of these a missing thing is gone.
        takes: the fields, by kind, that are written to it; it is to have all things in its scope.
        members: the members whose things it has; None: all.
        times: when a thing was last changed there, microseconds since 1970.
        not_told: things that are not to be made there: it cannot hold them, or may have them.
        gone: things that were looked for and are not there, and what tells it.
        evidence: what a claim rests on, where that is not the source itself.
        left_out: what cannot be taken over, and why.
    """

    source: str
    nature: Nature
    things: Mapping[Id, Record]
    whole: frozenset[str] = frozenset()
    takes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    members: frozenset[str] | None = None
    times: Mapping[Id, int] = field(default_factory=dict)
    not_told: frozenset[Id] = frozenset()
    gone: Mapping[Id, str] = field(default_factory=dict)
    evidence: Mapping[Id, str] = field(default_factory=dict)
    left_out: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A field of which the inventory and a source say different things, for a person to decide.

    Args:
        base: what was last agreed; None: nothing was, or nothing stood there.
        ours: what the joint inventory has.
        says: per source, what it says.
        is_finding: the network itself differs from what was declared.
        evidence: what it rests on.
    """

    kind: str
    key: str
    field: str
    base: Json
    ours: Json
    says: Mapping[str, Json]
    is_finding: bool = False
    evidence: str | None = None


def claims_of_files(declared: Inventory, times: Mapping[Id, int] | None = None) -> Claims:
    """What the declared files say: every field of all that they have, and nothing else is there.

    Args:
        times: when what says a thing was last written, microseconds since 1970.
    """
    return Claims(
        source=Nature.FILES.value,
        nature=Nature.FILES,
        things={(kind_of(thing), thing.key): to_record(thing) for thing in declared},
        whole=frozenset(KINDS),
        times=times or {},
    )


_CASELESS = frozenset({"serial", "asset_tag", "mac", "vendor", "model", "platform"})
_DEGREES = frozenset({"latitude", "longitude"})
_PLACES = 6  # that NetBox keeps of a degree: 11 cm


def spelt_like(name: str, said: Json, ours: Json) -> Json:
    """What a source says, in our spelling if it means the same.

    Serial numbers and names of makers differ in case from tool to tool; degrees in decimals.
    """
    if said == ours or said is None or ours is None:
        return said
    if name in _CASELESS and str(said).casefold() == str(ours).casefold():
        return ours
    if name in _DEGREES and round(float(said), _PLACES) == round(float(ours), _PLACES):
        return ours
    return said


def spelt(said: Record, ours: Record | None) -> Record:
    """All that is claimed of a thing, in our spelling."""
    if ours is None:
        return said
    return {name: spelt_like(name, value, ours.get(name)) for name, value in said.items()}
