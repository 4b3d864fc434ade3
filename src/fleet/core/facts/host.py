"""Computers: storage, processors, installed software (HOST-RESOURCES-MIB, RFC 2790)."""

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.core.facts.values import text
from fleet.core.walk import Table, Value, Walk, oid

_STORAGE = tuple((*oid("1.3.6.1.2.1.25.2.3.1"), n) for n in range(2, 7))
_LOAD = oid("1.3.6.1.2.1.25.3.3.1.2")  # hrProcessorLoad
_SOFTWARE = oid("1.3.6.1.2.1.25.6.3.1.4")  # hrSWInstalledType: the smallest column
_KINDS_OF_STORAGE = oid("1.3.6.1.2.1.25.2.1")

STORAGES = Table(name="storages", columns=_STORAGE)
PROCESSORS = Table(name="processors", columns=(_LOAD,))
SOFTWARE = Table(name="software", columns=(_SOFTWARE,))

_KINDS = {
    1: "other",
    2: "ram",
    3: "virtual_memory",
    4: "fixed_disk",
    5: "removable_disk",
    6: "floppy_disk",
    7: "compact_disc",
    8: "ram_disk",
    9: "flash_memory",
    10: "network_disk",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """A disk, a file system, memory."""

    name: str | None
    kind: str | None = None
    size_bytes: int | None = None
    used_bytes: int | None = None


def read_storages(walk: Walk) -> Iterator[Storage]:
    """One for each row of hrStorageTable."""
    for _, (kind, name, unit, size, used) in walk.rows(*_STORAGE):
        yield Storage(
            name=text(name),
            kind=_kind(kind),
            size_bytes=_octets(size, unit),
            used_bytes=_octets(used, unit),
        )


def _kind(value: Value | None) -> str | None:
    is_known = isinstance(value, tuple) and value[:-1] == _KINDS_OF_STORAGE
    return _KINDS.get(value[-1]) if is_known and isinstance(value, tuple) else None


def _octets(count: Value | None, unit: Value | None) -> int | None:
    """Large disks overflow the signed 32 bits of the MIB and come out negative."""
    if not isinstance(count, int) or not isinstance(unit, int) or unit <= 0:
        return None
    return (count if count >= 0 else count + 2**32) * unit


def read_processors(walk: Walk) -> tuple[int, ...]:
    """The load of each processor over the last minute, in percent."""
    return tuple(load for _, (load,) in walk.rows(_LOAD) if isinstance(load, int))


def count_software(walk: Walk) -> int | None:
    """How many packages are installed; None if the device does not say."""
    return len(walk.column(_SOFTWARE)) or None
