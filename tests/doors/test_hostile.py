"""Agents that were found to break the engine once."""

import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import pytest

from fleet.core.facts.system import SYS_NAME
from fleet.core.walk import Answer, Oid, Outcome, Reason, Silence, Table, Target
from fleet.flows.probe import probe
from fleet.snmp import message, resolve
from fleet.snmp.ber import (
    END_OF_MIB_VIEW,
    NO_SUCH_INSTANCE,
    NULL,
    OCTETS,
    SEQUENCE,
    to_octets,
    to_oid,
    wrap,
    wrap_integer,
)
from fleet.snmp.credentials import Access
from fleet.snmp.engine import Further, Question
from fleet.snmp.fast import FastEngine
from fleet.snmp.message import GET, RESPONSE, Pdu
from fleet.snmp.transport import Transport
from tests.agents import serving

ADDRESS = "127.48.0.1"
COLUMN = (1, 3, 6, 1, 2, 1, 2, 2, 1, 2)
OTHER = (1, 3, 6, 1, 2, 1, 2, 2, 1, 3)
TABLE = Table(name="ports", columns=(COLUMN, OTHER))
Cell = tuple[Oid, int, object]
Reply = Callable[[Pdu, list[Oid]], list[Cell]]


def agent(reply: Reply) -> AbstractContextManager[int]:
    """Answers by what a function makes of each request; its port."""

    def answer(packet: bytes) -> list[bytes]:
        version, at, end = message.read_version(packet)
        community, request = message.read_message(packet, at, end)
        names = [to_oid(name) for name, _, _ in request.varbinds]
        cells = [(to_octets(name), tag, value) for name, tag, value in reply(request, names)]
        pdu = Pdu(RESPONSE, request.request_id, 0, 0, cells)  # type: ignore[arg-type]
        head = wrap_integer(version) + wrap(OCTETS, community)
        return [wrap(SEQUENCE, head + message.encode_pdu(pdu))]

    return serving(ADDRESS, answer)


def engine(**settings: Any) -> FastEngine:
    access = Access(version="2c", community="public")
    return FastEngine({"default": access}, **{"timeout_s": 0.3, "retries": 0, **settings})


def ask(port: int, *tables: Table) -> Outcome:
    heard: list[Outcome] = []
    target = Target(name="x", address=ADDRESS, port=port)
    engine().ask([Question(target=target, scalars=(SYS_NAME,), tables=tables)], heard.append)
    (outcome,) = heard
    return outcome


def walker(rows: dict[Oid, tuple[int, object]]) -> Reply:
    """An agent with these objects; GETBULK gives as many rows as were asked for, up to ten."""

    def reply(request: Pdu, names: list[Oid]) -> list[Cell]:
        if request.kind == GET:
            return [(name, OCTETS, b"x") for name in names]
        ordered = sorted(rows)
        cells: list[Cell] = []
        cursors = list(names)
        for _ in range(min(request.index, 10) if request.kind != message.GET_NEXT else 1):
            for place, cursor in enumerate(cursors):
                following = next((name for name in ordered if name > cursor), None)
                if following is None:
                    cells.append((cursor, END_OF_MIB_VIEW, None))
                else:
                    cells.append((following, *rows[following]))
                    cursors[place] = following
        return cells

    return reply


def port_rows(count: int, **holes: int) -> dict[Oid, tuple[int, object]]:
    rows: dict[Oid, tuple[int, object]] = {}
    for column in (COLUMN, OTHER):
        for n in range(1, count + 1):
            rows[*column, n] = (OCTETS, f"{n}".encode())
    for row, tag in holes.items():
        rows[*COLUMN, int(row.removeprefix("row"))] = (tag, None)
    return rows


