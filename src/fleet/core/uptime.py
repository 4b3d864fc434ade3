"""Availability that a controller accepts: one method, exact, printed beside its figures.

With S scheduled (service hours ∩ period ∩ lifetime), M announced maintenance ∩ S, Net = S − M,
U unknown ∩ Net, K = Net − U and D down or unreachable ∩ Net − U:
availability = (K − D) / K, coverage = K / Net, worst case = (Net − U − D) / Net.
Totals are pooled seconds, never the mean of percentages.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction

from fleet.core.spans import SECOND, Span, Spans, intersect, merge_gaps, subtract, total, union

INCIDENT_GAP = 300 * SECOND
COMPLETE_FROM = Fraction(98, 100)


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What is known of one thing: when it lived, when its state was known, when it was down."""

    lifetime: Spans
    known: Spans
    down: Spans


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """The figures of one row; times in whole microseconds."""

    name: str
    scheduled: int = 0
    maintenance: int = 0
    unknown: int = 0
    downtime: int = 0
    started: int = 0  # incidents that began in the period
    resolved: int = 0
    resolved_time: int = 0
    longest: int = 0
    outages: Spans = field(default_factory=list)  # unplanned downtime within service hours
    gaps: Spans = field(default_factory=list)  # unknown time within service hours

    @property
    def net(self) -> int:
        return self.scheduled - self.maintenance

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
        return self.coverage is not None and self.coverage >= COMPLETE_FROM

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


@dataclass(frozen=True, slots=True, kw_only=True)
class UptimeReport:
    """Figures of a period, one row each, and what was done to get them."""

    period: Span
    by: By
    interval_s: int
    confirmations: int
    rows: tuple[Figures, ...]
    total: Figures
    labels: Mapping[str, str] = field(default_factory=dict)  # what people call a row


def measure(
    name: str,
    seen: Seen,
    *,
    hours: Spans,
    period: Span,
    maintenance: Spans | None = None,
) -> Figures:
    """The figures of one device or site.

    Args:
        name: of the row.
        seen: intervals from before the period too, so that an incident keeps its beginning.
        hours: service hours within the period.
        period: half-open, microseconds since 1970.
        maintenance: windows approved and announced in time.
    """
    s = intersect(intersect(hours, seen.lifetime), [period])
    net = subtract(s, maintenance or [])
    unknown = subtract(net, seen.known)
    down = subtract(intersect(seen.down, net), unknown)
    unplanned = subtract(seen.down, maintenance or [])
    incidents = [
        incident for incident in merge_gaps(unplanned, INCIDENT_GAP) if intersect([incident], net)
    ]
    # An outage of which nobody saw the end is not resolved.
    resolved = [(a, b) for a, b in incidents if b < period[1] and _holds(seen.known, b)]
    return Figures(
        name=name,
        scheduled=total(s),
        maintenance=total(s) - total(net),
        unknown=total(unknown),
        downtime=total(down),
        started=sum(period[0] <= start < period[1] for start, _ in incidents),
        resolved=len(resolved),
        resolved_time=total(resolved),
        longest=max((min(b, period[1]) - a for a, b in incidents), default=0),
        outages=down,
        gaps=unknown,
    )


def _holds(spans: Spans, instant: int) -> bool:
    return any(start <= instant < end for start, end in spans)


def pool(name: str, rows: Iterable[Figures]) -> Figures:
    """One row of the pooled seconds of many."""
    rows = list(rows)
    return Figures(
        name=name,
        scheduled=sum(r.scheduled for r in rows),
        maintenance=sum(r.maintenance for r in rows),
        unknown=sum(r.unknown for r in rows),
        downtime=sum(r.downtime for r in rows),
        started=sum(r.started for r in rows),
        resolved=sum(r.resolved for r in rows),
        resolved_time=sum(r.resolved_time for r in rows),
        longest=max((r.longest for r in rows), default=0),
        outages=union(span for r in rows for span in r.outages),
        gaps=union(span for r in rows for span in r.gaps),
    )


def site_view(devices: Sequence[Seen]) -> Seen:
    """What is known of a site by its edge devices (or, if it has none, all its devices).

    Down while all of them that live are down or unreachable; unknown while none is known.
    """
    lifetime = union(span for d in devices for span in d.lifetime)
    standing = union(span for d in devices for span in subtract(d.lifetime, d.down))
    return Seen(
        lifetime=lifetime,
        known=union(span for d in devices for span in intersect(d.known, d.lifetime)),
        down=subtract(lifetime, standing),
    )


def percent(fraction: Fraction | None) -> str | None:
    """Two decimals, truncated: 100.00 only for exactly all."""
    if fraction is None:
        return None
    hundredths = int(fraction * 10_000)
    return f"{hundredths // 100}.{hundredths % 100:02d}"


def seconds(microseconds: int | Fraction | None) -> int | None:
    """Whole seconds, rounded down."""
    return None if microseconds is None else int(microseconds // SECOND)
