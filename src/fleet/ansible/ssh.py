"""Reading Linux machines over SSH before a change: one connection and one command for each.

A machine that cannot be read is a result like any other; it never holds up the others.
"""

import asyncio
import base64
import binascii
import shlex
import time
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from fleet.core.observed import Kind, Observed, Seen

_AGAIN_S = 10.0  # until a kept connection that says nothing is taken for a dead one
_KEPT_S = 60.0  # longer, and what is in between may have forgotten the connection
# Says of each path what is there, a line each; needs nothing but a shell and coreutils.
_LOOK = r"""
flat() { base64 | tr -d '\n'; }
for p; do
  if [ -L "$p" ]; then printf 'link 777 - - %s\n' "$(readlink "$p" | tr -d '\n' | flat)"
  elif [ -f "$p" ] && [ ! -r "$p" ]; then echo denied
  elif [ -f "$p" ]; then printf 'file %s %s\n' "$(stat -c '%a %U %G' "$p")" "$(flat < "$p")"
  elif [ -e "$p" ]; then echo other
  else echo absent
  fi
done
"""
# Only the last go of a change can be confirmed, and only while it stands.
_CONFIRM = r"""
exec 9> "$1/lock" && flock -w 30 9 || { echo 'another change is being made' >&2; exit 1; }
last=
for d in "$1/changes/$2"/*/; do [ -d "$d" ] && last=$d; done
[ -n "$last" ] || { echo 'nothing of the change is here' >&2; exit 1; }
grep -q '"state": "done"' "$last/record.json" || { echo 'it was taken back already' >&2; exit 1; }
for d in "$1/changes/$2"/*/; do : > "$d/confirmed"; done
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """Where a machine is reached."""

    name: str
    address: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """A connection for the next time, until an instant of the monotonic clock."""

    connection: asyncssh.SSHClientConnection
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Ssh:
    """Asks Linux machines over SSH, many at once.

    A login costs more than all that is asked after it, so connections are kept to the next
    reading, as many as there are machines asked at once.

    Args:
        user: to log in as; with the keys of the agent or of the configuration.
        become: through sudo(8), without a password.
        root: a folder that is taken for `/`.
        config: an OpenSSH configuration instead of the user's own.
        at_once: how many machines.
        timeout_s: for all of one machine.
    """

    user: str
    port: int
    become: bool
    root: str
    config: Path | None
    at_once: int
    timeout_s: float
    _known: dict[tuple[str, ...], asyncssh.SSHKnownHosts] = field(default_factory=dict, repr=False)
    _kept: dict[Machine, _Kept] = field(default_factory=dict, repr=False)
    _runner: asyncio.Runner = field(default_factory=asyncio.Runner, repr=False)

    def read(
        self, machines: Sequence[tuple[Machine, Sequence[str]]], hear: Callable[[Observed], None]
    ) -> None:
        """Look at paths of machines, and hand each machine to `hear` as it comes."""
        prefix = self.root.rstrip("/")

        async def look(machine: Machine, paths: Sequence[str]) -> None:
            hear(await self._look(machine, paths, prefix))

        self._runner.run(self._all([look(machine, paths) for machine, paths in machines]))

    def close(self) -> None:
        """Close the connections that were kept."""
        if self._kept:
            self._runner.run(self._all([_close(kept) for kept in self._kept.values()]))
            self._kept.clear()
        self._runner.close()

    def confirm(self, machines: Sequence[Machine], change: str) -> Mapping[str, str]:
        """Tell machines that a change may stay; device → what went wrong with it.

        Everyone is logged in to anew: who lets nobody in any more does not keep the change.
        """
        failed: dict[str, str] = {}
        folder = f"{self.root.rstrip('/')}/var/lib/fleet"

        async def tell(machine: Machine) -> None:
            if kept := self._kept.pop(machine, None):
                await _close(kept)
            done = await self._run(machine, _CONFIRM, [folder, change])
            if isinstance(done, str):
                failed[machine.name] = done

        self._runner.run(self._all([tell(machine) for machine in machines]))
        return failed

    def knock(self, machines: Sequence[tuple[Machine, int]], timeout_s: float) -> frozenset[str]:
        """The machines that accept a TCP connection to a port of theirs."""
        open_: set[str] = set()

        async def knock(machine: Machine, port: int) -> None:
            with suppress(OSError, TimeoutError):
                opening = asyncio.open_connection(machine.address, port)
                _, writer = await asyncio.wait_for(opening, timeout_s)
                open_.add(machine.name)
                writer.close()
                with suppress(OSError):
                    await writer.wait_closed()

        asyncio.run(self._all([knock(machine, port) for machine, port in machines], 1000))
        return frozenset(open_)

    async def _all(
        self, tasks: Sequence[Coroutine[Any, Any, None]], at_once: int | None = None
    ) -> None:
        gate = asyncio.Semaphore(at_once or self.at_once)

        async def one(task: Coroutine[Any, Any, None]) -> None:
            async with gate:
                await task

        await asyncio.gather(*(one(task) for task in tasks))

    async def _look(self, machine: Machine, paths: Sequence[str], prefix: str) -> Observed:
        asked = [prefix + path for path in paths]
        done = await self._run(machine, _LOOK, asked, keeps=True)
        if isinstance(done, str):
            return Observed(device=machine.name, error=done)
        lines = done.decode("utf-8", "replace").splitlines()
        try:
            seen = [_seen(line) for line in lines]
            files = dict(zip(paths, seen, strict=True))
        except (ValueError, binascii.Error):
            return Observed(
                device=machine.name, error=f"an answer that makes no sense: {lines[:1]}"
            )
        return Observed(device=machine.name, files=files)

    async def _run(
        self, machine: Machine, script: str, arguments: Sequence[str], *, keeps: bool = False
    ) -> bytes | str:
        """What a script printed on a machine, or why it did not run.

        Args:
            keeps: the connection, for the next time.
        """
        command = shlex.join(["sh", "-c", script, "fleet", *arguments])
        if self.become and self.user != "root":
            command = "sudo -n " + command
        try:
            return await asyncio.wait_for(self._ask(machine, command, keeps), self.timeout_s)
        except TimeoutError:
            return f"no answer within {self.timeout_s:g} s"
        except asyncssh.HostKeyNotVerifiable as error:
            return f"its host key is not the known one: {error}"
        except asyncssh.PermissionDenied:
            return f"it does not let {self.user} in"
        except (OSError, asyncssh.Error, ValueError) as error:
            return f"{error}" or type(error).__name__

    async def _ask(self, machine: Machine, command: str, keeps: bool) -> bytes | str:
        if (kept := self._kept.pop(machine, None)) is not None:
            answer = await self._ask_again(kept, command)
            if answer is not None:
                if self._kept.setdefault(machine, kept) is not kept:
                    await _close(kept)
                return answer
        connection = await asyncssh.connect(
            machine.address,
            self.port,
            username=self.user,
            config=[str(self.config)] if self.config else (),
            connect_timeout=self.timeout_s,
            login_timeout=self.timeout_s,
            **self._known_hosts(machine),
        )
        new = _Kept(connection=connection, until=time.monotonic() + _KEPT_S)
        try:
            answer = await _answer(connection, command)
            if keeps and machine not in self._kept and len(self._kept) < self.at_once:
                self._kept[machine] = new
            return answer
        except BaseException:
            connection.abort()
            raise
        finally:
            if self._kept.get(machine) is not new:
                await _close(new)

    async def _ask_again(self, kept: _Kept, command: str) -> bytes | str | None:
        """What a machine says over a kept connection; None: that is gone, only a login tells."""
        answer = None
        try:
            if kept.until > time.monotonic():
                with suppress(OSError, asyncssh.Error):  # TimeoutError is an OSError
                    patience = min(_AGAIN_S, self.timeout_s / 2)
                    answer = await asyncio.wait_for(_answer(kept.connection, command), patience)
            return answer
        finally:
            if answer is None:
                kept.connection.abort()

    def _known_hosts(self, machine: Machine) -> dict[str, asyncssh.SSHKnownHosts]:
        """The host keys that the configuration names, read once and not for every machine."""
        options = asyncssh.SSHClientConnectionOptions(
            host=machine.address,
            port=self.port,
            username=self.user,
            config=[str(self.config)] if self.config else (),
        )
        files = options.known_hosts
        if not isinstance(files, list) or not files or not all(isinstance(f, str) for f in files):
            return {}
        if (names := tuple(files)) not in self._known:
            self._known[names] = asyncssh.read_known_hosts(files)
        return {"known_hosts": self._known[names]}


async def _answer(connection: asyncssh.SSHClientConnection, command: str) -> bytes | str:
    """What a command printed, or why it failed."""
    done = await connection.run(command, encoding=None, stdin=asyncssh.DEVNULL)
    if done.exit_status == 0 and isinstance(done.stdout, bytes):
        return done.stdout
    said = done.stderr.decode("utf-8", "replace") if isinstance(done.stderr, bytes) else ""
    lines = said.strip().splitlines()
    return lines[-1] if lines else f"the command ended with {done.exit_status}"


async def _close(kept: _Kept) -> None:
    kept.connection.close()
    await kept.connection.wait_closed()


def _seen(line: str) -> Seen:
    kind, *rest = line.split(" ")
    if kind not in (Kind.FILE, Kind.LINK):
        return Seen(kind=Kind(kind))
    mode, owner, group, data = rest
    return Seen(kind=Kind(kind), mode=mode, owner=owner, group=group, data=base64.b64decode(data))
