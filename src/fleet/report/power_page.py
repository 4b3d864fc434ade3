"""The page on power: batteries, what the load costs, rooms."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from fleet.core.conditions import LOW, ON_BATTERY
from fleet.core.electricity import Load, Room, Ups
from fleet.core.facts.battery import FAILED, WARNING
from fleet.report.look import Look
from fleet.report.tables_page import Section, render_tables
from fleet.report.words import Words, words


@dataclass(frozen=True, slots=True, kw_only=True)
class PowerPage:
    """What the page shows.

    Args:
        days: first and last, included.
        today: on which batteries are as old as they are.
        loads: by member.
    """

    days: tuple[date, date]
    today: date
    upses: Sequence[Ups]
    loads: Sequence[Load]
    rooms: Sequence[Room]
    life_years: float
    kwh_price: float


def render_power(page: PowerPage, look: Look, names: Mapping[str, str]) -> str:
    """The page.

    Args:
        names: of sites and members, by slug.
    """
    say = words(look.language)
    sections = [_loads(page, say, names)]
    if not look.is_public:  # no machine, and no room, is anybody's business
        batteries = (
            _on_battery(page, say, names),
            _old(page, say, names),
            _tests(page, say, names),
        )
        sections = [*batteries, *sections, _rooms(page, say, names)]
    period = f"{say.day(page.days[0])} – {say.day(page.days[1])}"
    return render_tables(look, say("power_title"), period, sections, [say("power_method")])


def _on_battery(page: PowerPage, say: Words, names: Mapping[str, str]) -> Section:
    mute = sum(one.is_mute for one in page.upses)
    known = say("power_mute", mute=say.number(mute), all=say.number(len(page.upses)))
    rows = [
        (
            one.device,
            names.get(one.site, one.site),
            say.instant(one.since) if one.since else "–",
            "–" if one.minutes_left is None else say.number(one.minutes_left),
            "–" if one.charge is None else say.percent(str(one.charge)),
        )
        for one in page.upses
        if one.state in (ON_BATTERY, LOW)
    ]
    columns = ("device", "place", "since", "minutes", "charge")
    if mute:
        return _section(say, "on_battery", columns, rows, note=known, none="")
    return _section(say, "on_battery", columns, rows)


def _old(page: PowerPage, say: Words, names: Mapping[str, str]) -> Section:
    rows = [
        (
            one.device,
            names.get(one.site, one.site),
            say.day(one.battery_from) if one.battery_from else "–",
            say.decimal(f"{age:.1f}") if (age := one.age_years(page.today)) else "–",
        )
        for one in page.upses
        if one.is_old(page.today, page.life_years)
    ]
    note = say("power_old_note", years=say.decimal(f"{page.life_years:g}"))
    return _section(say, "old", ("device", "place", "from", "years"), rows, note=note)


def _tests(page: PowerPage, say: Words, names: Mapping[str, str]) -> Section:
    rows = [
        (
            one.device,
            names.get(one.site, one.site),
            say(f"power_test_{one.self_test}"),
            say.day(one.self_test_on) if one.self_test_on else "–",
        )
        for one in page.upses
        if one.self_test in (WARNING, FAILED)
    ]
    return _section(say, "tests", ("device", "place", "result", "on"), rows)


def _loads(page: PowerPage, say: Words, names: Mapping[str, str]) -> Section:
    rows = [
        (
            names.get(one.name, one.name),
            say.measure(f"{one.watts:.0f} W"),
            say.measure(f"{one.kwh:.1f} kWh"),
            f"{say.number(round(one.year_kwh))}\N{NO-BREAK SPACE}kWh",
            say.money(one.year_ore),
        )
        for one in page.loads
    ]
    note = say("power_loads_note", price=say.decimal(f"{page.kwh_price:g}"))
    columns = ("member", "watts", "kwh", "year_kwh", "year_cost")
    return _section(say, "loads", columns, rows, note=note)


def _rooms(page: PowerPage, say: Words, names: Mapping[str, str]) -> Section:
    def value(number: float | None, unit: str) -> str:
        return "–" if number is None else say.measure(f"{number:.1f} {unit}")

    rows = [
        (
            one.device,
            names.get(one.site, one.site),
            one.name or "–",
            *(value(number, one.unit) for number in (one.value, one.high, one.limit)),
        )
        for one in page.rooms
    ]
    return _section(say, "rooms", ("device", "place", "sensor", "now", "high", "limit"), rows)


def _section(
    say: Words,
    name: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str]],
    *,
    note: str = "",
    none: str | None = None,
) -> Section:
    return Section(
        head=say(f"power_{name}"),
        note=note,
        columns=[say(f"power_{column}") for column in columns],
        rows=rows,
        none=say("traffic_none") if none is None else none,
    )