@pytest.mark.parametrize("tag", [NULL, NO_SUCH_INSTANCE])
@pytest.mark.parametrize("row", [1, 7])
def test_a_hole_in_a_column_is_not_its_end(tag: int, row: int) -> None:
    with agent(walker(port_rows(20, **{f"row{row}": tag}))) as port:
        outcome = ask(port, TABLE)

    assert isinstance(outcome, Answer)
    assert outcome.unread == ()
    assert len(outcome.walk.column(COLUMN)) == 19
    assert len(outcome.walk.column(OTHER)) == 20


def test_an_answer_that_jumps_back_is_no_end() -> None:
    whole = walker(port_rows(30))

    def reply(request: Pdu, names: list[Oid]) -> list[Cell]:
        if names[0] != COLUMN and request.kind != GET:
            return [((1, 3, 6, 1, 2, 1, 1, 1, 0), OCTETS, b"back")] * len(names)
        return whole(request, names)

    with agent(reply) as port:
        outcome = ask(port, TABLE)

    assert isinstance(outcome, Answer)
    assert (outcome.unread, dict(outcome.walk.columns)) == (("ports",), {})


def test_a_cell_without_an_index_breaks_nothing() -> None:
    """A name that is the column itself, in every table that is asked for."""

    def reply(_request: Pdu, names: list[Oid]) -> list[Cell]:
        return [(name, OCTETS, b"x") for name in names]

    rows: list[dict[str, Any]] = []
    with agent(reply) as port:
        target = Target(name="x", address=ADDRESS, port=port)
        probe(engine(), [target], lambda _, row: rows.append(row))

    assert [(row["reachable"], row["interfaces"]) for row in rows] == [(True, [])]
    assert "interfaces" in rows[0]["unread"]


def test_one_odd_value_is_none_and_the_device_is_up() -> None:
    def reply(_request: Pdu, names: list[Oid]) -> list[Cell]:
        return [(names[0], 0x49, b"a type that nobody knows")]

    with agent(reply) as port:
        outcome = ask(port)

    assert isinstance(outcome, Answer)
    assert outcome.walk.get(SYS_NAME) is None


def test_a_table_without_end_is_left_out_in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet.snmp.talk._MOST_ROWS", 500)

    def reply(request: Pdu, names: list[Oid]) -> list[Cell]:
        if request.kind == GET:
            return [(name, OCTETS, b"x") for name in names]
        return [
            ((*name, 1) if name == COLUMN else (*name[:-1], name[-1] + 1), OCTETS, b"")
            for name in names
        ]

    with agent(reply) as port:
        outcome = ask(port, Table(name="endless", columns=(COLUMN,)))

    assert isinstance(outcome, Answer)
    assert outcome.unread == ("endless",)


def test_an_agent_with_too_much_to_say_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fleet.snmp.talk._MOST_OCTETS", 5000)
    rows = {(*COLUMN, n): (OCTETS, b"x" * 100) for n in range(1, 200)}
    with agent(walker(rows)) as port:
        outcome = ask(port, Table(name="large", columns=(COLUMN,)))

    assert isinstance(outcome, Answer)
    assert outcome.unread == ("large",)


def test_a_kernel_that_takes_no_more_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """EAGAIN for every third packet: all are asked in the end."""
    send = Transport.send
    count = 0

    def sometimes(self: Transport, family: int, address: Any, packet: bytes) -> bool:
        nonlocal count
        count += 1
        if count % 3 == 0:
            return False
        return send(self, family, address, packet)

    monkeypatch.setattr(Transport, "send", sometimes)
    heard: list[Outcome] = []
    with agent(walker({})) as port:
        questions = [
            Question(target=Target(name=str(n), address=ADDRESS, port=port), scalars=(SYS_NAME,))
            for n in range(400)
        ]
        engine(timeout_s=1.0, retries=4).ask(questions, heard.append)

    assert sum(isinstance(outcome, Answer) for outcome in heard) == 400


