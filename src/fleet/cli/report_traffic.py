"""`fleet report traffic`"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from fleet.app import App
from fleet.cli.options import MemberOption, Output, OutputOption, SiteOption, open_app
from fleet.cli.period import (
    FromOption,
    MonthOption,
    ToOption,
    YesterdayOption,
    read_days,
)
from fleet.cli.report_rows import (
    PAGES,
    LanguageOption,
    PageOption,
    PublicOption,
    give_rows,
    inventory_with,
    look_of,
    names_of,
    write_page,
)
from fleet.cli.show import Row, note, say, show_table, show_value
from fleet.core.inventory import Device, Inventory
from fleet.core.metric.kinds import TRAFFIC, Key
from fleet.core.moment import from_us
from fleet.core.record import Record
from fleet.core.traffic import Flow, List, PortTraffic, Total, totals
from fleet.core.units import bits, octets
from fleet.errors import NotFound
from fleet.flows.lookup import Scope, select
from fleet.report.look import Look
from fleet.report.table import SUFFIXES

_COURSES = 3  # ports of which there are charts
_BOTH = "Both ways"
_NOTHING = "nothing was measured for a whole day yet"


class By(StrEnum):
    PORT = "port"
    SITE = "site"
    MEMBER = "member"


_HEADS = {
    List.FULLEST: ("fullest", {"full": "Full", "in_p95": "In 95 %", "out_p95": "Out 95 %"}),
    List.BUSIEST: (
        "busiest",
        {"in_mean": "In mean", "out_mean": "Out mean", "octets": _BOTH},
    ),
    List.ERRORS: ("errors", {"errors": "Errors", "discards": "Discards", "hourly": "An hour"}),
    List.SILENT: ("up, and silent for 90 days", {"since": "Measured since"}),
}


def traffic(
    from_: FromOption = None,
    to: ToOption = None,
    month: MonthOption = None,
    yesterday: YesterdayOption = False,
    by: Annotated[By, typer.Option("--by", help="One row for each of these.")] = By.PORT,
    member: MemberOption = None,
    site: SiteOption = None,
    top: Annotated[int, typer.Option("--top", min=1, help="Ports in a list.")] = 10,
    language: LanguageOption = None,
    public: PublicOption = False,
    out: PageOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Which ports are full, busy, faulty, or silent; what sites and members exchange.

    Without a period: the last 30 days. Full is the 95th percentile of the fuller way, as a part of
    the line. Silent is a port that is up and has received no packet for 90 days.

    \b
    Example:
      fleet report traffic
      fleet report traffic --month 2026-10 --out traffic.html
      fleet report traffic --by site --member aure
    """
    fleet = open_app()
    inventory = inventory_with(fleet, member)
    # A month that is over stays as it was when one of its devices is taken away.
    devices = select(inventory, "device", Scope(member=member, site=site, retired_too=True))
    days = read_days(fleet, from_, to, month, yesterday)
    own = [d for d in devices if isinstance(d, Device)]
    is_page = out is not None and out.suffix in PAGES
    has_lists = not public and (is_page or by is By.PORT)
    made = _Made(fleet, inventory, own, days, top, has_lists=has_lists)
    if out is not None and out.suffix in PAGES:
        whose = inventory.members[member] if member else None
        _write_page(made, look_of(fleet, whose, language, public=public), out)
    elif by is not By.PORT or public:
        which = By.MEMBER if by is By.PORT else by
        rows = [_total(one) for one in made.totals[which]]
        give_rows(rows, _TOTALS, out, output, title="traffic", shown=[_seen(r) for r in rows])
    elif out is not None or output is Output.CSV:
        kinds = (*PAGES, *SUFFIXES)
        give_rows(list(_rows(made)), {}, out, output, title="traffic", kinds=kinds)
    elif output is Output.TABLE:
        _show(made)
    else:
        show_value(_document(made), output)


