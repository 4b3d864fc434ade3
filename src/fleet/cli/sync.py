"""`fleet sync`"""

import sys
from collections.abc import Iterator
from itertools import groupby
from typing import Annotated

import typer

from fleet.cli.boundary import PENDING, finish
from fleet.cli.options import Output, OutputOption, YesOption, new_command, open_app
from fleet.cli.show import cell, count_of, hint, note, say, show_rows, show_value
from fleet.core.diff import Action, Change, check_brake, count
from fleet.core.record import to_record
from fleet.errors import NotConfirmed, NotFound, TooMany
from fleet.flows.sync import SyncPlan, apply_sync, plan_sync

app = new_command()

SOURCES = ("files",)
_SHOWN_PER_KIND = 4


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
    prune: Annotated[
        bool, typer.Option("--prune", help="Delete what was retired 30 days ago or earlier.")
    ] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Retire even very many devices at once.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Reconcile the sources into the joint inventory.

    Reads all of inventory/, checks it, shows what would change, asks, and changes it in one
    transaction. What is gone from the files is retired, never deleted.

    \b
    Example:
      fleet sync --plan
      fleet sync --yes
    """
    _check_sources(sources or [])
    fleet = open_app()
    now = fleet.now()
    made = plan_sync(fleet.reader, fleet.declared(), source="files", now=now, prune=prune)
    _show(made, output)
    if plan:
        _warn(made)
        finish(PENDING if exit_code and made.changes else 0)
    elif made.changes:
        _confirm(yes, len(made.changes))
        with fleet.store() as store:
            apply_sync(store, made, actor=fleet.actor, now=now, force=force)
        note(f"{count_of(len(made.changes), 'change')} made.")


def _check_sources(names: list[str]) -> None:
    for name in names:
        if name not in SOURCES:
            raise NotFound(f"there is no source `{name}`", hint=f"sources: {', '.join(SOURCES)}")


def _confirm(yes: bool, number: int) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise NotConfirmed("nobody said yes; nothing was changed", hint="use --yes")
    if not typer.confirm(f"Make {count_of(number, 'change')}?", err=True):
        raise NotConfirmed("nothing was changed")


def _warn(made: SyncPlan) -> None:
    try:
        check_brake(made.ours, list(made.changes))
    except TooMany as error:
        note(f"warning: {error.message}")
        hint("hint: without --force this will be refused")


def _show(made: SyncPlan, output: Output) -> None:
    if output is Output.TABLE:
        for line in _lines(made):
            say(line)
    elif output is Output.CSV:
        show_rows([_change(c) for c in made.changes], output, dict.fromkeys(_FIELDS, ""))
    else:
        value = {
            "sources": list(made.sources),
            "changes": [_change(c) for c in made.changes],
            "conflicts": [],
            "counts": count(list(made.changes)),
        }
        show_value(value, output)


_FIELDS = ("action", "target", "kind", "key", "fields", "source")


def _change(change: Change) -> dict[str, object]:
    record = to_record(change) | {"fields": {k: list(v) for k, v in change.fields.items()}}
    return {name: record[name] for name in _FIELDS}


def _lines(made: SyncPlan) -> Iterator[str]:
    for (action, kind), group in groupby(made.changes, key=lambda c: (c.action, c.kind)):
        changes = list(group)
        shown = _SHOWN_PER_KIND if action is Action.CREATE else len(changes)
        for change in changes[: shown if len(changes) > shown + 1 else None]:
            yield f"{action.value:7} {kind:10} {change.key}{_details(change)}"
        if len(changes) > shown + 1:
            yield f"{action.value:7} {kind:10} … and {len(changes) - shown} more (-o json: all)"
    counts = count(list(made.changes))
    said = [f"{number} to {action}" for action, number in counts.items() if number]
    yield f"Plan: {', '.join(said)}." if said else "0 changes: the inventory is as declared."


def _details(change: Change) -> str:
    if change.action is not Action.UPDATE:
        return ""
    return "".join(
        f"\n                     {name}: {cell(old)} → {cell(new)}"
        for name, (old, new) in change.fields.items()
    )
