"""In which order and company devices are changed, so that a failed wave takes no site down.

Two rules, both read off the topology. If every device of a wave fails at once,

1. no site is cut off that not one of them cuts off alone: devices that back each other up are
   never in one wave;
2. every device of the wave is still reached from the controller: nobody stands on another's way
   back, so all can be reverted.

A canary of each platform and role goes first, then leaves, then what others depend on, from the
outside inwards.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from fleet.core.inventory import Inventory
from fleet.core.redundancy import Dominators
from fleet.core.topology import ROOT, Network, Vertex

CANARY = "canary"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Devices that are changed together; if one fails, no later wave begins."""

    number: int
    why: str
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How many devices may be in one wave, in total and of one place."""

    total: int = 100
    member: int = 50
    site: int = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Danger:
    """Why some devices cannot be in one wave, and which sites would be cut off."""

    reason: str
    sites: tuple[str, ...]
    devices: tuple[str, ...]


class WaveBuilder:
    """Builds and judges waves.

    Args:
        network: seen from the controller's site.
    """

    def __init__(self, network: Network) -> None:
        self._network = network
        self._inventory: Inventory = network.inventory
        self._well = network.reached(())
        self._entry_of = {
            network.names[v][1]: site
            for site, entries in network.entries.items()
            for v in entries
            if len(entries) > 1 and network.names[v][0] == "device"
        }
        self._alone = self._cut_alone()
        self._depths = self._find_depths()

    def _cut_alone(self) -> Mapping[str, frozenset[str]]:
        """Per device, the sites that it cuts off by failing alone."""
        dominators = Dominators(self._network)
        cut: dict[str, set[str]] = defaultdict(set)
        for site, entries in self._network.entries.items():
            for kind, name in dominators.single_points(entries):
                if kind == "device":
                    cut[name].add(site)
        return {name: frozenset(sites) for name, sites in cut.items()}

    def _find_depths(self) -> Mapping[str, int]:
        """Per device, how far it is from the controller; those without a way are nearest."""
        found: dict[str, int] = {}
        depth = {ROOT: 0}
        queue: list[Vertex] = [ROOT]
        for vertex in queue:
            for there in self._network.near[vertex]:
                if there not in depth:
                    depth[there] = depth[vertex] + (self._network.names[there][0] != "link")
                    queue.append(there)
        for vertex, far in depth.items():
            kind, name = self._network.names[vertex]
            if kind == "device":
                found[name] = far
        return found

    def is_transit(self, name: str) -> bool:
        """Whether others may be reached through a device."""
        vertex = self._network.device(name)
        if vertex is None or self._network.is_leaf[vertex]:
            return False
        return len(self._network.near[vertex]) > 1

    def danger(self, devices: Sequence[str]) -> Danger | None:
        """What speaks against changing devices together; None: nothing.

        One device alone is never refused: it has to be changed some time.
        """
        if len(devices) < 2 or not self._is_worth_asking(devices):
            return None
        network, well = self._network, self._well
        vertices = {n: v for n in devices if (v := network.device(n)) is not None}
        found = network.reached(list(vertices.values()))
        alone = {s for name in devices for s in self._alone.get(name, ())}
        cut = [
            site
            for site, entries in network.entries.items()
            if site not in alone
            and site not in network.roots
            and any(well[v] for v in entries)
            and not any(found[v] for v in entries)
        ]
        if cut:
            reason = "they back each other up"
            return Danger(reason=reason, sites=tuple(sorted(cut)), devices=tuple(sorted(devices)))
        lost = [n for n, v in vertices.items() if well[v] and not self._is_near(v, found)]
        if not lost:
            return None
        sites = {self._inventory.devices[name].site for name in lost}
        reason = f"{', '.join(sorted(lost)[:3])} could not be reached to be reverted"
        return Danger(reason=reason, sites=tuple(sorted(sites)), devices=tuple(sorted(devices)))

    def _is_worth_asking(self, devices: Sequence[str]) -> bool:
        """Whether anything can hang on several of these: else the costly look is spared."""
        if any(map(self.is_transit, devices)):
            return True
        sites = [self._entry_of[name] for name in devices if name in self._entry_of]
        return len(sites) != len(set(sites))

    def _is_near(self, vertex: Vertex, found: bytearray) -> bool:
        """Whether something beside a device is reached, so that the device is, too."""
        near, is_leaf = self._network.near[vertex], self._network.is_leaf
        return any((found[v] and not is_leaf[v]) or v == ROOT for v in near)

    def build(self, targets: Mapping[str, tuple[str, str]], caps: Caps) -> tuple[Wave, ...]:
        """The waves.

        Args:
            targets: device → platform and role.
        """
        canaries = self._canaries(targets)
        rest = [name for name in targets if name not in canaries]
        first = max(1, len(rest) // 20)
        leaves = sorted(name for name in rest if not self.is_transit(name))
        transit = [name for name in rest if self.is_transit(name)]
        layers = [(CANARY, canaries), ("leaves", leaves)]
        for depth in sorted({self._depths.get(n, 0) for n in transit}, reverse=True):
            layer = sorted(n for n in transit if self._depths.get(n, 0) == depth)
            layers.append((f"{depth} steps from the controller", layer))
        waves = [
            (why, part)
            for why, names in layers
            for portion in self._portions(names, caps, first if why != CANARY else caps.total)
            for part in self._split(portion)
        ]
        return tuple(
            Wave(number=number, why=why, devices=tuple(sorted(devices)))
            for number, (why, devices) in enumerate(waves, start=1)
        )

    def _canaries(self, targets: Mapping[str, tuple[str, str]]) -> list[str]:
        """One device of each platform and role, at the smallest site that has users.

        Not what many depend on: that is in a wave of its own anyway, and comes last.
        """
        alike: dict[tuple[str, str], list[str]] = defaultdict(list)
        for name in sorted(targets):
            site = self._inventory.sites[self._inventory.devices[name].site]
            if site.users or not self.is_transit(name):
                alike[targets[name]].append(name)
        return sorted(min(names, key=self._smallness) for names in alike.values())

    def _smallness(self, name: str) -> tuple[bool, int, int, str]:
        """A site without users is a data centre or a mast, which others depend on: last."""
        site = self._inventory.sites[self._inventory.devices[name].site]
        return not site.users, site.users or 0, -self._depths.get(name, 0), name

    def _portions(self, names: Sequence[str], caps: Caps, first: int) -> Iterator[list[str]]:
        """Devices in portions within the caps: first a twentieth of all, then a quarter.

        Of the ways into a site only one is in a portion: most of what backs each other up is
        taken apart so, and the costly look at the network finds little more.
        """
        sizes = self._sizes(first, caps.total)
        portion: list[str] = []
        size = next(sizes)
        at_site: Counter[str] = Counter()
        of_member: Counter[str] = Counter()
        entered: set[str | None] = set()
        waiting = list(names)
        while waiting:
            later = []
            for name in waiting:
                site = self._inventory.sites[self._inventory.devices[name].site]
                entry = self._entry_of.get(name)
                is_full = len(portion) >= size or at_site[site.slug] >= caps.site
                is_full = is_full or (entry is not None and entry in entered)
                if is_full or of_member[site.member] >= caps.member:
                    later.append(name)
                    continue
                portion.append(name)
                entered.add(entry)
                at_site[site.slug] += 1
                of_member[site.member] += 1
            yield portion
            portion, waiting, size = [], later, next(sizes)
            at_site.clear()
            entered.clear()
            of_member.clear()

    def _sizes(self, first: int, most: int) -> Iterator[int]:
        yield min(first, most)
        yield min(first * 5, most)
        while True:
            yield most

    def _split(self, devices: Sequence[str]) -> Iterable[list[str]]:
        """Devices in as few parts as the rules allow."""
        parts: list[list[str]] = []
        waiting = [list(devices)]
        while waiting:
            group = waiting.pop(0)
            if self.danger(group) is None:
                place = self._place_for(group, parts)
                parts[place : place + 1] = [[*(parts[place : place + 1] or [[]])[0], *group]]
                continue
            middle = len(group) // 2
            waiting = [group[:middle], group[middle:], *waiting]
        return parts

    def _place_for(self, group: Sequence[str], parts: Sequence[Sequence[str]]) -> int:
        """The number of a part that a group may join; else that of a new one."""
        for place, part in enumerate(parts):
            if self.danger([*part, *group]) is None:
                return place
        return len(parts)
