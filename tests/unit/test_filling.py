"""How what was measured fills up, alone and in sums."""

import random
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction

import pytest

from fleet.core.filling import Component, Resource, fill_each, fill_groups
from fleet.core.growth import Trend

BEGIN = date(2024, 1, 1)
TB = 1e12


def disk(
    device: str = "nas1",
    site: str = "dc",
    *,
    years: float | None = 2.0,
    days: int = 700,
    level: float = 2 * TB,
    parts: dict[str, Fraction] | None = None,
    services: tuple[str, ...] = (),
    gaps: range = range(0),
    noise: float = 0.0,
) -> Component:
    """A disk of ten terabytes that doubles in so many years; None: it stays as it is."""
    draw = random.Random(device)
    used = {
        BEGIN + timedelta(days=n): level
        * (2 ** (n / 365.25 / years) if years else 1.0)
        * (1 + draw.gauss(0, noise))
        for n in range(days)
        if n not in gaps
    }
    return Component(
        device=device,
        site=site,
        name="/",
        resource=Resource.STORAGE,
        used=used,
        size=10 * TB,
        parts=parts or {"aure": Fraction(1)},
        services=services,
    )


def test_a_disk_that_doubles_in_two_years_says_when_it_is_full() -> None:
    (found,) = fill_each([disk(noise=0.01)])
    doubling = found.growth.doubling_years()
    assert doubling is not None and doubling[1] <= 2.0 <= doubling[2]
    assert found.full is not None and found.full[0] is not None
    # log2(10 / 2) doublings of two years each.
    assert abs(found.full[0] - date(2028, 8, 22)) < timedelta(days=20)


def test_a_flat_disk_is_never_full() -> None:
    (found,) = fill_each([disk(years=None, noise=0.01)])
    assert (found.growth.trend, found.full) == (Trend.NONE, None)


@pytest.mark.parametrize(("days", "trend"), [(60, Trend.TOO_SHORT), (700, Trend.NONE)])
def test_what_is_full_by_now_is_so_whatever_its_growth(days: int, trend: Trend) -> None:
    (found,) = fill_each([disk(years=None, days=days, level=10 * TB)])
    last = max(disk(days=days).used)
    assert (found.growth.trend, found.is_full) == (trend, True)
    assert found.full == (last - timedelta(days=last.weekday()),) * 3


def test_a_young_one_is_too_short() -> None:
    (found,) = fill_each([disk(days=100)])
    assert found.growth.trend is Trend.TOO_SHORT


def test_the_parts_of_members_add_up_to_what_is_used() -> None:
    parts = {"aure": Fraction(1, 3), "smola": Fraction(1, 7), "shared": Fraction(11, 21)}
    disks = [disk(parts=parts), disk("nas2", "school", level=TB)]
    members = fill_groups(disks, "member")
    sites = fill_groups(disks, "site")
    assert {m.name for m in members} == {"aure", "smola", "shared"}
    used = sum(m.used for m in members)
    assert used == pytest.approx(sum(s.used for s in sites), rel=1e-12)
    assert used == pytest.approx(sum(one.used for one in fill_each(disks)), rel=1e-12)
    assert sum(m.size or 0 for m in members) == pytest.approx(20 * TB)


def test_a_device_that_was_not_heard_of_for_a_while_is_no_growth_of_the_sum() -> None:
    whole = fill_groups([disk(), disk("nas2")], "site")[0].growth
    (found,) = fill_groups([disk(), disk("nas2", gaps=range(200, 420))], "site")
    assert found.growth.jumps == ()
    assert found.growth.a_year == pytest.approx(whole.a_year, rel=0.02)


def test_a_device_that_is_silent_these_days_has_still_what_it_had() -> None:
    disks = [disk(years=None), disk("nas2", years=None, days=688)]
    (found,) = fill_groups(disks, "site")
    assert (found.used, found.size) == (4 * TB, 20 * TB)


def test_a_disk_that_was_taken_out_is_in_no_sum_any_more() -> None:
    old = replace(disk(years=None, days=600), name="/old")
    (found,) = fill_groups([disk(years=None), old], "site")
    assert (found.used, found.size) == (2 * TB, 10 * TB)
    assert [one.name for one in fill_each([disk(), old])] == ["nas1 : /"]


def test_a_device_that_has_been_silent_for_months_is_in_no_sum_any_more() -> None:
    (found,) = fill_groups([disk(years=None), disk("nas2", years=None, days=600)], "site")
    assert (found.used, found.size) == (2 * TB, 10 * TB)


def test_nothing_is_made_up_where_nobody_was_heard_of() -> None:
    (found,) = fill_groups([disk(gaps=range(200, 420))], "site")
    assert found.growth.readings == pytest.approx(100 - 220 / 7, abs=2)


def test_a_service_has_what_its_devices_have() -> None:
    found = fill_groups([disk(services=("mail", "files")), disk("nas2")], "service")
    assert [one.name for one in found] == ["files", "mail"]


def test_processors_are_a_mean_and_no_sum() -> None:
    def load(device: str, percent: float, part: Fraction) -> Component:
        used = {BEGIN + timedelta(days=n): percent for n in range(300)}
        return Component(
            device=device,
            site="dc",
            name="",
            resource=Resource.PROCESSOR,
            used=used,
            size=100.0,
            parts={"aure": part},
        )

    loads = [load("srv1", 20, Fraction(1)), load("srv2", 60, Fraction(1, 2))]
    (site,) = fill_groups(loads, "site")
    (member,) = fill_groups(loads, "member")
    assert (site.used, site.size) == (40, 100)
    assert member.used == pytest.approx((20 + 30) / 1.5)
