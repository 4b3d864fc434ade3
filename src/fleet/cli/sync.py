"""`fleet sync`"""

import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Annotated

import typer

from fleet.cli.boundary import FINDINGS, PENDING, finish
from fleet.cli.options import Output, OutputOption, YesOption, new_command, open_app
from fleet.cli.show import cell, count_of, hint, note, say, show_rows, show_value
from fleet.core.claims import GONE, PRESENCE, Conflict
from fleet.core.diff import Action, Change, check_brake, count
from fleet.core.plan import Plan
from fleet.core.record import to_record
from fleet.errors import NotConfirmed, TooMany
from fleet.flows.conflicts import id_of, to_row
from fleet.flows.sync import apply_sync, make_plan

app = new_command()

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

    Reads all of inventory/, checks it, compares it with what the devices said of themselves,
    shows what would change, asks, and changes it in one transaction. What is gone from the
    files is retired, never deleted; what two sources changed differently is left to a person.

    \b
    Example:
      fleet sync --plan
      fleet sync --yes
    """
    fleet = open_app()
    now = fleet.now()
    made = make_plan(
        fleet.sources(sources or []),
        fleet.reader,
        authority=fleet.workspace.settings.authority.value(),
        now=now,
        prune=prune,
    )
    _show(made, output)
    if plan:
        _warn(made)
        finish(PENDING if exit_code and made.changes else 0)
    elif made.is_needed:
        _confirm(yes, len(made.changes))
        with fleet.store() as store:
            apply_sync(store, made, actor=fleet.actor, now=now, force=force)
        if made.changes:
            note(f"{count_of(len(made.changes), 'change')} made.")
    finish(FINDINGS if made.conflicts or made.findings else 0)


def _confirm(yes: bool, number: int) -> None:
    if yes or not number:
        return
    if not sys.stdin.isatty():
        raise NotConfirmed("nobody said yes; nothing was changed", hint="use --yes")
    if not typer.confirm(f"Make {count_of(number, 'change')}?", err=True):
        raise NotConfirmed("nothing was changed")


def _warn(made: Plan) -> None:
    try:
        check_brake(made.before.inventory, list(made.inventory_changes))
    except TooMany as error:
        note(f"warning: {error.message}")
        hint("hint: without --force this will be refused")


def _show(made: Plan, output: Output) -> None:
    if output is Output.TABLE:
        for line in _lines(made):
            say(line)
    elif output is Output.CSV:
        show_rows([_change(c) for c in made.changes], output, dict.fromkeys(_FIELDS, ""))
    else:
        value = {
            "sources": list(made.sources),
            "changes": [_change(c) for c in made.changes],
            "conflicts": [to_row(c) for c in made.conflicts],
            "findings": [to_row(c) for c in made.findings],
            "left_out": [
                {"source": source, "what": what, "reason": why}
                for source, what, why in made.merge.left_out
            ],
            "counts": count(list(made.changes)),
            "digest": made.digest(),
        }
        show_value(value, output)


_FIELDS = ("action", "target", "kind", "key", "fields", "source")


def _change(change: Change) -> dict[str, object]:
    record = to_record(change) | {"fields": {k: list(v) for k, v in change.fields.items()}}
    return {name: record[name] for name in _FIELDS}


def _lines(made: Plan) -> Iterator[str]:
    for (target, action, kind), group in groupby(
        made.changes, key=lambda c: (c.target, c.action, c.kind)
    ):
        changes = list(group)
        shown = _SHOWN_PER_KIND if action is Action.CREATE else len(changes)
        where = "" if target == "inventory" else f" in {target}"
        for change in changes[: shown if len(changes) > shown + 1 else None]:
            yield f"{action.value:7} {kind:10} {change.key}{where}{_details(change)}"
        if len(changes) > shown + 1:
            more = len(changes) - shown
            yield f"{action.value:7} {kind:10} … and {more} more{where} (-o json: all)"
    yield from _open_questions("conflict", made.conflicts)
    yield from _open_questions("finding", made.findings)
    for source, what, why in made.merge.left_out:
        yield f"left out           {what} of {source}: {why}"
    yield _summary(made)


def _open_questions(word: str, conflicts: Sequence[Conflict]) -> Iterator[str]:
    for conflict in conflicts:
        sides = [f"{s}: {_said(conflict, v)}" for s, v in conflict.says.items()]
        if conflict.field != PRESENCE:
            sides.insert(0, f"inventory: {cell(conflict.ours)}")
        yield f"{word:8} {id_of(conflict)}  {conflict.kind} {conflict.key}, {conflict.field}"
        yield f"                     {' · '.join(sides)}"
        if conflict.evidence:
            yield f"                     {conflict.evidence}"


def _said(conflict: Conflict, value: object) -> str:
    if conflict.field == PRESENCE and value == GONE:
        return "not there"
    return cell(value)


def _summary(made: Plan) -> str:
    counts = count(list(made.changes))
    said = [f"{number} to {action}" for action, number in counts.items() if number]
    if made.conflicts:
        said.append(f"{count_of(len(made.conflicts), 'conflict')} to resolve")
    if made.findings:
        said.append(f"{count_of(len(made.findings), 'finding')} to judge")
    return f"Plan: {', '.join(said)}." if said else "0 changes: the inventory is as declared."


def _details(change: Change) -> str:
    if change.action is not Action.UPDATE:
        return ""
    return "".join(
        f"\n                     {name}: {cell(old)} → {cell(new)}"
        for name, (old, new) in change.fields.items()
    )
