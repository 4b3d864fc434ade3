"""Figures as the JSON rows that other programs read."""

from collections.abc import Mapping
from fractions import Fraction

from fleet.core.moment import from_us, local, text_of
from fleet.core.record import Record
from fleet.core.uptime import By, CauseFigures, Figures, Target, UptimeReport, percent, seconds


def to_row(figures: Figures, target: Target | None = None) -> Record:
    """One row: whole seconds rounded down, percentages as truncated text, null: not measured."""
    before = figures.uncorrected
    return {
        "name": figures.name,
        "scheduled_s": seconds(figures.scheduled),
        "maintenance_s": seconds(figures.maintenance),
        "excluded_s": seconds(figures.excluded),
        "net_s": seconds(figures.net),
        "unknown_s": seconds(figures.unknown),
        "known_s": seconds(figures.known),
        "downtime_s": seconds(figures.downtime),
        "availability": exact(figures.availability),
        "availability_percent": percent(figures.availability),
        "coverage_percent": percent(figures.coverage),
        "worst_case_percent": percent(figures.worst_case),
        "complete": figures.is_complete,
        "incidents": figures.started,
        "incidents_resolved": figures.resolved,
        "longest_outage_s": seconds(figures.longest),
        "mttr_s": seconds(figures.mttr),
        "mtbf_s": seconds(figures.mtbf),
        "target_met": target.is_met(figures) if target else None,
        "uncorrected_downtime_s": seconds(before.downtime) if before else None,
        "uncorrected_percent": percent(before.availability) if before else None,
    }


def exact(fraction: Fraction | None) -> str | None:
    """In lowest terms, `1/1` for all."""
    return None if fraction is None else f"{fraction.numerator}/{fraction.denominator}"


FIELDS = tuple(to_row(Figures(name="")))


def to_cause_row(cause: CauseFigures) -> Record:
    """What one root cause cost; `downtime` is exact, in seconds: these add up."""
    return {
        "kind": cause.kind or "unknown",
        "name": cause.name or None,
        "downtime_s": seconds(cause.downtime),
        "downtime": exact(Fraction(cause.downtime, 1_000_000)),
        "outage_s": seconds(cause.outage),
        "sites": list(cause.sites),
        "users": cause.users,
    }


CAUSE_FIELDS = tuple(
    to_cause_row(CauseFigures(kind="", name="", downtime=0, outage=0, sites=(), users=0))
)


def to_rows(report: UptimeReport) -> list[Record]:
    """The rows of a report, or its causes where these are its rows."""
    if report.by is By.CAUSE:
        return [to_cause_row(cause) for cause in report.causes]
    return [to_row(row, report.target) for row in report.rows]


def to_public(document: Record, labels: Mapping[str, str]) -> Record:
    """A document for everybody: no slug, no device, no cause by name, nobody's role or reason.

    Args:
        labels: what people call the rows.
    """

    def shown(row: Record) -> Record:
        hidden = {name: value for name, value in row.items() if not name.startswith("uncorrected")}
        return hidden | {"name": labels.get(row["name"], row["name"])}

    return {
        **{name: value for name, value in document.items() if name != "corrections"},
        "rows": [shown(row) for row in document["rows"]],
        "total": shown(document["total"]),
        "causes": [
            {**cause, "name": None, "sites": len(cause["sites"])} for cause in document["causes"]
        ],
    }


def to_document(report: UptimeReport) -> Record:
    """The whole report as other programs read it."""
    begin, end = (local(from_us(us)).isoformat() for us in report.period)
    target = report.target
    return {
        "from": begin,
        "to": end,
        "by": report.by.value,
        "method": {"poll_interval_s": report.interval_s, "confirmations": report.confirmations},
        "target": {
            "availability_percent": percent(target.availability),
            "longest_outage_s": seconds(target.longest),
        },
        "weight": report.weight,
        "sources": list(report.sources),
        "rows": to_rows(report),
        "total": to_row(report.total, target),
        "causes": [to_cause_row(cause) for cause in report.causes],
        "corrections": [
            {
                "name": note.place,
                "start": text_of(from_us(note.start)),
                "end": None if note.end is None else text_of(from_us(note.end)),
                "as": note.reading,
                "role": note.role,
                "reason": note.reason,
                "at": text_of(from_us(note.at)),
            }
            for note in report.notes
        ],
    }
