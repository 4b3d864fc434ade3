"""A report as an HTML page, from a template that a workspace may override by name."""

from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from fleet.core.moment import from_us
from fleet.core.uptime import Figures, UptimeReport, seconds
from fleet.report.chart import outage_bar
from fleet.report.rows import to_row
from fleet.report.words import Words, words


def render_uptime(
    report: UptimeReport, *, language: str, cooperation: str, templates: Sequence[Path]
) -> str:
    """The page; the same report gives the same bytes.

    Args:
        templates: folders, the first that has `report/uptime.html.j2` wins.
    """
    environment = Environment(
        loader=FileSystemLoader(templates),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    say = words(language)
    begin, end = (from_us(us) for us in report.period)
    return environment.get_template("report/uptime.html.j2").render(
        say=say,
        language=language,
        cooperation=cooperation,
        period=say.period(begin, end),
        by=report.by.value,
        interval=report.interval_s,
        confirmations=report.confirmations,
        rows=[_cells(report, row, say) for row in worst_first(report.rows)],
        total=_cells(report, report.total, say),
        complete=sum(row.is_complete for row in report.rows),
    )


def worst_first(rows: Sequence[Figures]) -> list[Figures]:
    """By availability, what was not measured last."""
    return sorted(rows, key=lambda r: (r.availability is None, r.availability or 0, r.name))


def _cells(report: UptimeReport, figures: Figures, say: Words) -> dict[str, str | Markup | bool]:
    row = to_row(figures)
    label = say(
        "bar",
        outages=say.number(len(figures.outages)),
        downtime=say.duration(seconds(figures.downtime)),
        unknown=say.duration(seconds(figures.unknown)),
    )
    measured = figures.availability is not None
    return {
        "name": report.labels.get(figures.name, figures.name),
        "slug": figures.name,
        "availability": say.percent(row["availability_percent"]),
        "is_complete": figures.is_complete,
        "is_measured": measured,
        "downtime": say.duration(row["downtime_s"]) if measured else "–",
        "incidents": say.number(figures.started) if measured else "–",
        "longest": say.duration(row["longest_outage_s"]) if figures.longest else "–",
        "mttr": say.duration(row["mttr_s"]),
        "coverage": say.percent(row["coverage_percent"]) if figures.net else "–",
        "worst_case": say.percent(row["worst_case_percent"]) if measured else "–",
        "bar": Markup(outage_bar(report.period, figures.outages, figures.gaps, label)),
    }
