"""A rollout: plan, show, then that plan wave by wave, until one fails."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.core.record import Record, encode
from fleet.core.rollout import Outcome, Plan, Wave

if TYPE_CHECKING:
    from fleet.ansible.runner import Event, Runner
    from fleet.store.store import Store


def to_document(plan: Plan) -> Record:
    """A plan as other programs read it."""
    return {
        "id": plan.id,
        "digest": plan.digest,
        "baselines": list(plan.baselines),
        "targets": plan.targets,
        "groups": encode(plan.groups),
        "waves": encode(plan.waves),
        "left_out": encode(plan.left_out),
        "refused": [],
        "files": sorted(plan.files),
    }


def save_plan(plan: Plan, folder: Path) -> Path:
    """Keep a plan beside the database, under its id."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{plan.id}.json"
    path.write_text(json.dumps(to_document(plan), ensure_ascii=False, indent=2), encoding="utf-8")
    return path


def apply_plan(
    store: "Store",
    runner: "Runner",
    plan: Plan,
    *,
    actor: str,
    clock: Callable[[], datetime],
    hear: "Callable[[Event], None]",
    begin: Callable[[Wave], None],
) -> list[Outcome]:
    """Run the waves in their order; after a wave with a failure no other begins.

    Every outcome is kept as soon as its wave has ended.
    """
    rollout = store.add_rollout(
        plan=plan.id, digest=plan.digest, baselines=plan.baselines, actor=actor, at=clock()
    )
    done: list[Outcome] = []
    for wave in plan.waves:
        begin(wave)
        outcomes = runner.run(wave, plan.baselines, hear)
        outcomes = [o for o in outcomes if _concerns(plan, o)]
        store.add_outcomes(rollout, [asdict(o) | {"result": o.result.value} for o in outcomes])
        done += outcomes
        if any(outcome.failed for outcome in outcomes):
            break
    store.finish_rollout(rollout, clock())
    return done


def _concerns(plan: Plan, outcome: Outcome) -> bool:
    """Whether a baseline has something for a device at all."""
    reason = f"the baseline {outcome.baseline} has no template"
    return not any(
        o.device == outcome.device and o.reason.startswith(reason) for o in plan.left_out
    )


def not_begun(plan: Plan, outcomes: Sequence[Outcome]) -> list[Wave]:
    """The waves that were not begun, as an earlier one failed."""
    begun = {outcome.wave for outcome in outcomes}
    return [wave for wave in plan.waves if wave.number not in begun]
