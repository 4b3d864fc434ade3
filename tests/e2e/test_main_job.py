"""From an empty folder to a report, as a user goes."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.store.schema import HEAD
from tests.worlds import fleet

ROOT = Path(__file__).resolve().parents[2]


def networks(folder: Path) -> list[str]:
    """Command lines of the simulated networks that have their files below a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if "fleet.snmp.simulator" in line and f" {folder}/" in line:
            found.append(line)
    return found


def demo(keep: Path) -> "subprocess.Popen[str]":
    """The tour, with its temporary files beside its workspace."""
    return subprocess.Popen(
        [sys.executable, "-m", "fleet", "demo", "--keep", str(keep)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "TMPDIR": str(keep.parent)},
    )


def test_the_tour(tmp_path: Path) -> None:
    keep = tmp_path / "tour"

    said, _ = (tour := demo(keep)).communicate(timeout=300)

    assert tour.returncode == 0, said
    assert "138 devices: 138 up, 0 down" in said
    assert "138 devices: 130 up, 2 down, 6 unreachable" in said
    assert "behind it: 6 devices, 2 sites, 442 users, 0 services" in said
    assert "138 devices: 137 up, 1 down" in said
    assert "0 changes: the inventory is as declared." in said
    assert "the database is sound" in said
    outages = fleet(keep, "list", "outages", "-o", "json").json
    open_ones = [o["device"] for o in outages if o["until"] is None]
    assert open_ones == ["krs-rh-ups1"]
    assert sum(o["site"] == "krs-skole" for o in outages) == 5 + 1  # and one taken over
    for language in ("nb", "nn", "en"):
        assert f'<html lang="{language}">' in (keep / f"uptime-{language}.html").read_text()
    assert networks(tmp_path) == []


@pytest.fixture
def listening() -> Iterator[None]:
    """A shell's job in the background, as these tests may be, does not hear SIGINT."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize("signal_number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_tour_stops_what_it_started(tmp_path: Path, signal_number: int) -> None:
    tour = demo(tmp_path / "tour")
    assert tour.stdout
    deadline = time.monotonic() + 120
    while not networks(tmp_path):
        assert time.monotonic() < deadline and tour.poll() is None
        time.sleep(0.1)

    os.kill(tour.pid, signal_number)
    tour.stdout.read()
    tour.wait(timeout=60)
    tour.stdout.close()

    assert tour.returncode == 130
    assert networks(tmp_path) == []


def test_the_example_has_13_members_in_2013_and_9_today(tmp_path: Path) -> None:
    from datetime import date

    from fleet.sources.files import read_files

    inventory = read_files(ROOT / "inventory", ROOT, {"default"})

    def members(day: date) -> list[str]:
        return sorted(m.slug for m in inventory.members.values() if m.is_member(day))

    then = members(date(2013, 6, 1))
    assert len(then) == 13
    assert sum(inventory.members[m].population[2013] for m in then) == 74_089
    assert len(members(date(2019, 6, 1))) == 10
    assert len(members(date(2026, 6, 1))) == 9
    assert inventory.members["rindal"].at(date(2013, 1, 1)).number == "1567"
    assert {s.kind.value for s in inventory.sites.values()} == {
        *("data_centre", "town_hall", "school", "kindergarten", "nursing_home", "home_care"),
        *("clinic", "library", "fire_station", "water", "sports_hall", "office", "technical"),
        *("mast", "other"),
    }


def test_every_device_of_the_example_has_a_way_to_a_data_centre() -> None:
    from fleet.core.topology import Network
    from fleet.sources.files import read_files

    inventory = read_files(ROOT / "inventory", ROOT, {"default"})
    uplinks = Network(inventory).uplinks()

    alone = [
        d.name
        for d in inventory.devices.values()
        if d.is_polled and d.name not in uplinks and d.site not in ("krs-dc", "sur-dc")
    ]
    assert alone == []


def test_the_playbooks_of_the_repository_are_as_fleet_writes_them(tmp_path: Path) -> None:
    import shutil

    for name in ("fleet.toml", "inventory", "baselines", "playbooks"):
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    fleet(tmp_path, "sync", "--yes")

    def files() -> dict[str, bytes]:
        paths = sorted(p for p in (tmp_path / "playbooks").rglob("*") if p.is_file())
        return {str(p.relative_to(tmp_path)): p.read_bytes() for p in paths}

    before = files()

    assert fleet(tmp_path, "deploy", "--plan", "--offline").status == 0

    assert files() == before, "run `make playbooks`"


def test_doctor_says_how_to_mend(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FLEET_SNMP_COMMUNITY", raising=False)
    before = fleet(world, "doctor")
    assert before.status == 1
    assert "wrong  store: there is no database yet\n         mend: fleet sync\n" in before.out
    assert "mend: export FLEET_SNMP_COMMUNITY=…" in before.out

    monkeypatch.setenv("FLEET_SNMP_COMMUNITY", "public")
    fleet(world, "sync", "--yes")
    after = fleet(world, "doctor")

    assert after.status == 0, after.out
    assert f"ok     store: form {HEAD}, 4 devices\n" in after.out
    assert "ok     ansible: ansible-playbook [core " in after.out
