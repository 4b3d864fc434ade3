"""Devices that snmpsim plays on loopback, one recording for each address: an independent witness.

Run as a program it is snmpsim's responder with one change: every address has a recording of its
own, as snmpsim's way to do that no longer works with pysnmp 7.1.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fleet.snmp.simulator import COMMUNITY
from tests.agents import answers

_CHECKOUT = Path(__file__).resolve().parents[1]
_START_S = 60.0


class SnmpsimNetwork:
    """Devices that answer SNMP on loopback; a context manager.

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
        self._root = Path(self._folder.name)
        self._port = port
        self._first = next(iter(recordings.values()))[0]
        data = self._root / "data"
        for folder in (data, self._root / "cache"):
            folder.mkdir()
        # snmpsim wants a file for the community too, though no address ever answers with it.
        (data / f"{COMMUNITY}.snmprec").write_text("1.3.6.1.2.1.1.1.0|4|none\n")
        lines = [f"--data-dir={data}", "--logging-method=null", *options]
        for number, (address, text) in enumerate(recordings.values()):
            (data / f"{number}.snmprec").write_text(text, encoding="utf-8")
            lines.append(f"--agent-udpv4-endpoint={address}:{port}")
        (self._root / "arguments").write_text("\n".join(lines), encoding="utf-8")

    def __enter__(self) -> "SnmpsimNetwork":
        with (self._root / "log").open("wb") as output:
            self._process = subprocess.Popen(
                [
                    sys.executable,
                    __file__,
                    # In the file of arguments snmpsim overlooks where its cache is.
                    f"--cache-dir={self._root / 'cache'}",
                    f"--args-from-file={self._root / 'arguments'}",
                ],
                env={**os.environ, "SNMPSIM_ALLOW_ROOT": "true", "PYTHONPATH": str(_CHECKOUT)},
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + _START_S
        while not answers(self._first, self._port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                log = (self._root / "log").read_text(errors="replace")[-500:]
                self.__exit__()
                raise AssertionError(f"snmpsim did not start: {log}")
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        self._folder.cleanup()


def _run() -> None:
    """Be the responder."""
    from pysnmp.entity.rfc3413 import cmdrsp
    from snmpsim.commands import responder

    for name in ("Get", "Next", "Bulk"):
        _answer_by_endpoint(
            getattr(responder, f"{name}CommandResponder"),
            getattr(cmdrsp, f"{name}CommandResponder"),
        )
    sys.exit(responder.main())


def _answer_by_endpoint(responder: Any, base: Any) -> None:
    def handle(self: Any, engine: Any, reference: Any, _context: Any, pdu: Any) -> None:
        about = engine.observer.get_execution_context("rfc3412.receiveMessage:request")
        number = str(about["transportDomain"][-1])  # endpoints are numbered from 0
        base.handle_management_operation(self, engine, reference, number.encode(), pdu)

    responder.handle_management_operation = handle


if __name__ == "__main__":
    _run()
