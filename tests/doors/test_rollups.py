"""What hours and days say of a device that was silent, changed, or whose clock was wrong."""

import os
import sqlite3
import tempfile
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from fleet.core.metric.kinds import IN_ERRORS, IN_TRAFFIC, MISSING, UPS_POWER, Key
from fleet.core.metric.reading import Layout, Reading, Sample
from fleet.core.moment import to_us
from fleet.metrics import embedded
from fleet.metrics.embedded import EmbeddedStore, Keep, Measured
from fleet.metrics.extent import Extent, extents
from fleet.metrics.reader import Bucket, MetricReader, open_metrics
from fleet.metrics.sink import Taken

BEGIN = datetime(2026, 8, 31, 22, 0, tzinfo=UTC)  # midnight in Oslo
FIRST = date(2026, 9, 1)
CYCLE_S = 300
PORT, OTHER, POWER = Key(IN_TRAFFIC, "Gi1"), Key(IN_TRAFFIC, "Gi2"), Key(UPS_POWER, "")
ERRORS = Key(IN_ERRORS, "Gi1")
STEP = 37_500_000  # octets in a cycle: one Mbit/s


def sample(
    at: timedelta, layout: Layout, values: list[int], span: timedelta = timedelta(minutes=5)
) -> Sample:
    span_cs = span // timedelta(milliseconds=10)
    return Sample(at_us=to_us(BEGIN + at), span_cs=span_cs, layout=layout, values=values)


def keep(path: Path, samples: list[Sample], name: str = "sw1") -> None:
    with EmbeddedStore(path) as store:
        store.write([Taken(device=name, sample=one) for one in samples])
        store.tidy(max(one.at_us for one in samples) + 2 * 86_400_000_000)


def record(store: EmbeddedStore, at: datetime, span: timedelta, devices: int = 1) -> None:
    """A cycle in which the port of each device received a step."""
    layout = Layout((PORT,))
    at_us, span_cs = to_us(at), span // timedelta(milliseconds=10)
    reading = Reading(at_us=at_us, uptime_cs=1, layout=layout, counters=(1,))
    own = Sample(at_us=at_us, span_cs=span_cs, layout=layout, values=[STEP])
    store.record(
        [
            Measured(
                device=f"sw{number}",
                profile=frozenset(),
                learned_us=at_us,
                reading=reading,
                sample=own,
            )
            for number in range(1, devices + 1)
        ]
    )


def cycles(first: int, last: int) -> list[timedelta]:
    return [timedelta(seconds=CYCLE_S * number) for number in range(first, last)]


def reader(path: Path) -> MetricReader:
    found = open_metrics(path)
    assert found is not None
    return found


def days(path: Path, key: Key, count: int) -> list[Bucket]:
    with reader(path) as found:
        number = found.number("sw1")
        assert number is not None
        return found.days(number, [key], FIRST, FIRST + timedelta(days=count - 1))[key]


def extent(path: Path, key: Key, count: int) -> Extent:
    with reader(path) as found:
        number = found.number("sw1")
        assert number is not None
        first, last = FIRST, FIRST + timedelta(days=count - 1)
        months = list(found.months(number, first, last))
    return extents(months, first.toordinal(), last.toordinal(), lambda one: one == key)[key]


