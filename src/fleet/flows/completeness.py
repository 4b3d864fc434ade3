"""Gathering how far the inventory may be trusted."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING

from fleet.core.adoption import percent
from fleet.core.approval import Say, holding
from fleet.core.completeness import Known, Measure, ages, measures
from fleet.core.inventory import Device, Inventory
from fleet.core.record import Record
from fleet.core.rollout import Result
from fleet.core.states import State
from fleet.flows.books import Books

if TYPE_CHECKING:
    from fleet.store.reader import Reader

_DONE = (Result.OK, Result.CHANGED)
_LOGS = "syslog"


def gather(reader: "Reader", inventory: Inventory, books: Books) -> Known:
    """What is known beside the inventory."""
    proposals = {p["id"]: p["document"]["slices"] for p in reader.proposals()}
    answers = reader.answers()
    ruled: dict[str, set[str]] = defaultdict(set)
    decided: dict[str, bool] = {}
    for run in reader.runs():
        held = holding(answers, proposals.get(run.plan, {}))
        for outcome in reader.outcomes(run.number):
            if outcome.result in _DONE:
                ruled[outcome.device].add(outcome.baseline)
            if outcome.result is Result.CHANGED:
                device = inventory.devices.get(outcome.device)
                answer = held.get((inventory.member_of(device) if device else None) or "")
                decided[outcome.device] = answer is not None and answer.say is Say.YES
    answered = {name for name, track in reader.tracks().items() if track.state is not State.UNKNOWN}
    return Known(
        seen=answered | set(reader.fact_times()),
        facts={name: facts for name, (_, facts) in reader.facts().items()},
        models=books.models,
        ruled=ruled.keys(),
        differing={device for device, _ in reader.drift()},
        decided=decided,
        logging={device for device, baselines in ruled.items() if _LOGS in baselines},
    )


def completeness(inventory: Inventory, known: Known, devices: Sequence[Device]) -> list[Record]:
    """A row for each measure, with what is missing."""
    return [_row(one) for one in measures(inventory, devices, known)]


def _row(one: Measure) -> Record:
    return {
        "principle": one.principle.value,
        "measure": one.name,
        "have": one.all - len(one.missing),
        "of": one.all,
        "percent": percent(one.share),
        "missing": list(one.missing),
    }


def counts(
    inventory: Inventory, known: Known, devices: Iterable[Device], by: str, this_year: int
) -> list[Record]:
    """Devices in use by member, kind, role or age, and how many of them can be trusted."""
    groups = _groups(inventory, [d for d in devices if d.is_polled], by, this_year)
    rows = []
    for name, mine in sorted(groups.items()):
        rows.append(
            {
                by: name,
                "devices": len(mine),
                "no_serial": sum(not d.serial for d in mine),
                "never_seen": sum(d.name not in known.seen for d in mine),
                "no_room": sum(not d.room for d in mine),
                "no_contract": sum(not d.contract for d in mine),
                "no_model": sum(not d.model for d in mine),
            }
        )
    return rows


def _groups(
    inventory: Inventory, devices: Sequence[Device], by: str, this_year: int
) -> dict[str, list[Device]]:
    if by == "age":
        return ages(devices, this_year)
    names: dict[str, Callable[[Device], str]] = {
        "member": lambda d: inventory.sites[d.site].member,
        "kind": lambda d: inventory.sites[d.site].kind.value,
        "role": lambda d: d.role,
    }
    found: dict[str, list[Device]] = defaultdict(list)
    for device in devices:
        found[names[by](device)].append(device)
    return found
