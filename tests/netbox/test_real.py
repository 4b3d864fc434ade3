"""The same contract on a real NetBox, and what it costs there. `make lab-netbox` runs it."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from fleet.app import App
from fleet.flows.sync import Wanted, make_plan
from tests.netbox.server import NetBoxServer, missing, prepare, serve
from tests.netbox_contract import Contract, connect, plan, rows, sync
from tests.worlds import fleet

pytestmark = pytest.mark.netbox

HERE = Path(__file__).parent
EMPTY = (HERE / "empty.py").read_text()
SEED = (HERE / "seed.py").read_text()


@pytest.fixture(scope="session")
def server() -> Iterator[NetBoxServer]:
    if lacking := missing():
        assert not os.environ.get("FLEET_REQUIRE_NETBOX"), f"{lacking} is required, and missing"
        pytest.skip(f"no NetBox can run here: {lacking} is missing")
    prepare()
    with serve() as running:
        yield running


@pytest.fixture
def netbox(server: NetBoxServer) -> NetBoxServer:
    server.shell(EMPTY)
    return server


class TestReal(Contract):
    """The contract, on NetBox itself."""


@pytest.fixture
def large(netbox: NetBoxServer, world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace of members alone, and a NetBox with 2,000 devices and 16,000 ports."""
    netbox.shell(SEED)
    monkeypatch.setenv("NETBOX_TOKEN", netbox.token)
    for name in ("sites", "devices", "links"):
        (world / f"inventory/aure/{name}.yaml").unlink()
    connect(world, netbox)
    return world


def requests(world: Path) -> tuple[int, int]:
    """How many requests a plan takes, and how many changes it finds."""
    app = App(world)
    sources = app.sources([])
    made = make_plan(sources, app.reader, app.now(), Wanted())
    number = sources.netboxes[0].client.requests
    app.close()
    return number, len(made.changes) + len(made.operations)


def test_2000_devices_and_16000_ports(large: Path, netbox: NetBoxServer) -> None:
    """All of it in at most 60 requests; nothing to do writes nothing; 200 changes in 10."""
    assert sync(large).status == 0
    number, changes = requests(large)
    assert number <= 60
    assert changes == 0

    netbox.shell(
        "from dcim.models import Device\nfrom django.db.models import F, Value\n"
        "from django.db.models.functions import Concat\n"
        "Device.objects.filter(name__startswith='sw-00').update("
        "serial=Concat(F('serial'), Value('X')))\n"
    )
    assert sync(large).status == 0
    with closing(sqlite3.connect(large / ".fleet/fleet.db")) as database:
        for table in ("device", "agreed"):
            assert database.execute(f"SELECT count(*) FROM {table}").fetchone()[0] > 0
    settings = large / "fleet.toml"
    text = settings.read_text().replace(
        "[sources", '[authority.device]\nroom = "files"\n[sources', 1
    )
    settings.write_text(text)
    declared = "\n".join(
        f"  - {{name: sw-{n:04d}, site: sted-{n % 40}, role: switch, asset_tag: IKT-{n:06d},"
        f' serial: "FCW{n:08d}{"X" if n < 100 else ""}", vendor: Cisco, model: C9200L-48P,'
        f" address: 10.{n // 250}.{n % 250}.1}}"
        for n in range(200)
    )
    sites = "\n".join(f"  - {{slug: sted-{n}, name: Sted {n}, kind: other}}" for n in range(40))
    (large / "inventory/aure/sites.yaml").write_text(f"sites:\n{sites}\n")
    (large / "inventory/aure/devices.yaml").write_text(f"devices:\n{declared}\n")

    made = plan(large)
    assert made["conflicts"] == []
    told = [c for c in made["changes"] if c["target"] == "netbox"]
    assert len(told) == 200
    app = App(large)
    before = app.netbox("netbox").client.requests
    app.close()
    assert before == 0
    began = len(writes(netbox))
    assert sync(large).status == 0
    assert len(writes(netbox)) - began <= 10
    assert requests(large)[1] == 0


def writes(netbox: NetBoxServer) -> set[str]:
    """The requests that changed something, as NetBox itself logged them."""
    out = netbox.shell(
        "from core.models import ObjectChange\n"
        "print('IDS', *ObjectChange.objects.values_list('request_id', flat=True).distinct())\n"
    )
    return set(next(line for line in out.splitlines() if line.startswith("IDS")).split()[1:])


def test_killed_while_writing_and_resumed(
    world: Path, netbox: NetBoxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """kill -9 in the middle: what is resumed has every object exactly once."""
    monkeypatch.setenv("NETBOX_TOKEN", netbox.token)
    connect(world, netbox)
    devices = "\n".join(
        f"  - {{name: k-{n:03d}, site: skole, role: switch, serial: K{n:05d}, room: U-{n % 7},"
        f" address: 10.9.{n // 200}.{n % 200 + 1}}}"
        for n in range(300)
    )
    (world / "inventory/smola").mkdir()
    (world / "inventory/smola/devices.yaml").write_text(f"devices:\n{devices}\n")
    command = [sys.executable, "-m", "fleet", "sync", "--yes"]
    process = subprocess.Popen(command, cwd=world, stdout=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not 20 < len(rows(netbox, "dcim/devices/")) < 304:
        assert time.monotonic() < deadline
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    resumed = fleet(world, "sync", "--resume")

    assert resumed.status == 0, resumed.err
    found = rows(netbox, "dcim/devices/")
    names = [row["name"] for row in found]
    assert len(names) == len(set(names)) == 304
    assert all(row["primary_ip4"] for row in found)
    addresses = [row["address"] for row in rows(netbox, "ipam/ip-addresses/")]
    assert len(addresses) == len(set(addresses))
    assert plan(world)["changes"] == []
