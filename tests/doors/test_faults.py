"""Sick agents: a right answer, or an error that says what is wrong; never anything else."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.core.facts.interfaces import INTERFACES
from fleet.core.facts.system import SYS_DESCR, SYS_NAME, SYS_UP_TIME
from fleet.core.walk import Answer, Outcome, Reason, Silence, Table, Target, oid
from fleet.snmp.credentials import Access
from fleet.snmp.device import Device, Line
from fleet.snmp.engine import Question
from fleet.snmp.fast import FastEngine
from fleet.snmp.simulator import COMMUNITY, SimulatedNetwork, free_port
from tests.agents import Agents, healthy
from tests.responder import PORTS, responding

SCALARS = (SYS_DESCR, SYS_UP_TIME, SYS_NAME)
COUNTERS = Table(
    name="counters",
    columns=tuple(
        oid(f"1.3.6.1.2.1.{column}")
        for column in (
            "2.2.1.7",
            "2.2.1.8",
            "31.1.1.1.6",
            "31.1.1.1.10",
            "2.2.1.14",
            "2.2.1.20",
        )
    ),
)
WHOLE = PORTS * len(COUNTERS.columns)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("responder")


def engine(timeout_s: float = 0.5, retries: int = 1) -> FastEngine:
    access = Access(version="2c", community=COMMUNITY)
    return FastEngine({"default": access}, timeout_s=timeout_s, retries=retries)


def ask(fast: FastEngine, port: int, *addresses: str, tables: bool = True) -> dict[str, Outcome]:
    heard: dict[str, Outcome] = {}
    questions = [
        Question(
            target=Target(name=address, address=address, port=port),
            scalars=SCALARS,
            tables=(COUNTERS,) if tables else (),
        )
        for address in addresses
    ]
    fast.ask(questions, lambda outcome: heard.update({outcome.target: outcome}))
    assert set(heard) == set(addresses)
    return heard


def cells(answer: Answer) -> int:
    return sum(map(len, answer.walk.columns.values()))


def is_whole(outcome: Outcome) -> bool:
    return isinstance(outcome, Answer) and cells(outcome) == WHOLE and outcome.unread == ()


def broke_off(outcome: Outcome) -> bool:
    return isinstance(outcome, Answer) and cells(outcome) == 0 and outcome.unread == ("counters",)


def fell_silent(outcome: Outcome, reason: Reason, detail: str | None = None) -> bool:
    return isinstance(outcome, Silence) and (outcome.reason, outcome.detail) == (reason, detail)


FAULTS = {
    "dead": lambda o: fell_silent(o, Reason.TIMEOUT),
    "nobulk": is_whole,
    "dup": is_whole,
    "wrongsrc": lambda o: fell_silent(
        o, Reason.TIMEOUT, "an answer came from 127.0.0.1, which was not asked"
    ),
    "trunc": lambda o: fell_silent(o, Reason.MALFORMED),
    "garbage": lambda o: fell_silent(o, Reason.MALFORMED),
    "badid": lambda o: fell_silent(
        o, Reason.TIMEOUT, "it answers with a request id that was not sent to it"
    ),
    "loop": broke_off,
    "short": is_whole,
    "generr": lambda o: broke_off(o) and o.error == "it answers genErr to a GET",
    "loss": lambda o: is_whole(o) or broke_off(o) or fell_silent(o, Reason.TIMEOUT),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_ends_in_a_right_answer_or_a_plain_error(folder: Path, fault: str) -> None:
    port = free_port("127.42.0.1", 0)
    share = 200 if fault == "loss" else 1000
    addresses = [f"127.42.0.{n}" for n in range(1, 9)]
    with responding(folder, port, "-f", f"{fault}={share}"):
        heard = ask(engine(), port, *addresses)

    for outcome in heard.values():
        assert FAULTS[fault](outcome), (fault, outcome)


def test_an_answer_that_comes_late_counts_while_it_is_waited_for(folder: Path) -> None:
    """The agent answers after 1.5 s: within the second try of 1 s, to the first request."""
    port = free_port("127.42.0.1", 0)
    with responding(folder, port, "-f", "late=1000"):
        fast = engine(timeout_s=1.0)
        (outcome,) = ask(fast, port, "127.42.0.1", tables=False).values()

    assert isinstance(outcome, Answer)
    assert (outcome.traffic.requests, outcome.traffic.timeouts) == (2, 1)


def test_sick_devices_among_healthy_ones_spoil_nothing(folder: Path) -> None:
    port = free_port("127.42.0.1", 0)
    mixed = ",".join(f"{fault}=40" for fault in FAULTS if fault != "loss")
    addresses = [f"127.42.{n // 250}.{n % 250 + 1}" for n in range(400)]
    with responding(folder, port, "-f", mixed, "-N"):
        heard = ask(engine(), port, *addresses)

    healthy = [outcome for outcome in heard.values() if is_whole(outcome)]
    assert len(healthy) > 200
    for outcome in healthy:
        assert isinstance(outcome, Answer)
        name = b"dev-" + outcome.target.replace(".", "-").encode()
        assert outcome.walk.get(SYS_NAME) == name, "an answer of another device"


@pytest.mark.parametrize("octets", ["484", "1472", "65000"])
def test_small_agents_are_read_whole(folder: Path, octets: str) -> None:
    port = free_port("127.42.0.1", 0)
    with responding(folder, port, "-m", octets):
        (outcome,) = ask(engine(), port, "127.42.0.1").values()

    assert is_whole(outcome)


def test_what_was_learned_of_a_device_is_kept(folder: Path) -> None:
    port = free_port("127.42.0.1", 0)
    fast = engine(timeout_s=0.2)
    with responding(folder, port, "-f", "nobulk=1000"):
        first = ask(fast, port, "127.42.0.1")["127.42.0.1"]
        second = ask(fast, port, "127.42.0.1")["127.42.0.1"]

    assert is_whole(first)
    assert is_whole(second)
    assert first.traffic.timeouts == 2
    assert second.traffic.timeouts == 0, "it is not asked with GETBULK again"


def test_2000_healthy_devices_on_a_busy_machine_are_all_heard(folder: Path) -> None:
    """Other programs want the processor all the time; late is not silent."""
    port = free_port("127.42.0.1", 0)
    addresses = [f"127.43.{n // 250}.{n % 250 + 1}" for n in range(2000)]
    burn = [sys.executable, "-c", "while True: pass"]
    burning = [subprocess.Popen(burn) for _ in range(2 * (os.cpu_count() or 1))]
    try:
        with responding(folder, port, "-N"):
            heard = ask(engine(timeout_s=1.0), port, *addresses)
    finally:
        for process in burning:
            process.kill()
            process.wait()

    assert [name for name, outcome in heard.items() if not is_whole(outcome)] == []


@pytest.mark.timing
def test_silent_devices_wait_side_by_side(folder: Path) -> None:
    """600 dead ones among 1,200, all of them at a handful of sites: one timeout for all."""
    port = free_port("127.42.0.1", 0)
    addresses = [f"127.44.{n // 250}.{n % 250 + 1}" for n in range(1200)]
    fast = engine(timeout_s=3.0, retries=0)
    with responding(folder, port, "-f", "dead=500"):
        began = time.monotonic()
        heard = ask(fast, port, *addresses, tables=False)
        took = time.monotonic() - began

    silent = [o for o in heard.values() if isinstance(o, Silence)]
    assert 400 < len(silent) < 800
    # In lanes of 256 they would take three timeouts and more.
    assert took < 3 * 3.0


@pytest.fixture
def six() -> Iterator[int]:
    text = "\n".join(
        ["1.3.6.1.2.1.1.5.0|4|six"] + [f"1.3.6.1.2.1.2.2.1.2.{n}|4|port {n}" for n in range(1, 90)]
    )
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(("::1", 0))
        except OSError:
            pytest.skip("this machine has no IPv6 on loopback")
        port = int(probe.getsockname()[1])
    with SimulatedNetwork({"six": ("::1", text)}, port):
        yield port


def test_ipv6(six: int) -> None:
    heard: list[Outcome] = []
    target = Target(name="six", address="::1", port=six)
    question = Question(target=target, scalars=(SYS_NAME,), tables=(INTERFACES,))
    engine().ask([question], heard.append)

    (answer,) = heard
    assert isinstance(answer, Answer)
    assert answer.walk.get(SYS_NAME) == b"six"
    assert len(answer.walk.column(INTERFACES.columns[0])) == 89


def test_devices_of_a_site_share_its_line() -> None:
    addresses = [f"127.45.0.{n}" for n in range(1, 61)]
    with Agents({a: healthy(a) for a in addresses}) as agents:
        heard: list[Outcome] = []
        engine(timeout_s=2.0).ask(
            [
                Question(
                    target=Target(name=a, address=a, port=agents.port, site="mast"),
                    scalars=(SYS_NAME,),
                )
                for a in addresses
            ],
            heard.append,
        )

    assert sum(isinstance(outcome, Answer) for outcome in heard) == 60


def test_a_line_has_so_many_places_and_no_more() -> None:
    access = Access(version="2c", community=COMMUNITY)
    question = Question(target=Target(name="x", address="192.0.2.1"), scalars=())
    first, second, third = (Device(question, access, 0.0) for _ in range(3))
    line = Line(2)

    assert line.enter(first)
    assert line.enter(second)
    assert not line.enter(third)
    assert line.leave(first) is third
    assert third.is_on_line
    assert line.leave(second) is None
    assert line.leave(third) is None
    assert line.places == 2


@pytest.mark.timing
def test_first_requests_are_spread() -> None:
    addresses = [f"127.45.1.{n}" for n in range(1, 61)]
    access = Access(version="2c", community=COMMUNITY)
    with Agents({a: healthy(a) for a in addresses}) as agents:
        heard: list[Outcome] = []
        fast = FastEngine({"default": access}, timeout_s=1.0, retries=1)
        fast.ask(
            [
                Question(target=Target(name=a, address=a, port=agents.port), scalars=(SYS_NAME,))
                for a in addresses
            ],
            heard.append,
            spread_s=1.5,
        )
        span = agents.span()

    assert sum(isinstance(outcome, Answer) for outcome in heard) == 60
    assert span > 1.0
