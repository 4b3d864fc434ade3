"""A trap or inform: what a device says of its own accord (RFC 3416, RFC 3418)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from fleet.core.facts.values import text
from fleet.core.walk import Oid, Value, oid

_UP_TIME = oid("1.3.6.1.2.1.1.3.0")
_KIND = oid("1.3.6.1.6.3.1.1.4.1.0")  # snmpTrapOID
_AGENT = oid("1.3.6.1.6.3.18.1.3.0")  # snmpTrapAddress: whom a proxy speaks for

_NAMES = {
    "1.3.6.1.6.3.1.1.5.1": "coldStart",
    "1.3.6.1.6.3.1.1.5.2": "warmStart",
    "1.3.6.1.6.3.1.1.5.3": "linkDown",
    "1.3.6.1.6.3.1.1.5.4": "linkUp",
    "1.3.6.1.6.3.1.1.5.5": "authenticationFailure",
    "1.3.6.1.6.3.1.1.5.6": "egpNeighborLoss",
    "1.3.6.1.2.1.33.2.1": "upsTrapOnBattery",
    "1.3.6.1.2.1.33.2.2": "upsTrapTestCompleted",
    "1.3.6.1.2.1.33.2.3": "upsTrapAlarmEntryAdded",
    "1.3.6.1.2.1.33.2.4": "upsTrapAlarmEntryRemoved",
    "1.3.6.1.2.1.43.18.2.0.1": "printerV2Alert",
    "1.3.6.1.2.1.47.2.0.1": "entConfigChange",
    "1.3.6.1.2.1.17.0.1": "newRoot",
    "1.3.6.1.2.1.17.0.2": "topologyChange",
    "1.0.8802.1.1.2.0.0.1": "lldpRemTablesChange",
    "1.3.6.1.4.1.8072.4.0.2": "nsNotifyShutdown",
    "1.3.6.1.4.1.8072.4.0.3": "nsNotifyRestart",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Notification:
    """What came, from whom.

    Args:
        address: where the packet came from, or whom a proxy named in it.
        version: of SNMP.
        kind: its object id.
        name: the standard's name of it, if it has one.
        uptime_s: of the agent.
        values: what else it says, by object id; octets as text.
    """

    at: datetime
    address: str
    port: int
    version: str
    kind: str | None
    name: str | None
    uptime_s: float | None
    values: Mapping[str, str | int]

    @classmethod
    def of(
        cls, *, at: datetime, address: str, port: int, version: str, values: Mapping[Oid, Value]
    ) -> "Notification":
        """From the objects in the packet."""
        kind = values.get(_KIND)
        dotted = _dotted(kind) if isinstance(kind, tuple) else None
        ticks = values.get(_UP_TIME)
        agent = values.get(_AGENT)
        if isinstance(agent, bytes) and len(agent) == 4 and any(agent):
            address = ".".join(map(str, agent))
        return cls(
            at=at,
            address=address,
            port=port,
            version=version,
            kind=dotted,
            name=_NAMES.get(dotted or ""),
            uptime_s=ticks / 100 if isinstance(ticks, int) else None,
            values={
                _dotted(name): _readable(value)
                for name, value in values.items()
                if name not in (_KIND, _UP_TIME)
            },
        )


def _dotted(name: Oid) -> str:
    return ".".join(map(str, name))


def _readable(value: Value) -> str | int:
    if isinstance(value, tuple):
        return _dotted(value)
    if isinstance(value, int):
        return value
    said = text(value) or ""
    return said if said.isprintable() else value.hex(":")
