"""Measuring over SNMP: what `fleet poll` keeps of counters that wrap, jump, move and begin anew."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleet.app import App
from fleet.core.metric.kinds import IN_TRAFFIC, PROCESSOR, STORAGE_USED, Key
from fleet.core.moment import to_us
from fleet.metrics.reader import open_metrics
from tests.agents import Agents
from tests.cli.test_alerts import messages, to_file
from tests.measured import RATE, TURN_32, Switch
from tests.timeseries import Victoria
from tests.watched import ADDRESSES
from tests.worlds import fleet, replace_in

BEGIN = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)
CYCLE = timedelta(minutes=5)


@dataclass
class Measured:
    """A workspace whose switch is measured, cycle after cycle."""

    world: Path
    switch: Switch
    now: datetime = BEGIN

    def poll(self) -> None:
        ran = fleet(self.world, "poll", "--only", "metrics", "--device", "skole-sw1")
        assert ran.status in (0, 1), ran.err

    def go_on(self, change: Callable[[Switch], None] = lambda s: s.run(300)) -> None:
        """Five minutes later."""
        self.now += CYCLE
        change(self.switch)
        self.poll()

    def values(self, key: Key) -> list[tuple[int, float]]:
        """Cycles and values, as far as anything is known."""
        reader = open_metrics(self.world / ".fleet/metrics.db")
        assert reader is not None
        with reader:
            number = reader.number("skole-sw1")
            assert number is not None
            end = to_us(self.now) + 1
            series = reader.samples(number, [key], to_us(BEGIN), end)[key]
        return [(round((at - to_us(BEGIN)) / 300e6), value) for at, value in series]

    def received(self, port: str = "Gi1") -> list[tuple[int, float]]:
        return [(cycle, round(v / 1e6, 3)) for cycle, v in self.values(Key(IN_TRAFFIC, port))]


@pytest.fixture
def measured(watched: Path, agents: Agents, monkeypatch: pytest.MonkeyPatch) -> Measured:
    one = Measured(watched, Switch())
    agents.replies[ADDRESSES["skole-sw1"]] = one.switch.reply
    monkeypatch.setattr(App, "now", lambda _: one.now)
    one.poll()
    return one


def test_traffic_and_gauges_are_kept(measured: Measured) -> None:
    measured.go_on()
    measured.go_on(lambda s: s.run(300, 2 * RATE))
    assert measured.received() == [(1, 8.0), (2, 16.0)]
    assert measured.values(Key(STORAGE_USED, "/"))[-1] == (2, 250_000 * 4096)
    assert measured.values(Key(PROCESSOR, ""))[-1] == (2, 37)


def test_the_agents_clock_counts_not_when_the_answer_came(measured: Measured) -> None:
    measured.go_on(lambda s: s.run(310))  # its answer was 10 s late
    measured.go_on(lambda s: s.run(290))
    assert measured.received() == [(1, 8.0), (2, 8.0)]


def test_a_32_bit_counter_turns_over(measured: Measured) -> None:
    measured.switch.bits, measured.switch.mbps = 32, 100
    measured.switch.octets["Gi1"] = TURN_32 - 1000
    measured.go_on()  # it has no ports that count in 64 bits any more …
    measured.go_on()  # … and is asked for what it has
    measured.go_on()
    measured.go_on(lambda s: s.run(300, 10 * RATE))
    assert measured.received() == [(3, 8.0), (4, 80.0)]


def test_64_bit_counters_of_an_agent_that_counts_in_32(measured: Measured) -> None:
    measured.switch.octets["Gi1"] = TURN_32 - 100 * RATE
    measured.go_on(lambda s: None)  # it moved, as tests may; the next are the agent's own
    measured.switch.uptime_s += 300
    before = measured.received()

    def turn(switch: Switch) -> None:
        switch.run(300)
        switch.octets["Gi1"] %= TURN_32

    measured.go_on(lambda s: s.run(50))
    measured.go_on(turn)
    assert all(value <= 8.1 for _, value in measured.received())
    assert len(measured.received()) > len(before)


def test_a_slow_port_beside_fast_ones_is_counted_in_32_bits(
    measured: Measured,
) -> None:
    def slow(switch: Switch) -> None:
        switch.narrow = ("Gi2",)
        switch.mbps = 10
        switch.uptime_s = 0
        switch.octets["Gi2"] = TURN_32 - 100

    measured.go_on(slow)  # it was started anew
    for _ in range(3):  # the next time it is asked what it has
        measured.go_on(lambda s: s.run(300, RATE // 10))
    assert [rate for _, rate in measured.received("Gi1")][-2:] == [0.8, 0.8]
    assert [rate for _, rate in measured.received("Gi2")][-2:] == [0.8, 0.8]


def test_a_restart_makes_a_gap_and_no_spike(measured: Measured) -> None:
    measured.go_on()

    def restart(switch: Switch) -> None:
        switch.uptime_s = 120.0
        switch.octets = dict.fromkeys(switch.octets, 120 * RATE)

    measured.go_on(restart)
    measured.go_on()
    assert measured.received() == [(1, 8.0), (3, 8.0)]


def test_counters_that_run_backwards_make_a_gap(measured: Measured) -> None:
    measured.go_on()

    def back(switch: Switch) -> None:
        switch.run(300)
        switch.octets["Gi1"] = 5 * 10**8

    measured.go_on(back)
    measured.go_on()
    assert measured.received("Gi1") == [(1, 8.0), (3, 8.0)]
    assert measured.received("Gi2") == [(1, 8.0), (2, 8.0), (3, 8.0)]


def test_a_replaced_card_makes_a_gap(measured: Measured) -> None:
    measured.go_on()

    def replaced(switch: Switch) -> None:
        switch.run(300)
        switch.mark = int(switch.uptime_s * 100) - 100
        switch.octets = dict.fromkeys(switch.octets, 10**10)

    measured.go_on(replaced)
    measured.go_on()
    assert measured.received() == [(1, 8.0), (3, 8.0)]


@pytest.mark.parametrize("jump_s", [-40_000, 40_000])
def test_a_clock_of_the_agent_that_jumps_makes_a_gap(measured: Measured, jump_s: int) -> None:
    measured.go_on()

    def jump(switch: Switch) -> None:
        switch.run(300)
        switch.uptime_s += jump_s

    measured.go_on(jump)
    measured.go_on()
    assert measured.received() == [(1, 8.0), (3, 8.0)]


def test_the_agents_clock_turns_over_after_497_days(measured: Measured) -> None:
    measured.switch.uptime_s = TURN_32 / 100 - 400
    measured.go_on(lambda s: s.run(0))
    measured.go_on()
    measured.go_on()
    assert measured.received()[-2:] == [(2, 8.0), (3, 8.0)]


def test_a_poller_whose_clock_was_ahead_goes_on_when_it_is_right_again(measured: Measured) -> None:
    measured.go_on()
    right = measured.now
    measured.now += timedelta(days=3650)
    measured.go_on()
    measured.now = right
    for _ in range(3):
        measured.now += CYCLE
        measured.switch.run(300)
        assert fleet(measured.world, "poll").status in (0, 1)
    cycles = [cycle for cycle, _ in measured.received() if cycle < 10]
    assert cycles == [1, 3, 4]  # the step from the future to now is not known


def test_a_port_that_has_another_number_is_found_by_its_name(measured: Measured) -> None:
    measured.go_on()
    measured.switch.octets["Gi2"] = 7 * 10**12

    def renumber(switch: Switch) -> None:
        switch.indexes = {"Gi2": 101, "Gi1": 102}
        switch.run(300)

    measured.go_on(renumber)
    measured.go_on()
    assert measured.received("Gi1") == [(1, 8.0), (2, 8.0), (3, 8.0)]
    assert measured.received("Gi2") == [(1, 8.0), (3, 8.0)]  # 7 TB at once: no line carries that


def test_a_number_that_no_disk_has_stops_nobody(measured: Measured) -> None:
    class Mad(Switch):
        def lines(self) -> Iterator[str]:
            for line in super().lines():
                is_unit = line.startswith("1.3.6.1.2.1.25.2.3.1.4.1|")
                yield "1.3.6.1.2.1.25.2.3.1.4.1|2|99999999999999999" if is_unit else line

    measured.poll()
    measured.switch.__class__ = Mad
    measured.go_on()
    assert measured.received("Gi1")[-1][1] == 8.0
    assert measured.values(Key(STORAGE_USED, "/"))[-1][0] < measured.received("Gi1")[-1][0]


@pytest.mark.parametrize(
    "damage",
    [
        "layout SET body='{'",
        "device SET counters=x'0102'",
        "device SET counters=x'0102030405060708'",
    ],
)
def test_what_is_damaged_of_the_last_reading_stops_nobody(measured: Measured, damage: str) -> None:
    for _ in range(14):
        measured.go_on()
    with closing(sqlite3.connect(measured.world / ".fleet/metrics.db")) as connection:
        connection.execute(f"UPDATE {damage}")
        connection.commit()
    for _ in range(14):
        measured.go_on()
    assert [rate for _, rate in measured.received("Gi1")][-12:] == [8.0] * 12
    for report in (("report", "traffic"), ("show", "device", "skole-sw1"), ("doctor",)):
        assert fleet(measured.world, *report).status != 70


def fill(percent: int) -> Callable[[Switch], None]:
    def change(switch: Switch) -> None:
        switch.run(300)
        switch.full = percent

    return change


def test_a_disk_that_fills_up_is_told_once_and_once_when_there_is_room_again(
    measured: Measured,
) -> None:
    told = to_file(measured.world, "drift")
    for percent in (80, 91, 89, 92, 95, 86):
        measured.go_on(fill(percent))
    (said,) = messages(told)
    assert said.startswith("Disken er nesten full: skole-sw1 / (Aure skole)\nOver 90 % siden ")
    status = fleet(measured.world, "status")
    assert "beyond its limit: skole-sw1: storage / 86 %, limit 90, since 2026-" in status.out
    status = fleet(measured.world, "status", "-o", "json")
    (beyond,) = status.json["beyond_limits"]
    said = (beyond["device"], beyond["limit"], beyond["part"], beyond["value"])
    assert said == ("skole-sw1", "storage", "/", 86.0)
    others = fleet(measured.world, "status", "--site", "dc", "-o", "json")
    assert others.json["beyond_limits"] == []
    for percent in (84, 88, 84):
        measured.go_on(fill(percent))
    assert [m.partition("\n")[0] for m in messages(told)] == [
        "Disken er nesten full: skole-sw1 / (Aure skole)",
        "Innenfor grensen igjen (Disken er nesten full): skole-sw1 / (Aure skole)",
    ]


def test_a_disk_that_fills_up_in_maintenance_is_not_told(measured: Measured) -> None:
    told = to_file(measured.world, "drift")
    window = ("--start", "2020-01-01T00:00", "--end", "2099-01-01T00:00", "--reason", "x")
    assert fleet(measured.world, "maintenance", "add", "--site", "skole", *window).status == 0
    for percent in (95, 95, 80, 80):
        measured.go_on(fill(percent))
    assert messages(told) == []


def test_limits_are_told_where_nothing_can_be_kept(measured: Measured) -> None:
    told = to_file(measured.world, "drift")
    (measured.world / ".fleet/metrics.db").write_bytes(b"no database at all" * 999)
    measured.now += CYCLE
    fill(95)(measured.switch)
    ran = fleet(measured.world, "poll")
    assert ran.status in (0, 1)
    assert (
        "nothing of what is measured is kept: .fleet/metrics.db: file is not a database" in ran.err
    )
    (said,) = messages(told)
    assert said.startswith("Disken er nesten full: skole-sw1 / (Aure skole)")


def test_limits_are_settings(measured: Measured) -> None:
    told = to_file(measured.world, "drift")
    settings = measured.world / "fleet.toml"
    replace_in(settings, "[poll]", "[limits]\nstorage = { at = 70, back = 60 }\n\n[poll]")
    measured.go_on(fill(75))
    assert len(messages(told)) == 1
    replace_in(settings, "{ at = 70, back = 60 }", "{ at = 60, back = 70 }")
    ran = fleet(measured.world, "poll")
    assert (ran.status, "`back` lies below `at`" in ran.err) == (3, True)
    replace_in(settings, "{ at = 60, back = 70 }", "false")
    measured.go_on(fill(99))  # a limit that is gone ends what was beyond it
    measured.go_on(fill(99))
    assert len(messages(told)) == 2


def test_another_store_is_told_and_the_doctor_says_when_it_is_not(
    measured: Measured, tmp_path: Path
) -> None:
    server = Victoria(tmp_path / "victoria")
    replace_in(
        measured.world / "fleet.toml",
        "[poll]",
        f'[metrics.sinks.vm]\nkind = "victoriametrics"\nurl = "{server.url}"\n\n[poll]',
    )
    with server:
        measured.go_on()
        (series,) = server.series('{__name__="fleet_in_traffic_bits_per_second", part="Gi1"}')
        labels = {"device": "skole-sw1", "site": "skole", "member": "aure", "part": "Gi1"}
        assert dict(series) == {"__name__": "fleet_in_traffic_bits_per_second", **labels}
        ran = fleet(measured.world, "doctor")
        assert "ok     sink vm: told until 2026-09-01 08:05" in ran.out
    measured.now += timedelta(hours=1)
    measured.switch.run(3600)
    ran = fleet(measured.world, "poll", "--only", "metrics", "--device", "skole-sw1")
    assert f"metrics sink vm: {server.url} does not answer" in ran.err
    ran = fleet(measured.world, "doctor")
    assert "wrong  sink vm: not told since 2026-09-01 08:05" in ran.out
    file = tmp_path / "fleet.prom"
    assert fleet(measured.world, "doctor", "--prometheus", str(file)).status == 0
    assert 'fleet_metrics_sink_behind_seconds{sink="vm"} 3600.0' in file.read_text()
    with server:
        measured.go_on()
        found = server.series('{__name__="fleet_in_traffic_bits_per_second", part="Gi1"}')
        assert [len(points) for points in found.values()] == [3]


def test_the_doctor_says_when_nothing_is_measured_any_more(measured: Measured) -> None:
    assert "ok     metrics: 1 devices, last 2026-09-01 08:00" in fleet(measured.world, "doctor").out
    measured.now += timedelta(hours=2)
    ran = fleet(measured.world, "doctor")
    assert "wrong  metrics: 1 devices, last 2026-09-01 08:00" in ran.out
    assert "nothing was measured since" in ran.out
    measured.now -= timedelta(hours=4)
    assert "that is later than now" in fleet(measured.world, "doctor").out


def test_a_store_whose_secret_is_missing_does_not_stop_polling(
    measured: Measured, tmp_path: Path
) -> None:
    with Victoria(tmp_path / "victoria") as server:
        sinks = "".join(
            f'[metrics.sinks.{name}]\nkind = "victoriametrics"\nurl = "{server.url}"\n{more}\n'
            for name, more in (("shut", 'secret = { env = "NO_SUCH_SECRET" }\n'), ("open", ""))
        )
        replace_in(measured.world / "fleet.toml", "[poll]", f"{sinks}[poll]")
        measured.now += CYCLE
        measured.switch.run(300)
        ran = fleet(measured.world, "poll")
        assert ran.status in (0, 1)
        assert "metrics sink shut: not told: " in ran.err and "NO_SUCH_SECRET" in ran.err
        assert server.series('{part="Gi1"}')
    assert measured.received() == [(1, 8.0)]


def test_a_key_does_not_belong_into_an_address(measured: Measured) -> None:
    lines = '[metrics.sinks.vm]\nkind = "victoriametrics"\nurl = "http://127.0.0.1/?key=s3cret"\n'
    replace_in(measured.world / "fleet.toml", "[poll]", f"{lines}[poll]")
    ran = fleet(measured.world, "poll")
    assert ran.status == 3 and "metrics.sinks.vm.url" in ran.err
    assert "s3cret" not in ran.err


def test_a_store_whose_address_no_machine_can_have_does_not_stop_polling(
    measured: Measured,
) -> None:
    url = f"http://{'a' * 70}/"
    lines = f'[metrics.sinks.vm]\nkind = "victoriametrics"\nurl = "{url}"\n'
    replace_in(measured.world / "fleet.toml", "[poll]", f"{lines}[poll]")
    measured.now += CYCLE
    measured.switch.run(300)
    ran = fleet(measured.world, "poll", "--only", "metrics")
    assert ran.status == 0
    assert f"metrics sink vm: {url} does not answer" in ran.err
