"""`fleet change`"""

from pathlib import Path
from typing import Annotated, Any

import typer

from fleet.app import App
from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.change_propose import decided, propose
from fleet.cli.deploy_view import show_groups, show_report, show_risks, some
from fleet.cli.options import Output, OutputOption, YesOption, new_command, open_app
from fleet.cli.show import count_of, local_times, note, say, show_rows, show_value
from fleet.core.approval import FIELDS, Answer, Say
from fleet.core.moment import short_text, text_of
from fleet.core.record import Record
from fleet.flows.change import (
    answers_to,
    find_proposal,
    find_rollout,
    list_proposals,
    make_answer,
    part_of,
    read_signed,
    rules_of,
    statement,
    window_of,
)
from fleet.flows.decision import is_decision

app = new_command()

_COLUMNS = {
    "id": "Id",
    "about": "About",
    "group": "Group",
    "class": "Class",
    "devices": "Devices",
    "members": "Members",
    "yes": "Yes",
    "no": "No",
    "abstained": "Abstained",
    "state": "State",
    "age_days": "Days old",
    "by": "By",
    "at": "At",
}

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="Its id, or how that begins.")]
_MemberOption = Annotated[str, typer.Option("--member", help="For whom (slug).")]
_RoleOption = Annotated[str, typer.Option("--role", help="In which role: IT-leder …")]
_ReasonOption = Annotated[str | None, typer.Option("--reason", help="Why.")]
_FromOption = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="Not before; the member's window.")
]
_ToOption = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="Not after; a missed window is over.")
]


@app.callback()
def change() -> None:
    """What members decide: on rollouts, and on what an expert group proposes."""


@app.command("list")
def list_(output: OutputOption = Output.TABLE) -> None:
    """List rollouts and decisions, who agreed, and what became of them; the newest first.

    \b
    Example:
      fleet change list
    """
    fleet = open_app()
    rules = rules_of(fleet.workspace.settings.approval)
    rows = list_proposals(fleet.reader, rules, fleet.now())
    if not rows:
        note("Nothing was proposed yet: fleet deploy --plan, or fleet change propose FILE")
    about = [r | {"about": r["title"] or ", ".join(r["baselines"])} for r in rows]
    is_table = output is Output.TABLE
    show_rows([local_times(r) for r in about] if is_table else rows, output, _COLUMNS)


app.command()(propose)


