"""What a device says of itself: an SNMP walk read into named facts, as pure functions."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta

from fleet.core.inventory import Device, Interface
from fleet.core.lookup import to_mac
from fleet.core.walk import Oid, Value, Walk, oid

# SNMPv2-MIB (RFC 3418), the scalars that every agent has, instance included
SYS_DESCR = oid("1.3.6.1.2.1.1.1.0")
SYS_OBJECT_ID = oid("1.3.6.1.2.1.1.2.0")
SYS_UP_TIME = oid("1.3.6.1.2.1.1.3.0")
SYS_CONTACT = oid("1.3.6.1.2.1.1.4.0")
SYS_NAME = oid("1.3.6.1.2.1.1.5.0")
SYS_LOCATION = oid("1.3.6.1.2.1.1.6.0")
SYSTEM = (SYS_DESCR, SYS_OBJECT_ID, SYS_UP_TIME, SYS_CONTACT, SYS_NAME, SYS_LOCATION)

# IF-MIB (RFC 2863): ifTable and ifXTable, by column
IF_DESCR = oid("1.3.6.1.2.1.2.2.1.2")
IF_MTU = oid("1.3.6.1.2.1.2.2.1.4")
IF_SPEED = oid("1.3.6.1.2.1.2.2.1.5")
IF_PHYS_ADDRESS = oid("1.3.6.1.2.1.2.2.1.6")
IF_ADMIN_STATUS = oid("1.3.6.1.2.1.2.2.1.7")
IF_OPER_STATUS = oid("1.3.6.1.2.1.2.2.1.8")
IF_NAME = oid("1.3.6.1.2.1.31.1.1.1.1")
IF_HIGH_SPEED = oid("1.3.6.1.2.1.31.1.1.1.15")
IF_ALIAS = oid("1.3.6.1.2.1.31.1.1.1.18")
INTERFACES = (
    IF_DESCR,
    IF_MTU,
    IF_SPEED,
    IF_PHYS_ADDRESS,
    IF_ADMIN_STATUS,
    IF_OPER_STATUS,
    IF_NAME,
    IF_HIGH_SPEED,
    IF_ALIAS,
)

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
    """A port as the device describes it (IF-MIB)."""

    index: int
    name: str
    description: str | None = None
    alias: str | None = None
    mac: str | None = None
    admin_status: str | None = None
    oper_status: str | None = None
    speed_mbps: int | None = None
    mtu: int | None = None  # octets


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a device said of itself; None or empty: it did not say."""

    name: str | None = None
    description: str | None = None
    object_id: str | None = None
    uptime_s: float | None = None
    location: str | None = None
    contact: str | None = None
    interfaces: tuple[SeenInterface, ...] = ()
    unread: tuple[str, ...] = ()


def read_facts(walk: Walk, unread: tuple[str, ...] = ()) -> Facts:
    """The facts in a walk.

    Args:
        walk: the system group and the interface tables, or a part of them.
        unread: names of the tables that could not be read whole.
    """
    uptime = read_uptime(walk)
    object_id = walk.get(SYS_OBJECT_ID)
    return Facts(
        name=_text(walk.get(SYS_NAME)),
        description=_text(walk.get(SYS_DESCR)),
        object_id=".".join(map(str, object_id)) if isinstance(object_id, tuple) else None,
        uptime_s=uptime.total_seconds() if uptime is not None else None,
        location=_text(walk.get(SYS_LOCATION)),
        contact=_text(walk.get(SYS_CONTACT)),
        interfaces=tuple(_interfaces(walk)),
        unread=unread,
    )


def read_uptime(walk: Walk) -> timedelta | None:
    """How long the agent has been running, or None if it does not say.

    sysUpTime counts 1/100 s in 32 bits (RFC 3418) and starts over after 497 days.
    """
    ticks = walk.get(SYS_UP_TIME)
    if not isinstance(ticks, int) or not 0 <= ticks < 2**32:
        return None
    return timedelta(milliseconds=10 * ticks)


def _interfaces(walk: Walk) -> Iterator[SeenInterface]:
    columns = {column: _column(walk, column) for column in INTERFACES}
    indexes = columns[IF_DESCR].keys() | columns[IF_NAME].keys()
    for index in sorted(indexes):
        row = {column: values.get(index) for column, values in columns.items()}
        description, name = _text(row[IF_DESCR]), _text(row[IF_NAME])
        if name or description:
            yield SeenInterface(
                index=index,
                name=name or description or "",
                description=description,
                alias=_text(row[IF_ALIAS]),
                mac=_mac(row[IF_PHYS_ADDRESS]),
                admin_status=_status(row[IF_ADMIN_STATUS]),
                oper_status=_status(row[IF_OPER_STATUS]),
                speed_mbps=_speed(row[IF_SPEED], row[IF_HIGH_SPEED]),
                mtu=mtu if isinstance(mtu := row[IF_MTU], int) else None,
            )


def _column(walk: Walk, column: Oid) -> Mapping[int, Value]:
    """One column by its index, for tables with a single whole number as index."""
    length = len(column)
    return {
        name[length]: value
        for name, value in walk.items()
        if len(name) == length + 1 and name[:length] == column
    }


def _text(value: Value | None) -> str | None:
    """Octets as text: UTF-8, else Latin-1, as old devices write it; None if nothing is there."""
    if not isinstance(value, bytes):
        return None
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return text.replace("\x00", "").replace("\r\n", "\n").strip() or None


def _mac(value: Value | None) -> str | None:
    """A MAC address from six octets or from text in any notation."""
    if not isinstance(value, bytes):
        return None
    if len(value) == 6:
        return value.hex(":")
    return to_mac(value.decode("ascii", "replace"))


def _status(value: Value | None) -> str | None:
    return _STATUS.get(value) if isinstance(value, int) else None


def _speed(bits: Value | None, megabits: Value | None) -> int | None:
    """Mbit/s; ifSpeed stops at 4.29 Gbit/s, so ifHighSpeed goes first (RFC 2863)."""
    if isinstance(megabits, int) and megabits > 0:
        return megabits
    return bits // 1_000_000 if isinstance(bits, int) and bits > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a person should look at: what was declared, and what was seen."""

    device: str
    field: str
    declared: str | None
    seen: str | None


def find_differences(
    device: Device, declared: tuple[Interface, ...], facts: Facts
) -> Iterator[Finding]:
    """Where a device contradicts what was declared of it."""

    def finding(field: str, wanted: str | None, seen: str | None) -> Finding:
        return Finding(device=device.name, field=field, declared=wanted, seen=seen)

    if facts.name and short_name(facts.name) != short_name(device.name):
        yield finding("name", device.name, facts.name)
    if not facts.interfaces or "interfaces" in facts.unread:
        return
    seen = {i.name.casefold(): i for i in facts.interfaces}
    seen |= {i.description.casefold(): i for i in facts.interfaces if i.description}
    for interface in declared:
        port = seen.get(interface.name.casefold())
        if port is None:
            yield finding(f"interface {interface.name}", "present", None)
        elif interface.mac and port.mac and interface.mac != port.mac:
            yield finding(f"interface {interface.name} mac", interface.mac, port.mac)


def short_name(name: str) -> str:
    """The name without domain and case, as devices and people differ in both."""
    return name.partition(".")[0].casefold()
