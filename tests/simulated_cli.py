"""Switches that are configured over SSH: a command line with a memory, as real ones have it.

What is typed changes the running configuration line by line and at once; only what was saved
outlives a restart. A line with BOGUS in it is not taken, as a misspelt one would not be.
"""

import asyncio
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path as FilePath

import asyncssh

Path = tuple[str, ...]
_BLOCK = re.compile(
    r"(interface|vlan|line|router|ip access-list|radius server|acl) \S"
    r"|aaa group|ip ssh pubkey-chain"
)
_SINGLE = ("description", "hostname", "sysname", "name", "clock timezone", "logging trap")


@dataclass
class Switch:
    """One device.

    Args:
        dialect: ios, procurve or comware.
        running: its paths in their order.
        breaks_at: a line with this in it breaks the connection off, once.
        locks_at: a line with this in it locks everybody out, until it is taken back.
    """

    dialect: str = "ios"
    running: dict[Path, None] = field(default_factory=dict)
    saved: dict[Path, None] = field(default_factory=dict)
    typed: list[str] = field(default_factory=list)
    timer: asyncio.TimerHandle | None = None
    minute_s: float = 60.0
    breaks_at: str = ""
    locks_at: str = ""
    is_locked: bool = False

    @property
    def word(self) -> str:
        return "undo " if self.dialect == "comware" else "no "

    def text(self) -> str:
        """The running configuration as it is shown."""
        lines = ["Building configuration...", "", "Current configuration : 100 bytes", "!"]
        for path in self.ordered():
            lines += (" " * (len(path) - 1) + path[-1]).split("\n")
        return "\n".join([*lines, "end"])

    def ordered(self) -> list[Path]:
        """Every path below its block."""
        tops = [p for p in self.running if len(p) == 1]
        return [
            p
            for top in tops
            for p in (top, *(q for q in self.running if q[:1] == top and len(q) > 1))
        ]

    def configure(self, block: Path, line: str) -> Path | None:
        """Take a line; the block that one is in afterwards, None: it is not taken."""
        if "BOGUS" in line:
            return None
        if line in ("exit", "quit"):
            return block[:-1]
        if block == ("ip ssh pubkey-chain",) and line.startswith("username "):
            self.running.setdefault((*block, line), None)
            return (*block, line)
        if _BLOCK.match(line):
            self.running.setdefault((line,), None)
            return (line,)
        if line.startswith(self.word):
            self._take_back(block, line.removeprefix(self.word))
            return block
        self._replace(block, line)
        self.running[(*block, line)] = None
        return block

    def _take_back(self, block: Path, line: str) -> None:
        for path in list(self.running):
            inner = path[: len(block)] == block and path[len(block) : len(block) + 1]
            if inner and (inner[0] == line or inner[0].startswith((line + " ", line + "\n"))):
                del self.running[path]

    def _replace(self, block: Path, line: str) -> None:
        words = (
            " ".join(line.split()[:2]) if line.startswith(("clock", "logging", "banner")) else ""
        )
        first = words or line.split(maxsplit=1)[0]
        if first in _SINGLE or line.startswith("banner "):
            for path in list(self.running):
                if path[:-1] == block and path[-1].startswith(first + " "):
                    del self.running[path]

    def restart(self) -> None:
        self.running = dict(self.saved)


