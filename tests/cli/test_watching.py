"""status, path, impact, maintenance, correct, outages and polling that goes on, over real SNMP."""

import json
import re
import signal
import sqlite3
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import MappingProxyType

import pytest

from fleet.app import App
from fleet.core.moment import parse_moment, to_instant
from fleet.demo.recordings import to_recordings
from fleet.snmp.simulator import COMMUNITY, SimulatedNetwork, free_port
from fleet.sources.files import read_files
from tests.agents import Agents
from tests.watched import ADDRESSES, poll, run, silence, wait_for_rounds
from tests.worlds import DEVICES, fleet, replace_in


@dataclass
class Cabled:
    """The small workspace with simulated devices that have ports; the school's switch is a UPS."""

    world: Path
    port: int

    def network(self, changed: Mapping[str, str] = MappingProxyType({})) -> SimulatedNetwork:
        """The devices as they answer; ports may be down, the UPS on battery, the uptime anew."""
        inventory = read_files(self.world / "inventory", self.world, {"default"})
        recordings = to_recordings(inventory)
        ticks = changed.get("uptime", "864000")
        for name, (address, text) in recordings.items():
            lines = text.replace("initial=864000", f"initial={ticks}").splitlines()
            for end, state in changed.items():
                if end.startswith(f"{name} : ") and state == "down":
                    lines = [
                        line.replace("|1", "|2") if ".2.2.1.8." in line else line for line in lines
                    ]
            if name == "skole-sw1":
                source = 5 if changed.get(name) == "battery" else 3
                lines.append("1.3.6.1.2.1.33.1.2.1.0|2|2")
                lines.append(f"1.3.6.1.2.1.33.1.4.1.0|2|{source}")
            recordings[name] = (address, "\n".join(lines))
        return SimulatedNetwork(recordings, self.port)


@pytest.fixture
def cabled(world: Path, monkeypatch: pytest.MonkeyPatch) -> Cabled:
    monkeypatch.setenv("FLEET_SNMP_COMMUNITY", COMMUNITY)
    port = free_port("127.3.0.1", 16161)
    replace_in(world / "fleet.toml", "[poll]", '[poll]\nfrom_site = "dc"')
    text = DEVICES.replace("    role: router\n", f"    role: router\n    port: {port}\n")
    text = text.replace("    role: switch\n", f"    role: ups\n    port: {port}\n")
    text = text.replace(
        "    serial: FCW", "    interfaces: [{name: Gi1}]\n    serial: FCW"
    ).replace("    asset_tag", "    fed_by: skole-sw1\n    asset_tag")
    (world / "inventory/aure/devices.yaml").write_text(text)
    assert fleet(world, "sync", "--yes").status == 0
    return Cabled(world, port)


def test_what_is_behind_a_failed_router_is_unreachable(watched: Path, agents: Agents) -> None:
    poll(watched)
    silence(agents, "skole-r1", "skole-sw1")
    summary = poll(watched, 3)
    assert [summary[s] for s in ("up", "down", "unreachable", "unknown")] == [2, 1, 1, 0]

    ran = fleet(watched, "status", "-o", "json")

    assert ran.status == 1
    assert ran.json["counts"] == {
        "up": 2,
        "down": 1,
        "unreachable": 1,
        "unknown": 0,
        "maintenance": 0,
    }
    (cause,) = ran.json["root_causes"]
    since = cause.pop("since")
    assert since < ran.json["at"]
    assert cause == {
        "kind": "device",
        "name": "skole-r1",
        "state": "down",
        "devices_behind": 1,
        "sites_behind": ["skole"],
        "users_behind": 120,
        "services_behind": ["tavle"],
        "maintenance": False,
    }
    assert fleet(watched, "status", "--site", "barnehage", "-o", "json").json["root_causes"] == []
    card = fleet(watched, "show", "device", "skole-sw1").out
    assert "not at fault: it hangs behind skole-r1, which failed" in card
    assert "not at fault" not in fleet(watched, "show", "device", "skole-r1").out
    table = fleet(watched, "status").out.splitlines()
    assert table[0].endswith("4 devices: 2 up, 1 down, 1 unreachable")
    assert table[2].startswith("skole-r1  down since ")
    assert table[3] == "  behind it: 1 device, 1 site, 120 users, 1 service"


