"""Which ports carry most, which are full, which are silent, which lose packets."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

SILENT_DAYS = 90
"""After so many days without a packet received a port that is up is called silent."""

VIRTUAL = frozenset({1, 24, 53, 131, 135, 136, 150, 166})
"""IANAifType of what is no port: loopbacks, tunnels, VLANs; they carry what ports carry already."""


def line_of(speed_mbps: float | None, agreed_bps: float | None) -> float | None:
    """What a line carries, bit/s: its port's speed, or less where that was agreed; None: unknown.

    Args:
        agreed_bps: the capacity of the link that was declared.
    """
    return min((c for c in (speed_mbps and speed_mbps * 1e6, agreed_bps) if c), default=None)


class List(StrEnum):
    BUSIEST = "busiest"
    FULLEST = "fullest"
    ERRORS = "errors"
    SILENT = "silent"


@dataclass(frozen=True, slots=True, kw_only=True)
class Flow:
    """What went one way through a port, bit/s.

    Args:
        busy: the 95th percentile of five minutes each.
        octets: in all.
    """

    mean: float
    busy: float
    peak: float
    octets: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PortTraffic:
    """A port over some days.

    Args:
        capacity: bit/s of the line, or of the link where less was declared; None: not known.
        since: the first day of which something is known.
        known_s: in which the device answered.
        is_exact: the percentiles are of all samples; else of the highest day.
        errors, discards: packets, both ways, to three digits.
        silent_days: for how long no packet was received; None: there was one, the port is
            down, or that is not known for so long.
    """

    device: str
    port: str
    site: str
    member: str
    link: str | None
    capacity: float | None
    since: date
    known_s: int
    received: Flow
    sent: Flow
    is_exact: bool
    errors: int
    discards: int
    silent_days: int | None

    @property
    def busy(self) -> float:
        """The 95th percentile of the fuller way, bit/s."""
        return max(self.received.busy, self.sent.busy)

    @property
    def mean(self) -> float:
        """Both ways together, bit/s."""
        return self.received.mean + self.sent.mean

    @property
    def fullness(self) -> float | None:
        """The 95th percentile of the fuller way as a part of the capacity."""
        return self.busy / self.capacity if self.capacity else None

    @property
    def faults_per_hour(self) -> float:
        """Packets lost or broken."""
        return (self.errors + self.discards) * 3600 / self.known_s if self.known_s else 0.0


def pick(ports: Iterable[PortTraffic], which: List, most: int | None = None) -> list[PortTraffic]:
    """A list of ports, the first ones first."""
    every = list(ports)
    match which:
        case List.BUSIEST:
            found = [p for p in every if p.mean > 0]
            found.sort(key=lambda p: (-p.mean, p.device, p.port))
        case List.FULLEST:
            found = [p for p in every if p.fullness]
            found.sort(key=lambda p: (-(p.fullness or 0), p.device, p.port))
        case List.ERRORS:
            found = [p for p in every if p.errors + p.discards]
            found.sort(key=lambda p: (-p.faults_per_hour, p.device, p.port))
        case List.SILENT:
            found = [p for p in every if p.silent_days is not None]
            found.sort(key=lambda p: (p.site, p.device, p.port))
    return found[:most]


@dataclass(frozen=True, slots=True, kw_only=True)
class Total:
    """What a site or a member exchanges with the others.

    Args:
        name: its slug.
        ports: that lead elsewhere.
        received: bit/s on average, to it; `sent`: from it.
        fullest: the 95th percentile of the highest day as a part of the capacity, of the fullest.
    """

    name: str
    member: str
    ports: int
    received: float
    sent: float
    octets: int
    fullest: float | None


def totals(ports: Sequence[PortTraffic], by: str) -> list[Total]:
    """Sums over ports, the largest first.

    Args:
        ports: those that lead elsewhere.
        by: "site" or "member".
    """
    groups: dict[str, list[PortTraffic]] = {}
    for port in ports:
        groups.setdefault(port.site if by == "site" else port.member, []).append(port)
    found = [
        Total(
            name=name,
            member=own[0].member,
            ports=len(own),
            received=sum(p.received.mean for p in own),
            sent=sum(p.sent.mean for p in own),
            octets=sum(p.received.octets + p.sent.octets for p in own),
            fullest=max((p.fullness for p in own if p.fullness is not None), default=None),
        )
        for name, own in groups.items()
    ]
    return sorted(found, key=lambda t: (-(t.received + t.sent), t.name))
