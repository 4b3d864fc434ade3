"""Asking with pysnmp: the reference, and the way for what `FastEngine` does not speak.

Requests are sent again by us, not by pysnmp, so that they are counted.
"""

import asyncio
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pysnmp.hlapi.v3arch import asyncio as hlapi
from pysnmp.proto import errind, rfc1905

from fleet.core.walk import Answer, Outcome, Reason, Silence, Traffic, Value
from fleet.snmp import message
from fleet.snmp.ber import VarBind, to_octets, to_oid
from fleet.snmp.credentials import Access
from fleet.snmp.engine import Hear, Question
from fleet.snmp.message import RESPONSE, Pdu, Request
from fleet.snmp.resolve import TIMEOUT_S, Address, literal, resolve
from fleet.snmp.slots import Slots
from fleet.snmp.talk import Broken, Habits, Talk, talk

AUTH = {
    "MD5": hlapi.USM_AUTH_HMAC96_MD5,
    "SHA1": hlapi.USM_AUTH_HMAC96_SHA,
    "SHA224": hlapi.USM_AUTH_HMAC128_SHA224,
    "SHA256": hlapi.USM_AUTH_HMAC192_SHA256,
    "SHA384": hlapi.USM_AUTH_HMAC256_SHA384,
    "SHA512": hlapi.USM_AUTH_HMAC384_SHA512,
}
PRIV = {
    "DES": hlapi.USM_PRIV_CBC56_DES,
    "AES128": hlapi.USM_PRIV_CFB128_AES,
    "3DES": hlapi.USM_PRIV_CBC168_3DES,
    "AES192": hlapi.USM_PRIV_CFB192_AES_BLUMENTHAL,
    "AES256": hlapi.USM_PRIV_CFB256_AES_BLUMENTHAL,
    "AES192C": hlapi.USM_PRIV_CFB192_AES,
    "AES256C": hlapi.USM_PRIV_CFB256_AES,
}

_WORKING = 24  # devices that pysnmp works for at once; more make it miss its own timeouts


class PysnmpEngine:
    """An `SnmpEngine` on pysnmp.

    Args:
        accesses: by credential name.
        timeout_s: for each request.
        retries: how often a request is sent again.
        clock: what time it is, for the outcomes.
    """

    def __init__(
        self,
        accesses: Mapping[str, Access],
        *,
        timeout_s: float,
        retries: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._accesses = accesses
        self._timeout_s = timeout_s
        self._retries = retries
        self._clock = clock
        self._habits: dict[Address, Habits] = {}

    def ask(self, questions: Sequence[Question], hear: Hear, *, spread_s: float = 0.0) -> None:
        """Ask all; see `SnmpEngine.ask`."""
        if questions:
            asyncio.run(self._ask_all(questions, hear))

    async def _ask_all(self, questions: Sequence[Question], hear: Hear) -> None:
        engine = hlapi.SnmpEngine()
        slots = Slots(_WORKING)

        # What is cut off when somebody interrupts is not worth a trace on the screen.
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)

        async def one(question: Question) -> None:
            hear(await self._ask_safely(engine, slots, question))

        try:
            async with asyncio.TaskGroup() as tasks:
                for question in questions:
                    tasks.create_task(one(question))
        finally:
            with suppress(AttributeError):  # nothing was ever sent: no dispatcher
                engine.close_dispatcher()

    async def _ask_safely(self, engine: Any, slots: Slots, question: Question) -> Outcome:
        """One outcome for each question, whatever pysnmp makes of a strange device."""
        try:
            return await self._ask_one(engine, slots, question)
        except Exception as error:  # noqa: BLE001 - shown with the device, which counts as unknown
            return Silence(
                target=question.target.name,
                at=self._clock(),
                reason=Reason.FAILED,
                detail=f"{type(error).__name__}: {error}"[:200],
            )

    async def _ask_one(self, engine: Any, slots: Slots, question: Question) -> Outcome:
        target = question.target
        began = self._clock()
        if target.address is None:
            return Silence(target=target.name, at=began, reason=Reason.NO_ADDRESS)
        async with slots:
            address = await _located(target.address, target.port)
            began = self._clock()
            if address is None:
                return Silence(
                    target=target.name, at=began, reason=Reason.UNRESOLVED, detail=target.address
                )
            transport = await _transport(address, self._timeout_s)
        access = self._accesses[target.credential]
        conversation = talk(
            question,
            is_v1=access.version == "1",
            habits=self._habits.setdefault(address, Habits()),
            clock=time.monotonic,
        )
        driven = _Talk(engine, access, transport, slots, self._retries)
        return await driven.run(question, conversation, began)


