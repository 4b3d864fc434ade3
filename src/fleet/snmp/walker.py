"""What every SNMP engine offers to the rest of fleet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fleet.core.walk import Oid, Outcome, Target

Hear = Callable[[Outcome], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """Columns to be read together, as one conceptual table."""

    name: str
    columns: tuple[Oid, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to ask one device: scalars in one GET, then tables row by row."""

    target: Target
    scalars: tuple[Oid, ...]
    tables: tuple[Table, ...] = ()


class Walker(Protocol):
    """Asks many devices at once; one silent device never holds up or spoils the others."""

    def ask(self, questions: Sequence[Question], hear: Hear) -> None:
        """Ask all, and hand each outcome to `hear` as it comes, in any order.

        Every question gets exactly one outcome. Returns when all have one.
        """
        ...
