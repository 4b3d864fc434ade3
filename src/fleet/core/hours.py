"""Service hours: when a site is in use, in a subset of OpenStreetMap's `opening_hours`.

Understood: `24/7`, days and ranges of days (`Mo-Fr,Su`), `PH` and `SH`, several spans of time
(`08:00-12:00,13:00-16:00`, also over midnight), `off`, and rules joined by `;`, of which the
last that names a day decides it. As in OpenStreetMap, holidays count unless a rule for `PH`
says otherwise. Source: wiki.openstreetmap.org/wiki/Key:opening_hours/specification.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache

from fleet.core.holidays import is_holiday
from fleet.core.inventory import Site, SiteKind
from fleet.core.moment import OSLO, from_us, local, to_us
from fleet.core.spans import Span, Spans, intersect, union
from fleet.errors import Malformed

DEFAULT_HOURS: dict[SiteKind, str] = {
    SiteKind.TOWN_HALL: "Mo-Fr 08:00-15:30; PH off",
    SiteKind.CLINIC: "Mo-Fr 08:00-15:30; PH off",
    SiteKind.OFFICE: "Mo-Fr 08:00-15:30; PH off",
    SiteKind.SCHOOL: "Mo-Fr 07:30-16:30; PH off; SH off",
    SiteKind.KINDERGARTEN: "Mo-Fr 06:30-17:00; PH off",
    SiteKind.HOME_CARE: "Mo-Su 07:00-23:00",
    SiteKind.LIBRARY: "Mo-Sa 10:00-20:00; PH off",
    SiteKind.SPORTS_HALL: "Mo-Su 08:00-22:00",
}
ALWAYS = "24/7"

_DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
_SPAN = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})")
_RULE = re.compile(r"(?P<days>[A-Z][A-Za-z,\- ]*?)?\s*(?P<times>off|closed|[\d:,\- ]+)?")

Minutes = tuple[int, int]
IsDay = Callable[[date], bool]


@dataclass(frozen=True, slots=True)
class Rule:
    """Days, and the spans in minutes after midnight that hold on them (none: closed)."""

    weekdays: frozenset[int]
    on_holidays: bool
    in_school_holidays: bool
    spans: tuple[Minutes, ...]

    def names(self, day: date, is_school_holiday: IsDay) -> bool:
        return (
            day.weekday() in self.weekdays
            or (self.on_holidays and is_holiday(day))
            or (self.in_school_holidays and is_school_holiday(day))
        )


@cache
def parse_hours(text: str) -> tuple[Rule, ...]:
    """The rules of an `opening_hours` text, in their order.

    Raises:
        Malformed: the text is outside the subset.
    """
    rules = tuple(_rule(part.strip()) for part in text.split(";") if part.strip())
    if not rules:
        raise Malformed("opening hours are empty", hint=_HINT)
    return rules


_HINT = "write for example `Mo-Fr 08:00-15:30; PH off`, or `24/7`"


def _rule(text: str) -> Rule:
    if text == ALWAYS:
        return Rule(frozenset(range(7)), True, True, ((0, 1440),))
    match = _RULE.fullmatch(text)
    if not match or not match["times"]:
        raise Malformed(f"cannot read `{text}` as opening hours", hint=_HINT)
    weekdays: set[int] = set()
    special: set[str] = set()
    for part in (match["days"] or "Mo-Su").replace(" ", "").split(","):
        if part in ("PH", "SH"):
            special.add(part)
        else:
            weekdays |= _weekdays(part)
    times = match["times"].strip()
    spans = () if times in ("off", "closed") else tuple(_spans(times))
    return Rule(frozenset(weekdays), "PH" in special, "SH" in special, spans)


def _weekdays(text: str) -> set[int]:
    first, _, last = text.partition("-")
    if first not in _DAYS or (last and last not in _DAYS):
        raise Malformed(f"`{text}` is no day in opening hours", hint=f"days: {' '.join(_DAYS)}")
    start = _DAYS.index(first)
    length = (_DAYS.index(last or first) - start) % 7 + 1
    return {(start + i) % 7 for i in range(length)}


def _spans(text: str) -> Iterator[Minutes]:
    for part in text.replace(" ", "").split(","):
        match = _SPAN.fullmatch(part)
        if not match:
            raise Malformed(f"`{part}` is no span of time in opening hours", hint=_HINT)
        h1, m1, h2, m2 = map(int, match.groups())
        start, end = h1 * 60 + m1, h2 * 60 + m2
        if m1 > 59 or m2 > 59 or start >= 1440 or end > 1440:
            raise Malformed(f"`{part}` is no time of day", hint=_HINT)
        yield start, end if end > start else end + 1440


def hours_of(site: Site) -> str:
    """The site's opening hours, or the default of its kind."""
    return site.opening_hours or DEFAULT_HOURS.get(site.kind, ALWAYS)


def _never(_day: date) -> bool:
    return False


def scheduled(text: str, window: Span, is_school_holiday: IsDay = _never) -> Spans:
    """The time of `window` that is within opening hours, in real seconds over changes of clock.

    Args:
        text: as in `parse_hours`.
        window: microseconds since 1970.
        is_school_holiday: the school calendar; without one there are no school holidays.
    """
    if text == ALWAYS:
        return [window] if window[0] < window[1] else []
    rules = parse_hours(text)
    # One day earlier, since a span may run over midnight.
    day = local(from_us(window[0])).date() - timedelta(days=1)
    last = local(from_us(window[1])).date()
    found: list[Span] = []
    while day <= last:
        for rule in reversed(rules):
            if rule.names(day, is_school_holiday):
                found += [(_at(day, start), _at(day, end)) for start, end in rule.spans]
                break
        day += timedelta(days=1)
    return intersect(union(found), [window])


def _at(day: date, minutes: int) -> int:
    days, minute = divmod(minutes, 1440)
    day += timedelta(days=days)
    clock = datetime(day.year, day.month, day.day, minute // 60, minute % 60, tzinfo=OSLO)
    if local(clock.astimezone(UTC)).hour != clock.hour:
        clock = clock.replace(hour=3, minute=0)  # the clocks skip from 02:00 to 03:00
    return to_us(clock)
