"""A simulated network on loopback: snmpsim plays one recording for each address.

Run as a program it is snmpsim's responder with two changes:
every address has a recording of its own (snmpsim's way to do that no longer works with pysnmp
7.1), and an address is silent while a file with its number lies in a folder.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fleet.errors import Missing, Unexpected

COMMUNITY = "public"
_DOWN = "FLEET_SIMULATOR_DOWN"
_START_S = 60.0


class SnmpsimNetwork:
    """Devices that answer SNMP on loopback, and can be made silent.

    Args:
        recordings: per device name, its address and what it answers (`.snmprec`).
        port: UDP, the same for all.
        options: further options of snmpsim's responder.
    """

    def __init__(
        self,
        recordings: Mapping[str, tuple[str, str]],
        port: int,
        options: Sequence[str] = (),
    ) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="fleet-network-")
        self._numbers = {name: number for number, name in enumerate(recordings)}
        self._port = port
        root = Path(self._folder.name)
        self._down = root / "down"
        self._data = root / "data"
        for folder in (self._down, self._data, root / "cache"):
            folder.mkdir()
        # snmpsim wants a file for the community too, though no address ever answers with it.
        (self._data / f"{COMMUNITY}.snmprec").write_text("1.3.6.1.2.1.1.1.0|4|none\n")
        endpoints = []
        self._first = next(iter(recordings.values()))[0]
        for name, (address, text) in recordings.items():
            path = self._data / f"{self._numbers[name]}.snmprec"
            path.write_text(text, encoding="utf-8")
            endpoints.append(f"--agent-udpv4-endpoint={address}:{port}")
        (root / "arguments").write_text("\n".join([*endpoints, *options]), encoding="utf-8")
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "SnmpsimNetwork":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, and wait until it answers.

        Raises:
            Missing: snmpsim is not installed.
            Unexpected: it does not start.
        """
        try:
            import snmpsim  # noqa: F401
        except ImportError as error:
            raise Missing(
                "the simulated network needs snmpsim", hint="pip install snmpsim pysmi"
            ) from error
        try:
            self._launch()
            self._await()
        except BaseException:  # Ctrl-C too: nothing that was started may stay
            self.stop()
            raise

    def _launch(self) -> None:
        root = Path(self._folder.name)
        with (root / "log").open("wb") as output:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    __file__,
                    f"--data-dir={self._data}",
                    f"--cache-dir={root / 'cache'}",
                    f"--args-from-file={root / 'arguments'}",
                    "--logging-method=null",
                ],
                env={**os.environ, "SNMPSIM_ALLOW_ROOT": "true", _DOWN: str(self._down)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,  # Ctrl-C is for us, who then stop it
            )

    def _await(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _START_S
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = Path(self._folder.name) / "log"
                tail = log.read_text(errors="replace")[-500:]
                raise Unexpected(f"the simulated network did not start: {tail}")

    def _answers(self) -> bool:
        """Whether the first device answers a GET of sysUpTime (hand-made, so nothing is loaded)."""
        packet = (
            bytes.fromhex("3029020101040670")
            + b"ublic"
            + bytes.fromhex("a01c020400000001020100020100300e300c06082b060102010103000500")
        )
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.settimeout(0.2)
            try:
                probe.sendto(packet, (self._first, self._port))
                return bool(probe.recv(2048))
            except OSError:
                time.sleep(0.05)
                return False

    def silence(self, names: Iterable[str]) -> None:
        """Let these devices answer no more."""
        for name in names:
            (self._down / str(self._numbers[name])).touch()

    def heal(self, names: Iterable[str]) -> None:
        """Let these devices answer again."""
        for name in names:
            (self._down / str(self._numbers[name])).unlink(missing_ok=True)

    def stop(self) -> None:
        """Stop it and remove its files; does nothing the second time."""
        if self._process is not None and self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(timeout=5)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
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


def _run() -> None:
    """Be the responder."""
    from pysnmp.entity.rfc3413 import cmdrsp
    from snmpsim.commands import responder

    down = os.environ[_DOWN]
    for name in ("Get", "Next", "Bulk"):
        _answer_by_endpoint(
            getattr(responder, f"{name}CommandResponder"),
            getattr(cmdrsp, f"{name}CommandResponder"),
            down,
        )
    sys.exit(responder.main())


def _answer_by_endpoint(responder: Any, base: Any, down: str) -> None:
    def handle(self: Any, engine: Any, reference: Any, _context: Any, pdu: Any) -> None:
        about = engine.observer.get_execution_context("rfc3412.receiveMessage:request")
        number = str(about["transportDomain"][-1])  # endpoints are numbered from 0
        if (Path(down) / number).exists():
            self.release_state_information(reference)
        else:
            base.handle_management_operation(self, engine, reference, number.encode(), pdu)

    responder.handle_management_operation = handle


if __name__ == "__main__":
    _run()
