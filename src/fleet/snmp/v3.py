"""Messages of SNMPv3 with the user-based security model (RFC 3412, RFC 3414).

A `Session` is what fleet knows of one agent's engine: its id, its boots and its clock. They are
believed once an authenticated message said them; a report without authentication may make fleet
ask again with other numbers, and never becomes an answer.
"""

import hmac
import secrets
from dataclasses import dataclass, field

from fleet.core.walk import Reason
from fleet.snmp import usm
from fleet.snmp.ber import (
    OCTETS,
    SEQUENCE,
    Malformed,
    read_head,
    read_integer,
    read_octets,
    to_octets,
    wrap,
    wrap_integer,
)
from fleet.snmp.credentials import Access
from fleet.snmp.message import REPORT, RESPONSE, V3, Pdu, Request, frame_pdu, read_pdu

_AUTH = 1  # msgFlags, RFC 3412 section 6.4
_PRIV = 2
_REPORTABLE = 4
_USM = 3
_MOST = 65_507  # octets that fleet takes in one message
_MOST_ENGINE_OCTETS = 32  # SnmpEngineID, RFC 3411
_WINDOW_S = 150  # RFC 3414 section 3.2 7b
_LAST_BOOT = 2**31 - 1

# The global data of a message, cut where its id (four octets) and its flags (one) belong.
_SIZE = wrap_integer(_MOST) + bytes((OCTETS, 1))
_MODEL = wrap_integer(_USM)
_HEAD = bytes((SEQUENCE, 6 + len(_SIZE) + 1 + len(_MODEL), 0x02, 4))

_REPORTS = {to_octets((1, 3, 6, 1, 6, 3, 15, 1, 1, n, 0)): n for n in range(1, 7)}
_NOT_IN_TIME_WINDOW = 2
_UNKNOWN_ENGINE = 4
_REFUSALS = {
    1: "the security level is not offered to this user (unsupportedSecLevels)",
    3: "the user is not known there (unknownUserNames)",
    5: "the authentication key is wrong (wrongDigests)",
    6: "the privacy key is wrong (decryptionErrors)",
}


class Refused(Exception):
    """An agent said why it does not answer this user."""

    reason = Reason.CREDENTIAL


class Again(Exception):
    """The agent told its engine id or clock; the same request is worth sending with them."""


