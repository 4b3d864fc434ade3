"""Home login: who at which site reaches the portal of which member."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from fleet.core.adoption import is_used
from fleet.core.impact import chain, part_vertices
from fleet.core.inventory import Service
from fleet.core.topology import Network, Vertex

PORTALS = frozenset({"intranet", "portal"})  # kinds of services


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """What the sites of one member reach of the portals of another.

    Args:
        portals: of the member `to`.
        sites: of the member `from_` that are in the network.
        blocked: those that do not reach them, each with what is not up on the way.
    """

    from_: str
    to: str
    portals: tuple[str, ...]
    sites: int
    blocked: Mapping[str, tuple[str, ...]]


class AccessTable:
    """Who reaches whose portal.

    Args:
        failed: what is not up.
        day: whose members and uses count.
    """

    def __init__(self, network: Network, failed: Collection[Vertex], day: date) -> None:
        self._network = network
        self._failed = frozenset(failed)
        self._day = day
        self._reached: dict[Vertex, bytearray] = {}

    @cached_property
    def portals(self) -> Mapping[str, tuple[Service, ...]]:
        """The portals of each member that has one."""
        found: dict[str, list[Service]] = {}
        for _, service in sorted(self._network.inventory.services.items()):
            if service.kind in PORTALS and not service.retired:
                for use in service.use:
                    if not use.planned and is_used(use, self._day):
                        found.setdefault(use.member, []).append(service)
        return {member: tuple(services) for member, services in sorted(found.items())}

    def cells(self) -> Iterable[Access]:
        """A cell for each member and each member with a portal."""
        inventory = self._network.inventory
        members = sorted(m.slug for m in inventory.members.values() if m.is_member(self._day))
        for from_ in members:
            sites = [
                slug
                for slug, site in sorted(inventory.sites.items())
                if site.member == from_ and not site.retired and self._network.of_site(slug)
            ]
            for to, services in self.portals.items():
                found = {slug: self._blocking(slug, services) for slug in sites}
                yield Access(
                    from_=from_,
                    to=to,
                    portals=tuple(s.slug for s in services),
                    sites=len(sites),
                    blocked={slug: why for slug, why in found.items() if why is not None},
                )

    def _blocking(self, site: str, services: Iterable[Service]) -> tuple[str, ...] | None:
        """What is not up between a site and one of the services; None: it reaches all."""
        ends = self._network.of_site(site)
        inventory = self._network.inventory
        parts = {v for s in services for name in chain(inventory, s) for v in self._part(name)}
        for part in sorted(parts):
            if not any(self._from(part)[end] for end in ends):
                way = self._network.way(ends, (part,), ()) or ()
                names = (self._network.names[v][1] for v in way if v in self._failed)
                return tuple(names)
        return None

    def _part(self, name: str) -> Iterable[Vertex]:
        return part_vertices(self._network, name)

    def _from(self, part: Vertex) -> bytearray:
        if part not in self._reached:
            self._reached[part] = self._network.reached(self._failed, (part,))
        return self._reached[part]
