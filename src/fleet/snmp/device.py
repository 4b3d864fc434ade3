"""One device while it is being asked, and the line to its site."""

import socket
from collections import deque
from dataclasses import dataclass, field
from datetime import datetime

from fleet.core.walk import Answer, Reason, Silence, Traffic
from fleet.snmp import message, v3
from fleet.snmp.ber import Malformed
from fleet.snmp.credentials import Access
from fleet.snmp.engine import Question
from fleet.snmp.message import Pdu, Request
from fleet.snmp.talk import Heard, Talk


@dataclass(slots=True, eq=False)
class Device:
    """A device being asked: it has at most one request on its way."""

    question: Question
    access: Access
    starts_at: float  # seconds of the monotonic clock, as all times here
    address: tuple[str, int] = ("", 0)
    family: socket.AddressFamily = socket.AF_INET
    session: v3.Session | None = None
    talk: Talk | None = None
    began: datetime | None = None
    request: Request | None = None
    request_id: int = 0  # 0: not sent yet
    tries: int = 0  # how often the request may still be sent
    resyncs: int = 0
    sent_at: float = 0.0
    has_slot: bool = False  # its request counts in the window
    is_on_line: bool = False  # it has one of the places on its site's line
    requests: int = 0
    timeouts: int = 0
    is_malformed: bool = False
    note: str | None = None  # what is strange, in case that nothing better comes

    def packet(self, now: float) -> bytes:
        """Its request, ready to be sent."""
        assert self.request is not None
        if self.session is not None:
            return self.session.encode(self.request, self.request_id, now)
        head, tail = message.frame_message(*self._envelope(), self.request)
        return head + self.request_id.to_bytes(4, "big") + tail

    def decode(self, data: bytes, parts: v3.Message, now: float) -> Pdu:
        """The answer in a message of version 3; raises as `v3.Session.decode`."""
        if self.session is None:
            raise Malformed("an answer of another version")
        pdu = self.session.decode(data, parts, now)
        if pdu.request_id != parts.id:
            raise Malformed("the request id inside is another")
        return pdu

    def check(self, version: int, community: bytes, pdu: Pdu) -> None:
        """Raise Malformed for an answer of another kind than the request."""
        if (
            pdu.kind != message.RESPONSE
            or self.session is not None
            or (version, community) != self._envelope()
        ):
            raise Malformed("an answer of another kind than the request")

    def _envelope(self) -> tuple[int, bytes]:
        version = message.V1 if self.access.version == "1" else message.V2C
        return version, (self.access.community or "").encode("ascii")

    def answer(self, heard: Heard) -> Answer:
        """The outcome if the conversation came to its end."""
        assert self.began is not None
        return Answer(
            target=self.question.target.name,
            at=self.began,
            walk=heard.walk,
            unread=heard.unread,
            error=heard.error,
            traffic=self._traffic(),
        )

    def silence(self, reason: Reason, detail: str | None = None) -> Silence:
        """The outcome if it did not."""
        assert self.began is not None
        if reason is Reason.TIMEOUT:
            reason = Reason.MALFORMED if self.is_malformed else reason
            detail = detail or self.note
        return Silence(
            target=self.question.target.name,
            at=self.began,
            reason=reason,
            detail=detail,
            traffic=self._traffic(),
        )

    def _traffic(self) -> Traffic:
        return Traffic(requests=self.requests, timeouts=self.timeouts)


@dataclass(slots=True)
class Line:
    """The way to one site, on which only a few devices are asked at a time."""

    places: int
    waiting: deque[Device] = field(default_factory=deque)

    def enter(self, device: Device) -> bool:
        """Take a place; False: there is none, and the device waits."""
        if not self.places:
            self.waiting.append(device)
            return False
        self.places -= 1
        device.is_on_line = True
        return True

    def leave(self, device: Device) -> Device | None:
        """Give the place back; the device that has it now, if one was waiting."""
        device.is_on_line = False
        self.places += 1
        if not self.waiting:
            return None
        following = self.waiting.popleft()
        self.enter(following)
        return following
