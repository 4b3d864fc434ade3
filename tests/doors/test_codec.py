"""Fleet's own codec of SNMP beside pysnmp's: what one writes, the other reads, and both alike."""

import bz2
import importlib.resources
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto.api import v2c

from fleet.core.walk import Oid
from fleet.snmp.ber import (
    COUNTER32,
    COUNTER64,
    END_OF_MIB_VIEW,
    GAUGE32,
    INTEGER,
    IP_ADDRESS,
    NO_SUCH_INSTANCE,
    NO_SUCH_OBJECT,
    NULL,
    OBJECT_ID,
    OCTETS,
    OPAQUE,
    SEQUENCE,
    TIME_TICKS,
    Malformed,
    VarBind,
    to_numbers,
    to_octets,
    to_oid,
    wrap,
    wrap_integer,
)
from fleet.snmp.message import (
    GET,
    GET_BULK,
    RESPONSE,
    V2C,
    Pdu,
    Request,
    encode_pdu,
    encode_value,
    frame_message,
    read_message,
    read_version,
)
from fleet.snmp.recorded import read_value

KINDS = {
    INTEGER: v2c.Integer32,
    OCTETS: v2c.OctetString,
    IP_ADDRESS: v2c.IpAddress,
    COUNTER32: v2c.Counter32,
    GAUGE32: v2c.Gauge32,
    TIME_TICKS: v2c.TimeTicks,
    OPAQUE: v2c.Opaque,
    COUNTER64: v2c.Counter64,
    OBJECT_ID: v2c.ObjectIdentifier,
}
MISSING = {
    NO_SUCH_OBJECT: v2c.NoSuchObject,
    NO_SUCH_INSTANCE: v2c.NoSuchInstance,
    END_OF_MIB_VIEW: v2c.EndOfMibView,
}

arcs = st.integers(0, 2**32 - 1)
oids = st.builds(
    lambda top, second, rest: (top, second % 40 if top < 2 else second, *rest),
    st.integers(0, 2),
    st.integers(0, 39),
    st.lists(arcs, max_size=20),
)
values = st.one_of(
    st.tuples(st.just(INTEGER), st.integers(-(2**31), 2**31 - 1)),
    st.tuples(st.just(OCTETS), st.binary(max_size=300)),
    st.tuples(st.just(IP_ADDRESS), st.binary(min_size=4, max_size=4)),
    st.tuples(st.sampled_from([COUNTER32, GAUGE32, TIME_TICKS]), st.integers(0, 2**32 - 1)),
    st.tuples(st.just(OPAQUE), st.binary(max_size=60)),
    st.tuples(st.just(COUNTER64), st.integers(0, 2**64 - 1)),
    st.tuples(st.just(OBJECT_ID), oids),
    st.tuples(st.sampled_from(list(MISSING)), st.none()),
)


def theirs(community: bytes, pdu_id: int, varbinds: list[tuple[Oid, int, object]]) -> bytes:
    """A response as pysnmp writes it."""
    pdu = v2c.ResponsePDU()
    v2c.apiPDU.set_defaults(pdu)
    v2c.apiPDU.set_request_id(pdu, pdu_id)
    v2c.apiPDU.set_varbinds(
        pdu,
        [
            (name, MISSING[tag]("") if tag in MISSING else KINDS[tag](value))
            for name, tag, value in varbinds
        ],
    )
    whole = v2c.Message()
    v2c.apiMessage.set_defaults(whole)
    v2c.apiMessage.set_community(whole, community)
    v2c.apiMessage.set_pdu(whole, pdu)
    encoded: bytes = encoder.encode(whole)
    return encoded


