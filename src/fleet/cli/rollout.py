"""Running a plan from the command line: Ctrl-C, progress, and what is told while it goes on."""

import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from fleet.app import App
from fleet.cli.deploy_view import some
from fleet.cli.show import count_of, note, say
from fleet.core.approval import Verdict
from fleet.core.journal import Run
from fleet.core.record import Record
from fleet.core.secrets import references_in
from fleet.core.waves import Wave
from fleet.errors import NoSecret, NotConfirmed, NotFound, NotPermitted
from fleet.flows.change import find_proposal, verdict_of
from fleet.flows.deploy import Prepared
from fleet.flows.lock import lock

if TYPE_CHECKING:
    from fleet.ansible.runner import Event, Runner
    from fleet.flows.lookout import Lookout
    from fleet.flows.rollout import Report, Rollout
    from fleet.store.store import Store


def run(fleet: App, made: Prepared, number: int | None = None) -> "Report":
    """Run a plan, or go on with a run of it.

    Raises:
        NoSecret: a secret that a baseline refers to is not to be had.
        NotPermitted: too few members agreed.
    """
    fleet.secrets.require(references_in(text for d in made.desired for text in d.texts()))
    verdict = _judge(fleet, made, fleet.now())
    if verdict.refused or not verdict.may:
        why = verdict.refused or "no member whose devices it touches has said yes"
        raise NotPermitted(
            f"the change {made.plan.id} may not run: {why}",
            hint=f"fleet change show {made.plan.id}; then: fleet change approve {made.plan.id} …",
        )
    with _stoppable() as is_stopped, fleet.store() as store:
        return _rollout(fleet, made, store, is_stopped).run(number)


def _rollout(fleet: App, made: Prepared, store: "Store", is_stopped: Any) -> "Rollout":
    from fleet.flows.hands import Hands
    from fleet.flows.rollout import Rollout, Tell

    planner = fleet.planner(reads=True)
    devices = fleet.devices
    references = references_in(text for d in made.desired for text in d.texts())
    hands = Hands(
        change=made.plan.id,
        inventory=planner.inventory,
        desired=made.desired,
        runner=_runner(fleet, made.plan.id),
        devices=devices,
        vault=fleet.vault,
        secrets=fleet.secrets.values(references),
        confirm_s=fleet.workspace.settings.deploy.confirm_s,
        hear=_tell_event,
    )
    return Rollout(
        store=store,
        plan=made.plan,
        desired=made.desired,
        planner=planner,
        inventory=planner.inventory,
        devices=devices,
        hands=hands,
        lookout=_lookout(fleet, planner.network),
        settings=fleet.workspace.settings.deploy,
        judge=lambda now: _judge(fleet, made, now),
        clock=fleet.now,
        actor=fleet.actor,
        tell=Tell(wave=_tell_wave, note=note),
        is_stopped=is_stopped,
    )


def _judge(fleet: App, made: Prepared, now: datetime) -> Verdict:
    """Who may be touched at an instant, by the answers that are there then."""
    reader = fleet.reader
    answers = reader.answers() if reader else []
    settings = fleet.workspace.settings.approval
    return verdict_of(settings, made.plan, fleet.inventory(), answers, now)


def resume_run(
    fleet: App, plan: str | None = None
) -> "tuple[Prepared, Report] | tuple[None, None]":
    """Go on with the last run, of a plan or of any, that did not come to its end."""
    runs = [r for r in fleet.reader.runs() if r.finished is None] if fleet.reader else []
    runs = [r for r in runs if plan in (None, r.plan)]
    if not runs:
        return None, None
    with lock(fleet.workspace.state, "deploy", "rollout", fleet.actor):
        made = reopen(fleet, runs[-1])
        note(f"going on with {runs[-1].plan} of {runs[-1].actor}")
        return made, run(fleet, made, runs[-1].number)


