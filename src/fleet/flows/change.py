"""Decisions on rollouts: who is asked, who answered, and what may run therefore."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fleet.core.approval import (
    Answer,
    Rule,
    Say,
    Verdict,
    Window,
    days_to_yes,
    holding,
    judge,
    lacks_health,
    median_days,
    needs_health,
)
from fleet.core.baseline import ChangeClass
from fleet.core.decision import Rules
from fleet.core.inventory import Inventory
from fleet.core.moment import parse_moment, text_of, to_instant
from fleet.core.record import Record, encode
from fleet.core.rollout import Plan
from fleet.errors import Malformed, Missing, NotFound, NotPermitted
from fleet.flows.decision import decision_state, is_decision

if TYPE_CHECKING:
    from fleet.settings import Approval, Workspace
    from fleet.store.reader import Reader
    from fleet.store.store import Store


def rule_of(settings: "Approval", class_: ChangeClass) -> Rule:
    """What a change of a class needs."""
    section = {
        ChangeClass.LOW: settings.low,
        ChangeClass.NORMAL: settings.normal,
        ChangeClass.HIGH: settings.high,
    }
    return section[class_].value()


def verdict_of(
    settings: "Approval", plan: Plan, inventory: Inventory, answers: list[Answer], now: datetime
) -> Verdict:
    """Who may be touched now, by the answers to just this content."""
    slices = plan.slices()
    held = holding(answers, slices)
    found = judge(rule_of(settings, plan.change_class), slices, held, now)
    devices = {}
    for item in plan.items:
        if needs_health(inventory, item.device):
            lacking = lacks_health(held.get(item.member))
            if lacking:
                names = ", ".join(name.replace("_", " ") for name in lacking)
                devices[item.device] = f"has not given what Normen asks for: {names}"
    return Verdict(may=found.may, waiting=found.waiting, devices=devices, refused=found.refused)


def rules_of(settings: "Approval") -> Rules:
    """What a change of each class needs."""
    return lambda class_: rule_of(settings, class_)


def propose(store: "Store", plan: Plan, document: Record, actor: str, at: datetime) -> None:
    """Keep a plan, so that members can answer to it."""
    kept = document | {
        "slices": plan.slices(),
        "items": encode(plan.items),
        "asked": text_of(at),
    }
    text = json.dumps(kept, ensure_ascii=False, separators=(",", ":"))
    store.rollouts.propose(plan.id, plan.digest, plan.change_class.value, text, actor, at)


def find_proposal(reader: "Reader | None", named: str) -> Record:
    """A plan by its id, or how that begins; a decision's newest content by its name.

    Raises:
        NotFound: there is none such, or several.
    """
    proposals = reader.proposals() if reader else []
    found = _named(proposals, named)
    if len(found) != 1:
        what = "no change" if not found else f"{len(found)} changes that begin with"
        raise NotFound(f"there is {what} `{named}`", hint="see: fleet change list")
    return found[0]


def _named(proposals: Sequence[Record], named: str) -> list[Record]:
    """By the whole id; else by how it begins, or by a decision's name, of which the newest."""
    if whole := [p for p in proposals if p["id"] == named]:
        return whole
    begun = [p for p in proposals if p["id"].startswith(named) and not is_decision(p)]
    decisions = [p for p in proposals if is_decision(p)]
    mine = [p for p in decisions if p["document"]["decision"] == named][:1]
    return begun + (mine or [p for p in decisions if p["id"].startswith(named)])


def find_rollout(reader: "Reader | None", named: str) -> Record:
    """A plan of a rollout, by its id or how that begins.

    Raises:
        NotFound: there is none such, or several.
        NotPermitted: it is a decision, of which nothing runs.
    """
    proposals = reader.proposals() if reader else []
    rollouts = _named([p for p in proposals if not is_decision(p)], named)
    if len(rollouts) == 1:
        return rollouts[0]
    found = find_proposal(reader, named)
    if is_decision(found):
        raise NotPermitted(f"{found['id']} is a decision: it touches no device")
    return found


