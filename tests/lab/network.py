"""A real network of small machines in network namespaces: cables, SNMP agents, LLDP.

Its addresses exist only inside the namespaces: whatever talks to them is run there (`run`).
Needs root on Linux, and snmpd and lldpd (Debian: snmpd lldpd).
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

PREFIX = f"fleet-lab-{os.getpid()}-"
CONTROLLER = "ctl"
_PROGRAMS = ("ip", "unshare", "snmpd", "lldpd", "snmpbulkwalk", "sshd", "ssh-keygen", "sudo", "nft")


@dataclass(frozen=True)
class Cable:
    """Two ports that a cable joins."""

    a: tuple[str, str]
    b: tuple[str, str]


def plan_sites(count: int) -> list[tuple[str, str]]:
    """Two cores in a ring with the controller, and sites of distribution, access and server."""
    pairs = [("core1", "core2"), ("core1", CONTROLLER)]
    for number in range(1, count + 1):
        dist, acc, srv = f"s{number}-dist", f"s{number}-acc", f"s{number}-srv"
        pairs += [(dist, "core1"), (dist, "core2"), (dist, acc), (acc, srv)]
    return pairs


def require_lab() -> None:
    """Skip where no lab can be; fail where one must be."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [program for program in _PROGRAMS if shutil.which(program, path=path) is None]
    why = "not root" if os.geteuid() else f"not there: {', '.join(missing)}" if missing else ""
    if why and os.environ.get("FLEET_REQUIRE_LAB"):
        raise AssertionError(f"the lab is required: {why}")
    if why:
        pytest.skip(f"no lab on this machine: {why}")


