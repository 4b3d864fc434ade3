"""Doing what a plan says in a NetBox: in chunks, each looked at before and after.

Whatever happens, no object is made twice and none is written over that somebody changed since
the plan was made. A chunk is marked as sent before it goes out; one whose answer did not come is
looked up, and is left as sent if it cannot be found: who resumes looks again.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from fleet.core.operation import NEEDS, Operation, Outcome, Progress, resolve
from fleet.core.ports import port_key
from fleet.core.record import Json, Record
from fleet.errors import RemoteError
from fleet.sources.netbox.client import Client, Refused
from fleet.sources.netbox.types import (
    INTERFACES,
    TYPES,
    identity_of,
    is_same,
    plain_object,
)

ADD_TAGS, REMOVE_TAGS = "$add_tags", "$remove_tags"
"""In a body: the slugs of tags to add or remove; the others stay."""

_FIRST, _LEAST, _MOST = 50, 25, 200  # objects in a chunk
_AIM_S = 7.0  # for a chunk; proxies give up after 60 s
_LOOKS_S = (0.0, 2.0, 5.0, 10.0)  # after an answer that did not come


class Journal(Protocol):
    """What keeps how far operations have come."""

    def mark(self, operations: Sequence[Operation], progress: Progress) -> None:
        """Before something is done."""

    def record(self, outcomes: Sequence[Outcome]) -> None:
        """After it."""


@dataclass(kw_only=True)
class Applying:
    """A plan under way in one NetBox.

    Args:
        numbers: of objects that were made, by symbol.
        clock: seconds, to size chunks by.
        pause: waits, before an answer that did not come is looked for again.
        heard: is told how many operations were done.
    """

    client: Client
    journal: Journal
    numbers: dict[str, int] = field(default_factory=dict)
    clock: Callable[[], float] = time.monotonic
    pause: Callable[[float], None] = time.sleep
    heard: Callable[[int], None] = lambda _: None
    _size: int = _FIRST

    def run(self, operations: Sequence[tuple[Operation, Progress]]) -> None:
        """Do what is still to be done.

        Args:
            operations: in their order, and how far each has come.

        Raises:
            RemoteError: NetBox stopped answering; what was sent then is not known.
        """
        for operation, progress in operations:
            if progress is Progress.CONFIRMED and operation.remote is not None:
                self.numbers[operation.symbol] = operation.remote
        waiting = [o for o, p in operations if p in (Progress.PLANNED, Progress.SENT)]
        sent = {o.number for o, p in operations if p is Progress.SENT}
        for group in _alike(waiting):
            self._run_group(group, sent)

    def _run_group(self, group: list[Operation], sent: set[int]) -> None:
        unsure = [o for o in group if o.number in sent]
        if unsure:
            done = self._look_up(unsure)
            group = [o for o in group if o.number not in done]
        while group:
            cut = _cut(len(group), self._size)
            self._run_chunk(group[:cut])
            group = group[cut:]

    def _run_chunk(self, chunk: list[Operation]) -> None:
        ready = self._resolved(chunk)
        if ready and ready[0][0].action == "create":
            ready = self._without_existing(ready)
        else:
            ready = self._without_stale(ready)
        if not ready:
            return
        self.journal.mark([operation for operation, _ in ready], Progress.SENT)
        began = self.clock()
        try:
            outcomes = list(self._send(ready, ready[0][0].action))
        except RemoteError:
            if not self._find_lost([operation for operation, _ in ready]):
                raise
            return
        self._settle(outcomes)
        self._resize(len(ready), self.clock() - began)

    def _resize(self, number: int, seconds: float) -> None:
        wanted = int(number * _AIM_S / max(seconds, 0.01))
        self._size = max(_LEAST, min(_MOST, wanted, self._size * 4))

    def _settle(self, outcomes: Sequence[Outcome]) -> None:
        for outcome in outcomes:
            if outcome.progress is Progress.CONFIRMED and outcome.remote is not None:
                self.numbers[outcome.operation.symbol] = outcome.remote
        if outcomes:
            self.journal.record(outcomes)
            self.heard(len(outcomes))

    def _resolved(self, chunk: Sequence[Operation]) -> list[tuple[Operation, Record]]:
        """Bodies with numbers in them; what refers to something that failed fails too."""
        ready, failed = [], []
        for operation in chunk:
            try:
                body = resolve(operation.body, self.numbers)
                if operation.action != "create":
                    body = body | {"id": operation.remote or self.numbers[operation.symbol]}
                ready.append((operation, body))
            except KeyError as error:
                message = f"{NEEDS}{error.args[0]}"
                failed.append(
                    Outcome(operation=operation, progress=Progress.FAILED, message=message)
                )
        self._settle(failed)
        return ready

    def _without_existing(
        self, ready: list[tuple[Operation, Record]]
    ) -> list[tuple[Operation, Record]]:
        """Ports that NetBox made by itself, from a template of the device's type, are changed."""
        if ready[0][0].type != INTERFACES:
            return ready
        devices = sorted({body["device"] for _, body in ready})
        there: dict[tuple[int, str], int] = {}
        for start in range(0, len(devices), _MOST):
            page = self.client.read(
                INTERFACES, ("device", "name"), device_id=devices[start : start + _MOST]
            )
            rows = [
                plain_object(row) for row in page.objects if plain_object(row)["device"] in devices
            ]
            there |= {_port_of(row): row["id"] for row in rows}
        new, made = [], []
        for operation, body in ready:
            number = there.get(_port_of(body))
            if number is None:
                new.append((operation, body))
            else:
                kept = {n: v for n, v in body.items() if n not in ("type", "device", "name")}
                made.append((operation, kept | {"id": number}))
        if made:
            self.journal.mark([operation for operation, _ in made], Progress.SENT)
            self._settle(list(self._send(made, "update")))
        return new

    def _without_stale(
        self, ready: list[tuple[Operation, Record]]
    ) -> list[tuple[Operation, Record]]:
        """Leave alone what somebody changed since the plan was made."""
        watched = [(o, b) for o, b in ready if o.remote is not None]
        if not watched:
            return ready
        type_ = watched[0][0].type
        names = sorted({name for o, _ in watched for name in o.seen} | _tagged(watched))
        rows = self.client.read_these(type_, names, [b["id"] for _, b in watched])
        fresh, stale = [], []
        for operation, body in ready:
            row = rows.get(body["id"]) if operation.remote is not None else {}
            why = _why_stale(operation, row)
            if why is None:
                fresh.append((operation, self._with_tags(body, row or {})))
            elif row is None and operation.action == "delete":
                done = Outcome(operation=operation, progress=Progress.CONFIRMED)
                self._settle([done])
            else:
                stale.append(Outcome(operation=operation, progress=Progress.STALE, message=why))
        self._settle(stale)
        return fresh

    def _with_tags(self, body: Record, row: Record) -> Record:
        """Tags are added to the others or taken from them: a list that is written replaces all."""
        add, remove = body.get(ADD_TAGS, []), body.get(REMOVE_TAGS, [])
        if not add and not remove:
            return body
        kept = [t["slug"] for t in row.get("tags") or () if t["slug"] not in (*add, *remove)]
        tags = [{"slug": slug} for slug in sorted({*kept, *add})]
        plain = {n: v for n, v in body.items() if n not in (ADD_TAGS, REMOVE_TAGS)}
        return plain | {"tags": tags}

    def _send(self, ready: list[tuple[Operation, Record]], action: str) -> Iterator[Outcome]:
        """Send a chunk; what NetBox does not accept of it fails alone."""
        operation = ready[0][0]
        try:
            if action == "create":
                yield from self._create(operation.type, ready)
            elif action == "delete":
                self.client.delete(operation.type, [body["id"] for _, body in ready])
                yield from (Outcome(operation=o, progress=Progress.CONFIRMED) for o, _ in ready)
            else:
                yield from self._update(operation.type, ready)
        except Refused as refused:
            yield from self._send_others(ready, action, refused)

    def _send_others(
        self, ready: list[tuple[Operation, Record]], action: str, refused: Refused
    ) -> Iterator[Outcome]:
        if len(ready) == 1:
            message = refused.rows.get(0, refused.message)
            yield Outcome(operation=ready[0][0], progress=Progress.FAILED, message=message)
            return
        if refused.rows:
            for place, message in refused.rows.items():
                yield Outcome(operation=ready[place][0], progress=Progress.FAILED, message=message)
            parts = [[r for place, r in enumerate(ready) if place not in refused.rows]]
        else:  # older versions name neither the row nor its place: halves find it
            middle = len(ready) // 2
            parts = [ready[:middle], ready[middle:]]
        for part in parts:
            if part:
                yield from self._send(part, action)

    def _create(self, type_: str, ready: list[tuple[Operation, Record]]) -> Iterator[Outcome]:
        rows = self.client.create(type_, [body for _, body in ready])
        for (operation, body), row in zip(ready, rows, strict=True):
            yield _compared(operation, body, row)

    def _update(self, type_: str, ready: list[tuple[Operation, Record]]) -> Iterator[Outcome]:
        rows = {row["id"]: row for row in self.client.update(type_, [body for _, body in ready])}
        for operation, body in ready:
            row = rows.get(body["id"])
            if row is None:  # 4.0 to 4.6 leave out what is gone, and say 200
                message = "it is not there any more"
                yield Outcome(operation=operation, progress=Progress.STALE, message=message)
            else:
                yield _compared(operation, body, row)

    def _find_lost(self, chunk: Sequence[Operation]) -> bool:
        """Whether all of a chunk is found whose answer did not come: it may still be written."""
        for seconds in _LOOKS_S:
            self.pause(seconds)
            try:
                if len(self._look_up(chunk)) == len(chunk):
                    return True
            except RemoteError:
                continue
        return False

    def _look_up(self, operations: Sequence[Operation]) -> set[int]:
        """Which of these, that were sent, were done; it is kept. The others are not known."""
        ready = self._resolved(operations)
        if not ready:
            return set()
        rows = self._find(ready)
        done = []
        for operation, body in ready:
            row = rows.get(operation.number)
            if operation.action == "delete":
                outcome = Outcome(operation=operation, progress=Progress.CONFIRMED)
                done += [outcome] if row is None else []
            elif row is not None and (operation.action == "create" or _stuck(body, row)):
                done.append(_compared(operation, body, row))
        self._settle(done)
        return {outcome.operation.number for outcome in done}

    def _find(self, ready: Sequence[tuple[Operation, Record]]) -> dict[int, Record]:
        """The objects as they are now, by the numbers of the operations."""
        name = ready[0][0].type
        type_ = TYPES[name]
        fields = sorted({*type_.fields, *(n for _, body in ready for n in body if n[:1] != "$")})
        if "id" in ready[0][1]:
            rows = self.client.read_these(name, fields, [body["id"] for _, body in ready])
            return {o.number: rows[b["id"]] for o, b in ready if b["id"] in rows}
        there: dict[tuple[Json, ...], Record] = {}
        for start in range(0, len(ready), _LEAST):
            wanted = type_.filter_many([body for _, body in ready[start : start + _LEAST]])
            # A filter that NetBox does not know gives all: only the identity counts.
            for row in self.client.read(name, fields, **wanted).objects:
                there[identity_of(name, plain_object(row))] = row
        found = {o.number: there.get(identity_of(name, body)) for o, body in ready}
        return {number: row for number, row in found.items() if row is not None}


