"""A real NetBox on loopback: installed from the package index, with PostgreSQL and Redis.

`python -m tests.netbox.server` makes it in `.netbox/` once (some minutes) and then runs the
tests against it; the database is a copy of an empty one each time.
"""

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

HOME = Path(os.environ.get("FLEET_NETBOX_HOME", Path(__file__).parents[2] / ".netbox"))
VERSION = "netbox>=4.7,<4.8"
ADDRESS = "127.0.0.1"
TOKEN = "0123456789abcdef0123456789abcdef01234567"
_CONFIGURATION = """\
ALLOWED_HOSTS = ["*"]
DATABASES = {{"default": {{"NAME": "{name}", "USER": "postgres", "PASSWORD": "",
    "HOST": "127.0.0.1", "PORT": "{port}", "CONN_MAX_AGE": 300}}}}
REDIS = {{"tasks": {{"HOST": "127.0.0.1", "PORT": {redis}, "DATABASE": 0}},
    "caching": {{"HOST": "127.0.0.1", "PORT": {redis}, "DATABASE": 1}}}}
SECRET_KEY = "{key}"
API_TOKEN_PEPPERS = {{1: "{key}"}}
ISOLATED_DEPLOYMENT = True
CENSUS_REPORTING_ENABLED = False
RELEASE_CHECK_URL = None
MEDIA_ROOT = REPORTS_ROOT = SCRIPTS_ROOT = "{folder}"
"""
_FIRST_USER = f"""\
from users.models import Token, User
user = User.objects.create(username="admin", is_superuser=True, is_active=True)
Token(user=user, version=1, token="{TOKEN}").save()
"""


def find_python() -> str | None:
    """A Python that NetBox 4.7 runs on."""
    candidates = sorted(Path.home().glob(".pyenv/versions/3.1[2-9]*/bin/python"))
    names = [str(c) for c in candidates]
    names += [p for n in ("3.12", "3.13", "3.14") if (p := shutil.which(f"python{n}"))]
    for name in names:
        done = subprocess.run(
            [name, "-c", "import sys, ssl, venv; sys.exit(sys.version_info < (3, 12))"],
            capture_output=True,
            check=False,
        )
        if done.returncode == 0:
            return name
    return None


def missing() -> str | None:
    """What this machine lacks to run a NetBox; None: nothing."""
    if find_python() is None:
        return "Python 3.12 or newer"
    if not list(Path("/usr/lib/postgresql").glob("*/bin/initdb")):
        return "PostgreSQL (Debian: postgresql)"
    if shutil.which("redis-server") is None:
        return "Redis (Debian: redis-server)"
    return None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((ADDRESS, 0))
        return int(probe.getsockname()[1])


def _run(command: Sequence[str], **more: object) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False, **more)  # type: ignore[call-overload]
    assert done.returncode == 0, f"{command}: {done.stdout[-1500:]}{done.stderr[-1500:]}"