def read_theirs(packet: bytes) -> list[VarBind]:
    """A message as pysnmp reads it, in our form."""
    whole, rest = decoder.decode(packet, asn1Spec=v2c.Message())
    assert not rest
    found: list[VarBind] = []
    for name, value in v2c.apiPDU.get_varbinds(v2c.apiMessage.get_pdu(whole)):
        tag = value.tagSet[-1]
        tag = tag.tagClass | tag.tagFormat | tag.tagId
        octets = to_octets(tuple(name))
        if tag in MISSING or tag == NULL:
            found.append((octets, tag, None))
        elif hasattr(value, "asOctets"):
            found.append((octets, tag, value.asOctets()))
        elif hasattr(value, "asTuple"):
            found.append((octets, tag, value.asTuple()))
        else:
            found.append((octets, tag, int(value)))
    return found


def read_ours(packet: bytes) -> tuple[bytes, Pdu]:
    version, at, end = read_version(packet)
    assert version == V2C
    return read_message(packet, at, end)


@given(
    st.binary(max_size=40),
    st.integers(-(2**31), 2**31 - 1),
    st.lists(st.tuples(oids, values), max_size=8),
)
def test_what_pysnmp_writes_both_read_alike(
    community: bytes, pdu_id: int, rows: list[tuple[Oid, tuple[int, object]]]
) -> None:
    packet = theirs(community, pdu_id, [(name, tag, value) for name, (tag, value) in rows])

    given_community, pdu = read_ours(packet)

    assert (given_community, pdu.kind, pdu.request_id) == (community, RESPONSE, pdu_id)
    assert list(pdu.varbinds) == read_theirs(packet)
    assert [to_oid(name) for name, _, _ in pdu.varbinds] == [name for name, _ in rows]


@given(st.integers(0, 2**31 - 1), st.lists(st.tuples(oids, values), max_size=8))
def test_what_we_write_pysnmp_reads(
    pdu_id: int, rows: list[tuple[Oid, tuple[int, object]]]
) -> None:
    varbinds = [(to_octets(name), tag, value) for name, (tag, value) in rows]
    pdu = Pdu(RESPONSE, pdu_id, 0, 0, varbinds)  # type: ignore[arg-type]
    body = wrap_integer(V2C) + wrap(OCTETS, b"public") + encode_pdu(pdu)

    assert read_theirs(wrap(SEQUENCE, body)) == varbinds


@given(
    st.sampled_from([GET, GET_BULK]),
    st.lists(oids, min_size=1, max_size=8),
    st.integers(0, 100),
    st.integers(2**24, 2**31 - 2),
)
def test_a_request_is_what_pysnmp_would_read(
    kind: int, names: list[Oid], repetitions: int, request_id: int
) -> None:
    request = Request(kind, tuple(map(to_octets, names)), repetitions if kind == GET_BULK else 0)
    head, tail = frame_message(V2C, b"public", request)

    whole, rest = decoder.decode(
        head + request_id.to_bytes(4, "big") + tail, asn1Spec=v2c.Message()
    )

    pdu = v2c.apiMessage.get_pdu(whole)
    assert not rest
    assert int(v2c.apiPDU.get_request_id(pdu)) == request_id
    assert [tuple(name) for name, _ in v2c.apiPDU.get_varbinds(pdu)] == names
    if kind == GET_BULK:
        assert int(v2c.apiBulkPDU.get_max_repetitions(pdu)) == request.repetitions


@given(st.lists(arcs, max_size=30).map(tuple))
def test_numbers_of_an_index_survive(index: Oid) -> None:
    whole = (1, 3, *index)
    assert to_oid(to_octets(whole)) == whole
    assert to_numbers(to_octets(whole)[1:]) == index


@given(st.binary(max_size=120))
def test_any_octets_are_read_or_refused(packet: bytes) -> None:
    for start in (packet, wrap(SEQUENCE, wrap_integer(V2C) + packet)):
        try:
            read_ours(start)
        except (Malformed, AssertionError):
            continue


@pytest.mark.parametrize(
    ("packet", "what"),
    [
        ("", "nothing at all"),
        ("3000", "no version"),
        ("30820100020101", "longer than it is"),
        ("3003020103", "a version and no more"),
        ("300b02010104067075626c6963", "no PDU"),
    ],
)
def test_what_is_cut_off_is_refused(packet: str, what: str) -> None:
    with pytest.raises(Malformed):
        _version, at, end = read_version(bytes.fromhex(packet))
        read_message(bytes.fromhex(packet), at, end)