async def _located(host: str, port: int) -> Address | None:
    """None if the name does not resolve in time."""
    if (address := literal(host, port)) is not None:
        return address
    try:
        async with asyncio.timeout(TIMEOUT_S):
            return await asyncio.to_thread(resolve, host, port)
    except TimeoutError:
        return None


async def _transport(address: Address, timeout_s: float) -> Any:
    family, where = address
    is_v4 = family == socket.AF_INET
    kind = hlapi.UdpTransportTarget if is_v4 else hlapi.Udp6TransportTarget
    return await kind.create(where, timeout=timeout_s, retries=0)


def _authentication(access: Access) -> Any:
    if access.version != "3":
        return hlapi.CommunityData(access.community, mpModel=0 if access.version == "1" else 1)
    keys: dict[str, Any] = {}
    if access.auth:
        keys |= {"authKey": access.auth.phrase, "authProtocol": AUTH[access.auth.protocol]}
    if access.priv:
        keys |= {"privKey": access.priv.phrase, "privProtocol": PRIV[access.priv.protocol]}
    return hlapi.UsmUserData(access.user, **keys)


class _Talk:
    """One device's conversation, one request at a time."""

    def __init__(
        self, engine: Any, access: Access, transport: Any, slots: Slots, retries: int
    ) -> None:
        self._engine = engine
        self._authentication = _authentication(access)
        self._transport = transport
        self._slots = slots
        self._retries = retries
        self._requests = 0
        self._timeouts = 0

    async def run(self, question: Question, conversation: Talk, began: datetime) -> Outcome:
        """Drive the conversation to its end."""
        pdu: Pdu | None = None
        try:
            while True:
                pdu = await self._answer(conversation.send(pdu))
        except StopIteration as stop:
            heard = stop.value
        except Broken as broken:
            return Silence(
                target=question.target.name,
                at=began,
                reason=broken.reason,
                detail=broken.detail,
                traffic=self._traffic(),
            )
        return Answer(
            target=question.target.name,
            at=began,
            walk=heard.walk,
            unread=heard.unread,
            error=heard.error,
            traffic=self._traffic(),
        )

    def _traffic(self) -> Traffic:
        return Traffic(requests=self._requests, timeouts=self._timeouts)

    async def _answer(self, request: Request) -> Pdu | None:
        """The answer to a request, sent again while nothing comes; None if nothing does."""
        for _ in range(1 if request.is_trial else self._retries + 1):
            self._requests += 1
            error, status, index, found = await self._slots.request(partial(self._send, request))
            if error is None:
                return Pdu(RESPONSE, 0, int(status), int(index), [_plain(item) for item in found])
            if not isinstance(error, errind.RequestTimedOut):
                raise _failure(error)
            self._timeouts += 1
        return None

    def _send(self, request: Request) -> Any:
        names = [hlapi.ObjectType(hlapi.ObjectIdentity(to_oid(name))) for name in request.names]
        who = self._engine, self._authentication, self._transport, hlapi.ContextData()
        match request.kind:
            case message.GET:
                return hlapi.get_cmd(*who, *names, lookupMib=False)
            case message.GET_NEXT:
                return hlapi.next_cmd(*who, *names, lookupMib=False)
            case _:
                return hlapi.bulk_cmd(*who, 0, request.repetitions, *names, lookupMib=False)


def _plain(item: Any) -> VarBind:
    """An object as the codec of our own would have read it."""
    name, value = item
    tag = value.tagSet[-1]
    return (
        to_octets(tuple(name)),
        tag.tagClass | tag.tagFormat | tag.tagId,
        plain_value(value),
    )


def plain_value(value: Any) -> Value | None:
    """A value of pysnmp as octets, numbers or a number; None for what is none."""
    if isinstance(value, rfc1905.NoSuchObject | rfc1905.NoSuchInstance | rfc1905.EndOfMibView):
        return None
    if hasattr(value, "asOctets"):
        octets: bytes = value.asOctets()
        return octets
    if hasattr(value, "asTuple"):
        numbers: tuple[int, ...] = value.asTuple()
        return numbers
    try:
        return int(value)
    except (TypeError, ValueError):
        return None


_CREDENTIAL_ERRORS = (
    errind.AuthenticationError,
    errind.AuthenticationFailure,
    errind.DecryptionError,
    errind.EncryptionError,
    errind.UnknownUserName,
    errind.UnknownSecurityName,
    errind.UnsupportedSecurityLevel,
    errind.WrongDigest,
    errind.NotInTimeWindow,
    errind.UnknownCommunityName,
)


def _failure(error: Any) -> Broken:
    if isinstance(error, _CREDENTIAL_ERRORS):
        return Broken(Reason.CREDENTIAL, str(error))
    return Broken(Reason.MALFORMED, str(error))
