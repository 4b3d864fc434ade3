"""All that a device says of itself, in one value: an SNMP walk read into named facts."""

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.core.facts.addresses import (
    ADDRESSES,
    ARP,
    ArpEntry,
    SeenAddress,
    read_addresses,
    read_arp,
)
from fleet.core.facts.battery import (
    APC_BATTERY_SCALARS,
    BATTERY_SCALARS,
    EATON_BATTERY_SCALARS,
    Battery,
    read_battery,
)
from fleet.core.facts.bridge import (
    BRIDGE,
    BRIDGE_ADDRESS,
    Forwarded,
    Vlan,
    read_forwarding,
    read_vlans,
)
from fleet.core.facts.components import (
    COMPONENTS,
    SENSORS,
    Component,
    Sensor,
    read_components,
    read_sensors,
)
from fleet.core.facts.host import (
    PROCESSORS,
    SOFTWARE,
    STORAGES,
    Storage,
    count_software,
    read_processors,
    read_storages,
)
from fleet.core.facts.identity import Identity, Platforms, identify
from fleet.core.facts.interfaces import INTERFACES, SeenInterface, read_interfaces
from fleet.core.facts.neighbours import (
    LOCAL_CHASSIS,
    NEIGHBOURS,
    Neighbour,
    read_chassis_id,
    read_neighbours,
)
from fleet.core.facts.power import (
    APC_SCALARS,
    EATON_SCALARS,
    POE,
    UPS,
    UPS_SCALARS,
    PoeSupply,
    Power,
    read_poe,
    read_power,
)
from fleet.core.facts.printer import (
    PAGES,
    SUPPLIES,
    Supply,
    count_pages,
    read_supplies,
)
from fleet.core.facts.system import (
    SYS_CONTACT,
    SYS_DESCR,
    SYS_LOCATION,
    SYS_NAME,
    read_object_id,
    read_uptime,
)
from fleet.core.facts.values import mac, text
from fleet.core.walk import Oid, Table, Walk, oid

TABLES: tuple[Table, ...] = (
    INTERFACES,
    *ADDRESSES,
    *ARP,
    COMPONENTS,
    SENSORS,
    *NEIGHBOURS,
    *BRIDGE,
    STORAGES,
    PROCESSORS,
    SOFTWARE,
    SUPPLIES,
    PAGES,
    UPS,
    *POE,
)
"""What is asked of every device; one that has none of a table is not asked for it again."""

_APC = oid("1.3.6.1.4.1.318")
_EATON = oid("1.3.6.1.4.1.534")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a device said of itself; None or empty: it did not say."""

    name: str | None = None
    description: str | None = None
    object_id: str | None = None
    uptime_s: float | None = None
    location: str | None = None
    contact: str | None = None
    vendor: str | None = None
    platform: str | None = None
    model: str | None = None
    os_version: str | None = None
    serial: str | None = None
    role: str | None = None
    interfaces: tuple[SeenInterface, ...] = ()
    addresses: tuple[SeenAddress, ...] = ()
    chassis_id: str | None = None  # as neighbours hear it (LLDP)
    bridge_mac: str | None = None
    neighbours: tuple[Neighbour, ...] = ()
    storages: tuple[Storage, ...] = ()
    processors: tuple[int, ...] = ()  # load in percent
    software_count: int | None = None
    supplies: tuple[Supply, ...] = ()
    page_count: int | None = None
    power: Power | None = None
    battery: Battery | None = None
    poe: tuple[PoeSupply, ...] = ()
    components: tuple[Component, ...] = ()
    sensors: tuple[Sensor, ...] = ()
    vlans: tuple[Vlan, ...] = ()
    forwarding: tuple[Forwarded, ...] = ()
    arp: tuple[ArpEntry, ...] = ()
    unread: tuple[str, ...] = ()


def scalars_to_ask(walk: Walk, platforms: Platforms) -> tuple[Oid, ...]:
    """What else to GET, given the system group: the maker's own rows, and the battery."""
    own = read_object_id(walk) or ""
    description = (text(walk.get(SYS_DESCR)) or "")[:1024]
    wanted = [*platforms.scalars(description, own), *UPS_SCALARS, *BATTERY_SCALARS]
    wanted += [*LOCAL_CHASSIS, BRIDGE_ADDRESS]
    makers = (
        (_APC, (*APC_SCALARS, *APC_BATTERY_SCALARS)),
        (_EATON, (*EATON_SCALARS, *EATON_BATTERY_SCALARS)),
    )
    for prefix, names in makers:
        if own.startswith(".".join(map(str, prefix))):
            wanted += names
    return tuple(dict.fromkeys(wanted))


def read_facts(walk: Walk, unread: Sequence[str] = (), platforms: Platforms | None = None) -> Facts:
    """The facts in a walk.

    Args:
        walk: the system group and the tables, or a part of them.
        unread: names of the tables that could not be read whole.
        platforms: what is known of platforms; without it nobody is recognised.
    """
    uptime = read_uptime(walk)
    interfaces = tuple(read_interfaces(walk))
    components = tuple(read_components(walk))
    identity = identify(walk, components, platforms) if platforms else Identity()
    return Facts(
        name=text(walk.get(SYS_NAME)),
        description=text(walk.get(SYS_DESCR)),
        object_id=read_object_id(walk),
        uptime_s=uptime.total_seconds() if uptime is not None else None,
        location=text(walk.get(SYS_LOCATION)),
        contact=text(walk.get(SYS_CONTACT)),
        vendor=identity.vendor,
        platform=identity.platform,
        model=identity.model,
        os_version=identity.version,
        serial=identity.serial,
        role=identity.role,
        interfaces=interfaces,
        addresses=tuple(read_addresses(walk)),
        chassis_id=read_chassis_id(walk),
        bridge_mac=mac(walk.get(BRIDGE_ADDRESS)),
        neighbours=read_neighbours(walk, interfaces),
        storages=tuple(read_storages(walk)),
        processors=read_processors(walk),
        software_count=count_software(walk),
        supplies=tuple(read_supplies(walk)),
        page_count=count_pages(walk),
        power=read_power(walk),
        battery=read_battery(walk),
        poe=tuple(read_poe(walk)),
        components=components,
        sensors=tuple(read_sensors(walk)),
        vlans=tuple(read_vlans(walk)),
        forwarding=tuple(read_forwarding(walk)),
        arp=tuple(read_arp(walk)),
        unread=tuple(unread),
    )