def test_if_the_poller_is_cut_off_nothing_goes_down(watched: Path, agents: Agents) -> None:
    poll(watched)
    silence(agents, *ADDRESSES)
    ran = fleet(watched, "poll", "-o", "json")
    assert (ran.json["unknown"], ran.json["down"]) == (4, 0)
    assert ran.err == "the poller itself is cut off: nothing is known of the devices\n"
    assert poll(watched, 4)["unknown"] == 4

    status = fleet(watched, "status", "-o", "json")
    assert (status.status, status.json["counts"]["unknown"]) == (0, 4)
    silence(agents)
    assert poll(watched)["up"] == 4
    assert fleet(watched, "list", "outages", "-o", "json").json == []


def test_without_a_place_to_stand_nothing_is_behind_anything(watched: Path, agents: Agents) -> None:
    replace_in(watched / "fleet.toml", 'from_site = "dc"', "")
    poll(watched)
    silence(agents, "skole-r1", "skole-sw1")
    summary = poll(watched, 3)
    assert (summary["down"], summary["unreachable"]) == (2, 0)
    status = fleet(watched, "status")
    assert "without poll.from_site in fleet.toml there are no root causes" in status.err
    replace_in(watched / "fleet.toml", "[poll]", '[poll]\nfrom_site = "dcc"')
    assert "poll.from_site in fleet.toml is `dcc`, which is no site" in fleet(watched, "poll").err


def test_path_and_impact(watched: Path, agents: Agents) -> None:
    poll(watched)
    ran = fleet(watched, "path", "dc", "skole-sw1", "-o", "json")
    assert ran.json == {
        "reachable": True,
        "hops": [
            {"device": "dc-r1", "out": "Gi1", "link": "fibre", "in": "Gi2"},
            {"device": "skole-r1", "out": "Gi3", "link": "copper", "in": "Gi1"},
            {"device": "skole-sw1", "out": None, "link": None, "in": None},
        ],
    }
    assert fleet(watched, "impact", "skole-r1", "-o", "json").json == {
        "cut_off": {
            "devices": ["skole-sw1"],
            "sites": ["skole"],
            "users": 120,
            "services": ["tavle"],
        },
        "degraded_sites": [],
    }
    assert fleet(watched, "impact", "NEAS-8841", "-o", "json").json["cut_off"]["devices"] == [
        "skole-r1",
        "skole-sw1",
    ]
    unknown = fleet(watched, "impact", "skole-r2")
    assert unknown.status == 4
    assert "did you mean `skole-r1`?" in unknown.err
    silence(agents, "skole-r1", "skole-sw1")
    poll(watched, 3)
    closed = fleet(watched, "path", "dc", "skole-sw1")
    assert closed.status == 1
    assert "is not up: skole-r1, skole-sw1" in closed.err


def test_single_points_of_failure_of_a_site_and_a_service(watched: Path) -> None:
    site = fleet(watched, "show", "site", "skole", "-o", "json").json
    assert site["single_points_of_failure"] == ["dc-r1", "NEAS-8841", "skole-r1"]
    service = fleet(watched, "show", "service", "tavle", "-o", "json").json
    assert set(service["single_points_of_failure"]) == {
        "dc-r1",
        "NEAS-8841",
        "skole-r1",
        "skole-r1 : Gi3 – skole-sw1 : Gi1",
        "skole-sw1",
    }


