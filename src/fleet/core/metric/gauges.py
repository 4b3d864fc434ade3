"""Gauges of a walk: storage, memory, processors, supplies, batteries, sensors, PoE."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import fmean

from fleet.core.facts.components import SENSORS, read_sensors
from fleet.core.facts.host import PROCESSORS, STORAGES, Storage, read_processors, read_storages
from fleet.core.facts.power import POE, UPS, read_poe, read_power
from fleet.core.facts.printer import PAGES, SUPPLIES, count_pages, read_supplies
from fleet.core.metric.kinds import (
    HUMIDITY,
    MEMORY_SIZE,
    MEMORY_USED,
    METRICS,
    MISSING,
    PAGES_PRINTED,
    POE_POWER,
    PROCESSOR,
    STORAGE_SIZE,
    STORAGE_USED,
    SUPPLY,
    TEMPERATURE,
    UPS_CHARGE,
    UPS_LOAD,
    UPS_RUNTIME,
    Key,
)
from fleet.core.walk import Oid, Table, Value, Walk, oid

_SENSOR_NAMES = Table(name="sensor names", columns=(oid("1.3.6.1.2.1.47.1.1.1.1.7"),))
_POE_POWER = POE[1]
STANDARD = (STORAGES, PROCESSORS, SUPPLIES, PAGES, UPS, SENSORS, _POE_POWER)
"""Tables of the standards that gauges are read from."""

_DISKS = frozenset({"fixed_disk", "network_disk", "flash_memory"})
# The kernel's own folders, packages that are mounted and are full by nature, layers of containers.
_NO_DISK = re.compile(r"/(dev|proc|run|snap|sys)(/|$)|/var/lib/(containerd|docker|kubelet)/")
_LARGEST = 1e18  # octets: an exabyte
_NOT_IN_USE = ("cached memory", "memory buffers")  # net-snmp counts them as used


class Rows(StrEnum):
    """What becomes of several rows."""

    PARTS = "parts"
    SUM = "sum"
    BUSIEST = "busiest"


@dataclass(frozen=True, slots=True, kw_only=True)
class Own:
    """What a maker's devices measure in rows of their own.

    Args:
        object_ids: how their sysObjectID begins.
        scalar: a value with its instance; or
        column: of a table.
        free: a column; with it the column is what is used, and both together the size.
        size: a scalar: of what the other one is a part.
        factor: what one is in the metric's unit.
    """

    metric: str
    object_ids: tuple[Oid, ...]
    scalar: Oid | None = None
    column: Oid | None = None
    free: Oid | None = None
    size: Oid | None = None
    factor: float = 1.0
    part: str = ""
    rows: Rows = Rows.PARTS

    @property
    def table(self) -> Table | None:
        """What to ask for row by row."""
        if self.column is None:
            return None
        columns = (self.column,) if self.free is None else (self.column, self.free)
        return Table(name=".".join(map(str, self.column)), columns=columns)

    @property
    def scalars(self) -> tuple[Oid, ...]:
        return tuple(name for name in (self.scalar, self.size) if name is not None)

    def fits(self, object_id: str) -> bool:
        return any(
            f"{object_id}.".startswith(".".join(map(str, one)) + ".") for one in self.object_ids
        )


def tables_with(tables: Iterable[Table]) -> tuple[Table, ...]:
    """Tables, and those without which their rows have no names."""
    found = tuple(tables)
    return (*found, _SENSOR_NAMES) if SENSORS in found else found


def read_gauges(walk: Walk, owns: Sequence[Own]) -> dict[Key, int]:
    """What the gauges of a walk say, as whole numbers with the metric's digits.

    Parts that have one name are told apart by a number. What two of the makers' rows say of one
    thing is taken from the first.
    """
    found: dict[Key, int] = {}
    standard = (*_of_host(walk), *_of_printer(walk), *_of_power(walk), *_of_sensors(walk))
    for metric, part, value in standard:
        key, number = Key(metric, part), 1
        while key in found:
            number += 1
            key = Key(metric, f"{part} #{number}")
        found[key] = _digits(metric, value)
    for metric, part, value in _of_owns(walk, owns):
        found.setdefault(Key(metric, part), _digits(metric, value))
    return found


def _digits(metric: str, value: float) -> int:
    """The whole number that is kept; MISSING for what is so large that the device is wrong."""
    return round(value * 10.0 ** METRICS[metric].digits) if abs(value) < _LARGEST else MISSING


Gauge = tuple[str, str, float]


def _of_host(walk: Walk) -> Iterator[Gauge]:
    storages = list(read_storages(walk))
    for one in storages:
        if one.kind not in _DISKS or not one.name or _NO_DISK.match(one.name):
            continue
        if one.size_bytes and one.used_bytes is not None:
            yield STORAGE_USED, one.name, one.used_bytes
            yield STORAGE_SIZE, one.name, one.size_bytes
    memory = next((one for one in storages if one.kind == "ram" and one.size_bytes), None)
    if memory is not None and memory.size_bytes and memory.used_bytes is not None:
        yield MEMORY_USED, "", max(memory.used_bytes - _not_in_use(storages), 0)
        yield MEMORY_SIZE, "", memory.size_bytes
    if loads := [load for load in read_processors(walk) if 0 <= load <= 100]:
        yield PROCESSOR, "", fmean(loads)


def _not_in_use(storages: Iterable[Storage]) -> int:
    names = {(one.name or "").lower(): one.used_bytes or 0 for one in storages}
    return sum(names.get(name, 0) for name in _NOT_IN_USE)


def _of_printer(walk: Walk) -> Iterator[Gauge]:
    for number, one in enumerate(read_supplies(walk), start=1):
        if one.level_percent is not None and 0 <= one.level_percent <= 100:
            yield SUPPLY, one.name or str(number), one.level_percent
    if (pages := count_pages(walk)) is not None:
        yield PAGES_PRINTED, "", pages


def _of_power(walk: Walk) -> Iterator[Gauge]:
    if (power := read_power(walk)) is not None:
        for metric, value in (
            (UPS_LOAD, power.load_percent),
            (UPS_CHARGE, power.charge_percent),
            (UPS_RUNTIME, power.runtime_min),
        ):
            if value is not None:
                yield metric, "", value
    for supply in read_poe(walk):
        if supply.used_w is not None:
            yield POE_POWER, str(supply.group), supply.used_w


_SENSED = {"temperature": TEMPERATURE, "humidity": HUMIDITY}


def _of_sensors(walk: Walk) -> Iterator[Gauge]:
    for number, sensor in enumerate(read_sensors(walk), start=1):
        metric = _SENSED.get(sensor.kind)
        if metric and sensor.value is not None and -100 < sensor.value < 1000:
            yield metric, sensor.name or str(number), sensor.value


def _of_owns(walk: Walk, owns: Iterable[Own]) -> Iterator[Gauge]:
    for own in owns:
        if own.scalar is not None:
            if (value := _number(walk.get(own.scalar))) is not None:
                yield own.metric, own.part, value * own.factor
                yield from _size(walk, own)
        elif own.column is not None:
            yield from _of_column(walk, own, own.column)


def _size(walk: Walk, own: Own) -> Iterator[Gauge]:
    if own.size is not None and (size := _number(walk.get(own.size))) is not None:
        yield MEMORY_SIZE, own.part, size * own.factor


def _of_column(walk: Walk, own: Own, column: Oid) -> Iterator[Gauge]:
    cells = {index: _number(cell) for index, cell in sorted(walk.column(column).items())}
    rows = [(index, value) for index, value in cells.items() if value is not None]
    if own.rows is not Rows.PARTS:
        if values := [value for _, value in rows]:
            value = sum(values) if own.rows is Rows.SUM else max(values)
            yield own.metric, own.part, value * own.factor
        return
    free = walk.column(own.free) if own.free is not None else {}
    for index, value in rows:
        part = own.part if len(cells) == 1 else f"{own.part} {'.'.join(map(str, index))}".strip()
        yield own.metric, part, value * own.factor
        if own.metric == MEMORY_USED and (rest := _number(free.get(index))) is not None:
            yield MEMORY_SIZE, part, (value + rest) * own.factor


def _number(value: Value | None) -> int | None:
    """A count; the limits of 32 bits, and less than nothing, say that nobody knows."""
    return value if isinstance(value, int) and 0 <= value < 2**31 - 1 else None
