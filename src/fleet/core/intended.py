"""What the network says of itself, as claims on what was declared of it.

Nothing of it is written over what people declared: what differs is a finding, until a person or
a rule takes it over. An answer speaks only of what it holds: a table that was not read to its
end says nothing of what it lacks.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from fleet.core.claims import Claims, Id, Nature
from fleet.core.facts import Facts
from fleet.core.facts.interfaces import SeenInterface
from fleet.core.inventory import Device, Interface, Inventory, Link
from fleet.core.links import Known, SeenLink, find_heard
from fleet.core.moment import from_us, short_text
from fleet.core.ports import port_key
from fleet.core.record import Record

Said = Mapping[str, tuple[int, Facts]]
"""Per device: when it was asked, microseconds since 1970, and what it said."""

_OF_DEVICE = ("serial", "vendor", "model", "platform")


def claims_of_snmp(inventory: Inventory, said: Said) -> Claims:
    """What devices said when they were last asked, of themselves, their ports and their links."""
    things: dict[Id, Record] = {}
    evidence: dict[Id, str] = {}
    times: dict[Id, int] = {}
    gone: dict[Id, str] = {}
    declared: dict[str, list[Interface]] = defaultdict(list)
    for interface in inventory.interfaces.values():
        if not interface.retired:
            declared[interface.device].append(interface)
    owners = {d.serial.casefold(): d for d in inventory.devices.values() if d.serial}
    for name, (at, facts) in said.items():
        device = inventory.devices.get(name)
        if device is None or device.retired:
            continue
        id_ = ("device", name)
        things[id_] = {f: v for f in _OF_DEVICE if (v := getattr(facts, f)) is not None}
        evidence[id_] = _evidence(device, at, facts, owners)
        when = short_text(from_us(at))
        for key, record in _ports(name, facts, declared[name]):
            things[key] = record
            evidence[key] = f"{name} said so {when}"
        gone |= dict.fromkeys(_gone(facts, declared[name]), f"{name} has no such port, {when}")
        times |= dict.fromkeys([id_], at)
    gone |= _unheard(inventory, {n: f for n, (_, f) in said.items() if n in inventory.devices})
    return Claims(
        source=Nature.SNMP.value,
        nature=Nature.SNMP,
        things=things,
        times=times,
        gone=gone,
        evidence=evidence,
    )


def _evidence(device: Device, at: int, facts: Facts, owners: Mapping[str, Device]) -> str:
    text = f"{device.address or device.name} said so {short_text(from_us(at))}"
    if facts.name:
        text += f" and calls itself {facts.name}"
    owner = owners.get((facts.serial or "").casefold())
    if owner is not None and owner.name != device.name:
        text += f"; this serial number is declared for {owner.name} at {owner.site}"
    return text


def _ports(name: str, facts: Facts, declared: Sequence[Interface]) -> Iterator[tuple[Id, Record]]:
    """The ports of a device, under the names that people gave them."""
    named = {port_key(i.name): i for i in declared}
    addresses = {a.interface_index: a.address for a in reversed(facts.addresses)}
    for port in facts.interfaces:
        same = named.get(port_key(port.name)) or named.get(port_key(port.description or port.name))
        record = _port(name, port, same, addresses.get(port.index))
        yield ("interface", f"{name} : {record['name']}"), record


def _port(
    device: str, port: SeenInterface, declared: Interface | None, address: str | None
) -> Record:
    record: Record = {"device": device, "name": declared.name if declared else port.name}
    if port.mac and port.mac != "00:00:00:00:00:00":
        record["mac"] = port.mac
    # Descriptions and addresses that people wrote are theirs.
    if port.alias and (declared is None or declared.description in (None, port.alias)):
        record["description"] = port.alias
    if address and (declared is None or declared.address in (None, address)):
        record["address"] = address
    return record


def _gone(facts: Facts, declared: Sequence[Interface]) -> Iterator[Id]:
    if not facts.interfaces or "interfaces" in facts.unread:
        return
    seen = {port_key(p.name) for p in facts.interfaces}
    seen |= {port_key(p.description) for p in facts.interfaces if p.description}
    for interface in declared:
        if port_key(interface.name) not in seen:
            yield "interface", interface.key


def _unheard(inventory: Inventory, facts: Mapping[str, Facts]) -> dict[Id, str]:
    """Declared links of which neither end hears the other, though both hear somebody."""
    names = {
        d.name: [d.address] if d.address else []
        for d in inventory.devices.values()
        if not d.retired
    }
    speaking = {
        name: found
        for name, found in facts.items()
        if found.neighbours and not any("neighbours" in table for table in found.unread)
    }
    heard: dict[frozenset[str], list[SeenLink]] = defaultdict(list)
    at_port: dict[tuple[str, str], str] = {}
    for seen in find_heard(speaking, Known(facts, names)) if speaking else ():
        heard[frozenset((seen.a.device, seen.b.device))].append(seen)
        for end, other in ((seen.a, seen.b), (seen.b, seen.a)):
            at_port[end.device, port_key(end.interface or "")] = str(other)
    found = {}
    for key, link in inventory.links.items():
        if not link.retired and (why := _missing(inventory, link, speaking, heard, at_port)):
            found["link", key] = why
    return found


def _missing(
    inventory: Inventory,
    link: Link,
    speaking: Mapping[str, Facts],
    heard: Mapping[frozenset[str], list[SeenLink]],
    at_port: Mapping[tuple[str, str], str],
) -> str | None:
    """Why a declared link is not there; None: nothing speaks against it."""
    ends = [inventory.end(link.a), inventory.end(link.b)]
    devices = [end.device or "" for end in ends]
    ports = {end.device: port_key(end.interface) for end in ends if end.interface}
    if len(ports) < len(ends) or not all(device in speaking for device in devices):
        return None
    for seen in heard.get(frozenset(devices), ()):
        said = [(e.device, port_key(e.interface)) for e in (seen.a, seen.b) if e.interface]
        if all(ports[device] == port for device, port in said):
            return None
    others = [
        f"{device} : {end.interface} hears {other}"
        for device, end in zip(devices, ends, strict=True)
        if (other := at_port.get((device, ports[device]))) is not None
    ]
    return "; ".join(others) or "neither end hears the other"