def roll_back(fleet: App, proposal: Record, *, yes: bool) -> "tuple[Prepared, Report]":
    """Take a change back, the last wave first, once somebody said yes.

    Raises:
        NotFound: nothing of it is on any device.
        NotConfirmed: nobody said yes.
    """
    from fleet.flows.rollback import changed_by

    reader = fleet.reader
    assert reader is not None
    devices = changed_by(reader, proposal["id"])
    if not devices:
        raise NotFound(f"nothing of {proposal['id']} is on any device", hint="fleet change list")
    say(f"{count_of(len(devices), 'device')} get back what they had: {some(sorted(devices))}")
    confirm(f"Take {proposal['id']} back?", yes=yes)
    with lock(fleet.workspace.state, "deploy", "rollout", fleet.actor):
        made = _rewrite(fleet, proposal)
        with _stoppable() as is_stopped, fleet.store() as store:
            rollout = _rollout(fleet, made, store, is_stopped)
            return made, rollout.take_back(devices)


def confirm(question: str, *, yes: bool) -> None:
    """Go on only if somebody says yes.

    Raises:
        NotConfirmed: nobody did.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise NotConfirmed("nobody said yes; no device was touched", hint="use --yes")
    if not typer.confirm(question, err=True):
        raise NotConfirmed("no device was touched")


def check(fleet: App, made: Prepared) -> Mapping[str, list[str]]:
    """What Ansible says that it would do, by what that is."""
    fleet.secrets.require(references_in(text for d in made.desired for text in d.texts()))
    runner = _runner(fleet, made.plan.id)
    found: dict[str, set[str]] = {}
    for wave in made.plan.waves:
        for event in runner.run("rollout.yml", wave, wave.devices, lambda _: None, is_check=True):
            what = "failed" if event["event"] in ("failed", "unreachable") else None
            what = what or ("would change" if event.get("changed") else None)
            if what:
                found.setdefault(what, set()).add(event["host"])
    return {what: sorted(names) for what, names in found.items()}


def reopen(fleet: App, run: Run) -> Prepared:
    """The plan of a run that was broken off, made anew from the same baselines.

    Raises:
        PlanStale: the baselines, the templates or the inventory changed since.
    """
    return _rewrite(fleet, find_proposal(fleet.reader, run.plan))


def _rewrite(fleet: App, proposal: Record) -> Prepared:
    """A plan that was kept, with its playbooks written again."""
    from fleet.ansible.folder import check_free, read_generated, write_files
    from fleet.sources.baselines import choose, read_baselines

    root = fleet.workspace.root
    document = proposal["document"]
    planner = fleet.planner(reads=True)
    found = read_baselines(root / "baselines", root, planner.inventory)
    made = planner.reopen(document, choose(found, list(document["baselines"])))
    check_free(root, made.plan.files)
    write_files(root, made.plan.files, read_generated(root, document["baselines"]))
    return made


def _runner(fleet: App, plan: str) -> "Runner":
    from fleet.ansible.runner import Runner

    stamp = f"{fleet.now():%Y%m%dT%H%M%S}-{plan}"
    return Runner(
        root=fleet.workspace.root,
        runs=fleet.workspace.state / "runs" / stamp,
        secrets=fleet.secrets.known(),
    )


def _lookout(fleet: App, network: Any) -> "Lookout":
    from fleet.flows.lookout import LOOK_S, Lookout

    names = {d.credential for d in network.inventory.devices.values() if d.is_polled}
    try:
        snmp = fleet.snmp(sorted(names), timeout_s=LOOK_S)
    except NoSecret as error:
        note(f"without SNMP, devices are looked at over TCP alone: {error.message}")
        snmp = None
    return Lookout(network=network, devices=fleet.devices, snmp=snmp)


def _tell_wave(wave: Wave, devices: int) -> None:
    note(f"wave {wave.number} ({wave.why}): {count_of(devices, 'device')}")


def _tell_event(event: "Event") -> None:
    if event["event"] in ("failed", "unreachable") and not event.get("ignored"):
        note(f"  {event['host']}: {event['event']}: {event['task']}: {event['message'] or ''}")
    elif event.get("changed"):
        note(f"  {event['host']}: changed: {event['task']}")


@contextmanager
def _stoppable() -> Iterator[Any]:
    """Ctrl-C asks for an end after the wave in hand; the second one ends at once."""
    asked: list[bool] = []

    def ask(_number: int, _frame: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(True)
        note("\nthe devices in hand are finished first; Ctrl-C again breaks off")

    if threading.current_thread() is not threading.main_thread():
        yield lambda: bool(asked)
        return
    before = {n: signal.signal(n, ask) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
