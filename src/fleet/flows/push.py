"""Doing what a kept plan says in the sources, now or after it was broken off."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.core.operation import Operation, Outcome, Progress
from fleet.errors import FleetError, RemoteError

if TYPE_CHECKING:
    from fleet.sources.netbox.source import NetBoxSource
    from fleet.store.store import Store


def _give_up(
    store: "Store",
    plan: int,
    operations: Sequence[tuple[Operation, Progress]],
    now: Callable[[], datetime],
) -> None:
    """The settings do not allow it any more."""
    why = "the settings no longer let this source be written"
    waiting = [o for o, progress in operations if progress in OPEN]
    outcomes = [Outcome(operation=o, progress=Progress.FAILED, message=why) for o in waiting]
    store.plans.record(plan, outcomes, now())


OPEN = (Progress.PLANNED, Progress.SENT)
"""What is still to be done, or to be looked up."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Push:
    """What became of a plan.

    Args:
        outcomes: per operation, how far it came and what was said of it.
        error: why it could not be finished; None: it was.
    """

    outcomes: tuple[tuple[Operation, Progress, str | None], ...]
    error: FleetError | None = None

    def count(self, progress: Progress) -> int:
        return sum(state is progress for _, state, _ in self.outcomes)

    @property
    def is_clean(self) -> bool:
        """Whether everything was done."""
        return all(state is Progress.CONFIRMED for _, state, _ in self.outcomes)


class _Journal:
    def __init__(self, store: "Store", plan: int, now: Callable[[], datetime]) -> None:
        self._plans, self._plan, self._now = store.plans, plan, now

    def mark(self, operations: Sequence[Operation], progress: Progress) -> None:
        self._plans.mark(self._plan, operations, progress)

    def record(self, outcomes: Sequence[Outcome]) -> None:
        self._plans.record(self._plan, outcomes, self._now())


def push(
    store: "Store",
    plan: int,
    netboxes: "Iterable[NetBoxSource]",
    now: Callable[[], datetime],
    heard: Callable[[int], None] = lambda _: None,
) -> Push:
    """Do what is still to be done of a plan; one NetBox that fails does not keep the others.

    Args:
        plan: its number.
        heard: is told how many operations were done.
    """
    sources = {netbox.name: netbox for netbox in netboxes}
    with store.reader() as reader:
        operations = [(o, progress) for o, progress, _ in reader.operations(plan)]
    error: FleetError | None = None
    for name in dict.fromkeys(o.source for o, _ in operations):
        mine = [(o, progress) for o, progress in operations if o.source == name]
        if all(p not in OPEN for _, p in mine):
            continue
        if name not in sources or not sources[name].settings.write:
            _give_up(store, plan, mine, now)
            continue
        try:
            sources[name].apply(mine, _Journal(store, plan, now), heard)
        except RemoteError as failure:
            error = error or failure
    with store.reader() as reader:
        outcomes = tuple(reader.operations(plan))
    if all(progress not in OPEN for _, progress, _ in outcomes):
        store.plans.finish(plan, now())
    return Push(outcomes=outcomes, error=error)
