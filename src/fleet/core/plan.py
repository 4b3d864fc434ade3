"""What a sync would do, in the inventory and in the sources; it is kept, and just that is done."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from fleet.core.claims import Conflict, Id
from fleet.core.diff import Change
from fleet.core.operation import Operation
from fleet.core.reconcile import Before, Merge
from fleet.core.record import Record, to_record


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would change, and the state of the history that it was made on.

    Args:
        basis: number of the history's last entry when it was made.
        operations: what is to be done in the sources for that.
        last_plan: number of the last plan that was applied.
        open_before: conflicts that were kept.
        remotes: per source, the numbers that things have there.
    """

    sources: tuple[str, ...]
    merge: Merge
    before: Before
    basis: int
    operations: tuple[Operation, ...] = ()
    last_plan: int = 0
    open_before: tuple[Conflict, ...] = ()
    remotes: Mapping[str, Mapping[Id, int]] = field(default_factory=dict)

    @property
    def changes(self) -> tuple[Change, ...]:
        return self.merge.changes

    @property
    def conflicts(self) -> tuple[Conflict, ...]:
        """What a person has to decide."""
        return tuple(c for c in self.merge.conflicts if not c.is_finding)

    @property
    def findings(self) -> tuple[Conflict, ...]:
        """Where the network differs from what was declared."""
        return tuple(c for c in self.merge.conflicts if c.is_finding)

    @property
    def inventory_changes(self) -> tuple[Change, ...]:
        return tuple(c for c in self.changes if c.target == "inventory")

    @property
    def behind(self) -> int:
        """How many things the files say otherwise than the inventory has them from now on."""
        kept = {**self.before.bases.get("files", {}), **self.merge.agreed.get("files", {})}
        asked = {(c.kind, c.key) for c in self.conflicts}
        return sum(base is not None and id_ not in asked for id_, base in kept.items())

    @property
    def writes(self) -> int:
        """How many changes and operations there are to say yes to."""
        return len(self.inventory_changes) + len(self.operations)

    @property
    def is_needed(self) -> bool:
        """Whether anything is to be written, be it only what was agreed."""
        agreed = any(things for things in self.merge.agreed.values())
        is_news = self.open_before != self.merge.conflicts
        return bool(self.changes or self.operations or is_news or agreed)

    def digest(self) -> str:
        """What tells this plan from any other: SHA-256 over all that it would do."""
        content = {
            "basis": self.basis,
            "changes": [_without_now(to_record(change)) for change in self.changes],
            "operations": [to_record(operation) for operation in self.operations],
        }
        text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()


def _without_now(change: Record) -> Record:
    """Going is the same a minute later; only the instant that is kept differs."""
    return change if change["action"] != "retire" else change | {"fields": {}}
