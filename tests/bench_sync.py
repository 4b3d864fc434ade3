"""What it costs to plan a sync: 3,000 devices from files, 30,000 ports as SNMP saw them.

`make bench`. CPU seconds of whole processes; then ten times as many, and the ratio. The peer is
the reading of the same facts as plain JSON, which nobody can do without.
"""

import json
import sqlite3
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path

from fleet.app import App
from fleet.core.facts import Facts
from fleet.core.facts.interfaces import SeenInterface
from fleet.core.record import to_record
from fleet.flows.sync import Plan, Wanted, apply_sync, make_plan

PORTS = 10
ROUNDS = 3
SITES = 300


def write_workspace(root: Path, devices: int) -> None:
    """A workspace with its files synced, and what SNMP saw of every device."""
    (root / "inventory/aure").mkdir(parents=True)
    settings = '[snmp.credentials.default]\nversion = "2c"\ncommunity = { env = "X" }\n'
    (root / "fleet.toml").write_text(settings)
    members = [{"slug": "aure", "name": "Aure", "number": "1576", "joined": "1997-01-01"}]
    (root / "inventory/members.yaml").write_text(json.dumps({"members": members}))
    sites = [{"slug": f"s{n}", "name": f"Site {n}", "kind": "school"} for n in range(SITES)]
    (root / "inventory/aure/sites.yaml").write_text(json.dumps({"sites": sites}))
    rows = ["name,site,role,address,serial"]
    rows += [
        f"d{n},s{n % SITES},switch,10.{n // 250}.{n % 250}.1,FCW{n:08d}" for n in range(devices)
    ]
    (root / "inventory/aure/devices.csv").write_text("\n".join(rows) + "\n")
    app = App(root)
    with app.store() as store:
        made = make_plan(app.sources(["files"]), None, app.now(), Wanted())
        apply_sync(store, made, actor="bench", now=app.now(), force=False)
    app.close()
    with closing(sqlite3.connect(root / ".fleet/fleet.db")) as database:
        database.executemany(
            "INSERT INTO fact (device, at_us, facts) VALUES (?, ?, ?)",
            ((f"d{n}", 1, json.dumps(to_record(facts(n)))) for n in range(devices)),
        )
        database.commit()


def facts(number: int) -> Facts:
    """A switch, of which each hundredth has another serial number than was declared."""
    ports = tuple(
        SeenInterface(
            index=port,
            name=f"Gi1/0/{port}",
            description=f"GigabitEthernet1/0/{port}",
            alias="",
            mac=f"02:00:{number >> 8 & 255:02x}:{number & 255:02x}:00:{port:02x}",
            admin_status="up",
            oper_status="up",
            speed_mbps=1000,
            mtu=1500,
        )
        for port in range(1, PORTS + 1)
    )
    serial = f"FCW{number:08d}" if number % 100 else "OTHER"
    return Facts(name=f"d{number}", vendor="Cisco", serial=serial, interfaces=ports)


def plan(root: Path) -> tuple[float, Plan]:
    """CPU seconds of one plan, and the plan."""
    app = App(root)
    began = time.process_time()
    made = make_plan(app.sources([]), app.reader, app.now(), Wanted())
    spent = time.process_time() - began
    app.close()
    return spent, made


def read_json(root: Path) -> float:
    """CPU seconds of the least that any program must do: reading the facts as plain JSON."""
    began = time.process_time()
    with closing(sqlite3.connect(root / ".fleet/fleet.db")) as database:
        for (text,) in database.execute("SELECT facts FROM fact"):
            json.loads(text)
    return time.process_time() - began


def main() -> None:
    with tempfile.TemporaryDirectory() as name:
        few, many = Path(name) / "few", Path(name) / "many"
        write_workspace(few, 3_000)
        write_workspace(many, 30_000)
        times: dict[str, list[float]] = {"few": [], "many": [], "json": []}
        for _ in range(ROUNDS):
            spent, made = plan(few)
            times["few"].append(spent)
            times["json"].append(read_json(few))
            times["many"].append(plan(many)[0])
        found = len(made.findings)
    few_s, many_s, json_s = (statistics.median(times[k]) for k in ("few", "many", "json"))
    print(f"plan of 3,000 devices, 30,000 ports   {few_s:6.2f} s CPU, {found} findings")
    print(f"… ten times as many                   {many_s:6.2f} s CPU, {many_s / few_s:.1f} times")
    print(f"… reading the facts as plain JSON     {json_s:6.2f} s CPU, {few_s / json_s:.1f} times")


if __name__ == "__main__":
    sys.exit(main())
