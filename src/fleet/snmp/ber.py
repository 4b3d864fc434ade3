"""BER as SNMP uses it (X.690; RFC 3417 section 8): lengths, integers, object ids, var-binds.

Names stay as they came, in BER, as comparing and cutting octets is several times cheaper than
making numbers of them. `read_varbinds` is where a poll spends its time: it is one plain loop.
"""

from collections.abc import Iterable
from functools import lru_cache

from fleet.core.walk import Oid

INTEGER = 0x02
OCTETS = 0x04
NULL = 0x05
OBJECT_ID = 0x06
SEQUENCE = 0x30
IP_ADDRESS = 0x40
COUNTER32 = 0x41
GAUGE32 = 0x42
TIME_TICKS = 0x43
OPAQUE = 0x44
COUNTER64 = 0x46
NO_SUCH_OBJECT = 0x80
NO_SUCH_INSTANCE = 0x81
END_OF_MIB_VIEW = 0x82

Raw = int | bytes | Oid | None
VarBind = tuple[bytes, int, Raw]
"""Name (the octets of the object id), tag of the value, value; None where there is none."""

_UNSIGNED = frozenset({COUNTER32, GAUGE32, TIME_TICKS, COUNTER64, 0x47})  # 0x47: UInteger32
_OCTETS = frozenset({OCTETS, IP_ADDRESS, OPAQUE, 0x45})  # 0x45: NsapAddress


_MOST_NUMBERS = 128
_MOST_OCTETS = 5 * _MOST_NUMBERS


class Malformed(ValueError):
    """Octets that are not what SNMP allows."""


def wrap(tag: int, content: bytes) -> bytes:
    """A value with its tag and length."""
    length = len(content)
    if length < 0x80:
        return bytes((tag, length)) + content
    octets = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes((tag, 0x80 | len(octets))) + octets + content


def wrap_integer(value: int, tag: int = INTEGER) -> bytes:
    """An integer in the fewest octets of two's complement."""
    return wrap(tag, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True))


@lru_cache(maxsize=65_536)
def to_octets(name: Oid) -> bytes:
    """The content of an object id (X.690 section 8.19).

    Raises:
        Malformed: it is too short, or begins with what no object id begins with.
    """
    if len(name) < 2 or name[0] > 2 or (name[0] < 2 and name[1] > 39):
        raise Malformed(f"no object id: {name}")
    return index_octets((40 * name[0] + name[1], *name[2:]))


def index_octets(numbers: Iterable[int]) -> bytes:
    """Numbers as the octets that they are inside an object id."""
    octets = bytearray()
    for number in numbers:
        if number < 0x80:
            octets.append(number)
            continue
        high = [number & 0x7F]
        while number := number >> 7:
            high.append(0x80 | number & 0x7F)
        octets.extend(reversed(high))
    return bytes(octets)


@lru_cache(maxsize=16_384)
def to_numbers(octets: bytes) -> Oid:
    """The numbers in octets of an object id, or of its last part (an index).

    Raises:
        Malformed: a number is cut off, padded, or larger than 32 bits, or there are more than 128
            of them (RFC 2578 section 3.5).
    """
    if len(octets) > _MOST_OCTETS:
        raise Malformed("an object id of more than 128 numbers")
    numbers = []
    number = 0
    starts = True
    for octet in octets:
        if starts and octet == 0x80:
            raise Malformed("a padded number in an object id")
        number = number << 7 | octet & 0x7F
        if number > 0xFFFF_FFFF:
            raise Malformed("a number of more than 32 bits in an object id")
        starts = octet < 0x80
        if starts:
            numbers.append(number)
            number = 0
    if not starts or len(numbers) > _MOST_NUMBERS:
        raise Malformed("a bad number in an object id, or too many")
    return tuple(numbers)


def to_oid(octets: bytes) -> Oid:
    """The numbers of a whole object id.

    Raises:
        Malformed: it is empty, or a number in it is malformed.
    """
    if not octets:
        raise Malformed("an empty object id")
    first, *others = to_numbers(octets)
    top = min(first // 40, 2)
    return (top, first - 40 * top, *others)


def read_head(data: bytes, at: int, tag: int, end: int) -> tuple[int, int]:
    """Where the content of the value at a place begins and stops.

    Raises:
        Malformed: it has another tag, or is longer than what holds it.
    """
    if at + 2 > end or data[at] != tag:
        raise Malformed("another value was expected")
    length = data[at + 1]
    at += 2
    if length > 0x7F:
        length, at = _long_length(data, at, length)
    if at + length > end:
        raise Malformed("a value is cut off")
    return at, at + length


def _long_length(data: bytes, at: int, count: int) -> tuple[int, int]:
    count &= 0x7F
    if not 1 <= count <= 4 or at + count > len(data):
        raise Malformed("a length that SNMP does not know")
    return int.from_bytes(data[at : at + count], "big"), at + count


def read_integer(data: bytes, at: int, end: int) -> tuple[int, int]:
    """A whole number, and where the next value begins.

    Raises:
        Malformed: it is not one, or has more than 32 bits; some write one octet too many.
    """
    start, stop = read_head(data, at, INTEGER, end)
    if not 1 <= stop - start <= 5:
        raise Malformed("an integer of more than 32 bits")
    return int.from_bytes(data[start:stop], "big", signed=True), stop


def read_octets(data: bytes, at: int, end: int) -> tuple[bytes, int]:
    """Octets, and where the next value begins.

    Raises:
        Malformed: there are none.
    """
    start, stop = read_head(data, at, OCTETS, end)
    return data[start:stop], stop


def read_varbinds(data: bytes, at: int, end: int) -> list[VarBind]:  # noqa: C901, PLR0912 - the hot loop
    """The names and values of a PDU; None for a value that is none, or that no type allows.

    Raises:
        Malformed: a length in it contradicts another.
    """
    found: list[VarBind] = []
    value: Raw
    while at < end:
        if at + 6 > end or data[at] != SEQUENCE:
            raise Malformed("no var-bind")
        length = data[at + 1]
        at += 2
        if length > 0x7F:
            length, at = _long_length(data, at, length)
        stop = at + length
        if length < 4 or stop > end or data[at] != OBJECT_ID:
            raise Malformed("a var-bind without a name, or cut off")
        length = data[at + 1]
        start = at + 2
        if length > 0x7F:
            length, start = _long_length(data, start, length)
        at = start + length
        if at + 2 > stop:
            raise Malformed("a name is cut off")
        name = data[start:at]
        tag = data[at]
        length = data[at + 1]
        at += 2
        if length > 0x7F:
            length, at = _long_length(data, at, length)
        if at + length != stop:
            raise Malformed("a value does not fill its var-bind")
        if tag in _UNSIGNED:
            value = (
                int.from_bytes(data[at:stop], "big") if length <= 4 else _long(tag, data[at:stop])
            )
        elif tag in _OCTETS:
            value = data[at:stop]
        elif tag == INTEGER:
            value = int.from_bytes(data[at:stop], "big", signed=True) if length <= 8 else None
        elif tag == OBJECT_ID:
            value = _object_id(data[at:stop])
        else:
            value = None
        found.append((name, tag, value))
        at = stop
    return found


def _long(tag: int, octets: bytes) -> int | None:
    """A counter of more than four octets, the first of which may be zero."""
    value = int.from_bytes(octets, "big")
    return value if value < (2**64 if tag == COUNTER64 else 2**32) else None


def _object_id(octets: bytes) -> Oid | None:
    try:
        return to_oid(octets)
    except Malformed:
        return None
