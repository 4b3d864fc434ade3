"""Values of SNMP as text, numbers and addresses; None where a device said nothing usable."""

import ipaddress
from collections.abc import Sequence

from fleet.core.lookup import to_mac
from fleet.core.walk import Value


def as_text(value: Value | None) -> str | None:
    """Octets as text: UTF-8, else Latin-1, as old devices write it; may be empty."""
    if not isinstance(value, bytes):
        return None
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        text = value.decode("latin-1")
    return text.replace("\x00", "").replace("\r\n", "\n").strip()


def text(value: Value | None) -> str | None:
    """Octets as text, None if there is nothing in it."""
    return as_text(value) or None


def number(value: Value | None) -> int | None:
    """A whole number."""
    return value if isinstance(value, int) else None


def not_negative(value: Value | None) -> int | None:
    """A whole number from zero on: many objects say "unknown" by a negative one."""
    return value if isinstance(value, int) and value >= 0 else None


def mac(value: Value | None) -> str | None:
    """A MAC address from six octets or from text in any notation."""
    if not isinstance(value, bytes):
        return None
    if len(value) == 6:
        return value.hex(":")
    found = value.decode("ascii", "replace").strip()
    return to_mac(found) or to_mac(_from_hex(found))


def _from_hex(found: str) -> str:
    """Text that was written in hexadecimal once more, as some agents do."""
    try:
        return bytes.fromhex(found).decode("ascii", "replace")
    except ValueError:
        return ""


def mac_of(index: Sequence[int]) -> str | None:
    """A MAC address from six numbers of an index."""
    if len(index) != 6 or max(index) > 255:
        return None
    return bytes(index).hex(":")


def ip(octets: bytes | Sequence[int]) -> str | None:
    """An IP address from its octets."""
    try:
        found = bytes(octets)
        return str(ipaddress.ip_address(found)) if len(found) in (4, 16) else None
    except ValueError:
        return None


def choice(names: dict[int, str], value: Value | None) -> str | None:
    """The name of a value of an enumeration."""
    return names.get(value) if isinstance(value, int) else None
