"""UPSes and rooms as they are now, and what they carried over some days."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from fleet.core.conditions import BATTERY
from fleet.core.electricity import Room, Ups
from fleet.core.facts import Facts
from fleet.core.inventory import Device, Inventory
from fleet.core.limit import Limits, Watched
from fleet.core.limits import BEYOND, is_of_room, limit_subject
from fleet.core.metric.kinds import (
    HUMIDITY,
    METRICS,
    TEMPERATURE,
    UPS_CHARGE,
    UPS_LOAD,
    UPS_POWER,
    UPS_RUNTIME,
    Key,
)
from fleet.core.moment import local, to_instant, to_us
from fleet.flows.poll_plan import of_now
from fleet.flows.traffic import Days
from fleet.metrics.extent import extents

if TYPE_CHECKING:
    from fleet.flows.status import Situation
    from fleet.metrics.extent import Extent
    from fleet.metrics.reader import MetricReader
    from fleet.store.reader import Reader

_ROLES = frozenset({"ups", "pdu"})
_UPS = (UPS_CHARGE, UPS_LOAD, UPS_RUNTIME, UPS_POWER)
_ROOM = (TEMPERATURE, HUMIDITY)


@dataclass(frozen=True, slots=True)
class _Measured:
    """What is known of a device: the newest values, and how they were over the days."""

    now: Mapping[Key, float]
    days: "Mapping[Key, Extent]"

    def newest(self, metric: str) -> int | None:
        values = [value for key, value in self.now.items() if key.metric == metric]
        return round(values[0]) if values else None


class Electricity:
    """UPSes, PDUs and rooms of some devices.

    Args:
        metrics: None: nothing was measured; what devices said of themselves is known still.
        interval: of polls.
    """

    def __init__(
        self,
        metrics: "MetricReader | None",
        reader: "Reader",
        situation: "Situation",
        devices: Iterable[Device],
        days: Days,
        limits: Limits,
        interval: timedelta,
    ) -> None:
        self._metrics = metrics
        self._recent = of_now(interval)
        self._numbers = metrics.devices() if metrics else {}
        self._situation = situation
        self._days = days
        self._limits = limits
        own = list(devices)
        self._facts = reader.facts([d.name for d in own if d.role in _ROLES])
        conditions = situation.conditions
        self._batteries = {c.device: c for c in conditions if c.subject == BATTERY}
        self._beyond = {(c.device, c.subject) for c in conditions if c.state == BEYOND}
        self.upses: list[Ups] = []
        self.rooms: list[Room] = []
        for device in own:
            known = self._of(device)
            if device.retired and not known.days:
                continue  # it was not there in these days
            if device.role in _ROLES:
                self.upses.append(self._ups(device, known))
            self.rooms += self._rooms(device, known)

    @property
    def _inventory(self) -> Inventory:
        return self._situation.inventory

    def _of(self, device: Device) -> _Measured:
        number = self._numbers.get(device.name)
        if self._metrics is None or number is None:
            return _Measured({}, {})
        now = self._situation.now
        span = (to_us(now - self._recent), to_us(now) + 1)
        since = min(span[0], self._days.span[0])
        keys = [k for k in self._metrics.keys(number, since) if k.metric in (*_UPS, *_ROOM)]
        if not keys:
            return _Measured({}, {})
        newest = {
            key: series[-1][1]
            for key, series in self._metrics.samples(number, keys, *span).items()
            if series
        }
        first, last = self._days.first, self._days.last
        wanted = frozenset(keys)
        months = self._metrics.months(number, first, last)
        over = extents(months, first.toordinal(), last.toordinal(), wanted.__contains__)
        return _Measured(newest, over)

    def _ups(self, device: Device, known: _Measured) -> Ups:
        facts: Facts | None = self._facts.get(device.name, (0, None))[1]
        power = facts.power if facts else None
        battery = facts.battery if facts else None
        condition = None if device.retired else self._batteries.get(device.name)
        watts = [one for key, one in known.days.items() if key.metric == UPS_POWER]
        put_in = battery.replaced_on if battery else None
        if put_in is None and device.role == "ups" and device.commissioned is not None:
            put_in = local(to_instant(device.commissioned)).date()
        return Ups(
            device=device.name,
            site=device.site,
            member=self._inventory.owner_of(device) or "",
            state=condition.state if condition else None,
            since=condition.since if condition else None,
            minutes_left=_first(known.newest(UPS_RUNTIME), power.runtime_min if power else None),
            charge=_first(known.newest(UPS_CHARGE), power.charge_percent if power else None),
            load=_first(known.newest(UPS_LOAD), power.load_percent if power else None),
            battery_from=put_in,
            must_be_replaced=battery.must_be_replaced if battery else None,
            self_test=battery.self_test if battery else None,
            self_test_on=battery.self_test_on if battery else None,
            watts=sum(one.mean for one in watts) if watts else None,
            hours=max((one.known_s for one in watts), default=0) / 3600,
        )

    def _rooms(self, device: Device, known: _Measured) -> Iterator[Room]:
        limit = self._limits.get(Watched.TEMPERATURE)
        for key in sorted({*known.now, *known.days}):
            if key.metric not in _ROOM or not is_of_room(device.role, key.part):
                continue
            is_warmth = key.metric == TEMPERATURE
            subject = limit_subject(Watched.TEMPERATURE, key.part)
            value, over = known.now.get(key), known.days.get(key)
            yield Room(
                device=device.name,
                site=device.site,
                member=self._inventory.sites[device.site].member,
                name=key.part,
                metric=key.metric,
                unit=METRICS[key.metric].unit,
                value=value,
                high=over.high if over else None,
                limit=limit.at if limit and is_warmth else None,
                is_beyond=is_warmth and (device.name, subject) in self._beyond,
            )


def _first(measured: int | None, said: int | None) -> int | None:
    return said if measured is None else measured
