"""What a device answered to SNMP, or that it did not: raw, before anybody reads it.

An object id is a tuple of numbers. Octets stay bytes until a field says that they are text.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

Oid = tuple[int, ...]
Value = int | bytes | Oid
Column = Mapping[Oid, Value]
"""One column of a conceptual table: values by index."""

_EMPTY: Column = {}


def oid(text: str) -> Oid:
    """`1.3.6.1` as numbers."""
    return tuple(map(int, text.strip(".").split(".")))


@dataclass(frozen=True, slots=True)
class Walk:
    """What was read of a device.

    Args:
        scalars: values by whole object id.
        columns: by the object id of the column.
    """

    scalars: Mapping[Oid, Value] = field(default_factory=dict)
    columns: Mapping[Oid, Column] = field(default_factory=dict)

    def get(self, name: Oid) -> Value | None:
        """A scalar, or one cell of a table by its whole object id."""
        if (value := self.scalars.get(name)) is not None:
            return value
        for column, cells in self.columns.items():
            if name[: len(column)] == column:
                return cells.get(name[len(column) :])
        return None

    def column(self, name: Oid) -> Column:
        """A column; empty if the device has none."""
        return self.columns.get(name, _EMPTY)

    def rows(self, *names: Oid) -> Iterator[tuple[Oid, tuple[Value | None, ...]]]:
        """Rows of a table by index, in order: the cells of the columns, None where none is."""
        columns = [self.column(name) for name in names]
        for index in sorted(set().union(*columns)):
            yield index, tuple(column.get(index) for column in columns)


def cut_walk(objects: Mapping[Oid, Value], scalars: Iterable[Oid], columns: Iterable[Oid]) -> Walk:
    """The part of a whole walk that a question asks for."""
    wanted = {column: dict[Oid, Value]() for column in columns}
    lengths = {len(column) for column in wanted}
    for name, value in objects.items():
        for length in lengths:
            if (cells := wanted.get(name[:length])) is not None and len(name) > length:
                cells[name[length:]] = value
    return Walk(
        {name: objects[name] for name in scalars if name in objects},
        {column: cells for column, cells in wanted.items() if cells},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns to be read together, as one conceptual table."""

    name: str
    columns: tuple[Oid, ...]


class Reason(StrEnum):
    """Why nothing came back, or nothing could be asked."""

    TIMEOUT = "no answer"
    UNRESOLVED = "the host name does not resolve"
    CREDENTIAL = "the credential was not accepted"
    MALFORMED = "the answer was not SNMP"
    FAILED = "it could not be asked"
    NO_ADDRESS = "no address in the inventory"


ASKED = frozenset({Reason.TIMEOUT, Reason.MALFORMED})
"""Reasons that say something of the device; the others say that it could not be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom to ask, and with which of the settings' credentials."""

    name: str
    address: str | None
    port: int = 161
    credential: str = "default"
    site: str | None = None  # devices of one site share its line


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What a question cost: packets sent, and those that nothing answered in time."""

    requests: int = 0
    timeouts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A device answered.

    Args:
        unread: tables that timed out or broke off; what was read of them is not in the walk.
        error: what is wrong with an agent that answers and gives nothing.
    """

    target: str
    at: datetime
    walk: Walk
    unread: tuple[str, ...] = ()
    error: str | None = None
    traffic: Traffic = field(default_factory=Traffic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """A device did not answer, or could not be asked."""

    target: str
    at: datetime
    reason: Reason
    detail: str | None = None
    traffic: Traffic = field(default_factory=Traffic)

    @property
    def was_asked(self) -> bool:
        """Whether the silence says something of the device."""
        return self.reason in ASKED


Outcome = Answer | Silence
