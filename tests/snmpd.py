"""A real snmpd (net-snmp) on loopback, with users of SNMPv3, and a man in the middle."""

import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fleet.snmp.simulator import free_port
from tests.agents import answers

ADDRESS = "127.35.0.1"
AUTH_PHRASE = "auth-phrase-1"
PRIV_PHRASE = "priv-phrase-1"

# Our names of the protocols, and net-snmp's.
AUTHS = {
    "MD5": "MD5",
    "SHA1": "SHA",
    "SHA224": "SHA-224",
    "SHA256": "SHA-256",
    "SHA384": "SHA-384",
    "SHA512": "SHA-512",
}
PRIVS = {"DES": "DES", "AES128": "AES", "AES192": "AES-192", "AES256": "AES-256"}


def user_of(auth: str | None, priv: str | None) -> str:
    return f"u-{auth or 'none'}-{priv or 'none'}".lower()


def all_users() -> list[tuple[str | None, str | None]]:
    found: list[tuple[str | None, str | None]] = [(None, None)]
    for auth in AUTHS:
        found += [(auth, None), *((auth, priv) for priv in PRIVS)]
    return found


class Snmpd:
    """The daemon; it counts its boots, as a real machine does.

    Args:
        folder: its configuration and what it keeps.
        engine: its engine id, as text.
    """

    def __init__(self, folder: Path, engine: str = "fleet-test") -> None:
        program = shutil.which("snmpd") or shutil.which("snmpd", path="/usr/sbin")
        if program is None:
            if os.environ.get("FLEET_REQUIRE_SNMPD"):
                raise AssertionError("snmpd is required and not there (Debian: snmpd)")
            pytest.skip("no snmpd on this machine (Debian: snmpd)")
        self._program = program
        self._folder = folder
        self._folder.mkdir(parents=True, exist_ok=True)
        self.engine = engine
        self.port = free_port(ADDRESS, 0)
        self._boots = 1
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "Snmpd":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        lines = [f"agentAddress udp:{ADDRESS}:{self.port}", f"engineID {self.engine}"]
        lines += ["sysName real-snmpd", "rocommunity public", "master no"]
        for auth, priv in all_users():
            name = user_of(auth, priv)
            level = "priv" if priv else "auth" if auth else "noauth"
            keys = f" {AUTHS[auth]} {AUTH_PHRASE}" if auth else ""
            keys += f" {PRIVS[priv]} {PRIV_PHRASE}" if priv else ""
            lines += [f"createUser {name}{keys}", f"rouser {name} {level}"]
        configuration = self._folder / "snmpd.conf"
        configuration.write_text("\n".join(lines) + "\n")
        kept = self._folder / "kept"
        shutil.rmtree(kept, ignore_errors=True)
        kept.mkdir()
        engine_id = b"\x80\0\x1f\x88\4" + self.engine.encode()  # net-snmp's form of a text
        lines = [f"engineBoots {self._boots}", f"oldEngineID 0x{engine_id.hex()}"]
        (kept / "snmpd.conf").write_text("\n".join(lines) + "\n")
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [
                    *(self._program, "-f", "-Lo", "-c", str(configuration)),
                    *("-p", str(self._folder / "pid"), "-I", "-smux"),
                ],
                env={**os.environ, "SNMP_PERSISTENT_DIR": str(kept), "SNMPCONFPATH": str(kept)},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 30
        while not answers(ADDRESS, self.port):
            if time.monotonic() > deadline:
                raise AssertionError((self._folder / "log").read_text(errors="replace")[-800:])

    def stop(self) -> None:
        if self._process is not None:
            self._process.terminate()
            self._process.wait(timeout=10)
            self._process = None

    def restart(self, engine: str | None = None) -> None:
        """Stop and start it, perhaps as another machine at the same address."""
        self.stop()
        self._boots += 1
        self.engine = engine or self.engine
        self.start()


class Middle:
    """Stands between us and an agent, and may do something with each answer.

    Args:
        agent: where the agent is.
        change: gets the request's number, from 0, and the answer; gives what is passed on.
    """

    def __init__(self, agent: tuple[str, int], change: Callable[[int, bytes], bytes]) -> None:
        self._agent = agent
        self._change = change
        self._stop = threading.Event()
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._front.bind((ADDRESS, 0))
        self._front.settimeout(0.1)
        self.port = int(self._front.getsockname()[1])
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Middle":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        self._front.close()

    def _run(self) -> None:
        number = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as back:
            back.settimeout(1)
            while not self._stop.is_set():
                try:
                    request, sender = self._front.recvfrom(65_535)
                    back.sendto(request, self._agent)
                    self._front.sendto(self._change(number, back.recv(65_535)), sender)
                    number += 1
                except TimeoutError:
                    continue
