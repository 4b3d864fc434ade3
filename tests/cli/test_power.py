"""Batteries, electricity and rooms: a UPS that is asked over SNMP, cycle after cycle."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from fleet.app import App
from fleet.core.electricity import Ups, loads, without_fed
from fleet.snmp.agent import Recording, respond
from tests.agents import Agents
from tests.cli.test_alerts import messages, to_file
from tests.watched import ADDRESSES
from tests.worlds import fleet, replace_in

BEGIN = datetime(2026, 9, 1, 22, 0, tzinfo=UTC)  # midnight in Oslo


@dataclass
class Apc:
    """A Smart-UPS with a probe in the room."""

    uptime_s: float = 86_400.0
    on_battery: bool = False
    charge: int = 100
    minutes: int = 42
    watts: int = 600
    warmth: int = 22
    replaced: str = "04/30/20"
    test: int = 1
    more: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        apc = "1.3.6.1.4.1.318.1.1.1"
        return [
            "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.318.1.3.27",
            f"1.3.6.1.2.1.1.3.0|67|{int(self.uptime_s * 100)}",
            "1.3.6.1.2.1.1.5.0|4|skole-sw1",
            f"{apc}.2.1.1.0|2|2",
            f"{apc}.2.1.3.0|4|{self.replaced}",
            f"{apc}.2.2.1.0|66|{self.charge}",
            f"{apc}.2.2.3.0|67|{self.minutes * 6000}",
            f"{apc}.4.1.1.0|2|{3 if self.on_battery else 2}",
            f"{apc}.4.2.3.0|66|31",
            f"{apc}.4.2.8.0|66|{self.watts}",
            f"{apc}.7.2.3.0|2|{self.test}",
            f"{apc}.7.2.4.0|4|08/17/2026",
            f"1.3.6.1.4.1.318.1.1.25.1.2.1.6.1.1|2|{self.warmth}",
            *self.more,
        ]

    def reply(self, packet: bytes) -> bytes | None:
        return respond(packet, Recording(self.lines()), b"public", 0.0)


@dataclass
class Room:
    """The workspace, and the UPS in it."""

    world: Path
    ups: Apc
    now: datetime = BEGIN

    def go_on(self, minutes: int = 5) -> None:
        self.now += timedelta(minutes=minutes)
        self.ups.uptime_s += minutes * 60
        assert fleet(self.world, "poll", "--only", "metrics").status in (0, 1)

    def report(self) -> dict[str, object]:
        found: dict[str, object] = fleet(self.world, "report", "power", "-o", "json").json
        return found


@pytest.fixture
def room(watched: Path, agents: Agents, monkeypatch: pytest.MonkeyPatch) -> Room:
    one = Room(watched, Apc())
    agents.replies[ADDRESSES["skole-sw1"]] = one.ups.reply
    devices = watched / "inventory/aure/devices.yaml"
    replace_in(devices, "role: switch", "role: ups")
    monkeypatch.setattr(App, "now", lambda _: one.now)
    assert fleet(watched, "sync", "--yes").status == 0
    assert fleet(watched, "poll", "--only", "facts").status in (0, 1)
    return one


def test_what_is_on_battery_with_the_minutes_left(room: Room) -> None:
    room.go_on()
    assert "on battery now: none" in fleet(room.world, "report", "power").out
    room.ups.on_battery, room.ups.minutes = True, 17
    room.go_on()
    (ups,) = room.report()["ups"]  # type: ignore[misc]
    assert (ups["state"], ups["minutes_left"], ups["load_percent"]) == ("on battery", 17, 31)
    assert "on battery now:\n" in fleet(room.world, "report", "power").out


def test_batteries_that_are_older_than_their_life(room: Room) -> None:
    (ups,) = room.report()["ups"]  # type: ignore[misc]
    assert (ups["battery_from"], ups["battery_age_years"]) == ("2020-04-30", 6.3)
    assert ups["battery_old"] is True
    replace_in(room.world / "fleet.toml", "[poll]", "[report]\nbattery_years = 7\n\n[poll]")
    (ups,) = room.report()["ups"]  # type: ignore[misc]
    assert ups["battery_old"] is False


def test_a_self_test_that_failed(room: Room) -> None:
    assert "self-tests that did not pass: none" in fleet(room.world, "report", "power").out
    room.ups.test = 2
    room.now += timedelta(hours=1)
    fleet(room.world, "poll", "--only", "facts")
    (ups,) = room.report()["ups"]  # type: ignore[misc]
    assert (ups["self_test"], ups["self_test_on"]) == ("failed", "2026-08-17")


def test_energy_and_what_it_costs_in_a_year(room: Room) -> None:
    for _ in range(26):
        room.go_on(60)
    report = room.report()
    (ups,) = report["ups"]  # type: ignore[misc]
    assert ups["mean_w"] == 600
    (member,) = report["members"]  # type: ignore[misc]
    # 600 W in 8,766 hours, at NOK 1.25.
    assert (member["name"], member["year_kwh"], member["year_nok"]) == ("aure", 5260, "6574.50")


def test_rooms_with_their_limit_and_one_message_when_it_is_too_warm(room: Room) -> None:
    told = to_file(room.world, "drift")
    for warmth in (24, 36, 34, 38, 26):
        room.ups.warmth = warmth
        room.go_on()
    (sensor,) = room.report()["rooms"]  # type: ignore[misc]
    assert (sensor["value"], sensor["limit"], sensor["beyond"]) == (26, 35, False)
    assert [m.partition("\n")[0] for m in messages(told)] == [
        "For varmt: skole-sw1 sensor (Aure skole)",
        "Innenfor grensen igjen (For varmt): skole-sw1 sensor (Aure skole)",
    ]


def test_a_second_probe_that_is_not_always_there_changes_no_names(room: Room) -> None:
    told = to_file(room.world, "drift")
    row = "1.3.6.1.4.1.318.1.1.25.1.2.1.6.2.1"
    for warmth, second in ((37, -1), (37, 20), (37, -1), (24, 20)):
        room.ups.warmth, room.ups.more = warmth, [f"{row}|2|{second}"]
        room.go_on()
    assert [m.partition("\n")[0] for m in messages(told)] == [
        "For varmt: skole-sw1 sensor 1.1 (Aure skole)",
        "Innenfor grensen igjen (For varmt): skole-sw1 sensor 1.1 (Aure skole)",
    ]


def test_a_period_that_is_over_has_its_own_highest(room: Room) -> None:
    room.ups.warmth = 24
    for _ in range(26):
        room.go_on(60)
    room.ups.warmth = 33
    room.go_on()
    period = ("--from", "2026-09-02", "--to", "2026-09-03")
    report = fleet(room.world, "report", "power", *period, "-o", "json").json
    (sensor,) = report["rooms"]
    assert (sensor["value"], sensor["high"]) == (33, 24)
    room.now += timedelta(days=2)  # nothing was measured since
    report = fleet(room.world, "report", "power", *period, "-o", "json").json
    (sensor,) = report["rooms"]
    assert (sensor["value"], sensor["high"]) == (None, 24)
    assert "24.0 °C" in fleet(room.world, "report", "power", *period).out


def test_a_battery_that_runs_low_is_told_once(room: Room) -> None:
    told = to_file(room.world, "drift")
    room.ups.on_battery = True
    for charge in (80, 49, 30, 60, 88):
        room.ups.charge = charge
        room.go_on()
    assert len(messages(told)) == 1
    assert messages(told)[0].startswith(
        "Lite strøm på batteriet: skole-sw1 (Aure skole)\nUnder 50 %"
    )


def test_a_page_for_leaders(room: Room) -> None:
    for _ in range(26):
        room.go_on(60)
    room.ups.on_battery = True
    room.go_on()
    said = {
        "nb": (
            "Strøm",
            "På batteri nå",
            "30. april 2020",
            "6\N{NO-BREAK SPACE}574,50\N{NO-BREAK SPACE}kr",
        ),
        "nn": (
            "Straum",
            "På batteri no",
            "30. april 2020",
            "6\N{NO-BREAK SPACE}574,50\N{NO-BREAK SPACE}kr",
        ),
        "en": ("Power", "On battery now", "30 April 2020", "NOK\N{NO-BREAK SPACE}6,574.50"),
    }
    for language, texts in said.items():
        ran = fleet(room.world, "report", "power", "--language", language, "--out", "p.html")
        assert ran.status == 0, ran.err
        page = (room.world / "p.html").read_text()
        assert all(one in page for one in texts), texts
        assert "skole-sw1" in page
    ran = fleet(room.world, "report", "power", "--public", "--out", "p.html")
    page = (room.world / "p.html").read_text()
    assert "574,50" in page and "skole-sw1" not in page
    ran = fleet(room.world, "report", "power", "--public")
    assert (ran.status, ran.out) == (4, "")


def test_what_nobody_knows_is_not_called_none(room: Room, agents: Agents) -> None:
    room.now += timedelta(days=2)  # nothing was asked since
    ran = fleet(room.world, "report", "power")
    assert "nothing is known now of 1 of 1: skole-sw1\n" in ran.out


def test_no_ups_at_a_site_is_said(room: Room) -> None:
    ran = fleet(room.world, "report", "power", "--site", "barnehage")
    assert (ran.status, ran.out) == (4, "")
    assert "there is no UPS" in ran.err


def test_the_pdu_behind_a_ups_is_not_counted_twice() -> None:
    def one(name: str, watts: float | None) -> Ups:
        return Ups(device=name, site="dc", member="aure", watts=watts, hours=24)

    fed = {"pdu1": "ups1", "pdu2": "ups2", "pdu3": None}
    every = [one("ups1", 900), one("ups2", None), one("pdu1", 850), one("pdu2", 300)]
    (sum_,) = loads(without_fed([*every, one("pdu3", 50)], fed.get), lambda u: u.site, 1.0)
    assert (sum_.watts, sum_.kwh) == (1250, 30.0)
