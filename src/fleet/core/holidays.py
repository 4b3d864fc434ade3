"""Norwegian public holidays.

Source: Lov om helligdager og helligdagsfred (LOV-1995-02-24-12) § 2, and Lov om 1 og 17 mai
(LOV-1947-04-26-1). 24 and 31 December are ordinary days.
"""

from datetime import date, timedelta
from functools import cache

_FIXED = ((1, 1), (5, 1), (5, 17), (12, 25), (12, 26))
# Maundy Thursday, Good Friday, Easter Sunday and Monday, Ascension, Whit Sunday and Monday
_FROM_EASTER = (-3, -2, 0, 1, 39, 49, 50)


@cache
def holidays(year: int) -> frozenset[date]:
    """The public holidays of a year."""
    easter = easter_sunday(year)
    return frozenset(date(year, month, day) for month, day in _FIXED) | {
        easter + timedelta(days=days) for days in _FROM_EASTER
    }


def is_holiday(day: date) -> bool:
    """Whether a day is a public holiday in Norway."""
    return day in holidays(day.year)


def easter_sunday(year: int) -> date:
    """Easter Sunday of the Gregorian calendar (Meeus/Jones/Butcher)."""
    a, (b, c) = year % 19, divmod(year, 100)
    d, e = divmod(b, 4)
    g = (8 * b + 13) // 25
    h = (19 * a + b - d - g + 15) % 30
    i, k = divmod(c, 4)
    weekday = (32 + 2 * e + 2 * i - h - k) % 7
    m = (a + 11 * h + 22 * weekday) // 451
    month, day = divmod(h + weekday - 7 * m + 114, 31)
    return date(year, month, day + 1)
