"""Availability that a controller accepts: one method, exact, printed beside its figures.

With S scheduled (service hours ∩ period ∩ lifetime), M announced maintenance ∩ S, Net = S − M,
U unknown ∩ Net, K = Net − U and D down or unreachable ∩ Net − U:
availability = (K − D) / K, coverage = K / Net, worst case = (Net − U − D) / Net.
Totals are pooled seconds, never the mean of percentages.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from fleet.core.blame import Failing, felled
from fleet.core.spans import (
    SECOND,
    Span,
    Spans,
    intersect,
    merge_gaps,
    subtract,
    total,
    touches,
    union,
)

INCIDENT_GAP = 300 * SECOND
COMPLETE_PERCENT = 98


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of one thing: when it lived, when its state was known, when it was down."""

    lifetime: Spans
    known: Spans
    down: Spans
    failing: Sequence[Failing] = ()  # the same as `down`, with what explains it


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one row; times in whole microseconds."""

    name: str
    scheduled: int = 0
    maintenance: int = 0
    excluded: int = 0  # taken out by corrections
    unknown: int = 0
    downtime: int = 0
    started: int = 0  # incidents that began in the period
    resolved: int = 0
    resolved_time: int = 0
    longest: int = 0
    outages: Spans = field(default_factory=list)  # unplanned downtime within service hours
    gaps: Spans = field(default_factory=list)  # unknown time within service hours
    blame: Sequence[Failing] = ()  # the outages by what explains them
    uncorrected: "Figures | None" = None  # without what people said afterwards, if it differs

    @property
    def net(self) -> int:
        return self.scheduled - self.maintenance - self.excluded

    @property
    def known(self) -> int:
        return self.net - self.unknown

    @property
    def availability(self) -> Fraction | None:
        """None: not measured; never 0 or 1 for want of knowledge."""
        return Fraction(self.known - self.downtime, self.known) if self.known else None

    @property
    def coverage(self) -> Fraction | None:
        return Fraction(self.known, self.net) if self.net else None

    @property
    def worst_case(self) -> Fraction | None:
        return Fraction(self.known - self.downtime, self.net) if self.net else None

    @property
    def is_complete(self) -> bool:
        """Whether enough is known to judge: coverage of 98 % or more."""
        return self.net > 0 and self.known * 100 >= self.net * COMPLETE_PERCENT

    @property
    def mttr(self) -> Fraction | None:
        """Mean elapsed time of the incidents resolved in the period, in microseconds."""
        return Fraction(self.resolved_time, self.resolved) if self.resolved else None

    @property
    def mtbf(self) -> Fraction | None:
        """Up time per incident that began in the period, in microseconds."""
        return Fraction(self.known - self.downtime, self.started) if self.started else None


class By(StrEnum):
    DEVICE = "device"
    SITE = "site"
    MEMBER = "member"
    SERVICE = "service"
    KIND = "kind"
    COOPERATION = "cooperation"
    CAUSE = "cause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What was promised: availability, and no outage longer than this (microseconds)."""

    availability: Fraction
    longest: int

    def is_met(self, figures: Figures) -> bool | None:
        """None: too little was measured to judge."""
        if not figures.is_complete or figures.availability is None:
            return None
        return figures.availability >= self.availability and figures.longest <= self.longest


