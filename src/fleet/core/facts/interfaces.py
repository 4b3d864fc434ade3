"""Interfaces (IF-MIB, RFC 2863)."""

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.core.facts.values import as_text, choice, mac, not_negative, text
from fleet.core.walk import Table, Value, Walk, oid

_DESCR = oid("1.3.6.1.2.1.2.2.1.2")
_TYPE = oid("1.3.6.1.2.1.2.2.1.3")
_MTU = oid("1.3.6.1.2.1.2.2.1.4")
_SPEED = oid("1.3.6.1.2.1.2.2.1.5")
PHYS_ADDRESS = oid("1.3.6.1.2.1.2.2.1.6")
_ADMIN_STATUS = oid("1.3.6.1.2.1.2.2.1.7")
_OPER_STATUS = oid("1.3.6.1.2.1.2.2.1.8")
_NAME = oid("1.3.6.1.2.1.31.1.1.1.1")
_HIGH_SPEED = oid("1.3.6.1.2.1.31.1.1.1.15")
_ALIAS = oid("1.3.6.1.2.1.31.1.1.1.18")
_COLUMNS = (
    _DESCR,
    _TYPE,
    _MTU,
    _SPEED,
    PHYS_ADDRESS,
    _ADMIN_STATUS,
    _OPER_STATUS,
    _NAME,
    _HIGH_SPEED,
    _ALIAS,
)
INTERFACES = Table(name="interfaces", columns=_COLUMNS)

_MORE_THAN_CAN_BE_SAID = 2**32 - 1  # of ifSpeed, RFC 2863 section 3.1.6

_STATUS = {
    1: "up",
    2: "down",
    3: "testing",
    4: "unknown",
    5: "dormant",
    6: "notPresent",
    7: "lowerLayerDown",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenInterface:
    """A port as the device describes it; one for each ifIndex with an ifDescr or ifName."""

    index: int
    name: str  # ifName, else ifDescr
    description: str | None = None  # ifDescr
    alias: str | None = None  # ifAlias: what a person wrote
    type: int | None = None  # IANAifType
    mac: str | None = None
    admin_status: str | None = None
    oper_status: str | None = None
    speed_mbps: float | None = None
    mtu: int | None = None  # octets


def read_interfaces(walk: Walk) -> Iterator[SeenInterface]:
    """The interfaces in the order of their index."""
    for index, row in walk.rows(*_COLUMNS):
        cells = dict(zip(_COLUMNS, row, strict=True))
        description, name = text(cells[_DESCR]), text(cells[_NAME])
        if len(index) == 1 and (name or description):
            yield SeenInterface(
                index=index[0],
                name=name or description or "",
                description=description,
                alias=as_text(cells[_ALIAS]),
                type=not_negative(cells[_TYPE]),
                mac=mac(cells[PHYS_ADDRESS]),
                admin_status=choice(_STATUS, cells[_ADMIN_STATUS]),
                oper_status=choice(_STATUS, cells[_OPER_STATUS]),
                speed_mbps=_speed(cells[_SPEED], cells[_HIGH_SPEED]),
                mtu=not_negative(cells[_MTU]),
            )


def _speed(bits: Value | None, megabits: Value | None) -> float | None:
    """Mbit/s; ifSpeed stops at 4.29 Gbit/s, so ifHighSpeed goes first."""
    if isinstance(megabits, int) and megabits > 0:
        return megabits
    if bits == _MORE_THAN_CAN_BE_SAID:
        return None
    if isinstance(bits, int) and bits >= 0:
        return bits // 1_000_000 if bits % 1_000_000 == 0 else bits / 1_000_000
    return 0 if megabits == 0 else None
