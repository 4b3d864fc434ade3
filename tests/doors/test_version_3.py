"""SNMPv3 against a real snmpd: all protocols, wrong keys, replays, restarts, other machines."""

from collections.abc import Iterator

import pytest
from pyasn1.type.univ import OctetString
from pysnmp.hlapi.v3arch import asyncio as _hlapi  # noqa: F401 - the rest imports itself in a circle
from pysnmp.proto.secmod.eso.priv import aes192, aes256
from pysnmp.proto.secmod.rfc3414.auth import hmacmd5, hmacsha
from pysnmp.proto.secmod.rfc7860.auth import hmacsha2

from fleet.core.facts import SYSTEM
from fleet.core.facts.system import SYS_NAME
from fleet.core.walk import Answer, Outcome, Reason, Silence, Target
from fleet.snmp import usm
from fleet.snmp.credentials import Access, Key
from fleet.snmp.engine import Question, SnmpEngine
from fleet.snmp.fast import FastEngine
from fleet.snmp.pysnmp import PysnmpEngine
from tests.snmpd import ADDRESS, AUTH_PHRASE, AUTHS, PRIV_PHRASE, Middle, Snmpd, all_users, user_of

ENGINES = {"fast": FastEngine, "pysnmp": PysnmpEngine}
RFC_ENGINE = bytes.fromhex("000000000000000000000002")


def access_of(
    auth: str | None,
    priv: str | None,
    *,
    user: str | None = None,
    auth_phrase: str = AUTH_PHRASE,
    priv_phrase: str = PRIV_PHRASE,
) -> Access:
    return Access(
        version="3",
        user=user or user_of(auth, priv),
        auth=Key(protocol=auth, phrase=auth_phrase) if auth else None,
        priv=Key(protocol=priv, phrase=priv_phrase) if priv else None,
    )


def ask(engine: SnmpEngine, port: int) -> Outcome:
    heard: list[Outcome] = []
    target = Target(name="real", address=ADDRESS, port=port)
    engine.ask([Question(target=target, scalars=SYSTEM)], heard.append)
    (outcome,) = heard
    return outcome


def open_engine(kind: str, access: Access) -> SnmpEngine:
    return ENGINES[kind]({"default": access}, timeout_s=1.0, retries=1)


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Snmpd]:
    with Snmpd(tmp_path_factory.mktemp("snmpd")) as daemon:
        yield daemon


def test_the_keys_of_rfc_3414() -> None:
    """Appendix A.3: the pass phrase maplesyrup at the engine 00 … 02."""
    md5 = usm.localise("MD5", usm.master_key("MD5", "maplesyrup"), RFC_ENGINE)
    sha = usm.localise("SHA1", usm.master_key("SHA1", "maplesyrup"), RFC_ENGINE)

    assert usm.master_key("MD5", "maplesyrup").hex() == "9faf3283884e92834ebc9847d8edd963"
    assert md5.hex() == "526f5eed9fcce26f8964c2930787d82b"
    assert usm.master_key("SHA1", "maplesyrup").hex() == "9fb5cc0381497b3793528939ff788d5d79145211"
    assert sha.hex() == "6695febc9288e36282235fc7151f128497b38f3f"


_SHA2 = hmacsha2.HmacSha2
SERVICES = {
    "MD5": (hmacmd5.HmacMd5(), hmacmd5.HmacMd5.SERVICE_ID),
    "SHA1": (hmacsha.HmacSha(), hmacsha.HmacSha.SERVICE_ID),
    "SHA224": (_SHA2(_SHA2.SHA224_SERVICE_ID), _SHA2.SHA224_SERVICE_ID),
    "SHA256": (_SHA2(_SHA2.SHA256_SERVICE_ID), _SHA2.SHA256_SERVICE_ID),
    "SHA384": (_SHA2(_SHA2.SAH384_SERVICE_ID), _SHA2.SAH384_SERVICE_ID),
    "SHA512": (_SHA2(_SHA2.SHA512_SERVICE_ID), _SHA2.SHA512_SERVICE_ID),
}
LONG_KEYS = {
    "AES192": aes192.AesBlumenthal192(),
    "AES256": aes256.AesBlumenthal256(),
    "AES192C": aes192.Aes192(),
    "AES256C": aes256.Aes256(),
}


@pytest.mark.parametrize("auth", AUTHS)
def test_keys_are_localised_as_pysnmp_does_it(auth: str) -> None:
    service, number = SERVICES[auth]
    engine = OctetString(RFC_ENGINE)
    master = OctetString(service.hash_passphrase(b"maplesyrup"))
    assert usm.master_key(auth, "maplesyrup") == bytes(master)
    localised = bytes(service.localize_key(master, engine))
    assert usm.localise(auth, bytes(master), RFC_ENGINE) == localised
    for priv, long_key in LONG_KEYS.items():
        wanted = bytes(long_key.localize_key(number, master, engine))
        assert usm.privacy_key(auth, priv, "maplesyrup", RFC_ENGINE) == wanted, priv


@pytest.mark.parametrize("kind", ENGINES)
def test_every_protocol_is_understood(snmpd: Snmpd, kind: str) -> None:
    for auth, priv in all_users():
        outcome = ask(open_engine(kind, access_of(auth, priv)), snmpd.port)
        assert isinstance(outcome, Answer), (auth, priv, outcome)
        assert outcome.walk.get(SYS_NAME) == b"real-snmpd"


