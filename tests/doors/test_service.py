"""The poller as a service: killed, starved of disk, with a clock that jumps; and its units."""

import os
import random
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from fleet.app import App
from fleet.core.imported import POLL
from fleet.core.moment import parse_moment, to_instant, to_us
from fleet.core.states import Observation, Round, State, Verdict, replay
from fleet.store.care import check
from fleet.store.reader import open_reader
from fleet.store.seen import unpack
from fleet.store.store import Store
from tests.agents import Agents, healthy
from tests.watched import ADDRESSES, poll, rounds, run, silence, wait_for_rounds
from tests.worlds import fleet, replace_in

UNITS = Path(__file__).resolve().parents[2] / "templates/systemd"


def stretches_by_an_uncut_run(world: Path) -> dict[str, list[tuple[str, int, int | None]]]:
    """What one process would have made of everything that was seen."""
    reader = open_reader(f"sqlite:///{world / '.fleet/fleet.db'}")
    assert reader is not None
    seen: dict[str, list[Observation]] = {}
    with reader:
        for at, packed in reader.packed_rounds():
            for observation in unpack(at, packed)[0]:
                seen.setdefault(observation.device, []).append(observation)
    made = {}
    for device, observations in seen.items():
        pieces: list[tuple[str, int, int | None]] = []
        steps = replay(observations, None, confirmations=3, interval=timedelta(seconds=1))
        for opened in (i for step in steps for i in step.opened):
            since = to_us(opened.since)
            while pieces and pieces[-1][1] >= since:
                pieces.pop()
            if pieces:
                pieces[-1] = (*pieces[-1][:2], since)
            pieces.append((opened.state.value, since, None))
        made[device] = [p for p in pieces if p[0] != State.UNKNOWN]
    return made


