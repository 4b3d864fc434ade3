"""An answer as a reading: the counters of its ports, and its gauges."""

from collections.abc import Sequence

from fleet.core.facts.system import SYS_UP_TIME, read_boots
from fleet.core.metric.gauges import Own, read_gauges
from fleet.core.metric.ports import PortReader
from fleet.core.metric.reading import Layout, Reading
from fleet.core.moment import to_us
from fleet.core.walk import Answer


class Meter:
    """Reads one device again and again; keeps what stays the same from one answer to the next."""

    def __init__(self) -> None:
        self._ports = PortReader()
        self._layout = Layout()

    def read(self, answer: Answer, owns: Sequence[Own]) -> Reading:
        """What an answer says in numbers."""
        walk = answer.walk
        counters, values, ports = self._ports.read(walk)
        gauges = read_gauges(walk, owns)
        keys = tuple(gauges)
        if self._layout.counters is not counters or self._layout.gauges != keys:
            self._layout = Layout(counters, keys)
        ticks = walk.get(SYS_UP_TIME)
        return Reading(
            at_us=to_us(answer.at),
            uptime_cs=ticks if isinstance(ticks, int) else None,
            boots=read_boots(walk),
            layout=self._layout,
            counters=values,
            gauges=tuple(gauges.values()),
            ports=ports,
        )
