"""Reading rollouts: plans, answers, runs and their journal."""

import json
from collections.abc import Sequence
from typing import Any

from fleet.core.approval import Answer, Say, Window
from fleet.core.journal import Run, Stage, Step
from fleet.core.moment import from_us, text_of
from fleet.core.record import Record
from fleet.core.rollout import Outcome, Result
from fleet.store.sync_reader import SyncReader

_RUN = "SELECT id, plan, digest, baselines, actor, at_us, finished_us, ended FROM rollout"


class RolloutReader(SyncReader):
    """What is known of rollouts."""

    def proposals(self) -> list[Record]:
        """Plans that were made to be answered, the newest first."""
        rows = self.rows(
            "SELECT plan, digest, change_class, actor, at_us, document FROM proposal"
            " ORDER BY id DESC"
        )
        return [
            {
                "id": plan,
                "digest": digest,
                "class": class_,
                "actor": actor,
                "at": from_us(int(at)),
                "document": json.loads(document),
            }
            for plan, digest, class_, actor, at, document in rows
        ]

    def drift(self) -> list[tuple[str, str]]:
        """Devices and the baselines that they differed from when they were last looked at."""
        rows = self.rows("SELECT device, baseline FROM drift ORDER BY device, baseline")
        return [(device, baseline) for device, baseline in rows]

    def audits(self, site: str) -> list[Record]:
        """The audits of a site, the newest first."""
        rows = self.rows(
            "SELECT room, actor, at_us, document FROM audit WHERE site = ? ORDER BY id DESC", site
        )
        return [
            {"at": text_of(from_us(int(at))), "site": site, "room": room, "by": actor}
            | json.loads(document)
            for room, actor, at, document in rows
        ]

    def answers(self) -> list[Answer]:
        """All answers, the oldest first."""
        rows = self.rows(
            "SELECT plan, member, say, role, reason, slice, actor, at_us, window_start_us,"
            " window_end_us, health, signed FROM answer ORDER BY id"
        )
        return [_to_answer(row) for row in rows]

    def runs(self) -> list[Run]:
        """All runs, the oldest first."""
        return [_to_run(row) for row in self.rows(f"{_RUN} ORDER BY id")]

    def steps(self, run: int) -> list[Step]:
        """The journal of a run."""
        rows = self.rows(
            "SELECT wave, device, stage, at_us, message FROM step WHERE rollout = ? ORDER BY id",
            run,
        )
        return [
            Step(wave=wave, device=device, stage=Stage(stage), at=from_us(int(at)), message=said)
            for wave, device, stage, at, said in rows
        ]

    def outcomes(self, run: int) -> list[Outcome]:
        """What became of each baseline on each device of a run."""
        rows = self.rows(
            "SELECT wave, baseline, device, result, message FROM outcome WHERE rollout = ?"
            " ORDER BY wave, device, baseline",
            run,
        )
        return [
            Outcome(wave=wave, baseline=b, device=device, result=Result(result), message=said)
            for wave, b, device, result, said in rows
        ]


def _to_answer(row: Sequence[Any]) -> Answer:
    plan, member, say, role, reason, slice_, actor, at, start, end, health, signed = row
    window = None
    if start is not None:
        window = Window(start=from_us(int(start)), end=from_us(int(end)))
    return Answer(
        change=plan,
        member=member,
        say=Say(say),
        role=role,
        reason=reason,
        slice=slice_,
        actor=actor,
        at=from_us(int(at)),
        window=window,
        health=json.loads(health),
        signed=signed,
    )


def _to_run(row: Sequence[Any]) -> Run:
    number, plan, digest, baselines, actor, at, finished, ended = row
    return Run(
        number=number,
        plan=plan,
        digest=digest,
        baselines=tuple(json.loads(baselines)),
        actor=actor,
        at=from_us(int(at)),
        finished=from_us(int(finished)) if finished is not None else None,
        ended=ended,
    )
