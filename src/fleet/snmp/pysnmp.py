"""Walking with pysnmp: every version and security model, at pysnmp's price.

Requests are sent again by us, not by pysnmp, so that they are counted.
"""

import asyncio
import ipaddress
import socket
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from typing import Any

from pysnmp.hlapi.v3arch import asyncio as hlapi
from pysnmp.proto import errind, rfc1905

from fleet.core.walk import (
    Answer,
    Oid,
    Outcome,
    Reason,
    Silence,
    Target,
    Traffic,
    Value,
)
from fleet.snmp.credentials import Access
from fleet.snmp.slots import Slots
from fleet.snmp.walker import Hear, Question, Table

_AUTH = {
    "MD5": hlapi.USM_AUTH_HMAC96_MD5,
    "SHA1": hlapi.USM_AUTH_HMAC96_SHA,
    "SHA224": hlapi.USM_AUTH_HMAC128_SHA224,
    "SHA256": hlapi.USM_AUTH_HMAC192_SHA256,
    "SHA384": hlapi.USM_AUTH_HMAC256_SHA384,
    "SHA512": hlapi.USM_AUTH_HMAC384_SHA512,
}
_PRIV = {
    "DES": hlapi.USM_PRIV_CBC56_DES,
    "AES128": hlapi.USM_PRIV_CFB128_AES,
    "AES192": hlapi.USM_PRIV_CFB192_AES,
    "AES256": hlapi.USM_PRIV_CFB256_AES,
}

_WORKING = 24  # devices that pysnmp works for at once; more make it miss its own timeouts
_TIMER = 0.02  # seconds; pysnmp's own 0.1 would stretch every timeout
_OCTETS = 1400  # a response must fit into one datagram, as fragments die in tunnels
_OCTETS_PER_VALUE = 24
_MAX_ROWS = 20_000
_TOO_BIG = 1
_NO_SUCH_NAME = 2
_RESOLVE_TIMEOUT = 3.0


def _now() -> datetime:
    return datetime.now(UTC)