def recorded_values(path: Path, text: str) -> Iterator[tuple[Oid, int, object]]:
    """The objects of a recording that an agent could send."""
    for line in text.split("\n"):
        name, _, rest = line.partition("|")
        tag, _, written = rest.partition("|")
        try:
            number = tuple(map(int, name.strip(" .").split(".")))
            value = read_value(tag, written.rstrip("\r"))
            kind = int(tag.rstrip("x"))
            to_octets(number)
        except ValueError:
            continue
        if kind not in KINDS or value is None or (kind == IP_ADDRESS and len(value) != 4):  # type: ignore[arg-type]
            continue
        if kind == INTEGER and not -(2**31) <= value < 2**31:  # type: ignore[operator]
            continue
        if kind == OBJECT_ID and (len(value) < 2 or value[0] > 2):  # type: ignore[arg-type,index]
            continue
        if kind in (COUNTER32, GAUGE32, TIME_TICKS) and not 0 <= value < 2**32:  # type: ignore[operator]
            continue
        yield number, kind, value


def ours(rows: list[tuple[Oid, int, object]]) -> bytes:
    cells = b"".join(
        wrap(SEQUENCE, wrap(OBJECT_ID, to_octets(name)) + encode_value(tag, value))
        for name, tag, value in rows
    )
    numbers = wrap_integer(1) + wrap_integer(0) + wrap_integer(0)
    pdu = wrap(RESPONSE, numbers + wrap(SEQUENCE, cells))
    return wrap(SEQUENCE, wrap_integer(V2C) + wrap(OCTETS, b"public") + pdu)


def both_read_alike(rows: list[tuple[Oid, int, object]], at_once: int = 25) -> None:
    for start in range(0, len(rows), at_once):
        packet = ours(rows[start : start + at_once])
        assert list(read_ours(packet)[1].varbinds) == read_theirs(packet)


def test_every_recording_is_read_as_pysnmp_reads_it(shared_recordings: Path) -> None:
    compared = 0
    for path in sorted(shared_recordings.glob("*.snmprec")):
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        rows = list(recorded_values(path, text))[:1500]
        both_read_alike(rows)
        compared += len(rows)
    assert compared > 5000


def whole_walks() -> list[Path]:
    folder = Path(str(importlib.resources.files("snmpsim_data"))) / "data"
    return sorted(folder.rglob("*.snmprec.bz2"), key=lambda path: (path.stat().st_size, path.name))


@pytest.mark.parametrize("path", whole_walks()[:20], ids=lambda path: path.name)
def test_whole_walks_of_other_devices(path: Path) -> None:
    text = bz2.decompress(path.read_bytes()).decode("utf-8", "surrogateescape")
    rows = list(recorded_values(path, text))
    assert rows
    both_read_alike(rows[:3000])


@pytest.mark.endure
@pytest.mark.parametrize("path", whole_walks(), ids=lambda path: path.name)
def test_all_whole_walks(path: Path) -> None:
    text = bz2.decompress(path.read_bytes()).decode("utf-8", "surrogateescape")
    both_read_alike(list(recorded_values(path, text))[:20_000])


def test_an_unsigned_counter_with_too_few_octets_is_what_was_meant() -> None:
    """Some agents forget the leading zero; no counter is negative."""
    cell = wrap(SEQUENCE, wrap(OBJECT_ID, to_octets((1, 3, 6))) + bytes.fromhex("4104ffffffff"))
    numbers = wrap_integer(1) + wrap_integer(0) + wrap_integer(0)
    pdu = wrap(RESPONSE, numbers + wrap(SEQUENCE, cell))

    _, found = read_ours(wrap(SEQUENCE, wrap_integer(V2C) + wrap(OCTETS, b"") + pdu))

    assert found.varbinds[0][2] == 2**32 - 1
