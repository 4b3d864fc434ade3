"""Where a device contradicts what was declared of it."""

import ipaddress
from collections.abc import Iterator
from dataclasses import dataclass

from fleet.core.facts.read import Facts
from fleet.core.inventory import Device, Interface


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something that a person should look at: what was declared, and what was seen."""

    device: str
    field: str
    declared: str | None
    seen: str | None

    @property
    def mend(self) -> str | None:
        """What most likely happened, as a command; None: that is for a person to say."""
        if self.field == "serial" and self.declared and self.seen:
            return f"fleet device swap {self.device} {self.seen}"
        return None


def find_differences(
    device: Device, declared: tuple[Interface, ...], facts: Facts
) -> Iterator[Finding]:
    """Where a device contradicts what was declared of it."""

    def finding(field: str, wanted: str | None, seen: str | None) -> Finding:
        return Finding(device=device.name, field=field, declared=wanted, seen=seen)

    if facts.name and short_name(facts.name) != short_name(device.name):
        yield finding("name", device.name, facts.name)
    if device.serial and facts.serial and facts.serial.casefold() != device.serial.casefold():
        yield finding("serial", device.serial, facts.serial)
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
    """The name without domain and case, as devices and people differ in both.

    Some devices call themselves by their address, which has no domain.
    """
    plain = name.strip().casefold()
    try:
        ipaddress.ip_address(plain)
    except ValueError:
        return plain.partition(".")[0] or plain
    return plain
