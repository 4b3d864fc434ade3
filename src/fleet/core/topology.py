"""The network as the links make it: which way leads from a device to the data centre."""

from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fleet.core.inventory import End, Inventory, Link, SiteKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Uplink:
    """The next step from a device towards the data centre."""

    interface: str | None
    to: str  # device, or a site where a link names no device
    to_interface: str | None
    kind: str
    capacity_mbps: int | None
    circuit_id: str | None
    provider: str | None


def find_uplinks(inventory: Inventory, from_site: str | None = None) -> Mapping[str, Uplink]:
    """Per device (and per site that links name as a whole), its shortest way towards the centre.

    Args:
        inventory: devices and links that are not retired take part.
        from_site: where the way leads to; None: to the nearest data centre.
    """
    neighbours = _neighbours(inventory)
    roots = {from_site} if from_site else _data_centres(inventory)
    queue = deque(
        sorted(d.name for d in inventory.devices.values() if d.site in roots and not d.retired)
        + sorted(root for root in roots if root in neighbours)
    )
    seen, found = set(queue), {}
    while queue:
        node = queue.popleft()
        for there, uplink in neighbours.get(node, ()):
            if there not in seen:
                seen.add(there)
                found[there] = uplink
                queue.append(there)
    return found


def _data_centres(inventory: Inventory) -> set[str]:
    return {
        site.slug
        for site in inventory.sites.values()
        if site.kind is SiteKind.DATA_CENTRE and not site.retired
    }


def _neighbours(inventory: Inventory) -> dict[str, list[tuple[str, Uplink]]]:
    """Per node: (neighbour, how the neighbour reaches the node)."""
    found: dict[str, list[tuple[str, Uplink]]] = {}
    for link in sorted(inventory.links.values(), key=lambda link: link.key):
        a, b = inventory.end(link.a), inventory.end(link.b)
        if link.retired or not (_node(a) and _node(b)):
            continue
        for near, far in ((a, b), (b, a)):
            for node in _nodes(inventory, near):
                found.setdefault(node, []).extend(
                    (there, _uplink(link, far, near)) for there in _nodes(inventory, far)
                )
    return found


def _node(end: End) -> str:
    return end.device or end.site or ""


def _nodes(inventory: Inventory, end: End) -> Iterable[str]:
    """A link that names a site as a whole reaches all its edge devices, or all its devices."""
    if end.device or not end.site:
        return (_node(end),)
    devices = inventory.edge_devices.get(end.site) or {
        d.name for d in inventory.devices_by_site.get(end.site, ())
    }
    return (end.site, *sorted(devices))


def _uplink(link: Link, here: End, there: End) -> Uplink:
    return Uplink(
        interface=here.interface,
        to=_node(there),
        to_interface=there.interface,
        kind=link.kind.value,
        capacity_mbps=link.capacity_mbps,
        circuit_id=link.circuit_id,
        provider=link.provider,
    )
