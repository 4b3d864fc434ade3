"""fleet's own store of measurements: roll-ups, forgetting, kills, a full disk."""

import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from fleet.core.metric.kinds import IN_TRAFFIC, MISSING, TEMPERATURE, Key
from fleet.core.metric.reading import Layout, Ports, Reading, Sample
from fleet.core.moment import to_us
from fleet.errors import RemoteError
from fleet.metrics.embedded import EmbeddedStore, Keep, Measured
from fleet.metrics.reader import MetricReader, open_metrics
from fleet.metrics.sink import Taken

BEGIN = datetime(2026, 8, 31, 22, 0, tzinfo=UTC)  # midnight in Oslo
DAY_US = 86_400_000_000
CYCLE_S = 300
PORT, ROOM = Key(IN_TRAFFIC, "Gi1"), Key(TEMPERATURE, "room")
LAYOUT = Layout((PORT,), (ROOM,))


def sample(cycle: int, octets: int, warmth: int = 200) -> Taken:
    at_us = to_us(BEGIN) + cycle * CYCLE_S * 1_000_000
    values = [octets, warmth]
    own = Sample(at_us=at_us, span_cs=CYCLE_S * 100, layout=LAYOUT, values=values)
    return Taken(device="sw1", sample=own)


def reader(path: Path) -> MetricReader:
    found = open_metrics(path)
    assert found is not None
    return found


def test_hours_and_days_have_the_lowest_the_mean_and_the_highest(tmp_path: Path) -> None:
    path = tmp_path / "metrics.db"
    with EmbeddedStore(path) as store:
        # One Mbit/s all day, ten in the last quarter of the day; the room warms from 20 to 30 °C.
        store.write(
            [
                sample(c, 375_000_000 if c >= 216 else 37_500_000, 200 + c * 100 // 287)
                for c in range(288)
            ]
        )
        store.tidy(to_us(BEGIN) + DAY_US + 3_600_000_000)
    with reader(path) as found:
        number = found.number("sw1")
        assert number is not None
        (day,) = found.days(number, [PORT], date(2026, 9, 1), date(2026, 9, 1))[PORT]
        (warm,) = found.days(number, [ROOM], date(2026, 9, 1), date(2026, 9, 1))[ROOM]
        hours = found.hours(number, [PORT], to_us(BEGIN), to_us(BEGIN) + DAY_US)[PORT]
    assert (day.low, day.high, day.busy) == pytest.approx((1e6, 1e7, 1e7), rel=1e-3)
    assert day.mean == pytest.approx(3.25e6, rel=1e-3)
    assert day.known_s == 86_400
    assert (warm.low, warm.mean, warm.high) == pytest.approx((20.0, 24.95, 30.0), abs=0.06)
    assert [round(hour.mean / 1e6) for hour in hours] == [1] * 18 + [10] * 6


def test_a_gap_is_not_zero(tmp_path: Path) -> None:
    path = tmp_path / "metrics.db"
    with EmbeddedStore(path) as store:
        store.write([sample(c, 37_500_000) for c in range(288) if not 100 <= c < 200])
        store.write([sample(c, MISSING) for c in range(100, 150)])
        store.tidy(to_us(BEGIN) + DAY_US + 3_600_000_000)
    with reader(path) as found:
        number = found.number("sw1")
        assert number is not None
        (day,) = found.days(number, [PORT], date(2026, 9, 1), date(2026, 9, 1))[PORT]
    assert day.known_s == 188 * CYCLE_S
    assert (day.low, day.mean) == pytest.approx((1e6, 1e6), rel=1e-3)


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 10, 25), 25)])
def test_a_day_when_clocks_change_has_its_own_length(tmp_path: Path, day: date, hours: int) -> None:
    path = tmp_path / "metrics.db"
    begin = datetime(day.year, day.month, day.day, tzinfo=ZoneInfo("Europe/Oslo"))
    cycles = range(-12, hours * 12 + 12)
    shift = (begin - BEGIN) // timedelta(seconds=CYCLE_S)
    with EmbeddedStore(path) as store:
        store.write([sample(shift + c, 37_500_000) for c in cycles])
        store.tidy(to_us(begin) + 2 * DAY_US)
    with reader(path) as found:
        number = found.number("sw1")
        assert number is not None
        (bucket,) = found.days(number, [PORT], day, day)[PORT]
    assert bucket.known_s == hours * 3600


