"""Which time a report is about, by its options."""

from datetime import date, datetime, time, timedelta
from typing import Annotated

import typer

from fleet.app import App
from fleet.core.moment import from_us, local, parse_moment, to_us
from fleet.core.spans import Span
from fleet.errors import Malformed

FromOption = Annotated[
    str | None, typer.Option("--from", metavar="TIME", help="First instant, included.")
]
ToOption = Annotated[
    str | None, typer.Option("--to", metavar="TIME", help="Last instant, not included.")
]
MonthOption = Annotated[
    str | None, typer.Option("--month", metavar="YYYY-MM", help="A whole month.")
]
YesterdayOption = Annotated[bool, typer.Option("--yesterday", help="The whole day before.")]


def read_period(
    fleet: App, begin: str | None, end: str | None, month: str | None, yesterday: bool
) -> Span:
    """The half-open period that a report's options name; last month, if none does.

    Raises:
        Malformed: it is no period.
    """
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


def read_days(
    fleet: App, begin: str | None, end: str | None, month: str | None, yesterday: bool
) -> tuple[date, date]:
    """The first and the last of the whole days that are over; the last 30, if nothing is named.

    Raises:
        Malformed: it is no period, not of whole days, or none of its days is over.
    """
    last = local(fleet.now()).date() - timedelta(days=1)
    if not (begin or end or month or yesterday):
        return last - timedelta(days=29), last
    span = read_period(fleet, begin, end, month, yesterday)
    edges = [local(from_us(us)) for us in span]
    if any(edge.time() != time() for edge in edges):
        raise Malformed(
            "what was measured is kept by whole days", hint="--from and --to as dates: 2026-10-01"
        )
    first, after = (edge.date() for edge in edges)
    if first > last:
        raise Malformed(f"{first} is not over yet", hint="a day counts when it is over")
    return first, min(after - timedelta(days=1), last)


def _first_of(month: str) -> date:
    try:
        first = parse_moment(f"{month}-01")
    except Malformed as error:
        raise Malformed(f"`{month}` is no month", hint="write it like 2026-10") from error
    assert not isinstance(first, datetime)
    return first
