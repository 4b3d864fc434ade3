"""An agent that plays a recording: the answer to a request, without any network.

Versions 1 and 2c; GET, GETNEXT and GETBULK. A recording is the text form of snmpsim
(`recorded`), and a counter may move: `OID|67:numeric|rate=100,initial=864000` grows by `rate` a
second from `initial` on.
"""

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fleet.core.walk import Oid, oid
from fleet.snmp import message
from fleet.snmp.ber import (
    END_OF_MIB_VIEW,
    NO_SUCH_OBJECT,
    NULL,
    OBJECT_ID,
    OCTETS,
    SEQUENCE,
    Malformed,
    read_head,
    to_octets,
    to_oid,
    wrap,
    wrap_integer,
)
from fleet.snmp.message import Pdu, encode_value
from fleet.snmp.recorded import read_value

_MOST = 1472  # octets in one message: what one Ethernet frame holds
_ENVELOPE = 64


@dataclass(frozen=True, slots=True)
class _Moving:
    """A counter."""

    tag: int
    initial: int
    rate: float

    def encode(self, elapsed_s: float) -> bytes:
        value = (self.initial + int(self.rate * elapsed_s)) % 2**32
        return wrap_integer(value, self.tag)


class Recording:
    """What one agent has, in the order in which it is walked."""

    def __init__(self, lines: Iterable[str]) -> None:
        objects: dict[Oid, bytes | _Moving] = {}
        for line in lines:
            name, _, rest = line.rstrip("\r\n").partition("|")
            tag, _, text = rest.partition("|")
            try:
                number = oid(name.strip())
                to_octets(number)
                if (value := _encoded(tag, text)) is not None:
                    objects[number] = value
            except ValueError:
                continue  # no object, or a value that no agent could send
        self.names = sorted(objects)
        self.values = [objects[name] for name in self.names]

    def place(self, name: Oid) -> int | None:
        """Where an object stands."""
        at = bisect_right(self.names, name) - 1
        return at if at >= 0 and self.names[at] == name else None

    def after(self, name: Oid) -> int:
        """Where the first object after a name stands; may be the end."""
        return bisect_right(self.names, name)

    def cell(self, at: int, elapsed_s: float) -> bytes:
        """An object, encoded."""
        value = self.values[at]
        octets = value.encode(elapsed_s) if isinstance(value, _Moving) else value
        return wrap(SEQUENCE, wrap(OBJECT_ID, to_octets(self.names[at])) + octets)


def _encoded(tag: str, text: str) -> bytes | _Moving | None:
    """A value with its tag; None for types that no agent sends."""
    kind, _, variation = tag.partition(":")
    if variation == "numeric":
        settings = dict(part.split("=", 1) for part in text.split(","))
        return _Moving(int(kind), int(settings["initial"]), float(settings["rate"]))
    if variation:
        return None
    value = read_value(tag, text)
    if value is None:
        return None
    number = int(tag.rstrip("x"))
    if isinstance(value, bytes) and number in (2, 65, 66, 67, 70):
        return None
    if number == 64 and isinstance(value, bytes) and len(value) != 4:
        return None
    return encode_value(number, value)


def respond(packet: bytes, recording: Recording, community: bytes, elapsed_s: float) -> bytes:
    """The answer to a request.

    Args:
        elapsed_s: seconds since the agent started, for what moves.

    Raises:
        Malformed: it is no request that this agent takes, so it says nothing.
    """
    version, at, end = message.read_version(packet)
    if version not in (message.V1, message.V2C):
        raise Malformed("another version")
    given, at = _community(packet, at, end)
    if given != community:
        raise Malformed("another community")
    request = message.read_pdu(packet, at, end)
    names = [to_oid(name) for name, _, _ in request.varbinds]
    status, index, cells = _answer(request, names, recording, version == message.V1, elapsed_s)
    body = b"".join(cells)
    if status:
        body = b"".join(
            wrap(SEQUENCE, wrap(OBJECT_ID, name) + wrap(NULL, b""))
            for name, _, _ in request.varbinds
        )
    numbers = b"".join(map(wrap_integer, (request.request_id, status, index)))
    pdu = wrap(message.RESPONSE, numbers + wrap(SEQUENCE, body))
    return wrap(SEQUENCE, wrap_integer(version) + wrap(OCTETS, given) + pdu)


def _community(packet: bytes, at: int, end: int) -> tuple[bytes, int]:
    start, stop = read_head(packet, at, OCTETS, end)
    return packet[start:stop], stop


_Answer = tuple[int, int, Sequence[bytes]]


def _answer(
    request: Pdu, names: Sequence[Oid], recording: Recording, is_v1: bool, elapsed_s: float
) -> _Answer:
    """Error status, index and the encoded objects."""
    match request.kind:
        case message.GET:
            places = [recording.place(name) for name in names]
            missing = NO_SUCH_OBJECT
        case message.GET_NEXT:
            following = [recording.after(name) for name in names]
            places = [at if at < len(recording.names) else None for at in following]
            missing = END_OF_MIB_VIEW
        case message.GET_BULK if not is_v1:
            return 0, 0, _bulk(request, names, recording, elapsed_s)
        case _:
            raise Malformed("not a question")
    if is_v1 and None in places:
        return message.NO_SUCH_NAME, places.index(None) + 1, ()
    cells = [
        _missing(name, missing) if at is None else recording.cell(at, elapsed_s)
        for name, at in zip(names, places, strict=True)
    ]
    if sum(map(len, cells)) > _MOST - _ENVELOPE:
        return message.TOO_BIG, 0, ()
    return 0, 0, cells


def _bulk(
    request: Pdu, names: Sequence[Oid], recording: Recording, elapsed_s: float
) -> list[bytes]:
    """As many rows as were asked for and as fit (RFC 3416 section 4.2.3)."""
    once, repetitions = min(max(0, request.status), len(names)), max(0, request.index)
    starts = [recording.after(name) for name in names]
    end = len(recording.names)
    room = _MOST - _ENVELOPE
    cells: list[bytes] = []
    for row in range(repetitions + 1):
        first = 0 if row == 0 else once
        last = once if row == 0 else len(names)
        for number in range(first, last):
            at = starts[number] + max(0, row - 1)
            if at < end:
                cell = recording.cell(at, elapsed_s)
            else:
                cell = _missing(names[number] if not end else recording.names[-1], END_OF_MIB_VIEW)
            room -= len(cell)
            if room < 0:
                return cells
            cells.append(cell)
        if row and all(start + row > end for start in starts[once:]):
            break
    return cells


def _missing(name: Oid, tag: int) -> bytes:
    return wrap(SEQUENCE, wrap(OBJECT_ID, to_octets(name)) + wrap(tag, b""))
