"""The page on capacity: what is full when."""

from collections.abc import Mapping, Sequence
from datetime import date

from fleet.core.filling import Filling, Resource
from fleet.core.growth import Growth, Trend
from fleet.core.units import bits, octets
from fleet.report.look import Look
from fleet.report.tables_page import Section, render_tables
from fleet.report.words import Words, words

_UNITS = {Resource.STORAGE: octets, Resource.TRAFFIC: bits, Resource.PROCESSOR: "{:.0f} %".format}
_COLUMNS = ("used", "size", "growth", "doubles", "full")


def render_filling(
    found: Sequence[Filling], by: str, day: date, look: Look, names: Mapping[str, str]
) -> str:
    """The page.

    Args:
        found: in the order in which they are shown.
        by: "device", "site", "member" or "service".
        names: of sites, members and services, by slug.
    """
    say = words(look.language)
    sections = [
        Section(
            head=say(f"filling_{resource.value}"),
            note=say(f"filling_{resource.value}_note"),
            columns=[say(f"name_{by}"), *(say(f"filling_{name}") for name in _COLUMNS)],
            rows=[_row(one, say, names) for one in found if one.resource is resource],
            none=say("filling_none"),
        )
        for resource in Resource
    ]
    return render_tables(
        look, say("filling_title"), say.day(day), sections, [say("filling_method")]
    )


def _row(one: Filling, say: Words, names: Mapping[str, str]) -> list[str]:
    form = _UNITS[one.resource]
    return [
        names.get(one.name, one.name),
        say.measure(form(one.used)),
        "–" if one.size is None else say.measure(form(one.size)),
        _growth(one.growth, say),
        _doubles(one.growth, say),
        _full(one, say),
    ]


def _growth(growth: Growth, say: Words) -> str:
    if growth.trend is Trend.TOO_SHORT:
        return say("filling_too_short")
    if growth.trend is Trend.NONE:
        return say("filling_no_growth")
    percent = growth.percent_a_year
    sign = "+" if percent > 0 else "\N{MINUS SIGN}"
    return say("filling_a_year", percent=sign + say.percent(f"{abs(percent):.1f}"))


def _doubles(growth: Growth, say: Words) -> str:
    years = growth.doubling_years()
    if years is None:
        return "–"
    mean, low, high = (say.decimal(f"{number:.1f}") for number in years)
    return say("filling_years", mean=mean, low=low, high=high)


def _full(one: Filling, say: Words) -> str:
    if one.is_full:
        return say("filling_now")
    if one.full is None:
        return "–"
    day, low, high = (say("filling_later") if d is None else say.day(d) for d in one.full)
    return day if one.full[0] is None else f"{day} ({low} – {high})"
