"""3,106 devices: a town hall's core fails, and the poller goes on and on."""

import gc
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from fleet.flows.alerts import Channel, tell
from fleet.report.words import words
from tests.hedmark import FROM_SITE, Hedmark, open_hedmark
from tests.worlds import fleet

CORE = "ham-rh-core1"


@pytest.fixture
def hedmark(tmp_path: Path) -> Iterator[Hedmark]:
    with open_hedmark(tmp_path) as hedmark:
        yield hedmark


def resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def go_on(hedmark: Hedmark, cycles: int) -> None:
    """Memory stays where it is, with devices that come and go."""
    names = sorted(hedmark.inventory.devices)
    grown = []
    for cycle in range(cycles):
        hedmark.simulated.silence(names[cycle % 50 :: 50])
        hedmark.poll()
        hedmark.simulated.heal(names[cycle % 50 :: 50])
        gc.collect()
        grown.append(resident_mb())
    settled = grown[cycles // 2]
    assert max(grown[cycles // 2 :]) - settled < 10, grown


def test_the_core_of_a_town_hall_fails(hedmark: Hedmark) -> None:
    assert hedmark.poll().round.up == 3106
    gone = hedmark.behind(CORE)
    hedmark.simulated.silence(gone)
    for _ in range(3):
        seen = hedmark.poll().round
    assert (seen.down, seen.unreachable) == (1, len(gone) - 1)

    ran = fleet(hedmark.root, "status", "-o", "json")

    (cause,) = ran.json["root_causes"]
    assert (cause["name"], cause["devices_behind"]) == (CORE, len(gone) - 1)
    inventory = hedmark.inventory
    sites = {inventory.devices[name].site for name in gone}
    with_mobile = {
        inventory.devices[link.a.partition(" : ")[0]].site
        for link in inventory.links.values()
        if link.kind == "mobile"
    }
    dark = {s for s in sites if s not in with_mobile} - {"ham-rh"}
    assert cause["sites_behind"] == sorted(dark)  # each once
    assert len(dark) > 20
    degraded = set(ran.json["degraded_sites"])
    assert sites & with_mobile <= degraded
    assert degraded.isdisjoint(dark)
    assert cause["users_behind"] == sum(inventory.sites[s].users or 0 for s in dark)

    go_on(hedmark, 20)


def test_a_failing_core_is_told_once_and_in_maintenance_not_at_all(hedmark: Hedmark) -> None:
    got: list[tuple[str, str]] = []
    everybody = Channel(
        name="drift",
        members=None,
        keeps_quiet=False,
        deliver=lambda message: got.append((message.facts["phase"], message.facts["cause"])),
    )

    def cycles(count: int) -> None:
        for _ in range(count):
            hedmark.poll()
            now, interval = datetime.now(UTC), hedmark.method.interval
            assert tell(hedmark.store, [everybody], words("nb"), now, interval, FROM_SITE) == []

    gone = hedmark.behind(CORE)
    cycles(1)
    hedmark.simulated.silence(gone)
    cycles(5)
    hedmark.simulated.heal(gone)
    cycles(3)
    assert got == [("began", f"device {CORE}"), ("ended", f"device {CORE}")]

    got.clear()
    window = ("--start", "2026-01-01", "--end", "2099-01-01", "--reason", "new core")
    assert fleet(hedmark.root, "maintenance", "add", "--site", "ham-rh", *window).status == 0
    hedmark.simulated.silence(gone)
    cycles(5)
    hedmark.simulated.heal(gone)
    cycles(3)
    assert got == []


@pytest.mark.endure
def test_five_hundred_cycles(hedmark: Hedmark) -> None:
    go_on(hedmark, 500)