def list_proposals(reader: "Reader | None", rules: Rules, now: datetime) -> list[Record]:
    """All plans and decisions with what became of them, the newest first.

    Args:
        rules: what a class needs.
    """
    if reader is None:
        return []
    answers, runs, proposals = reader.answers(), reader.runs(), reader.proposals()
    rows = []
    for proposal in proposals:
        document = proposal["document"]
        held = holding(answers, document["slices"])
        mine = [run for run in runs if run.plan == proposal["id"]]
        says = [answer.say for answer in held.values()]
        median = median_days(days_to_yes(proposal["at"], held.values()))
        rows.append(
            {
                "id": proposal["id"],
                "class": proposal["class"],
                "title": document.get("title"),
                "group": document.get("group"),
                "baselines": document["baselines"],
                "devices": document["targets"],
                "members": len(document["slices"]),
                "yes": says.count(Say.YES),
                "no": says.count(Say.NO),
                "abstained": says.count(Say.ABSTAIN),
                "state": decision_state(rules, proposal, proposals, answers).value
                if is_decision(proposal)
                else _state(mine),
                "asked": sorted(document["slices"]),
                "waiting": sorted(document["slices"].keys() - held.keys()),
                "age_days": (now - proposal["at"]).days,
                "by": proposal["actor"],
                "at": text_of(proposal["at"]),
                "median_days_to_yes": None if median is None else round(median, 2),
            }
        )
    return rows


def _state(runs: list[Any]) -> str:
    if not runs:
        return "planned"
    return runs[-1].ended or "running"


def answers_to(reader: "Reader | None", proposal: Record) -> list[Answer]:
    """The answers to a plan, and those to another plan with the same part for the member."""
    slices = proposal["document"]["slices"]
    name = proposal["document"].get("decision")
    earlier = {
        p["id"]
        for p in (reader.proposals() if reader and name else [])
        if p["document"].get("decision") == name
    }
    return [
        a
        for a in (reader.answers() if reader else [])
        if a.change in {proposal["id"], *earlier} or slices.get(a.member) == a.slice
    ]


def part_of(proposal: Record, member: str | None) -> Record:
    """A plan as one member sees it: its own devices and what changes on them.

    Raises:
        NotFound: the plan does not concern that member.
    """
    document = proposal["document"]
    if member is None:
        return dict(document)
    if member not in document["slices"]:
        concerned = ", ".join(document["slices"]) or "nobody"
        raise NotFound(
            f"change {proposal['id']} has nothing for `{member}`", hint=f"it concerns: {concerned}"
        )
    mine = {item["device"] for item in document["items"] if item["member"] == member}
    groups = [
        group | {"devices": [d for d in group["devices"] if d in mine]}
        for group in document["groups"]
        if mine.intersection(group["devices"])
    ]
    waves = [w | {"devices": [d for d in w["devices"] if d in mine]} for w in document["waves"]]
    return dict(document) | {
        "groups": groups,
        "waves": [w for w in waves if w["devices"]],
        "items": [item for item in document["items"] if item["member"] == member],
        "targets": len(mine),
    }