@dataclass(frozen=True, slots=True, kw_only=True)
class CauseFigures:
    """What one root cause cost; times in microseconds.

    Args:
        kind: device, link, reported, said; empty: nobody knows.
        downtime: of all sites together: over all causes it adds up to the sites' downtime.
        outage: the cause itself, counted once.
        users: of the sites that it took down.
    """

    kind: str
    name: str
    downtime: int
    outage: int
    sites: tuple[str, ...]
    users: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What a person said of an outage that lies in the period."""

    place: str
    start: int
    end: int | None
    reading: str
    role: str
    reason: str
    at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class UptimeReport:
    """Figures of a period, one row each, and what was done to get them."""

    period: Span
    by: By
    interval_s: int
    confirmations: int
    rows: tuple[Figures, ...]
    total: Figures
    target: Target
    causes: tuple[CauseFigures, ...] = ()  # of all sites in the report
    labels: Mapping[str, str] = field(default_factory=dict)  # what people call a row
    weight: str | None = None  # `users`: every second counts once for each user of its site
    sources: tuple[str, ...] = ()  # what the states come from: poll, import
    notes: tuple[Note, ...] = ()  # what was said afterwards
    member_language: str | None = None  # of the member that it is about


def measure(
    name: str,
    seen: Seen,
    *,
    hours: Spans,
    period: Span,
    maintenance: Spans | None = None,
    excluded: Spans | None = None,
    with_blame: bool = False,
) -> Figures:
    """The figures of one device or site.

    Args:
        name: of the row.
        seen: intervals from before the period too, so that an incident keeps its beginning.
        hours: service hours within the period.
        period: half-open, microseconds since 1970.
        maintenance: windows approved and announced in time.
        excluded: what a correction takes out.
        with_blame: say what explains the outages.
    """
    s = intersect(intersect(hours, seen.lifetime), [period])
    unplanned_time = subtract(s, maintenance or [])
    net = subtract(unplanned_time, excluded or [])
    unknown = subtract(net, seen.known)
    down = subtract(intersect(seen.down, net), unknown)
    not_counted = (
        union([*maintenance, *excluded])
        if maintenance and excluded
        else (maintenance or excluded or [])
    )
    unplanned = subtract(seen.down, not_counted)
    incidents = [
        incident for incident in merge_gaps(unplanned, INCIDENT_GAP) if touches(net, incident)
    ]
    # An outage of which nobody saw the end is not resolved.
    resolved = [(a, b) for a, b in incidents if b < period[1] and touches(seen.known, (b, b + 1))]
    return Figures(
        name=name,
        scheduled=total(s),
        maintenance=total(s) - total(unplanned_time),
        excluded=total(unplanned_time) - total(net),
        unknown=total(unknown),
        downtime=total(down),
        started=sum(period[0] <= start < period[1] for start, _ in incidents),
        resolved=len(resolved),
        resolved_time=total(resolved),
        longest=max((min(b, period[1]) - a for a, b in incidents), default=0),
        outages=down,
        gaps=unknown,
        blame=_within(seen.failing, down) if down and with_blame else (),
    )


def count_days(rows: Iterable[Figures], days: Sequence[Span]) -> list[int]:
    """The downtime of all rows together in each of some days, in microseconds."""
    found = [0] * len(days)
    for row in rows:
        for start, end in row.outages:
            for number, (midnight, following) in enumerate(days):
                found[number] += max(0, min(end, following) - max(start, midnight))
    return found


def _within(failing: Iterable[Failing], spans: Spans) -> list[Failing]:
    """What is left of stretches inside some time."""
    return [
        f._replace(start=start, end=end)
        for f in failing
        for start, end in intersect([(f.start, f.end)], spans)
    ]


def pool(name: str, rows: Iterable[Figures], weights: Mapping[str, int] | None = None) -> Figures:
    """One row of the pooled seconds of many.

    Args:
        weights: how often every second of a row counts, by its name; None: once.
    """
    rows = list(rows)

    def sum_of(field: str) -> int:
        values = ((getattr(r, field), 1 if weights is None else weights[r.name]) for r in rows)
        return sum(value * weight for value, weight in values)

    is_corrected = any(r.uncorrected for r in rows)
    return Figures(
        name=name,
        scheduled=sum_of("scheduled"),
        maintenance=sum_of("maintenance"),
        excluded=sum_of("excluded"),
        unknown=sum_of("unknown"),
        downtime=sum_of("downtime"),
        started=sum(r.started for r in rows),
        resolved=sum(r.resolved for r in rows),
        resolved_time=sum(r.resolved_time for r in rows),
        longest=max((r.longest for r in rows), default=0),
        outages=union(span for r in rows for span in r.outages),
        gaps=union(span for r in rows for span in r.gaps),
        uncorrected=pool(name, [r.uncorrected or r for r in rows], weights)
        if is_corrected
        else None,
    )


def site_view(devices: Sequence[Seen]) -> Seen:
    """What is known of a site by its edge devices (or, if it has none, all its devices).

    Down while all of them that live are down or unreachable; unknown while none is known.
    """
    lifetime = union(span for d in devices for span in d.lifetime)
    standing = union(span for d in devices for span in subtract(d.lifetime, d.down))
    down = subtract(lifetime, standing)
    return Seen(
        lifetime=lifetime,
        known=union(span for d in devices for span in intersect(d.known, d.lifetime)),
        down=down,
        failing=felled(down, {str(n): d.failing for n, d in enumerate(devices)}),
    )


def joined(parts: Sequence[Seen]) -> Seen:
    """What is known of one thing by what is known of it at different times."""
    return Seen(
        lifetime=union(span for p in parts for span in p.lifetime),
        known=union(span for p in parts for span in p.known),
        down=union(span for p in parts for span in p.down),
        failing=sorted(f for p in parts for f in p.failing),
    )


def chain_view(parts: Sequence[Seen]) -> Seen:
    """What is known of a service by the parts of its chain that live at a time.

    Up in the time in which every part was; down while any is; unknown while none is down and
    not all are known.
    """
    lifetime = union(span for p in parts for span in p.lifetime)
    down = union(span for p in parts for span in intersect(p.down, p.lifetime))
    known = lifetime
    for part in parts:
        known = intersect(known, union([*part.known, *subtract(lifetime, part.lifetime)]))
    failing = [f for p in parts for f in p.failing]
    return Seen(
        lifetime=lifetime,
        known=union([*known, *down]),
        down=down,
        failing=_first_at_fault(down, failing),
    )


def _first_at_fault(down: Spans, failing: Sequence[Failing]) -> list[Failing]:
    """Cuts the time of a chain's outages by the part that failed first."""
    by_part = {str(n): [f._replace(fell=-f.fell)] for n, f in enumerate(failing)}
    return [f._replace(fell=-f.fell) for f in felled(down, by_part)]


def count_causes(rows: Iterable[Figures], users: Mapping[str, int]) -> tuple[CauseFigures, ...]:
    """What each root cause cost the sites, the dearest first.

    Args:
        rows: of sites.
        users: per site.
    """
    times: dict[str, int] = defaultdict(int)
    spans: dict[str, list[Span]] = defaultdict(list)
    sites: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        for f in row.blame:
            times[f.root] += f.end - f.start
            spans[f.root].append((f.start, f.end))
            sites[f.root].add(row.name)
    found = [
        CauseFigures(
            kind=root.partition(" ")[0],
            name=root.partition(" ")[2],
            downtime=time,
            outage=total(union(spans[root])),
            sites=tuple(sorted(sites[root])),
            users=sum(users.get(site, 0) for site in sites[root]),
        )
        for root, time in times.items()
    ]
    return tuple(sorted(found, key=lambda c: (-c.downtime, c.kind, c.name)))


def percent(fraction: Fraction | None) -> str | None:
    """Two decimals, truncated: 100.00 only for exactly all."""
    if fraction is None:
        return None
    hundredths = fraction.numerator * 10_000 // fraction.denominator
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def seconds(microseconds: int | Fraction | None) -> int | None:
    """Whole seconds, rounded down."""
    return None if microseconds is None else int(microseconds // SECOND)
