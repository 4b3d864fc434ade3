"""Messages of SNMPv1 and SNMPv2c, and the PDUs that all versions share (RFC 1157, 1901, 3416)."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from fleet.snmp.ber import (
    OBJECT_ID,
    OCTETS,
    SEQUENCE,
    Malformed,
    VarBind,
    read_head,
    read_integer,
    read_octets,
    read_varbinds,
    to_octets,
    wrap,
    wrap_integer,
)

GET = 0xA0
GET_NEXT = 0xA1
RESPONSE = 0xA2
GET_BULK = 0xA5
REPORT = 0xA8
PDUS = frozenset({GET, GET_NEXT, RESPONSE, GET_BULK, REPORT})

V1 = 0
V2C = 1
V3 = 3

# Error statuses of RFC 1157 and RFC 3416 by their numbers.
TOO_BIG = 1
NO_SUCH_NAME = 2
GEN_ERR = 5
STATUSES = {
    TOO_BIG: "tooBig",
    NO_SUCH_NAME: "noSuchName",
    3: "badValue",
    4: "readOnly",
    GEN_ERR: "genErr",
    6: "noAccess",
    13: "resourceUnavailable",
    16: "authorizationError",
}


@dataclass(frozen=True, slots=True)
class Request:
    """What to ask: names as octets; repetitions belong to GETBULK alone."""

    kind: int
    names: tuple[bytes, ...]
    repetitions: int = 0
    is_trial: bool = False  # larger than what has worked: not worth sending twice


@dataclass(frozen=True, slots=True)
class Pdu:
    """A PDU as it came; in a GETBULK, status and index are non-repeaters and repetitions."""

    kind: int
    request_id: int
    status: int
    index: int
    varbinds: Sequence[VarBind]
    octets: int = 0  # how long it is


def first_id(seed: int) -> int:
    """A request id to begin with: four octets long, as `frame_pdu` leaves room for no other."""
    return 0x0100_0000 + seed % 0x3F00_0000


def following_id(number: int) -> int:
    """The request id after another."""
    return number + 1 if number < 0x7FFF_FFFE else first_id(0)


@lru_cache(maxsize=2048)
def frame_pdu(request: Request) -> tuple[bytes, bytes]:
    """A request's PDU, cut where its id belongs (four octets).

    The same names are asked of every device, so most requests are taken from here.
    """
    names = b"".join(wrap(SEQUENCE, wrap(OBJECT_ID, name) + b"\5\0") for name in request.names)
    rest = wrap_integer(0) + wrap_integer(request.repetitions) + wrap(SEQUENCE, names)
    whole = wrap(request.kind, b"\2\4\0\0\0\0" + rest)
    before = len(whole) - len(rest) - 4
    return whole[:before], whole[before + 4 :]


@lru_cache(maxsize=2048)
def frame_message(version: int, community: bytes, request: Request) -> tuple[bytes, bytes]:
    """A whole message of version 1 or 2c, cut where its request id belongs (four octets)."""
    head, tail = frame_pdu(request)
    start = wrap_integer(version) + wrap(OCTETS, community)
    whole = wrap(SEQUENCE, start + head + b"\0\0\0\0" + tail)
    before = len(whole) - len(tail)
    return whole[: before - 4], whole[before:]


def encode_pdu(pdu: Pdu) -> bytes:
    """A PDU with values, as agents send them."""
    varbinds = b"".join(encode_varbind(*varbind) for varbind in pdu.varbinds)
    numbers = b"".join(map(wrap_integer, (pdu.request_id, pdu.status, pdu.index)))
    return wrap(pdu.kind, numbers + wrap(SEQUENCE, varbinds))


def encode_varbind(name: bytes, tag: int, value: object) -> bytes:
    """A name and its value.

    Raises:
        Malformed: the value does not go with the tag.
    """
    return wrap(SEQUENCE, wrap(OBJECT_ID, name) + encode_value(tag, value))


def encode_value(tag: int, value: object) -> bytes:
    """A value with its tag.

    Raises:
        Malformed: the value does not go with the tag.
    """
    if value is None:
        return wrap(tag, b"")
    if isinstance(value, bytes):
        return wrap(tag, value)
    if isinstance(value, tuple):
        return wrap(tag, to_octets(value))
    if isinstance(value, int):
        return wrap_integer(value, tag)
    raise Malformed(f"no value of SNMP: {value!r}")


def read_version(data: bytes) -> tuple[int, int, int]:
    """The version of a message, where the rest begins, and where it ends.

    Raises:
        Malformed: it is no message.
    """
    at, end = read_head(data, 0, SEQUENCE, len(data))
    version, at = read_integer(data, at, end)
    return version, at, end


def read_message(data: bytes, at: int, end: int) -> tuple[bytes, Pdu]:
    """Community and PDU of a message of version 1 or 2c, from after its version.

    Raises:
        Malformed: it is no message.
    """
    community, at = read_octets(data, at, end)
    return community, read_pdu(data, at, end)


def read_pdu(data: bytes, at: int, end: int) -> Pdu:
    """The PDU at a place.

    Raises:
        Malformed: it is none of those that are asked or answered here.
    """
    if at >= end or data[at] not in PDUS:
        raise Malformed("no PDU")
    kind = data[at]
    at, stop = read_head(data, at, kind, end)
    request_id, at = read_integer(data, at, stop)
    status, at = read_integer(data, at, stop)
    index, at = read_integer(data, at, stop)
    at, stop = read_head(data, at, SEQUENCE, stop)
    try:
        return Pdu(kind, request_id, status, index, read_varbinds(data, at, stop), stop - at)
    except IndexError as error:
        raise Malformed("a value is cut off") from error
