"""The large example: 302 sites, 3,106 devices that answer on loopback, in a workspace."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fleet.core.inventory import Inventory
from fleet.core.topology import Network
from fleet.demo.recordings import to_recordings
from fleet.flows.poll import Poller, PollReport
from fleet.flows.poll_plan import Method, Only, plan_poll, read_before
from fleet.snmp.credentials import Access
from fleet.snmp.fast import FastEngine
from fleet.snmp.simulator import COMMUNITY, SimulatedNetwork, free_port
from fleet.sources.files import read_files
from fleet.store.store import Store
from tests.worlds import fleet

FROM_SITE = "sta-dc1"


@dataclass
class Hedmark:
    """The cooperation, its simulated devices, and a poller in the first data centre."""

    root: Path
    inventory: Inventory
    simulated: SimulatedNetwork
    store: Store
    poller: Poller
    method: Method

    def poll(self, only: Only | None = Only.STATUS) -> PollReport:
        with self.store.reader() as reader:
            before = read_before(reader)
        devices = self.inventory.devices.values()
        now = datetime.now(UTC)
        plan = plan_poll(devices, before, only=only, now=now, method=self.method)
        return self.poller.poll(plan, before)

    def behind(self, *failed: str) -> list[str]:
        """The devices that no way leads to if some fail, these included."""
        network = Network(self.inventory, FROM_SITE)
        is_reached = network.reached({network.device(name) or 0 for name in failed})
        devices = ((name, network.device(name)) for name in self.inventory.devices)
        return [name for name, vertex in devices if vertex and not is_reached[vertex]]


@contextmanager
def open_hedmark(folder: Path) -> Iterator[Hedmark]:
    """The example in a folder, synchronised and answering."""
    root = folder / "hedmark"
    assert fleet(folder, "init", str(root), "--example", "hedmark").status == 0
    first = read_files(root / "inventory", root, {"default"})
    port = free_port(next(iter(to_recordings(first).values()))[0], 16161)
    for path in root.glob("inventory/*/devices.yaml"):
        path.write_text(path.read_text().replace("port: 16161", f"port: {port}"))
    assert fleet(root, "sync", "--yes").status == 0
    inventory = read_files(root / "inventory", root, {"default"})
    access = Access(version="2c", community=COMMUNITY)
    engine = FastEngine({"default": access}, timeout_s=0.5, retries=1)
    method = Method(confirmations=3, interval=timedelta(seconds=60), from_site=FROM_SITE)
    with (
        SimulatedNetwork(to_recordings(inventory), port) as simulated,
        Store(f"sqlite:///{root / '.fleet/fleet.db'}") as store,
    ):
        poller = Poller(store, engine, method, lambda: datetime.now(UTC), {"default"})
        yield Hedmark(root, inventory, simulated, store, poller, method)