class Session:
    """What one login does."""

    def __init__(self, switch: Switch) -> None:
        self._switch = switch
        self.is_configuring = False
        self._block: Path = ()
        self._banner: list[str] = []

    @property
    def prompt(self) -> str:
        if self._banner:
            return ""
        named = [p[0] for p in self._switch.running if p[0].startswith(("hostname", "sysname"))]
        name = named[0].split()[1] if named else "sw"
        if self._switch.dialect == "comware":
            return f"[{name}]" if self.is_configuring else f"<{name}>"
        end = "# " if self._switch.dialect == "procurve" else "#"
        if not self.is_configuring:
            return name + end
        return f"{name}({'config-if' if self._block else 'config'}){end}"

    @property
    def greeting(self) -> str:
        """What is said before the first prompt."""
        return "(C) Copyright\r\n" if self._switch.dialect == "procurve" else ""

    def answer(self, line: str) -> str:
        self._switch.typed.append(line)
        if self._banner:
            return self._more_banner(line)
        line = line.strip()
        return self._configure(line) if self.is_configuring else self._operate(line)

    def _operate(self, line: str) -> str:
        switch = self._switch
        if line in (
            "configure terminal",
            "configure term",
            "configure",
            "system-view",
            "config term",
        ):
            self.is_configuring = True
        elif found := re.fullmatch(
            r"(?:configure terminal revert timer|checkpoint auto) (\d+)", line
        ):
            self.is_configuring = line.startswith("configure")
            before = dict(switch.running)
            loop = asyncio.get_running_loop()
            seconds = int(found[1]) * switch.minute_s

            def revert() -> None:
                switch.running = before
                switch.is_locked = False

            switch.timer = loop.call_later(seconds, revert)
        elif line in ("configure confirm", "checkpoint auto confirm"):
            if switch.timer is None:
                return "%No Rollback Confirmed Change pending"
            switch.timer.cancel()
            switch.timer = None
        elif line.startswith(("show running-config", "display current-configuration")):
            return switch.text()
        elif line.startswith(("write", "save", "copy running-config startup-config")):
            switch.saved = dict(switch.running)
            return "[OK]"
        elif line == "show privilege":
            return "Current privilege level is 15"
        elif line.startswith("show version"):
            return "Cisco IOS Software, C2960X Software, Version 15.2(7)E9, RELEASE SOFTWARE (fc2)"
        elif line and not line.startswith(
            ("terminal ", "no page", "screen-length", "show ", "enable")
        ):
            return "          ^\n% Invalid input detected at '^' marker.\n"
        return ""

    def _configure(self, line: str) -> str:
        if line in ("end", "return") or (line in ("exit", "quit") and not self._block):
            self.is_configuring, self._block = False, ()
            return ""
        found = re.match(r"(banner \S+) (\^C|\S)(.*)$", line)
        if found:
            self._banner = [found[1], found[2]]
            rest = found[3]
            return self._more_banner(rest) if found[2] in rest else ""
        if not line or line.startswith("!"):
            return ""
        if line == "save force" and self._switch.dialect == "comware":  # taken in every view
            return self._operate(line)
        block = self._switch.configure(self._block, line)
        if block is None and self._switch.dialect == "comware":
            return "            ^\n % Unrecognized command found at '^' position."
        if block is None:
            return "          ^\n% Invalid input detected at '^' marker.\n"
        self._block = block
        return ""

    def _more_banner(self, line: str) -> str:
        head, mark, *body = self._banner
        if mark in line:
            text = "\n".join([*body, line.partition(mark)[0]]).strip("\n")
            self._banner = []
            self._switch.configure((), f"{head} ^C\n{text}\n^C")
        else:
            self._banner.append(line)
        return ""


@contextmanager
def serve(switches: dict[str, Switch], port: int, folder: FilePath) -> Iterator[None]:
    """Let switches be reached by address, by user `admin` with password `letmein`."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    public = key.export_public_key().decode().strip()
    (folder / "known_hosts").write_text("".join(f"[{a}]:{port} {public}\n" for a in switches))
    loop = asyncio.new_event_loop()
    started = threading.Event()

    connections: list[asyncssh.SSHServerConnection] = []

    class Server(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            connections.append(conn)
            self.switch = switches[conn.get_extra_info("sockname")[0]]

        def password_auth_supported(self) -> bool:
            return True

        def validate_password(self, username: str, password: str) -> bool:
            is_right = (username, password) == ("admin", "letmein")
            return is_right and not self.switch.is_locked

    async def talk(process: asyncssh.SSHServerProcess[str]) -> None:
        switch = switches[process.get_extra_info("sockname")[0]]
        session = Session(switch)
        process.stdout.write(session.greeting + session.prompt)
        rest = ""
        while True:
            try:
                data = await process.stdin.read(4096)
            except (asyncssh.TerminalSizeChanged, asyncssh.BreakReceived):
                continue
            if not data:
                break
            rest += data.replace("\r\n", "\n").replace("\r", "\n")
            while "\n" in rest:
                line, rest = rest.split("\n", 1)
                if line.strip() == "logout":
                    process.stdout.write("Do you want to log out [y/n]? ")
                    continue
                if line.strip() in ("exit", "quit", "y") and not session.is_configuring:
                    process.exit(0)
                    return
                if switch.breaks_at and switch.breaks_at in line:
                    switch.breaks_at = ""
                    process.get_extra_info("connection").abort()
                    return
                said = session.answer(line)
                if switch.locks_at and switch.locks_at in line:
                    switch.is_locked = True
                    process.get_extra_info("connection").abort()
                    return
                shown = f"{line}\n{said}\n" if said else f"{line}\n"
                process.stdout.write(shown.replace("\n", "\r\n") + session.prompt)
        process.exit(0)

    async def start() -> list[asyncssh.SSHAcceptor]:
        return [
            await asyncssh.listen(
                address,
                port,
                server_host_keys=[key],
                server_factory=Server,
                process_factory=talk,
                line_editor=False,
                encoding="utf-8",
            )
            for address in switches
        ]

    async def stop(servers: list[asyncssh.SSHAcceptor]) -> None:
        for server in servers:
            server.close()
        for connection in connections:
            connection.abort()
            await connection.wait_closed()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # the sockets are closed by what the loop does next

    def main() -> None:
        asyncio.set_event_loop(loop)
        servers = loop.run_until_complete(start())
        started.set()
        loop.run_forever()
        loop.run_until_complete(stop(servers))
        loop.close()

    thread = threading.Thread(target=main)
    thread.start()
    assert started.wait(20)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
