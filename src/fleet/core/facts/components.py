"""What a device is made of, and its sensors (ENTITY-MIB, RFC 6933; ENTITY-SENSOR, RFC 3433)."""

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.core.facts.values import choice, text
from fleet.core.walk import Table, Value, Walk, oid

_ENTITY = oid("1.3.6.1.2.1.47.1.1.1.1")
_DESCR, ENTITY_CLASS, _NAME, _HARDWARE, _FIRMWARE, _SOFTWARE, _SERIAL, _MAKER, _MODEL = _FIELDS = (
    tuple((*_ENTITY, n) for n in (2, 5, 7, 8, 9, 10, 11, 12, 13))
)
_SENSOR = tuple((*oid("1.3.6.1.2.1.99.1.1.1"), n) for n in range(1, 6))

COMPONENTS = Table(name="components", columns=_FIELDS)
SENSORS = Table(name="sensors", columns=_SENSOR)

_CLASSES = {
    1: "other",
    2: "unknown",
    3: "chassis",
    4: "backplane",
    5: "container",
    6: "power_supply",
    7: "fan",
    8: "sensor",
    9: "module",
    10: "port",
    11: "stack",
    12: "cpu",
    13: "energy_object",
    14: "battery",
    15: "storage_drive",
}
_KINDS = {
    3: ("voltage", "V"),
    4: ("voltage", "V"),
    5: ("current", "A"),
    6: ("power", "W"),
    7: ("frequency", "Hz"),
    8: ("temperature", "°C"),
    9: ("humidity", "%"),
    10: ("fan", "rpm"),
    11: ("airflow", "m³/min"),
    12: ("state", ""),
}
_UNITS = 9  # EntitySensorDataScale: units; each step is a factor of 1,000
_OK = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """A physical part: a chassis, a module, a power supply, a port …"""

    index: int
    name: str | None = None
    class_: str | None = None
    description: str | None = None
    model: str | None = None
    serial: str | None = None
    maker: str | None = None
    hardware: str | None = None  # revisions
    firmware: str | None = None
    software: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sensor:
    """What a sensor measures now; None while it does not work."""

    name: str | None
    kind: str
    value: float | None
    unit: str


def read_components(walk: Walk) -> Iterator[Component]:
    """All parts in the order of their index."""
    for index, row in walk.rows(*_FIELDS):
        cells = dict(zip(_FIELDS, row, strict=True))
        if len(index) != 1:
            continue
        yield Component(
            index=index[0],
            name=text(cells[_NAME]),
            class_=choice(_CLASSES, cells[ENTITY_CLASS]),
            description=text(cells[_DESCR]),
            model=text(cells[_MODEL]),
            serial=text(cells[_SERIAL]),
            maker=text(cells[_MAKER]),
            hardware=text(cells[_HARDWARE]),
            firmware=text(cells[_FIRMWARE]),
            software=text(cells[_SOFTWARE]),
        )


def read_sensors(walk: Walk) -> Iterator[Sensor]:
    """The sensors that say what they measure."""
    for index, (kind, scale, precision, value, status) in walk.rows(*_SENSOR):
        if not isinstance(kind, int) or kind not in _KINDS:
            continue
        name, unit = _KINDS[kind]
        works = status in (None, _OK)
        yield Sensor(
            name=text(walk.column(_NAME).get(index)) or text(walk.column(_DESCR).get(index)),
            kind=name,
            value=_measured(value, scale, precision) if works else None,
            unit=unit,
        )


def _measured(value: Value | None, scale: Value | None, precision: Value | None) -> float | None:
    if not isinstance(value, int) or abs(value) >= 1_000_000_000:  # the limits mean overflow
        return None
    power = 3 * (scale - _UNITS) if isinstance(scale, int) and 1 <= scale <= 17 else 0
    # Negative precisions say how many digits are accurate, and shift nothing (RFC 3433).
    power -= precision if isinstance(precision, int) and 1 <= precision <= 9 else 0
    return round(value * 10.0**power, 9)
