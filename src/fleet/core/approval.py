"""Who has to agree to a change, who did, and what follows for their devices.

An answer is bound to the content that it was given on: the digest of the member's part of the
plan. Where that part is another one now, an earlier yes says nothing; where it is the same, the
yes holds, whatever changed for others.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from fractions import Fraction

from fleet.core.inventory import Inventory, SiteKind

HEALTH = frozenset({SiteKind.CLINIC, SiteKind.NURSING_HOME, SiteKind.HOME_CARE})
FIELDS = ("risk_assessment", "test", "guarded_implementation", "documentation", "approval")
"""What Normen asks for before systems for health data are changed, none of it optional."""


class Say(StrEnum):
    """What a member says to a change."""

    YES = "yes"
    NO = "no"
    ABSTAIN = "abstain"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What a change of a class needs.

    Args:
        own: every member must say yes for its own devices; others are left out.
        quorum: the share of the members concerned that must have said yes before anything runs.
        four_eyes: who made the plan does not answer for a member.
    """

    own: bool = False
    quorum: float = 0.0
    four_eyes: bool = False

    def needed(self, members: int) -> int:
        """How many of so many must have said yes: the quorum as it is written, rounded up."""
        return math.ceil(Fraction(str(self.quorum)) * members)


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a member's devices may be touched; half-open."""

    start: datetime
    end: datetime

    def is_open(self, now: datetime) -> bool:
        return self.start <= now < self.end


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a member said, to which content.

    Args:
        slice: digest of the member's part of the plan.
        health: the five fields of Normen, if they were given.
        signed: by whose key, if the answer was signed.
    """

    change: str
    member: str
    say: Say
    role: str
    reason: str | None
    slice: str
    actor: str
    at: datetime
    window: Window | None = None
    health: Mapping[str, str] = field(default_factory=dict)
    signed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What follows from the answers.

    Args:
        may: members whose devices may be touched now.
        waiting: member → why its devices are left out now.
        devices: device → why it is left out, whatever its member said otherwise.
        refused: why nothing may run at all; None: it may.
    """

    may: frozenset[str]
    waiting: Mapping[str, str]
    devices: Mapping[str, str] = field(default_factory=dict)
    refused: str | None = None


def holding(answers: Iterable[Answer], slices: Mapping[str, str]) -> dict[str, Answer]:
    """Per member, its last answer to what the plan does to it now."""
    found: dict[str, Answer] = {}
    for answer in sorted(answers, key=lambda a: a.at):
        if slices.get(answer.member) == answer.slice:
            found[answer.member] = answer
    return found


def judge(
    rule: Rule, slices: Mapping[str, str], answers: Mapping[str, Answer], now: datetime
) -> Verdict:
    """Who may be touched now.

    Args:
        slices: the members concerned, with the digest of their part.
        answers: per member, the one that holds.
    """
    waiting: dict[str, str] = {}
    for member in slices:
        if reason := _why_not(rule, answers.get(member), now):
            waiting[member] = reason
    yes = sum(answers[m].say is Say.YES for m in slices if m in answers)
    needed = rule.needed(len(slices))
    refused = None
    if yes < needed:
        refused = f"{yes} of {len(slices)} members said yes, and {needed} are needed"
    return Verdict(may=frozenset(slices.keys() - waiting.keys()), waiting=waiting, refused=refused)


def _why_not(rule: Rule, answer: Answer | None, now: datetime) -> str | None:
    if answer is None:
        return "has not answered" if rule.own else None
    if answer.say is Say.NO:
        return "said no" + (f": {answer.reason}" if answer.reason else "")
    if answer.say is Say.ABSTAIN and rule.own:
        return "abstained"
    window = answer.window
    if window is None or window.is_open(now):
        return None
    # A window that was missed is never caught up: the member has to say so anew.
    return "its window has not begun" if now < window.start else "its window is over"


def needs_health(inventory: Inventory, device: str) -> bool:
    """Whether Normen's five fields are needed for a device: by the kind of its site."""
    return inventory.sites[inventory.devices[device].site].kind in HEALTH


def lacks_health(answer: Answer | None) -> list[str]:
    """The fields of Normen that an answer does not have."""
    given = answer.health if answer is not None and answer.say is Say.YES else {}
    return [name for name in FIELDS if not given.get(name, "").strip()]


def days_to_yes(asked: datetime, answers: Iterable[Answer]) -> list[timedelta]:
    """How long each member took from the plan to its yes."""
    return sorted(a.at - asked for a in answers if a.say is Say.YES and a.at >= asked)


def median_days(times: Sequence[timedelta]) -> float | None:
    """The median in days; None without any."""
    if not times:
        return None
    days = sorted(t / timedelta(days=1) for t in times)
    middle = len(days) // 2
    return days[middle] if len(days) % 2 else (days[middle - 1] + days[middle]) / 2
