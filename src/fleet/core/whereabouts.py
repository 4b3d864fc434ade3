"""Where a machine is plugged in, by the forwarding tables of the switches."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from fleet.core.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Sighting:
    """A switch that has a MAC address behind one of its ports.

    Args:
        at_us: when its table was read.
        beside: how many other addresses it has behind that port: with none, it is plugged in there.
    """

    device: str
    port: str | None
    vlan: int | None
    at_us: int
    beside: int


def sightings(mac: str, said: Mapping[str, tuple[int, Facts]]) -> list[Sighting]:
    """Where a MAC address was seen, the port with the fewest others behind it first.

    Args:
        mac: like aa:bb:cc:dd:ee:ff.
        said: what switches said of themselves, and when.
    """
    found = []
    for device, (at_us, facts) in said.items():
        behind = Counter(f.interface_index for f in facts.forwarding if not f.is_own)
        ports = {port.index: port.name for port in facts.interfaces}
        found += [
            Sighting(
                device=device,
                port=ports.get(entry.interface_index or 0),
                vlan=entry.vlan,
                at_us=at_us,
                beside=behind[entry.interface_index] - 1,
            )
            for entry in facts.forwarding
            if entry.mac == mac and not entry.is_own
        ]
    return sorted(found, key=lambda one: (one.beside, one.device, one.port or "", one.vlan or 0))
