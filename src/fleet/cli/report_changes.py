"""`fleet report changes`"""

from fleet.cli.options import MemberOption, Output, OutputOption, open_app
from fleet.cli.period import (
    FromOption,
    MonthOption,
    ToOption,
    YesterdayOption,
    read_period,
)
from fleet.cli.report_rows import OutOption, PublicOption, give_rows, inventory_with
from fleet.cli.show import local_times, note
from fleet.flows.report_changes import report_changes

_COLUMNS = {
    "id": "Id",
    "at": "At",
    "member": "Member",
    "baselines": "Baselines",
    "devices": "Devices",
    "changed": "Changed",
    "failed": "Failed",
    "reverted": "Taken back",
    "ended": "Ended",
    "duration_s": "Seconds",
    "decided_by": "Decided by",
    "by": "Run by",
}


def changes(
    from_: FromOption = None,
    to: ToOption = None,
    month: MonthOption = None,
    yesterday: YesterdayOption = False,
    member: MemberOption = None,
    public: PublicOption = False,
    out: OutOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """What was rolled out where, by whom decided, how long it took, what failed or was taken back.

    Without a period: last month.

    \b
    Example:
      fleet report changes --month 2026-10 --member smola
    """
    fleet = open_app()
    inventory_with(fleet, member)
    assert fleet.reader is not None
    period = read_period(fleet, from_, to, month, yesterday)
    rows = report_changes(fleet.reader, period, member)
    if not rows:
        note("Nothing was rolled out in that time.")
    shown = [dict(local_times(row)) for row in rows]
    hidden = ("id", "baselines", "by", "decided_by") if public else ()
    give_rows(rows, _COLUMNS, out, output, title="changes", shown=shown, hidden=hidden)
