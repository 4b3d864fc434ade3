"""A simulated network on loopback: one process plays a recording at each of many addresses.

Run as a program (`python -m fleet.snmp.simulator FOLDER PORT`) it is that process. In
`FOLDER/recordings` lies `ADDRESS.snmprec` for each device, read when it is asked for the first
time; while a file named after its address lies in `FOLDER/down`, a device is silent.
"""

import resource
import selectors
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

from fleet.errors import Unexpected
from fleet.snmp.agent import Recording, respond
from fleet.snmp.ber import Malformed

COMMUNITY = "public"
_READY = "ready"


class SimulatedNetwork:
    """Devices that answer SNMP on loopback, and can be made silent.

    Args:
        recordings: per device name, its address and what it answers (`.snmprec`).
        port: UDP, the same for all.
    """

    def __init__(self, recordings: Mapping[str, tuple[str, str]], port: int) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fleet-network-")
        self._addresses = {name: address for name, (address, _) in recordings.items()}
        self._port = port
        root = Path(self._folder.name)
        (root / "down").mkdir()
        (root / "recordings").mkdir()
        for address, text in recordings.values():
            path = root / "recordings" / f"{address}.snmprec"
            path.write_text(text, encoding="utf-8", errors="surrogateescape")
        self._process: subprocess.Popen[str] | None = None

    def __enter__(self) -> "SimulatedNetwork":
        try:
            self.start()
        except BaseException:  # Ctrl-C too: nothing that was started may stay
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            Unexpected: it does not start.
        """
        self._process = subprocess.Popen(
            [sys.executable, "-m", "fleet.snmp.simulator", self._folder.name, str(self._port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,  # Ctrl-C is for us, who then stop it
        )
        assert self._process.stdout is not None and self._process.stderr is not None
        if self._process.stdout.readline().strip() != _READY:
            tail = self._process.stderr.read()[-500:]
            raise Unexpected(f"the simulated network did not start: {tail}")

    def silence(self, names: Iterable[str]) -> None:
        """Let these devices answer no more."""
        for name in names:
            (Path(self._folder.name) / "down" / self._addresses[name]).touch()

    def heal(self, names: Iterable[str]) -> None:
        """Let these devices answer again."""
        for name in names:
            (Path(self._folder.name) / "down" / self._addresses[name]).unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop it and remove its files; does nothing the second time."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.communicate(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.communicate()
        self._process = None
        self._folder.cleanup()


def free_port(address: str, wanted: int) -> int:
    """`wanted` if no one has it at this address, else some port that is free there."""
    for port in (wanted, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((address, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Unexpected(f"no UDP port can be had at {address}", hint="is 127.0.0.0/8 on loopback?")


class _Responder:
    """The process: a socket for each address, so that each answers from its own."""

    def __init__(self, folder: Path, port: int) -> None:
        self._recordings = folder / "recordings"
        self._down = folder / "down"
        self._began = time.monotonic()
        self._selector = selectors.DefaultSelector()
        paths = list(self._recordings.iterdir())
        _allow_files(len(paths) + 64)
        for path in paths:
            address = path.name.removesuffix(".snmprec")
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            one = socket.socket(family, socket.SOCK_DGRAM)
            one.bind((address, port))
            one.setblocking(False)
            self._selector.register(one, selectors.EVENT_READ, address)
        self._read = lru_cache(maxsize=512)(self._recording)

    def run(self) -> None:
        """Answer until the process is ended."""
        while True:
            for key, _ in self._selector.select():
                assert isinstance(key.fileobj, socket.socket)
                with suppress(BlockingIOError):
                    while True:
                        packet, sender = key.fileobj.recvfrom(65_535)
                        if (answer := self._answer(key.data, packet)) is not None:
                            key.fileobj.sendto(answer, sender)

    def _answer(self, address: str, packet: bytes) -> bytes | None:
        if (self._down / address).exists():
            return None
        elapsed = time.monotonic() - self._began
        try:
            return respond(packet, self._read(address), COMMUNITY.encode(), elapsed)
        except Malformed:
            return None

    def _recording(self, address: str) -> Recording:
        path = self._recordings / f"{address}.snmprec"
        text = path.read_text(encoding="utf-8", errors="surrogateescape")
        return Recording(text.split("\n"))


def _allow_files(count: int) -> None:
    """Open as many files as there are devices, if the system lets us."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < count:
        wanted = count if hard == resource.RLIM_INFINITY else min(count, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _run(folder: str, port: str) -> None:
    try:
        responder = _Responder(Path(folder), int(port))
    except OSError as error:
        sys.exit(f"port {port}: {error.strerror}")
    print(_READY, flush=True)  # noqa: T201 - the parent waits for it
    responder.run()


if __name__ == "__main__":
    _run(*sys.argv[1:])
