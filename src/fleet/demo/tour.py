"""The tour, step by step: every command is printed as a user would type it, then run for real."""

import os
import shlex
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fleet.core.inventory import Inventory
from fleet.core.moment import OSLO, local
from fleet.demo.recordings import to_recordings
from fleet.errors import Duplicate, Unexpected
from fleet.snmp.simulator import COMMUNITY, SimulatedNetwork, free_port
from fleet.sources.files import read_files

Say = Callable[[str], None]

_PORT = 16161
_SCHOOL = "krs-skole"
_UPS = "krs-rh-ups1"
_HALL = "lot-rh"
_ORKIDE = 138  # devices


# Schools and town halls are open at these times; the kindergarten's outage was on a night.
_OUTAGES = """\
device,start,end,state,cause
krs-sk-r1,MONTH-07T09:12,MONTH-07T13:40,down,fibre cut by a digger
krs-bh-r1,MONTH-07T09:12,MONTH-07T13:40,unreachable,behind the school
smo-rh-r1,MONTH-14T08:30,MONTH-14T09:05,down,power cut
smo-mast-r1,MONTH-14T08:30,MONTH-15T02:10,down,power cut
smo-sk-r1,MONTH-14T08:30,MONTH-15T02:10,unreachable,behind the mast
gje-bh-r1,MONTH-20T21:00,MONTH-21T05:00,down,power supply replaced
aur-vann-lte1,MONTH-03T01:00,MONTH-03T01:20,down,mobile network
"""