class PysnmpWalker:
    """A `Walker` on pysnmp.

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
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self._accesses = accesses
        self._timeout_s = timeout_s
        self._retries = retries
        self._clock = clock or _now

    def ask(self, questions: Sequence[Question], hear: Hear) -> None:
        """Ask all; see `Walker.ask`."""
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
            address = await _resolve(target.address, target.port)
            began = self._clock()
            if address is None:
                return Silence(
                    target=target.name, at=began, reason=Reason.UNRESOLVED, detail=target.address
                )
            transport = await _transport(address, self._timeout_s)
        access = self._accesses[target.credential]
        talk = _Talk(engine, access, transport, slots, self._retries)
        return await talk.run(question, began)


Address = tuple[int, str, int]


async def _resolve(host: str, port: int) -> Address | None:
    """Family, address and port; None if the name does not resolve in time."""
    try:
        ip = ipaddress.ip_address(host)
        return (socket.AF_INET if ip.version == 4 else socket.AF_INET6, host, port)
    except ValueError:
        pass
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(_RESOLVE_TIMEOUT):
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, UnicodeError, TimeoutError):
        return None
    family, *_, address = found[0]
    return family, str(address[0]), port


async def _transport(address: Address, timeout_s: float) -> Any:
    family, ip, port = address
    kind = hlapi.UdpTransportTarget if family == socket.AF_INET else hlapi.Udp6TransportTarget
    return await kind.create((ip, port), timeout=timeout_s, retries=0)


def _authentication(access: Access) -> Any:
    if access.version != "3":
        return hlapi.CommunityData(access.community, mpModel=0 if access.version == "1" else 1)
    keys: dict[str, Any] = {}
    if access.auth:
        keys |= {"authKey": access.auth.phrase, "authProtocol": _AUTH[access.auth.protocol]}
    if access.priv:
        keys |= {"privKey": access.priv.phrase, "privProtocol": _PRIV[access.priv.protocol]}
    return hlapi.UsmUserData(access.user, **keys)


class _Failed(Exception):
    """A question that got no usable answer."""

    def __init__(self, reason: Reason, detail: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.detail = detail


class _TooBig(Exception):
    """The agent could not fit so much into one response."""


class _ErrorStatus(Exception):
    """The agent answered with an error status, such as genErr (RFC 3416)."""


class _NoSuchName(Exception):
    """Version 1 has no exceptions in a response: one missing name fails it whole (RFC 1157)."""

    def __init__(self, name: Oid) -> None:
        super().__init__(name)
        self.name = name


class _Talk:
    """One device's questions and answers, one request at a time."""

    def __init__(
        self, engine: Any, access: Access, transport: Any, slots: Slots, retries: int
    ) -> None:
        self._engine = engine
        self._is_v1 = access.version == "1"
        self._authentication = _authentication(access)
        self._transport = transport
        self._slots = slots
        self._tries = retries + 1
        self._requests = 0
        self._timeouts = 0

    async def run(self, question: Question, began: datetime) -> Outcome:
        target: Target = question.target
        unread: list[str] = []
        try:
            walk = dict(await self._get(question.scalars))
        except _Failed as error:
            return Silence(
                target=target.name,
                at=began,
                reason=error.reason,
                detail=error.detail,
                traffic=self._traffic(),
            )
        for table in question.tables:
            found, is_whole = await self._table(table)
            walk.update(found)
            if not is_whole:
                unread.append(table.name)
        return Answer(
            target=target.name, at=began, walk=walk, unread=tuple(unread), traffic=self._traffic()
        )

    def _traffic(self) -> Traffic:
        return Traffic(requests=self._requests, timeouts=self._timeouts)

    async def _get(self, names: Sequence[Oid]) -> list[tuple[Oid, Value]]:
        """The scalars that the agent has.

        An agent that answers with an error (tooBig, genErr …) has answered, so it is up; it is
        asked for fewer at once.
        """
        try:
            found = await self._request(
                lambda objects: hlapi.get_cmd(*self._who(), *objects, lookupMib=False), names
            )
        except (_TooBig, _ErrorStatus):
            if len(names) == 1:
                return []
            half = len(names) // 2
            return [*await self._get(names[:half]), *await self._get(names[half:])]
        return [(name, value) for name, value in found if value is not None]

    async def _table(self, table: Table) -> tuple[dict[Oid, Value], bool]:
        """The rows that could be read, and whether they are all."""
        rows: dict[Oid, Value] = {}
        cursors = {column: column for column in table.columns}
        repetitions = max(1, _OCTETS // (_OCTETS_PER_VALUE * len(table.columns)))
        while cursors:
            try:
                found = await self._next(list(cursors.values()), repetitions)
            except _TooBig:
                if repetitions == 1:
                    return rows, False
                repetitions //= 2
                continue
            except (_Failed, _ErrorStatus):
                return rows, False
            if not _take(found, cursors, rows) or len(rows) > _MAX_ROWS * len(table.columns):
                return rows, False
        return rows, True

    async def _next(self, names: list[Oid], repetitions: int) -> list[tuple[Oid, Value | None]]:
        if self._is_v1:
            return await self._request(
                lambda objects: hlapi.next_cmd(*self._who(), *objects, lookupMib=False), names
            )
        return await self._request(
            lambda objects: hlapi.bulk_cmd(*self._who(), 0, repetitions, *objects, lookupMib=False),
            names,
        )

    def _who(self) -> tuple[Any, ...]:
        return self._engine, self._authentication, self._transport, hlapi.ContextData()

    async def _request(
        self, send: Callable[[list[Any]], Any], names: Iterable[Oid]
    ) -> list[tuple[Oid, Value | None]]:
        wanted = list(names)
        missing: set[Oid] = set()
        while asked := [name for name in wanted if name not in missing]:
            try:
                found = await self._send(send, asked)
            except _NoSuchName as error:
                missing.add(error.name)
                continue
            if not missing:
                return found
            answers = iter(found)
            return [(name, None) if name in missing else next(answers) for name in wanted]
        return [(name, None) for name in wanted]

    async def _send(
        self, send: Callable[[list[Any]], Any], names: Sequence[Oid]
    ) -> list[tuple[Oid, Value | None]]:
        """One request, sent again while nothing answers."""
        for _ in range(self._tries):
            objects = [hlapi.ObjectType(hlapi.ObjectIdentity(name)) for name in names]
            self._requests += 1
            error, status, index, found = await self._slots.request(partial(send, objects))
            if error is None:
                self._check(int(status), int(index), names)
                return [_plain(item) for item in found]
            if not isinstance(error, errind.RequestTimedOut):
                raise _failure(error)
            self._timeouts += 1
        raise _Failed(Reason.TIMEOUT)

    def _check(self, status: int, index: int, names: Sequence[Oid]) -> None:
        """Raise for an error status of RFC 1157 and RFC 3416."""
        if status == _TOO_BIG:
            raise _TooBig
        if status == _NO_SUCH_NAME and 0 < index <= len(names):
            raise _NoSuchName(names[index - 1])
        if status:
            raise _ErrorStatus


def _take(
    found: Sequence[tuple[Oid, Value | None]], cursors: dict[Oid, Oid], rows: dict[Oid, Value]
) -> bool:
    """Sort a response into rows and move the cursors; False if the agent runs in a circle."""
    columns = list(cursors)
    for position, (name, value) in enumerate(found):
        column = columns[position % len(columns)]
        if column not in cursors:
            continue
        if value is None or name[: len(column)] != column:
            del cursors[column]
        elif name <= cursors[column]:
            return False
        else:
            rows[name] = value
            cursors[column] = name
    return bool(found)


def _plain(item: Any) -> tuple[Oid, Value | None]:
    """An object as (numbers, value); None for an exception such as endOfMibView."""
    name, value = item
    if isinstance(value, rfc1905.NoSuchObject | rfc1905.NoSuchInstance | rfc1905.EndOfMibView):
        return tuple(name), None
    if hasattr(value, "asOctets"):
        return tuple(name), value.asOctets()
    if hasattr(value, "asTuple"):
        return tuple(name), value.asTuple()
    try:
        return tuple(name), int(value)
    except (TypeError, ValueError):
        return tuple(name), None


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


def _failure(error: Any) -> _Failed:
    if isinstance(error, _CREDENTIAL_ERRORS):
        return _Failed(Reason.CREDENTIAL, str(error))
    return _Failed(Reason.MALFORMED, str(error))