def _cut(number: int, size: int) -> int:
    """How many of these go into the next chunk, so that none is small at the end."""
    rest = number - size
    if rest <= 0 or (rest < _LEAST and number <= _MOST):
        return number
    return size if rest >= _LEAST else max(size - (_LEAST - rest), _LEAST)


def _alike(operations: Sequence[Operation]) -> Iterator[list[Operation]]:
    """Runs of operations that one request can do."""
    group: list[Operation] = []
    for operation in operations:
        if group and (group[0].type, group[0].action) != (operation.type, operation.action):
            yield group
            group = []
        group.append(operation)
    if group:
        yield group


def _port_of(row: Record) -> tuple[int, str]:
    """A template may write out what people abbreviate: Gi1/0/1 is GigabitEthernet1/0/1."""
    return row["device"], port_key(row["name"])


def _tagged(ready: Sequence[tuple[Operation, Record]]) -> set[str]:
    is_tagged = any(ADD_TAGS in body or REMOVE_TAGS in body for _, body in ready)
    return {"tags"} if is_tagged else set()


def _why_stale(operation: Operation, row: Record | None) -> str | None:
    if row is None:
        return "it is not there any more"
    for name, seen in operation.seen.items():
        if operation.remote is not None and not is_same(seen, row.get(name)):
            return f"{name} was changed there after the plan was made"
    return None


def _stuck(body: Record, row: Record) -> bool:
    sent = {n: v for n, v in body.items() if n != "id" and not n.startswith("$")}
    tags = {tag["slug"] for tag in row.get("tags") or ()}
    are_tagged = tags >= set(body.get(ADD_TAGS, ())) and not tags & set(body.get(REMOVE_TAGS, ()))
    return are_tagged and all(is_same(value, row.get(name)) for name, value in sent.items())


def _compared(operation: Operation, body: Record, row: Record) -> Outcome:
    """Whether all that was sent stuck: NetBox ignores fields that it does not know."""
    sent = {n: v for n, v in body.items() if n != "id" and not n.startswith("$")}
    lost = [n for n, v in sent.items() if n in row and not is_same(v, row[n])]
    lost += [n for n in sent if n not in row]
    if lost:
        message = f"NetBox did not take {', '.join(sorted(lost))}"
        return Outcome(
            operation=operation, progress=Progress.FAILED, remote=row["id"], message=message
        )
    return Outcome(operation=operation, progress=Progress.CONFIRMED, remote=row["id"])
