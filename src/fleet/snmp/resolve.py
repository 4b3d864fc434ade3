"""Host names as addresses, without waiting for a name server that does not answer."""

import ipaddress
import queue
import socket
import threading
import time
from contextlib import suppress
from functools import lru_cache
from typing import Generic, TypeVar

TIMEOUT_S = 3.0
_THREADS = 8

Address = tuple[socket.AddressFamily, tuple[str, int]]


@lru_cache(maxsize=65_536)  # the same devices are asked every minute
def literal(host: str, port: int) -> Address | None:
    """The address that a text is, in the form in which the kernel names senders; else None."""
    try:
        ip = ipaddress.ip_address(host)
    except ValueError:
        return None
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            scope = f"%{ip.scope_id}" if ip.scope_id else ""
            plain = socket.inet_ntop(socket.AF_INET6, ip.packed)
            return socket.AF_INET6, (plain + scope, port)
        ip = ip.ipv4_mapped
    return socket.AF_INET, (str(ip), port)


T = TypeVar("T")


class Resolver(Generic[T]):
    """Looks names up in threads of its own; `collect` has what came, and gives up what is late.

    A thread that hangs in the system's resolver is left behind; it ends with the process.
    """

    def __init__(self) -> None:
        self._asked: queue.SimpleQueue[tuple[str, int] | None] = queue.SimpleQueue()
        self._found: queue.SimpleQueue[tuple[str, int, Address | None]] = queue.SimpleQueue()
        self._waiting: dict[tuple[str, int], list[T]] = {}
        self._begun: dict[tuple[str, int], float] = {}  # by the threads
        self._threads = 0
        self._bell, self._ringer = socket.socketpair()
        self._bell.setblocking(False)

    def fileno(self) -> int:
        """Readable when something was found."""
        return self._bell.fileno()

    @property
    def is_waiting(self) -> bool:
        """Whether names are being looked up."""
        return bool(self._waiting)

    def look_up(self, host: str, port: int, who: T) -> None:
        """Begin to look a name up for somebody."""
        if (host, port) in self._waiting:
            self._waiting[host, port].append(who)
            return
        self._waiting[host, port] = [who]
        self._asked.put((host, port))
        if self._threads < min(_THREADS, len(self._waiting)):
            self._start_thread()

    def _start_thread(self) -> None:
        self._threads += 1
        threading.Thread(target=self._run, daemon=True, name="fleet-resolver").start()

    def collect(self) -> list[tuple[T, Address | None]]:
        """Who gets which address; None for names that do not resolve in time.

        The time of a name runs from when a thread takes it; a thread that hangs is replaced.
        """
        with suppress(BlockingIOError):
            self._bell.recv(4096)
        done: list[tuple[T, Address | None]] = []
        while not self._found.empty():
            host, port, address = self._found.get()
            done += [(who, address) for who in self._waiting.pop((host, port), [])]
        since = time.monotonic() - TIMEOUT_S
        late = [k for k in self._waiting if self._begun.get(k, since + 1) <= since]
        for key in late:
            done += [(who, None) for who in self._waiting.pop(key)]
            self._start_thread()
        return done

    def close(self) -> None:
        """Stop; threads in the middle of a name end with it."""
        for _ in range(self._threads):
            self._asked.put(None)
        self._bell.close()
        self._ringer.close()

    def _run(self) -> None:
        while (asked := self._asked.get()) is not None:
            self._begun[asked] = time.monotonic()
            self._found.put((*asked, resolve(*asked)))
            with suppress(OSError):  # closed meanwhile
                self._ringer.send(b"\0")


def resolve(host: str, port: int) -> Address | None:
    """The first address of a name; None if it does not resolve."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, ValueError):
        return None
    for family, *_, address in found:
        if family in (socket.AF_INET, socket.AF_INET6):
            return socket.AddressFamily(family), (str(address[0]), port)
    return None
