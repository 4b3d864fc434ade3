"""What was rolled out where, who decided it, how long it took, what failed or was taken back."""

from collections import defaultdict
from typing import TYPE_CHECKING

from fleet.core.approval import Answer, days_to_yes, holding, median_days
from fleet.core.inventory import Inventory
from fleet.core.journal import Run
from fleet.core.moment import text_of, to_us
from fleet.core.record import Record
from fleet.core.rollout import Outcome, Result
from fleet.core.spans import Span

if TYPE_CHECKING:
    from fleet.store.reader import Reader

_ASKED = ("ok", "changed", "failed", "unreachable", "not_run", "reverted")


def report_changes(reader: "Reader", period: Span, member: str | None) -> list[Record]:
    """One row for each run and member that it touched, the oldest first.

    Args:
        period: in which runs began.
        member: only of this one.
    """
    inventory = reader.inventory()
    proposals = {p["id"]: p for p in reader.proposals()}
    answers = reader.answers()
    rows = []
    for run in reader.runs():
        if not period[0] <= to_us(run.at) < period[1]:
            continue
        held = _held(proposals.get(run.plan), answers)
        by_member: dict[str, list[Outcome]] = defaultdict(list)
        for outcome in reader.outcomes(run.number):
            by_member[_member(inventory, outcome.device)].append(outcome)
        for name, outcomes in sorted(by_member.items()):
            if member in (None, name):
                rows.append(_row(run, name, outcomes, proposals.get(run.plan), held))
    return rows


def _held(proposal: Record | None, answers: list[Answer]) -> dict[str, Answer]:
    """The answers that held for a plan."""
    return holding(answers, proposal["document"]["slices"]) if proposal else {}


def _member(inventory: Inventory, device: str) -> str:
    thing = inventory.devices.get(device)
    return inventory.sites[thing.site].member if thing else "?"


def _row(
    run: Run,
    member: str,
    outcomes: list[Outcome],
    proposal: Record | None,
    held: dict[str, Answer],
) -> Record:
    worst: dict[str, Result] = {}
    for outcome in outcomes:
        before = worst.get(outcome.device, Result.OK)
        worst[outcome.device] = max(before, outcome.result, key=_rank)
    counts = {name: sum(r.value == name for r in worst.values()) for name in _ASKED}
    answer = held.get(member)
    days = median_days(days_to_yes(proposal["at"], held.values())) if proposal else None
    return {
        "id": run.plan,
        "at": text_of(run.at),
        "member": member,
        "baselines": list(run.baselines),
        "devices": len(worst),
        "changed": counts["changed"],
        "unchanged": counts["ok"],
        "failed": counts["failed"] + counts["unreachable"] + counts["not_run"],
        "reverted": counts["reverted"],
        "ended": run.ended or "running",
        "duration_s": int((run.finished - run.at).total_seconds()) if run.finished else None,
        "by": run.actor,
        "decided_by": f"{answer.say.value}, {answer.role}" if answer else None,
        "decided_at": text_of(answer.at) if answer else None,
        "median_days_to_yes": None if days is None else round(days, 2),
    }


def _rank(result: Result) -> int:
    return _ASKED.index(result.value)
