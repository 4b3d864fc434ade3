"""What watching costs: a month's report, the status, a cycle of 3,106 devices, root causes.

`make bench`. CPU seconds, in one interleaved run with what they are compared to; nothing fails
here if a machine is slow.
"""

import random
import resource
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from fleet.core.rootcause import explain
from fleet.core.topology import Network
from tests.bench import HELLO, cpu_seconds
from tests.hedmark import FROM_SITE, Hedmark, open_hedmark

ROUNDS = 5
OUTAGES = 14  # of every device in the month: 90,000 intervals


def fill(database: Path) -> int:
    """October 2026 in intervals, as polls would have left it; how many."""
    begin, end = 1_790_805_600_000_000, 1_793_487_600_000_000
    chance = random.Random(1)
    rows = []
    with closing(sqlite3.connect(database)) as connection, connection:
        names = [n for (n,) in connection.execute("SELECT name FROM device ORDER BY name")]
        connection.execute("DELETE FROM state")
        for name in names:
            here = begin
            for _ in range(OUTAGES):
                up = int((end - begin) / (OUTAGES + 1) * chance.uniform(0.6, 1.2))
                down = int(chance.expovariate(1 / 600e6)) + 60_000_000
                if here + up + down >= end:
                    break
                root = f"device {name}"
                rows.append((name, "up", here, here + up, None))
                rows.append((name, "down", here + up, here + up + down, root))
                here += up + down
            rows.append((name, "up", here, end, None))
        connection.executemany(
            "INSERT INTO state (device, state, since_us, until_us, root, source)"
            " VALUES (?, ?, ?, ?, ?, 'poll')",
            rows,
        )
    return len(rows)


def commands(root: Path) -> None:
    """Reports and status against a help page and a one-command Typer program."""
    count = fill(root / ".fleet/fleet.db")
    (root / "hello.py").write_text(HELLO)
    fleet = [sys.executable, "-m", "fleet"]
    month = [*fleet, "report", "uptime", "--month", "2026-10"]
    wanted = {
        "Typer hello --help": [sys.executable, "hello.py", "--help"],
        "fleet status": [*fleet, "status", "-o", "json"],
        "fleet report --help": [*fleet, "report", "--help"],
        "by site, JSON": [*month, "-o", "json"],
        "by device, JSON": [*month, "--by", "device", "-o", "json"],
        "by site, HTML": [*month, "--out", "site.html"],
        "by device, HTML": [*month, "--by", "device", "--out", "device.html"],
    }
    times: dict[str, list[float]] = {name: [] for name in wanted}
    for _ in range(ROUNDS):
        for name, command in wanted.items():
            times[name].append(cpu_seconds(command, root))
    medians = {name: statistics.median(found) for name, found in times.items()}
    print(f"\nA month of 3,106 devices, {count} intervals; CPU, median of {ROUNDS}")
    hello, help_ = medians["Typer hello --help"], medians["fleet report --help"]
    for name, median in medians.items():
        beyond = f"{median - help_:+6.2f} s to report --help" if "by " in name else ""
        ratio = f"{median / hello:5.2f} × hello" if name == "fleet status" else ""
        wish = {"by site, JSON": "(wanted: 1)", "by site, HTML": "(wanted: 3)"}.get(name, "")
        wish = "(wanted: 3)" if name == "fleet status" else wish
        print(f"{name:24} {median:6.2f} s  {ratio}{beyond} {wish}")


def cycles(hedmark: Hedmark) -> None:
    """Status cycles with 5 % of the devices silent, this process alone."""
    names = sorted(hedmark.inventory.devices)
    hedmark.poll()
    hedmark.simulated.silence(names[::20])
    found = []
    for _ in range(4):
        before = _cpu()
        seen = hedmark.poll().round
        found.append(_cpu() - before)
    print(f"\nA cycle of {seen.devices} devices, {len(names[::20])} silent, with its writes:")
    print(f"{statistics.median(found):6.2f} s of CPU (wanted: 10), {seen.requests} requests")


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def topology(hedmark: Hedmark) -> None:
    """Root causes, degraded sites, ways and single points of failure, from nothing."""
    from fleet.core.impact import find_impact, vertices_of
    from fleet.core.redundancy import Dominators, Redundancy

    inventory = hedmark.inventory
    silent = set(hedmark.behind("ham-rh-core1"))
    found = []
    for _ in range(5):
        before = time.process_time()
        network = Network(inventory, FROM_SITE)
        explain(network, silent=silent, answering=set(inventory.devices) - silent)
        failed = {v for name in silent if (v := network.device(name)) is not None}
        Redundancy(network).find_degraded(failed)
        points = Dominators(network)
        for slug in inventory.sites:
            points.single_points(network.of_site(slug))
        network.way(network.of_site("ham-rh"), network.of_site("gru-rh"), failed)
        find_impact(network, vertices_of(network, "device", "ham-rh-core1"))
        found.append(time.process_time() - before)
    print(f"\n{len(inventory.devices)} devices, {len(inventory.links)} links: root causes,")
    print("degraded sites, single points of all sites, a path, an impact:")
    print(f"{statistics.median(found) * 1000:6.0f} ms of CPU (wanted: 100)")


def main() -> None:
    with tempfile.TemporaryDirectory() as name, open_hedmark(Path(name)) as hedmark:
        topology(hedmark)
        cycles(hedmark)
        commands(hedmark.root)


if __name__ == "__main__":
    main()
