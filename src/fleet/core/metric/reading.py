"""What one device's counters and gauges said in one cycle."""

from collections.abc import Sequence
from dataclasses import dataclass

from fleet.core.metric.kinds import Key


@dataclass(frozen=True, slots=True)
class Layout:
    """Which series a reading has, in the order of its values.

    Args:
        counters: metric by metric, in each of them port by port.
        gauges: after the counters.
    """

    counters: tuple[Key, ...] = ()
    gauges: tuple[Key, ...] = ()

    @property
    def keys(self) -> tuple[Key, ...]:
        return self.counters + self.gauges


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """What else is known of the counters of a reading's ports, one entry for each port.

    Args:
        names: as the layout has them.
        octets_a_second: that the port can carry; 0: not known.
        discontinuities: ifCounterDiscontinuityTime; another one: its counters began anew.
        packets: received, and sent, so far; -1: not known. Only of 32-bit counters: they tell
            how often the octets can have turned over.
        bits: of its octets: 64 or 32.
    """

    names: tuple[str, ...] = ()
    octets_a_second: tuple[float, ...] = ()
    discontinuities: tuple[int, ...] = ()
    packets: tuple[tuple[int, ...], tuple[int, ...]] = ((), ())
    bits: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """Counters and gauges as the device said them.

    Args:
        at_us: when the answer came, microseconds since 1970.
        uptime_cs: what the agent's own clock said, 1/100 s; None: it does not say.
        boots: how often it has started, if it says so.
        counters: raw; -1: not said. In a tuple: the garbage collector does not look into it.
        gauges: MISSING: not said.
    """

    at_us: int
    uptime_cs: int | None
    layout: Layout
    boots: int | None = None
    counters: tuple[int, ...] = ()
    gauges: tuple[int, ...] = ()
    ports: Ports = Ports()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """What is kept of a reading.

    Args:
        span_cs: time over which the counters' steps were made, by the agent's clock; 0: not known,
            and so are the steps.
        values: by how much each counter grew, then the gauges; MISSING: not known.
    """

    at_us: int
    span_cs: int
    layout: Layout
    values: Sequence[int]
