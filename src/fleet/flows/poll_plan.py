"""What a poll asks: whom, and what of whom."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from typing import TYPE_CHECKING

from fleet.core.conditions import Condition
from fleet.core.facts import ENGINE_BOOTS, SYS_UP_TIME
from fleet.core.facts.followed import Followed, scalars_of, tables_of
from fleet.core.inventory import Device
from fleet.core.limit import Limits
from fleet.core.moment import from_us
from fleet.core.states import Track
from fleet.core.walk import Oid, Walk
from fleet.flows.probe import full_question, target_of

if TYPE_CHECKING:
    from fleet.flows.measure import Metering
    from fleet.snmp.engine import Further, Question
    from fleet.store.reader import Reader

FACTS_EVERY = timedelta(days=1)
METRICS_EVERY = 5  # cycles
_OF_NOW, _OF_NOW_CYCLES = timedelta(hours=1), 3


class Only(StrEnum):
    """What a poll may be narrowed to."""

    STATUS = "status"
    METRICS = "metrics"
    FACTS = "facts"


@dataclass(frozen=True, slots=True, kw_only=True)
class PollPlan:
    """Whom to ask, and what of whom.

    Args:
        with_facts: of whom all facts are read.
        with_parts: whose ports and batteries are looked at.
        measured: whose counters and gauges are read.
        known: who has said something before.
    """

    devices: tuple[Device, ...]
    with_facts: frozenset[str] = frozenset()
    with_parts: frozenset[str] = frozenset()
    measured: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How polls become states.

    Args:
        confirmations: failed polls in a row until a device is down.
        interval: time between polls.
        from_site: where the poller stands.
        without_boots: credentials whose devices are not asked for their engine's boots: in
            version 1 one unknown name spoils the whole answer.
        forget_future: polls that are dated later than now are wrong, however many.
        limits: of what is measured.
    """

    confirmations: int
    interval: timedelta
    from_site: str | None = None
    without_boots: frozenset[str] = frozenset()
    forget_future: bool = False
    limits: Limits = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What is known when a poll begins."""

    tracks: Mapping[str, Track]
    fact_times: Mapping[str, int]
    boots: Mapping[str, int]  # when it was last seen that a device had started anew
    followed: Mapping[str, Sequence[Followed]]
    conditions: Sequence[Condition]


def of_now(interval: timedelta) -> timedelta:
    """For how long what was measured tells how it is now.

    Args:
        interval: of polls.
    """
    return max(_OF_NOW, _OF_NOW_CYCLES * METRICS_EVERY * interval)


def read_before(reader: "Reader") -> Before:
    """What the database knows when a poll begins."""
    followed: dict[str, list[Followed]] = defaultdict(list)
    for device, subject, number, name in reader.followed():
        followed[device].append(Followed(subject, number, name))
    return Before(
        tracks=reader.tracks(),
        fact_times=reader.fact_times(),
        boots=reader.boots_seen(),
        followed=followed,
        conditions=reader.conditions(),
    )


def plan_poll(
    devices: Iterable[Device],
    before: Before,
    *,
    only: Only | None,
    now: datetime,
    method: Method,
    cycle: int | None = None,
    metering: "Metering | None" = None,
) -> PollPlan:
    """Facts once a day and after a reboot; ports, batteries and counters in every fifth cycle.

    Args:
        metering: what measures; None: nothing is measured.
        cycle: its number, from 0, where polling goes on; None: the time since the last one tells.
    """
    asked = tuple(sorted((d for d in devices if d.is_polled), key=lambda d: d.name))
    names = {d.name for d in asked}
    # A device that was silent last time is asked for its status alone: a walk of it would wait.
    silent = {name for name, track in before.tracks.items() if track.failures}
    facts: set[str] = set()
    parts: set[str] = set()
    measured: set[str] = set()
    match only:
        case Only.STATUS:
            pass
        case Only.FACTS:
            facts = names
        case Only.METRICS:
            parts = names & before.followed.keys()
            measured = names
        case None:
            facts = {name for name in names - silent if _is_due(name, before, now)}
            due = _with_parts_due(before, now, method.interval, cycle)
            parts = (names & before.followed.keys() & due) - silent
            measured = names - silent
            if metering is not None and cycle is None:
                measured = metering.due(measured, _five_cycles_before(now, method.interval), now)
            elif cycle is not None and cycle % METRICS_EVERY:
                measured = set()
    return PollPlan(
        devices=asked,
        with_facts=frozenset(facts),
        with_parts=frozenset(parts - facts),
        measured=frozenset(measured if metering is not None else ()),
        known=frozenset(before.fact_times),
    )


def _is_due(name: str, before: Before, now: datetime) -> bool:
    read_at = before.fact_times.get(name)
    if read_at is None or read_at <= before.boots.get(name, 0):
        return True
    return now - from_us(read_at) >= FACTS_EVERY


def _with_parts_due(
    before: Before, now: datetime, interval: timedelta, cycle: int | None
) -> set[str]:
    """The devices whose parts were last looked at five cycles ago.

    Half a cycle early rather than a whole one late; and by the part that was looked at longest
    ago, as single ports are looked at besides.
    """
    if cycle is not None:
        return set(before.followed) if cycle % METRICS_EVERY == 0 else set()
    last: dict[str, datetime] = {}
    for c in before.conditions:
        last[c.device] = min(c.last_at, last.get(c.device, c.last_at))
    limit = _five_cycles_before(now, interval)
    return {name for name in before.followed if name not in last or last[name] <= limit}


def _five_cycles_before(now: datetime, interval: timedelta) -> datetime:
    return now - METRICS_EVERY * interval + interval / 2


def questions_of(
    plan: PollPlan,
    before: Before,
    method: Method,
    now: datetime,
    metering: "Metering | None" = None,
) -> "Sequence[Question]":
    """One question for each device of the plan; its status is one packet."""
    from fleet.snmp.engine import Question

    found = []
    for device in plan.devices:
        name = device.name
        boots = () if device.credential in method.without_boots else (ENGINE_BOOTS,)
        first: tuple[Oid, ...] = (SYS_UP_TIME, *boots)
        further: list[Callable[[Walk], Further]] = []
        if name in plan.with_facts:
            full = full_question(target_of(device))
            first = full.scalars
            further += [full.further] if full.further else []
        elif name in plan.with_parts:
            further.append(partial(_parts_of, before.followed[name]))
        if metering is not None and name in plan.measured:
            first = tuple(dict.fromkeys((*first, *boots, *metering.first_of(name, now))))
            further.append(partial(metering.more_of, name, now))
        found.append(
            Question(
                target=target_of(device),
                scalars=first,
                further=partial(_all_of, further) if further else None,
            )
        )
    return found


def _all_of(further: "Sequence[Callable[[Walk], Further]]", walk: Walk) -> "Further":
    """Several questions as one: each table once."""
    from fleet.snmp.engine import Further

    asked = [one(walk) for one in further]
    tables = {table.name: table for one in asked for table in one.tables}
    scalars = dict.fromkeys(name for one in asked for name in one.scalars)
    return Further(scalars=tuple(scalars), tables=tuple(tables.values()))


def question_of_parts(device: Device, parts: Sequence[Followed]) -> "Question":
    """Asks a device for some of its parts alone."""
    from fleet.snmp.engine import Question

    return Question(target=target_of(device), scalars=scalars_of(parts))


def _parts_of(parts: Sequence[Followed], _walk: Walk) -> "Further":
    from fleet.snmp.engine import Further

    return Further(scalars=scalars_of(parts), tables=tables_of(parts))