@app.command()
def show(
    named: IdArgument,
    member: Annotated[
        str | None, typer.Option("--member", help="Only what concerns this member (slug).")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show a rollout or a decision: what would change, and who answered what.

    \b
    Example:
      fleet change show 3f2a9c81d0e4 --member smola
    """
    fleet = open_app()
    reader = fleet.reader
    proposal = find_proposal(reader, named)
    part = part_of(proposal, member)
    answers = [a for a in answers_to(reader, proposal) if member in (None, a.member)]
    if output is not Output.TABLE:
        show_value(_document(proposal, part, answers), output)
        return
    if is_decision(proposal):
        say(part["text"])
    show_groups(part["groups"])
    for wave in part["waves"]:
        names = wave["devices"]
        who = f"{count_of(len(names), 'device')}: {some(names)}"
        say(f"wave {wave['number']} ({wave['why']}): {who}")
    show_risks(part.get("risks", {}))
    slices = proposal["document"]["slices"]
    for answer in answers:
        say(_line(answer, is_current=slices.get(answer.member) == answer.slice))
    silent = sorted(set(slices) - {a.member for a in answers if slices.get(a.member) == a.slice})
    if silent and member is None:
        say(f"no answer: {', '.join(silent)}")
    if is_decision(proposal):
        say(decided(fleet, proposal))
        return
    say(
        f"Change {proposal['id']} ({proposal['class']}) of {proposal['actor']}, "
        f"{short_text(proposal['at'])}: {', '.join(part['baselines'])} "
        f"on {count_of(part['targets'], 'device')}."
    )


def _line(answer: Answer, *, is_current: bool) -> str:
    said = f"{answer.member}: {answer.say.value}, {answer.role}, {short_text(answer.at)}"
    if answer.reason:
        said += f": {answer.reason}"
    if answer.window:
        said += f" (from {short_text(answer.window.start)} to {short_text(answer.window.end)})"
    return said if is_current else f"{said} (to another content; it says nothing now)"


def _document(proposal: Record, part: Record, answers: list[Answer]) -> Record:
    slices = proposal["document"]["slices"]
    return {
        **{k: v for k, v in part.items() if k not in ("items", "slices")},
        "by": proposal["actor"],
        "at": text_of(proposal["at"]),
        "answers": [
            {
                "member": a.member,
                "say": a.say.value,
                "role": a.role,
                "reason": a.reason,
                "at": text_of(a.at),
                "from": text_of(a.window.start) if a.window else None,
                "to": text_of(a.window.end) if a.window else None,
                "health": dict(a.health),
                "signed": a.signed,
                "current": slices.get(a.member) == a.slice,
            }
            for a in answers
        ],
    }


@app.command()
def approve(
    named: IdArgument,
    member: Annotated[str | None, typer.Option("--member", help="For whom (slug).")] = None,
    role: Annotated[str | None, typer.Option("--role", help="In which role: IT-leder …")] = None,
    reason: _ReasonOption = None,
    start: _FromOption = None,
    end: _ToOption = None,
    risk_assessment: Annotated[
        str | None, typer.Option("--risk-assessment", help="Normen: where the assessment is.")
    ] = None,
    test: Annotated[str | None, typer.Option("--test", help="Normen: how it was tested.")] = None,
    guarded: Annotated[
        str | None, typer.Option("--guarded", help="Normen: how it is put in guardedly.")
    ] = None,
    documentation: Annotated[
        str | None, typer.Option("--documentation", help="Normen: where it is documented.")
    ] = None,
    approved_by: Annotated[
        str | None, typer.Option("--approved-by", help="Normen: the leader, or whom that named.")
    ] = None,
    signed: Annotated[
        Path | None, typer.Option("--signed", help="A signed statement, FILE beside FILE.sig.")
    ] = None,
    print_statement: Annotated[
        bool, typer.Option("--statement", help="Print what would be signed; keep nothing.")
    ] = False,
) -> None:
    """Say yes for a member, to just what `fleet change show ID --member M` shows.

    Where anything of that is another one later, the yes says nothing any more. Devices of
    clinics, nursing homes and home care need the five fields that Normen asks for.

    \b
    Example:
      fleet change approve 3f2a9c81d0e4 --member smola --role IT-leder \\
        --from 2026-12-01T20:00 --to 2026-12-01T23:00
    """
    fleet = open_app()
    values = (risk_assessment, test, guarded, documentation, approved_by)
    health = {name: value for name, value in zip(FIELDS, values, strict=True) if value}
    if signed is not None:
        _keep(fleet, _signed_answer(fleet, named, signed))
        return
    if member is None or role is None:
        raise typer.BadParameter("an answer needs --member and --role, or --signed")
    answer = _answer(fleet, named, member, Say.YES, role, reason, (start, end), health)
    if print_statement:
        say(statement(answer).rstrip("\n"))
        return
    _keep(fleet, answer)


@app.command()
def reject(
    named: IdArgument,
    member: _MemberOption,
    role: _RoleOption,
    reason: _ReasonOption = None,
) -> None:
    """Say no for a member: its devices are left out.

    \b
    Example:
      fleet change reject 3f2a9c81d0e4 --member smola --role IT-leder --reason "exam week"
    """
    fleet = open_app()
    _keep(fleet, _answer(fleet, named, member, Say.NO, role, reason, (None, None), {}))


@app.command()
def abstain(
    named: IdArgument,
    member: _MemberOption,
    role: _RoleOption,
    reason: _ReasonOption = None,
) -> None:
    """Abstain for a member: neither yes nor no; its devices are left out where a yes is needed.

    \b
    Example:
      fleet change abstain 3f2a9c81d0e4 --member smola --role IT-leder --reason "no machine of ours"
    """
    fleet = open_app()
    _keep(fleet, _answer(fleet, named, member, Say.ABSTAIN, role, reason, (None, None), {}))


@app.command()
def resume(named: IdArgument) -> None:
    """Go on with a run of a change that was broken off.

    \b
    Example:
      fleet change resume 3f2a9c81d0e4
    """
    from fleet.cli.rollout import resume_run

    fleet = open_app()
    proposal = find_rollout(fleet.reader, named)
    made, report = resume_run(fleet, proposal["id"])
    if made is None or report is None:
        note("Nothing was broken off.")
        return
    show_report(made.plan, report, say)
    finish(FINDINGS if any(o.failed for o in report.outcomes) else 0)


@app.command()
def rollback(
    named: IdArgument,
    yes: YesOption = False,
) -> None:
    """Take a change back: its devices get what they had before, the last wave first.

    What somebody else changed since is left alone, and named.

    \b
    Example:
      fleet change rollback 3f2a9c81d0e4 --yes
    """
    from fleet.cli.rollout import roll_back

    fleet = open_app()
    proposal = find_rollout(fleet.reader, named)
    made, report = roll_back(fleet, proposal, yes=yes)
    show_report(made.plan, report, say)
    finish(FINDINGS if report.ended != "done" else 0)


def _answer(
    fleet: App,
    named: str,
    member: str,
    say_: Say,
    role: str,
    reason: str | None,
    window: tuple[str | None, str | None],
    health: dict[str, str],
    **more: Any,
) -> Answer:
    return make_answer(
        fleet.workspace,
        find_proposal(fleet.reader, named),
        member=member,
        say=say_,
        role=role,
        reason=reason,
        window=window_of(*window),
        health=health,
        actor=more.get("actor", fleet.actor),
        now=fleet.now(),
        signed=more.get("signed"),
    )


def _signed_answer(fleet: App, named: str, path: Path) -> Answer:
    """An answer that somebody signed elsewhere."""
    content = read_signed(fleet.workspace, path, find_proposal(fleet.reader, named))
    window = (content.get("from"), content.get("to"))
    signer = f"{content['member']}, by {path.name}.sig"
    return _answer(
        fleet,
        named,
        content["member"],
        Say(content["say"]),
        content["role"],
        content.get("reason"),
        window,
        content.get("health") or {},
        signed=signer,
    )


def _keep(fleet: App, answer: Answer) -> None:
    with fleet.store() as store:
        store.rollouts.answer(answer)
    note(f"{answer.member}: {answer.say.value} to {answer.change}, {answer.role}.")
