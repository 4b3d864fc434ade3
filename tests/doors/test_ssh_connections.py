"""Connections to machines are kept from one reading to the next, and renewed when they broke."""

import getpass
import os
import socket
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

import asyncssh
import pytest

from fleet.ansible.ssh import Machine, Ssh
from fleet.core.observed import Kind, Observed
from tests.ssh_servers import SERVERS, Machines, start_machines

MACHINE = Machine(name="srv1", address="127.34.1.1")


@dataclass(frozen=True)
class Asked:
    ssh: Ssh
    machines: Machines

    def look(self) -> Observed:
        heard: list[Observed] = []
        self.ssh.read([(MACHINE, ["/etc/motd"])], heard.append)
        return heard[0]

    def connections(self) -> dict[int, int]:
        """Of this process to the machine: own port → number of the open file."""
        found = {}
        for entry in list(Path("/proc/self/fd").iterdir()):
            if entry.is_socket():
                with suppress(OSError), socket.socket(fileno=os.dup(int(entry.name))) as one:
                    if one.getpeername()[1:] == (self.machines.port,):
                        found[one.getsockname()[1]] = int(entry.name)
        return found


@pytest.fixture(params=SERVERS)
def asked(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Asked]:
    with start_machines(request.param, [MACHINE.address], tmp_path) as machines:
        (machines.homes[MACHINE.address] / "target/etc").mkdir(parents=True)
        (machines.homes[MACHINE.address] / "target/etc/motd").write_text("hello\n")
        ssh = Ssh(
            user=getpass.getuser(),
            port=machines.port,
            become=False,
            root="target",
            config=machines.config,
            at_once=1,
            timeout_s=20,
        )
        asked = Asked(ssh, machines)
        try:
            yield asked
        finally:
            ssh.close()
            assert not asked.connections()


def test_a_machine_is_logged_in_to_once_for_two_readings(asked: Asked) -> None:
    assert asked.look().files["/etc/motd"].kind is Kind.FILE
    first = asked.connections()
    assert len(first) == 1
    assert asked.look().files["/etc/motd"].data == b"hello\n"
    assert asked.connections() == first


def test_a_connection_that_broke_is_renewed(asked: Asked) -> None:
    asked.look()
    (broken,) = asked.connections().items()
    with socket.socket(fileno=os.dup(broken[1])) as one:
        one.shutdown(socket.SHUT_RDWR)
    assert asked.look().files["/etc/motd"].data == b"hello\n"
    assert broken[0] not in asked.connections()


def test_a_connection_that_says_nothing_any_more_is_renewed(asked: Asked) -> None:
    asked.look()
    (silent,) = asked.connections().items()
    near, far = socket.socketpair()
    with near, far, socket.socket(fileno=os.dup(silent[1])):
        # As if a firewall had forgotten the connection: nothing of it arrives any more.
        os.dup2(near.fileno(), silent[1])
        assert asked.look().files["/etc/motd"].data == b"hello\n"


def test_a_machine_that_is_asked_twice_at_once_leaves_nothing_open(asked: Asked) -> None:
    twice = replace(asked.ssh, at_once=2)
    heard: list[Observed] = []
    twice.read([(MACHINE, ["/etc/motd"]), (MACHINE, ["/etc/motd"])], heard.append)
    assert [one.error for one in heard] == [None, None]
    twice.close()


def test_a_change_is_confirmed_over_a_new_login(asked: Asked) -> None:
    asked.look()
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    stranger.write_private_key(str(asked.machines.config.parent / "client"))
    (asked.machines.config.parent / "client.pub").unlink()  # sshd lets nobody in
    assert asked.look().error is None
    said = asked.ssh.confirm([MACHINE], "c-1")["srv1"]
    assert said in (f"it does not let {getpass.getuser()} in", "Connection lost")
