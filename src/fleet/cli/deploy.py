"""`fleet deploy`"""

import sys
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated

import typer

from fleet import shipped
from fleet.app import App
from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import (
    MemberOption,
    Output,
    OutputOption,
    SiteOption,
    YesOption,
    new_command,
    open_app,
)
from fleet.cli.show import count_of, hint, note, say, show_rows, show_value
from fleet.core.inventory import Device
from fleet.core.record import to_record
from fleet.core.rollout import Outcome, Plan, Wave
from fleet.errors import NotConfirmed, NotFound
from fleet.flows.deploy import apply_plan, not_begun, save_plan, to_document
from fleet.flows.lock import lock
from fleet.flows.lookup import Scope, list_things, open_view

app = new_command()

_SHOWN_LINES = 200


@app.command(no_args_is_help=False)
def deploy(
    baselines: Annotated[
        list[str] | None, typer.Argument(metavar="[BASELINE]…", help="Which; all if none.")
    ] = None,
    member: MemberOption = None,
    site: SiteOption = None,
    limit: Annotated[
        list[str] | None, typer.Option("--limit", help="Only this device; may be repeated.")
    ] = None,
    plan: Annotated[
        bool, typer.Option("--plan", help="Write playbooks/ and show the difference; no more.")
    ] = False,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Roll out common configuration, in waves.

    Renders baselines/ into playbooks/, shows what differs from what was there, asks, and runs
    the playbooks wave by wave. After a wave in which a device failed no other wave begins.
    Ends with 1 if a device failed.

    \b
    Example:
      fleet deploy ntp --plan
      fleet deploy ntp --member smola --yes
    """
    fleet = open_app()
    with lock(fleet.workspace.state, "deploy", "rollout"):
        made = _make_plan(fleet, baselines or [], Scope(member=member, site=site), limit or [])
        _show(made, output)
        if not plan:
            _confirm(made, yes)
        _write(fleet, made, baselines or [])
        if plan:
            return
        outcomes = _run(fleet, made)
    _show_outcomes(made, outcomes, say if output is Output.TABLE else note)
    finish(FINDINGS if any(o.failed for o in outcomes) else 0)


def _make_plan(fleet: App, names: list[str], scope: Scope, limit: list[str]) -> Plan:
    from fleet.ansible.folder import read_generated
    from fleet.ansible.generate import Generator
    from fleet.sources.baselines import choose, read_baselines

    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    root = fleet.workspace.root
    settings = fleet.workspace.settings
    view = open_view(fleet.reader, fleet.now(), settings.poll.interval, settings.poll.from_site)
    found = read_baselines(root / "baselines", root, view.inventory)
    chosen = choose(found, names)
    if not chosen:
        raise NotFound("there are no baselines", hint="put one into baselines/")
    wanted = {row["name"] for row in list_things(view, "device", scope)}
    for name in limit:
        if name not in view.inventory.devices:
            raise NotFound(f"there is no device `{name}`", hint=f"try: fleet find {name}")
    devices: list[Device] = [
        d
        for d in view.inventory.devices.values()
        if d.name in wanted and (not limit or d.name in limit)
    ]
    generator = Generator([root / "templates", shipped.templates()], settings.deploy)
    existing = read_generated(root, names or None)
    return generator.make_plan(chosen, view.inventory, devices, existing)


def _show(made: Plan, output: Output) -> None:
    if output is Output.CSV:
        show_rows([to_record(g) for g in made.groups], output, {"devices": "", "diff": ""})
    elif output is not Output.TABLE:
        show_value(to_document(made), output)
    else:
        _show_differences(made)
        for reason, count in sorted(Counter(o.reason for o in made.left_out).items()):
            say(f"left out: {count_of(count, 'device')}, as {reason}")
        for wave in made.waves:
            names = ", ".join(wave.devices[:6]) + (" …" if len(wave.devices) > 6 else "")
            say(
                f"wave {wave.number} ({wave.why}): {count_of(len(wave.devices), 'device')}: {names}"
            )
        say(f"Plan {made.id}: {', '.join(made.baselines)} on {count_of(made.targets, 'device')}.")


def _show_differences(made: Plan) -> None:
    """What devices will have, in full; of what carries it there, the names."""
    lines = 0
    for group in made.groups:
        if not group.devices:
            continue
        if lines > _SHOWN_LINES:
            say("… and more (-o json: all)")
            break
        shown = ", ".join(group.devices[:4]) + (" …" if len(group.devices) > 4 else "")
        say(f"# {count_of(len(group.devices), 'device')}: {shown}")
        say(group.diff.rstrip("\n"))
        lines += group.diff.count("\n")
    if others := sum(not group.devices for group in made.groups):
        say(f"{others} other files below playbooks/ differ; `git diff` shows them.")
    if not made.groups:
        say("playbooks/ is as it would be written.")


def _confirm(made: Plan, yes: bool) -> None:
    if not made.targets:
        raise NotFound("there is no device to roll out to", hint="see what was left out, and why")
    if yes:
        return
    if not sys.stdin.isatty():
        raise NotConfirmed("nobody said yes; no device was touched", hint="use --yes")
    if not typer.confirm(f"Roll out to {count_of(made.targets, 'device')}?", err=True):
        raise NotConfirmed("no device was touched")


def _write(fleet: App, made: Plan, names: list[str]) -> None:
    from fleet.ansible.folder import check_free, read_generated, write_files

    root = fleet.workspace.root
    check_free(root, made.files)
    write_files(root, made.files, read_generated(root, names or None))
    path = save_plan(made, fleet.workspace.state / "plans")
    note(f"wrote {len(made.files)} files below playbooks/ and {fleet.workspace.relative(path)}")


def _run(fleet: App, made: Plan) -> list[Outcome]:
    from fleet.ansible.runner import Event, Runner

    stamp = f"{fleet.now():%Y%m%dT%H%M%S}-{made.id}"
    runs: Path = fleet.workspace.state / "runs" / stamp
    runner = Runner(fleet.workspace.root, runs)

    def hear(event: Event) -> None:
        if event["event"] in ("failed", "unreachable"):
            note(f"  {event['host']}: {event['event']}: {event['task']}: {event['message'] or ''}")
        elif event.get("changed"):
            note(f"  {event['host']}: changed: {event['task']}")

    begin: Callable[[Wave], None] = lambda wave: note(  # noqa: E731 - one line is enough
        f"wave {wave.number} ({wave.why}): {count_of(len(wave.devices), 'device')}"
    )
    with fleet.store() as store:
        return apply_plan(
            store, runner, made, actor=fleet.actor, clock=fleet.now, hear=hear, begin=begin
        )


def _show_outcomes(made: Plan, outcomes: Sequence[Outcome], tell: Callable[[str], None]) -> None:
    for outcome in outcomes:
        if outcome.failed:
            said = f": {outcome.message}" if outcome.message else ""
            tell(f"{outcome.device}: {outcome.baseline}: {outcome.result.value}{said}")
    counts = Counter(outcome.result.value for outcome in outcomes)
    tell("; ".join(f"{count} {result}" for result, count in sorted(counts.items())) + ".")
    if waves := not_begun(made, outcomes):
        devices = sum(len(wave.devices) for wave in waves)
        tell(f"stopped: {count_of(devices, 'device')} in later waves were not touched")
        hint("hint: mend what failed, then run the same command again")