class Lab:
    """The network; a context manager.

    Args:
        pairs: which machines have a cable between them; several between two are possible.
        hears: whether to wait until every machine hears its neighbours over LLDP.
    """

    def __init__(self, pairs: Sequence[tuple[str, str]], *, hears: bool = True) -> None:
        self._hears = hears
        self._pairs = pairs
        self.machines = list(dict.fromkeys(name for pair in pairs for name in pair))
        self.addresses = {
            n: f"10.255.{i // 250}.{i % 250}" for i, n in enumerate(self.machines, start=1)
        }
        self.cables: list[Cable] = []
        self._neighbours: dict[str, list[tuple[str, str]]] = {name: [] for name in self.machines}
        self._processes: list[subprocess.Popen[bytes]] = []
        self._folder = Path(tempfile.mkdtemp(prefix="fleet-lab-"))

    def __enter__(self) -> "Lab":
        try:
            self._make_keys()
            self._lay_cables()
            self._set_routes()
            self._start_machines()
            if self._hears:
                self._wait()
            self._wait_for_ssh()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End the machines and take the network away."""
        for process in self._processes:
            process.kill()
            process.wait()
        for name in self.machines:
            subprocess.run(
                ["ip", "netns", "delete", PREFIX + name], check=False, capture_output=True
            )
        shutil.rmtree(self._folder, ignore_errors=True)

    def run(
        self,
        arguments: Sequence[str],
        cwd: Path,
        environment: Mapping[str, str],
        patience_s: float = 180,
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on the controller."""
        return subprocess.run(
            ["ip", "netns", "exec", PREFIX + CONTROLLER, *arguments],
            cwd=cwd,
            env={**os.environ, **environment},
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            check=False,
            timeout=patience_s,
        )

    def root(self, name: str) -> Path:
        """The file system of a machine, seen from outside."""
        return Path(f"/proc/{self._processes[self.machines.index(name)].pid}/root")

    def start(
        self, arguments: Sequence[str], cwd: Path, environment: Mapping[str, str]
    ) -> "subprocess.Popen[str]":
        """Start a program on the controller."""
        return subprocess.Popen(
            ["ip", "netns", "exec", PREFIX + CONTROLLER, *arguments],
            cwd=cwd,
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def on(self, name: str, command: str) -> subprocess.CompletedProcess[str]:
        """Run a command on a machine, as its root."""
        process = self._processes[self.machines.index(name)]
        return subprocess.run(
            [
                *("nsenter", f"--target={process.pid}", "--net", "--mount", "--uts"),
                *(f"--pid=/proc/{process.pid}/ns/pid_for_children", "sh", "-c", command),
            ],
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )

    @property
    def ssh_config(self) -> str:
        """How the controller logs in, as OpenSSH has it."""
        return (
            "Host *\n"
            f"  IdentityFile {self._folder}/keys/client\n"
            "  IdentitiesOnly yes\n"
            f"  UserKnownHostsFile {self._folder}/keys/known_hosts\n"
        )

    def forge_host_key(self, name: str) -> None:
        """Let the controller know another key of a machine than the one that it has."""
        path = self._folder / "keys" / "known_hosts"
        other = (self._folder / "keys" / "client.pub").read_text().strip()
        lines = path.read_text().splitlines()
        mine = self.addresses[name] + " "
        path.write_text("".join(f"{mine + other if x.startswith(mine) else x}\n" for x in lines))

    def _make_keys(self) -> None:
        keys = self._folder / "keys"
        keys.mkdir()
        for name in ("client", *(f"host-{name}" for name in self.machines)):
            command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f"]
            subprocess.run([*command, str(keys / name)], check=True)
        lines = [
            f"{self.addresses[name]} {(keys / f'host-{name}.pub').read_text().strip()}\n"
            for name in self.machines
        ]
        (keys / "known_hosts").write_text("".join(lines))

    def cut(self, cable: Cable) -> None:
        """Pull a cable."""
        name, port = cable.a
        _ip(["-n", PREFIX + name], [f"link set {port} down"])

    def _lay_cables(self) -> None:
        _ip([], [f"netns add {PREFIX}{name}" for name in self.machines])
        ports = dict.fromkeys(self.machines, 0)
        lines = []
        configuration: dict[str, list[str]] = {
            name: ["link set lo up", f"addr add {self.addresses[name]}/32 dev lo"]
            for name in self.machines
        }
        for number, (a, b) in enumerate(self._pairs):
            ends = []
            for name in (a, b):
                ends.append((name, f"eth{ports[name]}"))
                ports[name] += 1
            cable = Cable(*ends)
            self.cables.append(cable)
            lines.append(
                f"link add {cable.a[1]} netns {PREFIX}{a} "
                f"type veth peer name {cable.b[1]} netns {PREFIX}{b}"
            )
            net = f"10.0.{number // 64}.{number % 64 * 4}"
            base = net.rsplit(".", 1)
            for place, (name, port) in enumerate(ends, start=1):
                address = f"{base[0]}.{int(base[1]) + place}"
                other = f"{base[0]}.{int(base[1]) + 3 - place}"
                configuration[name] += [f"addr add {address}/30 dev {port}", f"link set {port} up"]
                self._neighbours[name].append((ends[2 - place][0], other))
        _ip([], lines)
        for name, commands in configuration.items():
            _ip(["-n", PREFIX + name], commands)

    def _set_routes(self) -> None:
        for name in self.machines:
            routes = [
                f"route add {self.addresses[other]}/32 via {via} src {self.addresses[name]}"
                for other, via in self._first_hops(name).items()
            ]
            _ip(["-n", PREFIX + name], routes)
            forward = "net.ipv4.ip_forward=1"
            subprocess.run(
                ["ip", "netns", "exec", PREFIX + name, "sysctl", "-qw", forward], check=True
            )

    def _first_hops(self, start: str) -> dict[str, str]:
        """The next hop to every other machine, along a shortest way."""
        hops: dict[str, str] = {}
        waiting: deque[tuple[str, str | None]] = deque([(start, None)])
        seen = {start}
        while waiting:
            name, via = waiting.popleft()
            for other, address in self._neighbours[name]:
                if other not in seen:
                    seen.add(other)
                    hops[other] = via or address
                    waiting.append((other, via or address))
        return hops

    def _start_machines(self) -> None:
        script = Path(__file__).with_name("machine.sh")
        for name in self.machines:
            folder = self._folder / name
            folder.mkdir()
            with (folder / "log").open("wb") as log:
                self._processes.append(
                    subprocess.Popen(
                        [
                            *("ip", "netns", "exec", PREFIX + name),
                            *("unshare", "--mount", "--uts", "--ipc", "--pid", "--fork"),
                            *("--kill-child", "sh", str(script), name, str(folder)),
                            str(self._folder / "keys"),
                        ],
                        env={**os.environ, "PATH": f"{os.environ['PATH']}:/usr/sbin:/sbin"},
                        stdin=subprocess.DEVNULL,
                        stdout=log,
                        stderr=subprocess.STDOUT,
                        start_new_session=True,
                    )
                )

    def _wait(self) -> None:
        """Until every machine hears all its neighbours."""
        wanted = {name: len(others) for name, others in self._neighbours.items()}
        deadline = time.monotonic() + 60
        while wanted:
            for name in list(wanted):
                if self._heard(name) >= wanted[name]:
                    del wanted[name]
            if time.monotonic() > deadline:
                raise AssertionError(f"no neighbours at {wanted}: {self._logs(next(iter(wanted)))}")

    def _wait_for_ssh(self) -> None:
        """Until every machine lets the controller in."""
        waiting = [name for name in self.machines if name != CONTROLLER]
        deadline = time.monotonic() + 60
        program = "import socket, sys; socket.create_connection((sys.argv[1], 22), 1)"
        while waiting:
            address = self.addresses[waiting[0]]
            knock = [sys.executable, "-c", program, address]
            if self.run(knock, self._folder, {}).returncode == 0:
                waiting.pop(0)
            elif time.monotonic() > deadline:
                raise AssertionError(f"{waiting[0]} has no SSH: {self._logs(waiting[0])}")
            else:
                time.sleep(0.1)

    def _logs(self, name: str) -> str:
        paths = sorted((self._folder / name).glob("*log"))
        return "\n".join(f"{p.name}: {p.read_text(errors='replace')[-400:]}" for p in paths)

    def _heard(self, name: str) -> int:
        column = "1.0.8802.1.1.2.1.4.1.1.9"
        walked = subprocess.run(
            [
                *("ip", "netns", "exec", PREFIX + CONTROLLER, "snmpbulkwalk", "-v2c"),
                *("-cpublic", "-r0", "-t0.5", "-On", "-OQ", self.addresses[name], column),
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        return walked.stdout.count(f".{column}.")


def _ip(options: Sequence[str], lines: Sequence[str]) -> None:
    subprocess.run(["ip", *options, "-batch", "-"], input="\n".join(lines), text=True, check=True)