def test_what_the_listener_raises_is_raised() -> None:
    def hear(_outcome: Outcome) -> None:
        raise BrokenPipeError

    with agent(walker({})) as port, pytest.raises(BrokenPipeError):
        target = Target(name="x", address=ADDRESS, port=port)
        engine().ask([Question(target=target, scalars=(SYS_NAME,))], hear)


def test_a_question_that_fails_is_one_failed_device() -> None:
    def further(_walk: object) -> Further:
        raise IndexError("odd")

    heard: list[Outcome] = []
    with agent(walker({})) as port:
        target = Target(name="x", address=ADDRESS, port=port)
        question = Question(target=target, scalars=(SYS_NAME,), further=further)
        engine().ask([question], heard.append)

    (outcome,) = heard
    assert isinstance(outcome, Silence)
    assert (outcome.reason, outcome.detail) == (Reason.FAILED, "IndexError: odd")


FLOOD = """
import socket, sys
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
    while True:
        one.sendto(b"\\x30\\x82\\xff\\xff", ("127.0.0.1", int(sys.argv[1])))
"""


@pytest.mark.timing
def test_a_flood_does_not_keep_a_poll_from_ending(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other programs send rubbish to our port as fast as they can."""
    flooding: list[subprocess.Popen[bytes]] = []
    send = Transport.send

    def spying(self: Transport, family: int, address: Any, packet: bytes) -> bool:
        done = send(self, family, address, packet)
        if not flooding:
            port = str(self._sockets[family].getsockname()[1])
            command = [sys.executable, "-c", FLOOD, port]
            flooding.extend(subprocess.Popen(command) for _ in range(2))
            time.sleep(0.5)  # until they do
        return done

    monkeypatch.setattr(Transport, "send", spying)
    heard: list[Outcome] = []
    target = Target(name="x", address="127.48.9.9", port=9)
    began = time.monotonic()
    try:
        engine(timeout_s=1.0).ask([Question(target=target, scalars=(SYS_NAME,))], heard.append)
    finally:
        for process in flooding:
            process.kill()
            process.wait()

    (outcome,) = heard
    assert isinstance(outcome, Silence)
    assert outcome.reason is Reason.TIMEOUT, "not this address sent what is no SNMP"
    assert time.monotonic() - began < 10


def test_names_wait_for_a_thread_and_not_against_the_clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """200 names of 50 ms each, in 8 threads, with three that hang: the others all resolve."""
    monkeypatch.setattr(resolve, "TIMEOUT_S", 0.5)

    def slow(host: str, port: int) -> resolve.Address | None:
        time.sleep(30 if host.startswith("hang") else 0.02)
        return socket.AF_INET, (ADDRESS, port)

    monkeypatch.setattr(resolve, "resolve", slow)
    heard: list[Outcome] = []
    with agent(walker({})) as port:
        names = [f"hang{n}.example" for n in range(8)] + [f"h{n}.example" for n in range(200)]
        questions = [
            Question(target=Target(name=name, address=name, port=port), scalars=(SYS_NAME,))
            for name in names
        ]
        engine(timeout_s=2.0).ask(questions, heard.append)

    assert sum(isinstance(outcome, Answer) for outcome in heard) == 200
    silent = [o for o in heard if isinstance(o, Silence)]
    assert {(o.target[:4], o.reason) for o in silent} == {("hang", Reason.UNRESOLVED)}


def test_an_address_of_ipv4_inside_ipv6_is_the_one_of_ipv4() -> None:
    assert resolve.literal("::ffff:127.48.0.1", 161) == (socket.AF_INET, ("127.48.0.1", 161))
    assert resolve.literal("0:0:0:0:0:0:0:1", 161) == (socket.AF_INET6, ("::1", 161))


def test_a_huge_number_in_an_object_id_costs_nothing() -> None:
    from fleet.snmp.ber import Malformed, to_numbers

    began = time.process_time()
    for length in (600, 60_000):
        with pytest.raises(Malformed):
            to_numbers(b"\xff" * length)
    assert time.process_time() - began < 0.1
