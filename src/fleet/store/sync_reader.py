"""Reading what was agreed with sources, what is in conflict, and what is still to be done."""

import json
from typing import Any

from fleet.core.claims import Conflict, Id
from fleet.core.operation import Operation, Progress
from fleet.core.record import Record
from fleet.store.states_reader import StateReader


class SyncReader(StateReader):
    """What reconciling needs to know of earlier times."""

    def bases(self) -> dict[str, dict[Id, Record]]:
        """Per source, of each thing that it shares: the fields as last agreed."""
        found: dict[str, dict[Id, Record]] = {}
        for source, kind, key, fields in self.rows("SELECT source, kind, key, fields FROM agreed"):
            found.setdefault(source, {})[kind, key] = json.loads(fields)
        return found

    def remotes(self, source: str) -> dict[Id, int]:
        """The number that each shared thing has in a source."""
        rows = self.rows(
            "SELECT kind, key, remote FROM agreed WHERE source = ? AND remote IS NOT NULL", source
        )
        return {(kind, key): int(remote) for kind, key, remote in rows}

    def marked(self, source: str) -> dict[Id, int]:
        """When things were marked in a source to be removed, microseconds since 1970."""
        rows = self.rows(
            "SELECT kind, key, marked_us FROM agreed WHERE source = ? AND marked_us IS NOT NULL",
            source,
        )
        return {(kind, key): int(at) for kind, key, at in rows}

    def conflicts(self) -> list[tuple[int, Conflict]]:
        """What the last sync found for a person to decide, and since when, microseconds."""
        rows = self.rows(
            "SELECT since_us, kind, key, field, base, ours, says, is_finding, evidence"
            " FROM conflict ORDER BY kind, key, field, is_finding"
        )
        return [(int(since), _to_conflict(row)) for since, *row in rows]

    def last_plan(self) -> int:
        """The number of the last plan that was applied; 0 before the first."""
        return int(self.rows("SELECT max(id) FROM plan")[0][0] or 0)

    def open_plans(self) -> list[tuple[int, str, str, int]]:
        """Plans that were begun and not finished: number, digest, actor, at_us."""
        return [
            (number, digest, actor, int(at))
            for number, digest, actor, at in self.rows(
                "SELECT id, digest, actor, at_us FROM plan WHERE finished_us IS NULL ORDER BY id"
            )
        ]

    def operations(self, plan: int) -> list[tuple[Operation, Progress, str | None]]:
        """The operations of a plan, how far they came, and what was said of it."""
        rows = self.rows(
            "SELECT number, source, action, type, symbol, remote, body, seen, kind, key, agreed,"
            " is_part, state, message FROM operation WHERE plan = ? ORDER BY number",
            plan,
        )
        return [(_to_operation(row), Progress(row[-2]), row[-1]) for row in rows]


def _to_conflict(row: list[Any]) -> Conflict:
    kind, key, name, base, ours, says, is_finding, evidence = row
    return Conflict(
        kind=kind,
        key=key,
        field=name,
        base=json.loads(base),
        ours=json.loads(ours),
        says=json.loads(says),
        is_finding=bool(is_finding),
        evidence=evidence,
    )


def _to_operation(row: Any) -> Operation:
    number, source, action, type_, symbol, remote, body, seen, kind, key, agreed, is_part, *_ = row
    return Operation(
        number=number,
        source=source,
        action=action,
        type=type_,
        symbol=symbol,
        remote=remote,
        body=json.loads(body),
        seen=json.loads(seen),
        thing=(kind, key) if kind is not None else None,
        agreed=json.loads(agreed),
        is_part=bool(is_part),
    )
