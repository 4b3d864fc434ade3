"""Workspaces in which much was measured: what devices said, cycle after cycle, without asking."""

import math
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from fleet.core.metric.kinds import (
    FAULTS,
    IN_TRAFFIC,
    OUT_TRAFFIC,
    PORT_METRICS,
    PROCESSOR,
    STORAGE_SIZE,
    STORAGE_USED,
    TEMPERATURE,
    Key,
)
from fleet.core.metric.reading import Layout, Sample
from fleet.core.moment import local, to_us
from fleet.metrics.embedded import EmbeddedStore, Keep
from fleet.metrics.sink import Taken
from fleet.snmp.agent import Recording, respond

CYCLE_S = 300
RATE = 1_000_000  # octets a second: 8 Mbit/s
TURN_32 = 2**32


@dataclass
class Switch:
    """A device with two ports, which says what a test wants it to say."""

    uptime_s: float = 86_400.0
    octets: dict[str, int] = field(default_factory=lambda: {"Gi1": 10**9, "Gi2": 10**9})
    indexes: dict[str, int] = field(default_factory=lambda: {"Gi1": 1, "Gi2": 2})
    bits: int = 64
    narrow: tuple[str, ...] = ()  # ports that are not counted in 64 bits
    mark: int = 0  # ifCounterDiscontinuityTime
    mbps: int = 1000
    full: int = 25  # per cent of its disk

    def run(self, seconds: float, rate: int = RATE) -> None:
        self.uptime_s += seconds
        for name in self.octets:
            self.octets[name] += int(rate * seconds)

    def lines(self) -> Iterator[str]:
        yield "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.9.1.1208"
        yield f"1.3.6.1.2.1.1.3.0|67|{int(self.uptime_s * 100) % TURN_32}"
        yield "1.3.6.1.2.1.1.5.0|4|skole-sw1"
        for name, index in self.indexes.items():
            octets = self.octets[name]
            table, more = "1.3.6.1.2.1.2.2.1", "1.3.6.1.2.1.31.1.1.1"
            yield f"{table}.2.{index}|4|{name}"
            yield f"{table}.5.{index}|66|{min(self.mbps * 10**6, TURN_32 - 1)}"
            yield f"{table}.7.{index}|2|1"
            yield f"{table}.8.{index}|2|1"
            yield f"{table}.10.{index}|65|{octets % TURN_32}"
            yield f"{table}.11.{index}|65|{octets // 800 % TURN_32}"
            yield f"{table}.14.{index}|65|0"
            yield f"{table}.16.{index}|65|{octets % TURN_32}"
            yield f"{table}.17.{index}|65|{octets // 800 % TURN_32}"
            yield f"{more}.1.{index}|4|{name}"
            if self.bits == 64 and name not in self.narrow:
                yield f"{more}.6.{index}|70|{octets % 2**64}"
                yield f"{more}.10.{index}|70|{octets % 2**64}"
                yield f"{more}.15.{index}|66|{self.mbps}"
                yield f"{more}.19.{index}|67|{self.mark}"
        yield "1.3.6.1.2.1.25.2.3.1.2.1|6|1.3.6.1.2.1.25.2.1.4"
        yield "1.3.6.1.2.1.25.2.3.1.3.1|4|/"
        yield "1.3.6.1.2.1.25.2.3.1.4.1|2|4096"
        yield "1.3.6.1.2.1.25.2.3.1.5.1|2|1000000"
        yield f"1.3.6.1.2.1.25.2.3.1.6.1|2|{self.full * 10_000}"
        for number, name in ((2, "/snap/core20/1405"), (3, "/run/user/0")):  # full, and no disks
            yield f"1.3.6.1.2.1.25.2.3.1.2.{number}|6|1.3.6.1.2.1.25.2.1.4"
            yield f"1.3.6.1.2.1.25.2.3.1.3.{number}|4|{name}"
            yield f"1.3.6.1.2.1.25.2.3.1.4.{number}|2|4096"
            yield f"1.3.6.1.2.1.25.2.3.1.5.{number}|2|500"
            yield f"1.3.6.1.2.1.25.2.3.1.6.{number}|2|500"
        yield "1.3.6.1.2.1.25.3.3.1.2.1|2|37"

    def reply(self, packet: bytes) -> bytes | None:
        return respond(packet, Recording(self.lines()), b"public", 0.0)


class Device:
    """A device whose ports carry more by day than by night, and more each month.

    Args:
        ports: the mean of each, bit/s; 0: silent.
        errors: of the first port, in a cycle.
        storage: octets at the beginning, and in how many years that doubles; of ten terabytes.
    """

    def __init__(
        self,
        name: str,
        ports: dict[str, float],
        *,
        errors: int = 0,
        storage: tuple[float, float] = (2e12, 2.0),
    ) -> None:
        self.name = name
        self._ports = ports
        self._errors = errors
        self._storage = storage
        self._random = random.Random(name)
        counters = tuple(Key(metric, port) for metric in PORT_METRICS for port in ports)
        self.layout = Layout(
            counters,
            (
                Key(PROCESSOR, ""),
                Key(TEMPERATURE, "inlet"),
                Key(STORAGE_USED, "/"),
                Key(STORAGE_SIZE, "/"),
            ),
        )

    def sample(self, at: datetime, begin: datetime) -> Sample:
        hour = local(at).hour + local(at).minute / 60
        daily = 0.25 + max(0.0, math.sin((hour - 6) / 12 * math.pi)) * 1.5
        years = (at - begin) / timedelta(days=365.25)
        used = self._storage[0] * 2 ** (years / self._storage[1])
        values = []
        for metric in PORT_METRICS:
            for number, mean in enumerate(self._ports.values()):
                step = mean * daily * self._random.lognormvariate(-0.1, 0.4) * CYCLE_S / 8
                part = {IN_TRAFFIC: step, OUT_TRAFFIC: 0.4 * step}.get(metric, 0.0)
                if metric == FAULTS[0] and number == 0:
                    part = self._errors
                values.append(int(part))
        values += [int(15 + 20 * daily), int(210 + 30 * daily), int(used), 10**13]
        return Sample(at_us=to_us(at), span_cs=CYCLE_S * 100, layout=self.layout, values=values)


def measure(
    path: Path,
    devices: Sequence[Device],
    begin: datetime,
    end: datetime,
    keep: Keep | None = None,
    every_s: int = CYCLE_S,
) -> None:
    """Fill a file of measurements, as the poller does."""
    step = timedelta(seconds=every_s)
    with EmbeddedStore(path, keep) as store:
        at, batch, tidied = begin, [], begin
        while at <= end:
            batch += [Taken(device=d.name, sample=d.sample(at, begin)) for d in devices]
            at += step
            if len(batch) > 5000 or (at - tidied).days >= 20:
                store.write(batch)
                store.tidy(to_us(at))
                batch, tidied = [], at
        store.write(batch)
        store.tidy(to_us(end))
