"""The file of measurements: SQLite, beside the joint inventory's database.

Rows are found by one number, time first, so that new ones go to the end and old ones leave from
the beginning:

    sample   what each cycle said, until its hour is packed
    hour     all samples of a device and hour, packed
    day      its hours of one local day, rolled up
    month    its days of one month, rolled up
    device   its number, what it is asked, and its counters as they were last read
    had      the layouts that a device had, and the last hour of each
    layout   which series there are, shared by all devices that have the same
    sent     until when another store has been told
"""

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path

from fleet.core.metric.kinds import Key
from fleet.core.metric.reading import Layout
from fleet.errors import Unreachable

HOUR_US = 3_600_000_000
DEVICE_BITS = 20  # bits of a device's number

_MEND = "a file that cannot be mended may be moved away: it is made anew"
_PRAGMAS = ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=5000")
_PAGE = 16_384  # packed hours are some kilobytes each: small pages would be half empty
FORM = 1
_TABLES = """
CREATE TABLE device(
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, profile TEXT NOT NULL,
  at_us INTEGER NOT NULL, uptime_cs INTEGER, boots INTEGER, layout INTEGER NOT NULL,
  counters BLOB NOT NULL, day INTEGER NOT NULL, learned_us INTEGER NOT NULL);
CREATE TABLE layout(id INTEGER PRIMARY KEY, body TEXT NOT NULL UNIQUE);
CREATE TABLE had(
  device INTEGER NOT NULL, layout INTEGER NOT NULL, hour INTEGER NOT NULL,
  PRIMARY KEY(device, layout)) WITHOUT ROWID;
CREATE TABLE sample(
  device INTEGER NOT NULL, at_us INTEGER NOT NULL, span_cs INTEGER NOT NULL,
  layout INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY(device, at_us));
CREATE TABLE hour(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE day(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE month(id INTEGER PRIMARY KEY, data BLOB NOT NULL);
CREATE TABLE sent(sink TEXT PRIMARY KEY, at_us INTEGER NOT NULL);
"""


def open_file(path: Path) -> sqlite3.Connection:
    """The file, open for writing; made if there is none.

    Raises:
        Unreachable: it cannot be opened, or is of a newer fleet.
    """
    with translated(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(path, isolation_level=None)
        with _closed_on_error(connection):
            connection.execute(f"PRAGMA page_size={_PAGE}")
            for pragma in _PRAGMAS:
                connection.execute(f"PRAGMA {pragma}")
            with transaction(connection):
                if _form(connection, path) == 0:
                    for statement in _TABLES.split(";")[:-1]:
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version={FORM}")
    return connection


def open_for_reading(path: Path) -> sqlite3.Connection | None:
    """The file as it is; None: nothing was measured yet."""
    if not path.exists():
        return None
    with translated(path):
        try:
            return _reading(path, "mode=ro")
        except sqlite3.OperationalError:
            # Who may not write beside a file that nobody has open cannot lock it.
            if path.with_name(f"{path.name}-wal").exists():
                raise
            return _reading(path, "mode=ro&immutable=1")


def _reading(path: Path, how: str) -> sqlite3.Connection | None:
    connection = sqlite3.connect(f"{path.absolute().as_uri()}?{how}", uri=True)
    with _closed_on_error(connection):
        connection.execute("PRAGMA busy_timeout=5000")
        if _form(connection, path):
            return connection
    connection.close()
    return None


@contextmanager
def _closed_on_error(connection: sqlite3.Connection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _form(connection: sqlite3.Connection, path: Path) -> int:
    """0: nothing is in it."""
    form = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if form > FORM:
        raise Unreachable(
            f"{path.parent.name}/{path.name} is of a newer fleet", hint="upgrade fleet"
        )
    return form


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Turns what SQLite says into errors of fleet."""
    try:
        yield
    except (sqlite3.Error, OSError) as error:
        hint = _MEND if type(error) is sqlite3.DatabaseError else None  # damaged, not just busy
        raise Unreachable(f"{path.parent.name}/{path.name}: {error}", hint=hint) from error


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[None]:
    """All or nothing."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield
    except BaseException:
        if connection.in_transaction:  # on a full disk it is rolled back already
            connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def row_id(time: int, device: int) -> int:
    """The number of a row: an hour since 1970, a day or a month by number, and a device."""
    return time << DEVICE_BITS | device


def hour_of(at_us: int) -> int:
    """The number of an hour."""
    return at_us // HOUR_US


def month_of(day: date) -> int:
    """The number of a month."""
    return day.year * 12 + day.month - 1


def layout_text(layout: Layout) -> str:
    """A layout as it is kept: counters metric by metric, of the same ports each."""
    metrics = list(dict.fromkeys(key.metric for key in layout.counters))
    ports = [key.part for key in layout.counters[: len(layout.counters) // (len(metrics) or 1)]]
    body = {"metrics": metrics, "ports": ports, "gauges": layout.gauges}
    return json.dumps(body, ensure_ascii=False, separators=(",", ":"))


def layout_from(text: str) -> Layout:
    """What `layout_text` wrote; of one that is damaged nothing is left, and so of its samples."""
    try:
        body = json.loads(text)
        counters = tuple(Key(metric, port) for metric in body["metrics"] for port in body["ports"])
        return Layout(counters, tuple(Key(*gauge) for gauge in body["gauges"]))
    except (ValueError, TypeError, KeyError):
        return Layout()
