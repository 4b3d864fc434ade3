"""Figures as the JSON rows that other programs read."""

from fractions import Fraction

from fleet.core.record import Record
from fleet.core.uptime import Figures, percent, seconds


def to_row(figures: Figures) -> Record:
    """One row: whole seconds rounded down, percentages as truncated text, null: not measured."""
    return {
        "name": figures.name,
        "scheduled_s": seconds(figures.scheduled),
        "maintenance_s": seconds(figures.maintenance),
        "net_s": seconds(figures.net),
        "unknown_s": seconds(figures.unknown),
        "known_s": seconds(figures.known),
        "downtime_s": seconds(figures.downtime),
        "availability": _exact(figures.availability),
        "availability_percent": percent(figures.availability),
        "coverage_percent": percent(figures.coverage),
        "worst_case_percent": percent(figures.worst_case),
        "complete": figures.is_complete,
        "incidents": figures.started,
        "incidents_resolved": figures.resolved,
        "longest_outage_s": seconds(figures.longest),
        "mttr_s": seconds(figures.mttr),
        "mtbf_s": seconds(figures.mtbf),
    }


def _exact(fraction: Fraction | None) -> str | None:
    return None if fraction is None else f"{fraction.numerator}/{fraction.denominator}"


FIELDS = tuple(to_row(Figures(name="")))
