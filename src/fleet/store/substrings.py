"""An index of the parts of look-up keys, where there are so many that reading them all takes long.

SQLite: FTS5 with trigrams over the keys' own table, kept by triggers. PostgreSQL: a trigram index
of pg_trgm, where that extension may be had; else parts are found by reading all keys.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

LARGE = 30_000
"""Devices from which on the index pays for itself: below, reading all keys takes milliseconds."""

INDEX = "lookup_part"
_SQLITE = (
    f"CREATE VIRTUAL TABLE {INDEX} USING fts5(normal, content='lookup', content_rowid='id',"
    " tokenize='trigram case_sensitive 1', detail='none', columnsize=0)",
    f"CREATE TRIGGER {INDEX}_new AFTER INSERT ON lookup BEGIN"
    f" INSERT INTO {INDEX} (rowid, normal) VALUES (new.id, new.normal); END",
    f"CREATE TRIGGER {INDEX}_gone AFTER DELETE ON lookup BEGIN"
    f" INSERT INTO {INDEX} ({INDEX}, rowid, normal) VALUES ('delete', old.id, old.normal); END",
    f"CREATE TRIGGER {INDEX}_changed AFTER UPDATE OF normal ON lookup BEGIN"
    f" INSERT INTO {INDEX} ({INDEX}, rowid, normal) VALUES ('delete', old.id, old.normal);"
    f" INSERT INTO {INDEX} (rowid, normal) VALUES (new.id, new.normal); END",
    f"INSERT INTO {INDEX} ({INDEX}) VALUES ('rebuild')",
)
_POSTGRES = (
    "CREATE EXTENSION IF NOT EXISTS pg_trgm",
    f"CREATE INDEX {INDEX} ON lookup USING gin (normal gin_trgm_ops)",
)


def index_parts(connection: "Connection") -> bool:
    """Build the index if the inventory is large and has none; whether it was built."""
    from sqlalchemy.exc import DBAPIError

    devices = connection.exec_driver_sql("SELECT count(*) FROM device").scalar_one()
    if devices < LARGE or _is_there(connection):
        return False
    is_postgres = connection.dialect.name == "postgresql"
    try:
        with connection.begin_nested():
            for statement in _POSTGRES if is_postgres else _SQLITE:
                connection.exec_driver_sql(statement)
    except DBAPIError:
        # No right to the extension, or a SQLite without trigrams (before 3.34): slower, not wrong.
        return False
    return True


def _is_there(connection: "Connection") -> bool:
    is_postgres = connection.dialect.name == "postgresql"
    known = "pg_class WHERE relname" if is_postgres else "sqlite_master WHERE name"
    return bool(
        connection.exec_driver_sql(f"SELECT count(*) FROM {known} = '{INDEX}'").scalar_one()
    )


def to_match(part: str) -> str | None:
    """What FTS5 is asked for a part: trigrams that cover it; None: it is too short for any.

    That a key has them all does not yet say that it has them side by side. Those between would
    leave out little more, and each costs the reading of all the keys that have it.
    """
    last = len(part) - 3
    trigrams = dict.fromkeys(part[at : at + 3] for at in [*range(0, last, 3), last] if at >= 0)
    quoted = (trigram.replace('"', '""') for trigram in trigrams)
    return " AND ".join(f'"{trigram}"' for trigram in quoted) or None
