"""What every SNMP engine offers to the rest of fleet."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from fleet.core.walk import Oid, Outcome, Table, Target, Walk

Hear = Callable[[Outcome], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Further:
    """What else to ask, once the first answers are there."""

    scalars: tuple[Oid, ...] = ()
    tables: tuple[Table, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What to ask one device: scalars in one GET, then tables row by row.

    Args:
        further: what the scalars give reason to ask beyond that.
    """

    target: Target
    scalars: tuple[Oid, ...]
    tables: tuple[Table, ...] = ()
    further: Callable[[Walk], Further] | None = None


class SnmpEngine(Protocol):
    """Asks many devices at once; one silent device never holds up or spoils the others."""

    def ask(self, questions: Sequence[Question], hear: Hear, *, spread_s: float = 0.0) -> None:
        """Ask all, and hand each outcome to `hear` as it comes, in any order.

        Every question gets exactly one outcome. Returns when all have one. What is raised by
        `hear` ends it.

        Args:
            spread_s: over how long the first requests are spread, where the engine can.
        """
        ...
