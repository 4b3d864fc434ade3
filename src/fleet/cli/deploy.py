"""`fleet deploy`"""

from collections.abc import Collection, Sequence
from typing import Annotated

import typer

from fleet.app import App
from fleet.cli.boundary import FINDINGS, INTERRUPTED, finish
from fleet.cli.deploy_view import show_check, show_plan, show_report
from fleet.cli.options import (
    MemberOption,
    Output,
    OutputOption,
    SiteOption,
    YesOption,
    new_command,
    open_app,
)
from fleet.cli.rollout import check, confirm, resume_run, run
from fleet.cli.show import count_of, hint, note, say
from fleet.core.moment import local
from fleet.core.rollout import Plan
from fleet.core.training import COURSES, missing
from fleet.core.waves import Caps
from fleet.errors import NotFound, NotPermitted, PlanStale
from fleet.flows.change import propose
from fleet.flows.deploy import Prepared, Wish, save_plan, to_document
from fleet.flows.lock import lock
from fleet.flows.lookup import Scope, list_things, open_view

app = new_command()


_BaselinesArgument = Annotated[
    list[str] | None,
    typer.Argument(metavar="[BASELINE]…", help="Which; if none, all but those by_name."),
]
_LimitOption = Annotated[
    list[str] | None, typer.Option("--limit", help="Only this device; may be repeated.")
]
_PlanOption = Annotated[
    bool, typer.Option("--plan", help="Write playbooks/ and show the difference; no more.")
]
_OfflineOption = Annotated[
    bool, typer.Option("--offline", help="With --plan: ask no device what it has now.")
]
_CheckOption = Annotated[
    bool, typer.Option("--check", help="Let Ansible say what it would change; no more.")
]
_DigestOption = Annotated[
    str | None, typer.Option("--digest", help="With --yes: only if the plan is still this one.")
]
_AtOnceOption = Annotated[
    bool, typer.Option("--at-once", help="All in one wave, where no site depends on it.")
]
_StyleOption = Annotated[
    str | None, typer.Option("--style", help="With --plan: bundle, or builtin for other tools.")
]
_ResumeOption = Annotated[
    bool, typer.Option("--resume", help="Go on with the run that was broken off.")
]