@dataclass(slots=True)
class Session:
    """One user at one engine.

    Args:
        access: the user with the keys.
    """

    access: Access
    engine: bytes = b""
    boots: int = 0
    offset_s: float = 0.0  # engine time minus our clock
    is_trusted: bool = False  # boots and clock came authenticated
    _latest_s: int = 0  # the largest engine time seen in these boots
    _localised: tuple[bytes, tuple[bytes, bytes]] | None = field(default=None, repr=False)
    _salt: int = field(default_factory=lambda: secrets.randbits(63))

    def encode(self, request: Request, request_id: int, now: float) -> bytes:
        """A message that asks; before the engine is known, one that makes it say who it is.

        Args:
            now: seconds of a clock that only goes forward.
        """
        head, tail = frame_pdu(request)
        pdu = head + request_id.to_bytes(4, "big") + tail
        scoped = wrap(SEQUENCE, wrap(OCTETS, self.engine) + wrap(OCTETS, b"") + pdu)
        if not self.engine:
            return _message(request_id, _REPORTABLE, _parameters(b"", 0, 0, b""), b"", scoped)
        access = self.access
        flags, salt, time = _REPORTABLE, b"", self._time(now)
        user = (access.user or "").encode()
        if access.auth and access.priv:
            flags |= _PRIV
            self._salt += 1
            priv, key = access.priv.protocol, self._keys()[1]
            salt = usm.salt_octets(priv, self.boots, self._salt)
            encrypted = usm.encrypt(priv, key, self.boots, time, self._salt, scoped)
            scoped = wrap(OCTETS, encrypted)
        parameters = _parameters(self.engine, self.boots, time, user)
        if not access.auth:
            return _message(request_id, flags, parameters, wrap(OCTETS, b"") * 2, scoped)
        return self._signed(request_id, flags | _AUTH, parameters, salt, scoped)

    def _signed(
        self, request_id: int, flags: int, parameters: bytes, salt: bytes, scoped: bytes
    ) -> bytes:
        assert self.access.auth is not None
        protocol = self.access.auth.protocol
        room = bytes(usm.DIGESTS[protocol].octets)
        tail = wrap(OCTETS, salt)
        message = _message(request_id, flags, parameters, wrap(OCTETS, room) + tail, scoped)
        at = len(message) - len(scoped) - len(tail) - len(room)
        digest = usm.sign(protocol, self._keys()[0], message)
        return message[:at] + digest + message[at + len(room) :]

    def _keys(self) -> tuple[bytes, bytes]:
        """The keys of authentication and privacy at this engine; made once for each."""
        if self._localised is None or self._localised[0] != self.engine:
            auth, priv = self.access.auth, self.access.priv
            assert auth is not None
            master = usm.master_key(auth.protocol, auth.phrase)
            key = usm.localise(auth.protocol, master, self.engine)
            private = b""
            if priv is not None:
                private = usm.privacy_key(auth.protocol, priv.protocol, priv.phrase, self.engine)
            self._localised = self.engine, (key, private)
        return self._localised[1]

    def _time(self, now: float) -> int:
        return max(0, int(now + self.offset_s)) & 0x7FFF_FFFF

    def decode(self, data: bytes, message: "Message", now: float) -> Pdu:
        """The response in a message.

        Raises:
            Malformed: it is not an answer to this session: another engine or user, a wrong
                digest, a lower security level than asked for, or out of the time window.
            Again: ask once more, with what the agent told of itself.
            Refused: the agent does not take this user or these keys.
        """
        is_signed = bool(message.flags & _AUTH)
        if is_signed:
            self._check_digest(data, message)
        scoped = self._decrypted(message) if message.flags & _PRIV else message.scoped
        pdu = _read_scoped(scoped)
        if pdu.kind == REPORT:
            self._hear_report(pdu, message, is_signed, now)
        level = _AUTH * bool(self.access.auth) | _PRIV * bool(self.access.priv)
        if pdu.kind != RESPONSE or message.flags & (_AUTH | _PRIV) != level:
            raise Malformed("an answer below the security level that was asked for")
        if message.engine != self.engine or message.user != (self.access.user or "").encode():
            raise Malformed("an answer from another engine, or to another user")
        if is_signed:
            self._check_time(message, now)
        return pdu

    def _check_digest(self, data: bytes, message: "Message") -> None:
        auth = self.access.auth
        if auth is None or not self.engine or message.engine != self.engine:
            raise Malformed("authenticated for somebody else")
        start, stop = message.digest_at
        if stop - start != usm.DIGESTS[auth.protocol].octets:
            raise Malformed("a digest of another length")
        blank = data[:start] + bytes(stop - start) + data[stop:]
        if not hmac.compare_digest(
            usm.sign(auth.protocol, self._keys()[0], blank), data[start:stop]
        ):
            raise Malformed("a wrong digest")

    def _decrypted(self, message: "Message") -> bytes:
        access = self.access
        if not (access.auth and access.priv and message.flags & _AUTH):
            raise Malformed("encrypted for somebody else")
        start, stop = read_head(message.scoped, 0, OCTETS, len(message.scoped))
        try:
            return usm.decrypt(
                access.priv.protocol,
                self._keys()[1],
                message.boots,
                message.time,
                message.salt,
                message.scoped[start:stop],
            )
        except usm.Undecipherable as error:
            raise Malformed(str(error)) from error

    def _hear_report(self, pdu: Pdu, message: "Message", is_signed: bool, now: float) -> None:
        number = next((_REPORTS[name] for name, _, _ in pdu.varbinds if name in _REPORTS), 0)
        if number in _REFUSALS:
            raise Refused(_REFUSALS[number])
        if number == _UNKNOWN_ENGINE and 0 < len(message.engine) <= _MOST_ENGINE_OCTETS:
            if message.engine != self.engine:  # else it was asked before its id was known
                self.engine, self.is_trusted = message.engine, False
                self._take_clock(message, now)
            raise Again
        if number == _NOT_IN_TIME_WINDOW and message.engine == self.engine:
            if is_signed:
                self._take_clock(message, now)
                self._trust(message)
            elif not self.is_trusted:
                self._take_clock(message, now)
            raise Again
        raise Malformed("a report that says nothing")

    def _take_clock(self, message: "Message", now: float) -> None:
        self.boots, self.offset_s = message.boots, message.time - now

    def _trust(self, message: "Message") -> None:
        self.is_trusted, self._latest_s = True, message.time

    def _check_time(self, message: "Message", now: float) -> None:
        """Boots and clock never go back, or the message is one that was recorded earlier."""
        if message.boots == _LAST_BOOT:
            raise Malformed("the engine has no boots left")
        if not self.is_trusted or message.boots > self.boots:
            self._take_clock(message, now)
            self._trust(message)
            return
        if message.boots < self.boots or message.time < self._time(now) - _WINDOW_S:
            raise Malformed("a message from outside the time window")
        if message.time > self._latest_s:
            self._take_clock(message, now)
            self._latest_s = message.time


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """The parts of a message; the scoped PDU may be encrypted."""

    id: int
    flags: int
    engine: bytes
    boots: int
    time: int  # seconds since the engine started
    user: bytes
    digest_at: tuple[int, int]
    salt: bytes
    scoped: bytes


