"""What measuring costs: a cycle of many devices kept, octets a value, a year's chart of a port.

`python -m tests.bench_metrics`; FLEET_BENCH_METERS devices with 48 ports, FLEET_BENCH_DAYS days.
"""

import os
import random
import tempfile
import time
from pathlib import Path

from fleet.core.metric.kinds import PORT_METRICS, Key
from fleet.core.metric.reading import Layout, Ports, Reading
from fleet.core.metric.steps import sample_of
from fleet.metrics.embedded import EmbeddedStore, Measured

PORTS = 48
CYCLE_S = 300
BEGIN_US = 1_767_225_600_000_000  # 2026-01-01T00:00:00Z
NAMES = tuple(f"Gi1/0/{n}" for n in range(1, PORTS + 1))
LAYOUT = Layout(tuple(Key(metric, name) for metric in PORT_METRICS for name in NAMES))
SPEEDS = (125_000_000.0,) * PORTS
_LUCK = random.Random(1)
# How much more or less than its level a port carries in a cycle: drawn once, for speed.
SPREAD = [_LUCK.lognormvariate(0, 0.7) for _ in range(2**16)]


class Switch:
    """A switch of which 35 % of the ports are busy; as many hear only what everybody hears."""

    def __init__(self, name: str, seed: int) -> None:
        self.name = name
        self._random = random.Random(seed)
        kinds = self._random.choices("abc", (35, 35, 30), k=PORTS)
        self._busy = [
            (port, 10 ** self._random.uniform(4.5, 8.5))
            for port, kind in enumerate(kinds)
            if kind == "a"
        ]
        self._idle = [port for port, kind in enumerate(kinds) if kind == "b"]
        self._counters = [self._random.randrange(10**12) for _ in LAYOUT.counters]
        self._start = self._random.randrange(10**8)

    def reading(self, cycle: int) -> Reading:
        draw = self._random
        at_us = BEGIN_US + cycle * CYCLE_S * 1_000_000 + draw.randrange(40_000_000)
        counters = self._counters
        place = draw.randrange(len(SPREAD) - 2 * PORTS)
        for port, level in self._busy:
            counters[port] += int(level * SPREAD[place + port])
            counters[PORTS + port] += int(level * 0.37 * SPREAD[place + PORTS + port])
            if draw.random() < 0.002:
                counters[2 * PORTS + port] += 1
        for port in self._idle:
            counters[PORTS + port] += 20_000 + int(40_000 * draw.random())
        return Reading(
            at_us=at_us,
            uptime_cs=(self._start + (at_us - BEGIN_US) // 10_000) % 2**32,
            layout=LAYOUT,
            counters=tuple(counters),
            ports=Ports(names=NAMES, octets_a_second=SPEEDS, discontinuities=(0,) * PORTS),
        )


def keep_cycles(path: Path, devices: int, cycles: int) -> tuple[float, float]:
    """CPU seconds of a cycle on average, and of the dearest."""
    switches = [Switch(f"sw{n}", n) for n in range(devices)]
    spent = []
    last: dict[str, Reading] = {}
    with EmbeddedStore(path) as store:
        for cycle in range(cycles):
            readings = [(switch.name, switch.reading(cycle)) for switch in switches]
            began = time.process_time()
            batch = []
            for name, reading in readings:
                sample = sample_of(last.get(name), reading)
                last[name] = reading
                batch.append(
                    Measured(
                        device=name,
                        profile=frozenset({"ports"}),
                        learned_us=BEGIN_US,
                        reading=reading,
                        sample=sample,
                    )
                )
            store.record(batch)
            spent.append(time.process_time() - began)
        store.tidy(BEGIN_US + cycles * CYCLE_S * 1_000_000)
    return sum(spent) / len(spent), max(spent)


def main() -> None:
    devices = int(os.environ.get("FLEET_BENCH_METERS", "3106"))
    days = float(os.environ.get("FLEET_BENCH_DAYS", "0.25"))
    cycles = int(days * 86_400 / CYCLE_S)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "metrics.db"
        mean, most = keep_cycles(path, devices, cycles)
        octets = sum(file.stat().st_size for file in Path(folder).iterdir())
    values = devices * cycles * len(LAYOUT.counters)
    print(f"{devices} devices with {PORTS} ports, {cycles} cycles of {CYCLE_S} s")
    print(
        f"  a cycle of {devices * len(LAYOUT.counters)} values: {mean:.2f} s of CPU,"
        f" at most {most:.2f} (wanted: 1)"
    )
    if days >= 1:  # before, most of the file is the open hour
        print(f"  {octets / 1e6:.1f} MB, {octets / values:.2f} octets a value (wanted: 1.7)")


if __name__ == "__main__":
    main()
