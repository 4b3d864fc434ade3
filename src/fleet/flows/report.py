"""Uptime of a period, from state intervals: which rows, and what is known of each."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from fleet.core.hours import hours_of, scheduled
from fleet.core.inventory import Inventory, Member, Site
from fleet.core.lifetime import Changes, belonging, counted, edge_spans, stays, stretch
from fleet.core.moment import to_us
from fleet.core.spans import Span, Spans, intersect, union
from fleet.core.states import State, known_until
from fleet.core.uptime import By, Figures, Seen, UptimeReport, measure, pool, site_view
from fleet.errors import NotFound

if TYPE_CHECKING:
    from fleet.store.reader import Reader

_AROUND = 31 * 86_400_000_000  # how far around the period an outage is followed, microseconds


Intervals = Sequence[tuple[str, int, int | None]]


def report_uptime(
    reader: "Reader",
    *,
    period: Span,
    by: By,
    member: str | None,
    now_us: int,
    interval: timedelta,
    confirmations: int,
) -> UptimeReport:
    """The uptime of devices, sites or members in a period.

    Args:
        period: half-open, microseconds since 1970.
        member: only what belongs to this one; None: all.
        now_us: what lies after it is unknown.
        interval: between polls.

    Raises:
        NotFound: there is no such member.
    """
    inventory = reader.inventory()
    if member is not None and member not in inventory.members:
        raise NotFound(f"there is no member `{member}`", hint="fleet list members")
    last_seen = {name: to_us(track.last_at) for name, track in reader.tracks().items()}
    intervals = reader.intervals((period[0] - _AROUND, period[1] + _AROUND))
    changes = reader.field_changes()
    seen = {
        device.name: _seen(
            counted(device, changes),
            intervals.get(device.name, ()),
            known_until(last_seen.get(device.name), now_us, interval),
        )
        for device in inventory.devices.values()
    }
    rows = _Rows(inventory, seen, changes, period).by(by, member)
    return UptimeReport(
        period=period,
        by=by,
        interval_s=interval // timedelta(seconds=1),
        confirmations=confirmations,
        rows=tuple(sorted(rows, key=lambda row: row.name)),
        total=pool("total", rows),
        labels=_labels(inventory, by, rows),
    )


def _seen(lifetime: Spans, intervals: Intervals, until_now: int) -> Seen:
    known: list[Span] = []
    down: list[Span] = []
    for state, since, until in intervals:
        span = (since, until_now if until is None else until)
        if state != State.UNKNOWN:
            known.append(span)
        if state in (State.DOWN, State.UNREACHABLE):
            down.append(span)
    return _clip(Seen(lifetime=lifetime, known=union(known), down=union(down)), lifetime)


def _clip(seen: Seen, lifetime: Spans) -> Seen:
    return Seen(
        lifetime=intersect(seen.lifetime, lifetime),
        known=intersect(seen.known, lifetime),
        down=intersect(seen.down, lifetime),
    )


class _Rows:
    """The rows of one report; opening hours are worked out once for each text."""

    def __init__(
        self, inventory: Inventory, seen: Mapping[str, Seen], changes: Changes, period: Span
    ) -> None:
        self._inventory = inventory
        self._seen = seen
        self._period = period
        self._edges = edge_spans(inventory)
        self._hours: dict[str, Spans] = {}
        self._stays: dict[str, dict[str, Spans]] = {}  # site → device → when it stood there
        for device in inventory.devices.values():
            for site, spans in stays(device, changes).items():
                self._stays.setdefault(site, {})[device.name] = spans

    def by(self, by: By, member: str | None) -> list[Figures]:
        members = [m for m in self._inventory.members.values() if member in (None, m.slug)]
        match by:
            case By.MEMBER:
                found = [self._member(m) for m in members]
            case By.SITE:
                found = [self._site(s) for s in self._sites(members)]
            case By.DEVICE:
                found = list(self._devices(self._sites(members)))
        return [row for row in found if row is not None]

    def _sites(self, members: Iterable[Member]) -> list[Site]:
        slugs = {m.slug for m in members}
        return [s for s in self._inventory.sites.values() if s.member in slugs]

    def _scheduled(self, site: Site) -> Spans:
        """Service hours in the time in which the site was the cooperation's."""
        text = hours_of(site)
        if text not in self._hours:
            self._hours[text] = scheduled(text, self._period)
        return intersect(self._hours[text], belonging(self._inventory, site))

    def _devices(self, sites: Iterable[Site]) -> Iterator[Figures | None]:
        """Devices, each within the hours of the sites where it stood."""
        hours: dict[str, list[Span]] = {}
        there: dict[str, list[Span]] = {}
        for site in sites:
            for name, spans in self._stays.get(site.slug, {}).items():
                hours.setdefault(name, []).extend(intersect(self._scheduled(site), spans))
                mine = intersect(belonging(self._inventory, site), spans)
                there.setdefault(name, []).extend(mine)
        for name, spans in hours.items():
            seen = _clip(self._seen[name], union(there[name]))
            if intersect(seen.lifetime, [self._period]):
                yield measure(name, seen, hours=union(spans), period=self._period)

    def _site(self, site: Site) -> Figures | None:
        """None: the site was not the cooperation's in the period."""
        lived = belonging(self._inventory, site)
        if not intersect(lived, [self._period]):
            return None
        devices = {
            name: _clip(self._seen[name], spans)
            for name, spans in self._stays.get(site.slug, {}).items()
        }
        edges = [_clip(seen, self._edges.get(name, [])) for name, seen in devices.items()]
        deciding = [s for s in edges if intersect(s.lifetime, [self._period])]
        view = site_view(deciding or list(devices.values()))
        seen = replace(view, lifetime=lived)
        return measure(site.slug, seen, hours=self._scheduled(site), period=self._period)

    def _member(self, member: Member) -> Figures | None:
        lifetime = union(stretch(m.joined, m.left or member.ended) for m in member.memberships)
        if not intersect(lifetime, [self._period]):
            return None
        rows = [self._site(site) for site in self._sites([member])]
        return pool(member.slug, [row for row in rows if row is not None])


def _labels(inventory: Inventory, by: By, rows: Iterable[Figures]) -> dict[str, str]:
    if by is By.DEVICE:
        return {row.name: row.name for row in rows}
    named: Mapping[str, Site | Member] = inventory.sites if by is By.SITE else inventory.members
    return {row.name: named[row.name].name for row in rows}