def read_message(data: bytes, at: int, end: int) -> Message:
    """The parts of a message of version 3, from after its version.

    Raises:
        Malformed: it is none, or of another security model.
    """
    at, stop = read_head(data, at, SEQUENCE, end)
    number, at = read_integer(data, at, stop)
    _most, at = read_integer(data, at, stop)
    flags, at = read_octets(data, at, stop)
    model, at = read_integer(data, at, stop)
    if model != _USM or len(flags) != 1 or at != stop:
        raise Malformed("not the user-based security model")
    at, after = read_head(data, stop, OCTETS, end)
    at, stop = read_head(data, at, SEQUENCE, after)
    engine, at = read_octets(data, at, stop)
    boots, at = read_integer(data, at, stop)
    time, at = read_integer(data, at, stop)
    user, at = read_octets(data, at, stop)
    digest_at = read_head(data, at, OCTETS, stop)
    salt, at = read_octets(data, digest_at[1], stop)
    if at != stop or stop != after or boots < 0 or time < 0:
        raise Malformed("security parameters that are none")
    return Message(
        id=number,
        flags=flags[0],
        engine=engine,
        boots=boots,
        time=time,
        user=user,
        digest_at=digest_at,
        salt=salt,
        scoped=data[after:end],
    )


def _read_scoped(scoped: bytes) -> Pdu:
    at, stop = read_head(scoped, 0, SEQUENCE, len(scoped))
    _context_engine, at = read_octets(scoped, at, stop)
    _context_name, at = read_octets(scoped, at, stop)
    return read_pdu(scoped, at, stop)


def _parameters(engine: bytes, boots: int, time: int, user: bytes) -> bytes:
    return wrap(OCTETS, engine) + wrap_integer(boots) + wrap_integer(time) + wrap(OCTETS, user)


def _message(number: int, flags: int, parameters: bytes, tail: bytes, scoped: bytes) -> bytes:
    """The whole message; `tail` is digest and salt, both empty if there is none."""
    head = _HEAD + number.to_bytes(4, "big") + _SIZE + bytes((flags,)) + _MODEL
    security = wrap(OCTETS, wrap(SEQUENCE, parameters + (tail or wrap(OCTETS, b"") * 2)))
    return wrap(SEQUENCE, wrap_integer(V3) + head + security + scoped)