def test_outages_and_corrections(watched: Path, agents: Agents) -> None:
    poll(watched)
    silence(agents, "skole-r1", "skole-sw1")
    poll(watched, 3)
    silence(agents)
    poll(watched)
    outages = fleet(watched, "list", "outages", "-o", "json").json
    assert {(o["device"], o["state"], o["root"]) for o in outages} == {
        ("skole-r1", "down", "device skole-r1"),
        ("skole-sw1", "unreachable", "device skole-r1"),
    }
    name = next(o["outage"] for o in outages if o["device"] == "skole-r1")

    said = ("--role", "IT-leiar", "--reason", "straumbrot i heile kommunen")
    ran = fleet(watched, "correct", name, "--as", "excluded", *said)

    assert (ran.status, ran.out) == (0, f"{name} counts as excluded\n")
    shown = fleet(watched, "show", "outage", name, "-o", "json").json
    assert shown["corrected"] == "excluded"
    assert [(c["as"], c["role"]) for c in shown["corrections"]] == [("excluded", "IT-leiar")]
    assert fleet(watched, "correct", name, "--as", "as-seen", *said).status == 0
    assert len(fleet(watched, "show", "outage", name, "-o", "json").json["corrections"]) == 2
    for wrong in ("skole-r1", "skole-r1@2020-01-01T00:00:00Z"):
        assert fleet(watched, "correct", wrong, "--as", "planned", *said).status == 4
    assert fleet(watched, "correct", name, "--as", "wrong", *said).status == 2


def test_maintenance(watched: Path, agents: Agents, monkeypatch: pytest.MonkeyPatch) -> None:
    window = ("--start", "2026-11-25T20:00", "--end", "2026-11-25T23:00", "--reason", "ny kjerne")

    def at(text: str) -> None:
        monkeypatch.setattr(App, "now", lambda _: to_instant(parse_moment(text)))

    at("2026-11-20T12:00")
    add = ("maintenance", "add", "--site", "skole", *window)
    assert fleet(watched, *add).out == "maintenance 1: site skole, counts as planned\n"
    late = fleet(
        watched, "maintenance", "add", "--device", "dc-r1", *window, "--announced=2026-11-20"
    )
    assert late.out == "maintenance 2: device dc-r1, counts as planned\n"
    at("2026-11-24T12:00")
    late = fleet(watched, "maintenance", "add", "--member", "aure", *window)
    assert "unplanned: it was announced less than 48 h before" in late.out
    again = fleet(watched, *add, "--announced", "2026-11-20T12:00")
    assert again.err == "that window is there already, number 1\n"
    at("2026-11-25T21:00")
    silence(agents, "skole-r1", "skole-sw1")
    for minute in range(4):
        at(f"2026-11-25T21:0{minute}")
        poll(watched)
    status = fleet(watched, "status", "-o", "json")
    assert (status.status, status.json["counts"]["maintenance"]) == (0, 2)
    assert status.json["root_causes"][0]["maintenance"] is True
    assert fleet(watched, "maintenance", "end", "1").out == "maintenance 1 ended\n"
    assert fleet(watched, "maintenance", "end", "3").out == "maintenance 3 ended\n"
    assert fleet(watched, "status").status == 1
    assert fleet(watched, "maintenance", "end", "9").status == 4


@pytest.mark.parametrize(
    ("start", "end", "announced", "says"),
    [
        ("2026-02-02T10:00", "2026-02-02T10:00", "2026-01-01", "ends before it begins"),
        ("2026-03-29T02:30", "2026-03-29T04:00", "2026-01-01", "does not exist in Oslo"),
        ("2025-10-26T02:30", "2025-10-26T04:00", "2025-01-01", "exists twice in Oslo"),
        ("2026-02-02T10:00", "2026-02-02T11:00", "2199-01-01", "announced in the future"),
        ("yesterday", "2026-02-02T11:00", "2026-01-01", "is not a date"),
    ],
)
def test_a_window_that_makes_no_sense(
    watched: Path, start: str, end: str, announced: str, says: str
) -> None:
    ran = fleet(
        watched,
        *("maintenance", "add", "--device", "dc-r1", "--reason", "x"),
        *("--start", start, "--end", end, "--announced", announced),
    )

    assert ran.status == 4
    assert says in ran.err
    assert fleet(watched, "maintenance", "list", "-o", "json").json == []


# --- polling that goes on


