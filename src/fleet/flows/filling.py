"""What was measured of storage, processors and lines, day by day, with whose it is."""

from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import date, timedelta
from fractions import Fraction
from typing import TYPE_CHECKING

from fleet.core.capacity import Capacity, shares
from fleet.core.filling import Component, Resource
from fleet.core.inventory import Device, Inventory
from fleet.core.metric.kinds import (
    IN_TRAFFIC,
    OUT_TRAFFIC,
    PROCESSOR,
    STORAGE_SIZE,
    STORAGE_USED,
    TRAFFIC,
    Key,
)
from fleet.core.moment import to_instant, to_us
from fleet.core.ports import port_key
from fleet.core.traffic import line_of

if TYPE_CHECKING:
    from fleet.metrics.reader import Bucket, MetricReader
    from fleet.store.reader import Reader

_YEARS = 3
_WANTED = {STORAGE_USED, STORAGE_SIZE, PROCESSOR, *TRAFFIC}


def components(
    metrics: "MetricReader",
    reader: "Reader",
    inventory: Inventory,
    devices: Iterable[Device],
    capacities: Collection[Capacity],
    today: date,
) -> Iterator[Component]:
    """Disks, processors, and the lines by which sites are joined, of some devices."""
    first = today - timedelta(days=round(365.25 * _YEARS))
    since = to_us(to_instant(first))
    lines = _lines(inventory, reader)
    services: dict[str, list[str]] = {}
    for service in inventory.services.values():
        for name in service.needs if not service.retired else ():
            services.setdefault(name, []).append(service.slug)
    numbers = metrics.devices()
    for device in devices:
        if device.name not in numbers:
            continue
        own = lines.get(device.name, {})
        keys = [
            key
            for key in metrics.keys(numbers[device.name], since)
            if key.metric in _WANTED and (key.metric not in TRAFFIC or port_key(key.part) in own)
        ]
        found = metrics.days(numbers[device.name], keys, first, today) if keys else {}
        parts = _parts(inventory, device, capacities, today)
        leaning = tuple(sorted(services.get(device.name, ())))
        for key, days in found.items():
            if days and (made := _component(device, key, found, own)):
                resource, name, used, busy, size = made
                yield Component(
                    device=device.name,
                    site=device.site,
                    name=name,
                    resource=resource,
                    used=used,
                    busy=busy,
                    size=size,
                    parts=parts,
                    services=leaning,
                )


_Made = tuple[Resource, str, dict[date, float], dict[date, float] | None, float | None]


def _component(
    device: Device,
    key: Key,
    found: "Mapping[Key, list[Bucket]]",
    lines: Mapping[str, float | None],
) -> _Made | None:
    days = found[key]
    if key.metric == STORAGE_USED:
        sizes = found.get(Key(STORAGE_SIZE, key.part))
        size = sizes[-1].mean if sizes else None
        return Resource.STORAGE, key.part, _means(days), None, size
    if key.metric == PROCESSOR:
        return Resource.PROCESSOR, key.part, _means(days), None, 100.0
    if key.metric == IN_TRAFFIC:
        back = found.get(Key(OUT_TRAFFIC, key.part), [])
        used, busy = _means(days), {date.fromordinal(b.time): b.busy for b in days}
        for bucket in back:
            day = date.fromordinal(bucket.time)
            used[day] = used.get(day, 0.0) + bucket.mean
            busy[day] = max(busy.get(day, 0.0), bucket.busy)
        return Resource.TRAFFIC, key.part, used, busy, lines.get(port_key(key.part))
    return None


def _means(days: "Iterable[Bucket]") -> dict[date, float]:
    return {date.fromordinal(bucket.time): bucket.mean for bucket in days}


def _lines(inventory: Inventory, reader: "Reader") -> dict[str, dict[str, float | None]]:
    """Ports that lead to other sites, by device, with what they carry, bit/s."""
    found: dict[str, dict[str, float | None]] = {}
    for link in inventory.links.values():
        ends = inventory.end(link.a), inventory.end(link.b)
        if link.retired or ends[0].site == ends[1].site:
            continue
        for end in ends:
            if end.device and end.interface:
                carries = link.capacity_mbps * 1e6 if link.capacity_mbps else None
                found.setdefault(end.device, {})[port_key(end.interface)] = carries
    for device, (_, facts) in reader.facts(list(found)).items():
        own = found[device]
        for interface in facts.interfaces if facts else ():
            if (key := port_key(interface.name)) in own:
                own[key] = line_of(interface.speed_mbps, own[key])
    return found


def _parts(
    inventory: Inventory, device: Device, capacities: Collection[Capacity], today: date
) -> dict[str, Fraction]:
    """Whose a device is: its owner's, or as was said of the capacity that it holds."""
    held = [one for one in capacities if one.host == device.name]
    said = [share for share in shares(held, today) if share.part]
    if not said:
        return {inventory.owner_of(device) or "shared": Fraction(1)}
    found: dict[str, Fraction] = {}
    for share in said:
        found[share.member] = found.get(share.member, Fraction()) + share.part / len(
            {s.capacity for s in said}
        )
    return found
