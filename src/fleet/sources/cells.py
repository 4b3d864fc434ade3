"""What stands in a cell → what a field of the inventory says."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from fleet.core.lookup import to_mac

DAYS = frozenset({"commissioned", "decommissioned", "warranty_until"})
_EXCEL_BEGINS = date(1899, 12, 30)  # of its days, those before March 1900 apart
_EXCEL_DAYS = range(20_000, 73_051)  # October 1954 to the year 2100
_SPEEDS = {"k": 0.001, "m": 1, "g": 1000, "t": 1_000_000}


def read_cell(name: str, value: str | date) -> object:
    """The value of a field; fields that need none of this are text as it stands.

    Raises:
        ValueError: with what is wrong with it.
    """
    if name in DAYS:
        return to_day(value).isoformat()
    text = value.isoformat() if isinstance(value, date) else value.strip()
    read = _READERS.get(name)
    return read(text) if read is not None else text


def to_day(value: str | date) -> date:
    """A day as people write it: 2023-06-15, 15.06.2023, 15/6-23, and as Excel counts: 45092.

    Raises:
        ValueError: it is none, or it may be two.
    """
    if isinstance(value, date):
        return value
    text = value.strip()
    if text.isdecimal() and int(text) in _EXCEL_DAYS and len(text) == len("45092"):
        return _EXCEL_BEGINS + timedelta(days=int(text))
    if match := re.fullmatch(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?:[T ].*)?", text):
        year, month, day = map(int, match.groups())
    elif match := re.fullmatch(r"(\d{1,2})\s*[-./]\s*(\d{1,2})\s*[-./]\s*(\d{4}|\d{2})", text):
        day, month, year = map(int, match.groups())
        year += 2000 if year < 100 else 0
    else:
        raise ValueError(f"`{text}` is no day: write it like 2023-06-15 or 15.06.2023")
    return date(year, month, day)


def _address(text: str) -> str:
    return text.partition("/")[0]


def _mac(text: str) -> str:
    mac = to_mac(text)
    if mac is None:
        raise ValueError(f"`{text}` is no MAC address: write it like 00:11:22:33:44:55")
    return mac


def _degrees(text: str) -> float:
    return float(text.replace(",", "."))


def _count(text: str) -> int:
    bare = re.sub(r"[\s.\N{NO-BREAK SPACE}]", "", text)
    if not bare.isdecimal():
        raise ValueError(f"`{text}` is no whole number")
    return int(bare)


def _mbps(text: str) -> int:
    """`1000`, `100 Mbit/s`, `10G`, `2,5 Gbit`."""
    match = re.fullmatch(
        r"([\d\s]+(?:[.,]\d+)?)\s*([kmgt]?)(?:b|bit|bps|bit/s|b/s|bits)?", text.lower()
    )
    if match is None:
        raise ValueError(f"`{text}` is no speed: write it like 1000 or 1 Gbit/s")
    number = float(match[1].replace(" ", "").replace(",", "."))
    speed = number * _SPEEDS[match[2] or "m"]
    if speed != int(speed) or speed < 1:
        raise ValueError(f"`{text}` is no whole number of Mbit/s")
    return int(speed)


_READERS: Mapping[str, Callable[[str], object]] = {
    "address": _address,
    "mac": _mac,
    "latitude": _degrees,
    "longitude": _degrees,
    "users": _count,
    "capacity_mbps": _mbps,
}