class TestKnownTime:
    """A series is known for as long as it was read, whatever else the device said."""

    LAYOUT = Layout((PORT, OTHER), (POWER,))

    def test_a_port_that_was_not_read_half_the_day(self, tmp_path: Path) -> None:
        path = tmp_path / "metrics.db"
        keep(
            path,
            [
                sample(at, self.LAYOUT, [STEP if n < 144 else MISSING, STEP, 500])
                for n, at in enumerate(cycles(1, 288))
            ],
        )
        found = extent(path, PORT, 1)
        assert found.known_s == 144 * CYCLE_S
        assert found.mean * found.known_s / 8 == pytest.approx(144 * STEP, rel=2e-3)
        assert extent(path, OTHER, 1).known_s == 287 * CYCLE_S
        with reader(path) as one:
            hours = one.hours(1, [PORT], to_us(BEGIN), to_us(BEGIN + timedelta(days=1)))[PORT]
        assert [bucket.known_s for bucket in hours] == [3300, *[3600] * 11, 300]

    def test_power_that_was_read_for_an_hour(self, tmp_path: Path) -> None:
        path = tmp_path / "metrics.db"
        keep(
            path,
            [
                sample(at, self.LAYOUT, [STEP, STEP, 500 if n < 12 else MISSING])
                for n, at in enumerate(cycles(1, 288))
            ],
        )
        found = extent(path, POWER, 1)
        assert (found.mean, found.known_s) == (500, 3600)

    def test_power_of_a_device_that_starts_anew_all_the_time(self, tmp_path: Path) -> None:
        path = tmp_path / "metrics.db"
        layout = Layout((), (POWER,))
        keep(path, [sample(at, layout, [500], timedelta()) for at in cycles(0, 12)])
        found = extent(path, POWER, 1)
        assert (found.mean, found.known_s) == (500, 3600)

    def test_a_silence_is_not_part_of_the_day_on_which_it_ended(self, tmp_path: Path) -> None:
        path = tmp_path / "metrics.db"
        back = timedelta(days=3, hours=12)
        keep(
            path,
            [
                *(sample(at, self.LAYOUT, [STEP, STEP, 500]) for at in cycles(1, 12)),
                sample(back, self.LAYOUT, [STEP * 990, MISSING, 500], back - timedelta(minutes=55)),
                *(sample(back + at, self.LAYOUT, [STEP, STEP, 500]) for at in cycles(1, 144)),
            ],
        )
        first, last = days(path, PORT, 4)
        assert first.known_s == 11 * CYCLE_S
        assert last.time == date(2026, 9, 4).toordinal() and last.known_s <= 86_400
        assert last.mean == pytest.approx(1e6, rel=0.01)
        assert days(path, POWER, 4)[1].known_s == pytest.approx(13 * 3600, abs=600)
        span = (to_us(BEGIN), to_us(BEGIN + timedelta(days=4)))
        with reader(path) as found:
            hours = found.hours(1, [PORT, OTHER], *span)
        known = {hour.time - span[0] // 3_600_000_000: hour.known_s for hour in hours[OTHER]}
        assert known[84] == 11 * CYCLE_S  # what it carried in the silence is not known
        assert max(hour.known_s for own in hours.values() for hour in own) == 3600


def test_one_error_in_a_month_is_one(tmp_path: Path) -> None:
    path = tmp_path / "metrics.db"
    layout = Layout((ERRORS,))
    keep(path, [sample(at, layout, [int(n == 4000)]) for n, at in enumerate(cycles(1, 30 * 288))])
    found = extent(path, ERRORS, 30)
    assert found.mean * found.known_s == pytest.approx(1, rel=0.01)


def test_a_day_is_known_as_soon_as_it_is_over(tmp_path: Path) -> None:
    path = tmp_path / "metrics.db"
    early, late = cycles(1, 288), cycles(288, 300)
    with EmbeddedStore(path) as store:
        for at in early:
            record(store, BEGIN + at, timedelta(minutes=5), devices=40)
        assert days(path, PORT, 2) == []
        for at in late:  # they are rolled up one after another
            record(store, BEGIN + at, timedelta(minutes=5), devices=40)
            assert [bucket.known_s for bucket in days(path, PORT, 2)] == [287 * CYCLE_S]
            with reader(path) as found:
                month = found.days(40, [PORT], FIRST, FIRST + timedelta(days=1))[PORT]
            assert [bucket.known_s for bucket in month] == [287 * CYCLE_S]


def test_nothing_is_forgotten_before_it_was_rolled_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where rolling up is slower than forgetting would be."""
    monkeypatch.setattr(embedded, "_DAY_IN_US", 10**18)  # five devices a cycle, of sixty
    with EmbeddedStore(tmp_path / "metrics.db", Keep(samples=timedelta(days=2))) as store:
        for hours in range(0, 10 * 24, 6):
            record(store, BEGIN + timedelta(hours=hours), timedelta(hours=6), devices=60)
    with reader(tmp_path / "metrics.db") as found:
        last = FIRST + timedelta(days=8)
        known = [found.days(n, [PORT], FIRST, last)[PORT] for n in found.devices().values()]
    assert {len(days) for days in known} == {9}


class TestAnotherLayout:
    """A module was put in at noon: the device has other ports from then on."""

    BEFORE, AFTER = Layout((PORT,)), Layout((PORT, OTHER))

    @pytest.fixture
    def path(self, tmp_path: Path) -> Path:
        found = tmp_path / "metrics.db"
        keep(
            found,
            [
                *(sample(at, self.BEFORE, [STEP]) for at in cycles(1, 144)),
                *(sample(at, self.AFTER, [3 * STEP, STEP]) for at in cycles(144, 288)),
            ],
        )
        return found

    def test_a_day_is_one_day(self, path: Path) -> None:
        (day,) = days(path, PORT, 1)
        assert day.known_s == 287 * CYCLE_S
        assert day.mean == pytest.approx(2e6, rel=0.01)
        assert (day.low, day.high) == pytest.approx((1e6, 3e6), rel=2e-3)
        with reader(path) as found:
            hours = found.hours(1, [PORT], to_us(BEGIN), to_us(BEGIN + timedelta(days=1)))[PORT]
        assert [bucket.time for bucket in hours] == sorted({bucket.time for bucket in hours})

    def test_and_counted_once(self, path: Path) -> None:
        found = extent(path, PORT, 1)
        assert (found.days, found.first) == (1, FIRST.toordinal())
        assert found.mean == pytest.approx(2e6, rel=0.01)

    def test_what_the_newest_reading_lacks_is_known_still(self, path: Path) -> None:
        at = timedelta(days=2)
        keep(path, [sample(at, Layout(), []), sample(at, self.BEFORE, [STEP])])
        with reader(path) as found:
            assert set(found.keys(1, to_us(BEGIN))) == {PORT, OTHER}
            assert set(found.keys(1, to_us(BEGIN + timedelta(days=1)))) == {PORT}


class TestClockAhead:
    """The poller's clock was wrong for a while."""

    def poll(self, store: EmbeddedStore, begin: datetime, count: int, every: timedelta) -> None:
        for number in range(count):
            record(store, begin + number * every, every)

    def test_nothing_is_forgotten(self, tmp_path: Path) -> None:
        path = tmp_path / "metrics.db"
        hour = timedelta(hours=1)
        short = Keep(samples=timedelta(days=3), hours=timedelta(days=9), days=timedelta(days=99))
        with EmbeddedStore(path, short) as store:
            self.poll(store, BEGIN, 48, hour)
            self.poll(store, BEGIN + timedelta(days=3650), 6, hour)
            self.poll(store, BEGIN + timedelta(days=2), 48, hour)
        assert len(days(path, PORT, 3)) == 3
        with reader(path) as found:
            span = (to_us(BEGIN), to_us(BEGIN + timedelta(days=4)))
            assert len(found.samples(1, [PORT], *span)[PORT]) == 96


class TestFile:
    """A file that is damaged, empty, or not ours."""

    def test_a_row_that_is_damaged_takes_no_other_with_it(self, tmp_path: Path) -> None:
        path = tmp_path / "metrics.db"
        keep(path, [sample(at, Layout((PORT,)), [STEP]) for at in cycles(1, 288)])
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE hour SET data=x'00' WHERE id=(SELECT min(id) FROM hour)")
            connection.commit()
        said: list[str] = []
        found = open_metrics(path, said.append)
        assert found is not None
        with found:
            series = found.samples(1, [PORT], to_us(BEGIN), to_us(BEGIN + timedelta(days=1)))
            sent = [one for portion, _ in found.since(0) for one in portion]
        assert len(series[PORT]) == len(sent) == 287 - 11
        assert len(said) == 1 and "a row of measurements is damaged" in said[0]

    def test_an_empty_file_is_none(self, tmp_path: Path) -> None:
        (tmp_path / "metrics.db").touch()
        assert open_metrics(tmp_path / "metrics.db") is None

    def test_who_may_only_read_reads(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "metrics.db"
            keep(path, [sample(timedelta(), Layout((PORT,)), [STEP])])
            Path(folder).chmod(0o555)
            assert _status_of_another(path) == 0
            Path(folder).chmod(0o700)


def _status_of_another(path: Path) -> int:
    """0: somebody who may not write reads a device."""
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            if os.getuid() == 0:
                os.setgid(65534)
                os.setuid(65534)
            with reader(path) as found:
                status = 0 if found.devices() == {"sw1": 1} else 2
        finally:
            os._exit(status)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
