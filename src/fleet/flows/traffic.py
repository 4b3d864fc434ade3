"""Traffic of many ports over some days, from what was measured."""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

from fleet.core.inventory import Device, Inventory
from fleet.core.metric.kinds import (
    FAULTS,
    IN_DISCARDS,
    IN_ERRORS,
    IN_TRAFFIC,
    OUT_DISCARDS,
    OUT_ERRORS,
    OUT_TRAFFIC,
    TRAFFIC,
    Key,
)
from fleet.core.moment import OSLO, from_us, local, to_us
from fleet.core.ports import port_key
from fleet.core.traffic import SILENT_DAYS, VIRTUAL, Flow, List, PortTraffic, line_of, pick
from fleet.metrics.extent import Extent, extents
from fleet.metrics.rollup import percentile

if TYPE_CHECKING:
    from fleet.core.facts.interfaces import SeenInterface
    from fleet.metrics.reader import MetricReader
    from fleet.store.reader import Reader

_BUSY = 0.95
_WANTED = frozenset((*TRAFFIC, *FAULTS))
_ENOUGH = 0.9  # of the days must be known before a port is called silent


@dataclass(frozen=True, slots=True)
class Days:
    """Whole days, both included."""

    first: date
    last: date

    @property
    def span(self) -> tuple[int, int]:
        """Half-open, microseconds since 1970."""
        days = (self.first, self.last + timedelta(days=1))
        begin, end = (to_us(datetime.combine(day, time(), OSLO)) for day in days)
        return begin, end


@dataclass(frozen=True, slots=True)
class _Declared:
    """A port's link in the inventory.

    Args:
        joins: "site" and "member", if its ends are at different ones.
    """

    link: str
    capacity: float | None
    joins: frozenset[str]


