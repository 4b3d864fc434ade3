"""Dates and instants as people write them, in Europe/Oslo, and as machines keep them, in UTC.

A date means its 00:00 in Oslo. An instant without offset is Oslo time; one that the change of
clocks skips does not exist, one that it repeats needs an offset.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fleet.errors import Malformed

OSLO = ZoneInfo("Europe/Oslo")

TYPE_NAMES = "a date (2026-03-01) or an instant (2026-03-01T12:00 or 2026-03-01T12:00+01:00)"
Moment = date | datetime

_FIRST_YEAR, _LAST_YEAR = 1900, 2200
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:?\d{2})?")


def parse_moment(text: str) -> Moment:
    """The date or the aware instant (UTC) that an ISO 8601 text names.

    Raises:
        Malformed: it is neither, or a local time that does not exist or exists twice.
    """
    text = text.strip()
    try:
        if _DATE.fullmatch(text) or _INSTANT.fullmatch(text):
            if not _FIRST_YEAR <= int(text[:4]) <= _LAST_YEAR:
                raise Malformed(f"`{text}`: the year is not within {_FIRST_YEAR} to {_LAST_YEAR}")
            if len(text) == len("2026-03-01"):
                return date.fromisoformat(text)
            return from_local(datetime.fromisoformat(text))
    except ValueError as error:
        raise Malformed(f"`{text}`: {error}") from error
    raise Malformed(f"`{text}` is not {TYPE_NAMES}")


def from_local(moment: datetime) -> datetime:
    """The instant in UTC; a time without offset is taken as Europe/Oslo.

    Raises:
        Malformed: the local time does not exist, or exists twice (change of clocks).
    """
    if moment.tzinfo is not None:
        return moment.astimezone(UTC)
    early = moment.replace(tzinfo=OSLO, fold=0)
    late = moment.replace(tzinfo=OSLO, fold=1)
    if early.utcoffset() == late.utcoffset():
        return early.astimezone(UTC)
    if early.astimezone(UTC).astimezone(OSLO).replace(tzinfo=None) != moment:
        raise Malformed(
            f"{moment:%Y-%m-%d %H:%M} does not exist in Oslo",
            hint="the clocks skip from 02:00 to 03:00 that night; write the time with an offset",
        )
    raise Malformed(
        f"{moment:%Y-%m-%d %H:%M} exists twice in Oslo",
        hint=f"write {early.isoformat()} (first) or {late.isoformat()} (second)",
    )


def to_instant(moment: Moment) -> datetime:
    """The instant in UTC at which `moment` begins."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC)
    return datetime.combine(moment, time(), tzinfo=OSLO).astimezone(UTC)


def local(instant: datetime) -> datetime:
    """The same instant as the clock on an Oslo wall shows it."""
    return instant.astimezone(OSLO)


def text_of(moment: Moment) -> str:
    """ISO 8601: a date as it is, an instant in UTC with `Z`, both of fixed width and sortable."""
    if isinstance(moment, datetime):
        return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    return moment.isoformat()


def short_text(instant: datetime) -> str:
    """`2026-03-01 12:00` in Oslo, for people."""
    return f"{local(instant):%Y-%m-%d %H:%M}"


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def to_us(moment: Moment) -> int:
    """Whole microseconds since 1970 in UTC: exact, so sums of intervals are too."""
    return (to_instant(moment) - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """The instant that is so many microseconds after 1970 in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


def later(day: date, months: int) -> date:
    """The same day of a later month, or the first of the one after it if there is none such."""
    count = day.year * 12 + day.month - 1 + months
    try:
        return day.replace(year=count // 12, month=count % 12 + 1)
    except ValueError:
        return date((count + 1) // 12, (count + 1) % 12 + 1, 1)
