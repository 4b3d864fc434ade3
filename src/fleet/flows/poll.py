"""One poll: ask, see what explains what, turn answers into states and facts, keep them."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fleet.core.conditions import BATTERY, LOW, ON_BATTERY, Condition, Sighting, port_of
from fleet.core.facts import (
    Finding,
    find_differences,
    read_boots,
    read_uptime,
)
from fleet.core.facts.followed import Followed, look_at, sightings_of
from fleet.core.inventory import Interface, Inventory
from fleet.core.limits import look_at_limits
from fleet.core.metric.reading import Sample
from fleet.core.rootcause import Explanation, Port, explain, find_near_ports
from fleet.core.states import FAILING, Observation, Round, State, Verdict
from fleet.core.topology import Network
from fleet.core.walk import Answer, Outcome, Silence
from fleet.flows.poll_plan import (
    METRICS_EVERY,
    Before,
    Method,
    PollPlan,
    question_of_parts,
    questions_of,
)
from fleet.flows.probe import read_answer

if TYPE_CHECKING:
    from fleet.flows.measure import Metering
    from fleet.snmp.engine import Question, SnmpEngine
    from fleet.store.said import Said
    from fleet.store.store import Store

_BATTERY_COUNTS_FOR = timedelta(hours=12)  # a silent UPS that was last seen on its battery


@dataclass(frozen=True, slots=True, kw_only=True)
class PollReport:
    """What a poll saw.

    Args:
        is_cut_off: the poller itself was; nothing was learned of the devices.
        forgotten: earlier polls that a clock which was ahead had put into the future.
        measured: what was measured, by device.
        trouble: why what was measured could not be kept.
    """

    round: Round
    silences: tuple[Silence, ...]
    findings: tuple[Finding, ...]
    rebooted: tuple[str, ...]
    is_cut_off: bool
    forgotten: int
    measured: Mapping[str, Sample] = field(default_factory=dict)
    trouble: str | None = None


class Poller:
    """Polls, as often as it is told; keeps the network's form while the inventory stays.

    Args:
        clock: now.
        credentials: those that the engine can ask with.
        metering: what keeps measurements; None: nothing is measured.
    """

    def __init__(
        self,
        store: "Store",
        snmp: "SnmpEngine",
        method: Method,
        clock: Callable[[], datetime],
        credentials: Collection[str],
        metering: "Metering | None" = None,
    ) -> None:
        self._metering = metering
        self._store = store
        self._credentials = frozenset(credentials)
        self._snmp = snmp
        self._method = method
        self._clock = clock
        self._network: Network | None = None
        self._form = -1  # number of the history's entry that the network was made at

    def poll(
        self,
        plan: PollPlan,
        before: Before,
        *,
        progress: Callable[[Outcome], None] = lambda _: None,
        spread_s: float = 0.0,
        asking: AbstractContextManager[None] | None = None,
    ) -> PollReport:
        """Ask every device of the plan, and keep what was seen in one transaction.

        Args:
            progress: hears every outcome as it comes.
            spread_s: over how long the questions are spread.
            asking: entered while devices are asked; leaving it with an error keeps nothing.
        """
        began = self._clock()
        network = self._look_up_network()
        with asking or nullcontext():
            questions = questions_of(plan, before, self._method, began, self._metering)
            outcomes = self._ask(questions, progress, spread_s)
        answers = {o.target: o for o in outcomes if isinstance(o, Answer)}
        said = [(n, a.at, read_answer(a)) for n, a in answers.items() if n in plan.with_facts]
        # Tables that broke off do not replace what is known; they are asked for again tomorrow.
        tried = [n for n, _, _ in said if answers[n].unread and n in plan.known]
        facts = [one for one in said if one[0] not in tried]
        sightings = _look(plan, before, answers, said)
        is_cut_off = self.is_cut_off(outcomes, network.inventory)
        observations, extra = self._observe(outcomes, network, before, sightings, is_cut_off)
        summary = Round(
            at=began,
            duration_us=(self._clock() - began) // timedelta(microseconds=1),
            devices=len(outcomes),
            requests=sum(o.traffic.requests for o in (*outcomes, *extra)),
            timeouts=sum(o.traffic.timeouts for o in (*outcomes, *extra)),
        )
        measured, trouble = self._measure(plan, answers, began)
        sightings += self._beyond(network.inventory, measured, answers, before)
        kept = self._store.add_poll(
            observations,
            summary,
            confirmations=self._method.confirmations,
            interval=self._method.interval,
            facts=facts,
            sightings=sightings,
            tried=tried,
            forget=self._method.forget_future,
        )
        return PollReport(
            round=kept.round,
            silences=tuple(o for o in outcomes if isinstance(o, Silence)),
            findings=tuple(_findings(network.inventory, facts)),
            rebooted=kept.rebooted,
            is_cut_off=is_cut_off,
            forgotten=kept.forgotten,
            measured=measured,
            trouble=trouble,
        )

    def _measure(
        self, plan: PollPlan, answers: Mapping[str, Answer], began: datetime
    ) -> tuple[Mapping[str, Sample], str | None]:
        """Keep what was measured."""
        if self._metering is None:
            return {}, None
        wanted = {name: answers[name] for name in answers.keys() & plan.measured}
        return self._metering.record(wanted, began)

    def _beyond(
        self,
        inventory: Inventory,
        measured: Mapping[str, Sample],
        answers: Mapping[str, Answer],
        before: Before,
    ) -> list[Sighting]:
        """What of the devices is beyond its limits, or was."""
        states: dict[str, dict[str, Condition]] = {}
        for condition in before.conditions:
            states.setdefault(condition.device, {})[condition.subject] = condition
        return [
            seen
            for name, sample in measured.items()
            if name in inventory.devices
            for seen in look_at_limits(
                name,
                inventory.devices[name].role,
                answers[name].at,
                sample,
                self._method.limits,
                states.get(name, {}),
                is_whole=not answers[name].unread,
            )
        ]

    def _look_up_network(self) -> Network:
        with self._store.reader() as reader:
            form = reader.last_change()
            if self._network is None or form != self._form:
                self._network = Network(reader.inventory(), self._method.from_site)
                self._form = form
        return self._network

    @property
    def inventory(self) -> Inventory:
        """The joint inventory as it is now."""
        return self._look_up_network().inventory

    def _ask(
        self,
        questions: "Sequence[Question]",
        progress: Callable[[Outcome], None],
        spread_s: float = 0.0,
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []

        def hear(outcome: Outcome) -> None:
            outcomes.append(outcome)
            progress(outcome)

        self._snmp.ask(questions, hear, spread_s=spread_s)
        outcomes.sort(key=lambda o: o.target)
        return outcomes

    def is_cut_off(self, outcomes: Iterable[Outcome], inventory: Inventory) -> bool:
        """Whether the poller itself is: neither its own way out nor any other site answered."""
        here = self._method.from_site
        if here is None or here not in inventory.sites:
            return False
        edges = inventory.edge_devices.get(here, frozenset())
        sites: set[str] = set()
        for outcome in outcomes:
            device = inventory.devices.get(outcome.target)
            if device is None or not _was_asked(outcome):
                continue
            is_elsewhere = device.site != here
            if isinstance(outcome, Answer) and (is_elsewhere or device.name in edges):
                return False
            if is_elsewhere:
                sites.add(device.site)
        return len(sites) >= 2

    def _observe(
        self,
        outcomes: Sequence[Outcome],
        network: Network,
        before: Before,
        sightings: list[Sighting],
        is_cut_off: bool,
    ) -> tuple[list[Observation], list[Outcome]]:
        """The observations; and what was asked besides, to tell a link from a device."""
        if is_cut_off:
            lost = [_observation(o, None) for o in outcomes if _was_asked(o)]
            return [replace(seen, verdict=Verdict.LOST) for seen in lost], []
        if self._method.from_site not in network.inventory.sites:
            # Nobody said where the poller stands, so nothing is behind anything.
            return [_observation(o, None) for o in outcomes if _was_asked(o)], []
        now = self._clock()
        silent, answering = _standing(outcomes, before, now, self._method.interval)
        extra = self._look_at_near_ports(network, before, silent, answering, sightings)
        recent = now - 3 * METRICS_EVERY * self._method.interval
        explained = explain(
            network,
            silent=silent,
            answering=answering,
            ports_down=_ports_down(before.conditions, sightings, recent),
            on_battery=_on_battery(before.conditions, sightings, now - _BATTERY_COUNTS_FOR),
        )
        return [_observation(o, explained.get(o.target)) for o in outcomes if _was_asked(o)], extra

    def _look_at_near_ports(
        self,
        network: Network,
        before: Before,
        silent: Collection[str],
        answering: Collection[str],
        sightings: list[Sighting],
    ) -> list[Outcome]:
        """Asks those who answer for their ports towards those who do not, if not known by now."""
        looked = {(s.device, port_of(s.subject)) for s in sightings}
        parts: dict[str, list[Followed]] = defaultdict(list)
        for device, key in find_near_ports(network, silent, answering):
            if (device, key) not in looked:
                parts[device] += [
                    part for part in before.followed.get(device, ()) if port_of(part.subject) == key
                ]
        devices = network.inventory.devices
        questions = [
            question_of_parts(devices[name], own)
            for name, own in parts.items()
            if own and devices[name].credential in self._credentials
        ]
        outcomes = self._ask(questions, lambda _: None)
        for outcome in outcomes:
            if isinstance(outcome, Answer):
                own = parts[outcome.target]
                sightings += look_at(outcome.target, outcome.at, outcome.walk, own)
        return outcomes


def _was_asked(outcome: Outcome) -> bool:
    return isinstance(outcome, Answer) or outcome.was_asked


def _look(
    plan: PollPlan, before: Before, answers: Mapping[str, Answer], facts: "Iterable[Said]"
) -> list[Sighting]:
    """What the answers say of ports and batteries."""
    found: list[Sighting] = []
    for name in plan.with_parts:
        if answer := answers.get(name):
            found += look_at(name, answer.at, answer.walk, before.followed[name])
    for name, at, said in facts:
        keys = [key for part in before.followed.get(name, ()) if (key := port_of(part.subject))]
        found += sightings_of(name, at, said, keys)
    return found


def _observation(outcome: Outcome, why: Explanation | None) -> Observation:
    """What an outcome says of the device's state."""
    if isinstance(outcome, Answer):
        return Observation(
            device=outcome.target,
            at=outcome.at,
            verdict=Verdict.ANSWERED,
            uptime=read_uptime(outcome.walk),
            boots=read_boots(outcome.walk),
        )
    return Observation(
        device=outcome.target,
        at=outcome.at,
        verdict=Verdict.BEHIND if why and why.is_behind else Verdict.SILENT,
        root=str(why.root) if why else None,
        cause=outcome.detail or outcome.reason.value,
    )


