"""A small workspace with agents on loopback that can fall silent, and polling it."""

import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fleet.snmp.simulator import COMMUNITY
from tests.agents import Agents, healthy
from tests.worlds import DEVICES, fleet, replace_in

ADDRESSES = {
    "dc-r1": "127.3.0.1",
    "skole-r1": "127.3.0.2",
    "skole-sw1": "127.3.0.3",
    "bhg-r1": "127.3.0.4",
}
SERVICES = """\
services:
  - {slug: login, name: Innlogging, needs: [dc-r1]}
  - {slug: tavle, name: Smarttavle, needs: [skole-sw1, NEAS-8841, login],
     use: [{member: aure, from: 2020-01-01}]}
"""


@pytest.fixture
def agents() -> Iterator[Agents]:
    with Agents({address: healthy(name) for name, address in ADDRESSES.items()}) as agents:
        yield agents


@pytest.fixture
def watched(world: Path, agents: Agents, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small workspace with its agents, the poller in the data centre."""
    monkeypatch.setenv("FLEET_SNMP_COMMUNITY", COMMUNITY)
    replace_in(world / "fleet.toml", "[poll]", '[poll]\nfrom_site = "dc"')
    text = DEVICES
    for address in ADDRESSES.values():
        text = text.replace(
            f"address: {address}\n", f"address: {address}\n    port: {agents.port}\n"
        )
    (world / "inventory/aure/devices.yaml").write_text(text)
    (world / "inventory/services.yaml").write_text(SERVICES)
    assert fleet(world, "sync", "--yes").status == 0
    return world


def silence(agents: Agents, *names: str) -> None:
    for name, address in ADDRESSES.items():
        agents.replies[address] = None if name in names else healthy(name)


def poll(world: Path, times: int = 1) -> dict[str, int]:
    for _ in range(times):
        ran = fleet(world, "poll", "-o", "json")
    summary: dict[str, int] = ran.json
    return summary


def run(world: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "fleet", *arguments],
        cwd=world,
        env={**os.environ, "FLEET_SNMP_COMMUNITY": COMMUNITY},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def wait_for_rounds(world: Path, count: int) -> None:
    deadline = time.monotonic() + 30
    while rounds(world) < count:
        assert time.monotonic() < deadline, "no rounds"
        time.sleep(0.1)


def rounds(world: Path) -> int:
    with closing(sqlite3.connect(world / ".fleet/fleet.db")) as connection:
        found: int = connection.execute("SELECT count(*) FROM round").fetchone()[0]
    return found
