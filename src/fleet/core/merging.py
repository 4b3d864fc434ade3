"""What a merge of sources works on: what was, what came of it so far, and who rules where."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from fleet.core.authority import Authority
from fleet.core.claims import Bases, Claims, Conflict, Id, Nature
from fleet.core.diff import Action, Change, Origins
from fleet.core.diff import retire as _retired
from fleet.core.inventory import KINDS, Inventory
from fleet.core.record import Json, Record, to_record


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What was, before the sources were read.

    Args:
        touched: when each thing was last changed in the inventory, microseconds since 1970.
        prunable: things retired so long ago that they may be deleted.
    """

    inventory: Inventory
    bases: Bases = field(default_factory=dict)
    origins: Origins = field(default_factory=dict)
    touched: Mapping[Id, int] = field(default_factory=dict)
    prunable: Collection[Id] = ()


def precedence(claims: Claims) -> tuple[int, str]:
    """Files first, then NetBoxes by name, then what the network says."""
    return list(Nature).index(claims.nature), claims.source


class Merging:
    """A merge under way."""

    def __init__(
        self, before: Before, sources: Sequence[Claims], authority: Authority, now: datetime
    ) -> None:
        self.before = before
        self.sources = sorted(sources, key=precedence)
        self.authority = authority
        self.at = now
        self.ours: dict[Id, Record] = {
            (kind, key): to_record(thing)
            for kind in KINDS
            for key, thing in before.inventory.of_kind(kind).items()
        }
        self.after: dict[Id, Record] = {}  # only what differs from before
        self.changes: list[Change] = []
        self.conflicts: list[Conflict] = []
        self.agreed: dict[str, dict[Id, Record | None]] = {s.source: {} for s in self.sources}
        self.left_out: list[tuple[str, str, str]] = []
        self.said_by: dict[tuple[Id, str], str] = {}
        self.undecided: set[tuple[Id, str]] = set()

    def base(self, source: Claims, id_: Id) -> Record | None:
        """What was last agreed; a thing is as its own source said, unless that is kept."""
        kept = self.before.bases.get(source.source, {}).get(id_)
        if kept is None and self.before.origins.get(id_) == source.source:
            return self.ours.get(id_)
        return kept

    def is_leaving(self, id_: Id) -> bool:
        """Whether the source that a thing came from has it no more, and no file declares it."""
        origin = self.before.origins.get(id_)
        return any(
            s.source == origin and id_[0] in s.whole and id_ not in s.things for s in self.sources
        ) and not self.is_declared(id_)

    def is_declared(self, id_: Id) -> bool:
        """Whether people's files have a thing."""
        return any(s.nature is Nature.FILES and id_ in s.things for s in self.sources)

    def member(self, id_: Id, record: Record) -> str | None:
        """The member whose rules hold for a thing."""
        kind, key = id_
        match kind:
            case "member":
                return key
            case "site":
                return record.get("member")
            case "device":
                site = self.now("site", record.get("site"))
                return site.get("member") if site else None
            case "interface":
                device = self.now("device", record.get("device"))
                return self.member(("device", ""), device) if device else None
            case "link":
                return self._member_of_end(str(record.get("a")))
            case _:
                return None

    def _member_of_end(self, end: str) -> str | None:
        name = end.partition(" : ")[0]
        if device := self.now("device", name):
            return self.member(("device", name), device)
        return (self.now("site", name) or {}).get("member")

    def now(self, kind: str, key: str | None) -> Record | None:
        """A thing as it is from now on, as far as that is decided."""
        id_ = (kind, key or "")
        return self.after.get(id_) or self.ours.get(id_)

    def retire(self, id_: Id, source: str) -> None:
        """A source no longer has it: it stays, as something that was.

        What its own source says of it is from now on what it said when that was decided.
        """
        thing = self.before.inventory.of_kind(id_[0])[id_[1]]
        new = to_record(_retired(thing, self.at))
        had = self.ours[id_]
        fields = {n: (had[n], v) for n, v in new.items() if v != had[n]}
        self.add(Action.RETIRE, id_, fields, source)
        self.after[id_] = new
        self.keep(source, id_, None)
        if self.before.origins.get(id_) != source:
            self.keep_for_origin(id_)

    def keep_for_origin(self, id_: Id) -> None:
        """A thing is not as its own source says any more: keep what that said."""
        origin = self.before.origins.get(id_)
        if origin is not None and id_ not in self.before.bases.get(origin, {}):
            self.agreed.setdefault(origin, {})[id_] = self.ours[id_]

    def keep(self, source: str, id_: Id, base: Record | None) -> None:
        """What is agreed with a source once the changes are made; None: nothing is kept."""
        if self.before.bases.get(source, {}).get(id_) != base:
            self.agreed[source][id_] = base

    def add(
        self,
        action: Action,
        id_: Id,
        fields: Mapping[str, tuple[Json, Json]],
        source: str,
        target: str = "inventory",
    ) -> None:
        """One more change."""
        self.changes.append(
            Change(
                action=action, kind=id_[0], key=id_[1], fields=fields, source=source, target=target
            )
        )

    def is_in_scope(self, source: Claims, id_: Id, record: Record) -> bool:
        """Whether a thing belongs to a member whose things the source has."""
        return source.members is None or self.member(id_, record) in source.members


def is_retired(record: Record) -> bool:
    """Whether a thing, as a record, is gone from its source."""
    return bool(record.get("retired")) or record.get("status") == "retired"