class Tour:
    """Walks through the main job in a workspace of its own.

    Args:
        folder: the workspace to make.
        say: prints a line.
        example: which cooperation.
    """

    def __init__(self, folder: Path, say: Say, example: str) -> None:
        self._folder = folder
        self._example = example
        self._say = say
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("FLEET_")},
            "FLEET_SNMP_COMMUNITY": COMMUNITY,
            "FLEET_POLL__TIMEOUT_S": "0.5",
            "PYTHONUNBUFFERED": "1",
        }

    def walk(self) -> None:
        """All steps; stops the network that it started, however it ends."""
        self._fleet("init", ".", "--example", self._example)
        inventory = self._prepare()
        recordings = to_recordings(inventory)
        self._tell(f"Starting a simulated network: {len(recordings)} devices on loopback.")
        port = free_port(next(iter(recordings.values()))[0], _PORT)
        self._set_port(port)
        with SimulatedNetwork(recordings, port) as network:
            if self._example == "orkide":
                self._steps(inventory, network)
            else:
                self._large_steps(inventory, network)

    def _large_steps(self, inventory: Inventory, network: SimulatedNetwork) -> None:
        self._tell("302 places of six municipalities, and every machine in them.")
        self._fleet("sync", "--yes", "-q")
        self._fleet("list", "sites", "--by", "kind")
        self._tell("All of them are asked who they are; then, every minute, how they are.")
        self._fleet("poll", "-q")
        self._fleet("poll", "--only", "status")
        self._tell("A town hall falls silent.")
        network.silence(device.name for device in inventory.devices_by_site[_HALL])
        for _ in range(3):
            self._fleet("poll", "--only", "status", "-o", "json")
        self._fleet("status")
        self._fleet("store", "check")

    def _steps(self, inventory: Inventory, network: SimulatedNetwork) -> None:
        self._tell("The declared inventory of 13 municipalities becomes the joint one.")
        self._fleet("sync", "--yes")
        self._fleet("sync", "--plan")
        self._tell("Every device is asked over SNMP.")
        began = time.time()
        self._fleet("poll")
        self._tell("What is at the town hall, and what hangs where, as the network itself says it?")
        self._fleet("discover", "--site", "krs-radhus")
        school = [d.name for d in inventory.devices_by_site[_SCHOOL]]
        behind = [d.name for d in inventory.devices.values() if d.site == "krs-barnehage"]
        self._tell("A digger cuts the school's uplink, and the UPS of the town hall dies.")
        network.silence([*school, *behind, _UPS])
        for _ in range(3):
            self._fleet("poll", "--only", "status")
        self._tell("After three silent polls they are down, or behind what is. What explains it?")
        self._fleet("status")
        self._fleet("path", "krs-dc", "krs-barnehage")
        self._fleet("list", "outages")
        self._fleet("show", "site", _SCHOOL)
        self._tell("A technician on the telephone has a MAC address, a serial number, a room.")
        interface = inventory.interfaces["krs-rh-r1 : GigabitEthernet0/0/0"]
        self._fleet("find", (interface.mac or "").replace(":", "-").upper())
        self._fleet("find", inventory.devices["krs-rh-srv1"].serial or "")
        self._fleet("find", "K-001")
        self._tell("The fibre is spliced; the school is back.")
        network.heal([*school, *behind])
        self._fleet("poll", "--only", "status")
        self._tell("Time servers and login banner for all machines: what would be written?")
        self._fleet("deploy", "ntp", "banner", "--member", "rindal", "--plan", "--offline")
        self._report(began)
        self._fleet("store", "check")

    def _report(self, began: float) -> None:
        self._tell("The report on these minutes: sites are measured in their opening hours only.")
        first, last = _oslo(began), _oslo(time.time() + 1)
        self._fleet("report", "uptime", "--from", first, "--to", last, "--by", "member")
        self._tell("Last month was watched by another system; its list of outages is taken over.")
        month = (datetime.now(OSLO).replace(day=1) - timedelta(days=1)).strftime("%Y-%m")
        path = self._folder / "outages.csv"
        path.write_text(_OUTAGES.replace("MONTH", month), encoding="utf-8")
        covers = f"{month}-01/{datetime.now(OSLO):%Y-%m}-01"
        self._fleet("import", "outages", path.name, "--covers", covers, "--all")
        self._fleet("report", "uptime", "--month", month, "--by", "member")
        self._fleet("report", "uptime", "--month", month, "--by", "cause")
        for language in ("nb", "nn", "en"):
            page = f"uptime-{language}.html"
            arguments = ("--month", month, "--by", "site", "--language", language, "--out", page)
            self._fleet("report", "uptime", *arguments)

    def _prepare(self) -> Inventory:
        return read_files(self._folder / "inventory", self._folder, {"default"})

    def _set_port(self, port: int) -> None:
        for path in sorted(self._folder.glob("inventory/*/devices.yaml")):
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(f"port: {_PORT}", f"port: {port}"), encoding="utf-8")

    def _tell(self, text: str) -> None:
        self._say(f"\n── {text}")

    def _fleet(self, *arguments: str) -> None:
        """Print a command and run it; findings (status 1) are part of the tour."""
        self._say(f"\n$ fleet {shlex.join(arguments)}")
        done = subprocess.run(
            [sys.executable, "-m", "fleet", *arguments],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            check=False,
        )
        if done.returncode not in (0, 1):
            raise Unexpected(f"fleet {arguments[0]} ended with {done.returncode}")


def _oslo(timestamp: float) -> str:
    return local(datetime.fromtimestamp(int(timestamp), UTC)).isoformat()


def take_tour(keep: Path | None, size: int, say: Say) -> None:
    """The tour in a temporary folder, or in `keep`, which then stays.

    Args:
        size: how many devices, about: the smallest example that has as many.

    Ctrl-C and SIGTERM end it; the network is stopped and the temporary folder removed.
    """
    with _terminable(), _folder(keep) as folder:
        Tour(folder, say, "orkide" if size <= _ORKIDE else "hedmark").walk()


@contextmanager
def _folder(keep: Path | None) -> Iterator[Path]:
    if keep is not None:
        if keep.exists() and (not keep.is_dir() or any(keep.iterdir())):
            raise Duplicate(f"{keep} exists and is not empty", hint="choose a new or empty folder")
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory(prefix="fleet-demo-") as folder:
        yield Path(folder)


@contextmanager
def _terminable() -> Iterator[None]:
    """SIGTERM ends the tour as Ctrl-C does, so that it can clean up."""

    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
