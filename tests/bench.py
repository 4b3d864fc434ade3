"""What fleet costs, as ratios to a one-command Typer program in the same interleaved run.

`make bench`. CPU seconds (user and system) of whole processes, medians: wall times depend on
what else the machine does.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.measured import Device, measure

ROUNDS = 9
DEVICES = 3000
HELLO = """\
import typer
app = typer.Typer()
@app.command()
def hello(name: str = "x") -> None:
    '''Say hello.'''
    print(name)
app()
"""
CHART = ("show", "interface", "d6 : Gi7", "--over", "year")
SETTINGS = '[snmp.credentials.default]\nversion = "2c"\ncommunity = { env = "X" }\n'


def cpu_seconds(command: Sequence[str], folder: Path) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = {k: v for k, v in os.environ.items() if not k.startswith("FLEET_")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, check=False)
    assert done.returncode in (0, 1), done.stderr.decode()[-500:]
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def write_workspace(root: Path) -> None:
    (root / "inventory/aure").mkdir(parents=True)
    (root / "fleet.toml").write_text(SETTINGS)
    members = [{"slug": "aure", "name": "Aure", "number": "1576", "joined": "1997-01-01"}]
    (root / "inventory/members.yaml").write_text(json.dumps({"members": members}))
    sites = [{"slug": f"s{n}", "name": f"Site {n}", "kind": "school"} for n in range(300)]
    (root / "inventory/aure/sites.yaml").write_text(json.dumps({"sites": sites}))
    lines = ["devices:"]
    for n in range(DEVICES):
        lines += [
            f"  - name: d{n}",
            f"    site: s{n % 300}",
            "    role: switch",
            f"    address: 127.{n // 250 + 1}.0.{n % 250 + 1}",
            f"    serial: FCW{n:08d}",
            f'    asset_tag: "IKT-{n:06d}"',
            f'    room: "U-{n % 100}"',
            f'    interfaces: [{{name: Gi1, mac: "0200{n:08x}"}}]',
        ]
    (root / "inventory/aure/devices.yaml").write_text("\n".join(lines) + "\n")


def measure_a_year(root: Path) -> None:
    """A switch with 48 ports, hour by hour."""
    ports = {f"Gi{n}": 1e8 / n for n in range(1, 49)}
    now = datetime.now(UTC)
    begin = now - timedelta(days=366)
    file = root / ".fleet/metrics.db"
    measure(file, [Device("d6", ports)], begin, now, every_s=3600)


def main() -> None:
    fleet = [str(Path(sys.executable).parent / "fleet")]
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        write_workspace(root)
        (root / "hello.py").write_text(HELLO)
        measure_a_year(root)
        first = cpu_seconds([*fleet, "sync", "--yes"], root)
        again = cpu_seconds([*fleet, "sync", "--yes"], root)
        commands = {
            "Typer hello --help": [sys.executable, "hello.py", "--help"],
            "fleet --help": [*fleet, "--help"],
            "fleet find d2999 (exact)": [*fleet, "find", "d2999"],
            "fleet find 2999 (part)": [*fleet, "find", "2999"],
            "fleet show device d5": [*fleet, "show", "device", "d5"],
            "… d6, with its last day": [*fleet, "show", "device", "d6"],
            "a year's chart of a port": [*fleet, *CHART],
        }
        times: dict[str, list[float]] = {name: [] for name in commands}
        for _ in range(ROUNDS):
            for label, command in commands.items():
                times[label].append(cpu_seconds(command, root))
    base = statistics.median(times["Typer hello --help"])
    print(f"{DEVICES} devices, {DEVICES} interfaces; CPU, median of {ROUNDS} interleaved runs")
    for name, found in times.items():
        median = statistics.median(found)
        print(f"{name:28} {median * 1000:6.0f} ms  {median / base:5.2f} × hello")
    print(f"{'fleet sync, first':28} {first:6.2f} s")
    print(f"{'fleet sync, no changes':28} {again:6.2f} s")


if __name__ == "__main__":
    main()
