"""What a device answered to SNMP, or that it did not: raw, before anybody reads it.

An object id is a tuple of numbers. Octets stay bytes until a field says that they are text.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

Oid = tuple[int, ...]
Value = int | bytes | Oid
Walk = Mapping[Oid, Value]


def oid(text: str) -> Oid:
    """`1.3.6.1` as numbers."""
    return tuple(map(int, text.strip(".").split(".")))


class Reason(StrEnum):
    """Why nothing came back, or nothing could be asked."""

    TIMEOUT = "no answer"
    UNRESOLVED = "the host name does not resolve"
    REFUSED = "the machine refused the packet"
    CREDENTIAL = "the credential was not accepted"
    MALFORMED = "the answer was not SNMP"
    FAILED = "it could not be asked"
    NO_ADDRESS = "no address in the inventory"


ASKED = frozenset({Reason.TIMEOUT, Reason.REFUSED, Reason.MALFORMED})
"""Reasons that say something of the device; the others say that it could not be asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Whom to ask, and with which of the settings' credentials."""

    name: str
    address: str | None
    port: int = 161
    credential: str = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """What a question cost: packets sent, and those that nothing answered in time."""

    requests: int = 0
    timeouts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    target: str
    at: datetime
    walk: Walk
    unread: tuple[str, ...] = ()  # tables that timed out or broke off
    traffic: Traffic = field(default_factory=Traffic)


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
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
