"""A report as an HTML page, from a template that a workspace may override by name."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup

from fleet.core.moment import from_us, local, to_us
from fleet.core.spans import SECOND, Span
from fleet.core.uptime import (
    By,
    CauseFigures,
    Figures,
    UptimeReport,
    count_days,
    percent,
    seconds,
)
from fleet.report.chart import calendar, outage_bar, ranking
from fleet.report.look import Look
from fleet.report.rows import to_row
from fleet.report.template import load_template
from fleet.report.words import Words, words

_WORST = 10
_CAUSES = 20  # that a page names
_SHORTEST_CALENDAR, _LONGEST_CALENDAR = timedelta(days=6), timedelta(days=62)


def render_uptime(report: UptimeReport, look: Look) -> str:
    """The page; the same report gives the same bytes."""
    say = words(look.language)
    begin, end = (from_us(us) for us in report.period)
    rows = worst_first(report.rows)
    page: str = load_template(look, "report/uptime.html.j2").render(
        say=say,
        look=look,
        language=look.language,
        cooperation=look.cooperation,
        period=say.period(begin, end),
        by=report.by.value,
        interval=report.interval_s,
        confirmations=report.confirmations,
        weight=report.weight,
        is_imported="import" in report.sources,
        rows=[] if report.by is By.CAUSE else [_cells(report, row, say) for row in rows],
        total=_cells(report, report.total, say),
        complete=sum(row.is_complete for row in report.rows),
        judged=sum(row.net > 0 for row in report.rows),
        met=sum(report.target.is_met(row) is True for row in report.rows),
        missed=sum(report.target.is_met(row) is False for row in report.rows),
        target=say.percent(percent(report.target.availability)),
        longest_allowed=say.duration(seconds(report.target.longest)),
        is_corrected=any(row.uncorrected for row in report.rows),
        causes=_causes(report, say, look),
        notes=[] if look.is_public else [_note(note, say) for note in report.notes],
        calendar=_calendar(report, say),
        worst=_worst(report, rows, say),
    )
    return page


def render_index(months: Sequence[Mapping[str, Any]], look: Look) -> str:
    """The page that links the reports in a folder.

    Args:
        months: `file`, `title`, `availability`, newest first.
    """
    page: str = load_template(look, "report/index.html.j2").render(
        say=words(look.language),
        language=look.language,
        cooperation=look.cooperation,
        months=months,
    )
    return page


def worst_first(rows: Sequence[Figures]) -> list[Figures]:
    """By availability, what was not measured last."""
    return sorted(rows, key=lambda r: (r.availability is None, r.availability or 0, r.name))


def _cells(report: UptimeReport, figures: Figures, say: Words) -> dict[str, Any]:
    row = to_row(figures, report.target)
    label = say(
        "bar",
        outages=say.number(figures.started),
        downtime=say.duration(seconds(figures.downtime)),
        unknown=say.duration(seconds(figures.unknown)),
    )
    measured = figures.availability is not None
    return {
        "name": label_of(report, figures.name, say),
        "slug": figures.name,
        "availability": say.percent(row["availability_percent"]),
        "is_complete": figures.is_complete,
        "is_measured": measured,
        "target_met": row["target_met"],
        "uncorrected": say.percent(row["uncorrected_percent"]) if figures.uncorrected else None,
        "excluded": say.duration(row["excluded_s"]) if figures.excluded else None,
        "downtime": say.duration(row["downtime_s"]) if measured else "–",
        "incidents": say.number(figures.started) if measured else "–",
        "longest": say.duration(row["longest_outage_s"]) if figures.longest else "–",
        "mttr": say.duration(row["mttr_s"]),
        "maintenance": say.duration(row["maintenance_s"]) if figures.maintenance else "–",
        "coverage": say.percent(row["coverage_percent"]) if figures.net else "–",
        "worst_case": say.percent(row["worst_case_percent"]) if measured else "–",
        "bar": Markup(outage_bar(report.period, figures.outages, figures.gaps, label)),
    }


def label_of(report: UptimeReport, name: str, say: Words) -> str:
    """What people call a row."""
    if name == report.total.name and name not in report.labels:
        return say("total")
    if report.by is By.KIND:
        return say(f"kind_{name}")
    if report.by is By.COOPERATION:
        return say("name_cooperation")
    return report.labels.get(name, name)


def _causes(report: UptimeReport, say: Words, look: Look) -> list[dict[str, str]]:
    """The dearest causes, and the rest in one row, so that they still add up."""
    shown = report.causes if len(report.causes) <= _CAUSES + 1 else report.causes[:_CAUSES]
    found = [_cause(report, cause, say, look) for cause in shown]
    if rest := report.causes[len(shown) :]:
        sites = {site for cause in rest for site in cause.sites}
        together = CauseFigures(
            kind="",
            name="",
            downtime=sum(cause.downtime for cause in rest),
            outage=sum(cause.outage for cause in rest),
            sites=tuple(sites),
            users=sum(cause.users for cause in rest),
        )
        row = _cause(report, together, say, look)
        found.append(row | {"name": say("cause_others", count=say.number(len(rest)))})
    return found


def _cause(report: UptimeReport, cause: CauseFigures, say: Words, look: Look) -> dict[str, str]:
    kind = say(f"cause_{cause.kind or 'unknown'}")
    is_shown = cause.name and not look.is_public
    share = cause.downtime * 10_000 // _all(report)
    return {
        "name": f"{kind}: {cause.name}" if is_shown else kind,
        "downtime": say.duration(seconds(cause.downtime)),
        "outage": say.duration(seconds(cause.outage)),
        "sites": say.number(len(cause.sites)),
        "users": say.number(cause.users),
        "share": say.percent(f"{share // 100}.{share % 100:02d}"),
    }


def _all(report: UptimeReport) -> int:
    return sum(cause.downtime for cause in report.causes) or 1


def _note(note: Any, say: Words) -> dict[str, str]:
    end = "–" if note.end is None else say.instant(from_us(note.end))
    return {
        "place": note.place,
        "span": f"{say.instant(from_us(note.start))} – {end}",
        "reading": say(f"reading_{note.reading.replace('-', '_')}"),
        "role": note.role,
        "reason": note.reason,
    }


def _calendar(report: UptimeReport, say: Words) -> Markup | None:
    """The downtime of all rows by day; None for periods that are no whole days, or too long."""
    begin, end = (local(from_us(us)) for us in report.period)
    is_whole = not any((begin.hour, begin.minute, end.hour, end.minute))
    is_short = end - begin < _SHORTEST_CALENDAR
    if not is_whole or is_short or end - begin > _LONGEST_CALENDAR or report.by is By.COOPERATION:
        return None
    days = list(_days(begin.date(), end.date()))
    times = count_days(report.rows, [span for _, span in days])
    worst = max(times, default=0) or 1
    cells = [
        (day, say.hours(time // SECOND) if time else "", time / worst)
        for (day, _), time in zip(days, times, strict=True)
    ]
    label = say("calendar_label", days=say.number(sum(time > 0 for time in times)))
    return Markup(calendar(cells, say.weekdays(), label)) if cells else None


def _days(first: date, end: date) -> Sequence[tuple[date, Span]]:
    found = []
    while first < end:
        following = first + timedelta(days=1)
        found.append((first, (to_us(first), to_us(following))))
        first = following
    return found


def _worst(report: UptimeReport, rows: Sequence[Figures], say: Words) -> Markup | None:
    """The ten rows with the longest downtime."""
    bad = sorted((r for r in rows if r.downtime), key=lambda r: (-r.downtime, r.name))[:_WORST]
    if len(bad) < 2:
        return None
    bars = [
        (
            label_of(report, row.name, say),
            say.duration(seconds(row.downtime)),
            row.downtime / bad[0].downtime,
        )
        for row in bad
    ]
    return Markup(ranking(bars, say("worst_label", count=len(bars))))
