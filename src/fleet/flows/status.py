"""What is down now, and what explains it."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import TYPE_CHECKING

from fleet.core.conditions import BATTERY, NORMAL, Condition, port_of
from fleet.core.impact import chain, services_hit
from fleet.core.inventory import Device, Inventory
from fleet.core.limits import BEYOND, limit_of
from fleet.core.moment import to_us
from fleet.core.ports import port_key
from fleet.core.redundancy import Redundancy
from fleet.core.rootcause import Root, find_cut_links, parse_root, sites_down
from fleet.core.states import FAILING, State, Track
from fleet.core.topology import Network, Vertex
from fleet.flows.lookup import Scope, select
from fleet.flows.poll_plan import METRICS_EVERY

if TYPE_CHECKING:
    from fleet.store.reader import Reader

MAINTENANCE = "maintenance"


@dataclass(frozen=True, slots=True, kw_only=True)
class RootCause:
    """One line: what failed, since when, and who and what is behind it.

    Args:
        is_maintained: it is in a maintenance window now.
    """

    kind: str
    name: str
    state: str
    since: datetime
    devices_behind: int
    sites_behind: tuple[str, ...]
    users_behind: int
    services_behind: tuple[str, ...]
    is_maintained: bool = False


@dataclass(frozen=True)
class Situation:
    """The network as it is known now.

    Args:
        tracks: of the devices that are polled, as known now.
        conditions: of ports and batteries, as far as they are recent.
        maintained: devices in a maintenance window now.
    """

    network: Network
    now: datetime
    tracks: Mapping[str, Track]
    conditions: tuple[Condition, ...]
    maintained: frozenset[str] = frozenset()

    @property
    def inventory(self) -> Inventory:
        return self.network.inventory

    @cached_property
    def silent(self) -> frozenset[str]:
        """Devices that are down or unreachable."""
        return frozenset(name for name, t in self.tracks.items() if t.state in FAILING)

    @cached_property
    def cut_links(self) -> frozenset[Vertex]:
        """Links with a port that is down, by what a device that answers says."""
        up = {name for name, track in self.tracks.items() if track.state is State.UP}
        ports = {
            (c.device, key)
            for c in self.conditions
            if c.state == "down" and (key := port_of(c.subject)) is not None
        }
        return find_cut_links(self.network, up, ports)

    @cached_property
    def failed(self) -> frozenset[Vertex]:
        """What no way can use now."""
        devices = (self.network.device(name) for name in self.silent)
        return self.cut_links | {v for v in devices if v is not None}

    def count(self, among: Collection[str] | None = None) -> dict[str, int]:
        """Devices by state; those in maintenance that do not answer are counted there.

        Args:
            among: of these; None: of all.
        """
        counts = dict.fromkeys((*_ORDER, MAINTENANCE), 0)
        for name in self.polled if among is None else self.polled.intersection(among):
            track = self.tracks.get(name)
            state = State.UNKNOWN if track is None else track.state
            is_planned = name in self.maintained and state is not State.UP
            counts[MAINTENANCE if is_planned else state.value] += 1
        return counts

    @cached_property
    def polled(self) -> frozenset[str]:
        return frozenset(d.name for d in self.inventory.devices.values() if d.is_polled)

    @cached_property
    def degraded_sites(self) -> tuple[str, ...]:
        """Sites still reachable, over fewer ways than when all is well."""
        down = self._sites_down
        found = Redundancy(self.network).find_degraded(self.failed)
        return tuple(site for site in found if site not in down)

    @cached_property
    def _sites_down(self) -> Mapping[str, Root]:
        """Per site that is down, its root cause: that of the device which fell last."""
        found = {}
        for site, deciding in sites_down(self.network, self.silent, self.polled).items():
            last = max(deciding, key=lambda name: (self.tracks[name].since, name))
            found[site] = self.root_of(last)
        return found

    def root_of(self, device: str) -> Root:
        """What explains a device that is down or unreachable; not who answers again by now."""
        root = parse_root(self.tracks[device].root)
        track = self.tracks.get(root.name) if root and root.kind == "device" else None
        is_over = track is not None and track.state is State.UP
        return Root("device", device) if root is None or is_over else root

    @cached_property
    def root_causes(self) -> tuple[RootCause, ...]:
        """What explains everything that is down, the widest first."""
        behind: dict[Root, list[str]] = defaultdict(list)
        for name in self.silent:
            behind[self.root_of(name)].append(name)
        for vertex in self.cut_links:
            behind.setdefault(Root(*self.network.names[vertex]), [])
        sites: dict[Root, list[str]] = defaultdict(list)
        for site, root in self._sites_down.items():
            sites[root].append(site)
        found = [self._cause(root, names, sorted(sites[root])) for root, names in behind.items()]
        return tuple(
            sorted(
                found,
                key=lambda c: (c.is_maintained, -c.users_behind, -c.devices_behind, c.name),
            )
        )

    def _cause(self, root: Root, names: list[str], sites: list[str]) -> RootCause:
        inventory = self.inventory
        parts = {root.name, *names}
        if root.kind == "link" and root.name in inventory.links:
            parts.add(inventory.links[root.name].circuit_id or "")
        return RootCause(
            kind=root.kind,
            name=root.name,
            state=self._state(root),
            since=self._since(root, names),
            devices_behind=sum(name != root.name for name in names),
            sites_behind=tuple(sites),
            users_behind=sum(inventory.sites[site].users or 0 for site in sites),
            services_behind=tuple(services_hit(inventory, parts)),
            is_maintained=(bool(names) and all(name in self.maintained for name in names))
            or root.name in self.maintained,
        )

    def _state(self, root: Root) -> str:
        track = self.tracks.get(root.name) if root.kind == "device" else None
        return State.DOWN.value if track is None else track.state.value

    def _since(self, root: Root, names: Iterable[str]) -> datetime:
        since = [self.tracks[name].since for name in names]
        if root.kind == "link":
            link = self.inventory.links[root.name]
            ends = [self.inventory.end(text) for text in (link.a, link.b)]
            ports = {(e.device, port_key(e.interface)) for e in ends if e.interface}
            since += [
                c.since
                for c in self.conditions
                if (c.device, port_of(c.subject)) in ports and c.state == "down"
            ]
        return min(since, default=self.now)

    @cached_property
    def on_battery(self) -> tuple[Condition, ...]:
        """Batteries that are in use or low."""
        return tuple(c for c in self.conditions if c.subject == BATTERY and c.state != NORMAL)

    @cached_property
    def beyond(self) -> tuple[Condition, ...]:
        """What is beyond its limits at devices that are polled."""
        return tuple(
            c
            for c in self.conditions
            if c.state == BEYOND and limit_of(c.subject) and c.device in self.polled
        )


_ORDER = ("up", "down", "unreachable", "unknown")


def open_situation(
    reader: "Reader", now: datetime, interval: timedelta, from_site: str | None
) -> Situation:
    """What the database says of now.

    Args:
        interval: between polls; a state without an observation for three of them is unknown.
        from_site: where the poller stands.
    """
    inventory = reader.inventory()
    polled = {name for name, device in inventory.devices.items() if device.is_polled}
    recent = now - 3 * METRICS_EVERY * interval
    return Situation(
        network=Network(inventory, from_site),
        now=now,
        tracks={n: t.at(now, interval) for n, t in reader.tracks().items() if n in polled},
        conditions=tuple(c for c in reader.conditions() if c.last_at >= recent),
        maintained=_maintained(reader, inventory, now),
    )


def _maintained(reader: "Reader", inventory: Inventory, now: datetime) -> frozenset[str]:
    """The devices that are in a maintenance window now."""
    at = to_us(now)
    current = {(w.kind, w.name) for w in reader.maintenance() if w.start <= at < w.until}
    if not current:
        return frozenset()
    in_service = {
        part
        for service in inventory.services.values()
        if ("service", service.slug) in current
        for part in chain(inventory, service)
    }

    def is_in(device: Device) -> bool:
        site = inventory.sites[device.site]
        places = (("device", device.name), ("site", site.slug), ("member", site.member))
        return device.name in in_service or any(place in current for place in places)

    return frozenset(d.name for d in inventory.devices.values() if is_in(d))


def _sites_of_link(inventory: Inventory, cause: RootCause) -> set[str]:
    """The sites at the ends of a cause that is a link."""
    link = inventory.links.get(cause.name) if cause.kind == "link" else None
    ends = (inventory.end(link.a), inventory.end(link.b)) if link else ()
    return {end.site for end in ends if end.site}


def noticed(now: Situation, member: str | None, site: str | None) -> list[Condition]:
    """Batteries in use or low and what is beyond its limits, of all or of a member or a site.

    Raises:
        NotFound: there is no such member or site.
    """
    own = {d.key for d in select(now.inventory, "device", Scope(member=member, site=site))}
    return [one for one in (*now.on_battery, *now.beyond) if one.device in own]


def narrow(
    now: Situation, member: str | None, site: str | None
) -> tuple[list[RootCause], list[str], dict[str, int]]:
    """Root causes, degraded sites and counts, of all or of what concerns a member or a site.

    A cause concerns a place that it is at, or that is behind it.

    Raises:
        NotFound: there is no such member or site.
    """
    inventory = now.inventory
    if member is None and site is None:
        return list(now.root_causes), list(now.degraded_sites), now.count()
    devices = {d.key for d in select(inventory, "device", Scope(member=member, site=site))}
    sites = {
        s.slug
        for s in inventory.sites.values()
        if site in (None, s.slug) and member in (None, s.member)
    }
    silent = {now.root_of(name) for name in now.silent & devices}
    causes = [
        cause
        for cause in now.root_causes
        if Root(cause.kind, cause.name) in silent
        or cause.name in devices
        or not sites.isdisjoint(_sites_of_link(inventory, cause))
        or not sites.isdisjoint(cause.sites_behind)
    ]
    return causes, [s for s in now.degraded_sites if s in sites], now.count(devices)
