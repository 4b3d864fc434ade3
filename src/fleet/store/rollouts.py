"""What rollouts write: plans to be answered, answers, runs with their journal, locks."""

import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import delete, insert, select, update

from fleet.core.approval import Answer
from fleet.core.journal import Holder, Step
from fleet.core.moment import from_us, to_us
from fleet.core.rollout import Outcome
from fleet.errors import Locked
from fleet.store.rollout_tables import (
    AnswerRow,
    DriftRow,
    LeaseRow,
    OutcomeRow,
    ProposalRow,
    RolloutRow,
    StepRow,
)
from fleet.store.row import table_of

if TYPE_CHECKING:
    from fleet.store.store import Store


class Rollouts:
    """What rollouts write.

    Args:
        store: whose transactions are used.
    """

    def __init__(self, store: "Store") -> None:
        self._store = store

    def propose(
        self, plan: str, digest: str, change_class: str, document: str, actor: str, at: datetime
    ) -> None:
        """Keep a plan for answers; the one that is there stays as it is."""
        table = table_of(ProposalRow)
        with self._store.transaction() as connection:
            if connection.execute(select(table.c.id).where(table.c.plan == plan)).first() is None:
                row = {"plan": plan, "digest": digest, "change_class": change_class}
                row |= {"actor": actor, "document": document}
                connection.execute(insert(table), row | {"at_us": to_us(at)})

    def answer(self, answer: Answer) -> None:
        """Append what a member said."""
        window = answer.window
        row = {
            "plan": answer.change,
            "member": answer.member,
            "say": answer.say.value,
            "role": answer.role,
            "reason": answer.reason,
            "slice": answer.slice,
            "actor": answer.actor,
            "at_us": to_us(answer.at),
            "window_start_us": to_us(window.start) if window else None,
            "window_end_us": to_us(window.end) if window else None,
            "health": json.dumps(dict(answer.health), ensure_ascii=False),
            "signed": answer.signed,
        }
        with self._store.transaction() as connection:
            connection.execute(insert(table_of(AnswerRow)), row)

    def begin(
        self, *, plan: str, digest: str, baselines: Sequence[str], actor: str, at: datetime
    ) -> int:
        """Begin the record of a run; its number."""
        table = table_of(RolloutRow)
        row = {"plan": plan, "digest": digest, "baselines": json.dumps(list(baselines))}
        row |= {"actor": actor}
        with self._store.transaction() as connection:
            statement = insert(table).returning(table.c.id)
            return int(connection.execute(statement, row | {"at_us": to_us(at)}).scalar_one())

    def write(self, rollout: int, steps: Iterable[Step]) -> None:
        """Append to the journal; it is on the disk when this returns."""
        rows = [
            {
                "rollout": rollout,
                "wave": step.wave,
                "device": step.device,
                "stage": step.stage.value,
                "at_us": to_us(step.at),
                "message": step.message,
            }
            for step in steps
        ]
        if rows:
            with self._store.transaction() as connection:
                connection.execute(insert(table_of(StepRow)), rows)

    def add_outcomes(self, rollout: int, outcomes: Sequence[Outcome]) -> None:
        """Keep what became of baselines on devices; a later word replaces an earlier one."""
        if not outcomes:
            return
        table = table_of(OutcomeRow)
        devices = {o.device for o in outcomes}
        with self._store.transaction() as connection:
            gone = delete(table).where(table.c.rollout == rollout, table.c.device.in_(devices))
            connection.execute(gone)
            rows = [{"rollout": rollout, **asdict(o), "result": o.result.value} for o in outcomes]
            connection.execute(insert(table), rows)

    def keep_drift(
        self,
        looked: Collection[tuple[str, str]],
        differing: Collection[tuple[str, str]],
        at: datetime,
    ) -> dict[tuple[str, str], datetime]:
        """Keep which devices differ from which baselines; since when each does.

        Args:
            looked: device and baseline of all that was compared; what is known of others stays.
        """
        table = table_of(DriftRow)
        now = to_us(at)
        with self._store.transaction() as connection:
            rows = connection.execute(select(table.c.device, table.c.baseline, table.c.since_us))
            known = {(device, baseline): int(since) for device, baseline, since in rows}
            for device, baseline in set(looked) & known.keys():
                gone = delete(table).where(table.c.device == device, table.c.baseline == baseline)
                connection.execute(gone)
            since = {pair: known.get(pair, now) for pair in differing}
            new = [
                {"device": device, "baseline": baseline, "since_us": first, "seen_us": now}
                for (device, baseline), first in sorted(since.items())
            ]
            if new:
                connection.execute(insert(table), new)
        return {pair: from_us(first) for pair, first in since.items()}

    def finish(self, rollout: int, ended: str, at: datetime) -> None:
        """End the record of a run."""
        table = table_of(RolloutRow)
        with self._store.transaction() as connection:
            statement = update(table).where(table.c.id == rollout)
            connection.execute(statement.values(finished_us=to_us(at), ended=ended))

    def take(
        self,
        rollout: int,
        devices: Sequence[str],
        holder: tuple[str, str, int],
        now: datetime,
        lease: timedelta,
        is_dead: Callable[[Holder], bool],
    ) -> None:
        """Lock devices for a run, or lengthen its locks.

        Args:
            holder: owner, host and process.
            is_dead: whether the process that holds a lock is known to have ended.

        Raises:
            Locked: somebody else holds one; none is taken.
        """
        owner, host, pid = holder
        table = table_of(LeaseRow)
        wanted = set(devices)
        with self._store.transaction() as connection:
            rows = connection.execute(select(table)).all()
            held = [(r.rollout, _to_holder(r)) for r in rows if r.device in wanted]
            others = [
                h
                for number, h in held
                if (number, h.host, h.pid) != (rollout, host, pid)
                and h.until > now
                and not is_dead(h)
            ]
            if others:
                raise _locked(others)
            connection.execute(delete(table).where(table.c.device.in_(wanted)))
            new = [
                {
                    "device": device,
                    "rollout": rollout,
                    "owner": owner,
                    "host": host,
                    "pid": pid,
                    "since_us": to_us(now),
                    "until_us": to_us(now + lease),
                }
                for device in sorted(wanted)
            ]
            connection.execute(insert(table), new)

    def release(self, rollout: int) -> None:
        """Give all locks of a run free."""
        table = table_of(LeaseRow)
        with self._store.transaction() as connection:
            connection.execute(delete(table).where(table.c.rollout == rollout))


def _to_holder(row: "object") -> Holder:
    fields = row._mapping  # type: ignore[attr-defined] # a row of SQLAlchemy
    return Holder(
        device=fields["device"],
        owner=fields["owner"],
        host=fields["host"],
        pid=int(fields["pid"]),
        since=from_us(int(fields["since_us"])),
        until=from_us(int(fields["until_us"])),
    )


def _locked(others: Sequence[Holder]) -> Locked:
    from fleet.core.moment import short_text

    first = others[0]
    names = ", ".join(h.device for h in others[:3]) + (" …" if len(others) > 3 else "")
    return Locked(
        f"{first.owner} on {first.host} is changing {names} since {short_text(first.since)}",
        hint=f"wait; the lock ends with the run, at the latest {short_text(first.until)}",
    )
