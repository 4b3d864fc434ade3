"""The network as the declared links make it: who hangs behind whom, seen from the poller.

A vertex is a device, a link, or a site that a link names as a whole; vertex 0 is the place that
all ways lead to: the poller's site or, if nobody said where it stands, the data centres. A
device without links hangs behind the edge devices of its site.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from heapq import heappop, heappush

from fleet.core.inventory import End, Inventory, Link, LinkKind, SiteKind

ROOT = 0
_BACKUP = 100  # a way over a mobile link is taken last, however short it is

Vertex = int


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Hop:
    """A device on a way, and the link by which the way leaves it; None at its end."""

    device: str  # or a site, where a link names no device
    out: str | None = None
    link: str | None = None
    in_: str | None = None  # the port at the next device
    link_key: str | None = None


class Network:
    """The graph of an inventory; retired things take no part.

    Args:
        inventory: devices and links.
        from_site: where the poller stands; None: all ways lead to the data centres.
    """

    def __init__(self, inventory: Inventory, from_site: str | None = None) -> None:
        self.inventory = inventory
        known = from_site if from_site in inventory.sites else None
        self.roots = frozenset({known} if known else _data_centres(inventory))
        self.names: list[tuple[str, str]] = [("root", "")]
        self.near: list[list[Vertex]] = [[]]
        self._numbers: dict[tuple[str, str], Vertex] = {}
        self._cost: list[int] = [0]
        for name, device in sorted(inventory.devices.items()):
            if not device.retired:
                self._add("device", name)
        self._links = sorted(inventory.links.items())
        self._add_links()
        self.entries = self._find_entries()
        self.is_leaf = bytearray(len(self.names))
        self._hang_up()

    # --- building

    def _add(self, kind: str, name: str, cost: int = 0) -> Vertex:
        vertex = self._numbers.get((kind, name))
        if vertex is None:
            vertex = self._numbers[kind, name] = len(self.names)
            self.names.append((kind, name))
            self.near.append([])
            self._cost.append(cost)
        return vertex

    def _join(self, one: Vertex, other: Vertex) -> None:
        self.near[one].append(other)
        self.near[other].append(one)

    def _add_links(self) -> None:
        for key, link in self._links:
            ends = [self._of_end(self.inventory.end(text)) for text in (link.a, link.b)]
            if link.retired or None in ends:
                continue
            cost = _BACKUP if link.kind is LinkKind.MOBILE else 1
            vertex = self._add("link", key, cost)
            for end in ends:
                assert end is not None
                self._join(vertex, end)

    def _of_end(self, end: End) -> Vertex | None:
        if end.device is not None:
            return self.device(end.device)
        return None if end.site is None else self._add("site", end.site)

    def _find_entries(self) -> Mapping[str, tuple[Vertex, ...]]:
        """Per site, where it is entered: its edge devices, else the site as links name it."""
        found: dict[str, tuple[Vertex, ...]] = {}
        for slug, names in self.inventory.edge_devices.items():
            edges = (self.device(name) for name in sorted(names))
            found[slug] = tuple(edge for edge in edges if edge is not None)
        for (kind, slug), whole in self._numbers.items():
            if kind != "site":
                continue
            for inner in found.get(slug) or self._devices_at(slug):
                self._join(whole, inner)
            if not found.get(slug):
                found[slug] = (whole,)
        for slug in sorted(self.roots):
            found[slug] = found.get(slug) or tuple(self._devices_at(slug))
            for entry in found[slug]:
                self._join(ROOT, entry)
        return found

    def _devices_at(self, slug: str) -> list[Vertex]:
        devices = self.inventory.devices_by_site.get(slug, ())
        return [self._numbers["device", d.name] for d in devices if not d.retired]

    def _hang_up(self) -> None:
        """Puts behind its site's entries what no link leads to; no way goes through it."""
        island = self._islands()
        is_leaf = self.is_leaf
        for slug, entries in self.entries.items():
            around = {island[entry] for entry in entries}
            for vertex in self._devices_at(slug):
                if island[vertex] not in around:
                    for entry in entries:
                        self._join(vertex, entry)
                    is_leaf[vertex] = 1
                elif entries and self.names[entries[0]][0] == "site":
                    is_leaf[vertex] = all(self.names[v][0] == "site" for v in self.near[vertex])

    def _islands(self) -> list[int]:
        """Per vertex, the number of what hangs together with it by links, without the root."""
        island = [-1] * len(self.names)
        for start in range(1, len(self.names)):
            if island[start] >= 0:
                continue
            island[start], queue = start, [start]
            for vertex in queue:
                for there in self.near[vertex]:
                    if there != ROOT and island[there] < 0:
                        island[there] = start
                        queue.append(there)
        return island

    # --- asking

    def device(self, name: str) -> Vertex | None:
        return self._numbers.get(("device", name))

    def link(self, key: str) -> Vertex | None:
        return self._numbers.get(("link", key))

    def of_site(self, slug: str) -> tuple[Vertex, ...]:
        """What stands for a site at the end of a way: its entries, or all its devices."""
        return self.entries.get(slug) or tuple(self._devices_at(slug))

    def reached(self, blocked: Collection[Vertex], seeds: Iterable[Vertex] = (ROOT,)) -> bytearray:
        """Per vertex, whether a way leads there from the seeds that enters nothing blocked."""
        found = bytearray(len(self.names))
        stop = bytearray(len(self.names))
        for vertex in blocked:
            stop[vertex] = 1
        queue = [seed for seed in seeds if not stop[seed]]
        for seed in queue:
            found[seed] = 1
        near, is_leaf = self.near, self.is_leaf
        for vertex in queue:  # grows while it is walked
            for there in near[vertex]:
                if not found[there] and not stop[there]:
                    found[there] = 1
                    if not is_leaf[there]:
                        queue.append(there)
        return found

    def ways(
        self, starts: Iterable[Vertex], blocked: Collection[Vertex] = ()
    ) -> Mapping[Vertex, Vertex]:
        """Per vertex, the one before it on the best way from `starts`: few links, mobile last."""
        before: dict[Vertex, Vertex] = {}
        best = {start: 0 for start in starts if start not in blocked}
        queue = [(0, start) for start in sorted(best)]
        while queue:
            cost, vertex = heappop(queue)
            if cost > best[vertex] or (self.is_leaf[vertex] and vertex in before):
                continue
            for there in self.near[vertex]:
                sum_ = cost + self._cost[there]
                if sum_ < best.get(there, 1 << 60) and there not in blocked:
                    best[there], before[there] = sum_, vertex
                    heappush(queue, (sum_, there))
        return before

    @cached_property
    def towards_root(self) -> Mapping[Vertex, Vertex]:
        """Per vertex, the next one on its best way to the root when all is well."""
        return self.ways((ROOT,))

    def way(
        self, starts: Collection[Vertex], ends: Collection[Vertex], blocked: Collection[Vertex]
    ) -> list[Vertex] | None:
        """The best way from one of `starts` to one of `ends`; None: there is none."""
        shared = [v for v in starts if v in ends and v not in blocked]
        if shared:
            return [min(shared)]
        before = self.ways(starts, {ROOT, *blocked})
        ways = [_back(before, end) for end in ends if end in before]
        return min(ways, key=lambda w: (sum(self._cost[v] for v in w), w), default=None)

    def hops(self, way: Sequence[Vertex]) -> Iterator[Hop]:
        """A way as a person follows it: device by device, with the ports of each link."""
        steps = [vertex for vertex in way if self.names[vertex][0] != "root"]
        places = [at for at, vertex in enumerate(steps) if self.names[vertex][0] != "link"]
        for at in places:
            _, name = self.names[steps[at]]
            following = steps[at + 1] if at + 1 < len(steps) else None
            if following is None or self.names[following][0] != "link":
                yield Hop(device=name)
                continue
            link = self.inventory.links[self.names[following][1]]
            here, there = self._oriented(link, steps[at])
            yield Hop(
                device=name,
                out=here.interface,
                link=link.kind.value,
                in_=there.interface,
                link_key=link.key,
            )

    def _oriented(self, link: Link, near: Vertex) -> tuple[End, End]:
        """The ends of a link, the one at `near` first."""
        a, b = self.inventory.end(link.a), self.inventory.end(link.b)
        return (a, b) if self._of_end(a) == near else (b, a)

    def uplinks(self) -> Mapping[str, Uplink]:
        """Per device (and site that links name as a whole), its next step towards the root."""
        found: dict[str, Uplink] = {}
        for vertex, next_ in self.towards_root.items():
            kind, name = self.names[vertex]
            here_vertex, following = vertex, next_
            if self.names[following][0] == "site":  # the link ends at the site as a whole
                here_vertex, following = following, self.towards_root.get(following, ROOT)
            if kind == "link" or self.names[following][0] != "link":
                continue
            link = self.inventory.links[self.names[following][1]]
            here, there = self._oriented(link, here_vertex)
            found[name] = Uplink(
                interface=here.interface,
                to=there.device or there.site or "",
                to_interface=there.interface,
                kind=link.kind.value,
                capacity_mbps=link.capacity_mbps,
                circuit_id=link.circuit_id,
                provider=link.provider,
            )
        return found


def _back(before: Mapping[Vertex, Vertex], end: Vertex) -> list[Vertex]:
    way = [end]
    while way[-1] in before:
        way.append(before[way[-1]])
    return way[::-1]


def _data_centres(inventory: Inventory) -> set[str]:
    return {
        site.slug
        for site in inventory.sites.values()
        if site.kind is SiteKind.DATA_CENTRE and not site.retired
    }
