"""Opening the database for writing, the same way for SQLite and PostgreSQL.

SQLite: WAL, foreign keys on, and every transaction begins with BEGIN IMMEDIATE, as SQLAlchemy's
default loses updates without any error (half of the increments of four threads). PostgreSQL:
one advisory lock per transaction does the same.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.exc import DBAPIError, OperationalError, SQLAlchemyError
from sqlalchemy.pool import NullPool

from fleet.errors import FleetError, Rejected, Unreachable
from fleet.store.drivers import SQLITE, import_psycopg, translate
from fleet.store.reader import Reader

_PRAGMAS = (
    "journal_mode=WAL",
    "foreign_keys=ON",
    "synchronous=NORMAL",
    "busy_timeout=5000",
    "secure_delete=ON",  # names that were taken out do not stand in free pages
)
_WRITERS_LOCK = 0x666C656574  # "fleet": one writer at a time


def open_engine(url: str) -> Engine:
    """An engine whose transactions may write."""
    if url.startswith(SQLITE):
        return _sqlite(url)
    if not url.startswith("postgresql"):
        raise Rejected(
            f"the store's URL begins with `{url.partition(':')[0]}`",
            hint="use sqlite:///PATH or postgresql+psycopg://USER@HOST/NAME",
        )
    import_psycopg()
    url = "postgresql+psycopg://" + url.partition("://")[2]
    engine = create_engine(url, poolclass=NullPool, connect_args={"connect_timeout": 10})

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.execute(text(f"SELECT pg_advisory_xact_lock({_WRITERS_LOCK})"))

    return engine


def _sqlite(url: str) -> Engine:
    Path(url.removeprefix(SQLITE)).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, poolclass=NullPool)

    @event.listens_for(engine, "connect")
    def _connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None  # SQLAlchemy begins transactions, not sqlite3
        for pragma in _PRAGMAS:
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine


@contextmanager
def begin(engine: Engine) -> Iterator[Connection]:
    """One transaction: committed at the end, or rolled back whole.

    Raises:
        RemoteError: the database cannot be reached or is locked.
    """
    with translated(), engine.begin() as connection:
        yield connection


@contextmanager
def translated() -> Iterator[None]:
    """Turns what SQLAlchemy and SQLite say into errors of fleet."""
    try:
        yield
    except SQLAlchemyError as error:
        raise _translate(error) from error
    except sqlite3.Error as error:
        raise translate(error) from error


def _translate(error: SQLAlchemyError) -> FleetError:
    origin = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(origin, sqlite3.OperationalError) or (
        type(origin) is sqlite3.DatabaseError and isinstance(origin, sqlite3.Error)
    ):
        return translate(origin)
    if isinstance(error, OperationalError):
        return Unreachable(f"the database does not answer: {origin}".strip())
    return Rejected(f"the database refused: {origin or error}".strip())


def reader_of(connection: Connection) -> Reader:
    """Reads inside the transaction of `connection`."""
    driver = connection.connection.driver_connection
    assert driver is not None
    return Reader(driver, is_postgres=connection.dialect.name == "postgresql")
