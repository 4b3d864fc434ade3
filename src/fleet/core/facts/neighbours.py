"""Who hangs at which port: LLDP (IEEE 802.1AB-2009 and its first version) and CDP."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from fleet.core.facts.interfaces import SeenInterface
from fleet.core.facts.values import ip, mac, text
from fleet.core.walk import Oid, Table, Value, Walk, oid

LOCAL_CHASSIS = (
    oid("1.0.8802.1.1.2.1.3.1.0"),  # lldpLocChassisIdSubtype
    oid("1.0.8802.1.1.2.1.3.2.0"),
)
_LOCAL_PORT = oid("1.0.8802.1.1.2.1.3.7.1.3")  # lldpLocPortId, by lldpLocPortNum
_LOCAL_DESCR = oid("1.0.8802.1.1.2.1.3.7.1.4")
_REMOTE = oid("1.0.8802.1.1.2.1.4.1.1")  # by time mark, local port, index
_REMOTE_MANAGEMENT = oid("1.0.8802.1.1.2.1.4.2.1.3")
_REMOTE_V2 = oid("1.3.111.2.802.1.1.13.1.4.1.1")  # by time mark, ifIndex, destination, index
_REMOTE_MANAGEMENT_V2 = oid("1.3.111.2.802.1.1.13.1.4.2.1.3")
_BASE_PORT = oid("1.3.6.1.2.1.17.1.4.1.2")  # dot1dBasePortIfIndex
_CDP = oid("1.3.6.1.4.1.9.9.23.1.2.1.1")  # cdpCacheTable, by ifIndex, device

# chassis id subtype and id, port id subtype and id, port description, system name, description
_FIELDS = tuple((*_REMOTE, n) for n in range(4, 11))
_FIELDS_V2 = tuple((*_REMOTE_V2, n) for n in range(5, 12))
_CDP_FIELDS = tuple((*_CDP, n) for n in (4, 6, 7, 8))  # address, device id, port, platform

NEIGHBOURS = (
    Table(name="lldp ports", columns=(_LOCAL_PORT, _LOCAL_DESCR)),
    Table(name="lldp neighbours", columns=_FIELDS),
    Table(name="lldp addresses", columns=(_REMOTE_MANAGEMENT,)),
    Table(name="lldp v2 neighbours", columns=_FIELDS_V2),
    Table(name="lldp v2 addresses", columns=(_REMOTE_MANAGEMENT_V2,)),
    Table(name="cdp neighbours", columns=_CDP_FIELDS),
)

_MAC = {"chassis": 4, "port": 3}  # subtypes, IEEE 802.1AB-2009 sections 8.5.2 and 8.5.3
_NETWORK_ADDRESS = {"chassis": 5, "port": 4}


@dataclass(frozen=True, slots=True, kw_only=True)
class Neighbour:
    """What a device heard at one of its ports."""

    protocol: str  # lldp or cdp
    local_interface: str | None
    remote_name: str | None = None
    remote_interface: str | None = None
    remote_chassis_id: str | None = None
    remote_address: str | None = None
    remote_description: str | None = None
    remote_port_id: str | None = None  # as sent, where remote_interface is its description


def read_neighbours(walk: Walk, interfaces: Sequence[SeenInterface]) -> tuple[Neighbour, ...]:
    """All neighbours, the same one by LLDP before CDP."""
    ports = _Ports(walk, interfaces)
    found = [*_lldp(walk, ports), *_lldp_v2(walk, ports), *_cdp(walk, ports)]
    return tuple(dict.fromkeys(found))


def read_chassis_id(walk: Walk) -> str | None:
    """How the device names itself to its neighbours."""
    return _id("chassis", *(walk.get(name) for name in LOCAL_CHASSIS))


class _Ports:
    """The device's own ports as LLDP numbers them."""

    def __init__(self, walk: Walk, interfaces: Sequence[SeenInterface]) -> None:
        self._names = {i.index: i.name for i in interfaces}
        self._known = {i.name: i.name for i in reversed(interfaces)}
        self._known |= {
            i.description: i.name for i in reversed(interfaces) if i.description
        } | self._known
        macs = [i.mac for i in interfaces if i.mac]
        self._macs = {i.mac: i.name for i in interfaces if i.mac and macs.count(i.mac) == 1}
        self._ids = walk.column(_LOCAL_PORT)
        self._descriptions = walk.column(_LOCAL_DESCR)
        self._base = walk.column(_BASE_PORT)

    def by_index(self, index: int) -> str | None:
        """The port with an ifIndex."""
        return self._names.get(index)

    def by_number(self, number: int) -> str | None:
        """The port with an lldpLocPortNum, which is an ifIndex with some makers only.

        What the device says of the port goes first: its id or description is the name of an
        interface, or its id is a MAC address or number that only one interface has.
        """
        value = self._ids.get((number,))
        for said in (text(value), text(self._descriptions.get((number,)))):
            if said in self._known:
                return self._known[said]
        if (address := mac(value)) in self._macs:
            return self._macs[address]
        said = text(value)
        if said is not None and said.isdecimal() and int(said) in self._names:
            return self._names[int(said)]
        if isinstance(index := self._base.get((number,)), int) and index in self._names:
            return self._names[index]
        return self._names.get(number) or said


