"""Plans that reconcile: kept in the transaction that begins them, and followed to their end."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from fleet.core.claims import Conflict, Id
from fleet.core.diff import Change
from fleet.core.moment import to_us
from fleet.core.operation import Operation, Outcome, Progress
from fleet.core.plan import Plan
from fleet.core.record import Record
from fleet.errors import PlanStale
from fleet.store.agreements import (
    add_agreed,
    begin_plan,
    drop_conflict,
    finish_plan,
    forget_agreed,
    mark_agreed,
    write_agreed,
    write_conflicts,
    write_progress,
)
from fleet.store.engine import reader_of

if TYPE_CHECKING:
    from fleet.store.store import Store


class Plans:
    """What reconciling writes.

    Args:
        store: whose transactions are used.
    """

    def __init__(self, store: "Store") -> None:
        self._store = store

    def begin(self, plan: Plan, *, actor: str, at: datetime) -> int | None:
        """Change the inventory, and keep in the same transaction what else the plan says.

        Returns:
            The plan's number; None: there was nothing to do.

        Raises:
            PlanStale: the inventory changed since the plan was made.
        """
        numbers: list[int] = []
        digest, changes = plan.digest(), plan.inventory_changes

        def record(connection: Connection) -> None:
            if reader_of(connection).last_plan() != plan.last_plan:
                raise PlanStale(
                    "somebody else's plan was applied after this one was made",
                    hint="run the command again to see the new plan",
                )
            write_agreed(connection, plan.merge.agreed, plan.remotes)
            write_conflicts(connection, plan.merge.conflicts, to_us(at))
            if changes or plan.operations:
                number = begin_plan(connection, digest, actor, to_us(at), plan.operations)
                numbers.append(number)

        self._store.apply(
            changes, actor=actor, at=at, basis=plan.basis, plan=digest[:12], record=record
        )
        return numbers[0] if numbers else None

    def link(
        self,
        agreed: Mapping[str, Mapping[Id, Record | None]],
        numbers: Mapping[str, Mapping[Id, int]],
    ) -> None:
        """Keep what in a source is what here."""
        with self._store.transaction() as connection:
            write_agreed(connection, agreed, numbers)

    def mark(self, plan: int, operations: Sequence[Operation], progress: Progress) -> None:
        """Keep how far operations have come, before it goes on."""
        with self._store.transaction() as connection:
            write_progress(
                connection, plan, [Outcome(operation=o, progress=progress) for o in operations]
            )

    def record(self, plan: int, outcomes: Sequence[Outcome], at: datetime) -> None:
        """Keep what became of operations, and what is agreed since."""
        with self._store.transaction() as connection:
            write_progress(connection, plan, outcomes)
            done = [o for o in outcomes if o.progress is Progress.CONFIRMED]
            for source in {o.operation.source for o in done}:
                mine = [o for o in done if o.operation.source == source]
                things = [(o.operation.thing, o) for o in mine if o.operation.thing is not None]
                gone = [id_ for id_, o in things if o.operation.action == "delete"]
                marked = [id_ for id_, o in things if o.operation.action == "mark"]
                forget_agreed(connection, source, gone)
                kept: dict[Id, tuple[Record, int | None]] = {}
                for id_, o in things:
                    if o.operation.action != "delete":
                        fields, number = kept.get(id_, ({}, None))
                        number = number if o.operation.is_part else o.remote
                        kept[id_] = (fields | o.operation.agreed, number)
                add_agreed(connection, source, kept)
                mark_agreed(connection, source, marked, to_us(at))
                back = [id_ for id_, o in things if o.operation.action == "unmark"]
                mark_agreed(connection, source, back, None)

    def finish(self, plan: int, at: datetime) -> None:
        """Nothing of the plan is to be done any more."""
        with self._store.transaction() as connection:
            finish_plan(connection, plan, to_us(at))

    def decide(
        self,
        conflict: Conflict,
        changes: Sequence[Change],
        *,
        actor: str,
        at: datetime,
        basis: int,
        agreed: Mapping[str, Mapping[Id, Record | None]],
    ) -> None:
        """Keep what a person decided: the change that it makes, and what is agreed by it.

        Raises:
            PlanStale: the inventory changed since.
        """

        def record(connection: Connection) -> None:
            write_agreed(connection, agreed)
            drop_conflict(connection, conflict)

        self._store.apply(changes, actor=actor, at=at, basis=basis, record=record)
