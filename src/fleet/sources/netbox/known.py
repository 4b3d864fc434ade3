"""What fleet has and expects, for a NetBox's things to be recognised by."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

from fleet.core.claims import Claims, Id
from fleet.core.matching import Doubt
from fleet.core.record import Record

UNKNOWN = "Unknown"
"""The maker and the model of a device of which nobody said them; NetBox wants some."""

MANAGEMENT = "management address"
"""Describes the port that fleet makes for an address of which nobody said at which port it is."""

TAKES: Mapping[str, tuple[str, ...]] = {
    "member": ("name", "contact"),
    "site": ("name", "member", "address", "latitude", "longitude", "contact"),
    "device": (
        *("name", "site", "role", "status", "serial", "asset_tag", "vendor", "model"),
        *("platform", "room", "rack", "address", "owner"),
    ),
    "interface": ("name", "mac", "address", "description"),
    "link": ("a", "b", "kind", "provider", "circuit_id", "capacity_mbps"),
}
"""The fields, by kind, that a NetBox has; it is never told of others."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What fleet has of the things that a NetBox may have too.

    Args:
        source: the NetBox's name.
        things: all that is there, or about to be.
        linked: the numbers that things have in this NetBox.
        own: things that came from this NetBox.
        members: the members whose things it has; None: all.
        may_write: whether it is written to.
        old: kinds and numbers of what is retired here and may still be there.
    """

    source: str
    things: Mapping[Id, Record]
    linked: Mapping[Id, int] = field(default_factory=dict)
    own: frozenset[Id] = frozenset()
    members: frozenset[str] | None = None
    may_write: bool = True
    old: frozenset[tuple[str, int]] = frozenset()

    @cached_property
    def by_kind(self) -> Mapping[str, Mapping[str, Record]]:
        """The things of each kind by key."""
        found: dict[str, dict[str, Record]] = {}
        for (kind, key), record in self.things.items():
            found.setdefault(kind, {})[key] = record
        return found

    def of(self, kind: str) -> Mapping[str, Record]:
        return self.by_kind.get(kind, {})

    def links_of(self, kind: str) -> dict[int, str]:
        """Which number is which thing, as known before."""
        return {number: key for (k, key), number in self.linked.items() if k == kind}

    @cached_property
    def only_member(self) -> str | None:
        """The member, if the NetBox has the things of just one."""
        return next(iter(self.members)) if self.members and len(self.members) == 1 else None

    def is_in_scope(self, member: str | None) -> bool:
        return self.members is None or member in self.members


@dataclass(frozen=True, kw_only=True)
class Reading:
    """What a NetBox says.

    Args:
        numbers: that the things have there.
        rungs: by which rung those were recognised that were not known before.
        doubts: by kind, what a person has to say.
        labels: what the doubtful ones are called there, by their numbers.
    """

    claims: Claims
    numbers: Mapping[Id, int]
    rungs: Mapping[Id, str] = field(default_factory=dict)
    doubts: Mapping[str, tuple[Doubt, ...]] = field(default_factory=dict)
    labels: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Further:
    """What else a plan for a NetBox is made of.

    Args:
        linked: the numbers of the things that were shared.
        marked: when things were marked, microseconds since 1970.
        vlans: per device, the numbers and names of its VLANs.
    """

    linked: Mapping[Id, int] = field(default_factory=dict)
    marked: Mapping[Id, int] = field(default_factory=dict)
    prune: bool = False
    force: bool = False
    vlans: Mapping[str, tuple[tuple[int, str | None], ...]] = field(default_factory=dict)
