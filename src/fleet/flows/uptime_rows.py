"""The rows of an uptime report: what is known of devices, sites, members, services."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from fleet.core.blame import REPORTED, Counting, Cover, Failing
from fleet.core.hours import hours_of, scheduled
from fleet.core.impact import chain
from fleet.core.inventory import Device, Inventory, Member, Service, Site, Use
from fleet.core.lifetime import ALWAYS, Changes, belonging, counted, edge_spans, stays, stretch
from fleet.core.moment import to_us
from fleet.core.school import Closed, is_closed
from fleet.core.spans import Span, Spans, intersect, subtract, union
from fleet.core.states import FAILING, State
from fleet.core.uptime import By, Figures, Seen, chain_view, joined, measure, pool, site_view

States = Sequence[tuple[str, int, int | None, str | None]]


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What is known of a period.

    Args:
        states: per device, (state, since, until, root cause), from before the period too.
        until_now: per device, until when its open interval is known to hold.
        links_born: when links came into the inventory that were not there from the first.
    """

    inventory: Inventory
    changes: Changes
    period: Span
    states: Mapping[str, States]
    until_now: Mapping[str, int]
    links_born: Mapping[str, int]
    closed: Sequence[Closed] = ()


class Rows:
    """The rows of one report; what several rows need is worked out once.

    Args:
        cover: maintenance and corrections.
    """

    def __init__(self, evidence: Evidence, cover: Cover) -> None:
        self._evidence = evidence
        self._inventory = evidence.inventory
        self._period = evidence.period
        self._cover = cover
        self._edges = edge_spans(self._inventory, evidence.changes, evidence.links_born)
        self._windows: dict[tuple[int, str], Spans] = {}
        self._hours: dict[tuple[str, str | None], Spans] = {}
        self._stays: dict[str, dict[str, Spans]] = {}  # site → device → when it stood there
        self._all_seen: dict[str, Seen] = {}
        self._site_rows: dict[str, Figures | None] = {}
        for device in self._inventory.devices.values():
            for site, spans in stays(device, evidence.changes).items():
                self._stays.setdefault(site, {})[device.name] = spans

    def _seen(self, name: str) -> Seen:
        """What is known of a device; most reports need that of a few only."""
        if name not in self._all_seen:
            self._all_seen[name] = self._see(self._inventory.devices[name])
        return self._all_seen[name]

    def _see(self, device: Device) -> Seen:
        evidence, name = self._evidence, device.name
        lifetime = counted(device, evidence.changes)
        known: list[Span] = []
        failing: list[Failing] = []
        for state, since, until, root in evidence.states.get(name, ()):
            span = (since, evidence.until_now.get(name, 0) if until is None else until)
            if state != State.UNKNOWN:
                known.append(span)
            if state in FAILING:
                own = f"device {name}" if state == State.DOWN else ""
                is_going_on = failing and failing[-1].end == since
                fell = failing[-1].fell if is_going_on else since
                failing.append(Failing(*span, root or own, fell, name))
        for span in self._cover.reported.get(("device", name), ()):
            known.append(span)
            failing += [
                Failing(start, end, f"{REPORTED} {name}", start, name)
                for start, end in subtract([span], [(f.start, f.end) for f in failing])
            ]
        down = union((f.start, f.end) for f in failing)
        return _clip(Seen(lifetime=lifetime, known=union(known), down=down, failing=failing))

    def by(self, by: By, member: str | None, weights: Mapping[str, int] | None) -> list[Figures]:
        """The rows of a report; of sites for the causes.

        Args:
            weights: users per site, where totals are weighted.
        """
        inventory = self._inventory
        members = [m for m in inventory.members.values() if member in (None, m.slug)]
        match by:
            case By.DEVICE:
                return list(self._devices(self._sites(members)))
            case By.SITE | By.CAUSE:
                return self.sites(members)
            case By.SERVICE:
                return [self._service(s) for s in self._services(member)]
            case By.MEMBER:
                pooled = [(m.slug, self.sites([m])) for m in members if self._is_member(m)]
            case By.KIND:
                kinds: dict[str, list[Figures]] = defaultdict(list)
                for row in self.sites(members):
                    kinds[inventory.sites[row.name].kind.value].append(row)
                pooled = sorted(kinds.items())
            case By.COOPERATION:
                pooled = [("cooperation", self.sites(members))]
        return [pool(name, rows, weights) for name, rows in pooled]

    def sites(self, members: Iterable[Member]) -> list[Figures]:
        """A row for each site that was the cooperation's in the period."""
        rows = []
        for site in self._sites(members):
            if site.slug not in self._site_rows:
                self._site_rows[site.slug] = self._site(site)
            rows.append(self._site_rows[site.slug])
        return [row for row in rows if row is not None]

    def _sites(self, members: Iterable[Member]) -> list[Site]:
        slugs = {m.slug for m in members}
        return [s for s in self._inventory.sites.values() if s.member in slugs]

    def _is_member(self, member: Member) -> bool:
        lifetime = union(stretch(m.joined, m.left or member.ended) for m in member.memberships)
        return bool(intersect(lifetime, [self._period]))

    def _scheduled(self, site: Site) -> Spans:
        """Service hours in the time in which the site was the cooperation's."""
        text = hours_of(site)
        key = (text, site.member if "SH" in text else None)
        if key not in self._hours:
            closed = is_closed(self._evidence.closed, site.member)
            self._hours[key] = scheduled(text, self._period, closed)
        return intersect(self._hours[key], belonging(self._inventory, site))

    # --- what counts

    def _covered(self, kind: Counting, own: Spans, seen: Seen) -> Spans:
        """Time that is covered at a place, or in which an outage came from a covered one."""
        if kind.is_empty:
            return []
        found = [*own]
        for f in seen.failing:
            span = [(f.start, f.end)]
            found += intersect(span, kind.said.get(f.of, []))
            for device in self._at_fault(f):
                found += intersect(span, self._windows_of(kind, device))
        return union(found)

    def _at_fault(self, failing: Failing) -> Sequence[str]:
        """The devices whose maintenance covers what a root cause does."""
        kind, _, name = failing.root.partition(" ")
        if kind == "device" and name in self._inventory.devices:
            return (name,)
        if kind == "link" and name in self._inventory.links:
            link = self._inventory.links[name]
            ends = (self._inventory.end(link.a).device, self._inventory.end(link.b).device)
            return tuple(end for end in ends if end)
        return (failing.of,) if failing.of and kind != REPORTED else ()

    def _windows_of(self, kind: Counting, device: str) -> Spans:
        """The windows of a device, and those of the places where it stood at the time."""
        key = (id(kind), device)
        if key not in self._windows:
            found = list(kind.windows.get(("device", device), ()))
            here = stays(self._inventory.devices[device], self._evidence.changes)
            for site, spans in here.items():
                found += intersect(self._windows_at(kind, site), spans)
            self._windows[key] = union(found)
        return self._windows[key]

    def _windows_at(self, kind: Counting, site: str) -> Spans:
        member = self._inventory.sites[site].member
        places = (("site", site), ("member", member))
        return union(span for place in places for span in kind.windows.get(place, ()))

    def _measure(
        self,
        name: str,
        seen: Seen,
        hours: Spans,
        own: Callable[[Counting], Spans],
        *,
        is_site: bool,
    ) -> Figures:
        planned, excluded = self._cover.planned, self._cover.excluded
        return measure(
            name,
            seen,
            hours=hours,
            period=self._period,
            maintenance=self._covered(planned, own(planned), seen),
            excluded=self._covered(excluded, own(excluded), seen),
            with_blame=is_site,
        )

    # --- rows

    def _devices(self, sites: Iterable[Site]) -> Iterator[Figures]:
        """Devices, each within the hours of the sites where it stood."""
        hours: dict[str, list[Span]] = {}
        there: dict[str, list[Span]] = {}
        for site in sites:
            scheduled_here, lived = self._scheduled(site), belonging(self._inventory, site)
            for name, spans in self._stays.get(site.slug, {}).items():
                hours.setdefault(name, []).extend(intersect(scheduled_here, spans))
                there.setdefault(name, []).extend(intersect(lived, spans))
        for name, spans in hours.items():
            seen = _clip(self._seen(name), union(there[name]))
            if intersect(seen.lifetime, [self._period]):
                own = partial(self._windows_of, device=name)
                yield self._measure(name, seen, union(spans), own, is_site=False)

    def _site(self, site: Site) -> Figures | None:
        """None: the site was not the cooperation's in the period."""
        lived = belonging(self._inventory, site)
        if not intersect(lived, [self._period]):
            return None
        seen = self._with_reported(replace(self._view(site), lifetime=lived), site)
        own = partial(self._windows_at, site=site.slug)
        return self._measure(site.slug, seen, self._scheduled(site), own, is_site=True)

    def _view(self, site: Site) -> Seen:
        """By the site's edge devices; in the time in which it had none, by all its devices."""
        here = self._stays.get(site.slug, {})
        edges = [
            _clip(self._seen(name), intersect(spans, self._edges[name]))
            for name, spans in here.items()
            if name in self._edges
        ]
        without = subtract([ALWAYS], union(span for edge in edges for span in edge.lifetime))
        if not intersect(without, [self._period]):
            return site_view(edges)
        others = [
            _clip(self._seen(name), intersect(spans, without)) for name, spans in here.items()
        ]
        return joined([site_view(edges), site_view(others)])

    def _with_reported(self, seen: Seen, site: Site) -> Seen:
        """With the outages that users reported of the site."""
        spans = self._cover.reported.get(("site", site.slug), [])
        if not spans:
            return seen
        new = [
            Failing(start, end, f"{REPORTED} {site.slug}", start)
            for start, end in subtract(spans, seen.down)
        ]
        return replace(
            seen,
            known=union([*seen.known, *spans]),
            down=union([*seen.down, *spans]),
            failing=sorted([*seen.failing, *new]),
        )

    def _services(self, member: str | None) -> list[Service]:
        """The services of the period; of a member: those that it used then."""
        begin, end = self._period

        def is_used(use: Use) -> bool:
            span = stretch(use.from_, use.until)
            is_then = span[0] < end and span[1] > begin
            return use.member == member and not use.planned and is_then

        return [
            s
            for s in self._inventory.services.values()
            if (s.retired is None or to_us(s.retired) > begin)
            and (member is None or any(map(is_used, s.use)))
        ]

    def _service(self, service: Service) -> Figures:
        """A service, around the clock, by every part of its chain."""
        parts = [self._part(name) for name in sorted(chain(self._inventory, service))]
        seen = chain_view([part for part in parts if part is not None])
        hours = [self._period]

        def own(kind: Counting) -> Spans:
            return kind.windows.get(("service", service.slug), [])

        return self._measure(service.slug, seen, hours, own, is_site=False)

    def _part(self, name: str) -> Seen | None:
        """What is known of a device, or of the links of a circuit by the devices at their ends."""
        if name in self._inventory.devices:
            return self._seen(name)
        begin = self._period[0]
        links = [
            link
            for link in self._inventory.links.values()
            if link.circuit_id == name and (not link.retired or to_us(link.retired) > begin)
        ]
        ends = {
            device
            for link in links
            for end in (self._inventory.end(link.a), self._inventory.end(link.b))
            if (device := end.device) is not None
        }
        if not ends:
            return None
        roots = {f"link {link.key}" for link in links}
        hit = (
            name
            for name, states in self._evidence.states.items()
            if name in self._inventory.devices and any(root in roots for *_, root in states)
        )
        failing = sorted(f for name in hit for f in self._seen(name).failing if f.root in roots)
        down = union((f.start, f.end) for f in failing)
        known = union(span for end in ends for span in self._seen(end).known)
        return Seen(
            lifetime=union(span for end in ends for span in self._seen(end).lifetime),
            known=union([*known, *down]),
            down=down,
            failing=failing,
        )


def _clip(seen: Seen, within: Spans | None = None) -> Seen:
    spans = seen.lifetime if within is None else within
    return Seen(
        lifetime=intersect(seen.lifetime, spans),
        known=intersect(seen.known, spans),
        down=intersect(seen.down, spans),
        failing=[
            f._replace(start=start, end=end)
            for f in seen.failing
            for start, end in intersect([(f.start, f.end)], spans)
        ],
    )
