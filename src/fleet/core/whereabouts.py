"""Where a machine is plugged in, by the forwarding tables of the switches."""

from dataclasses import dataclass

from fleet.core.facts import Facts

Place = tuple[str, str, int | None]
"""A MAC address like aa:bb:cc:dd:ee:ff, the port behind which it was seen, and its VLAN."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A switch that had a MAC address behind one of its ports.

    Args:
        since_us: the first time in a row that it was there.
        last_us: the last time.
        is_there: whether that was the last time that the switch was asked.
        beside: how many other addresses are behind that port: with none, it is plugged in there.
    """

    device: str
    port: str
    vlan: int | None
    since_us: int
    last_us: int
    is_there: bool
    beside: int


def places(facts: Facts) -> set[Place]:
    """What a switch has behind its ports; its own addresses are not."""
    ports = {port.index: port.name for port in facts.interfaces}
    return {
        (entry.mac, port, entry.vlan)
        for entry in facts.forwarding
        if not entry.is_own and (port := ports.get(entry.interface_index or 0))
    }


def likeliest_first(found: list[Sighting]) -> list[Sighting]:
    """Where it is now before where it was; the port with the fewest others behind it first."""
    return sorted(
        found, key=lambda one: (not one.is_there, one.beside, -one.last_us, one.device, one.port)
    )
