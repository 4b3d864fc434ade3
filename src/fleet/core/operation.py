"""What is to be done in a source that is written to, one object at a time, and how far it came."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from fleet.core.claims import Id
from fleet.core.record import Json, Record

REF = "$ref"
"""In a body: {"$ref": symbol} is the number of the object with that symbol."""


NEEDS = "it needs what could not be made: "
"""How the message begins of what failed only since something else did."""


class Progress(StrEnum):
    """How far an operation has come.

    A sent one may or may not have happened: who takes over must look before it is sent again.
    """

    PLANNED = "planned"
    SENT = "sent"
    CONFIRMED = "confirmed"
    FAILED = "failed"
    STALE = "stale"  # the object was changed there after the plan was made; it was left alone


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One object to create, update or delete.

    Args:
        number: its place in the plan.
        source: where.
        action: create, update or delete.
        type: of the object, as the source calls it: `dcim.devices`.
        symbol: a name for the object that other operations refer to.
        remote: its number there; None: it is still to be created.
        body: the fields that are written.
        seen: those fields as they were when the plan was made; they must still be so.
        thing: what it is in the inventory, if it is a thing of its own.
        agreed: the fields of the thing that are agreed when it is done.
        is_part: the object is not the thing itself, but something that belongs to it.
    """

    number: int
    source: str
    action: str
    type: str
    symbol: str
    remote: int | None = None
    body: Record = field(default_factory=dict)
    seen: Record = field(default_factory=dict)
    thing: Id | None = None
    agreed: Record = field(default_factory=dict)
    is_part: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an operation."""

    operation: Operation
    progress: Progress
    remote: int | None = None
    message: str | None = None


def resolve(body: Json, numbers: Mapping[str, int]) -> Json:
    """A body with numbers in the place of symbols.

    Raises:
        KeyError: an object that it refers to is not there.
    """
    match body:
        case {"$ref": symbol}:
            return numbers[symbol]
        case dict():
            return {name: resolve(value, numbers) for name, value in body.items()}
        case list():
            return [resolve(value, numbers) for value in body]
        case _:
            return body
