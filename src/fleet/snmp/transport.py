"""Sockets for thousands of devices: one for each address family, never connected, read empty."""

import select
import socket
from collections.abc import Callable
from contextlib import suppress

_BUFFER = 4 * 1024 * 1024
_PER_ANSWER = 4608  # octets that the kernel counts for a datagram of 1,400
_SMALLEST = 512  # octets that the kernel counts for the smallest datagram, at least
_RCVBUFFORCE = 33  # Linux; Python has no name for it

Sender = tuple[str, int]
Take = Callable[[bytes, Sender], None]


class Transport:
    """UDP, and what else the loop waits for."""

    def __init__(self) -> None:
        self._sockets: dict[int, socket.socket] = {}
        self._poller = select.poll()
        self.room = 1_000_000  # answers that the receive buffers hold at once
        self._most = 1024
        self.is_full = False  # the kernel takes no more; `wait` says when it does again

    def close(self) -> None:
        for one in self._sockets.values():
            one.close()

    def listen_to(self, descriptor: int) -> None:
        """Let `wait` end when something else becomes readable too."""
        self._poller.register(descriptor, select.POLLIN)

    def send(self, family: int, address: Sender, packet: bytes) -> bool:
        """Send a datagram; False: the kernel takes no more just now.

        Raises:
            OSError: it cannot be sent there: no route, no permission.
        """
        try:
            self._socket(family).sendto(packet, address)
        except (BlockingIOError, InterruptedError):
            self._poller.modify(self._sockets[family], select.POLLIN | select.POLLOUT)
            self.is_full = True
            return False
        return True

    def wait(self, seconds: float) -> bool:
        """Wait until there is something to read or to write; False: there was nothing."""
        events = self._poller.poll(seconds * 1000)
        for descriptor, event in events:
            if event & select.POLLOUT:
                self._poller.modify(descriptor, select.POLLIN)
                self.is_full = False
        return bool(events)

    def drain(self, take: Take) -> None:
        """Read what is there, and hand each datagram over.

        At most as many as the buffer holds are read from a socket: then all that was there when
        it began has been read, and a flood cannot keep it from ending.
        """
        for one in list(self._sockets.values()):
            receive = one.recvfrom
            for _ in range(self._most):
                try:
                    data, sender = receive(65_535)
                except (BlockingIOError, ConnectionError):
                    break
                take(data, sender[:2])

    def _socket(self, family: int) -> socket.socket:
        """The socket of a family, with as large a buffer as the kernel grants."""
        if family not in self._sockets:
            one = socket.socket(family, socket.SOCK_DGRAM)
            one.setblocking(False)
            for option in (socket.SO_RCVBUF, _RCVBUFFORCE):  # the second needs a privilege
                with suppress(OSError):
                    one.setsockopt(socket.SOL_SOCKET, option, _BUFFER)
            granted = one.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
            self._most = max(self._most, granted // _SMALLEST)
            self.room = max(16, min(self.room, granted // _PER_ANSWER))
            self._sockets[family] = one
            self._poller.register(one, select.POLLIN)
        return self._sockets[family]
