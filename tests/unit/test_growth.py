"""Growth: doubling times with their intervals, no growth, too short, and jumps."""

import math
import random
from datetime import date, timedelta

import pytest

from fleet.core.growth import Reading, Trend, growth_of, student

BEGIN = date(2022, 1, 1)


def series(
    *, months: int = 36, doubles_in: float | None = 24, noise: float = 0.03, seed: int = 0
) -> list[Reading]:
    """A reading a month, with noise of a part of the level."""
    chance = random.Random(seed)
    found = []
    for month in range(months):
        growth = 2 ** (month / doubles_in) if doubles_in else 1.0
        day = BEGIN + timedelta(days=round(month * 365.25 / 12))
        found.append((day, 10 * growth * math.exp(chance.gauss(0, noise))))
    return found


@pytest.mark.parametrize("noise", [0.01, 0.03, 0.1])
def test_what_doubles_in_two_years_is_said_to_in_95_of_100_seeds(noise: float) -> None:
    right = 0
    for seed in range(100):
        doubling = growth_of(series(noise=noise, seed=seed)).doubling_years()
        assert doubling is not None
        years, low, high = doubling
        assert low < years < high
        right += low <= 2.0 <= high
    assert right >= 95


@pytest.mark.parametrize("noise", [0.0, 0.01, 0.03, 0.1])
def test_what_is_flat_does_not_grow_in_all_seeds(noise: float) -> None:
    trends = {
        growth_of(series(doubles_in=None, noise=noise, seed=seed)).trend for seed in range(100)
    }
    assert trends == {Trend.NONE}


def test_noise_that_wanders_gives_no_growth_that_is_not_there() -> None:
    for seed in range(100):
        chance = random.Random(seed)
        wander, found = 0.0, []
        for month in range(36):
            wander = 0.6 * wander + chance.gauss(0, 0.03)
            day = BEGIN + timedelta(days=round(month * 365.25 / 12))
            found.append((day, 10 * math.exp(wander)))
        assert growth_of(found).trend is Trend.NONE


def test_what_is_young_is_too_short() -> None:
    assert growth_of(series(months=5)).trend is Trend.TOO_SHORT
    few_days = [(BEGIN + timedelta(days=n), 10.0 + n) for n in range(100)]
    assert growth_of(few_days).trend is Trend.TOO_SHORT
    assert growth_of([]).trend is Trend.TOO_SHORT


@pytest.mark.parametrize("factor", [0.4, 0.7, 3.0])
def test_a_deleted_archive_or_another_disk_does_not_change_the_growth(factor: float) -> None:
    readings = series()
    after = [(day, amount * (factor if day >= date(2023, 6, 1) else 1)) for day, amount in readings]

    found = growth_of(after)

    doubling = found.doubling_years()
    assert doubling is not None
    assert doubling[1] <= 2.0 <= doubling[2], found
    (jump,) = found.jumps
    assert abs(jump - date(2023, 6, 1)) <= timedelta(days=31)
    assert found.level == pytest.approx(after[-1][1], rel=0.1)


def test_one_odd_reading_is_no_jump() -> None:
    readings = series()
    readings[17] = (readings[17][0], readings[17][1] * 5)

    found = growth_of(readings)

    assert found.jumps == ()
    assert found.trend is Trend.GROWS


def test_when_it_is_full() -> None:
    found = growth_of(series(noise=0.001))
    full = found.full_on(10 * 2**3)  # three doublings from the beginning: six years
    assert full is not None
    day, early, late = full
    assert day is not None
    assert early is not None
    assert late is not None
    assert abs(day - date(2028, 1, 1)) < timedelta(days=20)
    assert early <= day <= late
    assert found.full_on(10 * 2**30) == (None, None, None)
    assert growth_of(series(doubles_in=None)).full_on(99) is None


@pytest.mark.parametrize("doubles_in", [24, None])
def test_what_is_full_has_no_day_in_the_past(doubles_in: float | None) -> None:
    readings = series(doubles_in=doubles_in, noise=0.0)
    assert growth_of(readings).full_on(9.9) == (readings[-1][0],) * 3


def test_what_gets_less_shrinks() -> None:
    found = growth_of(series(doubles_in=-24))
    assert found.trend is Trend.SHRINKS
    assert found.doubling_years() is None
    assert found.percent_a_year == pytest.approx(-29.3, abs=2)


@pytest.mark.parametrize(
    ("part", "freedom", "value"),
    [(0.975, 4, 2.776), (0.975, 10, 2.228), (0.975, 34, 2.032), (0.9995, 10, 4.587)],
)
def test_students_t_as_in_the_tables(part: float, freedom: int, value: float) -> None:
    assert student(part, freedom) == pytest.approx(value, rel=0.01)
