"""Batteries (UPS-MIB, RFC 1628; PowerNet-MIB of APC; XUPS-MIB of Eaton) and power over Ethernet."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any

from fleet.core.facts.values import not_negative
from fleet.core.walk import Table, Value, Walk, oid

_UPS = oid("1.3.6.1.2.1.33.1")
_STATUS = (*_UPS, 2, 1, 0)
_MINUTES = (*_UPS, 2, 3, 0)
_CHARGE = (*_UPS, 2, 4, 0)
_SOURCE = (*_UPS, 4, 1, 0)
_LOAD = (*_UPS, 4, 4, 1, 5)

_APC = oid("1.3.6.1.4.1.318.1.1.1")
_APC_STATUS = (*_APC, 2, 1, 1, 0)
_APC_CHARGE = (*_APC, 2, 2, 1, 0)
_APC_RUNTIME = (*_APC, 2, 2, 3, 0)  # 1/100 s
_APC_OUTPUT = (*_APC, 4, 1, 1, 0)
_APC_LOAD = (*_APC, 4, 2, 3, 0)

_EATON = oid("1.3.6.1.4.1.534.1")
_EATON_RUNTIME = (*_EATON, 2, 1, 0)  # s
_EATON_CHARGE = (*_EATON, 2, 4, 0)
_EATON_BATTERY = (*_EATON, 2, 5, 0)
_EATON_LOAD = (*_EATON, 4, 1, 0)
_EATON_SOURCE = (*_EATON, 4, 5, 0)

UPS_SCALARS = (_STATUS, _MINUTES, _CHARGE, _SOURCE)
APC_SCALARS = (_APC_STATUS, _APC_CHARGE, _APC_RUNTIME, _APC_OUTPUT, _APC_LOAD)
EATON_SCALARS = (_EATON_RUNTIME, _EATON_CHARGE, _EATON_BATTERY, _EATON_LOAD, _EATON_SOURCE)
UPS = Table(name="ups output", columns=(_LOAD,))

_POE_PORT = oid("1.3.6.1.2.1.105.1.1.1.6")  # pethPsePortDetectionStatus, by group and port
_POE_MAIN = tuple((*oid("1.3.6.1.2.1.105.1.3.1.1"), n) for n in (2, 4))
POE = (
    Table(name="poe ports", columns=(_POE_PORT,)),
    Table(name="poe", columns=_POE_MAIN),
)

_BATTERY = {1: "unknown", 2: "normal", 3: "low", 4: "depleted"}
_APC_BATTERY = {1: "unknown", 2: "normal", 3: "low", 4: "fault"}
_ON_BATTERY = 5  # upsOutputSource; the same number in xupsOutputSource
_APC_ON_BATTERY = frozenset({3, 15})  # upsBasicOutputStatus: onBattery, onBatteryTest
_APC_ON_LINE = frozenset(
    {2, 4, 6, 9, 10, 12, 13, 14, 16, 17, 18, 19, 20}
)  # on line, boosting, trimming, bypassed
_DELIVERING = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Power:
    """The battery of a UPS."""

    battery_status: str | None = None
    on_battery: bool | None = None
    charge_percent: int | None = None
    runtime_min: int | None = None
    load_percent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PoeSupply:
    """What a switch can give to the devices at its ports, and gives now."""

    group: int
    capacity_w: int | None = None
    used_w: int | None = None
    ports_delivering: int = 0


def read_power(walk: Walk) -> Power | None:
    """The battery; the maker's own rows where they say more than the standard's."""
    found = [p for p in (_standard(walk), _apc(walk), _eaton(walk)) if p != Power()]
    if not found:
        return None
    return Power(**{f.name: _first(getattr(p, f.name) for p in found) for f in fields(Power)})


def _first(values: Iterable[Any]) -> Any:
    return next((value for value in values if value is not None), None)


def _standard(walk: Walk) -> Power:
    source = not_negative(walk.get(_SOURCE))
    loads = [v for v in walk.column(_LOAD).values() if isinstance(v, int) and v >= 0]
    return Power(
        battery_status=_named(_BATTERY, walk.get(_STATUS)),
        on_battery=source == _ON_BATTERY if source and source > 1 else None,
        charge_percent=_percent(walk.get(_CHARGE)),
        runtime_min=_known(walk.get(_MINUTES)),
        load_percent=_load(max(loads)) if loads else None,
    )


def _apc(walk: Walk) -> Power:
    output = not_negative(walk.get(_APC_OUTPUT))
    is_known = output in _APC_ON_BATTERY | _APC_ON_LINE
    return Power(
        battery_status=_named(_APC_BATTERY, walk.get(_APC_STATUS)),
        on_battery=output in _APC_ON_BATTERY if is_known else None,
        charge_percent=_percent(walk.get(_APC_CHARGE)),
        runtime_min=_divided(walk.get(_APC_RUNTIME), 6000),
        load_percent=_load(walk.get(_APC_LOAD)),
    )


def _eaton(walk: Walk) -> Power:
    source = not_negative(walk.get(_EATON_SOURCE))
    return Power(
        on_battery=source == _ON_BATTERY if source and source > 1 else None,
        charge_percent=_percent(walk.get(_EATON_CHARGE)),
        runtime_min=_divided(walk.get(_EATON_RUNTIME), 60),
        load_percent=_load(walk.get(_EATON_LOAD)),
    )


def _named(names: dict[int, str], value: Value | None) -> str | None:
    return names.get(value) if isinstance(value, int) else None


def _percent(value: Value | None) -> int | None:
    return value if isinstance(value, int) and 0 <= value <= 100 else None


_UNKNOWN = frozenset({65_535, 2**31 - 1, 2**32 - 1})  # what makers write for "not known"


def _known(value: Value | None) -> int | None:
    found = not_negative(value)
    return None if found in _UNKNOWN else found


def _load(value: Value | None) -> int | None:
    """In percent; an overload is possible, a tenfold one is not."""
    found = _known(value)
    return found if found is None or found < 1000 else None


def _divided(value: Value | None, by: int) -> int | None:
    found = _known(value)
    return None if found is None else found // by


def read_poe(walk: Walk) -> Iterator[PoeSupply]:
    """The supplies, one for each group of ports."""
    delivering: dict[int, int] = {}
    for index, status in walk.column(_POE_PORT).items():
        if status == _DELIVERING:
            delivering[index[0]] = delivering.get(index[0], 0) + 1
    for index, (capacity, used) in walk.rows(*_POE_MAIN):
        yield PoeSupply(
            group=index[0],
            capacity_w=not_negative(capacity),
            used_w=not_negative(used),
            ports_delivering=delivering.get(index[0], 0),
        )
