"""Who stands in the database as having done something, and how that is taken out again."""

import re
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from typing import NamedTuple

from sqlalchemy import Connection, text

from fleet.store.drivers import SQLITE

# Where the user of the operating system who did something is kept: table, column, and when.
PLACES = (
    ("change", "actor", "at_us"),
    ("plan", "actor", "at_us"),
    ("proposal", "actor", "at_us"),
    ("answer", "actor", "at_us"),
    ("rollout", "actor", "at_us"),
    ("maintenance", "actor", "at_us"),
    ("maintenance", "ended_by", "ended_us"),
    ("correction", "actor", "at_us"),
    ("audit", "actor", "at_us"),
    ("lease", "owner", "since_us"),
)
PSEUDONYM = "person-"  # how a name begins that took the place of a person's


class Named(NamedTuple):
    """How often somebody stands in a table, and from when to when (microseconds)."""

    table: str
    name: str
    entries: int
    first_us: int
    last_us: int


def named(connection: Connection, before_us: int | None = None) -> list[Named]:
    """Who stands where; pseudonyms do not count.

    Args:
        before_us: only what is older.
    """
    found = []
    for table, column, at in PLACES:
        when = f" AND {at} < :before" if before_us is not None else ""
        rows = connection.execute(
            text(
                f"SELECT {column}, count(*), min({at}), max({at}) FROM {table}"
                f" WHERE {column} IS NOT NULL{when} GROUP BY {column} ORDER BY {column}"
            ),
            {"before": before_us} if before_us is not None else {},
        )
        found += [
            Named(table, str(name), int(count), int(first), int(last))
            for name, count, first, last in rows
            if not is_pseudonym(str(name))
        ]
    return found


def is_pseudonym(name: str) -> bool:
    """Whether a name took the place of another."""
    return re.fullmatch(PSEUDONYM + "[0-9a-f]{8}", name) is not None


def forget(connection: Connection, pseudonyms: Mapping[str, str], before_us: int | None) -> int:
    """Put pseudonyms into the places of names; how many entries that were.

    What was done stays, in the order in which it was done, and by the same somebody.
    """
    changed = 0
    for table, column, at in PLACES:
        when = f" AND {at} < :before" if before_us is not None else ""
        with _unlocked(connection, table):
            for name, pseudonym in sorted(pseudonyms.items()):
                values = {"name": name, "other": pseudonym}
                statement = text(
                    f"UPDATE {table} SET {column} = :other WHERE {column} = :name{when}"
                )
                more = {"before": before_us} if before_us is not None else {}
                changed += connection.execute(statement, values | more).rowcount
    return changed


def wipe(url: str) -> bool:
    """Empty SQLite's log, in which what was overwritten still stands; whether nobody was reading.

    PostgreSQL does so by itself, in time.
    """
    if not url.startswith(SQLITE):
        return True
    with closing(sqlite3.connect(url.removeprefix(SQLITE), timeout=5)) as connection:
        busy, _, _ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return not busy


@contextmanager
def _unlocked(connection: Connection, table: str) -> Iterator[None]:
    """The append-only triggers of a table are off, within this transaction alone."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))
        yield
        connection.execute(text(f"ALTER TABLE {table} ENABLE TRIGGER USER"))
        return
    triggers = _triggers(connection, table)
    for name, _ in triggers:
        connection.execute(text(f"DROP TRIGGER {name}"))
    yield
    for _, sql in triggers:
        connection.exec_driver_sql(sql)


def _triggers(connection: Connection, table: str) -> Sequence[tuple[str, str]]:
    rows = connection.execute(
        text("SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND tbl_name = :table"),
        {"table": table},
    )
    return [(str(name), str(sql)) for name, sql in rows]
