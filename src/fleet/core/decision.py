"""Decisions that are anchored in all members: enough of them said yes, or too many did not."""

from collections.abc import Callable, Collection, Mapping
from enum import StrEnum

from fleet.core.approval import Answer, Rule, Say
from fleet.core.baseline import ChangeClass

Rules = Callable[[ChangeClass], Rule]
"""What a change of a class needs."""


class State(StrEnum):
    """How far a decision has come."""

    OPEN = "open"
    CARRIED = "carried"
    FALLEN = "fallen"
    REPLACED = "replaced"  # by another content of it


def needed(rule: Rule, members: Collection[str]) -> int:
    """How many members have to say yes: the quorum of its class, else more than half."""
    return rule.needed(len(members)) if rule.quorum else len(members) // 2 + 1


def state_of(rule: Rule, members: Collection[str], answers: Mapping[str, Answer]) -> State:
    """What follows from the answers that hold.

    Args:
        members: those that are asked.
        answers: by member, the one that holds.
    """
    says = [answers[m].say for m in members if m in answers]
    if says.count(Say.YES) >= needed(rule, members):
        return State.CARRIED
    left = len(members) - len(says) + says.count(Say.YES)
    return State.OPEN if left >= needed(rule, members) else State.FALLEN
