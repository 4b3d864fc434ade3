"""Reconcile the declared inventory into the joint one: plan first, then that plan."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.core.diff import PRUNE_AFTER, Change, check_brake, find_changes
from fleet.core.inventory import Inventory
from fleet.core.moment import to_us

if TYPE_CHECKING:
    from fleet.store.reader import Reader
    from fleet.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPlan:
    """What would change, and the state of the history that it was made on."""

    sources: tuple[str, ...]
    changes: tuple[Change, ...]
    ours: Inventory
    basis: int


def plan_sync(
    reader: "Reader | None", declared: Inventory, *, source: str, now: datetime, prune: bool
) -> SyncPlan:
    """What must change in the joint inventory.

    Args:
        reader: of the joint inventory; None: there is none yet.
        declared: what the source says.
        source: its name.
        now: when things that are gone are retired.
        prune: also delete what was retired 30 days ago or earlier.
    """
    ours = reader.inventory() if reader else Inventory()
    changes = find_changes(
        ours,
        declared,
        source=source,
        origins=reader.origins() if reader else {},
        now=now,
        prunable=_prunable(reader, now) if reader and prune else (),
    )
    basis = reader.last_change() if reader else 0
    return SyncPlan(sources=(source,), changes=tuple(changes), ours=ours, basis=basis)


def _prunable(reader: "Reader", now: datetime) -> set[tuple[str, str]]:
    """What nothing has touched for 30 days."""
    before = to_us(now - PRUNE_AFTER)
    return {thing for thing, at in reader.last_change_times().items() if at <= before}


def apply_sync(store: "Store", plan: SyncPlan, *, actor: str, now: datetime, force: bool) -> None:
    """Make the plan true.

    Raises:
        TooMany: more devices would go than is likely meant, and nobody forces it.
        PlanStale: somebody changed the inventory since the plan was made.
    """
    if not force:
        check_brake(plan.ours, list(plan.changes))
    store.apply(plan.changes, actor=actor, at=now, basis=plan.basis)
