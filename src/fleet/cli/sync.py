"""`fleet sync`"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.app import App
from fleet.cli.boundary import FINDINGS, PENDING, finish
from fleet.cli.options import Output, OutputOption, YesOption, new_command, open_app
from fleet.cli.show import count_of, hint, note, say
from fleet.cli.sync_progress import done_counter, read_counter
from fleet.cli.sync_view import ask, lines_of, show_plan, told_of
from fleet.core.diff import check_brake
from fleet.core.moment import from_us, short_text
from fleet.core.operation import Operation
from fleet.core.plan import Plan
from fleet.errors import NotConfirmed, PlanStale, TooMany
from fleet.flows.link import find_links, keep_links
from fleet.flows.lock import lock
from fleet.flows.push import OPEN, push
from fleet.flows.sync import Wanted, apply_sync, make_plan

if TYPE_CHECKING:
    from fleet.store.store import Store

app = new_command()


@app.command(no_args_is_help=False)
def sync(
    sources: Annotated[
        list[str] | None, typer.Argument(metavar="[SOURCE]…", help="Which sources; all if none.")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Show what would change.")] = False,
    exit_code: Annotated[
        bool, typer.Option("--exit-code", help="With --plan: 10 if something would change.")
    ] = False,
    yes: YesOption = False,
    digest: Annotated[
        str | None,
        typer.Option("--digest", help="With --yes: only if the plan is still this one."),
    ] = None,
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete what was retired 30 days ago or earlier.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Retire even very many devices at once.")
    ] = False,
    link: Annotated[
        bool, typer.Option("--link", help="Say what in a NetBox is what; change nothing else.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume", help="Finish a plan that was broken off.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Reconcile the sources into the joint inventory, and push to NetBox what it should hold.

    Reads inventory/, every NetBox of the settings, and what the devices said of themselves;
    shows what would change, asks, and does just that. What only one source changed goes to the
    others; what two changed differently is left to a person (fleet conflict). What is gone from
    its source is retired, never deleted.

    \b
    Example:
      fleet sync --plan
      fleet sync --yes --digest 3f2a9c81d0e4
      fleet sync netbox --link
      fleet sync --resume
    """
    fleet = open_app()
    if resume:
        finish(_resume(fleet))
    elif link:
        finish(_link(fleet, sources or [], yes=yes))
    else:
        made = _make(fleet, sources or [], prune=prune, force=force or plan)
        show_plan(made, output)
        _hint_at_files(made)
        if plan:
            _warn(made)
            finish(PENDING if exit_code and made.writes else 0)
        elif made.is_needed:
            _confirm(yes, made.writes)
            _check_digest(made, digest)
            finish(_apply(fleet, made, force=force))
        finish(FINDINGS if made.merge.conflicts else 0)


def _hint_at_files(made: Plan) -> None:
    if made.behind:
        things = count_of(made.behind, "thing")
        verb = "differs" if made.behind == 1 else "differ"
        hint(f"{things} {verb} from what the files say: fleet export inventory --to inventory")


def _make(fleet: App, names: list[str], *, prune: bool = False, force: bool = False) -> Plan:
    wanted = Wanted(authority=fleet.workspace.settings.authority.value(), prune=prune, force=force)
    with read_counter() as heard:
        sources = replace(fleet.sources(names), heard=heard)
        return make_plan(sources, fleet.reader, fleet.now(), wanted)


def _apply(fleet: App, made: Plan, *, force: bool) -> int:
    """Change the inventory, then the NetBoxes; the exit status."""
    with lock(fleet.workspace.state, "sync", "sync"), fleet.store() as store:
        number = apply_sync(store, made, actor=fleet.actor, now=fleet.now(), force=force)
        if made.inventory_changes:
            note(f"{count_of(len(made.inventory_changes), 'change')} made.")
        if number is None or not made.operations:
            return 0
        return _push(fleet, store, number, made.operations)


def _push(fleet: App, store: "Store", plan: int, operations: Sequence[Operation]) -> int:
    names = {o.source for o in operations} & fleet.workspace.settings.sources.keys()
    netboxes = [fleet.netbox(name) for name in sorted(names)]
    with done_counter(len(operations)) as heard:
        done = push(store, plan, netboxes, fleet.now, heard)
    for line in told_of(done):
        note(line)
    if done.error is not None:
        raise done.error
    return 0 if done.is_clean else FINDINGS


def _resume(fleet: App) -> int:
    """Finish what was broken off."""
    plans = fleet.reader.open_plans() if fleet.reader else []
    if not plans:
        note("Nothing was broken off.")
        return 0
    with lock(fleet.workspace.state, "sync", "sync"), fleet.store() as store:
        statuses = []
        for number, digest, actor, at in plans:
            note(f"plan {digest[:12]} of {actor}, {short_text(from_us(at))}")
            with store.reader() as reader:
                waiting = [o for o, state, _ in reader.operations(number) if state in OPEN]
            statuses.append(_push(fleet, store, number, waiting))
    return max(statuses)


def _link(fleet: App, names: list[str], *, yes: bool) -> int:
    """Recognise, ask where it is not clear, and keep that; nothing else changes."""
    with read_counter() as heard:
        sources = replace(fleet.sources(names), heard=heard)
        found = find_links(sources, fleet.reader, fleet.now())
    for line in lines_of(found):
        say(line)
    chosen = ask(found) if sys.stdin.isatty() and not yes else {}
    number = sum(len(n.new) for n in found) + sum(len(c) for c in chosen.values())
    left = sum(len(n.doubts) for n in found) - sum(len(c) for c in chosen.values())
    if number:
        _confirm(yes, number)
        with lock(fleet.workspace.state, "sync", "sync"), fleet.store() as store:
            keep_links(store, found, chosen)
    note(f"{count_of(number, 'link')} kept, {left} left open.")
    return FINDINGS if left else 0


def _confirm(yes: bool, number: int) -> None:
    if yes or not number:
        return
    if not sys.stdin.isatty():
        raise NotConfirmed("nobody said yes; nothing was changed", hint="use --yes")
    if not typer.confirm(f"Make {count_of(number, 'change')}?", err=True):
        raise NotConfirmed("nothing was changed")


def _check_digest(made: Plan, digest: str | None) -> None:
    """Apply just the plan that was looked at, or nothing."""
    if digest is not None and not made.digest().startswith(digest):
        raise PlanStale(
            f"the plan is another one by now: {made.digest()[:12]}, not {digest}",
            hint="look at it again: fleet sync --plan",
        )


def _warn(made: Plan) -> None:
    if made.writes:
        hint(f"to do just this: fleet sync --yes --digest {made.digest()[:12]}")
    try:
        check_brake(made.before.inventory, list(made.inventory_changes))
    except TooMany as error:
        note(f"warning: {error.message}")
        hint("hint: without --force this will be refused")