def _standing(
    outcomes: Iterable[Outcome], before: Before, now: datetime, interval: timedelta
) -> tuple[set[str], set[str]]:
    """Who is silent and who answers: by this poll, or for the others by what is known still."""
    silent: set[str] = set()
    answering: set[str] = set()
    asked = set()
    for outcome in outcomes:
        if _was_asked(outcome):
            asked.add(outcome.target)
            (answering if isinstance(outcome, Answer) else silent).add(outcome.target)
    for name, track in before.tracks.items():
        known = track.at(now, interval)
        if name in asked or known.state is State.UNKNOWN:
            continue
        is_failing = known.state in FAILING or known.failures
        (silent if is_failing else answering).add(name)
    return silent, answering


def _ports_down(
    conditions: Iterable[Condition], sightings: Iterable[Sighting], recent: datetime
) -> set[Port]:
    states = {
        (c.device, key): c.state
        for c in conditions
        if (key := port_of(c.subject)) is not None and c.last_at >= recent
    }
    for seen in sightings:
        if (key := port_of(seen.subject)) is not None:
            states[seen.device, key] = seen.state
    return {port for port, state in states.items() if state == "down"}


def _on_battery(
    conditions: Iterable[Condition], sightings: Iterable[Sighting], recent: datetime
) -> set[str]:
    states = {c.device: c.state for c in conditions if c.subject == BATTERY and c.last_at >= recent}
    states |= {s.device: s.state for s in sightings if s.subject == BATTERY}
    return {device for device, state in states.items() if state in (ON_BATTERY, LOW)}


def _findings(inventory: Inventory, facts: "Iterable[Said]") -> Iterable[Finding]:
    declared: dict[str, list[Interface]] = {}
    for interface in inventory.interfaces.values():
        if not interface.retired:
            declared.setdefault(interface.device, []).append(interface)
    for name, _, found in facts:
        if device := inventory.devices.get(name):
            yield from find_differences(device, tuple(declared.get(name, ())), found)
