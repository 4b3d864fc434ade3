"""Making the report on uptime, for itself and for the reports that quote it."""

from collections.abc import Collection, Sequence
from fractions import Fraction
from functools import partial
from typing import TYPE_CHECKING

from fleet.app import App
from fleet.core.moment import to_us
from fleet.core.school import SCHOOL_HOLIDAYS, Closed
from fleet.core.spans import SECOND
from fleet.core.uptime import Target, UptimeReport
from fleet.flows.report import Wanted, report_uptime

if TYPE_CHECKING:
    from fleet.store.reader import Reader


def make_uptime(fleet: App, reader: "Reader", wanted: Wanted) -> UptimeReport:
    """The uptime of a period, with the settings and the school calendar of the workspace."""
    settings = fleet.workspace.settings
    return report_uptime(
        reader,
        wanted,
        now_us=to_us(fleet.now()),
        interval=settings.poll.interval,
        confirmations=settings.poll.confirmations,
        target=Target(
            availability=Fraction(str(settings.report.target_percent)) / 100,
            longest=settings.report.longest_outage_h * 3600 * SECOND,
        ),
        read_closed=partial(_read_closed, fleet),
    )


def _read_closed(fleet: App, members: Collection[str]) -> Sequence[Closed]:
    """The school calendar; most workspaces have none, and then nothing is loaded for it."""
    path = fleet.workspace.inventory / SCHOOL_HOLIDAYS
    if not path.is_file():
        return ()
    from fleet.sources.calendars import read_school_holidays

    return read_school_holidays(path, fleet.workspace.root, members)
