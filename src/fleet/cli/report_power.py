"""`fleet report power`"""

from collections.abc import Callable, Mapping, Sequence
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
from fleet.core.conditions import LOW, ON_BATTERY
from fleet.core.electricity import Load, Room, Ups, loads, without_fed
from fleet.core.facts.battery import FAILED, WARNING
from fleet.core.inventory import Device
from fleet.core.moment import local, short_text, text_of
from fleet.core.record import Record
from fleet.errors import Malformed, NotFound, RemoteError
from fleet.flows.lookup import Scope, select
from fleet.report.look import Look


class By(StrEnum):
    DEVICE = "device"
    SITE = "site"
    MEMBER = "member"


_BAD_TESTS = (WARNING, FAILED)
_LOADS = {
    "name": "Name",
    "devices": "Devices",
    "mean_w": "W",
    "kwh": "kWh",
    "year_kwh": "kWh a year",
    "year_nok": "NOK a year",
}


def power(
    from_: FromOption = None,
    to: ToOption = None,
    month: MonthOption = None,
    yesterday: YesterdayOption = False,
    by: Annotated[
        By, typer.Option("--by", help="Site, member: load, energy and what it costs.")
    ] = By.DEVICE,
    member: MemberOption = None,
    site: SiteOption = None,
    language: LanguageOption = None,
    public: PublicOption = False,
    out: PageOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """What is on battery, which batteries are old, what the load costs, which rooms are warm.

    Energy is that of the last 30 days, or of a period; what it costs in a year is by
    `report.kwh_price`. Batteries are old after `report.battery_years`, or when the UPS says so.

    \b
    Example:
      fleet report power
      fleet report power --by member --month 2026-10
      fleet report power --site krs-dc -o json
      fleet report power --out power.html --language nn
    """
    fleet = open_app()
    made = _make(fleet, member, site, read_days(fleet, from_, to, month, yesterday))
    if out is not None and out.suffix in PAGES:
        inventory = fleet.inventory()
        look = look_of(fleet, inventory.members.get(member or ""), language, public=public)
        _write_page(made, look, names_of(inventory, "site", "member"), out)
    elif public and by is By.DEVICE:
        hint = "--by site, --by member, or --out FILE.html"
        raise Malformed("of single machines nothing is public", hint=hint)
    elif by is not By.DEVICE:
        rows = made.loads(by)
        give_rows(rows, _LOADS, out, output, title="power")
        if not rows:
            note("no UPS or PDU here said in these days what it carries")
    elif out is not None or output is Output.CSV:
        give_rows([made.record(one) for one in made.upses], {}, out, output, title="power")
    elif output is Output.TABLE:
        _show(made)
    else:
        show_value(_document(made), output)


class _Made:
    """The figures, with the settings that they are judged by."""

    def __init__(
        self,
        upses: Sequence[Ups],
        rooms: Sequence[Room],
        fed_by: Callable[[str], str | None],
        days: tuple[date, date],
        today: date,
        life_years: float,
        kwh_price: float,
    ) -> None:
        self.upses = upses
        self.rooms = rooms
        self.days = days
        self.kwh_price = kwh_price
        self.life_years = life_years
        self.today = today
        self._fed_by = fed_by

    def loads(self, by: By) -> list[Record]:
        """Sums by site or member, without what is counted already."""
        return [_load(one) for one in self.sums(by)]

    def sums(self, by: By) -> list[Load]:
        every = without_fed(self.upses, self._fed_by)
        name = "site" if by is By.SITE else "member"
        return loads(every, lambda ups: getattr(ups, name), self.kwh_price)

    def is_old(self, ups: Ups) -> bool:
        return ups.is_old(self.today, self.life_years)

    def record(self, ups: Ups) -> Record:
        """One UPS as JSON."""
        age = ups.age_years(self.today)
        return {
            "device": ups.device,
            "site": ups.site,
            "member": ups.member,
            "state": ups.state,
            "since": text_of(ups.since) if ups.since else None,
            "minutes_left": ups.minutes_left,
            "charge_percent": ups.charge,
            "load_percent": ups.load,
            "battery_from": ups.battery_from.isoformat() if ups.battery_from else None,
            "battery_age_years": None if age is None else round(age, 1),
            "battery_old": self.is_old(ups),
            "self_test": ups.self_test,
            "self_test_on": ups.self_test_on.isoformat() if ups.self_test_on else None,
            "mean_w": None if ups.watts is None else round(ups.watts),
            "kwh": None if ups.kwh is None else round(ups.kwh, 1),
            "measured_h": round(ups.hours, 1),
        }


def _make(fleet: App, member: str | None, site: str | None, days: tuple[date, date]) -> _Made:
    """Raises NotFound: there is no UPS, and nothing that measures a room."""
    from fleet.flows.electricity import Electricity
    from fleet.flows.status import open_situation
    from fleet.flows.traffic import Days

    inventory = inventory_with(fleet, member)
    assert fleet.reader is not None
    settings = fleet.workspace.settings
    # A month that is over stays as it was when one of its devices is taken away.
    found = select(inventory, "device", Scope(member=member, site=site, retired_too=True))
    devices = [d for d in found if isinstance(d, Device)]
    situation = open_situation(
        fleet.reader, fleet.now(), settings.poll.interval, settings.poll.from_site
    )
    try:
        metrics = fleet.metrics()
    except RemoteError as error:  # what UPSes say of themselves is known still
        note(f"what was measured cannot be read: {error.message}")
        metrics = None
    try:
        known = Electricity(
            metrics,
            fleet.reader,
            situation,
            devices,
            Days(*days),
            settings.limits.values(),
            settings.poll.interval,
        )
    finally:
        if metrics is not None:
            metrics.close()
    if not known.upses and not known.rooms:
        raise NotFound("there is no UPS here", hint="devices with the role ups or pdu")

    def fed_by(name: str) -> str | None:
        device = inventory.devices.get(name)
        return device.fed_by if device else None

    return _Made(
        known.upses,
        known.rooms,
        fed_by,
        days,
        local(fleet.now()).date(),
        settings.report.battery_years,
        settings.report.kwh_price,
    )


def _write_page(made: _Made, look: Look, names: Mapping[str, str], out: Path) -> None:
    from fleet.report.power_page import PowerPage, render_power

    page = PowerPage(
        days=made.days,
        today=made.today,
        upses=made.upses,
        loads=made.sums(By.MEMBER),
        rooms=made.rooms,
        life_years=made.life_years,
        kwh_price=made.kwh_price,
    )
    write_page(out, render_power(page, look, names))


def _load(one: Load) -> Record:
    return {
        "name": one.name,
        "devices": one.devices,
        "mean_w": round(one.watts),
        "kwh": round(one.kwh, 1),
        "year_kwh": round(one.year_kwh),
        "year_nok": f"{one.year_ore // 100}.{one.year_ore % 100:02}",
    }


def _document(made: _Made) -> Record:
    first, last = (day.isoformat() for day in made.days)
    return {
        "from": first,
        "to": last,
        "kwh_price": made.kwh_price,
        "battery_years": made.life_years,
        "ups": [made.record(one) for one in made.upses],
        "sites": made.loads(By.SITE),
        "members": made.loads(By.MEMBER),
        "rooms": [_room(one) for one in made.rooms],
    }


def _room(one: Room) -> Record:
    return {
        "device": one.device,
        "site": one.site,
        "member": one.member,
        "sensor": one.name or None,
        "metric": one.metric,
        "unit": one.unit,
        "value": one.value,
        "high": None if one.high is None else round(one.high, 1),
        "limit": one.limit,
        "beyond": one.is_beyond,
    }


_NAMED = 5
_WHERE = {"device": "Device", "site": "Site"}
_BATTERY = {"since": "Since", "minutes_left": "Minutes left", "charge_percent": "Charge %"}
_AGE = {"battery_from": "Batteries from", "battery_age_years": "Years", "wanted": "UPS says"}
_TEST = {"self_test": "Self-test", "self_test_on": "On"}
_CARRIED = {"load_percent": "Load %", "mean_w": "W", "kwh": "kWh"}
_ROOM = {"sensor": "Sensor", "now": "Now", "highest": "Highest", "told": "Limit"}


def _show(made: _Made) -> None:
    note(f"{made.days[0]} to {made.days[1]}; electricity at NOK {made.kwh_price:g} a kWh")
    upses = [(one, _shown(one, made)) for one in made.upses]
    if mute := [one.device for one in made.upses if one.is_mute]:
        more = f" and {len(mute) - _NAMED} more" if len(mute) > _NAMED else ""
        count = f"{len(mute)} of {len(made.upses)}"
        say(f"nothing is known now of {count}: {', '.join(mute[:_NAMED])}{more}")
    _section(
        "on battery now",
        [row for one, row in upses if one.state in (ON_BATTERY, LOW)],
        {**_WHERE, "state": "Battery", **_BATTERY},
    )
    _section(
        f"batteries older than {made.life_years:g} years",
        sorted((row for one, row in upses if made.is_old(one)), key=_by_age),
        {**_WHERE, **_AGE},
    )
    _section(
        "self-tests that did not pass",
        [row for one, row in upses if one.self_test in _BAD_TESTS],
        {**_WHERE, **_TEST},
    )
    _section(
        "load",
        [row for one, row in upses if one.watts is not None or one.load is not None],
        {**_WHERE, **_CARRIED},
    )
    _section("by member", made.loads(By.MEMBER), _LOADS)
    _section("rooms", [_room_shown(one) for one in made.rooms], {**_WHERE, **_ROOM})


def _by_age(row: Row) -> str:
    return str(row["battery_from"] or "")


def _section(head: str, rows: Sequence[Row], columns: dict[str, str]) -> None:
    say(f"{head}:" if rows else f"{head}: none")
    if rows:
        show_table(rows, columns)


def _shown(one: Ups, made: _Made) -> Row:
    return {
        **made.record(one),
        "since": short_text(one.since) if one.since else None,
        "wanted": "replace" if one.must_be_replaced else None,
    }


def _room_shown(one: Room) -> Row:
    beyond = " beyond" if one.is_beyond else ""
    return {
        **_room(one),
        "now": None if one.value is None else f"{one.value:g} {one.unit}{beyond}",
        "highest": None if one.high is None else f"{one.high:.1f} {one.unit}",
        "told": None if one.limit is None else f"{one.limit:g} {one.unit}",
    }