class _Made:
    """The figures.

    Raises:
        NotFound: nothing was measured for a whole day of the period.
    """

    def __init__(
        self,
        fleet: App,
        inventory: Inventory,
        devices: Sequence[Device],
        days: tuple[date, date],
        top: int,
        *,
        has_lists: bool,
    ) -> None:
        from fleet.core.course import Course, Window
        from fleet.flows.course import course
        from fleet.flows.traffic import Days, Traffic

        metrics = fleet.metrics()
        assert fleet.reader is not None
        if metrics is None:
            raise NotFound(_NOTHING, hint="fleet poll measures in every fifth cycle")
        with metrics:
            found = Traffic(metrics, fleet.reader, inventory, devices, Days(*days))
            if not found.ports:
                raise NotFound(
                    f"nothing was measured there from {days[0]} to {days[1]}",
                    hint="fleet poll measures; a day counts when it is over",
                )
            self.days = days
            self.inventory = inventory
            self.ports = len(found.ports)
            self.totals = {
                which: totals(found.leading_elsewhere(which.value), which.value)
                for which in (By.SITE, By.MEMBER)
            }
            self.lists = found.lists(top) if has_lists else {which: [] for which in List}
            numbers = metrics.devices()
            until = from_us(Days(*days).span[1] - 1)
            first = [*self.lists[List.FULLEST], *self.lists[List.BUSIEST]]
            self.courses: dict[str, list[Course]] = {
                f"{port.device} : {port.port}": [
                    course(
                        metrics,
                        numbers[port.device],
                        [Key(metric, port.port) for metric in TRAFFIC],
                        window,
                        until,
                    )
                    for window in Window
                ]
                for port in first[:_COURSES]
            }

    @property
    def is_sampled(self) -> bool:
        """Whether all percentiles are those of all samples."""
        return all(p.is_exact for which in (List.FULLEST, List.BUSIEST) for p in self.lists[which])


def _write_page(made: _Made, look: Look, out: Path) -> None:
    from fleet.report.traffic_page import TrafficPage, render_traffic

    page = TrafficPage(
        days=made.days,
        ports=made.ports,
        lists=made.lists,
        members=made.totals[By.MEMBER],
        courses=made.courses,
        is_sampled=made.is_sampled,
    )
    write_page(out, render_traffic(page, look, names_of(made.inventory, "site", "member")))


def _show(made: _Made) -> None:
    note(f"{made.days[0]} to {made.days[1]}, {made.ports} ports measured")
    if not made.is_sampled:
        note("percentiles: of the highest day, where not all samples are kept any more")
    for which, (head, columns) in _HEADS.items():
        rows = [_shown(port) for port in made.lists[which]]
        say(f"{head}: none" if not rows else f"{head}:")
        if rows:
            show_table(rows, {"port": "Port", "site": "Site", "line": "Line", **columns})


def _shown(port: PortTraffic) -> Row:
    return {
        "port": f"{port.device} : {port.port}",
        "site": port.site,
        "line": bits(port.capacity) if port.capacity else "–",
        "full": "–" if port.fullness is None else f"{100 * port.fullness:.1f} %",
        "in_p95": bits(port.received.busy),
        "out_p95": bits(port.sent.busy),
        "in_mean": bits(port.received.mean),
        "out_mean": bits(port.sent.mean),
        "octets": octets(port.received.octets + port.sent.octets),
        "errors": port.errors,
        "discards": port.discards,
        "hourly": f"{port.faults_per_hour:.2f}",
        "since": port.since.isoformat(),
    }


def _document(made: _Made) -> Record:
    lists = {which.value: [_record(p) for p in ports] for which, ports in made.lists.items()}
    first, last = (day.isoformat() for day in made.days)
    return {"from": first, "to": last, "ports": made.ports, **lists}


def _rows(made: _Made) -> Iterator[Record]:
    for which, ports in made.lists.items():
        for port in ports:
            yield {"list": which.value, **_record(port)}


def _record(port: PortTraffic) -> Record:
    return {
        "device": port.device,
        "port": port.port,
        "site": port.site,
        "member": port.member,
        "link": port.link,
        "capacity_bps": port.capacity,
        "percent": None if port.fullness is None else round(100 * port.fullness, 2),
        **_way("in", port.received),
        **_way("out", port.sent),
        "p95_of_samples": port.is_exact,
        "errors": port.errors,
        "discards": port.discards,
        "faults_per_hour": round(port.faults_per_hour, 3),
        "silent_days": port.silent_days,
        "measured_since": port.since.isoformat(),
        "measured_s": port.known_s,
    }


def _way(name: str, flow: Flow) -> Mapping[str, int]:
    return {
        f"{name}_mean_bps": round(flow.mean),
        f"{name}_p95_bps": round(flow.busy),
        f"{name}_peak_bps": round(flow.peak),
        f"{name}_bytes": flow.octets,
    }


_TOTALS = {
    "name": "Name",
    "member": "Member",
    "ports": "Ports",
    "in_mean_bps": "In mean",
    "out_mean_bps": "Out mean",
    "bytes": _BOTH,
    "fullest_day_percent": "Fullest day %",
}


def _total(total: Total) -> Record:
    return {
        "name": total.name,
        "member": total.member,
        "ports": total.ports,
        "in_mean_bps": round(total.received),
        "out_mean_bps": round(total.sent),
        "bytes": total.octets,
        "fullest_day_percent": None if total.fullest is None else round(100 * total.fullest, 1),
    }


def _seen(row: Record) -> Record:
    return {
        **row,
        "in_mean_bps": bits(row["in_mean_bps"]),
        "out_mean_bps": bits(row["out_mean_bps"]),
        "bytes": octets(row["bytes"]),
    }
