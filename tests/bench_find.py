"""What looking up costs in a large inventory, beside a one-command Typer program in the same run.

30,388 devices by `make bench`, 303,880 with 600,000 interfaces by `make endure`.
"""

import os
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path

from fleet.core.authority import Authority
from fleet.core.claims import claims_of_files
from fleet.core.inventory import (
    Device,
    Interface,
    Inventory,
    Member,
    Membership,
    Site,
    SiteKind,
)
from fleet.core.reconcile import Before, merge
from fleet.store.reader import Reader, open_reader
from fleet.store.store import Store
from tests.bench import HELLO, cpu_seconds

DEVICES = int(os.environ.get("FLEET_BENCH_DEVICES", "30388"))
ROUNDS = 9
LOOK_UPS = 1000
_KINDS = ("skole", "barnehage", "radhus", "helse", "brann")
_AT_A_SITE = 30


def make_inventory(devices: int) -> Inventory:
    """Members, sites, devices with serial, asset tag, room; two ports at nearly every device."""
    slugs = [f"m{n:03}" for n in range(350)]
    joined = (Membership(joined=date(1997, 1, 1)),)
    members = {
        slug: Member(slug=slug, name=f"Kommune {n}", number=f"{1000 + n}", memberships=joined)
        for n, slug in enumerate(slugs)
    }
    sites = {}
    for n in range(max(devices // _AT_A_SITE, 1)):
        slug = f"{slugs[n % 350]}-{_KINDS[n % 5]}{n // 350}"
        sites[slug] = Site(
            slug=slug,
            member=slugs[n % 350],
            name=f"{_KINDS[n % 5].title()} {n}",
            kind=SiteKind.SCHOOL,
            address=f"Storgata {n}, {6500 + n % 100} Stad",
        )
    names = list(sites)
    found, ports = {}, {}
    for n in range(devices):
        site = names[n % len(names)]
        name = f"{site}-sw{n // len(names)}"
        found[name] = Device(
            name=name,
            site=site,
            role="switch",
            address=f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}",
            serial=f"FCW{n * 7919 % 10**8:08d}",
            asset_tag=f"IKT-{n:06d}",
            room=f"U-{n % 100}",
        )
        for port in range(2 if n % 40 else 1):
            scattered = (2 * n + port) * 2654435761 % 2**40
            mac = ":".join(f"{scattered >> shift & 255:02x}" for shift in (32, 24, 16, 8, 0))
            part = Interface(device=name, name=f"Gi{port}", mac=f"02:{mac}")
            ports[part.key] = part
    return Inventory(members=members, sites=sites, devices=found, interfaces=ports)


def look_ups(reader: Reader, inventory: Inventory) -> list[float]:
    """Milliseconds of look-ups in one process, half of them by a part."""
    chance = random.Random(1)
    devices, ports = list(inventory.devices.values()), list(inventory.interfaces.values())
    taken = []
    for number in range(LOOK_UPS):
        device, port = chance.choice(devices), chance.choice(ports)
        asked = (device.name, device.serial, port.mac, device.address)[number % 4]
        assert asked is not None
        part = asked[3:] if number % 8 > 3 else asked
        start = time.perf_counter()
        hits = reader.find(part)
        taken.append((time.perf_counter() - start) * 1000)
        assert {hit.name for hit in hits} & {device.name, port.key}, part
    return taken


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        (root / "fleet.toml").write_text("")
        (root / "inventory").mkdir()
        (root / "hello.py").write_text(HELLO)
        url = f"sqlite:///{root / '.fleet/fleet.db'}"
        inventory = make_inventory(DEVICES)
        now, before = datetime.now(UTC), Before(inventory=Inventory())
        changes = list(merge(before, [claims_of_files(inventory)], Authority(), now).changes)
        start = time.process_time()
        with Store(url) as store:
            store.apply(changes, actor="bench", at=now, basis=0)
        print(
            f"{len(inventory.devices)} devices, {len(inventory.interfaces)} interfaces, written "
            f"in {time.process_time() - start:.1f} s of CPU; {_sizes(root / '.fleet/fleet.db')}"
        )
        device = list(inventory.devices.values())[DEVICES // 3]
        mac = inventory.interfaces[f"{device.name} : Gi0"].mac or ""
        _commands(root, device, mac)
        reader = open_reader(url)
        assert reader is not None
        with reader:
            taken = sorted(look_ups(reader, inventory))
        print(
            f"{LOOK_UPS} look-ups in one process: median {statistics.median(taken):.2f} ms, "
            f"95 % within {taken[LOOK_UPS * 95 // 100]:.2f} ms (wanted: 5)"
        )


def _sizes(path: Path) -> str:
    connection = sqlite3.connect(path)
    by_name = dict(connection.execute("SELECT name, sum(pgsize) FROM dbstat GROUP BY name"))
    connection.close()
    index = sum(size for name, size in by_name.items() if name.startswith("lookup_part"))
    return f"{sum(by_name.values()) / 1e6:.0f} MB, of which the index of parts {index / 1e6:.1f} MB"


def _commands(root: Path, device: Device, mac: str) -> None:
    fleet = [str(Path(sys.executable).parent / "fleet")]
    commands = {
        "Typer hello": ([sys.executable, "hello.py"], ""),
        "fleet find NAME": ([*fleet, "find", device.name], "wanted: 2.5"),
        "fleet find SERIAL": ([*fleet, "find", device.serial or ""], "wanted: 2.5"),
        "fleet find MAC": ([*fleet, "find", mac.replace(":", "-")], "wanted: 2.5"),
        "fleet find, part of a name": ([*fleet, "find", device.name[2:]], "wanted: 4"),
        "fleet find, part of a MAC": ([*fleet, "find", mac[6:]], "wanted: 4"),
        "fleet find, misspelt": ([*fleet, "find", "x" + device.name], ""),
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(ROUNDS):
        for name, (command, _wanted) in commands.items():
            taken[name].append(cpu_seconds(command, root))
    base = statistics.median(taken["Typer hello"])
    for name, (_, wanted) in commands.items():
        median = statistics.median(taken[name])
        print(f"{name:28} {median * 1000:6.0f} ms  {median / base:5.2f} × hello  {wanted}")


if __name__ == "__main__":
    main()
