"""Batteries and electricity: what is on battery, which are old, what the load costs."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal

_YEAR_DAYS = 365.25
_YEAR_H = 8766


@dataclass(frozen=True, slots=True, kw_only=True)
class Ups:
    """A UPS, or a PDU that measures.

    Args:
        state: of its battery: on battery, low, normal; None: not known now.
        since: when that began.
        minutes_left: that its battery lasts at this load.
        charge, load: per cent.
        battery_from: when its batteries were put in; as the UPS says, else when it was itself.
        must_be_replaced: the UPS says so.
        self_test: passed, warning or failed; on which day, where that is known.
        watts: on average over the period; None: it does not say.
        hours: of the period that were measured.
    """

    device: str
    site: str
    member: str
    state: str | None = None
    since: datetime | None = None
    minutes_left: int | None = None
    charge: int | None = None
    load: int | None = None
    battery_from: date | None = None
    must_be_replaced: bool | None = None
    self_test: str | None = None
    self_test_on: date | None = None
    watts: float | None = None
    hours: float = 0.0

    @property
    def kwh(self) -> float | None:
        """In the hours that were measured."""
        return None if self.watts is None else self.watts * self.hours / 1000

    @property
    def is_mute(self) -> bool:
        """Whether nobody knows how it is now; a PDU has no battery, but what it carries."""
        battery = (self.minutes_left, self.charge, self.battery_from)
        is_pdu = all(one is None for one in battery) and (self.watts, self.load) != (None, None)
        return self.state is None and not is_pdu

    def age_years(self, today: date) -> float | None:
        """Of its batteries."""
        if self.battery_from is None:
            return None
        return (today - self.battery_from).days / _YEAR_DAYS

    def is_old(self, today: date, life_years: float) -> bool:
        """Whether its batteries are beyond their life, or the UPS wants new ones."""
        age = self.age_years(today)
        return bool(self.must_be_replaced) or (age is not None and age >= life_years)


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """A sensor in a room.

    Args:
        value: now; None: nothing was measured of late.
        high: of the period; None: none of its days is known.
        limit: from which on somebody is told; None: nobody is.
    """

    device: str
    site: str
    member: str
    name: str
    metric: str
    unit: str
    value: float | None
    high: float | None
    limit: float | None
    is_beyond: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What some UPSes carry together.

    Args:
        watts: on average.
        kwh: in the hours that were measured.
        year_kwh, year_ore: in a year, if it goes on like that.
    """

    name: str
    devices: int
    watts: float
    kwh: float
    year_kwh: float
    year_ore: int


def loads(every: Sequence[Ups], of: Callable[[Ups], str], kwh_price: float) -> list[Load]:
    """Sums, the largest first; those that do not say what they carry are left out."""
    groups: dict[str, list[Ups]] = {}
    for one in every:
        if one.watts is not None:
            groups.setdefault(of(one), []).append(one)
    found = []
    for name, own in groups.items():
        watts = sum(one.watts or 0.0 for one in own)
        year = watts * _YEAR_H / 1000
        found.append(
            Load(
                name=name,
                devices=len(own),
                watts=watts,
                kwh=sum(one.kwh or 0.0 for one in own),
                year_kwh=year,
                year_ore=_ore(year, kwh_price),
            )
        )
    return sorted(found, key=lambda one: (-one.watts, one.name))


def _ore(kwh: float, price: float) -> int:
    kroner = Decimal(str(price)) * Decimal(str(kwh))
    return int((100 * kroner).quantize(Decimal(1), rounding=ROUND_HALF_UP))


def without_fed(every: Iterable[Ups], fed_by: Callable[[str], str | None]) -> list[Ups]:
    """Those that carry what is not counted already: not the PDU behind a UPS that measures."""
    known = list(every)
    measuring = {one.device for one in known if one.watts is not None}

    def is_behind(name: str) -> bool:
        seen = {name}
        above = fed_by(name)
        while above is not None and above not in seen:
            if above in measuring:
                return True
            seen.add(above)
            above = fed_by(above)
        return False

    return [one for one in known if not is_behind(one.device)]
