"""Looking after the database: check, backup, restore.

A backup is always a SQLite file, whatever database it came from, and can be restored into
either: one form to keep, to copy and to look into.
"""

import itertools
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import create_engine, select
from sqlalchemy.pool import NullPool
from sqlmodel import SQLModel

from fleet.core.history import replay
from fleet.core.lookup import find_keys
from fleet.core.record import to_record
from fleet.errors import Duplicate, Malformed, NotFound
from fleet.store import tables
from fleet.store.drivers import SQLITE, translate
from fleet.store.engine import begin, open_engine
from fleet.store.migrate import upgrade
from fleet.store.reader import Reader, open_reader
from fleet.store.schema import check_revision

assert tables

_BATCH = 5000


def back_up(url: str, target: Path) -> None:
    """Write a consistent copy of the database, while others go on writing.

    Raises:
        Duplicate: the file exists.
        NotFound: there is no database yet.
    """
    if target.exists():
        raise Duplicate(f"{target} exists", hint="a backup never overwrites: choose another name")
    if not target.absolute().parent.is_dir():
        raise NotFound(f"there is no folder {target.parent}", hint="make it first")
    reader = open_reader(url)
    if reader is None:
        raise NotFound("there is no database yet", hint="fleet sync")
    reader.close()
    part = target.with_name(target.name + ".part")
    try:
        part.unlink(missing_ok=True)
        if url.startswith(SQLITE):
            _copy_sqlite(Path(url.removeprefix(SQLITE)), part)
        else:
            _copy_tables(url, f"{SQLITE}{part}")
        part.replace(target)
    except sqlite3.Error as error:
        raise translate(error) from error
    except OSError as error:
        raise Malformed(f"cannot write {target}: {error.strerror}") from error
    finally:
        part.unlink(missing_ok=True)


def restore(url: str, backup: Path) -> None:
    """Fill an empty database from a backup.

    Raises:
        NotFound: there is no such backup.
        Malformed: it is damaged.
        Duplicate: the database is not empty.
    """
    if not backup.is_file():
        raise NotFound(f"there is no backup {backup}")
    source = f"{SQLITE}{backup.absolute()}"
    reader = open_reader(source)
    if reader is None:
        raise Malformed(f"{backup} is not a backup that fleet made")
    with reader:
        if problems := list(_sqlite_problems(reader)):
            raise Malformed(f"{backup} is damaged: {problems[0]}")
    path = Path(url.removeprefix(SQLITE)) if url.startswith(SQLITE) else None
    if _leftovers(path) if path else _has_content(url):
        hint = "restore never overwrites: move the database away first, with its -wal and -shm"
        raise Duplicate("there is a database already", hint=hint)
    if path:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        _copy_sqlite(backup, part)
        part.replace(path)
    else:
        _copy_tables(source, url)


def _leftovers(path: Path) -> list[Path]:
    """The database file, and journals beside it, which SQLite would play into a new one."""
    return [p for end in ("", "-wal", "-shm") if (p := path.with_name(path.name + end)).exists()]


def _has_content(url: str) -> bool:
    reader = open_reader(url)
    if reader is None:
        return False
    with reader:
        return not reader.is_empty()


def _copy_sqlite(source: Path, target: Path) -> None:
    target.unlink(missing_ok=True)
    reading = sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True, timeout=5)
    writing = sqlite3.connect(target)
    try:
        reading.backup(writing)
        # A file of its own, without a journal beside it.
        writing.execute("PRAGMA journal_mode=DELETE")
    finally:
        writing.close()
        reading.close()


def _copy_tables(source: str, target: str) -> None:
    """Copy every row of every table, as they were at one instant."""
    into = open_engine(target)
    upgrade(into)
    url = source if source.startswith(SQLITE) else "postgresql+psycopg://" + source.split("://")[1]
    level = "SERIALIZABLE" if source.startswith(SQLITE) else "REPEATABLE READ"
    out_of = create_engine(url, poolclass=NullPool, isolation_level=level)
    with out_of.connect() as reading, begin(into) as writing:
        for table in SQLModel.metadata.sorted_tables:
            result = reading.execute(select(table)).mappings()
            while rows := result.fetchmany(_BATCH):
                writing.execute(table.insert(), [dict(row) for row in rows])
            if writing.dialect.name == "postgresql" and "id" in table.c:
                writing.exec_driver_sql(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', 'id'),"
                    f' coalesce((SELECT max(id) FROM "{table.name}"), 0) + 1, false)'
                )
    into.dispose()
    out_of.dispose()


def check(url: str) -> list[str]:
    """What is wrong inside the database; empty: nothing.

    Looks at the file, at references, at look-up keys, at the history (played back, it must
    lead to the inventory as it is) and at the state intervals (they must not overlap).
    """
    reader = open_reader(url)
    if reader is None:
        raise NotFound("there is no database yet", hint="fleet sync")
    with reader:
        check_revision(reader.revision())
        problems = list(_sqlite_problems(reader)) if url.startswith(SQLITE) else []
        problems += _key_problems(reader)
        problems += _history_problems(reader)
        problems += _interval_problems(reader)
        return problems


def _sqlite_problems(reader: Reader) -> Iterator[str]:
    for (line,) in reader.rows("PRAGMA integrity_check"):
        if line != "ok":
            yield f"file: {line}"
    for table, row, parent, _ in reader.rows("PRAGMA foreign_key_check"):
        yield f"reference: row {row} of {table} refers to nothing in {parent}"


def _key_problems(reader: Reader) -> Iterator[str]:
    there = {(k.kind, k.name, k.field, k.value) for k in reader.all_keys("inventory")}
    wanted = {(k.kind, k.name, k.field, k.value) for k in find_keys(reader.inventory())}
    if missing := wanted - there:
        yield f"look-up: {len(missing)} keys are missing, such as {min(missing)[3]}"
    if extra := there - wanted:
        yield f"look-up: {len(extra)} keys are left over, such as {min(extra)[3]}"


def _history_problems(reader: Reader) -> Iterator[str]:
    played = replay(reader.history())
    for kind in tables.ROWS:
        for key, thing in reader.inventory().of_kind(kind).items():
            if played.get((kind, key)) != to_record(thing):
                yield f"history: it does not lead to {kind} {key} as it is"


def _interval_problems(reader: Reader) -> Iterator[str]:
    for device, intervals in reader.intervals((-(2**62), 2**62)).items():
        for (_, _, until), (_, since, _) in itertools.pairwise(intervals):
            if until is None or until > since:
                yield f"states: intervals of {device} overlap"
                break
