"""How far a rollout has come, device by device: a journal that only grows."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Stage(StrEnum):
    """How far a device has come in a run."""

    BEGUN = "begun"  # it may or may not have been changed: who takes over looks first
    CHANGED = "changed"  # changed, and not yet known to be well
    DONE = "done"  # changed, and the network is well
    SAME = "same"  # it had everything already
    SKIPPED = "skipped"  # left alone, with a reason
    FAILED = "failed"  # it is as before
    REVERTED = "reverted"  # it was changed, and is as before


FINAL = frozenset({Stage.DONE, Stage.SAME, Stage.FAILED, Stage.REVERTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One entry of the journal."""

    wave: int
    device: str
    stage: Stage
    at: datetime
    message: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a plan, as it is kept."""

    number: int
    plan: str
    digest: str
    baselines: tuple[str, ...]
    actor: str
    at: datetime
    finished: datetime | None
    ended: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holder:
    """Who holds the lock on a device."""

    device: str
    owner: str
    host: str
    pid: int
    since: datetime
    until: datetime


def latest(steps: Iterable[Step]) -> dict[str, Step]:
    """The last entry of each device."""
    return {step.device: step for step in steps}


def begun(steps: Iterable[Step]) -> set[str]:
    """Devices that a run began to change, whether it finished with them or not."""
    return {step.device for step in steps if step.stage is Stage.BEGUN}


def answers_before(steps: Iterable[Step]) -> dict[str, frozenset[str]]:
    """Over what devices answered before the waves that a run began."""
    found: dict[str, frozenset[str]] = {}
    for step in steps:
        if step.stage is Stage.BEGUN and step.message:
            for name, ways in json.loads(step.message).items():
                found.setdefault(name, frozenset(ways))
    return found
