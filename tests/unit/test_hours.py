"""Service hours with hand-counted seconds, over holidays and changes of the clock."""

from datetime import date

import pytest

from fleet.core.holidays import easter_sunday, holidays
from fleet.core.hours import DEFAULT_HOURS, parse_hours, scheduled
from fleet.core.inventory import SiteKind
from fleet.core.moment import to_us
from fleet.core.spans import SECOND, Span, total
from fleet.errors import Malformed

HOUR = 3600


def seconds(text: str, period: Span) -> int:
    return total(scheduled(text, period)) // SECOND


def span(first: date, last: date) -> Span:
    return to_us(first), to_us(last)


def test_the_holidays_of_2026() -> None:
    assert easter_sunday(2026) == date(2026, 4, 5)
    assert sorted(holidays(2026)) == [
        date(2026, 1, 1),
        date(2026, 4, 2),
        date(2026, 4, 3),
        date(2026, 4, 5),
        date(2026, 4, 6),
        date(2026, 5, 1),
        date(2026, 5, 14),
        date(2026, 5, 17),
        date(2026, 5, 24),
        date(2026, 5, 25),
        date(2026, 12, 25),
        date(2026, 12, 26),
    ]


@pytest.mark.parametrize(("year", "day"), [(1981, 419), (2000, 423), (2008, 323), (2038, 425)])
def test_easter_as_the_almanac_has_it(year: int, day: int) -> None:
    assert easter_sunday(year) == date(year, *divmod(day, 100))


def test_months_have_their_real_length() -> None:
    assert seconds("24/7", span(date(2026, 3, 1), date(2026, 4, 1))) == 743 * HOUR
    assert seconds("24/7", span(date(2026, 10, 1), date(2026, 11, 1))) == 745 * HOUR
    # A night watch works an hour less, and an hour more.
    assert seconds("Mo-Su 00:00-06:00", span(date(2026, 3, 29), date(2026, 3, 30))) == 5 * HOUR
    assert seconds("Mo-Su 00:00-06:00", span(date(2026, 10, 25), date(2026, 10, 26))) == 7 * HOUR


def test_hours_that_begin_or_end_in_the_skipped_hour() -> None:
    night = span(date(2026, 3, 29), date(2026, 3, 30))

    assert seconds("Mo-Su 00:00-02:30", night) == 2 * HOUR
    assert seconds("Mo-Su 02:30-10:00", night) == 7 * HOUR


def test_a_kindergarten_in_april_2026() -> None:
    # 22 weekdays, less Maundy Thursday, Good Friday and Easter Monday, 10.5 hours each.
    text = DEFAULT_HOURS[SiteKind.KINDERGARTEN]

    assert seconds(text, span(date(2026, 4, 1), date(2026, 5, 1))) == 19 * 37_800


def test_holidays_count_unless_the_hours_say_otherwise() -> None:
    maundy_thursday = span(date(2026, 4, 2), date(2026, 4, 3))

    assert seconds("Mo-Fr 08:00-16:00", maundy_thursday) == 8 * HOUR
    assert seconds("Mo-Fr 08:00-16:00; PH off", maundy_thursday) == 0
    assert seconds("Mo-Fr 08:00-16:00; PH 10:00-12:00", maundy_thursday) == 2 * HOUR


def test_the_last_rule_for_a_day_decides() -> None:
    week = span(date(2026, 6, 1), date(2026, 6, 8))

    assert seconds("Mo-Fr 08:00-12:00,12:30-16:00; We 10:00-12:00", week) == (4 * 7.5 + 2) * HOUR
    assert seconds("Mo-Su 08:00-22:00; Sa-Su off", week) == 5 * 14 * HOUR
    assert seconds("Fr-Mo 00:00-24:00", week) == 4 * 24 * HOUR


def test_a_span_over_midnight_belongs_to_the_day_on_which_it_begins() -> None:
    assert seconds("Su 22:00-06:00", span(date(2026, 6, 8), date(2026, 6, 9))) == 6 * HOUR
    assert seconds("Su 22:00-06:00", span(date(2026, 6, 7), date(2026, 6, 9))) == 8 * HOUR


def test_school_holidays_come_from_a_calendar() -> None:
    monday = span(date(2026, 6, 1), date(2026, 6, 2))
    text = DEFAULT_HOURS[SiteKind.SCHOOL]

    assert total(scheduled(text, monday)) == 9 * HOUR * SECOND
    assert total(scheduled(text, monday, lambda day: day == date(2026, 6, 1))) == 0


@pytest.mark.parametrize(
    "text", ["", "Mo", "08:00", "Mo-Fr 8-16", "Xx 08:00-16:00", "Mo 25:00-26:00", "Mo 08:60-09:00"]
)
def test_what_is_outside_the_subset_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        parse_hours(text)
