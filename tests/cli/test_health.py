"""`fleet doctor --prometheus`: fleet's own health, as Prometheus reads it."""

from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.agents import Agents
from tests.watched import agents, poll, silence, watched
from tests.worlds import fleet

__all__ = ["agents", "watched"]

Found = dict[tuple[str, tuple[str, ...]], float]


def health(root: Path, file: Path) -> Found:
    ran = fleet(root, "doctor", "--prometheus", str(file))
    assert ran.status == 0, ran.err
    assert f"to {file}" in ran.err
    return {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(file.read_text())
        for sample in family.samples
    }


def test_polls_devices_and_the_database_in_numbers(
    watched: Path, agents: Agents, tmp_path: Path
) -> None:
    poll(watched)
    silence(agents, "bhg-r1")
    poll(watched, 3)

    found = health(watched, tmp_path / "fleet.prom")

    assert found["fleet_poll_devices", ()] == 4
    assert found["fleet_poll_silent_ratio", ()] == 0.25
    assert found["fleet_devices", ("aure", "up")] == 3
    assert found["fleet_devices", ("aure", "down")] == 1
    assert found["fleet_devices", ("aure", "unreachable")] == 0
    assert found["fleet_poll_timeouts", ()] > 0
    assert found["fleet_poll_lag_seconds", ()] >= 0
    assert found["fleet_store_bytes", ("database",)] > 10_000
    assert found["fleet_poll_interval_seconds", ()] == 60


def test_before_the_first_poll_every_device_is_unknown(world: Path, tmp_path: Path) -> None:
    assert fleet(world, "doctor", "--prometheus", str(tmp_path / "x.prom")).status == 4
    fleet(world, "sync", "--yes")

    found = health(world, tmp_path / "fleet.prom")

    assert found["fleet_devices", ("aure", "unknown")] == 4
    assert not [name for name, _ in found if name.startswith("fleet_poll_last")]


def test_a_file_that_cannot_be_written(world: Path, tmp_path: Path) -> None:
    fleet(world, "sync", "--yes")

    ran = fleet(world, "doctor", "--prometheus", str(tmp_path / "no/such/fleet.prom"))

    assert (ran.status, "cannot write" in ran.err) == (6, True), ran
    with pytest.raises(FileNotFoundError):
        (tmp_path / "no/such/fleet.prom").read_text()


def test_the_books_are_looked_at_as_well(world: Path) -> None:
    fleet(world, "sync", "--yes")
    assert "ok     inventory: the declared files are sound" in fleet(world, "doctor").out
    (world / "inventory/capacity.yaml").write_text("- slug: disk\n  sizze: 3\n")

    ran = fleet(world, "doctor")

    assert ran.status == 1
    assert "wrong  inventory: inventory/capacity.yaml:" in ran.out
