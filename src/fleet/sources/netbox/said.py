"""What a reading of a NetBox has come to so far."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fleet.core.claims import Id
from fleet.core.matching import Clues, Matching, match
from fleet.core.record import Record
from fleet.sources.netbox.known import Known
from fleet.sources.netbox.state import State
from fleet.sources.netbox.types import SITE_GROUPS


@dataclass(kw_only=True)
class Said:
    """A reading under way: things claimed, their numbers, and what was left out."""

    state: State
    known: Known
    things: dict[Id, Record] = field(default_factory=dict)
    numbers: dict[Id, int] = field(default_factory=dict)
    rungs: dict[Id, str] = field(default_factory=dict)
    matchings: dict[str, Matching] = field(default_factory=dict)
    not_told: set[Id] = field(default_factory=set)
    left_out: list[tuple[str, str]] = field(default_factory=list)
    keys: dict[tuple[str, int], str] = field(default_factory=dict)
    labels: dict[int, str] = field(default_factory=dict)

    def match(
        self,
        kind: str,
        theirs: Mapping[int, Clues],
        ours: Mapping[str, Clues],
        ladder: Sequence[str],
        *,
        linked: Mapping[int, str] | None = None,
    ) -> Matching:
        """Which of theirs is which of ours; what is in doubt is created nowhere."""
        found = match(
            theirs,
            ours,
            ladder=ladder,
            linked=self.known.links_of(kind) if linked is None else linked,
        )
        self.matchings[kind] = found
        self.rungs |= {(kind, found.found[n]): rung for n, rung in found.rungs.items()}
        self.not_told |= {(kind, key) for key in found.unsure}
        return found

    def claim(self, id_: Id, number: int, record: Record) -> None:
        """Their object `number` is this thing, and says this of it."""
        self.things[id_] = record
        self.numbers[id_] = number
        self.keys[id_[0], number] = id_[1]

    def is_old(self, kind: str, number: int) -> bool:
        """Whether their object is something that is retired here, and says nothing new."""
        return (kind, number) in self.known.old

    def key(self, kind: str, number: int | None) -> str | None:
        """Which thing their object is."""
        return None if number is None else self.keys.get((kind, number))

    def is_doubtful(self, found: Matching, number: int, what: str) -> bool:
        """Whether a person has to say what their object is; it is left out until then."""
        doubt = next((d for d in found.doubts if d.remote == number), None)
        if doubt is None:
            return False
        may_be = " or ".join(doubt.keys)
        self.labels[number] = what
        self.left_out.append((what, f"by its {doubt.rung} it may be {may_be}: fleet sync --link"))
        return True

    def member_of_tenant(self, number: int | None) -> str | None:
        """The member that a tenant is; without a tenant the only one that the NetBox is for."""
        return self.known.only_member if number is None else self.key("member", number)

    @property
    def group_slugs(self) -> Mapping[int, str]:
        """The slugs of the groups of sites, which may tell what kind a new site is."""
        return {number: row["slug"] for number, row in self.state.of(SITE_GROUPS).items()}