def kill_at_random(world: Path, agents: Agents, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    replace_in(world / "fleet.toml", "[poll]", "[poll]\ninterval_s = 1")
    # One after another the devices come and go, so that there is something to lose.
    for number in range(kills):
        silence(agents, *chance.sample(list(ADDRESSES)[1:], number % 3))
        service = run(world, "poll", "--every", "1")
        time.sleep(chance.uniform(0.3, 3.5))
        service.kill()
        service.communicate()


def check_after_kills(world: Path) -> None:
    url = f"sqlite:///{world / '.fleet/fleet.db'}"
    assert check(url) == []
    reader = open_reader(url)
    assert reader is not None
    with reader:
        kept = {
            device: [(s.state, s.since, s.until) for s in mine if s.source == POLL]
            for device, mine in reader.stretches().items()
        }
    assert {d: s for d, s in stretches_by_an_uncut_run(world).items() if s} == kept


def test_ten_kills_lose_nothing_but_the_round_that_went_on(watched: Path, agents: Agents) -> None:
    kill_at_random(watched, agents, kills=10, seed=4)

    assert rounds(watched) > 0  # how many, is a question of how busy the machine is
    check_after_kills(watched)
    silence(agents)
    assert poll(watched)["up"] == 4


@pytest.mark.endure
def test_a_hundred_kills(watched: Path, agents: Agents) -> None:
    kill_at_random(watched, agents, kills=100, seed=5)

    check_after_kills(watched)


def test_a_report_that_is_killed_leaves_whole_files_and_one_revision(
    watched: Path, agents: Agents
) -> None:
    (watched / "o.csv").write_text("device,start,end,state,cause\n")
    fleet(watched, "import", "outages", "o.csv", "--covers", "2026-01-01/2026-03-01", "--all")
    chance = random.Random(6)
    arguments = ("report", "uptime", "--month", "2026-02", "--out", "reports")
    for _ in range(10):
        service = run(watched, *arguments)
        time.sleep(chance.uniform(0.2, 1.2))
        service.kill()
        service.communicate()
        for path in (watched / "reports").glob("uptime-*"):
            assert path.read_bytes().endswith((b"</html>\n", b"}\n", b"\n")), path
    assert fleet(watched, *arguments).status in (0, 1)
    kept = fleet(watched, "report", "list", "-o", "json").json
    assert [(k["name"], k["number"]) for k in kept] == [("uptime-2026-02-site", 1)]


def test_a_full_disk_costs_the_cycle_and_no_more(watched: Path) -> None:
    poll(watched)
    service = run(watched, "poll", "--every", "1", "-o", "json")
    try:
        wait_for_rounds(watched, 3)
        # No file of the process may grow any more, as if the disk were full.
        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
        time.sleep(3)
        before = rounds(watched)
        unlimited = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
        resource.prlimit(service.pid, resource.RLIMIT_FSIZE, unlimited)
        wait_for_rounds(watched, before + 2)
    finally:
        service.send_signal(signal.SIGTERM)
        _, err = service.communicate(timeout=20)
    assert service.returncode == 0
    assert "nothing of this cycle was kept: the database cannot be used" in err
    assert check(f"sqlite:///{watched / '.fleet/fleet.db'}") == []


def test_a_database_that_somebody_holds_costs_the_cycle(watched: Path) -> None:
    service = run(watched, "poll", "--every", "1", "--cycles", "4")
    wait_for_rounds(watched, 1)
    with closing(sqlite3.connect(watched / ".fleet/fleet.db", isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        time.sleep(7)  # longer than a writer waits
        holder.execute("ROLLBACK")
    _, err = service.communicate(timeout=60)
    assert "nothing of this cycle was kept: the database is locked by another program" in err
    assert rounds(watched) > 1


# --- clocks


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[datetime]]:
    now = [to_instant(parse_moment("2026-11-20T12:00"))]
    monkeypatch.setattr(App, "now", lambda _: now[0])
    yield now


def states(world: Path, device: str = "dc-r1") -> list[tuple[str, int, int | None]]:
    """State, since, until; in minutes after noon."""
    reader = open_reader(f"sqlite:///{world / '.fleet/fleet.db'}")
    assert reader is not None
    noon = to_us(parse_moment("2026-11-20T12:00"))

    def minutes(at: int | None) -> int | None:
        return None if at is None else round((at - noon) / 60_000_000)

    with reader:
        mine = reader.stretches().get(device, [])
    return [(s.state, minutes(s.since) or 0, minutes(s.until)) for s in mine]


def test_a_clock_that_jumps_ahead_and_back(watched: Path, clock: list[datetime]) -> None:
    noon = clock[0]
    for minute in range(3):
        clock[0] = noon + timedelta(minutes=minute)
        poll(watched)
    clock[0] = noon + timedelta(days=4000)
    poll(watched)
    clock[0] = noon + timedelta(minutes=3)
    ran = fleet(watched, "poll")
    assert "the clock went back: 1 poll of the future left out" in ran.err
    clock[0] = noon + timedelta(minutes=4)
    poll(watched)

    assert states(watched)[-1] == ("up", 3, None)
    assert states(watched)[0][:2] == ("up", 0)
    assert fleet(watched, "status", "-o", "json").json["counts"]["up"] == 4


def test_a_clock_that_is_behind_deletes_nothing(watched: Path, clock: list[datetime]) -> None:
    noon = clock[0]
    for minute in range(65):
        clock[0] = noon + timedelta(minutes=minute)
        fleet(watched, "poll", "--device", "dc-r1", "--only", "status")
    before = states(watched)
    clock[0] = noon - timedelta(days=8)
    ran = fleet(watched, "poll")
    assert (ran.status, states(watched)) == (6, before)
    assert "the clock says 2026-11-12 12:00, but the last poll was at 2026-11-20 13:04" in ran.err
    assert fleet(watched, "poll", "--forget-future").status in (0, 1)


def test_a_late_result_does_not_outlive_what_was_seen_around_it(
    watched: Path, clock: list[datetime]
) -> None:
    noon = clock[0]
    url = f"sqlite:///{watched / '.fleet/fleet.db'}"

    def keep(poll_at: datetime, *seen_at: datetime) -> None:
        seen = [Observation(device="dc-r1", at=t, verdict=Verdict.ANSWERED) for t in seen_at]
        with Store(url) as store:
            one = Round(at=poll_at, duration_us=1, devices=1)
            store.add_poll(seen, one, confirmations=3, interval=timedelta(minutes=1))

    for minute in range(10):
        keep(noon + timedelta(minutes=minute), noon + timedelta(minutes=minute))
    # A straggler of the first minute, delivered 23 hours later; and another one a day later.
    later = noon + timedelta(hours=23)
    keep(later, noon + timedelta(seconds=30), later)
    keep(later + timedelta(hours=2), later + timedelta(seconds=90), later + timedelta(hours=2))
    keep(later + timedelta(hours=2), later + timedelta(seconds=90))

    assert states(watched)[0] == ("up", 0, 9)


def test_a_small_step_back_is_taken_as_it_comes(watched: Path, clock: list[datetime]) -> None:
    noon = clock[0]
    for seconds in (0, 60, 120, 90, 150, 210):
        clock[0] = noon + timedelta(seconds=seconds)
        poll(watched)

    assert states(watched) == [("up", 0, None)]


def test_a_machine_that_slept_knows_nothing_of_that_time(
    watched: Path, clock: list[datetime]
) -> None:
    noon = clock[0]
    for minute in (0, 1, 2, 120, 121):
        clock[0] = noon + timedelta(minutes=minute)
        poll(watched)

    assert states(watched) == [("up", 0, 2), ("up", 120, None)]


# --- units


def test_the_units_are_as_systemd_wants_them(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("no systemd-analyze")
    for path in UNITS.iterdir():
        text = path.read_text().replace("/usr/local/bin/fleet", sys.executable)
        (tmp_path / path.name).write_text(text)
    units = sorted(str(p) for p in tmp_path.iterdir() if p.suffix in (".service", ".timer"))
    assert len(units) == 3

    done = subprocess.run(
        [analyze, "verify", *units], capture_output=True, text=True, check=False, env=os.environ
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_the_commands_of_the_units_are_fleets(watched: Path) -> None:
    for path in UNITS.glob("*.service"):
        line = next(ln for ln in path.read_text().splitlines() if ln.startswith("ExecStart="))
        words = line.split()[1:]
        known = fleet(watched, words[0], *(["uptime"] if words[0] == "report" else []), "--help")
        assert known.status == 0
        assert all(word in known.out for word in words if word.startswith("--"))


def test_polls_of_one_device_count_like_polls_of_all(watched: Path, agents: Agents) -> None:
    """A poll of one device between polls of all: every finished poll counts."""
    poll(watched)
    silence(agents, "bhg-r1")
    for _ in range(3):
        fleet(watched, "poll", "--device", "bhg-r1")
    counts = fleet(watched, "status", "-o", "json").json["counts"]
    assert (counts["up"], counts["down"]) == (3, 1)
    agents.replies[ADDRESSES["bhg-r1"]] = healthy("bhg-r1")
    assert poll(watched)["up"] == 4
