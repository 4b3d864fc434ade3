"""Answers from recordings instead of devices, for tests and for looking at a recording.

The form is snmpsim's `.snmprec`: one `OID|tag|value` a line, hexadecimal where the tag ends in
`x`. Real recordings have stray dots, empty values and values of another type than their tag;
such a line is read as well as it can be, or left out.
"""

import binascii
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

from fleet.core.walk import Answer, Oid, Reason, Silence, Table, Traffic, Value, Walk, cut_walk, oid
from fleet.snmp.engine import Hear, Question

_NUMBERS = {"2", "65", "66", "67", "70"}


def read_recording(lines: Iterable[str]) -> dict[Oid, Value]:
    """The objects in a recording."""
    walk: dict[Oid, Value] = {}
    for line in lines:
        name, _, rest = line.rstrip("\r\n").partition("|")
        tag, _, text = rest.partition("|")
        try:
            value = read_value(tag, text)
            if value is not None:
                walk[oid(name.strip())] = value
        except ValueError:
            continue
    return walk


def read_value(tag: str, text: str) -> Value | None:
    """The value of a line; None for a type that is not known.

    Raises:
        ValueError: the text is no value of this type.
    """
    if tag.endswith("x"):
        return binascii.unhexlify(text)
    if tag in _NUMBERS:
        return int(text)
    if tag == "6":
        return oid(text.strip())
    if tag == "64" and text.count(".") == 3:
        return bytes(int(part) for part in text.split("."))
    return text.encode("utf-8", "surrogateescape") if tag in ("4", "64", "68") else None


class RecordedEngine:
    """An `SnmpEngine` over walks in memory; a device without a walk is silent.

    Args:
        walks: by device name.
        clock: what time it is.
    """

    def __init__(
        self,
        walks: Mapping[str, Mapping[Oid, Value]],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.walks = dict(walks)
        self._clock = clock

    def ask(self, questions: Sequence[Question], hear: Hear, *, spread_s: float = 0.0) -> None:
        """Answer all; see `SnmpEngine.ask`."""
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
                        walk=answer_from(walk, question),
                        traffic=Traffic(requests=1),
                    )
                )


def answer_from(objects: Mapping[Oid, Value], question: Question) -> Walk:
    """What a device with these objects would answer to a question."""
    walk = cut_walk(objects, question.scalars, _columns(question.tables))
    if question.further is None:
        return walk
    further = question.further(walk)
    more = cut_walk(objects, further.scalars, _columns(further.tables))
    return Walk({**walk.scalars, **more.scalars}, {**walk.columns, **more.columns})


def _columns(tables: Iterable[Table]) -> Iterable[Oid]:
    return (column for table in tables for column in table.columns)
