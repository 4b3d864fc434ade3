"""Running a plan: wave by wave, and only while the network around each wave stays well.

The journal says of each device how far it came, and is on the disk before and after every step
that touches it. Who takes over after a crash looks at the devices that were begun, and goes on.
"""

import json
import os
import socket
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from fleet.core.approval import Verdict
from fleet.core.desired import Desired
from fleet.core.inventory import Device, Inventory
from fleet.core.journal import FINAL, Stage, Step, answers_before, begun, latest
from fleet.core.observed import Difference
from fleet.core.rollout import FAILURES, Outcome, Plan, Result
from fleet.core.waves import CANARY, Wave
from fleet.flows.deploy import Planner, paths_of
from fleet.flows.hands import Hands
from fleet.flows.lock import is_dead
from fleet.flows.lookout import Answers, Lookout

if TYPE_CHECKING:
    from fleet.ansible.devices import Devices
    from fleet.settings import Deploy
    from fleet.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """What the face is told while a run goes on."""

    wave: Callable[[Wave, int], None]
    note: Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How a run ended.

    Args:
        ended: done, stopped, reverted or interrupted.
        waves_left: waves that were not begun.
        dark: devices that do not answer since, by the wave that was taken back for them.
    """

    number: int
    ended: str
    outcomes: Sequence[Outcome]
    skipped: Mapping[str, str]
    waves_left: Sequence[Wave] = ()
    dark: Collection[str] = ()


@dataclass(kw_only=True)
class Rollout:
    """One run of a plan.

    Args:
        desired: what devices are to have, by which the plan was made.
        judge: who may be touched at an instant.
        is_stopped: whether somebody asked for an end; the wave in hand is finished.
    """

    store: "Store"
    plan: Plan
    desired: Sequence[Desired]
    planner: Planner
    inventory: Inventory
    devices: "Devices"
    hands: Hands
    lookout: Lookout
    settings: "Deploy"
    judge: Callable[[datetime], Verdict]
    clock: Callable[[], datetime]
    actor: str
    tell: Tell
    is_stopped: Callable[[], bool]
    number: int = 0
    _outcomes: dict[str, list[Outcome]] = field(default_factory=dict)
    _skipped: dict[str, str] = field(default_factory=dict)
    _leased: tuple[str, ...] = ()
    _renewed: float = 0.0
    _begun_before: set[str] = field(default_factory=set)
    _seen_before: dict[str, frozenset[str]] = field(default_factory=dict)

    # --- the run

    def run(self, number: int | None = None) -> Report:
        """Go through the waves, until one is not well.

        Args:
            number: of a run that was broken off, which goes on.

        Raises:
            Locked: somebody else is changing one of the devices.
        """
        steps: list[Step] = []
        if number is None:
            self.number = self._begin()
        else:
            self.number = number
            with self.store.reader() as reader:
                steps = reader.steps(number)
        past = latest(steps)
        self._begun_before = begun(steps)
        self._seen_before = answers_before(steps)
        try:
            for place, wave in enumerate(self.plan.waves):
                if self.is_stopped():
                    return self._report("interrupted", self.plan.waves[place:])
                open_ = [d for d in wave.devices if d not in past or past[d].stage not in FINAL]
                ended, dark = self._wave(wave, open_) if open_ else (None, set())
                if ended is not None:
                    return self._finish(ended, self.plan.waves[place + 1 :], dark)
            return self._finish("done", (), ())
        finally:
            self.store.rollouts.release(self.number)

    def take_back(self, devices: Mapping[str, int]) -> Report:
        """Put devices back as they were before the plan, the last wave first.

        Args:
            devices: with the wave that changed them.

        Raises:
            Locked: somebody else is changing one of them.
        """
        self.number = self._begin()
        left = [w for w in reversed(self.plan.waves) if set(w.devices) & devices.keys()]
        try:
            for place, wave in enumerate(left):
                if self.is_stopped():
                    return self._report("interrupted", left[place:])
                mine = [name for name in wave.devices if name in devices]
                self._take(mine)
                self.tell.wave(wave, len(mine))
                before = self.lookout.look_before(mine)
                self._revert(wave, mine)
                if dark := self.lookout.watch(before, self.settings.settle_s, self.renew):
                    self.tell.note(self._say_dark(dark, wave))
                    return self._finish("stopped", left[place + 1 :], dark)
            ok = all(o.message == _TAKEN_BACK for m in self._outcomes.values() for o in m)
            return self._finish("done" if ok else "stopped", (), ())
        finally:
            self.store.rollouts.release(self.number)

    def _begin(self) -> int:
        return self.store.rollouts.begin(
            plan=self.plan.id,
            digest=self.plan.digest,
            baselines=self.plan.baselines,
            actor=self.actor,
            at=self.clock(),
        )

    def _finish(self, ended: str, left: Sequence[Wave], dark: Collection[str]) -> Report:
        self.store.rollouts.finish(self.number, ended, self.clock())
        return replace(self._report(ended, left), dark=tuple(sorted(dark)))

    def _report(self, ended: str, left: Sequence[Wave]) -> Report:
        return Report(
            number=self.number,
            ended=ended,
            outcomes=[o for mine in self._outcomes.values() for o in mine],
            skipped=dict(self._skipped),
            waves_left=tuple(left),
        )

    # --- one wave

    def _wave(self, wave: Wave, open_: Sequence[str]) -> tuple[str | None, set[str]]:
        """Change the devices of a wave; how the run ends by it, and who is dark."""
        mine = self._may(wave, open_)
        if not mine:
            return None, set()
        self._take(mine)
        self.tell.wave(wave, len(mine))
        now = self.lookout.look_before(mine)
        mine = self._answering(wave, mine, now)
        # Who answered before a run that was broken off has to answer again.
        before = {
            name: ways | self._seen_before.get(name, frozenset()) for name, ways in now.items()
        }
        mine, is_done = self._as_planned(wave, mine)
        if not mine and not is_done:
            return ("stopped" if self._has_failed(wave) else None), set()
        for name in mine:
            before[name] = before[name] - {"snmp"}  # the change itself may concern it
        changed = self._change(wave, mine, before) if mine else []
        dark = self.lookout.watch(before, self.settings.settle_s, self.renew)
        if dark:
            self.tell.note(self._say_dark(dark, wave))
            left = self._revert(wave, [*changed, *is_done])
            # Who cannot be reached takes it back by itself, as nobody confirms it.
            patience = self.settings.confirm_s + 30 if left else _PATIENCE_S
            still = self.lookout.wait(before, {*dark, *left}, patience, self.renew)
            self._revert(wave, [name for name in left if name not in still])
            return "reverted", still
        if wave.why == CANARY and changed and not self._is_idempotent(wave, changed):
            self._revert(wave, [*changed, *is_done])
            return "reverted", set()
        self._confirm(wave, [*changed, *is_done])
        self.store.rollouts.release(self.number)
        return ("stopped" if self._has_failed(wave) else None), set()

    def _may(self, wave: Wave, names: Sequence[str]) -> list[str]:
        """The devices that may be touched now, by their members' answers and windows."""
        verdict = self.judge(self.clock())
        found = []
        for name in names:
            reason = verdict.waiting.get(self._member(name)) or verdict.devices.get(name)
            if reason is None:
                found.append(name)
                self._skipped.pop(name, None)
            else:
                self._skipped[name] = f"{self._member(name)} {reason}"
        return found

    def _answering(self, wave: Wave, names: Sequence[str], before: Answers) -> list[str]:
        """The devices that answer; what was dark before is not touched."""
        silent = [n for n in names if "tcp" not in before[n]]
        for name in silent:
            self._fail(wave, name, Result.UNREACHABLE, "it did not answer before the change")
        self._write(wave, silent, Stage.FAILED, "it did not answer before the change")
        return [n for n in names if n not in silent]

    def _as_planned(self, wave: Wave, names: Sequence[str]) -> tuple[list[str], list[str]]:
        """Who is still as the plan saw it, and who was already brought there by this run.

        What is otherwise than planned is left alone: nobody has agreed to that difference.
        """
        mine = [d for d in self.desired if d.device in set(names)]
        observed = self.devices.read(paths_of(mine, self.inventory))
        as_planned, done = [], []
        for name in names:
            items = [d for d in mine if d.device == name]
            differences = [self.planner.compare(d, observed[name]) for d in items]
            if error := observed[name].error:
                self._fail(wave, name, Result.UNREACHABLE, error)
                self._write(wave, [name], Stage.FAILED, error)
            elif not any(d.is_needed for d in differences):
                if name in self._begun_before:
                    done.append(name)
                    self._outcomes[name] = self._all(wave, name, Result.CHANGED)
                else:
                    self._outcomes[name] = self._all(wave, name, Result.OK)
                    self._write(wave, [name], Stage.SAME)
            elif self._differs_from_plan(name, differences):
                reason = "it was changed by somebody else after the plan was made"
                self._fail(wave, name, Result.NOT_RUN, reason)
                self._write(wave, [name], Stage.FAILED, reason)
            else:
                as_planned.append(name)
        self.hands.keep_before(as_planned, observed)
        return as_planned, done

    def _differs_from_plan(self, name: str, differences: Sequence[Difference]) -> bool:
        """Whether something would change that nobody has seen in the plan."""
        planned = self._planned_states(name)
        now = {d.baseline: d.state for d in differences if d.is_needed}
        return any(planned.get(baseline) != state for baseline, state in now.items())

    def _change(self, wave: Wave, names: Sequence[str], before: Answers) -> list[str]:
        """Change devices; those that were changed."""
        said = json.dumps({name: sorted(ways) for name, ways in before.items()})
        self._write(wave, names[:1], Stage.BEGUN, said)
        self._write(wave, names[1:], Stage.BEGUN)
        needed = {name: list(self._planned_states(name)) for name in names}
        outcomes = self.hands.apply(wave, needed, self.renew)
        by_device: dict[str, list[Outcome]] = defaultdict(list)
        for outcome in outcomes:
            by_device[outcome.device].append(outcome)
        self._outcomes |= by_device
        failed = {n for n, mine in by_device.items() if any(o.failed for o in mine)}
        for name in sorted(failed):
            said = next((o.message for o in by_device[name] if o.message), "it was not run")
            self._write(wave, [name], Stage.FAILED, said)
        changed = [n for n in names if n not in failed]
        self._write(wave, changed, Stage.CHANGED)
        self.store.rollouts.add_outcomes(self.number, outcomes)
        return changed

    def _is_idempotent(self, wave: Wave, names: Sequence[str]) -> bool:
        """Whether a second run would change nothing."""
        again = self.hands.changing_again(wave, names)
        if again:
            self.tell.note(f"a second run would change {', '.join(again[:5])} again")
        return not again

    def _revert(self, wave: Wave, names: Sequence[str]) -> list[str]:
        """Put devices back as they were; those where that did not succeed."""
        if not names:
            return []
        self.tell.note(f"wave {wave.number} is taken back")
        failed = self.hands.put_back(wave, names, self.renew)
        for name in names:
            if said := failed.get(name):
                self._fail(wave, name, Result.FAILED, f"it was not put back: {said}")
                self._write(wave, [name], Stage.CHANGED, said)
            else:
                self._fail(wave, name, Result.REVERTED, _TAKEN_BACK)
                self._write(wave, [name], Stage.REVERTED, _TAKEN_BACK)
        outcomes = [o for n in names for o in self._outcomes[n]]
        self.store.rollouts.add_outcomes(self.number, outcomes)
        return [name for name in names if name in failed]

    def _confirm(self, wave: Wave, names: Sequence[str]) -> None:
        """Let the change stay on devices."""
        failed = self.hands.confirm(names)
        for name, reason in failed.items():
            self._fail(wave, name, Result.FAILED, f"it could not be told to keep it: {reason}")
            self._write(wave, [name], Stage.FAILED, reason)
        self._write(wave, [n for n in names if n not in failed], Stage.DONE)
        outcomes = [o for mine in self._outcomes.values() for o in mine]
        self.store.rollouts.add_outcomes(
            self.number, [o for o in outcomes if o.wave == wave.number]
        )

    # --- keeping

    def _write(
        self, wave: Wave, names: Sequence[str], stage: Stage, message: str | None = None
    ) -> None:
        at = self.clock()
        self.store.rollouts.write(
            self.number,
            [Step(wave=wave.number, device=n, stage=stage, at=at, message=message) for n in names],
        )

    def _fail(self, wave: Wave, name: str, result: Result, message: str) -> None:
        self._outcomes[name] = self._all(wave, name, result, message)
        self.store.rollouts.add_outcomes(self.number, self._outcomes[name])

    def _all(
        self, wave: Wave, name: str, result: Result, message: str | None = None
    ) -> list[Outcome]:
        return [
            Outcome(wave=wave.number, baseline=b, device=name, result=result, message=message)
            for b in self._planned_states(name)
        ]

    def _has_failed(self, wave: Wave) -> bool:
        return any(o.result in FAILURES for n in wave.devices for o in self._outcomes.get(n, ()))

    def _say_dark(self, dark: Collection[str], wave: Wave) -> str:
        sites = sorted({self._device(name).site for name in dark})
        names = ", ".join(sorted(dark)[:5]) + (" …" if len(dark) > 5 else "")
        return f"after wave {wave.number} dark: {names} (sites: {', '.join(sites)})"

    # --- locks

    def _take(self, names: Sequence[str]) -> None:
        self._leased = tuple(names)
        self._renewed = 0.0
        self.renew()

    def renew(self) -> None:
        """Lengthen the locks when a third of their time is over."""
        if not self._leased or time.monotonic() - self._renewed < self.settings.lease_s / 3:
            return
        self._renewed = time.monotonic()
        holder = (self.actor, socket.gethostname(), os.getpid())
        lease = timedelta(seconds=self.settings.lease_s)
        self.store.rollouts.take(self.number, self._leased, holder, self.clock(), lease, is_dead)

    # --- looking up

    def _device(self, name: str) -> Device:
        return self.inventory.devices[name]

    def _member(self, name: str) -> str:
        return self.inventory.sites[self._device(name).site].member

    def _planned_states(self, name: str) -> Mapping[str, str]:
        return self._states.get(name, {})

    @cached_property
    def _states(self) -> Mapping[str, Mapping[str, str]]:
        """Per device, the baselines that change it, and what was seen of each."""
        found: dict[str, dict[str, str]] = defaultdict(dict)
        for item in self.plan.items:
            found[item.device][item.baseline] = item.state
        return found


_PATIENCE_S = 30.0  # until devices answer again that nothing stands in the way of
_TAKEN_BACK = "it was put back as it was"
