"""The report on uptime as a table."""

from fractions import Fraction

from fleet.cli.options import Output
from fleet.cli.show import Row, note, show_rows
from fleet.core.moment import from_us, local
from fleet.core.record import Record
from fleet.core.uptime import By, UptimeReport

COLUMNS = {
    "name": "Name",
    "availability_percent": "Available %",
    "downtime_s": "Down s",
    "incidents": "Incidents",
    "longest_outage_s": "Longest s",
    "mttr_s": "MTTR s",
    "maintenance_s": "Planned s",
    "coverage_percent": "Coverage %",
    "worst_case_percent": "Worst case %",
    "judgement": "",
}
_CAUSE_COLUMNS = {
    "kind": "Kind",
    "name": "Cause",
    "downtime_s": "Down s at sites",
    "outage_s": "Outage s",
    "sites": "Sites",
    "users": "Users",
}


def show_table(made: UptimeReport, document: Record) -> None:
    """The rows, worst first, and their total; or the causes, the dearest first."""
    from fleet.report.rows import to_cause_row

    begin, end = (f"{local(from_us(us)):%Y-%m-%d %H:%M}" for us in made.period)
    weighted = ", totals weighted by users" if made.weight else ""
    if made.by is By.CAUSE:
        note(f"{begin} to {end}, downtime of sites within service hours, by root cause")
        causes: list[Row] = [
            {**row, "sites": len(row["sites"])} for row in map(to_cause_row, made.causes)
        ]
        show_rows(causes, Output.TABLE, _CAUSE_COLUMNS)
        return
    note(f"{begin} to {end}, within service hours, worst first{weighted}")
    rows = sorted(
        document["rows"],
        key=lambda r: (r["availability"] is None, Fraction(r["availability"] or 0), r["name"]),
    )
    show_rows([_judged(row) for row in (*rows, document["total"])], Output.TABLE, COLUMNS)


def _judged(row: Record) -> Row:
    if row["availability"] is None:
        judgement = "not measured"
    elif not row["complete"]:
        judgement = "incomplete"
    else:
        judgement = "" if row["target_met"] else "target missed"
    if row.get("uncorrected_percent") is not None:
        before = f"without corrections {row['uncorrected_percent']} %"
        judgement = ", ".join(part for part in (judgement, before) if part)
    return {**row, "judgement": judgement}
