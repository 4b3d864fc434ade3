"""What a device is asked when it is measured: at first everything, then what it has."""

from collections.abc import Collection, Sequence

from fleet.core.facts.power import APC_SCALARS, EATON_SCALARS, UPS_SCALARS
from fleet.core.facts.system import SYS_OBJECT_ID, read_object_id
from fleet.core.metric.gauges import STANDARD, Own, tables_with
from fleet.core.metric.ports import PORTS, PORTS_32, has_32_bits_alone, has_64_bits
from fleet.core.walk import Oid, Table, Walk

Profile = frozenset[str]
"""What a device has of all that is measured: names of tables, and scalars in dotted form."""

FIRST = (SYS_OBJECT_ID,)
"""What is asked besides when a device is measured for the first time."""

_TABLES = (PORTS, PORTS_32, *STANDARD)
_SCALARS = (*UPS_SCALARS, *APC_SCALARS, *EATON_SCALARS)


def ask_for_all(walk: Walk, owns: Sequence[Own]) -> tuple[tuple[Oid, ...], tuple[Table, ...]]:
    """Scalars and tables for the first time, given what the device is."""
    fitting = [own for own in owns if own.fits(read_object_id(walk) or "")]
    return _scalars(fitting), tables_with(_tables(fitting))


def ask_for(
    profile: Collection[str], owns: Sequence[Own]
) -> tuple[tuple[Oid, ...], tuple[Table, ...]]:
    """Scalars and tables that the device is known to have."""
    scalars = tuple(name for name in _scalars(owns) if dotted(name) in profile)
    return scalars, tables_with(table for table in _tables(owns) if table.name in profile)


def profile_of(walk: Walk, owns: Sequence[Own]) -> Profile:
    """What a device has, by its answer to everything."""
    names = {table.name for table in _tables(owns) if any(map(walk.column, table.columns))}
    if not has_32_bits_alone(walk):
        names.discard(PORTS_32.name)
    if not has_64_bits(walk):
        names.discard(PORTS.name)
    scalars = {dotted(name) for name in _scalars(owns) if walk.get(name) is not None}
    return frozenset(names | scalars)


def dotted(name: Oid) -> str:
    """`1.3.6.1` of numbers."""
    return ".".join(map(str, name))


def _tables(owns: Sequence[Own]) -> list[Table]:
    found = {table.name: table for table in _TABLES}
    for own in owns:
        if (table := own.table) is not None:
            found.setdefault(table.name, table)
    return list(found.values())


def _scalars(owns: Sequence[Own]) -> tuple[Oid, ...]:
    found = dict.fromkeys(_SCALARS)
    found.update((name, None) for own in owns for name in own.scalars)
    return tuple(found)
