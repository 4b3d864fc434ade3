"""The door to SNMP, over real UDP on loopback."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from fleet.core.facts import SYSTEM, read_facts
from fleet.core.facts.interfaces import INTERFACES
from fleet.core.facts.system import SYS_NAME
from fleet.core.walk import Answer, Outcome, Reason, Silence, Target
from fleet.snmp.choice import can_ask
from fleet.snmp.choice import open_engine as choose_engine
from fleet.snmp.credentials import Access, Key
from fleet.snmp.engine import Question, SnmpEngine
from fleet.snmp.fast import FastEngine
from fleet.snmp.pysnmp import PysnmpEngine
from fleet.snmp.recorded import RecordedEngine, read_recording
from fleet.snmp.simulator import COMMUNITY, SimulatedNetwork, free_port
from tests.agents import Agents, garbage, healthy, truncated
from tests.snmpsim_network import SnmpsimNetwork

PUBLIC = {"default": Access(version="2c", community=COMMUNITY)}
PORTS = 30
ADDRESS = "127.31.0.1"


def recording(name: str) -> str:
    lines = [
        f"1.3.6.1.2.1.1.1.0|4|a switch of {name}",
        "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.9.1.1208",
        "1.3.6.1.2.1.1.3.0|67|8640000",
        f"1.3.6.1.2.1.1.5.0|4|{name}",
    ]
    for column, tag, value in (
        ("2.2.1.2", "4", "GigabitEthernet1/0/{n}"),
        ("2.2.1.5", "66", "1000000000"),
        ("2.2.1.6", "4x", "0011223344{n:02x}"),
        ("2.2.1.7", "2", "1"),
        ("2.2.1.8", "2", "1"),
        ("31.1.1.1.1", "4", "Gi1/0/{n}"),
        ("31.1.1.1.15", "66", "1000"),
    ):
        lines += [
            f"1.3.6.1.2.1.{column}.{n}|{tag}|{value.format(n=n)}" for n in range(1, PORTS + 1)
        ]
    return "\n".join(lines) + "\n"


ENGINES = {"fast": FastEngine, "pysnmp": PysnmpEngine}


@pytest.fixture(scope="module", params=["fleet's agent", "snmpsim"])
def network(request: pytest.FixtureRequest) -> Iterator[int]:
    """A simulated switch, by fleet itself and by somebody else; its port."""
    port = free_port(ADDRESS, 0)
    kind = SnmpsimNetwork if request.param == "snmpsim" else SimulatedNetwork
    with kind({"sw1": (ADDRESS, recording("sw1"))}, port):
        yield port


def open_engine(
    kind: str, timeout_s: float = 1.0, retries: int = 1, **accesses: Access
) -> SnmpEngine:
    return ENGINES[kind]({**PUBLIC, **accesses}, timeout_s=timeout_s, retries=retries)


def ask(engine: SnmpEngine, *targets: Target, tables: bool = False) -> dict[str, Outcome]:
    heard: dict[str, Outcome] = {}

    def hear(outcome: Outcome) -> None:
        assert outcome.target not in heard, "exactly one outcome for each question"
        heard[outcome.target] = outcome

    questions = [
        Question(
            target=target,
            scalars=SYSTEM,
            tables=(INTERFACES,) if tables else (),
        )
        for target in targets
    ]
    engine.ask(questions, hear)
    assert len(heard) == len(targets)
    return heard


@pytest.mark.parametrize("kind", [*ENGINES, "recorded"])
def test_every_engine_reads_the_same(network: int, kind: str) -> None:
    engine = (
        RecordedEngine({"sw1": read_recording(recording("sw1").splitlines())})
        if kind == "recorded"
        else open_engine(kind)
    )

    answer = ask(engine, Target(name="sw1", address=ADDRESS, port=network), tables=True)["sw1"]

    assert isinstance(answer, Answer)
    facts = read_facts(answer.walk, answer.unread)
    assert (facts.name, facts.description) == ("sw1", "a switch of sw1")
    assert facts.uptime_s == 86_400
    assert len(facts.interfaces) == PORTS
    assert facts.interfaces[9].mac == "00:11:22:33:44:0a"
    assert {i.speed_mbps for i in facts.interfaces} == {1000}
    assert facts.unread == ()


@pytest.mark.parametrize("kind", [*ENGINES, "recorded"])
def test_a_device_without_address_is_not_asked(kind: str) -> None:
    engine = RecordedEngine({}) if kind == "recorded" else open_engine(kind)

    silence = ask(engine, Target(name="x", address=None))["x"]

    assert isinstance(silence, Silence)
    assert (silence.reason, silence.was_asked) == (Reason.NO_ADDRESS, False)


@pytest.mark.parametrize("kind", ENGINES)
def test_version_1_reads_the_same_row_by_row(network: int, kind: str) -> None:
    engine = open_engine(kind, old=Access(version="1", community=COMMUNITY))
    target = Target(name="sw1", address=ADDRESS, port=network, credential="old")

    answer = ask(engine, target, tables=True)["sw1"]

    assert isinstance(answer, Answer)
    assert answer.unread == ()
    assert len(read_facts(answer.walk).interfaces) == PORTS


@pytest.mark.parametrize("kind", ENGINES)
def test_a_name_that_does_not_resolve_says_nothing_of_the_device(kind: str) -> None:
    silence = ask(open_engine(kind), Target(name="x", address="no-such-host.invalid"))["x"]

    assert isinstance(silence, Silence)
    assert (silence.reason, silence.detail) == (Reason.UNRESOLVED, "no-such-host.invalid")
    assert not silence.was_asked


@pytest.mark.parametrize("kind", ENGINES)
def test_a_name_that_resolves_is_asked(network: int, kind: str) -> None:
    """The name is `localhost`; the agent there is silent or not, but it was asked."""
    (outcome,) = ask(open_engine(kind, 0.2, 0), Target(name="x", address="localhost")).values()

    assert outcome.traffic.requests == 1


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize("sickness", ["silent", "garbage", "truncated"])
def test_one_sick_device_does_not_spoil_the_others(kind: str, sickness: str) -> None:
    sick = {"silent": None, "garbage": garbage, "truncated": truncated("sick")}[sickness]
    replies = {f"127.32.0.{n}": healthy(f"d{n}") for n in range(1, 20)} | {"127.32.0.20": sick}
    with Agents(replies) as agents:
        targets = [Target(name=a, address=a, port=agents.port) for a in replies]
        heard = ask(open_engine(kind, timeout_s=0.5), *targets)

    silences = {n: o for n, o in heard.items() if isinstance(o, Silence)}
    assert list(silences) == ["127.32.0.20"]
    assert silences["127.32.0.20"].was_asked
    assert silences["127.32.0.20"].traffic.requests == 2
    assert silences["127.32.0.20"].traffic.timeouts == 2
    for name, outcome in heard.items():
        if isinstance(outcome, Answer):
            assert outcome.walk.get(SYS_NAME) == f"d{name.rpartition('.')[2]}".encode()


@pytest.mark.timing
@pytest.mark.parametrize("kind", ENGINES)
def test_twelve_silent_of_120_add_no_more_than_one_device_would(kind: str) -> None:
    """Read from the times at which the agents were asked; one alone is asked in the same minute."""
    timeout, retries = 1.0, 1
    addresses = [f"127.33.0.{n}" for n in range(1, 121)]

    def span(silent: set[str]) -> float:
        with Agents({a: None if a in silent else healthy(a) for a in addresses}) as agents:
            targets = [Target(name=a, address=a, port=agents.port) for a in addresses]
            heard = ask(open_engine(kind, timeout, retries), *targets)
            assert sum(isinstance(o, Answer) for o in heard.values()) == 120 - len(silent)
            return agents.span()

    # A busy machine stretches a single run, so one of three pairs has to show it; a poll that
    # waits for one silent device after the other takes eleven timeouts more in all of them.
    longer = []
    for _ in range(3):
        longer.append(span(set(addresses[::10])) - span({addresses[110]}))
        if longer[-1] < timeout / 2:
            return
    assert min(longer) < timeout / 2


USERS = {
    "no_privacy": ("SHA256", None),
    "old": ("MD5", "DES"),
    "new": ("SHA512", "AES256"),
    "usual": ("SHA1", "AES128"),
}


@pytest.mark.parametrize("user", USERS)
def test_version_3(user: str) -> None:
    auth, priv = USERS[user]
    access = Access(
        version="3",
        user="fleet",
        auth=Key(protocol=auth, phrase="auth-phrase-1"),
        priv=Key(protocol=priv, phrase="priv-phrase-1") if priv else None,
    )
    wrong = Access(
        version="3",
        user="fleet",
        auth=Key(protocol=auth, phrase="another-phrase"),
        priv=access.priv,
    )
    port = free_port("127.31.0.2", 0)
    options = [
        "--v3-user=fleet",
        f"--v3-auth-proto={auth.replace('SHA1', 'SHA')}",
        "--v3-auth-key=auth-phrase-1",
    ]
    if priv:
        options += [f"--v3-priv-proto={priv.removesuffix('128')}", "--v3-priv-key=priv-phrase-1"]
    recordings = {"sw2": ("127.31.0.2", recording("sw2"))}
    with SnmpsimNetwork(recordings, port, options=options):
        target = Target(name="sw2", address="127.31.0.2", port=port, credential="v3")
        for kind in ENGINES:
            right = ask(open_engine(kind, v3=access), target, tables=True)["sw2"]
            refused = ask(open_engine(kind, v3=wrong), target)["sw2"]

            assert isinstance(right, Answer), (kind, right)
            assert len(read_facts(right.walk).interfaces) == PORTS
            assert isinstance(refused, Silence)
            assert (refused.reason, refused.was_asked) == (Reason.CREDENTIAL, False)


def test_what_the_fast_engine_does_not_speak_pysnmp_asks() -> None:
    """The credential decides: 3DES by pysnmp, the community beside it by the fast engine."""
    triple = Access(
        version="3",
        user="fleet",
        auth=Key(protocol="SHA1", phrase="auth-phrase-1"),
        priv=Key(protocol="3DES", phrase="priv-phrase-1"),
    )
    assert not can_ask(triple)
    assert can_ask(PUBLIC["default"])
    port = free_port("127.31.0.3", 0)
    options = ["--v3-user=fleet", "--v3-auth-proto=SHA", "--v3-auth-key=auth-phrase-1"]
    options += ["--v3-priv-proto=3DES", "--v3-priv-key=priv-phrase-1"]
    engine = choose_engine(
        {**PUBLIC, "triple": triple},
        timeout_s=1.0,
        retries=1,
        clock=lambda: datetime.now(UTC),
    )
    with SnmpsimNetwork({"sw3": ("127.31.0.3", recording("sw3"))}, port, options=options):
        heard = ask(
            engine,
            Target(name="by user", address="127.31.0.3", port=port, credential="triple"),
            Target(name="by community", address="127.31.0.3", port=port),
        )

    assert {name: type(outcome) for name, outcome in heard.items()} == {
        "by user": Answer,
        "by community": Answer,
    }
