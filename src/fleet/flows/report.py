"""Uptime of a period: gathering what is known, and making the report of it."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from fleet.core.blame import cover
from fleet.core.inventory import Inventory
from fleet.core.maintenance import Correction, Reading
from fleet.core.school import Closed
from fleet.core.spans import Span
from fleet.core.states import known_until
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
        is_weighted: totals count every second once for each user of the site.
    """

    period: Span
    by: By = By.SITE
    member: str | None = None
    is_weighted: bool = False


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
    inventory = reader.inventory()
    if wanted.member is not None and wanted.member not in inventory.members:
        raise NotFound(f"there is no member `{wanted.member}`", hint="fleet list members")
    period = wanted.period
    around = (period[0] - _AROUND, period[1] + _AROUND)
    evidence = Evidence(
        inventory=inventory,
        changes=reader.field_changes(),
        period=period,
        states=reader.states(around),
        until_now={
            name: known_until(at, now_us, interval) for name, at in reader.last_seen().items()
        },
        closed=read_closed(inventory.members),
    )
    corrections = reader.corrections()
    rows, site_rows = _both(evidence, reader, wanted, corrections, now_us)
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
        sources=tuple(sorted(reader.state_sources(period))),
        notes=_notes(corrections, period),
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
    rows, sites = _make(Rows(evidence, cover(windows, corrections, now_us)), evidence, wanted)
    if corrections:
        before, sites_before = _make(Rows(evidence, cover(windows, (), now_us)), evidence, wanted)
        rows, sites = _with_uncorrected(rows, before), _with_uncorrected(sites, sites_before)
    return rows, sites


def _make(made: Rows, evidence: Evidence, wanted: Wanted) -> tuple[list[Figures], list[Figures]]:
    members = evidence.inventory.members.values()
    weights = None
    if wanted.is_weighted:
        weights = {slug: site.users or 0 for slug, site in evidence.inventory.sites.items()}
    if wanted.by is By.DEVICE:
        return made.by(By.DEVICE, wanted.member, weights), []
    sites = made.sites([m for m in members if wanted.member in (None, m.slug)])
    is_by_site = wanted.by in (By.SITE, By.CAUSE)
    return sites if is_by_site else made.by(wanted.by, wanted.member, weights), sites


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


def _notes(corrections: Sequence[Correction], period: Span) -> tuple[Note, ...]:
    last = {(c.kind, c.name, c.start): c for c in corrections}
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
        for c in sorted(last.values(), key=lambda c: (c.start, c.id))
        if c.reading is not Reading.AS_SEEN
        and c.start < period[1]
        and (c.end is None or c.end > period[0])
    )