@pytest.mark.parametrize("kind", ENGINES)
@pytest.mark.parametrize(
    "access",
    [
        access_of("SHA256", "AES128", auth_phrase="another-phrase"),
        access_of("SHA256", "AES128", user="nobody-there"),
        access_of("SHA256", "AES128", user=user_of("SHA256", None)),
    ],
    ids=["wrong authentication key", "unknown user", "user without privacy"],
)
def test_a_credential_that_is_not_accepted(snmpd: Snmpd, kind: str, access: Access) -> None:
    outcome = ask(open_engine(kind, access), snmpd.port)

    assert isinstance(outcome, Silence)
    assert (outcome.reason, outcome.was_asked) == (Reason.CREDENTIAL, False)
    assert outcome.detail


def test_the_reason_is_said_in_words(snmpd: Snmpd) -> None:
    wrong = access_of("SHA256", "AES128", auth_phrase="another-phrase")
    outcome = ask(open_engine("fast", wrong), snmpd.port)
    assert isinstance(outcome, Silence)
    assert outcome.detail == "the authentication key is wrong (wrongDigests)"


def test_a_wrong_privacy_key_brings_no_value(snmpd: Snmpd) -> None:
    """snmpd reports it or says nothing, by version; it never becomes an answer."""
    wrong = access_of("SHA256", "AES128", priv_phrase="another-phrase")
    assert isinstance(ask(open_engine("fast", wrong), snmpd.port), Silence)


def test_a_restarted_agent_is_asked_with_its_new_clock(snmpd: Snmpd) -> None:
    engine = open_engine("fast", access_of("SHA256", "AES128"))
    assert isinstance(ask(engine, snmpd.port), Answer)

    snmpd.restart()

    outcome = ask(engine, snmpd.port)
    assert isinstance(outcome, Answer)
    assert outcome.traffic.requests == 2, "the first was outside its time window"
    assert ask(engine, snmpd.port).traffic.requests == 1


def test_another_machine_at_the_same_address_is_met_anew(snmpd: Snmpd) -> None:
    engine = open_engine("fast", access_of("SHA512", "AES256"))
    assert isinstance(ask(engine, snmpd.port), Answer)

    snmpd.restart(engine="another-machine")

    assert isinstance(ask(engine, snmpd.port), Answer)


def test_an_answer_that_was_recorded_earlier_is_not_taken(snmpd: Snmpd) -> None:
    kept: list[bytes] = []

    def replay(_number: int, answer: bytes) -> bytes:
        kept.append(answer)
        return kept[1] if len(kept) > 2 else answer  # 0: its engine id, 1: the first answer

    engine = open_engine("fast", access_of("SHA256", "AES128"))
    with Middle((ADDRESS, snmpd.port), replay) as middle:
        assert isinstance(ask(engine, middle.port), Answer)
        assert isinstance(ask(engine, middle.port), Silence)


@pytest.mark.parametrize("place", [0.3, 0.5, 0.9])
def test_an_answer_that_was_changed_is_not_taken(snmpd: Snmpd, place: float) -> None:
    def tamper(number: int, answer: bytes) -> bytes:
        if number == 0:
            return answer
        at = int(len(answer) * place)
        return answer[:at] + bytes((answer[at] ^ 1,)) + answer[at + 1 :]

    engine = open_engine("fast", access_of("SHA256", None))
    with Middle((ADDRESS, snmpd.port), tamper) as middle:
        assert isinstance(ask(engine, middle.port), Silence)


def test_an_answer_without_authentication_is_not_taken(snmpd: Snmpd) -> None:
    """Somebody who knows no key sends the right ids in a message that is not signed."""
    from fleet.snmp import v3
    from fleet.snmp.ber import OCTETS, SEQUENCE, wrap, wrap_integer
    from fleet.snmp.message import RESPONSE, encode_varbind, read_version

    def downgrade(number: int, answer: bytes) -> bytes:
        if number == 0:
            return answer
        _version, at, end = read_version(answer)
        parts = v3.read_message(answer, at, end)
        cell = encode_varbind(v3.to_octets(SYS_NAME), OCTETS, b"somebody else")
        numbers = wrap_integer(parts.id) + wrap_integer(0) + wrap_integer(0)
        pdu = wrap(RESPONSE, numbers + wrap(SEQUENCE, cell))
        scoped = wrap(SEQUENCE, wrap(OCTETS, parts.engine) + wrap(OCTETS, b"") + pdu)
        security = b"".join(
            (
                wrap(OCTETS, parts.engine),
                wrap_integer(parts.boots),
                wrap_integer(parts.time),
                wrap(OCTETS, parts.user) + wrap(OCTETS, b"") * 2,
            )
        )
        head = wrap_integer(parts.id) + wrap_integer(65_507) + wrap(OCTETS, b"\0") + wrap_integer(3)
        body = wrap(SEQUENCE, head) + wrap(OCTETS, wrap(SEQUENCE, security)) + scoped
        return wrap(SEQUENCE, wrap_integer(3) + body)

    engine = open_engine("fast", access_of("SHA256", None))
    with Middle((ADDRESS, snmpd.port), downgrade) as middle:
        outcome = ask(engine, middle.port)
    assert isinstance(outcome, Silence)
    assert outcome.reason is Reason.MALFORMED
