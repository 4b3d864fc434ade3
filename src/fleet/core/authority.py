"""Who decides about a field when sources differ: by kind and field, and by member."""

from collections.abc import Mapping
from dataclasses import dataclass, field

FLEET = "fleet"  # what the workspace says: its files, and what people decided in fleet
NEWEST = "newest"  # whoever changed it last
MANUAL = "manual"  # what only one changed is taken over; else a person decides
RULES = (FLEET, NEWEST, MANUAL, "files", "netbox", "snmp")

DEFAULT = "default"

Table = Mapping[str, Mapping[str, str]]
"""Per kind: field → rule; the field `default` stands for all others of the kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """The rules of a cooperation.

    Args:
        default: where nothing else is said.
        kinds: for all members.
        members: for the things of one member; they come first.
    """

    default: str = MANUAL
    kinds: Table = field(default_factory=dict)
    members: Mapping[str, Table] = field(default_factory=dict)

    def rule(self, kind: str, name: str, member: str | None) -> str:
        """The rule for a field: a member's before the common one, a field's before its kind's."""
        for table in (self.members.get(member or "", {}), self.kinds):
            of_kind = table.get(kind, {})
            if (found := of_kind.get(name) or of_kind.get(DEFAULT)) is not None:
                return found
        return self.default
