"""How a plan to reconcile is shown."""

from collections.abc import Iterator, Sequence
from itertools import groupby

import typer

from fleet.cli.options import Output
from fleet.cli.show import cell, count_of, note, say, show_rows, show_value
from fleet.core.claims import GONE, PRESENCE, Conflict
from fleet.core.diff import Action, Change, count
from fleet.core.operation import NEEDS, Progress
from fleet.core.plan import Plan
from fleet.core.record import to_record
from fleet.flows.conflicts import id_of, to_row
from fleet.flows.link import Links
from fleet.flows.push import Push

_SHOWN_PER_KIND = 4
_SHOWN_FAILURES = 20


def show_plan(made: Plan, output: Output) -> None:
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
    if not said and not made.operations:
        return "0 changes: the inventory is as declared."
    if made.operations:
        said.append(f"{count_of(len(made.operations), 'object')} to write in NetBox")
    return f"Plan: {', '.join(said)}."


def _details(change: Change) -> str:
    if change.action is not Action.UPDATE:
        return ""
    return "".join(
        f"\n                     {name}: {cell(old)} → {cell(new)}"
        for name, (old, new) in change.fields.items()
    )


def told_of(done: Push) -> Iterator[str]:
    """What became of what was to be done in the NetBoxes."""
    count_ = {state: done.count(state) for state in Progress}
    said = [f"{number} {word}" for state, word in _WORDS.items() if (number := count_[state])]
    yield f"NetBox: {', '.join(said)}."
    wrong = [o for o in done.outcomes if o[1] in (Progress.FAILED, Progress.STALE)]
    roots = [o for o in wrong if not (o[2] or "").startswith(NEEDS)]
    for operation, state, message in roots[:_SHOWN_FAILURES]:
        name = " ".join(operation.thing) if operation.thing else operation.symbol
        yield f"{state.value:7} {operation.action} {name} in {operation.source}: {message}"
    if len(roots) > _SHOWN_FAILURES:
        yield f"… and {len(roots) - _SHOWN_FAILURES} more"
    if len(wrong) > len(roots):
        yield f"… and {len(wrong) - len(roots)} that need one of these"
    if count_[Progress.SENT] or count_[Progress.PLANNED]:
        yield "not finished: fleet sync --resume"


_WORDS = {
    Progress.CONFIRMED: "done",
    Progress.FAILED: "failed",
    Progress.STALE: "left alone, since somebody changed them meanwhile",
    Progress.SENT: "sent, and the answer did not come",
    Progress.PLANNED: "still to do",
}


def lines_of(found: Sequence[Links]) -> Iterator[str]:
    """What was recognised in each NetBox, and what is open."""
    for links in found:
        for (kind, key), (number, rung) in sorted(links.new.items()):
            yield f"link     {kind} {key} is {number} in {links.source}, by its {rung}"
        for kind, doubt in links.doubts:
            may_be = " or ".join(doubt.keys)
            what = f"{links.labels.get(doubt.remote, kind)} ({doubt.remote} in {links.source})"
            yield f"open     {what} may be {may_be}, by its {doubt.rung}"
        yield (
            f"{links.source}: {links.known} known, {len(links.new)} recognised, "
            f"{len(links.doubts)} open, {links.only_there} only there."
        )


def ask(found: Sequence[Links]) -> dict[str, dict[tuple[str, int], str]]:
    """Ask about what is open; nothing is taken for granted."""
    chosen: dict[str, dict[tuple[str, int], str]] = {}
    for links in found:
        for kind, doubt in links.doubts:
            taken = set(chosen.get(links.source, {}).values())
            keys = [key for key in doubt.keys if key not in taken]
            for place, key in enumerate(keys, start=1):
                note(f"  {place}  {key}")
            what = links.labels.get(doubt.remote, kind)
            said = typer.prompt(
                f"{what} ({doubt.remote} in {links.source}) is (0: none of them)",
                type=int,
                default=0,
                err=True,
            )
            if 0 < said <= len(keys):
                chosen.setdefault(links.source, {})[kind, doubt.remote] = keys[said - 1]
    return chosen
