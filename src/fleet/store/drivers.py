"""The bare database drivers: sqlite3 from Python's library, and psycopg."""

import sqlite3
from typing import Any, Protocol

from fleet.errors import DataError, Malformed, TimedOut, Unreachable

SQLITE = "sqlite:///"
POSTGRES = ("postgresql://", "postgresql+psycopg://")


class _Cursor(Protocol):
    def fetchall(self) -> list[Any]: ...


class Connection(Protocol):
    """As much of PEP 249 as is used here."""

    def execute(self, sql: str, parameters: Any = ..., /) -> _Cursor: ...
    def close(self) -> None: ...


def import_psycopg() -> Any:
    """PostgreSQL's driver, which is an extra.

    Raises:
        Malformed: it is not installed.
    """
    try:
        import psycopg
    except ImportError as error:
        raise Malformed(
            "PostgreSQL needs the package psycopg",
            hint="pip install 'fleet-toolkit[postgres]'",
        ) from error
    return psycopg


def to_libpq(url: str) -> str:
    """A URL as PostgreSQL's own programs take it."""
    return "postgresql://" + url.partition("://")[2]


def translate(error: sqlite3.Error) -> DataError | TimedOut | Unreachable:
    """The fleet error for what SQLite said."""
    text = str(error)
    if "locked" in text or "busy" in text:
        return TimedOut(
            "the database is locked by another program",
            hint="wait until it is done; `fleet doctor` tells more",
        )
    if "not a database" in text or "malformed" in text:
        return Malformed(
            f"the database file is damaged: {text}",
            hint="move it away and run `fleet store restore BACKUP`, or `fleet sync` anew",
        )
    return Unreachable(f"the database cannot be used: {text}")
