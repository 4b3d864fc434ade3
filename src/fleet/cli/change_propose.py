"""`fleet change propose`, and how far a decision has come."""

import json
from pathlib import Path
from typing import Annotated

import typer

from fleet.app import App
from fleet.cli.options import open_app
from fleet.cli.show import count_of, note, say
from fleet.core.baseline import ChangeClass
from fleet.core.decision import needed
from fleet.core.record import Record
from fleet.flows.change import list_proposals, rules_of
from fleet.flows.decision import read_proposal


def propose(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="In Markdown; first its title.")],
    group: Annotated[str, typer.Option("--group", help="The expert group that proposes it.")],
    change_class: Annotated[
        ChangeClass, typer.Option("--class", help="Which quorum of [approval] it needs.")
    ] = ChangeClass.NORMAL,
    member: Annotated[
        list[str] | None, typer.Option("--member", help="Who decides; default: all members.")
    ] = None,
    service: Annotated[
        str | None, typer.Option("--service", help="Which service it is about.")
    ] = None,
) -> None:
    """Propose something that the members decide on, as an expert group wrote it.

    They answer with `fleet change approve|reject|abstain`. Another text under the same file name
    takes its place: answers to the text before say nothing any more. Without a quorum for its
    class, more than half of the members must say yes.

    \b
    Example:
      fleet change propose decisions/felles-lonn.md --group økonomi --service lonn --class high
    """
    fleet = open_app()
    now = fleet.now()
    proposals = fleet.reader.proposals() if fleet.reader else []
    document = read_proposal(
        file,
        fleet.inventory(),
        group=group,
        change_class=change_class,
        members=member or (),
        service=service,
        at=now,
        proposals=proposals,
    )
    with fleet.store() as store:
        store.rollouts.propose(
            document["id"],
            document["digest"],
            change_class.value,
            json.dumps(document, ensure_ascii=False, separators=(",", ":")),
            fleet.actor,
            now,
        )
    before = [p for p in proposals if p["document"].get("decision") == document["decision"]][:1]
    for old in before:
        if old["id"] != document["id"]:
            note(f"it takes the place of {old['id']}: answers to that say nothing any more")
    say(document["id"])
    note(f"{group} asks {', '.join(document['slices'])}; see: fleet change show {document['id']}")


def decided(fleet: App, proposal: Record) -> str:
    """How far a decision has come, in words."""
    rules = rules_of(fleet.workspace.settings.approval)
    rows = list_proposals(fleet.reader, rules, fleet.now())
    row = next(row for row in rows if row["id"] == proposal["id"])
    wanted = needed(rules(ChangeClass(proposal["class"])), proposal["document"]["slices"])
    return (
        f"Decision {row['id']} ({row['class']}) of {row['group']}, "
        f"{count_of(row['age_days'], 'day')} old: {row['state']}, "
        f"{row['yes']} of {row['members']} members said yes and {wanted} are needed."
    )