class Database:
    """A PostgreSQL server with a data folder that outlives it.

    Args:
        folder: of its data; every user must be able to get there.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._programs = sorted(Path("/usr/lib/postgresql").glob("*/bin"))[-1]
        self.port = free_port()
        self._as = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []

    def __enter__(self) -> "Database":
        if not (self._folder / "PG_VERSION").exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._as:
                shutil.chown(self._folder, "postgres")
            options = ["-D", str(self._folder), "-A", "trust", "-U", "postgres", "-E", "UTF8"]
            _run([*self._as, str(self._programs / "initdb"), *options, "--locale=C.UTF-8"])
        (self._folder / "postmaster.pid").unlink(missing_ok=True)
        options = f"-p {self.port} -c listen_addresses={ADDRESS} -c unix_socket_directories="
        options += " -c fsync=off -c full_page_writes=off -c synchronous_commit=off"
        control = [*self._as, str(self._programs / "pg_ctl"), "-D", str(self._folder), "-w"]
        self._control = control
        log = ["-l", str(self._folder / "log")]
        done = subprocess.run(
            [*control, "-o", options, *log, "start"], stdout=subprocess.DEVNULL, check=False
        )
        assert done.returncode == 0, (self._folder / "log").read_text()[-1500:]
        return self

    def __exit__(self, *_: object) -> None:
        subprocess.run(
            [*self._control, "-m", "immediate", "stop"], stdout=subprocess.DEVNULL, check=False
        )

    def run(self, statement: str) -> None:
        _run(
            [
                *(str(self._programs / "psql"), "-h", ADDRESS, "-p", str(self.port)),
                *("-U", "postgres", "-qc", statement),
            ]
        )


@contextmanager
def _redis() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen(
        ["redis-server", "--port", str(port), "--bind", ADDRESS, "--save", "", "--daemonize", "no"],
        stdout=subprocess.DEVNULL,
        cwd=tempfile.gettempdir(),
    )
    try:
        yield port
    finally:
        process.terminate()
        process.wait()


def _data() -> Path:
    """Where the database lies: kept between runs, and open to the user postgres."""
    kept = HOME / "data"
    if not kept.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        folder = Path(tempfile.mkdtemp(prefix="fleet-netbox-"))
        folder.chmod(0o755)
        kept.write_text(str(folder / "pg"))
    return Path(kept.read_text())


def _configure(name: str, database: Database, redis: int) -> dict[str, str]:
    folder = HOME / "configuration"
    folder.mkdir(exist_ok=True)
    text = _CONFIGURATION.format(
        name=name,
        port=database.port,
        redis=redis,
        key=secrets.token_hex(40),
        folder=folder,
    )
    (folder / "fleet_netbox_configuration.py").write_text(text)
    return {
        "PATH": f"{HOME / 'venv/bin'}:{os.environ['PATH']}",
        "HOME": str(HOME),
        "PYTHONPATH": str(folder),
        "NETBOX_CONFIGURATION": "fleet_netbox_configuration",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def prepare() -> None:
    """Install NetBox and make an empty database; done once, it takes some minutes."""
    python = find_python()
    assert python is not None
    if not (HOME / "venv/installed").exists():
        shutil.rmtree(HOME / "venv", ignore_errors=True)
        _run([python, "-m", "venv", str(HOME / "venv")])
        _run([str(HOME / "venv/bin/pip"), "-q", "install", VERSION, "gunicorn"])
        (HOME / "venv/installed").touch()
    if not (HOME / "migrated").exists():
        with Database(_data()) as database, _redis() as redis:
            database.run("DROP DATABASE IF EXISTS empty")
            database.run("CREATE DATABASE empty")
            environment = _configure("empty", database, redis)
            program = str(HOME / "venv/bin/netbox")
            _run([program, "migrate"], env=environment)
            _run([program, "shell"], env=environment, input=_FIRST_USER)
        (HOME / "migrated").touch()


class NetBoxServer:
    """A NetBox that runs.

    Args:
        url: of its root.
        token: of a user who may do everything.
    """

    def __init__(self, url: str, environment: dict[str, str]) -> None:
        self.url = url
        self.token = TOKEN
        self._environment = environment

    def shell(self, code: str) -> str:
        """Run Python inside NetBox; what it printed."""
        done = subprocess.run(
            [str(HOME / "venv/bin/netbox"), "shell"],
            input=code,
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert "Traceback" not in done.stderr + done.stdout, (done.stderr + done.stdout)[-2000:]
        return done.stdout

    def api(self, method: str, path: str, body: object = None) -> object:
        """Ask it as a person's script would."""
        request = urllib.request.Request(
            f"{self.url}/api/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={
                "Authorization": f"Token {self.token}",
                "Content-Type": "application/json",
                "Accept": "application/json",
            },
        )
        with urllib.request.urlopen(request, timeout=120) as response:
            text = response.read()
        return json.loads(text) if text else None


@contextmanager
def serve() -> Iterator[NetBoxServer]:
    """A NetBox with an empty database of its own, prepared before."""
    with Database(_data()) as database, _redis() as redis:
        database.run("DROP DATABASE IF EXISTS netbox")
        database.run("CREATE DATABASE netbox TEMPLATE empty")
        environment = _configure("netbox", database, redis)
        port = free_port()
        command = [str(HOME / "venv/bin/gunicorn"), "-w", "2", "--timeout", "300"]
        with (HOME / "gunicorn.log").open("wb") as log:
            process = subprocess.Popen(
                [*command, "--no-control-socket", "-b", f"{ADDRESS}:{port}", "netbox.wsgi"],
                env=environment,
                cwd=HOME,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        server = NetBoxServer(f"http://{ADDRESS}:{port}", environment)
        try:
            _wait(server)
            yield server
        finally:
            process.terminate()
            process.wait(timeout=30)


def _wait(server: NetBoxServer) -> None:
    deadline = time.monotonic() + 120
    while True:
        try:
            server.api("GET", "status/")
        except (urllib.error.URLError, ConnectionError):
            assert time.monotonic() < deadline, (HOME / "gunicorn.log").read_text()[-2000:]
            time.sleep(0.5)
        else:
            return


if __name__ == "__main__":
    if lacking := missing():
        sys.exit(f"no NetBox can run here: {lacking} is missing")
    prepare()
