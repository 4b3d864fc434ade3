"""poll, list outages, import outages and report uptime, over real SNMP on loopback."""

import json
from pathlib import Path

import pytest

from fleet.snmp.simulator import COMMUNITY
from tests.agents import Agents, garbage, healthy, too_big
from tests.worlds import DEVICES, fleet, replace_in

ADDRESSES = {
    "dc-r1": "127.3.0.1",
    "skole-r1": "127.3.0.2",
    "skole-sw1": "127.3.0.3",
    "bhg-r1": "127.3.0.4",
}


@pytest.fixture
def synced(world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLEET_SNMP_COMMUNITY", COMMUNITY)
    fleet(world, "sync", "--yes")
    return world


def set_port(world: Path, port: int) -> None:
    text = DEVICES
    for address in ADDRESSES.values():
        text = text.replace(f"address: {address}\n", f"address: {address}\n    port: {port}\n")
    (world / "inventory/aure/devices.yaml").write_text(text)
    assert fleet(world, "sync", "--yes").status == 0


def test_a_poll_keeps_states_facts_and_findings(synced: Path) -> None:
    replies = {address: healthy(name) for name, address in ADDRESSES.items()}
    replies["127.3.0.2"] = healthy("another-name.aure.no")
    with Agents(replies) as agents:
        set_port(synced, agents.port)
        ran = fleet(synced, "poll", "-o", "json")

    poll = ran.json
    duration = poll.pop("duration_s")
    assert duration >= 0
    # Each: a GET of the system group and one of the maker's rows, and four GETNEXT that find out
    # which of all tables there are; two more for those that are measured.
    assert poll == {
        "devices": 4,
        "up": 4,
        "down": 0,
        "unreachable": 0,
        "unknown": 0,
        "requests": 32,
        "timeouts": 0,
    }
    assert ran.status == 1
    assert ran.err == "finding: skole-r1: name: declared skole-r1, seen another-name.aure.no\n"
    shown = fleet(synced, "show", "device", "skole-r1", "-o", "json").json
    assert (shown["state"], shown["name"]) == ("up", "skole-r1")
    assert shown["facts"]["name"] == "another-name.aure.no"
    assert shown["findings"] == [
        {
            "device": "skole-r1",
            "field": "name",
            "declared": "skole-r1",
            "seen": "another-name.aure.no",
        }
    ]


def test_facts_are_read_once_a_day(synced: Path) -> None:
    with Agents({a: healthy(n) for n, a in ADDRESSES.items()}) as agents:
        set_port(synced, agents.port)
        assert fleet(synced, "poll", "-o", "json").json["requests"] == 32
        assert fleet(synced, "poll", "-o", "json").json["requests"] == 4
        assert fleet(synced, "poll", "--only", "facts", "-o", "json").json["requests"] == 24


def test_down_after_three_silent_polls_from_the_first_of_them_on(synced: Path) -> None:
    replies = {a: healthy(n) for n, a in ADDRESSES.items() if n != "skole-r1"}
    with Agents(replies) as agents:
        set_port(synced, agents.port)
        states = [fleet(synced, "poll", "-o", "json").json for _ in range(3)]

    assert [(s["up"], s["down"], s["unknown"]) for s in states] == [(3, 0, 1), (3, 0, 1), (3, 1, 0)]
    outage = fleet(synced, "list", "outages", "-o", "json").json[0]
    assert (outage["device"], outage["site"], outage["state"]) == ("skole-r1", "skole", "down")
    assert outage["until"] is None
    with Agents({**replies, "127.3.0.2": healthy("skole-r1")}) as agents:
        set_port(synced, agents.port)
        assert fleet(synced, "poll", "-o", "json").json["up"] == 4
    assert fleet(synced, "list", "outages", "-o", "json").json[0]["until"]


def test_garbage_and_a_name_that_does_not_resolve(synced: Path) -> None:
    replies = {a: healthy(n) for n, a in ADDRESSES.items()} | {"127.3.0.2": garbage}
    with Agents(replies) as agents:
        set_port(synced, agents.port)
        devices = synced / "inventory/aure/devices.yaml"
        replace_in(devices, "address: 127.3.0.3", "address: no-such-host.invalid")
        fleet(synced, "sync", "--yes")
        ran = fleet(synced, "poll", "-o", "json")

    assert (ran.status, ran.json["up"], ran.json["unknown"]) == (1, 2, 2)
    assert "silent: skole-r1: the answer was not SNMP\n" in ran.err
    assert "silent: skole-sw1: the host name does not resolve (no-such-host.invalid)\n" in ran.err


def test_even_if_all_are_silent_the_poll_is_done(synced: Path) -> None:
    ran = fleet(synced, "poll", "-o", "json")

    assert (ran.status, ran.json["devices"], ran.json["timeouts"]) == (1, 4, 4)


def test_only_what_is_meant_is_polled(synced: Path) -> None:
    assert fleet(synced, "poll", "--site", "skole", "-o", "json").json["devices"] == 2
    assert fleet(synced, "poll", "--device", "dc-r1", "-o", "json").json["devices"] == 1
    assert fleet(synced, "poll", "--member", "smola", "-o", "json").json["devices"] == 0
    assert fleet(synced, "poll", "--site", "nowhere").status == 4
    replace_in(
        synced / "inventory/aure/devices.yaml", "role: switch", "role: switch\n    status: planned"
    )
    fleet(synced, "sync", "--yes")
    assert fleet(synced, "poll", "-o", "json").json["devices"] == 3


OUTAGES = """\
device,start,end,state,cause
dc-r1,2026-02-02T10:00,2026-02-02T11:00,down,power
skole-r1,2026-02-02T10:00,2026-02-03T08:30,unreachable,behind dc-r1
bhg-r1,2026-02-07T10:00,2026-02-08T10:00,down,weekend
"""
FEBRUARY = ("--from", "2026-02-01T00:00", "--to", "2026-03-01T00:00")


@pytest.fixture
def reported(synced: Path) -> Path:
    (synced / "o.csv").write_text(OUTAGES)
    ran = fleet(synced, "import", "outages", "o.csv", "--covers", "2026-01-01/2026-03-01")
    assert ran.err == "3 outages, 3 devices covered, 3 changed\n"
    return synced


def rows(ran_json: dict[str, object]) -> dict[str, dict[str, object]]:
    found = ran_json["rows"]
    assert isinstance(found, list)
    return {row["name"]: row for row in found}


def test_importing_the_same_again_changes_nothing(reported: Path) -> None:
    ran = fleet(reported, "import", "outages", "o.csv", "--covers", "2026-01-01/2026-03-01")

    assert ran.err == "3 outages, 3 devices covered, 0 changed\n"


def test_uptime_by_device_has_hand_computed_seconds(reported: Path) -> None:
    ran = fleet(reported, "report", "uptime", *FEBRUARY, "--by", "device", "-o", "json")

    report = ran.json
    assert (report["from"], report["to"]) == (
        "2026-02-01T00:00:00+01:00",
        "2026-03-01T00:00:00+01:00",
    )
    assert report["method"] == {"poll_interval_s": 60, "confirmations": 3}
    by_name = rows(report)
    assert by_name["dc-r1"] == {
        "name": "dc-r1",
        "scheduled_s": 2_419_200,
        "maintenance_s": 0,
        "net_s": 2_419_200,
        "unknown_s": 0,
        "known_s": 2_419_200,
        "downtime_s": 3600,
        "availability": "671/672",
        "availability_percent": "99.85",
        "coverage_percent": "100.00",
        "worst_case_percent": "99.85",
        "complete": True,
        "incidents": 1,
        "incidents_resolved": 1,
        "longest_outage_s": 3600,
        "mttr_s": 3600,
        "mtbf_s": 2_415_600,
        "excluded_s": 0,
        "target_met": True,
        "uncorrected_downtime_s": None,
        "uncorrected_percent": None,
    }
    # The school: 20 days of 9 hours; down 10:00-16:30 on Monday, 7:30-8:30 on Tuesday.
    assert by_name["skole-r1"]["scheduled_s"] == 20 * 9 * 3600
    assert by_name["skole-r1"]["downtime_s"] == 7.5 * 3600
    assert by_name["skole-r1"]["availability"] == "23/24"
    # Nobody watched the switch; the kindergarten was closed on the weekend.
    assert by_name["skole-sw1"]["availability"] is None
    assert by_name["skole-sw1"]["coverage_percent"] == "0.00"
    assert (by_name["bhg-r1"]["downtime_s"], by_name["bhg-r1"]["incidents"]) == (0, 0)
    assert ran.status == 1


def test_a_site_follows_its_edge_device_and_a_member_pools_its_sites(reported: Path) -> None:
    sites = rows(fleet(reported, "report", "uptime", *FEBRUARY, "-o", "json").json)
    members = rows(
        fleet(reported, "report", "uptime", *FEBRUARY, "--by", "member", "-o", "json").json
    )

    assert sites["skole"]["availability"] == "23/24"
    assert sites["dc"]["availability"] == "671/672"
    scheduled = 2_419_200 + 20 * 9 * 3600 + 20 * 37_800
    assert members["aure"]["scheduled_s"] == scheduled
    assert members["aure"]["downtime_s"] == 3600 + 27_000
    assert members["smola"]["availability"] is None


def test_a_member_that_left_is_in_old_reports_only(reported: Path) -> None:
    replace_in(
        reported / "inventory/members.yaml",
        'number: "1576", language: nb, joined: 1997-01-01,',
        'number: "1576", language: nb, joined: 1997-01-01, left: 2026-02-15,',
    )
    fleet(reported, "sync", "--yes")

    february = rows(
        fleet(reported, "report", "uptime", *FEBRUARY, "--by", "member", "-o", "json").json
    )
    later = rows(
        fleet(
            reported, "report", "uptime", "--month", "2026-03", "--by", "member", "-o", "json"
        ).json
    )

    assert february["aure"]["scheduled_s"] == 14 * 86_400 + 10 * 9 * 3600 + 10 * 37_800
    assert "aure" not in later


@pytest.mark.parametrize(
    ("language", "heading", "percent"),
    [
        ("nb", "Oppetid per sted", "99,85"),
        ("nn", "Oppetid per stad", "99,85"),
        ("en", "Uptime by site", "99.85"),
    ],
)
def test_the_page_is_in_one_language_and_the_same_bytes_twice(
    reported: Path, language: str, heading: str, percent: str
) -> None:
    for name in ("one.html", "two.html"):
        fleet(reported, "report", "uptime", *FEBRUARY, "--language", language, "--out", name)

    page = (reported / "one.html").read_text()
    assert page == (reported / "two.html").read_text()
    assert f'<html lang="{language}">' in page
    assert f"<h1>{heading}</h1>" in page
    assert f"{percent}\N{NO-BREAK SPACE}%" in page
    assert page.count('<svg class="bar"') == 3 + 1  # a bar for each site, and the total
    assert '<th scope="row">Aure skole' in page


def test_a_workspace_may_have_its_own_template(reported: Path) -> None:
    own = reported / "templates/report"
    own.mkdir(parents=True)
    (own / "uptime.html.j2").write_text("{{ cooperation }}: {{ total.availability }}\n")

    fleet(reported, "report", "uptime", *FEBRUARY, "--language", "en", "--out", "own.html")

    assert (reported / "own.html").read_text() == "Two municipalities: 99.19\N{NO-BREAK SPACE}%\n"


def test_csv_and_json_files_have_what_the_screen_has(reported: Path) -> None:
    arguments = ("report", "uptime", *FEBRUARY, "--by", "device")
    fleet(reported, *arguments, "--out", "r.csv")
    fleet(reported, *arguments, "--out", "r.json")

    assert (reported / "r.csv").read_text() == fleet(reported, *arguments, "-o", "csv").out
    assert json.loads((reported / "r.json").read_text()) == (
        fleet(reported, *arguments, "-o", "json").json
    )


def test_the_table_has_the_worst_first(reported: Path) -> None:
    ran = fleet(reported, "report", "uptime", *FEBRUARY)

    lines = [line.split()[0] for line in ran.out.splitlines()[2:]]
    assert lines == ["skole", "dc", "barnehage", "total"]
    assert "2026-02-01 00:00 to 2026-03-01 00:00" in ran.err


def test_what_fleet_polled_itself_stays_as_it_saw_it(
    synced: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, datetime

    from fleet.app import App

    moment = datetime(2026, 2, 2, 10, tzinfo=UTC)
    monkeypatch.setattr(App, "now", lambda _: moment)
    with Agents({a: healthy(n) for n, a in ADDRESSES.items()}) as agents:
        set_port(synced, agents.port)
        for minute in range(10):
            moment = datetime(2026, 2, 2, 10, minute, tzinfo=UTC)
            fleet(synced, "poll", "--device", "dc-r1")
    moment = datetime(2026, 3, 2, tzinfo=UTC)
    (synced / "o.csv").write_text(
        "device,start,end,state,cause\ndc-r1,2026-02-02T10:00Z,2026-02-02T11:00Z,down,power\n"
    )

    ran = fleet(synced, "import", "outages", "o.csv", "--covers", "2026-02-01/2026-03-01")

    assert "fleet polled dc-r1 itself for 0:09:00 of that time; what it saw stays" in ran.err
    row = rows(fleet(synced, "report", "uptime", *FEBRUARY, "--by", "device", "-o", "json").json)
    assert row["dc-r1"]["downtime_s"] == 51 * 60


def test_replacing_a_sites_router_leaves_its_past_alone(reported: Path) -> None:
    before = rows(fleet(reported, "report", "uptime", *FEBRUARY, "-o", "json").json)
    for file, old, new in (
        ("devices.yaml", "name: skole-r1", "name: skole-r2"),
        (
            "devices.yaml",
            "commissioned: 2020-01-01\n    interfaces",
            "commissioned: 2026-06-01\n    interfaces",
        ),
        ("links.yaml", "skole-r1", "skole-r2"),
    ):
        replace_in(reported / "inventory/aure" / file, old, new)
    assert fleet(reported, "sync", "--yes").status == 0

    assert rows(fleet(reported, "report", "uptime", *FEBRUARY, "-o", "json").json) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (
            "    role: router\n    address: 127.3.0.1",
            "    role: router\n    status: offline\n    address: 127.3.0.1",
        ),
        ("name: dc-r1\n    site: dc", "name: dc-r1\n    site: barnehage"),
    ],
)
def test_a_status_or_a_place_of_today_does_not_change_a_closed_month(
    reported: Path, old: str, new: str
) -> None:
    by_device = ("report", "uptime", *FEBRUARY, "--by", "device", "-o", "json")
    before = rows(fleet(reported, *by_device).json)
    replace_in(reported / "inventory/aure/devices.yaml", old, new)
    assert fleet(reported, "sync", "--yes").status == 0

    assert rows(fleet(reported, *by_device).json) == before