def make_answer(  # noqa: PLR0913 - an answer has so many parts
    workspace: "Workspace",
    proposal: Record,
    *,
    member: str,
    say: Say,
    role: str,
    reason: str | None,
    window: Window | None,
    health: Mapping[str, str],
    actor: str,
    now: datetime,
    signed: str | None = None,
) -> Answer:
    """What a member says to its part of a plan.

    Raises:
        NotFound: the plan does not concern that member.
        NotPermitted: this user may not answer for it.
        Malformed: a no or an abstention without a reason, no role, or a window that is over.
    """
    settings = workspace.settings.approval
    part_of(proposal, member)
    rule = rule_of(settings, ChangeClass(proposal["class"]))
    if signed is None:
        if rule.four_eyes and actor == proposal["actor"]:
            raise NotPermitted(
                f"{actor} made this plan, and a {proposal['class']} change needs four eyes",
                hint="let somebody else answer",
            )
        allowed = settings.approvers.get(member)
        if allowed is not None and actor not in allowed:
            raise NotPermitted(
                f"{actor} may not answer for {member}",
                hint=f"[approval.approvers] names: {', '.join(allowed)}",
            )
    if not role.strip():
        raise Malformed("an answer is given in a role", hint="--role IT-leder")
    if is_decision(proposal) and (window is not None or health):
        raise Malformed(
            "a decision has no window, and Normen's fields are those of a rollout",
            hint="answer it without --from, --to and what Normen asks for",
        )
    if say is not Say.YES and not reason:
        raise Malformed("a no or an abstention needs a reason", hint="--reason TEXT")
    if window is not None and window.end <= max(window.start, now):
        raise Malformed("the window is over before it begins, or by now", hint="--from and --to")
    return Answer(
        change=proposal["id"],
        member=member,
        say=say,
        role=role,
        reason=reason,
        slice=proposal["document"]["slices"][member],
        actor=actor,
        at=now,
        window=window,
        health=health,
        signed=signed,
    )


_SIGNED_FIELDS = ("change", "member", "slice", "say", "role")


def statement(answer: Answer) -> str:
    """An answer as a text to be signed with `ssh-keygen -Y sign -n fleet`."""
    window = answer.window
    content = {
        "change": answer.change,
        "member": answer.member,
        "slice": answer.slice,
        "say": answer.say.value,
        "role": answer.role,
        "reason": answer.reason,
        "from": text_of(window.start) if window else None,
        "to": text_of(window.end) if window else None,
        "health": dict(answer.health),
    }
    return json.dumps(content, ensure_ascii=False, indent=2, sort_keys=True) + "\n"


def read_signed(workspace: "Workspace", path: Path, proposal: Record) -> Record:
    """A signed statement on a plan, once the signature holds.

    Raises:
        Missing: no allowed signers are set.
        Malformed: it is no statement, or speaks of another content.
        NotPermitted: the signature does not hold.
    """
    signers = workspace.settings.approval.allowed_signers
    if signers is None:
        raise Missing(
            "signed answers need `allowed_signers` in [approval]",
            hint="a file as ssh-keygen(1) describes it, with members as principals",
        )
    try:
        text = path.read_bytes()
        content = json.loads(text)
        found = {name: str(content[name]) for name in _SIGNED_FIELDS}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise Malformed(f"{path} is not a statement: {error}") from error
    command = ["ssh-keygen", "-Y", "verify", "-f", str(workspace.root / signers)]
    command += ["-I", found["member"], "-n", "fleet", "-s", f"{path}.sig"]
    done = subprocess.run(command, input=text, capture_output=True, check=False, timeout=30)
    if done.returncode:
        said = (done.stderr or done.stdout).decode("utf-8", "replace").strip().splitlines()
        raise NotPermitted(
            f"the signature of {path.name} does not hold for {found['member']}: "
            f"{said[-1] if said else ''}",
            hint=f"ssh-keygen -Y sign -n fleet -f KEY {path.name}",
        )
    wanted = proposal["document"]["slices"].get(found["member"])
    if (found["change"], found["slice"]) != (proposal["id"], wanted):
        raise Malformed(f"{path.name} speaks of another change, or of another content of it")
    return dict(content)


def window_of(start: str | None, end: str | None) -> Window | None:
    """A window as it was typed.

    Raises:
        Malformed: only one end of it, or no time.
    """
    if start is None and end is None:
        return None
    if start is None or end is None:
        raise Malformed("a window has two ends", hint="--from TIME --to TIME")
    try:
        return Window(start=to_instant(parse_moment(start)), end=to_instant(parse_moment(end)))
    except ValueError as error:
        raise Malformed(f"the window: {error}") from error
