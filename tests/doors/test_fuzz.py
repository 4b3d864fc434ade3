"""Mutated packets in both directions: nothing crashes, nothing hangs, memory does not grow.

A few seconds in every run; FLEET_FUZZ_S says how many, `make endure` takes half an hour.
"""

import os
import random
import resource
import time

from fleet.core.facts.interfaces import INTERFACES
from fleet.core.facts.system import SYS_NAME, SYSTEM
from fleet.core.walk import Answer, Outcome, Target
from fleet.snmp import message, v3
from fleet.snmp.agent import Recording, respond
from fleet.snmp.ber import OCTETS, SEQUENCE, Malformed, to_octets, wrap, wrap_integer
from fleet.snmp.credentials import Access, Key
from fleet.snmp.engine import Question
from fleet.snmp.fast import FastEngine
from fleet.snmp.message import GET_BULK, RESPONSE, Request
from tests.agents import serving

SECONDS = float(os.environ.get("FLEET_FUZZ_S", "6"))
ADDRESS = "127.47.0.1"
RECORDING = Recording(
    [f"{'.'.join(map(str, name))}|4|text {n}" for n, name in enumerate(SYSTEM) if n != 2]
    + [f"1.3.6.1.2.1.2.2.1.{c}.{n}|4|cell" for c in (2, 3, 5) for n in range(1, 30)]
)


def mutated(packet: bytes, rng: random.Random) -> bytes:
    """Bits flipped, octets set, pieces cut out, doubled or put at the end."""
    octets = bytearray(packet)
    for _ in range(rng.choice((0, 1, 1, 2, 5))):
        if not octets:
            break
        at = rng.randrange(len(octets))
        match rng.randrange(6):
            case 0:
                octets[at] ^= 1 << rng.randrange(8)
            case 1:
                octets[at] = rng.choice((0, 0x7F, 0x80, 0x82, 0x84, 0xFF, rng.randrange(256)))
            case 2:
                del octets[at : at + rng.randrange(1, 20)]
            case 3:
                octets[at:at] = octets[at : at + rng.randrange(1, 20)]
            case 4:
                del octets[at:]
            case 5:
                octets += rng.randbytes(rng.randrange(1, 40))
    return bytes(octets)


def memory_mb() -> float:
    """What this process has in memory now."""
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123
        return int(file.read().split()[1]) * resource.getpagesize() / 1e6


def test_an_engine_that_is_answered_with_rubbish() -> None:
    rng = random.Random(4711)

    def reply(packet: bytes) -> list[bytes]:
        try:
            answer = respond(packet, RECORDING, b"public", 1.0)
        except Malformed:
            return []
        return [mutated(answer, rng) for _ in range(rng.choice((1, 1, 2)))]

    engine = FastEngine(
        {"default": Access(version="2c", community="public")}, timeout_s=0.02, retries=1
    )
    asked = answered = 0
    with serving(ADDRESS, reply) as port:
        question = Question(
            target=Target(name="x", address=ADDRESS, port=port),
            scalars=SYSTEM,
            tables=(INTERFACES,),
        )
        until = time.monotonic() + SECONDS
        before = 0.0
        while time.monotonic() < until:
            heard: list[Outcome] = []
            began = time.monotonic()
            engine.ask([question], heard.append)
            assert len(heard) == 1, "exactly one outcome"
            assert time.monotonic() - began < 20, "it hangs"
            asked += 1
            answered += isinstance(heard[0], Answer)
            if asked == 200:
                before = memory_mb()
    assert asked > 5 * SECONDS
    assert answered > 0
    if before:
        assert memory_mb() - before < 30, "memory grows"


def test_an_agent_that_is_asked_rubbish() -> None:
    rng = random.Random(4712)
    names = tuple(map(to_octets, INTERFACES.columns))
    requests = [
        b"".join((head, (0x0100_0001).to_bytes(4, "big"), tail))
        for kind, repetitions in ((message.GET, 0), (message.GET_NEXT, 0), (GET_BULK, 10))
        for head, tail in [
            message.frame_message(message.V2C, b"public", Request(kind, names, repetitions))
        ]
    ]
    until = time.monotonic() + SECONDS / 3
    asked = 0
    while time.monotonic() < until:
        asked += 1
        packet = mutated(rng.choice(requests), rng)
        try:
            answer = respond(packet, RECORDING, b"public", 1.0)
        except Malformed:
            continue
        assert len(answer) <= 1472 + len(packet)
    assert asked > 200 * SECONDS / 3


def test_a_session_of_version_3_that_hears_rubbish() -> None:
    rng = random.Random(4713)
    access = Access(
        version="3",
        user="fleet",
        auth=Key(protocol="SHA256", phrase="auth-phrase-1"),
        priv=Key(protocol="AES128", phrase="priv-phrase-1"),
    )
    sender = v3.Session(access, engine=b"\x80\0\0\0\4there", boots=3)
    request = Request(message.GET, (to_octets(SYS_NAME),))
    numbers = wrap_integer(7) * 3 + wrap(SEQUENCE, b"")
    report = wrap(SEQUENCE, wrap(OCTETS, b"e") * 2 + wrap(RESPONSE, numbers))
    originals = [sender.encode(request, 0x0100_0001, 10.0), report]
    until = time.monotonic() + SECONDS / 3
    heard = 0
    while time.monotonic() < until:
        heard += 1
        listener = v3.Session(access, engine=sender.engine, boots=3)
        packet = mutated(rng.choice(originals), rng)
        try:
            _version, at, end = message.read_version(packet)
            listener.decode(packet, v3.read_message(packet, at, end), 10.0)
        except (Malformed, v3.Again, v3.Refused):
            continue
        raise AssertionError("a request that was mutated became an answer")
    assert heard > 100 * SECONDS / 3
