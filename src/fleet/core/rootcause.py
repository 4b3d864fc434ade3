"""Which silence explains the others: root causes, seen from where the poller stands.

A silent device with an answering neighbour on the way to the poller is itself the cause; a link
is, only if the port at its near end was seen down. Behind it is what has no way left to the
poller over declared links. Causes that one silent power supply feeds are explained by it.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from fleet.core.ports import port_key
from fleet.core.topology import ROOT, Network, Vertex

Port = tuple[str, str]
"""Device and `port_key` of an interface."""


@dataclass(frozen=True, slots=True, order=True)
class Root:
    """What a silence comes from: a device or a link, by its name."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind} {self.name}"


def parse_root(text: str | None) -> Root | None:
    """The root that `str` wrote."""
    if text is None:
        return None
    kind, _, name = text.partition(" ")
    return Root(kind, name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """Why one silent device is silent."""

    is_behind: bool  # unreachable, rather than down itself
    root: Root


def explain(
    network: Network,
    *,
    silent: Collection[str],
    answering: Collection[str],
    ports_down: Collection[Port] = frozenset(),
    on_battery: Collection[str] = frozenset(),
) -> Mapping[str, Explanation]:
    """Why each silent device is silent.

    Args:
        silent: devices that do not answer.
        answering: devices that do.
        ports_down: of answering devices, the ports seen down.
        on_battery: power supplies last seen running on their battery.
    """
    mute = {v: name for name in silent if (v := network.device(name)) is not None}
    cut = find_cut_links(network, answering, ports_down)
    blocked = {*mute, *cut}
    is_open = network.reached(blocked)
    islands = [
        v for name in answering if (v := network.device(name)) is not None and not is_open[v]
    ]
    is_island = network.reached(blocked, islands)
    causes = {v for v in mute if _is_cause(network, v, is_open, is_island)}
    found: dict[str, Explanation] = {}
    for vertex, name in mute.items():
        root = _nearest(network, vertex, causes, cut)
        is_behind = root != vertex and vertex not in causes
        found[name] = Explanation(is_behind=is_behind, root=Root(*network.names[root]))
    for name in silent:  # what is in no network explains itself
        found.setdefault(name, Explanation(is_behind=False, root=Root("device", name)))
    return _blame_power(network, found, set(silent), on_battery)


def find_cut_links(
    network: Network, answering: Collection[str], ports_down: Collection[Port]
) -> frozenset[Vertex]:
    """The links of which an answering device says that its port is down."""
    found = set()
    inventory = network.inventory
    for key, link in inventory.links.items():
        vertex = network.link(key)
        if vertex is None:
            continue
        for end in (inventory.end(link.a), inventory.end(link.b)):
            if end.device is None or end.interface is None or end.device not in answering:
                continue
            if (end.device, port_key(end.interface)) in ports_down:
                found.add(vertex)
    return frozenset(found)


def find_near_ports(
    network: Network, silent: Collection[str], answering: Collection[str]
) -> set[Port]:
    """The ports of answering devices at links to silent ones."""
    found: set[Port] = set()
    inventory = network.inventory
    for name in silent:
        vertex = network.device(name)
        for link in () if vertex is None else network.near[vertex]:
            if network.names[link][0] != "link":
                continue
            declared = inventory.links[network.names[link][1]]
            for end in (inventory.end(declared.a), inventory.end(declared.b)):
                if end.device in answering and end.device and end.interface:
                    found.add((end.device, port_key(end.interface)))
    return found


def _is_cause(network: Network, vertex: Vertex, is_open: bytearray, is_island: bytearray) -> bool:
    """Whether somebody answers beside it who does not need it to be reached himself.

    Args:
        is_open: where a way leads from the poller now.
        is_island: where somebody answers although no declared way is left, and around him.
    """
    # What merely hangs behind a site's edge is on nobody's way.
    near = [v for v in network.near[vertex] if not network.is_leaf[v]]
    if any(is_open[v] for v in near):
        return True
    beside = [v for v in near if is_island[v]]
    if not beside:
        return False
    without = network.reached((vertex,))
    return any(without[v] for v in beside)


def _nearest(
    network: Network, vertex: Vertex, causes: Collection[Vertex], cut: Collection[Vertex]
) -> Vertex:
    """The first cause on the best way from a silent device to the poller; else itself."""
    here = vertex
    while here != ROOT and here not in causes and here not in cut:
        here = network.towards_root.get(here, ROOT)
    # A best way without any cause: it is silent for a reason of its own.
    return vertex if here == ROOT else here


def _blame_power(
    network: Network,
    found: Mapping[str, Explanation],
    silent: Collection[str],
    on_battery: Collection[str],
) -> Mapping[str, Explanation]:
    """Puts a power supply in the place of the causes that it feeds, where there is evidence."""
    causes = {e.root.name for e in found.values() if e.root.kind == "device"}
    feeder_of = {name: f for name in causes if (f := _feeder(network, name, silent, on_battery))}
    fed = Counter(feeder_of.values())
    blamed = {
        name: Root("device", feeder)
        for name, feeder in feeder_of.items()
        if fed[feeder] > 1 or feeder in causes or feeder in on_battery
    }
    feeders = {root.name for root in blamed.values()}
    explained = {}
    for name, why in found.items():
        root = blamed.get(why.root.name, why.root) if why.root.kind == "device" else why.root
        if name in feeders:
            explained[name] = Explanation(is_behind=False, root=Root("device", name))
        else:
            explained[name] = Explanation(is_behind=why.is_behind, root=root)
    return explained


def _feeder(
    network: Network, name: str, silent: Collection[str], on_battery: Collection[str]
) -> str | None:
    """The outermost power supply above a device that is silent itself."""
    devices = network.inventory.devices
    found, seen = None, {name}
    above = devices[name].fed_by if name in devices else None
    while above is not None and above not in seen and above in silent:
        found = above
        seen.add(above)
        above = devices[above].fed_by if above in devices else None
    return found


def sites_down(
    network: Network, silent: Collection[str], polled: Collection[str]
) -> Mapping[str, tuple[str, ...]]:
    """The sites whose edge devices (of a site without any: all devices) are all silent.

    Args:
        silent: devices that are down or unreachable.
        polled: devices that are asked at all.

    Returns:
        Per site, the devices that decide.
    """
    inventory = network.inventory
    found: dict[str, tuple[str, ...]] = {}
    for slug in {inventory.devices[name].site for name in silent if name in inventory.devices}:
        deciding = deciding_devices(network, slug, polled)
        if deciding and all(name in silent for name in deciding):
            found[slug] = deciding
    return found


def deciding_devices(network: Network, slug: str, polled: Collection[str]) -> tuple[str, ...]:
    """The polled devices that a site stands and falls with."""
    inventory = network.inventory
    edges = tuple(sorted(n for n in inventory.edge_devices.get(slug, ()) if n in polled))
    own = inventory.devices_by_site.get(slug, ())
    return edges or tuple(device.name for device in own if device.name in polled)