def test_samples_that_come_late_are_rolled_up_as_well(tmp_path: Path) -> None:
    paths = tmp_path / "late.db", tmp_path / "order.db"
    every = [sample(c, 37_500_000 * (1 + c // 96)) for c in range(3 * 288)]
    late = [one for n, one in enumerate(every) if 300 <= n < 400]
    with EmbeddedStore(paths[0]) as store:
        store.write([one for one in every if one not in late])
        store.tidy(to_us(BEGIN) + 4 * DAY_US)
        store.write(late)
        store.tidy(to_us(BEGIN) + 4 * DAY_US)
    with EmbeddedStore(paths[1]) as store:
        store.write(every)
        store.tidy(to_us(BEGIN) + 4 * DAY_US)
    found = []
    for path in paths:
        with reader(path) as one:
            number = one.number("sw1")
            assert number is not None
            span = (to_us(BEGIN), to_us(BEGIN) + 3 * DAY_US)
            days = one.days(number, None, date(2026, 9, 1), date(2026, 9, 3))
            found.append(
                (days, one.hours(number, [PORT], *span), one.samples(number, [PORT], *span))
            )
    assert found[0] == found[1]
    assert len(found[0][0][PORT]) == 3


def test_samples_go_first_then_hours_then_days(tmp_path: Path) -> None:
    path = tmp_path / "metrics.db"
    keep = Keep(samples=timedelta(days=3), hours=timedelta(days=6), days=timedelta(days=40))
    with EmbeddedStore(path, keep) as store:
        for day in range(75):
            store.write([sample(288 * day + c, 37_500_000) for c in range(0, 288, 12)])
            store.tidy(to_us(BEGIN) + (day + 1) * DAY_US + 7_200_000_000)
    end = to_us(BEGIN) + 75 * DAY_US
    with reader(path) as found:
        number = found.number("sw1")
        assert number is not None
        samples = found.samples(number, [PORT], to_us(BEGIN), end)[PORT]
        hours = found.hours(number, [PORT], to_us(BEGIN), end)[PORT]
        days = found.days(number, [PORT], date(2026, 9, 1), date(2026, 11, 14))[PORT]
    assert (end - samples[0][0]) / DAY_US == pytest.approx(3, abs=0.2)
    assert 5.5 <= (end - hours[0].time * 3_600_000_000) / DAY_US <= 7
    assert 40 <= len(days) <= 75  # whole months are forgotten


def test_nothing_can_be_doubled(tmp_path: Path) -> None:
    path = tmp_path / "metrics.db"
    with EmbeddedStore(path) as store:
        for _ in range(2):
            store.write([sample(c, 37_500_000) for c in range(24)])
            store.tidy(to_us(BEGIN) + 3 * 3_600_000_000)
    with reader(path) as found:
        number = found.number("sw1")
        assert number is not None
        series = found.samples(number, [PORT], to_us(BEGIN), to_us(BEGIN) + DAY_US)[PORT]
    assert len(series) == 24


_WRITER = """
import sys
from tests.doors.test_embedded_metrics import measured
from fleet.metrics.embedded import EmbeddedStore
from pathlib import Path
with EmbeddedStore(Path(sys.argv[1])) as store:
    for cycle in range(10_000):
        store.record([measured(cycle, f"sw{n}") for n in range(40)])
        print(cycle, flush=True)
"""


def measured(cycle: int, device: str) -> Measured:
    own = sample(cycle, 37_500_000).sample
    ports = Ports(names=("Gi1",), octets_a_second=(125e6,), discontinuities=(0,))
    reading = Reading(
        at_us=own.at_us, uptime_cs=cycle, layout=LAYOUT, counters=(cycle,), gauges=(1,), ports=ports
    )
    return Measured(
        device=device, profile=frozenset({"ports"}), learned_us=0, reading=reading, sample=own
    )


@pytest.mark.parametrize("after_s", [0.2, 0.35, 0.5, 0.8, 1.1])
def test_a_killed_writer_loses_nothing_that_it_said_was_kept(
    tmp_path: Path, after_s: float
) -> None:
    path = tmp_path / "metrics.db"
    writer = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(path)],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parents[2],
        text=True,
    )
    assert writer.stdout is not None
    first = writer.stdout.readline()
    time.sleep(after_s)
    writer.send_signal(signal.SIGKILL)
    said = [first, *writer.stdout.read().splitlines()]
    writer.wait()
    writer.stdout.close()
    kept = int(said[-1]) + 1
    with EmbeddedStore(path) as store:
        known = store.known()
    with reader(path) as found:
        for name, number in found.devices().items():
            end = to_us(BEGIN) + 10_000 * CYCLE_S * 1_000_000
            series = found.samples(number, [PORT], to_us(BEGIN), end)[PORT]
            times = [(at - to_us(BEGIN)) // (CYCLE_S * 1_000_000) for at, _ in series]
            # The cycle under way when it was killed is there as a whole, or not at all.
            assert len(times) in (kept, kept + 1)
            assert times == list(range(len(times)))
            assert known[name].reading.counters == (times[-1],)


def test_a_full_disk_is_told_and_nothing_is_spoilt(tmp_path: Path) -> None:
    path = tmp_path / "metrics.db"
    with EmbeddedStore(path) as store:
        store.record([measured(0, "sw1")])
        full = store._file.execute("PRAGMA page_count").fetchone()[0]
        store._file.execute(f"PRAGMA max_page_count={full}")
        with pytest.raises(RemoteError, match=r"metrics.db: database or disk is full"):
            for cycle in range(1, 2000):
                store.record([measured(cycle, f"sw{n}") for n in range(20)])
        store._file.execute("PRAGMA max_page_count=1000000")
        store.record([measured(3000, "sw1")])
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()


@pytest.mark.parametrize(("devices", "cycle_s"), [(400, 900), (30, 3600)])
def test_every_device_is_rolled_up_by_polling_alone(
    tmp_path: Path, devices: int, cycle_s: int
) -> None:
    path = tmp_path / "metrics.db"
    every = cycle_s // CYCLE_S
    with EmbeddedStore(path, Keep(samples=timedelta(days=2))) as store:
        for cycle in range(0, 288 * 3 + 144, every):
            store.record([measured(cycle, f"sw{n}") for n in range(devices)])
    with reader(path) as found:
        numbers = found.devices().values()
        known = [found.days(n, [PORT], date(2026, 9, 1), date(2026, 9, 3))[PORT] for n in numbers]
    assert {len(days) for days in known} == {3}


def test_what_a_failed_transaction_made_is_forgotten(tmp_path: Path) -> None:
    path = tmp_path / "metrics.db"
    with EmbeddedStore(path) as store:
        full = store._file.execute("PRAGMA page_count").fetchone()[0]
        store._file.execute(f"PRAGMA max_page_count={full}")
        with pytest.raises(RemoteError):
            store.record([measured(0, f"a{n}") for n in range(2000)])
        store._file.execute("PRAGMA max_page_count=1000000")
        store.record([measured(1, "b")])
        store.record([measured(1, "a0"), measured(1, "b")])
    with reader(path) as found:
        assert set(found.devices()) == {"a0", "b"}


def test_counters_are_what_they_were_when_fleet_starts_again(tmp_path: Path) -> None:
    path = tmp_path / "metrics.db"
    own = measured(0, "sw1")
    said = (-1, 0, 2**63, 2**64 - 2)  # the first was not said
    layout = Layout(tuple(Key(IN_TRAFFIC, f"Gi{n}") for n in range(4)))
    with EmbeddedStore(path) as store:
        store.record([replace(own, reading=replace(own.reading, layout=layout, counters=said))])
    with EmbeddedStore(path) as store:
        assert store.known()["sw1"].reading.counters == said