class Traffic:
    """The ports of some devices.

    Args:
        devices: whose.
    """

    def __init__(
        self,
        metrics: "MetricReader",
        reader: "Reader",
        inventory: Inventory,
        devices: Collection[Device],
        days: Days,
    ) -> None:
        self._metrics = metrics
        self._days = days
        self._inventory = inventory
        self._numbers = metrics.devices()
        measured = [d for d in devices if d.name in self._numbers]
        self._links = _links(inventory)
        self._facts = reader.facts([d.name for d in measured])
        self.ports = [port for device in measured for port in self._of(device)]

    def lists(self, most: int) -> dict[List, list[PortTraffic]]:
        """The first ones of each list, with percentiles of all samples where these are kept."""
        return {
            List.BUSIEST: [self._exact(p) for p in pick(self.ports, List.BUSIEST, most)],
            List.FULLEST: self._fullest(most),
            List.ERRORS: [self._exact(p) for p in pick(self.ports, List.ERRORS, most)],
            List.SILENT: pick(self.ports, List.SILENT),
        }

    def leading_elsewhere(self, by: str) -> list[PortTraffic]:
        """The ports by which sites, or members, are joined to others.

        Args:
            by: "site" or "member".
        """
        return [
            port
            for port in self.ports
            if (own := self._links.get((port.device, port_key(port.port)))) and by in own.joins
        ]

    def _fullest(self, most: int) -> list[PortTraffic]:
        """No port's percentile over all days is above that of its highest day."""
        found: list[PortTraffic] = []
        for port in pick(self.ports, List.FULLEST):
            if len(found) >= most and (port.fullness or 0) < (found[most - 1].fullness or 0):
                break
            found = pick([*found, self._exact(port)], List.FULLEST)
        return found[:most]

    def _of(self, device: Device) -> Iterator[PortTraffic]:
        number = self._numbers[device.name]
        days = self._days
        quiet_from = days.last - timedelta(days=SILENT_DAYS - 1)
        months = list(self._metrics.months(number, min(days.first, quiet_from), days.last))
        ordinals = (days.first.toordinal(), days.last.toordinal())
        carried = extents(months, *ordinals, lambda key: key.metric in _WANTED)
        quiet = {k for k, one in carried.items() if k.metric == IN_TRAFFIC and one.high == 0}
        long = extents(months, quiet_from.toordinal(), ordinals[1], quiet.__contains__)
        _, facts = self._facts.get(device.name, (0, None))
        seen = {port_key(i.name): i for i in facts.interfaces} if facts else {}
        for key in carried:
            if key.metric != IN_TRAFFIC or Key(OUT_TRAFFIC, key.part) not in carried:
                continue
            interface = seen.get(port_key(key.part))
            if interface is not None and interface.type in VIRTUAL:
                continue
            yield self._port(device, key.part, interface, carried, long)

    def _port(
        self,
        device: Device,
        part: str,
        interface: "SeenInterface | None",
        carried: Mapping[Key, Extent],
        long: Mapping[Key, Extent],
    ) -> PortTraffic:
        declared = self._links.get((device.name, port_key(part)))
        speed = interface.speed_mbps if interface else None
        received, sent = (carried[Key(metric, part)] for metric in TRAFFIC)
        is_up = interface is not None and interface.oper_status == "up"
        return PortTraffic(
            device=device.name,
            port=part,
            site=device.site,
            member=self._inventory.sites[device.site].member,
            link=declared.link if declared else None,
            capacity=line_of(speed, declared.capacity if declared else None),
            since=date.fromordinal(min(received.first, sent.first)),
            known_s=max(received.known_s, sent.known_s),
            received=_flow(received),
            sent=_flow(sent),
            is_exact=False,
            errors=_count(carried, part, (IN_ERRORS, OUT_ERRORS)),
            discards=_count(carried, part, (IN_DISCARDS, OUT_DISCARDS)),
            silent_days=_silent_days(long.get(Key(IN_TRAFFIC, part))) if is_up else None,
        )

    def _exact(self, port: PortTraffic) -> PortTraffic:
        """With percentiles of all samples, where these are kept still."""
        begin, end = self._days.span
        oldest = self._metrics.oldest_sample_us()
        if port.is_exact or oldest is None or local(from_us(oldest)).date() > port.since:
            return port  # samples are forgotten day by day
        keys = [Key(metric, port.port) for metric in TRAFFIC]
        found = self._metrics.samples(self._numbers[port.device], keys, begin, end)
        received, sent = ([value for _, value in found[key]] for key in keys)
        if not received or not sent:
            return port
        return replace(
            port,
            received=replace(port.received, busy=percentile(received, _BUSY)),
            sent=replace(port.sent, busy=percentile(sent, _BUSY)),
            is_exact=True,
        )


def _flow(one: Extent) -> Flow:
    octets = round(one.mean * one.known_s / 8)
    return Flow(mean=one.mean, busy=one.busy, peak=one.high, octets=octets)


def _count(found: Mapping[Key, Extent], part: str, metrics: tuple[str, ...]) -> int:
    own = [found[key] for metric in metrics if (key := Key(metric, part)) in found]
    return round(float(f"{sum(one.mean * one.known_s for one in own):.3g}"))


def _silent_days(one: Extent | None) -> int | None:
    """How long nothing was received, if that is as long as it takes to be called silent."""
    is_silent = one is not None and one.high == 0 and one.days >= _ENOUGH * SILENT_DAYS
    return SILENT_DAYS if is_silent else None


def _links(inventory: Inventory) -> dict[tuple[str, str], _Declared]:
    found = {}
    # What was there tells of what was; of two at one port that counts which is there.
    for key, link in sorted(inventory.links.items(), key=lambda item: not item[1].retired):
        ends = inventory.end(link.a), inventory.end(link.b)
        sites = {end.site for end in ends}
        members = {inventory.sites[slug].member if slug else None for slug in sites}
        joined = {"site": sites, "member": members}
        capacity = link.capacity_mbps * 1e6 if link.capacity_mbps else None
        joins = frozenset(by for by, both in joined.items() if len(both) > 1)
        own = _Declared(link.circuit_id or key, capacity, joins)
        for end in ends:
            if end.device and end.interface:
                found[end.device, port_key(end.interface)] = own
    return found
