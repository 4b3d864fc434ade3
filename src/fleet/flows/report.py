"""Uptime of a period, from state intervals: which rows, and what is known of each."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

from fleet.core.hours import hours_of, scheduled
from fleet.core.inventory import Device, Inventory, Member, Site
from fleet.core.moment import Moment, to_us
from fleet.core.spans import Span, Spans, intersect, union
from fleet.core.states import State
from fleet.core.uptime import By, Figures, Seen, UptimeReport, measure, pool, site_view
from fleet.errors import NotFound

if TYPE_CHECKING:
    from fleet.store.reader import Reader

_BEFORE = 31 * 86_400_000_000  # how far back an outage's beginning is looked for, microseconds
_FOREVER = 2**62


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
    horizon = 3 * interval // timedelta(microseconds=1)
    last_seen = {name: to_us(track.last_at) for name, track in reader.tracks().items()}
    intervals = reader.intervals((period[0] - _BEFORE, period[1]))
    seen = {
        device.name: _seen(
            device,
            intervals.get(device.name, ()),
            _known_until(last_seen.get(device.name), now_us, horizon),
        )
        for device in inventory.devices.values()
        if _counts(device, period)
    }
    rows = _Rows(inventory, seen, period).by(by, member)
    return UptimeReport(
        period=period,
        by=by,
        interval_s=interval // timedelta(seconds=1),
        confirmations=confirmations,
        rows=tuple(sorted(rows, key=lambda row: row.name)),
        total=pool("total", rows),
        labels=_labels(inventory, by, rows),
    )


def _counts(device: Device, period: Span) -> bool:
    """Devices that are polled, and retired ones as long as they lived."""
    if device.retired:
        return device.decommissioned is not None and to_us(device.decommissioned) > period[0]
    return device.is_polled


def _known_until(last_at: int | None, now: int, horizon: int) -> int:
    """Until when an open interval is known to hold."""
    if last_at is None:
        return 0
    return now if now - last_at <= horizon else last_at


def _seen(device: Device, intervals: Intervals, known_until: int) -> Seen:
    known: list[Span] = []
    down: list[Span] = []
    for state, since, until in intervals:
        span = (since, known_until if until is None else until)
        if state != State.UNKNOWN:
            known.append(span)
        if state in (State.DOWN, State.UNREACHABLE):
            down.append(span)
    lifetime = _stretch(device.commissioned, device.decommissioned)
    return Seen(
        lifetime=[lifetime],
        known=intersect(union(known), [lifetime]),
        down=intersect(union(down), [lifetime]),
    )


def _stretch(begin: Moment | None, end: Moment | None) -> Span:
    return (to_us(begin) if begin else -_FOREVER, to_us(end) if end else _FOREVER)


class _Rows:
    """The rows of one report; opening hours are worked out once for each text."""

    def __init__(self, inventory: Inventory, seen: Mapping[str, Seen], period: Span) -> None:
        self._inventory = inventory
        self._seen = seen
        self._period = period
        self._hours: dict[str, Spans] = {}

    def by(self, by: By, member: str | None) -> list[Figures]:
        members = [m for m in self._inventory.members.values() if member in (None, m.slug)]
        match by:
            case By.MEMBER:
                found = [self._member(m) for m in members]
            case By.SITE:
                found = [self._site(s) for s in self._sites(members)]
            case By.DEVICE:
                found = [
                    self._device(device, site)
                    for site in self._sites(members)
                    for device in self._inventory.devices_by_site.get(site.slug, ())
                    if device.name in self._seen
                ]
        return [row for row in found if row is not None]

    def _sites(self, members: Iterable[Member]) -> Iterable[Site]:
        slugs = {m.slug for m in members}
        return (s for s in self._inventory.sites.values() if s.member in slugs)

    def _scheduled(self, site: Site) -> Spans:
        text = hours_of(site)
        if text not in self._hours:
            self._hours[text] = scheduled(text, self._period)
        return self._hours[text]

    def _device(self, device: Device, site: Site) -> Figures | None:
        seen = self._seen[device.name]
        if not intersect(seen.lifetime, [self._period]):
            return None
        return measure(device.name, seen, hours=self._scheduled(site), period=self._period)

    def _site(self, site: Site, lifetime: Spans | None = None) -> Figures | None:
        """None: the site was not the cooperation's in the period."""
        own = [_stretch(site.member_from, site.member_until or site.retired)]
        lived = intersect(own, lifetime) if lifetime is not None else own
        if not intersect(lived, [self._period]):
            return None
        edges = self._inventory.edge_devices.get(site.slug, frozenset())
        devices = [
            d for d in self._inventory.devices_by_site.get(site.slug, ()) if d.name in self._seen
        ]
        deciding = [d for d in devices if d.name in edges] or devices
        view = site_view([self._seen[d.name] for d in deciding])
        seen = replace(view, lifetime=lived)
        return measure(site.slug, seen, hours=self._scheduled(site), period=self._period)

    def _member(self, member: Member) -> Figures | None:
        lifetime = union(_stretch(m.joined, m.left or member.ended) for m in member.memberships)
        if not intersect(lifetime, [self._period]):
            return None
        rows = [self._site(site, lifetime) for site in self._sites([member])]
        return pool(member.slug, [row for row in rows if row is not None])


def _labels(inventory: Inventory, by: By, rows: Iterable[Figures]) -> dict[str, str]:
    if by is By.DEVICE:
        return {row.name: row.name for row in rows}
    named: Mapping[str, Site | Member] = inventory.sites if by is By.SITE else inventory.members
    return {row.name: named[row.name].name for row in rows}
