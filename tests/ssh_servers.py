"""Real SSH servers on loopback: one process, a machine for each address, with a home of its own.

asyncssh needs nothing but Python; OpenSSH's sshd is used beside it where it is installed.
"""

import asyncio
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import textwrap
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import asyncssh

SSHD = shutil.which("sshd", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
SERVERS = ["asyncssh", *(["openssh"] if SSHD else [])] if shutil.which("ssh") else []


@dataclass(frozen=True)
class Machines:
    """Where the machines are, and how ansible-playbook reaches them."""

    port: int
    homes: dict[str, Path]
    environment: dict[str, str]
    config: Path  # of OpenSSH


@contextmanager
def start_machines(kind: str, addresses: Sequence[str], folder: Path) -> Iterator[Machines]:
    host_key, client_key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    for name, key in (("host", host_key), ("client", client_key)):
        key.write_private_key(str(folder / name))
        key.write_public_key(str(folder / f"{name}.pub"))
        (folder / name).chmod(0o600)
    homes = {address: folder / "homes" / address for address in addresses}
    for home in homes.values():
        home.mkdir(parents=True)
    port = _free_port(addresses[0])
    public = (folder / "host.pub").read_text().strip()
    (folder / "known_hosts").write_text("".join(f"[{a}]:{port} {public}\n" for a in addresses))
    with ExitStack() as stack:
        # Short, as a path to a socket may have 107 characters.
        sockets = stack.enter_context(tempfile.TemporaryDirectory(prefix="f", dir="/tmp"))
        options = {
            "UserKnownHostsFile": folder / "known_hosts",
            "IdentityFile": folder / "client",
            "IdentitiesOnly": "yes",
        }
        lines = [f"  {k} {v}" for k, v in options.items()]
        (folder / "config").write_text("Host *\n" + "\n".join(lines) + "\n")
        environment = {
            "ANSIBLE_SSH_CONTROL_PATH_DIR": sockets,
            "ANSIBLE_PYTHON_INTERPRETER": sys.executable,
            "ANSIBLE_LOCAL_TEMP": str(folder / "ansible"),
            "ANSIBLE_REMOTE_TEMP": str(folder / "ansible-remote"),
        }
        start = _asyncssh if kind == "asyncssh" else _openssh
        stack.enter_context(start(addresses, port, folder, homes))
        yield Machines(port, homes, environment, folder / "config")


def _free_port(address: str) -> int:
    with closing(socket.socket()) as one:
        one.bind((address, 0))
        return int(one.getsockname()[1])


@contextmanager
def _asyncssh(
    addresses: Sequence[str], port: int, folder: Path, homes: dict[str, Path]
) -> Iterator[None]:
    loop = asyncio.new_event_loop()
    started = threading.Event()

    async def run(process: asyncssh.SSHServerProcess[bytes]) -> None:
        home = homes[process.get_extra_info("sockname")[0]]
        child = await asyncio.create_subprocess_exec(
            "/bin/sh",
            "-c",
            process.command or "exit 0",
            stdin=-1,
            stdout=-1,
            stderr=-1,
            cwd=home,
            env={"PATH": os.environ["PATH"], "HOME": str(home), "LC_ALL": "C.UTF-8"},
        )
        assert child.stdin and child.stdout and child.stderr

        async def give() -> None:
            assert child.stdin
            try:
                while data := await process.stdin.read(65_536):
                    child.stdin.write(data)
                    await child.stdin.drain()
            except (OSError, asyncssh.Error):
                pass
            child.stdin.close()

        async def take(source: asyncio.StreamReader, sink: asyncssh.SSHWriter[bytes]) -> None:
            while data := await source.read(65_536):
                sink.write(data)
                await sink.drain()

        giving = asyncio.create_task(give())
        await asyncio.gather(take(child.stdout, process.stdout), take(child.stderr, process.stderr))
        status = await child.wait()
        giving.cancel()
        process.exit(status if status >= 0 else 128 - status)

    connections: list[asyncssh.SSHServerConnection] = []

    class Server(asyncssh.SSHServer):
        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            connections.append(conn)

    async def stop(servers: list[asyncssh.SSHAcceptor]) -> None:
        for server in servers:
            server.close()
        for connection in connections:  # first: since 3.12 a server waits for its connections
            connection.abort()
            await connection.wait_closed()
        for server in servers:
            await server.wait_closed()

    async def serve() -> list[asyncssh.SSHAcceptor]:
        return [
            await asyncssh.listen(
                address,
                port,
                server_host_keys=[str(folder / "host")],
                authorized_client_keys=str(folder / "client.pub"),
                server_factory=Server,
                process_factory=run,
                sftp_factory=True,
                encoding=None,
            )
            for address in addresses
        ]

    def main() -> None:
        asyncio.set_event_loop(loop)
        servers = loop.run_until_complete(serve())
        started.set()
        loop.run_forever()
        loop.run_until_complete(stop(servers))
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        loop.close()

    thread = threading.Thread(target=main)
    thread.start()
    assert started.wait(20)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


@contextmanager
def _openssh(
    addresses: Sequence[str], port: int, folder: Path, homes: dict[str, Path]
) -> Iterator[None]:
    assert SSHD
    script = folder / "session"
    base = next(iter(homes.values())).parent
    script.write_text(
        textwrap.dedent(f"""\
        #!/bin/sh
        set -- $SSH_CONNECTION
        export HOME={base}/$3 PATH='{os.environ["PATH"]}' LC_ALL=C.UTF-8
        cd "$HOME" && exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"
        """)
    )
    script.chmod(0o755)
    sftp = next(
        (
            p
            for p in ("/usr/lib/openssh/sftp-server", "/usr/libexec/sftp-server")
            if Path(p).exists()
        ),
        "internal-sftp",
    )
    configuration = folder / "sshd_config"
    configuration.write_text(
        "".join(f"ListenAddress {address}:{port}\n" for address in addresses)
        + f"HostKey {folder}/host\nAuthorizedKeysFile {folder}/client.pub\nPidFile none\n"
        f"StrictModes no\nUsePAM no\nForceCommand {script}\nSubsystem sftp {sftp}\n"
        "PermitRootLogin yes\nMaxStartups 100\nPrintMotd no\n"
    )
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(exist_ok=True)  # sshd's own, wanted by Debian's build
    with (folder / "sshd.log").open("wb") as log:
        process = subprocess.Popen(
            [SSHD, "-D", "-e", "-f", str(configuration)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
        )
    try:
        deadline = time.monotonic() + 20
        while True:
            assert process.poll() is None, (folder / "sshd.log").read_text()
            with closing(socket.socket()) as one:
                if one.connect_ex((addresses[-1], port)) == 0:
                    break
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield
    finally:
        process.terminate()
        process.wait()