def _lldp(walk: Walk, ports: _Ports) -> Iterator[Neighbour]:
    addresses = _addresses(walk, _REMOTE_MANAGEMENT, 3)
    for index, cells in walk.rows(*_FIELDS):
        if len(index) == 3:
            yield from _neighbour(ports.by_number(index[1]), cells, addresses.get(index))


def _lldp_v2(walk: Walk, ports: _Ports) -> Iterator[Neighbour]:
    addresses = _addresses(walk, _REMOTE_MANAGEMENT_V2, 4)
    for index, cells in walk.rows(*_FIELDS_V2):
        if len(index) == 4:
            yield from _neighbour(ports.by_index(index[1]), cells, addresses.get(index))


def _neighbour(
    local: str | None, cells: Sequence[Value | None], address: str | None
) -> Iterator[Neighbour]:
    chassis_kind, chassis, port_kind, port, port_description, name, description = cells
    chassis_id = _id("chassis", chassis_kind, chassis)
    port_id = _id("port", port_kind, port)
    if not (chassis_id or port_id or text(name)) or _is_blank(cells):
        return  # columns that exist and are all zero
    said = text(port_description)
    is_name = port_kind not in (_MAC["port"], _NETWORK_ADDRESS["port"], 7)
    yield Neighbour(
        protocol="lldp",
        local_interface=local,
        remote_name=text(name),
        remote_interface=port_id if is_name or said is None else said,
        remote_chassis_id=chassis_id,
        remote_address=address,
        remote_description=text(description),
        remote_port_id=port_id,
    )


def _is_blank(cells: Sequence[Value | None]) -> bool:
    return all(c is None or c == 0 or (isinstance(c, bytes) and not c.strip(b"\0")) for c in cells)


def _id(what: str, kind: Value | None, value: Value | None) -> str | None:
    if not isinstance(value, bytes):
        return None
    if kind == _MAC[what]:
        return mac(value) or text(value)
    if kind == _NETWORK_ADDRESS[what] and len(value) in (5, 17):  # its family goes before it
        return ip(value[1:])
    if kind is None and len(value) == 6 and not value.isascii():
        return mac(value)
    return text(value)


def _addresses(walk: Walk, column: Oid, size: int) -> Mapping[Oid, str]:
    """Management addresses, IPv4 before IPv6, by the neighbour's index."""
    found: dict[Oid, str] = {}
    for index in sorted(walk.column(column)):
        rest = index[size + 1 :]  # the family is in between
        octets = rest[1:] if rest and rest[0] == len(rest) - 1 else rest
        if address := _address(octets) if all(o < 256 for o in octets) else None:
            found.setdefault(index[:size], address)
    return found


def _address(octets: bytes | Sequence[int]) -> str | None:
    """An address where somebody can be asked; all zeros say that there is none."""
    return ip(octets) if any(octets) else None


def _cdp(walk: Walk, ports: _Ports) -> Iterator[Neighbour]:
    for index, (address, device, port, platform) in walk.rows(*_CDP_FIELDS):
        if len(index) == 2 and (text(device) or text(port)):
            yield Neighbour(
                protocol="cdp",
                local_interface=ports.by_index(index[0]),
                remote_name=text(device),
                remote_interface=text(port),
                remote_address=_address(address) if isinstance(address, bytes) else None,
                remote_description=text(platform),
                remote_port_id=text(port),
            )
