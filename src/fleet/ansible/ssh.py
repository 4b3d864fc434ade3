"""Reading Linux machines over SSH before a change: one connection and one command for each.

A machine that cannot be read is a result like any other; it never holds up the others.
"""

import asyncio
import base64
import binascii
import shlex
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import asyncssh

from fleet.core.observed import Kind, Observed, Seen

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
class Ssh:
    """Asks Linux machines over SSH, many at once.

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

    def read(
        self, machines: Sequence[tuple[Machine, Sequence[str]]], hear: Callable[[Observed], None]
    ) -> None:
        """Look at paths of machines, and hand each machine to `hear` as it comes."""
        prefix = self.root.rstrip("/")

        async def look(machine: Machine, paths: Sequence[str]) -> None:
            hear(await self._look(machine, paths, prefix))

        asyncio.run(self._all([look(machine, paths) for machine, paths in machines]))

    def confirm(self, machines: Sequence[Machine], change: str) -> Mapping[str, str]:
        """Tell machines that a change may stay; device → what went wrong with it."""
        failed: dict[str, str] = {}
        folder = f"{self.root.rstrip('/')}/var/lib/fleet"

        async def tell(machine: Machine) -> None:
            done = await self._run(machine, _CONFIRM, [folder, change])
            if isinstance(done, str):
                failed[machine.name] = done

        asyncio.run(self._all([tell(machine) for machine in machines]))
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
        done = await self._run(machine, _LOOK, [prefix + path for path in paths])
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

    async def _run(self, machine: Machine, script: str, arguments: Sequence[str]) -> bytes | str:
        """What a script printed on a machine, or why it did not run."""
        command = shlex.join(["sh", "-c", script, "fleet", *arguments])
        if self.become and self.user != "root":
            command = "sudo -n " + command
        try:
            return await asyncio.wait_for(self._ask(machine, command), self.timeout_s)
        except TimeoutError:
            return f"no answer within {self.timeout_s:g} s"
        except asyncssh.HostKeyNotVerifiable as error:
            return f"its host key is not the known one: {error}"
        except asyncssh.PermissionDenied:
            return f"it does not let {self.user} in"
        except (OSError, asyncssh.Error, ValueError) as error:
            return f"{error}" or type(error).__name__

    async def _ask(self, machine: Machine, command: str) -> bytes | str:
        async with asyncssh.connect(
            machine.address,
            self.port,
            username=self.user,
            config=[str(self.config)] if self.config else (),
            connect_timeout=self.timeout_s,
            login_timeout=self.timeout_s,
            **self._known_hosts(machine),
        ) as connection:
            done = await connection.run(command, encoding=None, stdin=asyncssh.DEVNULL)
        if done.exit_status == 0 and isinstance(done.stdout, bytes):
            return done.stdout
        said = done.stderr.decode("utf-8", "replace") if isinstance(done.stderr, bytes) else ""
        lines = said.strip().splitlines()
        return lines[-1] if lines else f"the command ended with {done.exit_status}"

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


def _seen(line: str) -> Seen:
    kind, *rest = line.split(" ")
    if kind not in (Kind.FILE, Kind.LINK):
        return Seen(kind=Kind(kind))
    mode, owner, group, data = rest
    return Seen(kind=Kind(kind), mode=mode, owner=owner, group=group, data=base64.b64decode(data))
