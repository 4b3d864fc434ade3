"""Answers from recordings instead of devices, for tests and for looking at a recording.

The form is snmpsim's `.snmprec`: one `OID|tag|value` a line, hexadecimal where the tag ends in
`x`. Real recordings have stray dots, empty values and values of another type than their tag;
such a line is read as well as it can be, or left out.
"""

import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from fleet.core.walk import Answer, Oid, Reason, Silence, Traffic, Value, Walk, oid
from fleet.snmp.walker import Hear, Question

_NUMBERS = {"2", "65", "66", "67", "70"}


def read_recording(lines: Iterable[str]) -> Walk:
    """The objects in a recording."""
    walk: dict[Oid, Value] = {}
    for line in lines:
        name, _, rest = line.rstrip("\r\n").partition("|")
        tag, _, text = rest.partition("|")
        try:
            value = _value(tag, text)
            if value is not None:
                walk[oid(name.strip())] = value
        except ValueError:
            continue
    return walk


def _value(tag: str, text: str) -> Value | None:
    if tag.endswith("x"):
        return binascii.unhexlify(text)
    if tag in _NUMBERS:
        return int(text)
    if tag == "6":
        return oid(text.strip())
    return text.encode("utf-8", "surrogateescape") if tag in ("4", "64") else None


class RecordedWalker:
    """A `Walker` over walks in memory; a device without a walk is silent.

    Args:
        walks: by device name.
        clock: what time it is.
    """

    def __init__(
        self,
        walks: Mapping[str, Walk],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.walks = dict(walks)
        self._clock = clock

    def ask(self, questions: Sequence[Question], hear: Hear) -> None:
        """Answer all; see `Walker.ask`."""
        for question in questions:
            at = self._clock()
            walk = self.walks.get(question.target.name)
            if question.target.address is None:
                name = question.target.name
                hear(Silence(target=name, at=at, reason=Reason.NO_ADDRESS))
            elif walk is None:
                name, traffic = question.target.name, Traffic(requests=1, timeouts=1)
                hear(Silence(target=name, at=at, reason=Reason.TIMEOUT, traffic=traffic))
            else:
                hear(
                    Answer(
                        target=question.target.name,
                        at=at,
                        walk=_asked_for(walk, question),
                        traffic=Traffic(requests=1),
                    )
                )


def _asked_for(walk: Walk, question: Question) -> Walk:
    columns = {column for table in question.tables for column in table.columns}
    return {
        name: value
        for name, value in walk.items()
        if name in question.scalars or any(name[: len(c)] == c for c in columns)
    }
