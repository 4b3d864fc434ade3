"""Counters of ports (IF-MIB, RFC 2863): 64 bits where a port has them, else 32.

A slow port of a device that counts in 64 bits need not do so.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fleet.core.facts.values import text
from fleet.core.metric.kinds import PORT_METRICS, Key
from fleet.core.metric.reading import Ports
from fleet.core.walk import Oid, Table, Value, Walk, oid

_IF, _IFX = oid("1.3.6.1.2.1.2.2.1"), oid("1.3.6.1.2.1.31.1.1.1")
_DESCR, _SPEED = (*_IF, 2), (*_IF, 5)
_NAME, _HIGH_SPEED, _DISCONTINUITY = (*_IFX, 1), (*_IFX, 15), (*_IFX, 19)
_FAULTS = tuple((*_IF, n) for n in (14, 20, 13, 19))  # errors in and out, discards in and out
_OCTETS_64 = ((*_IFX, 6), (*_IFX, 10))
_OCTETS_32 = ((*_IF, 10), (*_IF, 16))
_PACKETS = (((*_IF, 11), (*_IF, 12)), ((*_IF, 17), (*_IF, 18)))  # to one, to many; in, out

PORTS = Table(name="ports", columns=(_NAME, _HIGH_SPEED, _DISCONTINUITY, *_OCTETS_64, *_FAULTS))
PORTS_32 = Table(
    name="ports of 32 bits",
    columns=(_DESCR, _SPEED, *_OCTETS_32, *_FAULTS, *(c for pair in _PACKETS for c in pair)),
)


def has_64_bits(walk: Walk) -> bool:
    """Whether its octets are counted in 64 bits."""
    return bool(walk.column(_OCTETS_64[0])) and bool(walk.column(_NAME))


def has_32_bits_alone(walk: Walk) -> bool:
    """Whether some of its ports are counted in 32 bits and not in 64."""
    wide = walk.column(_OCTETS_64[0]) if has_64_bits(walk) else {}
    return any(index not in wide for index in walk.column(_OCTETS_32[0]))


@dataclass(slots=True)
class PortReader:
    """Reads the ports of one device, again and again; keeps what does not change.

    Port names that occur twice are told apart by their ifIndex.
    """

    _said: list[Value | None] = field(default_factory=list)
    _indexes: list[Oid] = field(default_factory=list)
    _names: tuple[str, ...] = ()
    _keys: tuple[Key, ...] = ()

    def read(self, walk: Walk) -> tuple[tuple[Key, ...], tuple[int, ...], Ports]:
        """The keys of the counters, their values (-1: none), and what else is known."""
        wide = walk.column(_OCTETS_64[0]) if has_64_bits(walk) else {}
        narrow = [index for index in walk.column(_OCTETS_32[0]) if index not in wide]
        counted = [*wide, *narrow]
        names, others = walk.column(_NAME), walk.column(_DESCR)
        said = [names.get(index) if wide else others.get(index) for index in counted]
        if narrow and wide:
            said = [one or others.get(index) for one, index in zip(said, counted, strict=True)]
        if said != self._said or counted != self._indexes:
            self._learn(counted, said)
        counters: list[int] = []
        for wide_column, narrow_column in zip(_OCTETS_64, _OCTETS_32, strict=True):
            counters += _said(walk, wide_column, wide) + _said(walk, narrow_column, narrow)
        for column in _FAULTS:
            counters += _said(walk, column, counted)
        return self._keys, tuple(counters), self._ports(walk, len(wide), narrow)

    def _learn(self, indexes: list[Oid], said: list[Value | None]) -> None:
        names = [
            text(one) or f"#{'.'.join(map(str, index))}"
            for index, one in zip(indexes, said, strict=True)
        ]
        twice = {name for name in names if names.count(name) > 1}
        names = [
            f"{name} #{index[-1]}" if name in twice else name
            for name, index in zip(names, indexes, strict=True)
        ]
        self._said, self._indexes, self._names = said, indexes, tuple(names)
        self._keys = tuple(Key(metric, name) for metric in PORT_METRICS for name in names)

    def _ports(self, walk: Walk, wide: int, narrow: Sequence[Oid]) -> Ports:
        """What else is known: of so many ports of 64 bits, then of those of 32."""
        indexes = self._indexes[:wide]
        speeds = [speed * 125_000.0 for speed in _whole(walk, _HIGH_SPEED, indexes)]  # of Mbit/s
        speeds += [speed * 0.125 for speed in _whole(walk, _SPEED, narrow)]  # of bit/s
        unknown = (-1,) * wide
        packets = [unknown + _packets(walk, pair, narrow) if narrow else () for pair in _PACKETS]
        return Ports(
            names=self._names,
            octets_a_second=tuple(speeds),
            discontinuities=_whole(walk, _DISCONTINUITY, indexes),
            packets=(packets[0], packets[1]),
            bits=(64,) * wide + (32,) * len(narrow),
        )


def _said(walk: Walk, column: Oid, indexes: Iterable[Oid]) -> list[int]:
    cells = walk.column(column)
    return [v if isinstance(v, int) else -1 for v in map(cells.get, indexes)]


def _whole(walk: Walk, column: Oid, indexes: Sequence[Oid]) -> tuple[int, ...]:
    cells = walk.column(column)
    return tuple(v if isinstance(v := cells.get(i), int) else 0 for i in indexes)


def _packets(walk: Walk, columns: Sequence[Oid], indexes: Sequence[Oid]) -> tuple[int, ...]:
    """All packets of each port; -1 where those to many are not counted, or to one."""
    columns_of = [walk.column(column) for column in columns]
    found = []
    for index in indexes:
        counts = [cells.get(index) for cells in columns_of]
        known = [count for count in counts if isinstance(count, int)]
        found.append(sum(known) % 2**32 if len(known) == len(counts) else -1)
    return tuple(found)
