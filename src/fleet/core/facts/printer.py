"""Printers: supplies, pages, serial number (Printer-MIB, RFC 3805)."""

from collections.abc import Iterator
from dataclasses import dataclass

from fleet.core.facts.values import choice, not_negative, text
from fleet.core.walk import Table, Value, Walk, oid

_SUPPLIES = tuple((*oid("1.3.6.1.2.1.43.11.1.1"), n) for n in (5, 6, 8, 9))
_LIFE_COUNT = oid("1.3.6.1.2.1.43.10.2.1.4")  # prtMarkerLifeCount
PRINTER_SERIAL = oid("1.3.6.1.2.1.43.5.1.1.17.1")  # prtGeneralSerialNumber

SUPPLIES = Table(name="supplies", columns=_SUPPLIES)
PAGES = Table(name="pages", columns=(_LIFE_COUNT,))

_KINDS = {
    1: "other",
    2: "unknown",
    3: "toner",
    4: "waste_toner",
    5: "ink",
    6: "ink_cartridge",
    7: "ink_ribbon",
    8: "waste_ink",
    9: "opc",
    10: "developer",
    11: "fuser_oil",
    12: "solid_wax",
    13: "ribbon_wax",
    14: "waste_wax",
    15: "fuser",
    16: "corona_wire",
    17: "fuser_oil_wick",
    18: "cleaner_unit",
    19: "fuser_cleaning_pad",
    20: "transfer_unit",
    21: "toner_cartridge",
    22: "fuser_oiler",
    32: "staples",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Supply:
    """Toner, ink, drum …; no percentage where the printer gives no level or no maximum."""

    name: str | None
    kind: str | None = None
    level_percent: float | None = None


def read_supplies(walk: Walk) -> Iterator[Supply]:
    """One for each row of prtMarkerSuppliesTable."""
    for _, (kind, name, most, level) in walk.rows(*_SUPPLIES):
        yield Supply(name=text(name), kind=choice(_KINDS, kind), level_percent=_part(level, most))


def _part(level: Value | None, most: Value | None) -> float | None:
    """Levels of -1, -2, -3 mean: no limit, unknown, some is left (RFC 3805)."""
    if not isinstance(level, int) or not isinstance(most, int) or level < 0 or most <= 0:
        return None
    return round(100 * level / most, 1)


def count_pages(walk: Walk) -> int | None:
    """Pages over the printer's life, all markers together."""
    counts = [not_negative(count) for _, (count,) in walk.rows(_LIFE_COUNT)]
    known = [count for count in counts if count is not None]
    return max(known) if known else None
