"""`fleet report`"""

import io
import json
from datetime import date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fleet import shipped
from fleet.app import App
from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import MemberOption, Output, OutputOption, new_command, open_app
from fleet.cli.show import Row, note, show_rows, show_value, write_csv
from fleet.core.moment import from_us, local, parse_moment, to_us
from fleet.core.spans import Span
from fleet.core.uptime import By, UptimeReport
from fleet.errors import Malformed, NotFound, NotPermitted
from fleet.flows.report import report_uptime

app = new_command()


class Language(StrEnum):
    NB = "nb"
    NN = "nn"
    EN = "en"


@app.callback()
def report() -> None:
    """Reports that a controller accepts."""


@app.command()
def uptime(
    from_: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="First instant, included.")
    ] = None,
    to: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Last instant, not included.")
    ] = None,
    month: Annotated[
        str | None, typer.Option("--month", metavar="YYYY-MM", help="A whole month.")
    ] = None,
    yesterday: Annotated[bool, typer.Option("--yesterday", help="The whole day before.")] = False,
    by: Annotated[By, typer.Option("--by", help="One row for each of these.")] = By.SITE,
    member: MemberOption = None,
    language: Annotated[
        Language | None, typer.Option("--language", help="Of the page; default: fleet.toml's.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", metavar="FILE", help="Write a .html, .csv or .json.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """What was up, for how much of its service hours.

    Without a period: last month. Ends with 1 if a row was measured for less than 98 % of its
    time.

    \b
    Example:
      fleet report uptime --month 2026-10 --by member
      fleet report uptime --yesterday --language nn --out uptime.html
    """
    fleet = open_app()
    period = _period(fleet, from_, to, month, yesterday)
    if out is not None and out.suffix not in (".html", ".csv", ".json"):
        raise typer.BadParameter(f"`{out.name}`: write a .html, .csv or .json", param_hint="--out")
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    settings = fleet.workspace.settings.poll
    made = report_uptime(
        fleet.reader,
        period=period,
        by=by,
        member=member,
        now_us=to_us(fleet.now()),
        interval=settings.interval,
        confirmations=settings.confirmations,
    )
    if out is not None:
        _write(fleet, made, out, language)
        note(f"wrote {out}")
    else:
        _show(made, output)
    finish(0 if all(row.is_complete for row in made.rows) else FINDINGS)


def _period(
    fleet: App, begin: str | None, end: str | None, month: str | None, yesterday: bool
) -> Span:
    today = local(fleet.now()).date()
    given = [begin is not None or end is not None, month is not None, yesterday]
    if sum(given) > 1:
        raise typer.BadParameter("choose one of --from/--to, --month and --yesterday")
    if yesterday:
        return to_us(today - timedelta(days=1)), to_us(today)
    if begin is not None or end is not None:
        if begin is None or end is None:
            raise typer.BadParameter("--from and --to go together")
        span = to_us(parse_moment(begin)), to_us(parse_moment(end))
        if span[0] >= span[1]:
            raise Malformed("the period ends before it begins", hint="--from comes before --to")
        return span
    first = (
        _first_of(month)
        if month is not None
        else (today.replace(day=1) - timedelta(days=1)).replace(day=1)
    )
    after = (first + timedelta(days=32)).replace(day=1)
    return to_us(first), to_us(after)


def _first_of(month: str) -> date:
    try:
        first = parse_moment(f"{month}-01")
    except Malformed as error:
        raise Malformed(f"`{month}` is no month", hint="write it like 2026-10") from error
    assert not isinstance(first, datetime)
    return first


_COLUMNS = {
    "name": "Name",
    "availability_percent": "Available %",
    "downtime_s": "Down s",
    "incidents": "Incidents",
    "longest_outage_s": "Longest s",
    "mttr_s": "MTTR s",
    "coverage_percent": "Coverage %",
    "worst_case_percent": "Worst case %",
    "judgement": "",
}


def _show(made: UptimeReport, output: Output) -> None:
    from fleet.report.render import worst_first
    from fleet.report.rows import to_row

    match output:
        case Output.TABLE:
            begin, end = (f"{local(from_us(us)):%Y-%m-%d %H:%M}" for us in made.period)
            note(f"{begin} to {end}, within service hours, worst first")
            rows = [_judged(to_row(row)) for row in (*worst_first(made.rows), made.total)]
            show_rows(rows, output, _COLUMNS)
        case Output.CSV:
            show_rows([to_row(row) for row in made.rows], output, _COLUMNS)
        case _:
            show_value(_document(made), output)


def _judged(row: Row) -> Row:
    measured = row["availability"] is not None
    judgement = "" if row["complete"] else ("incomplete" if measured else "not measured")
    return {**row, "judgement": judgement}


def _document(made: UptimeReport) -> dict[str, object]:
    from fleet.report.rows import to_row

    begin, end = (local(from_us(us)).isoformat() for us in made.period)
    return {
        "from": begin,
        "to": end,
        "by": made.by.value,
        "method": {"poll_interval_s": made.interval_s, "confirmations": made.confirmations},
        "rows": [to_row(row) for row in made.rows],
    }


def _write(fleet: App, made: UptimeReport, out: Path, language: Language | None) -> None:
    from fleet.report.render import render_uptime
    from fleet.report.rows import FIELDS, to_row

    cooperation = fleet.workspace.settings.cooperation
    match out.suffix:
        case ".html":
            text = render_uptime(
                made,
                language=language.value if language else cooperation.language,
                cooperation=cooperation.name,
                templates=[fleet.workspace.root / "templates", shipped.templates()],
            )
        case ".csv":
            buffer = io.StringIO()
            write_csv(buffer, [to_row(row) for row in made.rows], FIELDS)
            text = buffer.getvalue()
        case _:
            text = json.dumps(_document(made), ensure_ascii=False, indent=2) + "\n"
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise NotPermitted(f"cannot write {out}: {error.strerror}") from error
