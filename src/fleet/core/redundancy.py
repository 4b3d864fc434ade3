"""How many ways lead to a site, and what it stands and falls with."""

from collections.abc import Collection, Iterable, Iterator, Sequence
from functools import reduce
from itertools import pairwise

from fleet.core.topology import ROOT, Network, Vertex


class Dominators:
    """Per vertex, what lies on every way from the root to it.

    By Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm" (2001).
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        order = _postorder(network)
        self._height = {vertex: height for height, vertex in enumerate(order)}
        self._above: dict[Vertex, Vertex] = {ROOT: ROOT}
        has_changed = True
        while has_changed:
            has_changed = False
            for vertex in reversed(order[:-1]):
                known = [
                    v for v in network.near[vertex] if v in self._above and not network.is_leaf[v]
                ]
                above = reduce(self._meet, known)
                if self._above.get(vertex) != above:
                    self._above[vertex] = above
                    has_changed = True

    def _meet(self, one: Vertex, other: Vertex) -> Vertex:
        height, above = self._height, self._above
        while one != other:
            if height[one] < height[other]:
                one = above[one]
            else:
                other = above[other]
        return one

    def single_points(self, ends: Iterable[Vertex]) -> list[tuple[str, str]]:
        """What alone, by failing, cuts off all of `ends`: (kind, name) of devices and links.

        In the order from the root outwards; an end itself is among them if there is one only.
        Empty if no way leads there at all.
        """
        reached = [end for end in ends if end in self._above]
        if not reached:
            return []
        vertex, found = reduce(self._meet, reached), []
        while vertex != ROOT:
            found.append(self._network.names[vertex])
            vertex = self._above[vertex]
        return [name for name in reversed(found) if name[0] != "site"]


def _postorder(network: Network) -> list[Vertex]:
    """All vertices that a way leads to, each after those found from it; the root is the last."""
    seen, order = {ROOT}, []
    stack = [(ROOT, iter(network.near[ROOT]))]
    while stack:
        vertex, rest = stack[-1]
        for there in rest:
            if there not in seen:
                seen.add(there)
                near: Sequence[Vertex] = () if network.is_leaf[there] else network.near[there]
                stack.append((there, iter(near)))
                break
        else:
            order.append(vertex)
            stack.pop()
    return order


class Redundancy:
    """Counts the ways from sites to the root that share no device and no link.

    The devices of the site itself and of the root count as one place each.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._near = _without_dead_ends(network)
        self._home = _home(network)

    def count_ways(self, site: str, failed: Collection[Vertex] = frozenset()) -> int:
        """How many disjoint ways lead from a site to the root now.

        Args:
            failed: what no way can use.
        """
        starts = [v for v in self._network.of_site(site) if v not in failed]
        near = [
            () if leaf else near
            for leaf, near in zip(self._network.is_leaf, self._network.near, strict=True)
        ]
        return _Flow(near, self._home, starts, failed).count()

    def find_degraded(self, failed: Collection[Vertex]) -> list[str]:
        """The sites that are still reachable, over fewer ways than when all is well."""
        failed = frozenset(v for v in failed if self._near[v] or v in self._home)
        if not failed:
            return []
        found = []
        for site, entries in self._network.entries.items():
            if site in self._network.roots or sum(len(self._near[v]) for v in entries) < 2:
                continue
            well = _Flow(self._near, self._home, entries, ()).count()
            left = [v for v in entries if v not in failed]
            if well > 1 and 0 < _Flow(self._near, self._home, left, failed).count() < well:
                found.append(site)
        return sorted(found)


def _without_dead_ends(network: Network) -> list[list[Vertex]]:
    """The neighbours of each vertex that can be on more than one way.

    Dead ends are cut off until none is left. The entries of one site hang together, whatever
    links are declared between them.
    """
    keep = bytearray(not is_leaf for is_leaf in network.is_leaf)
    degree = [sum(keep[there] for there in near) for near in network.near]
    for vs in network.entries.values():
        for v in vs if len(vs) > 1 else ():
            degree[v] += len(vs) - 1
    site_of = {v: vs for vs in network.entries.values() for v in vs}
    queue = [v for v, n in enumerate(degree) if keep[v] and n < 2 and v != ROOT]
    for vertex in queue:
        keep[vertex] = 0
        alike = [v for v in site_of.get(vertex, ()) if v != vertex]
        for there in (*network.near[vertex], *alike):
            degree[there] -= 1
            if degree[there] == 1 and keep[there] and there != ROOT:
                queue.append(there)
    return [
        [there for there in near if keep[there]] if keep[vertex] else []
        for vertex, near in enumerate(network.near)
    ]


def _home(network: Network) -> frozenset[Vertex]:
    """The root and all devices of its sites: ways end there."""
    home = {ROOT}
    for slug in network.roots:
        devices = network.inventory.devices_by_site.get(slug, ())
        home |= {v for d in devices if (v := network.device(d.name)) is not None}
    return frozenset(home)


class _Flow:
    """Disjoint ways by augmenting paths (Ford and Fulkerson, after Menger's theorem).

    Every vertex is split in two, where a way comes in and where it goes out, with room for one
    way between them; `2 v` is the way in, `2 v + 1` the way out.
    """

    def __init__(
        self,
        near: Sequence[Sequence[Vertex]],
        home: frozenset[Vertex],
        starts: Collection[Vertex],
        failed: Collection[Vertex],
    ) -> None:
        self._near = near
        self._home = home
        self._starts = frozenset(starts)
        self._failed = failed
        self._came_from: dict[Vertex, Vertex] = {}  # vertex on a way → the one before it

    def count(self) -> int:
        ways = 0
        while self._augment():
            ways += 1
        return ways

    def _augment(self) -> bool:
        before: dict[int, int] = {2 * start + 1: -1 for start in sorted(self._starts)}
        queue = list(before)
        for half in queue:
            vertex, is_out = divmod(half, 2)
            following = self._out(vertex) if is_out else self._in(vertex)
            for there in following:
                if there == ROOT:
                    self._take(before, half)
                    return True
                if there not in before:
                    before[there] = half
                    queue.append(there)
        return False

    def _out(self, vertex: Vertex) -> Iterator[int]:
        if vertex in self._came_from:
            yield 2 * vertex  # back through a vertex that a way goes through
        for there in self._near[vertex]:
            if there in self._failed or there in self._starts:
                continue
            if there in self._home:
                yield ROOT
            elif self._came_from.get(there) != vertex:
                yield 2 * there

    def _in(self, vertex: Vertex) -> Iterator[int]:
        if vertex not in self._came_from:
            yield 2 * vertex + 1
        else:
            yield 2 * self._came_from[vertex] + 1  # back along the way that comes in here

    def _take(self, before: dict[int, int], last: int) -> None:
        steps = [last]
        while (previous := before[steps[-1]]) >= 0:
            steps.append(previous)
        steps.reverse()
        gone, new = [], []
        for one, other in pairwise(steps):
            (a, a_out), (b, b_out) = divmod(one, 2), divmod(other, 2)
            if a_out and not b_out and a != b:
                new.append((b, a))
            elif not a_out and b_out and a != b:
                gone.append((a, b))
        for vertex, source in gone:
            if self._came_from.get(vertex) == source:
                del self._came_from[vertex]
        self._came_from.update(new)
