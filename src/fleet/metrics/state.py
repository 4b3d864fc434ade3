"""What is kept of a device's last reading: from there its counters' next steps are counted."""

import itertools
from array import array

from fleet.core.metric.reading import Layout, Ports, Reading

_NONE = 2**64 - 1  # a counter that was not said
_GROUPS = 5


def octets_of(reading: Reading) -> bytes:
    """Counters and what else is needed of the ports when they are read again."""
    ports = reading.ports
    groups = (reading.counters, ports.discontinuities, *ports.packets, ports.bits)
    numbers = [*map(len, groups), *itertools.chain.from_iterable(groups)]
    try:
        return array("Q", numbers).tobytes()
    except OverflowError:  # some were not said
        return array("Q", [n if n >= 0 else _NONE for n in numbers]).tobytes()


def reading_from(
    at_us: int, uptime_cs: int | None, boots: int | None, layout: Layout, data: bytes
) -> Reading:
    """What `octets_of` wrote, with what else is known of the reading; damaged: nothing."""
    try:
        counters, marks, received, sent, bits = _groups_of(data)
    except ValueError:
        counters = ()
    if not counters or len(counters) != len(layout.counters):
        return Reading(at_us=at_us, uptime_cs=None, layout=Layout())
    metrics = len({key.metric for key in layout.counters}) or 1
    names = tuple(key.part for key in layout.counters[: len(layout.counters) // metrics])
    return Reading(
        at_us=at_us,
        uptime_cs=uptime_cs,
        boots=boots,
        layout=layout,
        counters=counters,
        ports=Ports(
            names=names,
            discontinuities=marks,
            packets=(received, sent),
            bits=bits,
        ),
    )


def _groups_of(data: bytes) -> list[tuple[int, ...]]:
    numbers = array("Q")
    numbers.frombytes(data)
    groups, at = [], _GROUPS
    for count in numbers[:_GROUPS]:
        groups.append(tuple(-1 if n == _NONE else n for n in numbers[at : at + count]))
        at += count
    return groups