def test_what_never_counted_does_not_count_once_it_is_gone(reported: Path) -> None:
    devices = reported / "inventory/aure/devices.yaml"
    text = devices.read_text()
    devices.write_text(text + "  - {name: pc1, site: dc, role: client, status: inventory}\n")
    fleet(reported, "sync", "--yes")
    devices.write_text(text)
    fleet(reported, "sync", "--yes")

    found = rows(
        fleet(reported, "report", "uptime", *FEBRUARY, "--by", "device", "-o", "json").json
    )

    assert "pc1" not in found


def test_a_poll_after_a_gap_leaves_what_was_imported_for_it(
    synced: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from datetime import UTC, datetime

    from fleet.app import App

    moment = datetime(2026, 2, 2, 10, tzinfo=UTC)
    monkeypatch.setattr(App, "now", lambda _: moment)
    with Agents({a: healthy(n) for n, a in ADDRESSES.items()}) as agents:
        set_port(synced, agents.port)
        fleet(synced, "poll", "--device", "dc-r1")
        moment = datetime(2026, 2, 4, 10, tzinfo=UTC)
        (synced / "o.csv").write_text(
            "device,start,end,state,cause\ndc-r1,2026-02-03T10:00Z,2026-02-03T11:00Z,down,power\n"
        )
        covers = "2026-02-02T10:00Z/2026-02-04T10:00Z"
        fleet(synced, "import", "outages", "o.csv", "--covers", covers)
        assert fleet(synced, "store", "check").status == 0
        moment = datetime(2026, 2, 4, 11, tzinfo=UTC)
        fleet(synced, "poll", "--device", "dc-r1")
        moment = datetime(2026, 2, 4, 11, 1, tzinfo=UTC)
        fleet(synced, "poll", "--device", "dc-r1")

    assert fleet(synced, "store", "check").status == 0
    period = ("--from", "2026-02-02T10:00Z", "--to", "2026-02-04T11:01Z")
    row = rows(fleet(synced, "report", "uptime", *period, "--by", "device", "-o", "json").json)
    assert (row["dc-r1"]["downtime_s"], row["dc-r1"]["unknown_s"]) == (3600, 3600)


def test_an_agent_that_answers_with_errors_is_up(synced: Path) -> None:
    replies = {a: healthy(n) for n, a in ADDRESSES.items()} | {"127.3.0.2": too_big("skole-r1", 1)}
    with Agents(replies) as agents:
        set_port(synced, agents.port)
        ran = fleet(synced, "poll", "--only", "status", "-o", "json")

    assert (ran.status, ran.json["up"], ran.json["requests"]) == (0, 4, 4 + 2)


def test_two_polls_at_once_refuse_each_other(synced: Path) -> None:
    import fcntl

    with (synced / ".fleet/poll.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        ran = fleet(synced, "poll")

    assert (ran.status, "another poll is under way" in ran.err) == (6, True)