@app.command(no_args_is_help=False)
def deploy(
    baselines: _BaselinesArgument = None,
    member: MemberOption = None,
    site: SiteOption = None,
    limit: _LimitOption = None,
    plan: _PlanOption = False,
    offline: _OfflineOption = False,
    dry: _CheckOption = False,
    yes: YesOption = False,
    digest: _DigestOption = None,
    at_once: _AtOnceOption = False,
    style: _StyleOption = None,
    resume: _ResumeOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Roll out common configuration, in waves.

    Reads what the devices have, renders baselines/, and shows what differs; then asks, and runs
    the generated playbooks wave by wave. Before and after each wave the devices around it are
    looked at: if one goes dark, the wave is taken back and no other begins. What a member has to
    agree to waits for its yes (fleet change). Ends with 1 if a device failed or was not read.

    \b
    Example:
      fleet deploy ntp --plan
      fleet deploy ntp --member smola --yes
      fleet deploy --resume
    """
    fleet = open_app()
    names = baselines or []
    scope = Scope(member=member, site=site)
    if resume:
        finish(_resume(fleet, output))
        return
    with lock(fleet.workspace.state, "deploy", "rollout", fleet.actor):
        if not plan and (offline or style):
            raise typer.BadParameter("only with --plan", param_hint="--offline, --style")
        made = prepare(
            fleet, names, scope, limit or [], offline=offline, at_once=at_once, style=style
        )
        show_plan(made.plan, output)
        _warn_untrained(fleet, made.plan)
        if plan:
            _write(fleet, made.plan, names)
            finish(FINDINGS if made.plan.refused or _unread(made.plan) else 0)
            return
        _confirm(made.plan, yes=yes or dry, digest=digest)
        _write(fleet, made.plan, names)
        if dry:
            finish(FINDINGS if show_check(check(fleet, made)) else 0)
            return
        finish(_run(fleet, made, output))


def prepare(
    fleet: App,
    names: Sequence[str],
    scope: Scope,
    limit: Sequence[str],
    *,
    offline: bool = False,
    at_once: bool = False,
    style: str | None = None,
    also: Collection[str] = (),
) -> Prepared:
    """The plan of a rollout.

    Args:
        also: baselines that are taken without their names, though it says that they are not.

    Raises:
        NotFound: there is no such baseline or device.
        Malformed: a baseline or a template cannot be used.
    """
    from fleet.sources.baselines import choose, read_baselines

    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    if style not in (None, "bundle", "builtin"):
        raise typer.BadParameter("it is bundle or builtin", param_hint="--style")
    root, settings = fleet.workspace.root, fleet.workspace.settings
    view = open_view(fleet.reader, fleet.now(), settings.poll.interval, settings.poll.from_site)
    found = read_baselines(root / "baselines", root, view.inventory)
    chosen = choose(found, list(names), also)
    if not chosen and found:
        raise NotFound(
            "every baseline here is taken only by its name", hint=f"name one: {', '.join(found)}"
        )
    if not chosen:
        raise NotFound("there are no baselines", hint="put one into baselines/")
    wanted = {row["name"] for row in list_things(view, "device", scope)}
    for name in limit:
        if name not in view.inventory.devices:
            raise NotFound(f"there is no device `{name}`", hint=f"try: fleet find {name}")
    devices = [
        d
        for d in view.inventory.devices.values()
        if d.name in wanted and (not limit or d.name in limit)
    ]
    deploy = settings.deploy
    wish = Wish(
        baselines=chosen,
        devices=devices,
        caps=Caps(
            total=deploy.max_per_wave, member=deploy.max_per_member, site=deploy.max_per_site
        ),
        is_at_once=at_once,
    )
    return fleet.planner(reads=not offline, style=style).make(wish)


def _unread(made: Plan) -> bool:
    return any(o.reason.startswith("it could not be read") for o in made.left_out)


def _confirm(made: Plan, *, yes: bool, digest: str | None) -> None:
    """Go on only with a plan that may run and that somebody said yes to."""
    for danger in made.refused:
        raise NotPermitted(
            f"these devices may not be changed in one wave, as {danger.reason}: "
            f"{', '.join(danger.devices[:5])}; cut off: {', '.join(danger.sites)}",
            hint="without --at-once fleet takes them one after the other",
        )
    if digest is not None and not made.digest.startswith(digest):
        raise PlanStale(
            f"the plan is another one by now: {made.id}, not {digest}",
            hint="look at it again: fleet deploy --plan",
        )
    if not made.targets and not made.unchanged:
        raise NotFound("there is no device to roll out to", hint="see what was left out, and why")
    confirm(f"Roll out to {count_of(made.targets, 'device')}?", yes=yes or not made.targets)


def _warn_untrained(fleet: App, made: Plan) -> None:
    """Say which course the operator lacks for what would be changed."""
    if not (fleet.workspace.inventory / COURSES).is_file():
        return  # most have none, and then nothing is loaded for it
    inventory = fleet.inventory()
    lacking = missing(
        fleet.books(inventory).courses,
        fleet.actor,
        local(fleet.now()).date(),
        roles={inventory.devices[item.device].role for item in made.items},
        baselines=made.baselines,
    )
    for course in lacking:
        note(f"warning: {fleet.actor} has not taken the course {course.slug} ({course.name})")


def _write(fleet: App, made: Plan, names: Sequence[str]) -> None:
    """Write the playbooks, and keep the plan for answers."""
    from fleet.ansible.folder import check_free, read_generated, write_files

    root = fleet.workspace.root
    check_free(root, made.files)
    write_files(root, made.files, read_generated(root, list(names) or None))
    document = to_document(made)
    path = save_plan(made, fleet.workspace.state / "plans")
    note(f"wrote {len(made.files)} files below playbooks/ and {fleet.workspace.relative(path)}")
    if made.targets:
        with fleet.store() as store:
            propose(store, made, document, fleet.actor, fleet.now())


def _run(fleet: App, made: Prepared, output: Output) -> int:
    if not made.plan.targets:
        note("Every device has it already.")
        return FINDINGS if _unread(made.plan) else 0
    report = run(fleet, made)
    return _status(made.plan, report, output)


def _resume(fleet: App, output: Output) -> int:
    """Go on with the last run that did not come to its end."""
    made, report = resume_run(fleet)
    if made is None or report is None:
        note("Nothing was broken off.")
        return 0
    return _status(made.plan, report, output)


def _status(made: Plan, report: object, output: Output) -> int:
    from fleet.flows.rollout import Report

    assert isinstance(report, Report)
    show_report(made, report, say if output is Output.TABLE else note)
    if report.ended == "interrupted":
        hint("hint: fleet deploy --resume goes on where it ended")
        return INTERRUPTED
    failed = report.ended != "done" or any(o.failed for o in report.outcomes)
    return FINDINGS if failed or _unread(made) else 0
