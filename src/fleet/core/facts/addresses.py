"""IP addresses of a device and of its neighbours (IP-MIB, RFC 4293 and the tables before it)."""

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.core.facts.values import ip, mac, not_negative
from fleet.core.walk import Oid, Table, Value, Walk, oid

_OLD_IF_INDEX = oid("1.3.6.1.2.1.4.20.1.2")  # ipAdEntIfIndex, by IPv4 address
_OLD_MASK = oid("1.3.6.1.2.1.4.20.1.3")
_IF_INDEX = oid("1.3.6.1.2.1.4.34.1.3")  # ipAddressIfIndex, by type and address
_TYPE = oid("1.3.6.1.2.1.4.34.1.4")
_PREFIX = oid("1.3.6.1.2.1.4.34.1.5")
_OLD_PHYS_ADDRESS = oid("1.3.6.1.2.1.4.22.1.2")  # ipNetToMediaPhysAddress, by ifIndex, address
_PHYS_ADDRESS = oid("1.3.6.1.2.1.4.35.1.4")  # ipNetToPhysicalPhysAddress

_UNICAST = 1  # others are anycast and broadcast addresses

ADDRESSES = (
    Table(name="addresses (IPv4)", columns=(_OLD_IF_INDEX, _OLD_MASK)),
    Table(name="addresses", columns=(_IF_INDEX, _TYPE, _PREFIX)),
)
ARP = (
    Table(name="arp (IPv4)", columns=(_OLD_PHYS_ADDRESS,)),
    Table(name="arp", columns=(_PHYS_ADDRESS,)),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenAddress:
    """An address of the device, with its prefix length where the device says it."""

    address: str
    interface_index: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArpEntry:
    """Who has an address, as the device has learned it (ARP, neighbour discovery)."""

    address: str
    mac: str
    interface_index: int


def read_addresses(walk: Walk) -> Iterator[SeenAddress]:
    """Each address once; the newer table only adds what the older does not have."""
    known = set()
    for index, (interface, mask) in walk.rows(_OLD_IF_INDEX, _OLD_MASK):
        if (address := ip(index)) is not None and len(index) == 4 and any(index):
            known.add(address)
            yield SeenAddress(
                address=address + _length_of(mask), interface_index=not_negative(interface)
            )
    for index, (interface, kind, prefix) in walk.rows(_IF_INDEX, _TYPE, _PREFIX):
        address = _address_of(index)
        is_own = kind in (None, _UNICAST) and address not in (None, "0.0.0.0", "::")  # noqa: S104
        if address is not None and is_own and address not in known:
            yield SeenAddress(
                address=address + _last_of(prefix), interface_index=not_negative(interface)
            )


def _length_of(mask: Value | None) -> str:
    """`/24` for a mask of four octets; empty if it is none."""
    if not isinstance(mask, bytes) or len(mask) != 4:
        return ""
    bits = f"{int.from_bytes(mask, 'big'):032b}"
    return "" if "01" in bits else f"/{bits.count('1')}"


def _last_of(prefix: Value | None) -> str:
    """`/64` from a row pointer to ipAddressPrefixTable, whose last number is the length."""
    if isinstance(prefix, tuple) and len(prefix) > 5 and prefix[-1] <= 128:
        return f"/{prefix[-1]}"
    return ""


def _address_of(index: Oid) -> str | None:
    """The address in an index of type and address (RFC 4001); zones are left out."""
    if len(index) < 2 or index[0] not in (1, 2, 3, 4):
        return None
    octets = index[2:] if index[1] == len(index) - 2 else index[1:]
    size = 4 if index[0] in (1, 3) else 16
    return ip(octets[:size]) if len(octets) in (size, size + 4) else None


def read_arp(walk: Walk) -> Iterator[ArpEntry]:
    """Addresses and the MAC addresses behind them, each pair once."""
    known = set()
    for column, address_of in ((_OLD_PHYS_ADDRESS, ip), (_PHYS_ADDRESS, _address_of)):
        for index, (value,) in walk.rows(column):
            address, found = address_of(index[1:]), mac(value)
            if address and found and (address, found) not in known:
                known.add((address, found))
                yield ArpEntry(address=address, mac=found, interface_index=index[0])
