"""Reconcile the sources into the joint inventory and back: plan first, then that plan."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.core.authority import Authority
from fleet.core.claims import claims_of_files
from fleet.core.diff import PRUNE_AFTER, check_brake
from fleet.core.intended import claims_of_snmp
from fleet.core.inventory import Inventory
from fleet.core.moment import to_us
from fleet.core.plan import Plan
from fleet.core.reconcile import Before, merge

if TYPE_CHECKING:
    from fleet.store.reader import Reader
    from fleet.store.store import Store


def look_back(reader: "Reader | None", now: datetime, *, prune: bool) -> Before:
    """What was, before the sources were read.

    Args:
        reader: of the joint inventory; None: there is none yet.
        prune: things may be deleted that were retired 30 days ago or earlier.
    """
    if reader is None:
        return Before(inventory=Inventory())
    touched = reader.last_change_times()
    before = to_us(now - PRUNE_AFTER)
    return Before(
        inventory=reader.inventory(),
        bases=reader.bases(),
        origins=reader.origins(),
        touched=touched,
        prunable={thing for thing, at in touched.items() if at <= before} if prune else (),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The sources that a sync is to read.

    Args:
        files: reads the declared files; None: they are left alone.
        has_snmp: whether to compare with what the devices said of themselves.
    """

    files: Callable[[], Inventory] | None
    has_snmp: bool


def make_plan(
    sources: Sources,
    reader: "Reader | None",
    *,
    authority: Authority,
    now: datetime,
    prune: bool,
) -> Plan:
    """What must change in the joint inventory and in the sources.

    Args:
        sources: are read.
        reader: of the joint inventory; None: there is none yet.
        authority: who decides where they differ.
        now: when things that are gone are retired.
        prune: also delete what was retired 30 days ago or earlier.
    """
    before = look_back(reader, now, prune=prune)
    claims = []
    if sources.files is not None:
        claims.append(claims_of_files(sources.files()))
    if sources.has_snmp and reader is not None and (said := reader.facts()):
        claims.append(claims_of_snmp(before.inventory, said))
    return Plan(
        sources=tuple(c.source for c in claims),
        merge=merge(before, claims, authority, now),
        before=before,
        basis=reader.last_change() if reader else 0,
    )


def apply_sync(store: "Store", plan: Plan, *, actor: str, now: datetime, force: bool) -> int | None:
    """Make the plan true in the joint inventory, and keep what is to be done elsewhere.

    Returns:
        The number of the kept plan; None: there was nothing to keep.

    Raises:
        TooMany: more devices would go than is likely meant, and nobody forces it.
        PlanStale: somebody changed the inventory since the plan was made.
    """
    if not force:
        check_brake(plan.before.inventory, list(plan.inventory_changes))
    return store.plans.begin(plan, actor=actor, at=now)