def test_the_doctor_says_when_polling_stopped(
    watched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fleet(watched, "poll")
    assert "polling" not in fleet(watched, "doctor").out
    later = datetime.now(UTC) + timedelta(hours=1)
    monkeypatch.setattr(App, "now", lambda _: later)
    doctor = fleet(watched, "doctor")
    assert doctor.status == 1
    assert "wrong  polling: none since " in doctor.out
    assert "mend: is `fleet poll --every` running?" in doctor.out


def test_polling_goes_on_until_sigterm_and_refuses_another(watched: Path) -> None:
    service = run(watched, "poll", "--every", "1s")
    try:
        wait_for_rounds(watched, 2)
        other = fleet(watched, "poll")
        assert (other.status, "another poll is under way" in other.err) == (6, True)
        skipped = fleet(watched, "poll", "--skip-if-running")
        assert (skipped.status, skipped.out, skipped.err) == (0, "", "")
        imported = watched / "o.csv"
        imported.write_text("device,start,end,state,cause\n")
        covers = ("--covers", "2026-01-01/2026-02-01", "--all")
        assert fleet(watched, "import", "outages", "o.csv", *covers).status == 0
    finally:
        service.send_signal(signal.SIGTERM)
        out, err = service.communicate(timeout=20)
    assert service.returncode == 0
    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d 4 devices: 4 up, 0 down, .*\n", out)
    assert err == "polling every 1 s; stop with Ctrl-C or SIGTERM\nstopped\n"
    assert fleet(watched, "store", "check").status == 0


def test_ports_are_looked_at_in_every_fifth_cycle(cabled: Cabled) -> None:
    with cabled.network():
        polls = ("poll", "--every", "1", "--cycles", "7", "-o", "json")
        with run(cabled.world, *polls) as service:
            out, _ = service.communicate(timeout=60)
    assert service.returncode == 0
    requests = [json.loads(line)["requests"] for line in out.splitlines()]
    # All facts; then one packet each; then one more of each router with a declared port, and
    # three of the UPS: its values, and the table of its outputs; no port here counts anything.
    assert requests[1:] == [4, 4, 4, 4, 4 + 2 + 3, 4]
    assert requests[0] > 4 * 6


def test_a_cut_link_is_the_root_cause_if_the_near_port_is_down(cabled: Cabled) -> None:
    with cabled.network():
        poll(cabled.world)
    with cabled.network({"dc-r1 : Gi1": "down"}) as network:
        network.silence(["skole-r1", "skole-sw1"])
        summary = poll(cabled.world, 3)
    assert (summary["up"], summary["down"], summary["unreachable"]) == (2, 0, 2)

    (cause,) = fleet(cabled.world, "status", "-o", "json").json["root_causes"]

    assert (cause["kind"], cause["name"]) == ("link", "dc-r1 : Gi1 – skole-r1 : Gi2")
    assert (cause["devices_behind"], cause["sites_behind"]) == (2, ["skole"])
    assert "(link fibre NEAS-8841)" in fleet(cabled.world, "status").out
    shown = fleet(cabled.world, "show", "device", "dc-r1", "-o", "json").json
    assert "  port Gi1: down since " in fleet(cabled.world, "show", "device", "dc-r1").out
    assert {"port gi1": "down"}.items() <= {
        c["subject"]: c["state"] for c in shown["conditions"]
    }.items()


def test_a_ups_on_battery_that_falls_silent_is_the_root_cause(cabled: Cabled) -> None:
    with cabled.network({"skole-sw1": "mains"}):
        poll(cabled.world)
        fleet(cabled.world, "poll", "--only", "metrics")
    with cabled.network({"skole-sw1": "battery"}):
        fleet(cabled.world, "poll", "--only", "metrics")
        status = fleet(cabled.world, "status")
        assert "battery: skole-sw1: on battery since " in status.out
    with cabled.network() as network:
        network.silence(["skole-r1", "skole-sw1"])
        poll(cabled.world, 3)
    (cause,) = fleet(cabled.world, "status", "-o", "json").json["root_causes"]
    assert (cause["name"], cause["devices_behind"]) == ("skole-sw1", 1)


def test_a_reboot_is_seen_and_facts_are_read_again(cabled: Cabled) -> None:
    with cabled.network():
        poll(cabled.world)
    with cabled.network({"uptime": "100"}):
        ran = fleet(cabled.world, "poll", "--only", "status", "-o", "json")
        assert "rebooted: dc-r1\n" in ran.err
        assert poll(cabled.world)["requests"] > 4 * 6
        assert poll(cabled.world)["requests"] == 4
    shown = fleet(cabled.world, "show", "device", "dc-r1", "-o", "json").json
    assert len(shown["reboots"]) == 1


def test_a_near_device_with_another_credential_is_left_out(
    watched: Path, agents: Agents, monkeypatch: pytest.MonkeyPatch
) -> None:
    section = '[snmp.credentials.core]\nversion = "2c"\ncommunity = { env = "CORE" }\n'
    replace_in(watched / "fleet.toml", "[poll]", f"{section}[poll]")
    devices = watched / "inventory/aure/devices.yaml"
    replace_in(devices, "    serial: FCW", "    credential: core\n    serial: FCW")
    assert fleet(watched, "sync", "--yes").status == 0
    monkeypatch.setenv("CORE", COMMUNITY)
    poll(watched)
    monkeypatch.delenv("CORE")
    silence(agents, "skole-r1")

    assert fleet(watched, "poll", "--site", "skole").status == 1


def test_who_answers_again_is_no_root_cause(watched: Path, agents: Agents) -> None:
    poll(watched)
    silence(agents, "skole-r1", "skole-sw1")
    poll(watched, 3)
    silence(agents, "skole-sw1")
    poll(watched)

    causes = fleet(watched, "status", "-o", "json").json["root_causes"]
    assert [(c["name"], c["devices_behind"]) for c in causes] == [("skole-sw1", 0)]


def test_an_outage_that_nobody_looks_after_any_more_ends(
    watched: Path, agents: Agents, monkeypatch: pytest.MonkeyPatch
) -> None:
    silence(agents, "bhg-r1")
    poll(watched, 3)
    (outage,) = fleet(watched, "list", "outages", "-o", "json").json
    assert outage["until"] is None
    later = App().now() + timedelta(days=7)
    monkeypatch.setattr(App, "now", lambda _: later)

    (outage,) = fleet(watched, "list", "outages", "-o", "json").json

    assert outage["until"] is not None
    assert fleet(watched, "show", "outage", outage["outage"], "-o", "json").json["duration_s"] < 99


def test_maintenance_of_a_service_covers_its_machines(watched: Path, agents: Agents) -> None:
    now = App().now()
    begin, end = (f"{now + timedelta(hours=h):%Y-%m-%dT%H:%MZ}" for h in (-1, 1))
    window = ("--start", begin, "--end", end, "--announced", "2026-01-01", "--reason", "x")
    assert fleet(watched, "maintenance", "add", "--service", "tavle", *window).status == 0
    poll(watched)
    silence(agents, "skole-sw1")
    poll(watched, 3)

    assert fleet(watched, "status", "-o", "json").json["counts"]["maintenance"] == 1


def test_a_retired_thing_leads_nowhere(watched: Path) -> None:
    devices = watched / "inventory/aure/devices.yaml"
    replace_in(devices, "role: switch", "role: switch\n    status: retired")
    fleet(watched, "sync", "--yes")
    for arguments in (("path", "dc", "skole-sw1"), ("impact", "skole-sw1")):
        ran = fleet(watched, *arguments)
        assert (ran.status, "device `skole-sw1` is retired" in ran.err) == (4, True)


def test_a_service_holds_no_snapshot_of_the_database(watched: Path) -> None:
    service = run(watched, "poll", "--every", "1")
    try:
        wait_for_rounds(watched, 2)
        with closing(sqlite3.connect(watched / ".fleet/fleet.db")) as connection:
            found = [connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]]
            for _ in range(20):
                time.sleep(0.1)
                found.append(connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0])
        assert 0 in found
    finally:
        service.terminate()
        service.communicate(timeout=20)


@pytest.mark.parametrize("every", ["0", "x", "-1", "99999999", "60h"])
def test_every_must_be_seconds(watched: Path, every: str) -> None:
    assert fleet(watched, "poll", f"--every={every}").status == 2
