"""What the example cooperation's devices would answer to SNMP, made from the inventory."""

from collections import defaultdict
from collections.abc import Iterator, Mapping

from fleet.core.inventory import Device, Interface, Inventory

# sysObjectID and sysDescr by platform; the texts are in the style of the real ones.
_SYSTEMS = {
    "ios": (
        "1.3.6.1.4.1.9.1.1208",
        "Cisco IOS Software, {model} Software, Version 15.2(7)E4, RELEASE SOFTWARE (fc2)",
    ),
    "junos": (
        "1.3.6.1.4.1.2636.1.1.1.2.132",
        "Juniper Networks, Inc. {model} internet router, kernel JUNOS 21.4R3-S5.4",
    ),
    "fortigate": ("1.3.6.1.4.1.12356.101.1.1006", "{model} v7.2.8,build1639"),
    "linux": (
        "1.3.6.1.4.1.8072.3.2.10",
        "Linux {name} 6.1.0-28-amd64 #1 SMP Debian 6.1.119-1 x86_64",
    ),
    "procurve": (
        "1.3.6.1.4.1.11.2.3.7.11.181",
        "Aruba JL254A {model} Switch, revision WC.16.11.0012, ROM WC.16.01.0010",
    ),
    "apc": ("1.3.6.1.4.1.318.1.3.27", "APC Web/SNMP Management Card (MB:v4.1.0) {model}"),
    "dsm": ("1.3.6.1.4.1.8072.3.2.10", "Linux {name} 4.4.302+ #69057 SMP x86_64"),
    "unifi": ("1.3.6.1.4.1.41112", "{model} 6.6.77.15402"),
    "iosxe": (
        "1.3.6.1.4.1.9.1.2494",
        "Cisco IOS Software [Cupertino], {model} Software (CAT9K_IOSXE), Version 17.9.4, RELEASE",
    ),
    "nxos": ("1.3.6.1.4.1.9.12.3.1.3.2147", "Cisco NX-OS(tm) {model}, Software, Version 10.2(5)"),
    "vmware": ("1.3.6.1.4.1.6876.4.1", "VMware ESXi 8.0.2 build-22380479 VMware, Inc. x86_64"),
    "netapp": ("1.3.6.1.4.1.789.2.5", "NetApp Release 9.13.1P6: {model}"),
    "ricoh": ("1.3.6.1.4.1.367.1.1", "RICOH {model} 1.04 / RICOH Network Printer C model"),
    "weos": ("1.3.6.1.4.1.16177.1.3.100.9", "Westermo Lynx {model}, primary: v4.28.3"),
    "akcp": ("1.3.6.1.4.1.3854.1", "{model} SP4470 161014"),
    "routeros": ("1.3.6.1.4.1.14988.1", "RouterOS {model}"),
}
_OTHER = ("1.3.6.1.4.1.8072.3.2.255", "{vendor} {model}")


def to_recordings(inventory: Inventory) -> dict[str, tuple[str, str]]:
    """Address and recording of every device that is polled, by name."""
    ports: dict[str, list[Interface]] = defaultdict(list)
    for interface in inventory.interfaces.values():
        if not interface.retired:
            ports[interface.device].append(interface)
    cables = _cables(inventory)
    return {
        device.name: (
            device.address,
            "\n".join(
                [
                    *_system_lines(inventory, device),
                    *_part_lines(device),
                    *_port_lines(
                        ports[device.name] or [Interface(device=device.name, name="eth0")]
                    ),
                    *_neighbour_lines(ports[device.name], cables),
                ]
            ),
        )
        for device in inventory.devices.values()
        if device.is_polled and device.address
    }


def _cables(inventory: Inventory) -> dict[str, str]:
    """The port at the other end of each port that has a cable."""
    found = {}
    for link in inventory.links.values():
        if not link.retired and inventory.end(link.a).interface and inventory.end(link.b).interface:
            found[link.a], found[link.b] = link.b, link.a
    return found


def _system_lines(inventory: Inventory, device: Device) -> Iterator[str]:
    site = inventory.sites[device.site]
    object_id, description = _SYSTEMS.get(device.platform or "", _OTHER)
    description = description.format(
        name=device.name, model=(device.model or "").removeprefix("Aruba "), vendor=device.vendor
    )
    contact = site.contact.role if site.contact else "IT-vakt"
    yield f"1.3.6.1.2.1.1.1.0|4|{description}"
    yield f"1.3.6.1.2.1.1.2.0|6|{object_id}"
    yield "1.3.6.1.2.1.1.3.0|67:numeric|rate=100,initial=864000"
    yield f"1.3.6.1.2.1.1.4.0|4|{contact}"
    yield f"1.3.6.1.2.1.1.5.0|4|{device.name}"
    yield f"1.3.6.1.2.1.1.6.0|4x|{site.name.encode().hex()}"


def _part_lines(device: Device) -> Iterator[str]:
    """The chassis (ENTITY-MIB)."""
    if device.serial:
        yield "1.3.6.1.2.1.47.1.1.1.1.5.1|2|3"
        yield f"1.3.6.1.2.1.47.1.1.1.1.11.1|4|{device.serial}"
        yield f"1.3.6.1.2.1.47.1.1.1.1.13.1|4|{device.model or ''}"


def _port_lines(interfaces: list[Interface]) -> Iterator[str]:
    columns = (
        ("1.3.6.1.2.1.2.2.1.1", "2", lambda n, i: n),
        ("1.3.6.1.2.1.2.2.1.2", "4", lambda n, i: i.name),
        ("1.3.6.1.2.1.2.2.1.4", "2", lambda n, i: 1500),
        ("1.3.6.1.2.1.2.2.1.5", "66", lambda n, i: 1_000_000_000),
        ("1.3.6.1.2.1.2.2.1.6", "4x", lambda n, i: (i.mac or "").replace(":", "")),
        ("1.3.6.1.2.1.2.2.1.7", "2", lambda n, i: 1),
        ("1.3.6.1.2.1.2.2.1.8", "2", lambda n, i: 1),
        ("1.3.6.1.2.1.31.1.1.1.1", "4", lambda n, i: i.name),
        ("1.3.6.1.2.1.31.1.1.1.15", "66", lambda n, i: 1000),
        ("1.3.6.1.2.1.31.1.1.1.18", "4", lambda n, i: i.description or ""),
    )
    for column, tag, value in columns:
        for number, interface in enumerate(interfaces, start=1):
            yield f"{column}.{number}|{tag}|{value(number, interface)}"


def _neighbour_lines(interfaces: list[Interface], cables: Mapping[str, str]) -> Iterator[str]:
    """Who is heard at the ports with a cable (LLDP-MIB)."""
    remote = "1.0.8802.1.1.2.1.4.1.1"
    for number, interface in enumerate(interfaces, start=1):
        yield f"1.0.8802.1.1.2.1.3.7.1.3.{number}|4|{interface.name}"
        if (other := cables.get(interface.key)) is None:
            continue
        device, _, port = other.partition(" : ")
        for column, tag, value in (
            (4, "2", 7),  # the chassis by a name of its own
            (5, "4", device),
            (6, "2", 5),  # the port by its interface name
            (7, "4", port),
            (9, "4", device),
        ):
            yield f"{remote}.{column}.0.{number}.1|{tag}|{value}"
