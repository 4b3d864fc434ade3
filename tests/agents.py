"""SNMP agents of our own on loopback, which count and time what they are asked."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pyasn1.codec.ber import decoder, encoder
from pysnmp.proto import api
from pysnmp.proto.api import v2c

SYS_UP_TIME = (1, 3, 6, 1, 2, 1, 1, 3, 0)
SYS_NAME = (1, 3, 6, 1, 2, 1, 1, 5, 0)

Reply = Callable[[bytes], bytes | None]


@dataclass
class Agents:
    """Answers on many addresses of one port, each in its own way.

    Args:
        replies: per address, what it makes of a request; None: it is silent.
    """

    replies: dict[str, Reply | None]
    asked: list[tuple[float, str]] = field(default_factory=list)  # monotonic seconds, address

    def __enter__(self) -> "Agents":
        self.port = _free_port(next(iter(self.replies)))
        self._stop = threading.Event()
        self._sockets = {}
        for address in self.replies:
            one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            one.bind((address, self.port))
            one.setblocking(False)
            self._sockets[address] = one
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for one in self._sockets.values():
            one.close()

    def _serve(self) -> None:
        import selectors

        with selectors.DefaultSelector() as selector:
            for address, one in self._sockets.items():
                selector.register(one, selectors.EVENT_READ, address)
            while not self._stop.is_set():
                for key, _ in selector.select(timeout=0.05):
                    packet, sender = key.fileobj.recvfrom(65_535)  # type: ignore[union-attr]
                    self.asked.append((time.monotonic(), key.data))
                    reply = self.replies[key.data]
                    if reply and (answer := reply(packet)) is not None:
                        key.fileobj.sendto(answer, sender)  # type: ignore[union-attr]

    def span(self) -> float:
        """Seconds from the first request to the last."""
        times = [at for at, _ in self.asked]
        return max(times) - min(times)


def answers(address: str, port: int) -> bool:
    """Whether an agent answers a GET of sysUpTime with the community `public`."""
    packet = bytes.fromhex(
        "302902010104067075626c6963a01c020400000001020100020100300e300c06082b060102010103000500"
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.settimeout(0.2)
        try:
            probe.sendto(packet, (address, port))
            return bool(probe.recv(2048))
        except OSError:
            time.sleep(0.05)
            return False


@contextmanager
def serving(address: str, reply: Callable[[bytes], list[bytes]]) -> Iterator[int]:
    """Answers each packet with some packets, at one address; its port."""
    stop = threading.Event()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((address, 0))
        one.settimeout(0.05)

        def run() -> None:
            while not stop.is_set():
                try:
                    packet, sender = one.recvfrom(65_535)
                except TimeoutError:
                    continue
                for answer in reply(packet):
                    one.sendto(answer, sender)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield int(one.getsockname()[1])
        finally:
            stop.set()
            thread.join()


def _free_port(address: str) -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        one.bind((address, 0))
        return int(one.getsockname()[1])


def healthy(name: str) -> Reply:
    """Answers GET and GETBULK with a name and an uptime, and has no tables."""

    def reply(packet: bytes) -> bytes | None:
        message, _ = decoder.decode(packet, asn1Spec=v2c.Message())
        request = api.v2c.apiMessage.get_pdu(message)
        response = v2c.apiPDU.get_response(request)
        is_get = isinstance(request, v2c.GetRequestPDU)
        values = {SYS_UP_TIME: v2c.TimeTicks(123_400), SYS_NAME: v2c.OctetString(name)}
        found = []
        for oid, _ in v2c.apiPDU.get_varbinds(request):
            value = values.get(tuple(oid)) if is_get else None
            missing = v2c.NoSuchObject("") if is_get else v2c.EndOfMibView("")
            found.append((oid, missing if value is None else value))
        v2c.apiPDU.set_varbinds(response, found)
        answer = v2c.Message()
        v2c.apiMessage.set_defaults(answer)
        v2c.apiMessage.set_community(answer, v2c.apiMessage.get_community(message))
        v2c.apiMessage.set_pdu(answer, response)
        encoded: bytes = encoder.encode(answer)
        return encoded

    return reply


def garbage(_packet: bytes) -> bytes:
    """Answers with what is not SNMP at all."""
    return bytes(range(60))


def truncated(name: str) -> Reply:
    """Answers, but the datagram is cut in the middle."""
    whole = healthy(name)
    return lambda packet: (whole(packet) or b"")[:20]


def too_big(name: str, most: int) -> Reply:
    """Answers tooBig to a GET of more than `most` names."""
    whole = healthy(name)

    def reply(packet: bytes) -> bytes | None:
        message, _ = decoder.decode(packet, asn1Spec=v2c.Message())
        request = api.v2c.apiMessage.get_pdu(message)
        if len(v2c.apiPDU.get_varbinds(request)) <= most:
            return whole(packet)
        response = v2c.apiPDU.get_response(request)
        v2c.apiPDU.set_error_status(response, 1)
        answer = v2c.Message()
        v2c.apiMessage.set_defaults(answer)
        v2c.apiMessage.set_community(answer, v2c.apiMessage.get_community(message))
        v2c.apiMessage.set_pdu(answer, response)
        encoded: bytes = encoder.encode(answer)
        return encoded

    return reply
