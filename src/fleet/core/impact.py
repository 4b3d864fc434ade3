"""Who and what is cut off if something fails, and what a service stands and falls with."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from fleet.core.adoption import sites_using
from fleet.core.inventory import Inventory, Link, Service
from fleet.core.redundancy import Redundancy
from fleet.core.topology import Network, Vertex


@dataclass(frozen=True, slots=True, kw_only=True)
class Impact:
    """What fails with something: everything that has no way left, and what that takes along."""

    devices: tuple[str, ...]  # without those that failed themselves
    sites: tuple[str, ...]
    users: int  # of these sites
    services: tuple[str, ...]  # that need one of these devices or links
    degraded_sites: tuple[str, ...]


def find_impact(network: Network, failed: Collection[Vertex]) -> Impact:
    """What the failure of some vertices takes along; the sites and services that end are named."""
    inventory = network.inventory
    before, after = network.reached(()), network.reached(failed)
    gone = {v for v in range(len(network.names)) if not after[v] and (before[v] or v in failed)}
    named = {network.names[v] for v in gone}
    devices = {name for kind, name in named if kind == "device"}
    links = {name for kind, name in named if kind == "link"}
    sites = [
        slug
        for slug in inventory.sites
        if (ends := network.of_site(slug)) and all(v in gone for v in ends)
    ]
    parts = {*devices, *(c for key in links if (c := inventory.links[key].circuit_id))}
    return Impact(
        devices=tuple(sorted(devices - {network.names[v][1] for v in failed})),
        sites=tuple(sorted(sites)),
        users=sum(inventory.sites[slug].users or 0 for slug in sites),
        services=tuple(services_hit(inventory, parts)),
        degraded_sites=tuple(
            s for s in Redundancy(network).find_degraded(failed) if s not in sites
        ),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stop:
    """What stops with a service.

    Args:
        broken: integrations that break: a service, and what it needs of those that stop.
        sites: that do without it, or without what needs it; each once.
        users: of these sites.
    """

    service: str
    services: tuple[str, ...]
    broken: tuple[tuple[str, str], ...]
    sites: tuple[str, ...]
    users: int


def find_stop(inventory: Inventory, slug: str, day: date) -> Stop:
    """What stops with a service on a day: all that needs it, and the sites that use any of it."""
    stopped = {slug}
    broken: list[tuple[str, str]] = []
    queue = [slug]
    for gone in queue:  # grows while it is walked
        for name, service in sorted(inventory.services.items()):
            if gone in service.needs and not service.retired:
                broken.append((name, gone))
                if name not in stopped:
                    stopped.add(name)
                    queue.append(name)
    using = (sites_using(inventory, inventory.services[name], day) for name in stopped)
    sites = frozenset[str]().union(*using)
    return Stop(
        service=slug,
        services=tuple(sorted(stopped - {slug})),
        broken=tuple(broken),
        sites=tuple(sorted(sites)),
        users=sum(inventory.sites[site].users or 0 for site in sites),
    )


def services_hit(inventory: Inventory, parts: Collection[str]) -> list[str]:
    """The services that need one of some devices or circuits, themselves or by other services."""
    return [
        slug
        for slug, service in sorted(inventory.services.items())
        if not service.retired and not chain(inventory, service).isdisjoint(parts)
    ]


def chain(inventory: Inventory, service: Service) -> frozenset[str]:
    """The devices and circuits that a service needs, with those of the services it needs."""
    found: set[str] = set()
    queue, seen = [service], {service.slug}
    for one in queue:
        for name in one.needs:
            if name in inventory.services:
                if name not in seen:
                    seen.add(name)
                    queue.append(inventory.services[name])
            elif name not in inventory.contracts:
                found.add(name)
    return frozenset(found)


def links_of(inventory: Inventory, circuit: str) -> Sequence[Link]:
    """The links with a circuit id."""
    return [
        link for link in inventory.links.values() if link.circuit_id == circuit and not link.retired
    ]


def vertices_of(network: Network, kind: str, name: str) -> tuple[Vertex, ...]:
    """What stands for a thing in the network: a site is all its devices."""
    match kind:
        case "device":
            found: Iterable[Vertex | None] = (network.device(name),)
        case "link":
            found = (network.link(name),)
        case _:
            devices = network.inventory.devices_by_site.get(name, ())
            found = (*network.of_site(name), *(network.device(d.name) for d in devices))
    return tuple(dict.fromkeys(v for v in found if v is not None))


def part_vertices(network: Network, name: str) -> list[Vertex]:
    """The device, or the links of the circuit, that a part of a service names."""
    device = network.device(name)
    if device is not None:
        return [device]
    links = (network.link(link.key) for link in links_of(network.inventory, name))
    return [vertex for vertex in links if vertex is not None]
