"""Limits of what is measured: what wobbles at a limit is told once."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest

from fleet.core.conditions import Condition
from fleet.core.limit import Limit, Watched
from fleet.core.limits import BEYOND, look_at_limits
from fleet.core.metric.kinds import (
    METRICS,
    MISSING,
    STORAGE_SIZE,
    STORAGE_USED,
    SUPPLY,
    TEMPERATURE,
    UPS_CHARGE,
    Key,
)
from fleet.core.metric.reading import Layout, Sample

AT = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)
CYCLE = timedelta(minutes=5)
LIMITS = {
    Watched.STORAGE: Limit(90, 85),
    Watched.TONER: Limit(10, 20),
    Watched.BATTERY: Limit(50, 90),
    Watched.TEMPERATURE: Limit(30, 27),
}


def states(key: Key, values: list[float | None], role: str = "switch") -> list[str | None]:
    """What is seen of a series, value by value; None: nothing is kept."""
    before: dict[str, Condition] = {}
    found: list[str | None] = []
    for number, value in enumerate(values):
        digits = 10.0 ** METRICS[key.metric].digits
        kept = MISSING if value is None else round(value * digits)
        gauges = {key: kept}
        if key.metric == STORAGE_USED:
            gauges[Key(STORAGE_SIZE, key.part)] = 100
        seen = _look(gauges, before, number * CYCLE, role)
        before |= seen
        found.append(next((one.state for one in seen.values()), None))
    return found


def _look(
    gauges: Mapping[Key, int], before: Mapping[str, Condition], after: timedelta, role: str
) -> dict[str, Condition]:
    values = list(gauges.values())
    sample = Sample(at_us=0, span_cs=0, layout=Layout((), tuple(gauges)), values=values)
    seen = look_at_limits("x", role, AT + after, sample, LIMITS, before)
    return {
        s.subject: Condition(
            device=s.device, subject=s.subject, state=s.state, since=s.at, last_at=s.at
        )
        for s in seen
    }


def test_a_part_that_is_gone_is_well_after_a_day() -> None:
    full = {Key(STORAGE_USED, "/old"): 95, Key(STORAGE_SIZE, "/old"): 100}
    before = _look(full, {}, CYCLE, "server")
    new = {Key(STORAGE_USED, "/new"): 40, Key(STORAGE_SIZE, "/new"): 100}
    assert _look(new, before, timedelta(hours=12), "server") == {}  # it was not read this time
    after = _look(new, before, timedelta(hours=25), "server")
    assert [(s, c.state) for s, c in after.items()] == [("limit storage /old", "normal")]


@pytest.mark.parametrize(
    ("key", "values", "expected"),
    [
        (
            Key(STORAGE_USED, "/"),
            [80, 89, 90, 89, 91, 86, 85, 89, 90],
            [None, None, BEYOND, BEYOND, BEYOND, BEYOND, "normal", "normal", BEYOND],
        ),
        (
            Key(SUPPLY, "Black Toner"),
            [30, 11, 10, 15, 19, 100],
            [None, None, BEYOND, BEYOND, BEYOND, "normal"],
        ),
        (Key(UPS_CHARGE, ""), [100, 50, 60, 90], [None, BEYOND, BEYOND, "normal"]),
        (Key(TEMPERATURE, "Inlet"), [26, 30.0, 29.9, 27], [None, BEYOND, BEYOND, "normal"]),
    ],
)
def test_beyond_at_one_value_and_back_at_another(
    key: Key, values: list[float | None], expected: list[str | None]
) -> None:
    assert states(key, values) == expected


def test_a_value_that_is_not_known_changes_nothing() -> None:
    assert states(Key(STORAGE_USED, "/"), [95, None, 95]) == [BEYOND, None, BEYOND]


@pytest.mark.parametrize(
    ("role", "part", "is_told"),
    [
        ("switch", "CPU", False),
        ("switch", "Switch 1 - HotSpot Temp Sensor", False),
        ("server", "System Inlet", True),
        ("sensor", "1", True),
        ("ups", "probe 1", True),
        ("sensor", "Serverrom", True),
        ("server", "EEPROM", False),
        ("server", "Exhaust Air Temp", False),
        ("switch", "Air Outlet", False),
        ("sensor", "Utblåsning", False),
    ],
)
def test_only_rooms_can_be_too_warm(role: str, part: str, is_told: bool) -> None:
    found = states(Key(TEMPERATURE, part), [70], role=role)
    assert found == [BEYOND if is_told else None]


def test_a_full_waste_box_is_no_empty_toner() -> None:
    assert states(Key(SUPPLY, "Waste Toner Box"), [0]) == [None]
