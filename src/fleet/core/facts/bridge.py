"""Forwarding tables and VLANs (BRIDGE-MIB, RFC 4188; Q-BRIDGE-MIB, RFC 4363)."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from fleet.core.facts.values import as_text, mac_of
from fleet.core.walk import Table, Value, Walk, oid

BRIDGE_ADDRESS = oid("1.3.6.1.2.1.17.1.1.0")  # dot1dBaseBridgeAddress
_BASE_PORT = oid("1.3.6.1.2.1.17.1.4.1.2")  # dot1dBasePortIfIndex
_PORT = oid("1.3.6.1.2.1.17.4.3.1.2")  # dot1dTpFdbPort, by MAC address
_STATUS = oid("1.3.6.1.2.1.17.4.3.1.3")
_Q_PORT = oid("1.3.6.1.2.1.17.7.1.2.2.1.2")  # dot1qTpFdbPort, by filtering database and MAC
_Q_STATUS = oid("1.3.6.1.2.1.17.7.1.2.2.1.3")
_VLAN_DATABASE = oid("1.3.6.1.2.1.17.7.1.4.2.1.3")  # dot1qVlanFdbId, by time mark and VLAN
_VLAN_NAME = oid("1.3.6.1.2.1.17.7.1.4.3.1.1")  # dot1qVlanStaticName, by VLAN

BRIDGE = (
    Table(name="bridge ports", columns=(_BASE_PORT,)),
    Table(name="forwarding", columns=(_PORT, _STATUS)),
    Table(name="forwarding by VLAN", columns=(_Q_PORT, _Q_STATUS)),
    Table(name="vlan databases", columns=(_VLAN_DATABASE,)),
    Table(name="vlans", columns=(_VLAN_NAME,)),
)

_LAST_VLAN = 4094  # IEEE 802.1Q
_SELF = 4  # the bridge's own address


@dataclass(frozen=True, slots=True, kw_only=True)
class Vlan:
    """A VLAN that the switch knows."""

    id: int
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Forwarded:
    """Behind which port a MAC address was seen."""

    mac: str
    interface_index: int | None
    vlan: int | None = None
    is_own: bool = False  # the switch's own address


def read_vlans(walk: Walk) -> Iterator[Vlan]:
    """The VLANs that are set up, by their number."""
    for index, (name,) in walk.rows(_VLAN_NAME):
        if len(index) == 1 and index[0] <= _LAST_VLAN:
            yield Vlan(id=index[0], name=as_text(name))


def read_forwarding(walk: Walk) -> Iterator[Forwarded]:
    """The forwarding table; without VLANs only where the switch has no table with them."""
    ports = {index[0]: to for index, to in walk.column(_BASE_PORT).items() if len(index) == 1}
    rows = list(_by_vlan(walk, ports))
    yield from rows or _plain(walk, ports)


def _vlan_of(walk: Walk) -> Callable[[int], int | None]:
    """Which VLAN a filtering database belongs to; None if to several, or nobody says."""
    shared: dict[int, set[int]] = {}
    for index, database in walk.column(_VLAN_DATABASE).items():
        if isinstance(database, int):
            shared.setdefault(database, set()).add(index[-1])
    known = {index[0] for index in walk.column(_VLAN_NAME) if len(index) == 1}

    def find(database: int) -> int | None:
        if shared:
            vlans = shared.get(database, set())
            return next(iter(vlans)) if len(vlans) == 1 else None
        is_vlan = database in known if known else 1 <= database <= _LAST_VLAN
        return database if is_vlan else None

    return find


def _by_vlan(walk: Walk, ports: Mapping[int, Value]) -> Iterator[Forwarded]:
    vlan_of = _vlan_of(walk)
    for index, (port, status) in walk.rows(_Q_PORT, _Q_STATUS):
        if (mac := mac_of(index[1:])) is not None:
            yield Forwarded(
                mac=mac,
                interface_index=_interface(port, ports),
                vlan=vlan_of(index[0]),
                is_own=status == _SELF,
            )


def _plain(walk: Walk, ports: Mapping[int, Value]) -> Iterator[Forwarded]:
    for index, (port, status) in walk.rows(_PORT, _STATUS):
        if (mac := mac_of(index)) is not None:
            yield Forwarded(
                mac=mac, interface_index=_interface(port, ports), is_own=status == _SELF
            )


def _interface(port: Value | None, ports: Mapping[int, Value]) -> int | None:
    """The ifIndex of a bridge port; 0 means that the port is not known."""
    if not isinstance(port, int) or port == 0:
        return None
    index = ports.get(port) if ports else port
    return index if isinstance(index, int) else None
