"""Words, numbers and dates of a report in one language: nb, nn or en."""

import tomllib
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from functools import cache
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime, get_day_names, get_month_names
from babel.numbers import format_decimal

from fleet.core.moment import OSLO, local

LANGUAGES = ("nb", "nn", "en")
_FOLDER = Path(__file__).parent / "wording"
_LOCALES = {"nb": "nb_NO", "nn": "nn_NO", "en": "en_GB"}


@dataclass(frozen=True)
class Words:
    """How one language says things."""

    language: str
    texts: dict[str, str]

    def __call__(self, key: str, **values: object) -> str:
        return self.texts[key].format(**values)

    @property
    def _locale(self) -> Locale:
        return Locale.parse(_LOCALES[self.language])

    def percent(self, text: str | None) -> str:
        """`99.86` with the language's decimal mark; «not measured» for None."""
        if text is None:
            return self("not_measured")
        return text.replace(".", "." if self.language == "en" else ",") + "\N{NO-BREAK SPACE}%"

    def number(self, value: int) -> str:
        return str(format_decimal(value, locale=self._locale))

    def money(self, ore: int) -> str:
        """Kroner with øre."""
        kroner = format_decimal(Decimal(ore) / 100, format="#,##0.00", locale=self._locale)
        return (
            f"{kroner}\N{NO-BREAK SPACE}kr"
            if self.language != "en"
            else f"NOK\N{NO-BREAK SPACE}{kroner}"
        )

    def duration(self, seconds: int | None) -> str:
        """Hours and minutes, or seconds if it is less than a minute; `–` for None."""
        if seconds is None:
            return "–"
        if seconds < 60:
            return f"{seconds} {self('second')}"
        hours, rest = divmod(seconds, 3600)
        minutes = f"{rest // 60} {self('minute')}"
        return f"{self.number(hours)} {self('hour')} {minutes}" if hours else minutes

    def hours(self, seconds: int) -> str:
        """So short that it fits into a day of a calendar: hours, or minutes under one."""
        if seconds < 60:
            return f"{seconds} {self('second')}"
        if seconds < 3600:
            return f"{seconds // 60} {self('minute')}"
        return f"{seconds // 3600} {self('hour')}"

    def weekdays(self) -> list[str]:
        """The days of the week, short, Monday first."""
        names = get_day_names("abbreviated", locale=self._locale)
        return [str(names[day]).rstrip(".") for day in range(7)]

    def months(self) -> list[str]:
        """The months, January first."""
        names = get_month_names("wide", context="stand-alone", locale=self._locale)
        return [str(names[month]) for month in range(1, 13)]

    def decimal(self, text: str) -> str:
        """A number with the language's decimal mark."""
        return text if self.language == "en" else text.replace(".", ",")

    def measure(self, text: str) -> str:
        """A number with its unit, which stay on one line."""
        return self.decimal(text).replace(" ", "\N{NO-BREAK SPACE}")

    def day(self, day: date) -> str:
        return str(format_date(day, format="long", locale=self._locale))

    def instant(self, instant: datetime) -> str:
        return str(
            format_datetime(local(instant), format="medium", tzinfo=OSLO, locale=self._locale)
        )

    def period(self, begin: datetime, end: datetime) -> str:
        """The days of a half-open period; with times if it does not begin and end at midnight."""
        first, last = local(begin), local(end)
        if any((first.hour, first.minute, first.second, last.hour, last.minute, last.second)):
            return f"{self.instant(begin)} – {self.instant(end)}"
        last -= timedelta(days=1)
        if first.date() == last.date():
            return self.day(first.date())
        return f"{self.day(first.date())} – {self.day(last.date())}"


@cache
def words(language: str) -> Words:
    """The catalogue of a language."""
    text = (_FOLDER / f"{language}.toml").read_text(encoding="utf-8")
    return Words(language, tomllib.loads(text))
