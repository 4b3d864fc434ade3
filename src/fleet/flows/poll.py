"""One poll of everything: ask, turn answers into states and facts, keep them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING

from fleet.core.facts import SYSTEM, Facts, Finding, find_differences, read_uptime
from fleet.core.inventory import Device, Interface, Inventory
from fleet.core.moment import from_us
from fleet.core.states import Observation, Round, State, Step, Track, advance
from fleet.core.walk import Answer, Outcome, Silence
from fleet.flows.probe import full_question, read_answer, target_of

if TYPE_CHECKING:
    from fleet.snmp.engine import Question, SnmpEngine
    from fleet.store.store import Store

FACTS_EVERY = timedelta(days=1)


class Only(StrEnum):
    """What a poll may be narrowed to."""

    STATUS = "status"
    FACTS = "facts"


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPlan:
    """Whom to ask, and of whom to read all facts."""

    devices: tuple[Device, ...]
    with_facts: frozenset[str]
    known: frozenset[str]  # devices that have said something before


@dataclass(frozen=True, slots=True, kw_only=True)
class PollReport:
    """What a poll saw."""

    round: Round
    silences: tuple[Silence, ...]
    findings: tuple[Finding, ...]


def plan_poll(
    devices: Iterable[Device],
    *,
    tracks: Mapping[str, Track],
    fact_times: Mapping[str, int],
    only: Only | None,
    now: datetime,
) -> PollPlan:
    """Facts are read from devices that have said none for a day, or never."""
    asked = tuple(sorted((d for d in devices if d.is_polled), key=lambda d: d.name))
    match only:
        case Only.STATUS:
            wanted: set[str] = set()
        case Only.FACTS:
            wanted = {d.name for d in asked}
        case _:
            wanted = {d.name for d in asked if _is_due(fact_times.get(d.name), now)}
    # A device that was silent last time is asked for its status alone: a walk of it would wait.
    silent = {name for name, track in tracks.items() if track.failures}
    keep = wanted if only is Only.FACTS else wanted - silent
    return PollPlan(devices=asked, with_facts=frozenset(keep), known=frozenset(fact_times))


def _is_due(read_at_us: int | None, now: datetime) -> bool:
    return read_at_us is None or now - from_us(read_at_us) >= FACTS_EVERY


def poll(
    store: "Store",
    snmp: "SnmpEngine",
    plan: PollPlan,
    *,
    confirmations: int,
    interval: timedelta,
    clock: Callable[[], datetime],
    progress: Callable[[Outcome], None],
) -> PollReport:
    """Ask every device of the plan, and keep what was seen in one transaction.

    Args:
        confirmations: failed polls in a row until a device is down.
        interval: time between polls.
        progress: hears every outcome as it comes.
    """
    began = clock()
    outcomes: list[Outcome] = []

    def hear(outcome: Outcome) -> None:
        outcomes.append(outcome)
        progress(outcome)

    snmp.ask(_questions(plan), hear)
    outcomes.sort(key=lambda o: o.target)
    with store.reader() as reader:
        tracks = reader.tracks()
        inventory = reader.inventory()
    steps = [
        advance(tracks.get(o.target), seen, confirmations=confirmations, interval=interval)
        for o in outcomes
        if (seen := _observation(o)) is not None
    ]
    facts = [
        (o.target, o.at, read_answer(o))
        for o in outcomes
        # Tables that broke off do not replace what is known; they are asked for again.
        if isinstance(o, Answer)
        and o.target in plan.with_facts
        and not (o.unread and o.target in plan.known)
    ]
    summary = _summary(began, clock(), outcomes, steps)
    store.add_poll(steps, facts, summary)
    return PollReport(
        round=summary,
        silences=tuple(o for o in outcomes if isinstance(o, Silence)),
        findings=tuple(_findings(inventory, facts)),
    )


def _questions(plan: PollPlan) -> "Sequence[Question]":
    from fleet.snmp.engine import Question

    return [
        full_question(target_of(device))
        if device.name in plan.with_facts
        else Question(target=target_of(device), scalars=SYSTEM)
        for device in plan.devices
    ]


def _observation(outcome: Outcome) -> Observation | None:
    """What an outcome says of the device's state; None: the device could not be asked."""
    if isinstance(outcome, Answer):
        uptime = read_uptime(outcome.walk)
        return Observation(device=outcome.target, at=outcome.at, answered=True, uptime=uptime)
    if not outcome.was_asked:
        return None
    cause = outcome.detail or outcome.reason.value
    return Observation(device=outcome.target, at=outcome.at, answered=False, cause=cause)


def _summary(
    began: datetime,
    ended: datetime,
    outcomes: Sequence[Outcome],
    steps: Sequence[Step],
) -> Round:
    states = {step.track.device: step.track.state for step in steps}
    for outcome in outcomes:
        states.setdefault(outcome.target, State.UNKNOWN)
    counts = {state: sum(s is state for s in states.values()) for state in State}
    return Round(
        at=began,
        duration_us=(ended - began) // timedelta(microseconds=1),
        devices=len(outcomes),
        up=counts[State.UP],
        down=counts[State.DOWN],
        unreachable=counts[State.UNREACHABLE],
        unknown=counts[State.UNKNOWN],
        requests=sum(o.traffic.requests for o in outcomes),
        timeouts=sum(o.traffic.timeouts for o in outcomes),
    )


def _findings(
    inventory: Inventory, facts: Iterable[tuple[str, datetime, Facts]]
) -> Iterable[Finding]:
    declared: dict[str, list[Interface]] = {}
    for interface in inventory.interfaces.values():
        if not interface.retired:
            declared.setdefault(interface.device, []).append(interface)
    for name, _, found in facts:
        if device := inventory.devices.get(name):
            yield from find_differences(device, tuple(declared.get(name, ())), found)
