"""Bringing the database to this fleet's form, with Alembic; imported only when needed."""

from pathlib import Path

from sqlalchemy import Connection, Engine, text

from fleet.errors import Malformed
from fleet.store.engine import begin, reader_of, translated
from fleet.store.schema import HEAD, check_revision

_SCRIPTS = Path(__file__).parent / "migrations"


def upgrade_if_empty(engine: Engine) -> bool:
    """Make the tables in an empty database; whether it was empty."""
    with begin(engine) as connection:
        if reader_of(connection).revision() is not None:
            return False
    upgrade(engine)
    return True


def upgrade(engine: Engine) -> tuple[str | None, str]:
    """Run the migrations that are missing; the forms before and after.

    All of it is one transaction. Foreign keys are off meanwhile: SQLite re-creates a table to
    change it, and would delete the rows that refer to it; they are checked at the end.

    Raises:
        SchemaOutdated: a newer fleet wrote the database.
    """
    with translated(), engine.connect() as connection:
        is_sqlite = connection.dialect.name == "sqlite"
        if is_sqlite:
            connection.connection.driver_connection.execute("PRAGMA foreign_keys=OFF")  # type: ignore[union-attr]
        with connection.begin():
            before = reader_of(connection).revision()
            if before is not None and before != HEAD:
                _refuse_newer(before)
            if before != HEAD:
                _run(connection)
                if before is not None:
                    _rebuild_keys(connection)
                if is_sqlite:
                    _check_foreign_keys(connection)
    return before, HEAD


def _rebuild_keys(connection: Connection) -> None:
    """Write the keys of the inventory anew: a newer fleet may find things by more of them."""
    from sqlalchemy import delete, insert

    from fleet.core.lookup import Key, find_earlier_keys, find_keys
    from fleet.store.substrings import index_parts
    from fleet.store.tables import LookupRow, table_of

    table = table_of(LookupRow)
    connection.execute(delete(table).where(table.c.source != "snmp"))
    reader = reader_of(connection)
    inventory = reader.inventory()
    entries = ((kind, key, fields) for _, kind, key, fields in reader.history())
    found = find_keys(inventory) | find_earlier_keys(inventory, (), entries)
    keys = sorted(found, key=lambda k: (k.kind, k.name, k.field, k.value))
    if keys:
        rows = [{name: getattr(key, name) for name in Key.__slots__} for key in keys]
        connection.execute(insert(table), rows)
    index_parts(connection)


def _refuse_newer(revision: str) -> None:
    from fleet.store.schema import REVISIONS

    if revision not in REVISIONS:
        check_revision(revision)


def _run(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _check_foreign_keys(connection: Connection) -> None:
    broken = connection.execute(text("PRAGMA foreign_key_check")).all()
    if broken:
        raise Malformed(
            f"after the upgrade {len(broken)} rows would refer to nothing; it was undone",
            hint="`fleet store check` shows them in the database as it is",
        )
