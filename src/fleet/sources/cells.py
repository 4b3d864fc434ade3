"""What stands in a cell → what a field of the inventory says."""

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta

from fleet.core.lookup import to_mac

DAYS = frozenset({"commissioned", "decommissioned", "warranty_until"})
_EXCEL_BEGINS = date(1899, 12, 30)  # of its days, those before March 1900 apart
_EXCEL_DAYS = range(20_000, 73_051)  # October 1954 to the year 2100
_SPEEDS = {"k": 0.001, "m": 1, "g": 1000, "t": 1_000_000}
_CENTURY = 100
_LAST_CENTURY = 70  # 15.6.98 is a day of 1998
_NOTHING = re.compile(
    r"[-–—?.\s]*|n/?a|ingen|ukjent|ukjend|mangler|manglar|unknown|none", re.IGNORECASE
)


def is_nothing(value: str | date) -> bool:
    """Whether a cell says that nothing is known."""
    return isinstance(value, str) and _NOTHING.fullmatch(value.strip()) is not None


def read_cell(name: str, text: str) -> object:
    """The value of a field; fields that need none of this are text as it stands.

    Raises:
        ValueError: with what is wrong with it.
    """
    if name in DAYS:
        return to_day(text).isoformat()
    read = _READERS.get(name)
    return read(text.strip()) if read is not None else text.strip()


def to_day(text: str) -> date:
    """A day as people write it: 2023-06-15, 15.06.2023, 15/6-23, and as Excel counts: 45092.

    Raises:
        ValueError: it is none.
    """
    text = text.strip()
    if re.fullmatch(r"\d{5}", text) and int(text) in _EXCEL_DAYS:
        return _EXCEL_BEGINS + timedelta(days=int(text))
    if match := re.fullmatch(r"(\d{4})[-./](\d{1,2})[-./](\d{1,2})(?:[T ].*)?", text):
        year, month, day = map(int, match.groups())
    elif match := re.fullmatch(r"(\d{1,2})\s*[-./]\s*(\d{1,2})\s*[-./]\s*(\d{4}|\d{2})", text):
        day, month, year = map(int, match.groups())
        if year < _CENTURY:
            year += _CENTURY * (19 if year >= _LAST_CENTURY else 20)
    else:
        raise ValueError(f"`{text}` is no day: write it like 2023-06-15 or 15.06.2023")
    try:
        return date(year, month, day)
    except ValueError:
        raise ValueError(f"`{text}` is no day: the day comes before the month") from None


def _address(text: str) -> str:
    """Without the length of its prefix."""
    return re.sub(r"/\d+$", "", text)


def _mac(text: str) -> str:
    mac = to_mac(text)
    if mac is None:
        raise ValueError(f"`{text}` is no MAC address: write it like 00:11:22:33:44:55")
    return mac


def _degrees(text: str) -> float:
    try:
        return float(text.replace(",", "."))
    except ValueError:
        raise ValueError(f"`{text}` is no number of degrees: write it like 63.1106") from None


def _count(text: str) -> int:
    if not re.fullmatch(r"\d{1,9}|\d{1,3}([ .]\d{3}){1,2}", text):
        raise ValueError(f"`{text}` is no whole number")
    return int(re.sub(r"[ .]", "", text))


def _mbps(text: str) -> int:
    """`1000`, `1.000 Mbit/s`, `10G`, `2,5 Gbit`."""
    unit = r"\s*([kmgt]?)(?:b|bit|bps|bit/s|b/s|bits)?"
    number = r"(\d{1,3}(?:[ .]\d{3})+|\d{1,9}(?:[.,]\d{1,3})?)"
    match = re.fullmatch(number + unit, text.lower())
    if match is None:
        raise ValueError(f"`{text}` is no speed: write it like 1000 or 1 Gbit/s")
    bare = match[1]
    if re.fullmatch(r"\d{1,3}([ .]\d{3})+", bare):
        bare = re.sub(r"[ .]", "", bare)
    speed = float(bare.replace(",", ".")) * _SPEEDS[match[2] or "m"]
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
