"""Uptime of a period: gathering what is known, and making the report of it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from fleet.core.blame import cover, latest
from fleet.core.heirs import with_heirs
from fleet.core.inventory import Inventory
from fleet.core.maintenance import Correction
from fleet.core.moment import from_us, local
from fleet.core.school import Closed
from fleet.core.spans import Span
from fleet.core.states import FAILING, known_until
from fleet.core.uptime import By, Figures, Note, Target, UptimeReport, count_causes, pool
from fleet.errors import NotFound
from fleet.flows.uptime_rows import Evidence, Rows

if TYPE_CHECKING:
    from fleet.store.reader import Reader

_AROUND = 31 * 86_400_000_000  # how far around the period an outage is followed, microseconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a report is to be about.

    Args:
        period: half-open, microseconds since 1970.
        member: only what belongs to this one; None: all.
        is_public: only services that are declared public.
        is_weighted: totals count every second once for each user of the site.
    """

    period: Span
    by: By = By.SITE
    member: str | None = None
    is_weighted: bool = False
    is_public: bool = False


def report_uptime(
    reader: "Reader",
    wanted: Wanted,
    *,
    now_us: int,
    interval: timedelta,
    confirmations: int,
    target: Target,
    read_closed: Callable[[Collection[str]], Sequence[Closed]] = lambda _: (),
) -> UptimeReport:
    """The uptime of devices, sites, members or services in a period.

    Args:
        now_us: what lies after it is unknown.
        interval: between polls.
        read_closed: gives the school calendar, of members that there are.

    Raises:
        NotFound: there is no such member.
    """
    # A merged member's sites are its heir's, in a period that ends after the merger.
    last_day = local(from_us(wanted.period[1] - 1)).date()
    inventory = with_heirs(reader.inventory(), last_day)
    if wanted.member is not None and wanted.member not in inventory.members:
        raise NotFound(f"there is no member `{wanted.member}`", hint="fleet list members")
    period = wanted.period
    around = (period[0] - _AROUND, period[1] + _AROUND)
    evidence = Evidence(
        inventory=inventory,
        changes=reader.field_changes(),
        period=period,
        states=reader.states(around),
        links_born=reader.links_born(),
        until_now={
            name: known_until(at, now_us, interval) for name, at in reader.last_seen().items()
        },
        closed=read_closed(inventory.members),
    )
    corrections = reader.corrections()
    rows, site_rows = _both(evidence, reader, wanted, corrections, now_us)
    concerned = _concerned(inventory, wanted.member)
    users = {slug: site.users or 0 for slug, site in inventory.sites.items()}
    return UptimeReport(
        period=period,
        by=wanted.by,
        interval_s=interval // timedelta(seconds=1),
        confirmations=confirmations,
        rows=tuple(sorted(rows, key=lambda row: row.name)),
        total=_total(rows, site_rows, wanted, users),
        target=target,
        causes=count_causes(site_rows, users),
        labels=_labels(inventory, wanted.by, rows),
        weight="users" if wanted.is_weighted else None,
        sources=tuple(sorted({s for d, s in reader.state_sources(period) if d in concerned})),
        member_language=inventory.members[wanted.member].language.value if wanted.member else None,
        notes=_notes(corrections, period, concerned),
    )


def _both(
    evidence: Evidence,
    reader: "Reader",
    wanted: Wanted,
    corrections: Sequence[Correction],
    now_us: int,
) -> tuple[list[Figures], list[Figures]]:
    """The rows, and those of the sites, each with what it were without corrections."""
    windows = reader.maintenance()
    end_of = partial(_end_of, evidence, now_us)
    rows, sites = _make(Rows(evidence, cover(windows, corrections, end_of)), evidence, wanted)
    if corrections:
        before, sites_before = _make(Rows(evidence, cover(windows, (), end_of)), evidence, wanted)
        rows, sites = _with_uncorrected(rows, before), _with_uncorrected(sites, sites_before)
    return rows, sites


def _end_of(evidence: Evidence, now_us: int, correction: Correction) -> int:
    """When a corrected outage ended; of one that went on when it was corrected: by now."""
    if correction.end is not None:
        return correction.end
    end = correction.start
    until_now = min(now_us, evidence.until_now.get(correction.name, now_us))
    for state, since, until, _ in evidence.states.get(correction.name, ()):
        if state in FAILING and since <= end and (until is None or until > end):
            end = max(end, until_now) if until is None else until
    return end


def _make(made: Rows, evidence: Evidence, wanted: Wanted) -> tuple[list[Figures], list[Figures]]:
    members = evidence.inventory.members.values()
    weights = None
    if wanted.is_weighted:
        weights = {slug: site.users or 0 for slug, site in evidence.inventory.sites.items()}
    if wanted.by is By.DEVICE:
        return made.by(By.DEVICE, wanted.member, weights), []
    sites = made.sites([m for m in members if wanted.member in (None, m.slug)])
    if wanted.by in (By.SITE, By.CAUSE):
        return sites, sites
    rows = made.by(wanted.by, wanted.member, weights)
    if wanted.by is By.SERVICE and wanted.is_public:
        services = evidence.inventory.services
        rows = [row for row in rows if services[row.name].public]
    return rows, sites


def _with_uncorrected(rows: Sequence[Figures], before: Sequence[Figures]) -> list[Figures]:
    old = {row.name: row for row in before}
    return [
        row if _same(row, old[row.name]) else replace(row, uncorrected=old[row.name])
        for row in rows
    ]


def _same(one: Figures, other: Figures) -> bool:
    return replace(one, blame=(), uncorrected=None) == replace(other, blame=(), uncorrected=None)


def _total(
    rows: Sequence[Figures], sites: Sequence[Figures], wanted: Wanted, users: Mapping[str, int]
) -> Figures:
    """Pooled from the sites; from the rows themselves where these are devices or services."""
    if wanted.by in (By.DEVICE, By.SERVICE):
        return pool("total", rows)
    return pool("total", sites, users if wanted.is_weighted else None)


def _labels(inventory: Inventory, by: By, rows: Sequence[Figures]) -> dict[str, str]:
    named: Mapping[str, object] = {
        By.SITE: inventory.sites,
        By.CAUSE: inventory.sites,
        By.MEMBER: inventory.members,
        By.SERVICE: inventory.services,
    }.get(by, {})
    return {row.name: getattr(named.get(row.name), "name", row.name) for row in rows}


def _notes(
    corrections: Sequence[Correction], period: Span, concerned: Collection[str]
) -> tuple[Note, ...]:
    """What people said of outages in the period, at places that the report is about."""
    return tuple(
        Note(
            place=c.name,
            start=c.start,
            end=c.end,
            reading=c.reading.value,
            role=c.role,
            reason=c.reason,
            at=c.at,
        )
        for c in latest(corrections)
        if c.name in concerned and c.start < period[1] and (c.end is None or c.end > period[0])
    )


def _concerned(inventory: Inventory, member: str | None) -> set[str]:
    """The sites and devices of a member, or of all."""
    sites = {s.slug for s in inventory.sites.values() if member in (None, s.member)}
    return sites | {d.name for d in inventory.devices.values() if d.site in sites}
