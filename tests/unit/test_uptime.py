"""Availability with hand-computed seconds, as fractions."""

from datetime import date
from fractions import Fraction

from fleet.core.hours import scheduled
from fleet.core.moment import parse_moment, to_us
from fleet.core.spans import SECOND, Span
from fleet.core.uptime import Figures, Seen, measure, percent, pool, seconds, site_view

FEBRUARY = (to_us(date(2026, 2, 1)), to_us(date(2026, 3, 1)))
ALWAYS = [(0, 2**62)]


def at(text: str) -> int:
    return to_us(parse_moment(text))


def span(begin: str, end: str) -> Span:
    return at(begin), at(end)


def figures(*down: Span, known: list[Span] | None = None, hours: str = "24/7") -> Figures:
    seen = Seen(lifetime=ALWAYS, known=known or ALWAYS, down=list(down))
    return measure("d", seen, hours=scheduled(hours, FEBRUARY), period=FEBRUARY)


def test_one_hour_of_february() -> None:
    f = figures(span("2026-02-02T10:00", "2026-02-02T11:00"))

    assert seconds(f.scheduled) == 28 * 86_400
    assert f.availability == Fraction(671, 672)
    assert percent(f.availability) == "99.85"
    assert (f.started, f.resolved, seconds(f.longest), seconds(f.mttr)) == (1, 1, 3600, 3600)
    assert seconds(f.mtbf) == 28 * 86_400 - 3600


def test_percentages_are_truncated_and_100_means_all() -> None:
    assert percent(Fraction(1)) == "100.00"
    assert percent(Fraction(999_999, 1_000_000)) == "99.99"
    assert percent(Fraction(0)) == "0.00"
    assert percent(None) is None


def test_nothing_known_is_not_measured_and_never_0_or_100() -> None:
    f = figures(known=[(0, 1)])

    assert f.availability is None
    assert f.coverage == 0
    assert f.worst_case == 0
    assert not f.is_complete


def test_an_outage_outside_service_hours_is_no_incident_of_the_kindergarten() -> None:
    weekend = span("2026-02-07T12:00", "2026-02-08T12:00")

    f = figures(weekend, hours="Mo-Fr 06:30-17:00; PH off")

    assert (f.downtime, f.started, f.availability) == (0, 0, 1)


def test_an_outage_over_the_weekend_counts_once_with_its_elapsed_time() -> None:
    f = figures(span("2026-02-06T16:00", "2026-02-09T07:30"), hours="Mo-Fr 06:30-17:00; PH off")

    assert seconds(f.downtime) == 2 * 3600  # Friday 16-17, Monday 6:30-7:30
    assert f.started == 1
    assert seconds(f.longest) == 63 * 3600 + 1800
    assert seconds(f.mttr) == 63 * 3600 + 1800


def test_flapping_with_gaps_under_five_minutes_is_one_incident() -> None:
    f = figures(
        span("2026-02-02T10:00", "2026-02-02T10:10"),
        span("2026-02-02T10:14:59", "2026-02-02T10:20"),
        span("2026-02-02T10:25", "2026-02-02T10:30"),
    )

    assert f.started == 2
    assert seconds(f.downtime) == 600 + 301 + 300


def test_an_incident_counts_where_it_begins_and_its_seconds_where_they_fall() -> None:
    over_new_month = span("2026-01-31T23:00", "2026-02-01T02:00")

    f = figures(over_new_month)

    assert (f.started, f.resolved) == (0, 1)
    assert seconds(f.downtime) == 2 * 3600
    assert seconds(f.mttr) == 3 * 3600
    assert f.mtbf is None


def test_an_outage_of_which_nobody_saw_the_end_is_not_resolved() -> None:
    cut = span("2026-02-02T10:00", "2026-02-02T11:00")

    f = figures(cut, known=[(FEBRUARY[0], cut[1])])

    assert (f.started, f.resolved, f.mttr) == (1, 0, None)


def test_unknown_time_is_neither_up_nor_down() -> None:
    known = [(FEBRUARY[0], at("2026-02-15"))]

    f = figures(span("2026-02-02T10:00", "2026-02-02T11:00"), known=known)

    assert f.coverage == Fraction(1, 2)
    assert f.availability == Fraction(335, 336)
    assert f.worst_case == Fraction(335, 672)
    assert not f.is_complete


def test_coverage_of_98_percent_is_complete() -> None:
    length = FEBRUARY[1] - FEBRUARY[0]
    enough = [(FEBRUARY[0], FEBRUARY[0] + length * 98 // 100)]
    short = [(FEBRUARY[0], FEBRUARY[0] + length * 98 // 100 - SECOND)]

    assert figures(known=enough).is_complete
    assert not figures(known=short).is_complete


def test_totals_are_pooled_seconds_not_the_mean_of_percentages() -> None:
    school = figures(span("2026-02-02T08:00", "2026-02-02T10:00"), hours="Mo-Fr 08:00-10:00")
    home = figures()

    both = pool("both", [school, home])

    assert school.availability == Fraction(19, 20)
    assert both.availability == Fraction(20 * 2 + 672 - 2, 20 * 2 + 672)


def test_maintenance_is_intersected_and_never_hides_an_outage_outside_its_window() -> None:
    seen = Seen(lifetime=ALWAYS, known=ALWAYS, down=[span("2026-02-02T10:00", "2026-02-02T11:00")])

    f = measure(
        "d",
        seen,
        hours=scheduled("24/7", FEBRUARY),
        period=FEBRUARY,
        maintenance=[span("2026-02-02T09:00", "2026-02-02T10:30")],
    )

    assert (seconds(f.maintenance), seconds(f.downtime)) == (5400, 1800)


def test_a_site_is_down_only_while_all_its_edge_devices_are() -> None:
    a = Seen(lifetime=[(0, 100)], known=[(0, 100)], down=[(10, 40)])
    b = Seen(lifetime=[(0, 100)], known=[(0, 20), (30, 100)], down=[(35, 60)])

    site = site_view([a, b])

    assert site.down == [(35, 40)]
    assert site.known == [(0, 100)]


def test_a_device_counts_only_as_long_as_it_lived() -> None:
    old = Seen(lifetime=[(0, 50)], known=[(0, 50)], down=[(40, 50)])
    new = Seen(lifetime=[(50, 100)], known=[(50, 100)], down=[])

    assert site_view([old, new]).down == [(40, 50)]


def test_the_months_in_which_the_clocks_change() -> None:
    for begin, end, hours in (("2026-03-01", "2026-04-01", 743), ("2026-10-01", "2026-11-01", 745)):
        period = (at(begin), at(end))
        down = (period[0], period[0] + 3600 * SECOND)
        seen = Seen(lifetime=ALWAYS, known=ALWAYS, down=[down])
        f = measure("d", seen, hours=scheduled("24/7", period), period=period)
        assert f.availability == Fraction(hours - 1, hours)


def test_an_outage_over_the_night_of_the_change_has_its_real_length() -> None:
    period = (at("2026-03-01"), at("2026-04-01"))
    # From 01:00 to 04:00 on the wall, two hours in fact.
    down = span("2026-03-29T01:00", "2026-03-29T04:00")
    seen = Seen(lifetime=ALWAYS, known=ALWAYS, down=[down])
    f = measure("d", seen, hours=scheduled("24/7", period), period=period)
    assert (seconds(f.downtime), f.availability) == (7200, Fraction(741, 743))
