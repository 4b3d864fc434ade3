"""Reading the database over the bare driver: sqlite3 from Python's library, or psycopg.

All reading SQL of fleet is here, for both databases, inside and outside transactions.
"""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from fleet.core.diff import FieldChanges, Origins, is_swap
from fleet.core.facts import Facts
from fleet.core.inventory import KINDS, Inventory
from fleet.core.lifetime import Changes, FieldChange
from fleet.core.lookup import Key, misspellings, normalise, read_mac
from fleet.core.record import from_record
from fleet.core.whereabouts import Sighting, likeliest_first
from fleet.errors import Unreachable
from fleet.store.drivers import SQLITE, import_psycopg, to_libpq, translate
from fleet.store.mapping import columns, to_inventory
from fleet.store.rollout_reader import RolloutReader
from fleet.store.schema import check_revision
from fleet.store.substrings import INDEX, to_match


class Reader(RolloutReader):
    """What is in the database now."""

    def revision(self) -> str | None:
        """The database's form, or None if it has none yet."""
        if self._is_postgres:
            tables = self.rows("SELECT to_regclass('alembic_version')")
            if tables[0][0] is None:
                return None
        elif not self.rows("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"):
            return None
        found = self.rows("SELECT version_num FROM alembic_version")
        return found[0][0] if found else None

    def inventory(self) -> Inventory:
        """All of the joint inventory, retired things included."""
        return to_inventory({kind: self._things(kind) for kind in KINDS})

    def _things(self, kind: str) -> list[Any]:
        names = ", ".join(f'"{name}"' for name in columns(kind))
        return self.rows(f'SELECT {names} FROM "{kind}" ORDER BY id')

    def origins(self) -> Origins:
        """The source that each thing came from."""
        found: dict[tuple[str, str], str] = {}
        for kind, cls in KINDS.items():
            names = {"interface": "device || ' : ' || name", "link": "a || ' – ' || b"}
            key = names.get(kind, f'"{columns(kind)[0]}"')
            assert cls
            for name, source in self.rows(f'SELECT {key}, source FROM "{kind}"'):
                found[kind, name] = source
        return found

    def last_change(self) -> int:
        """The number of the newest entry of the history; 0 before the first."""
        found = self.rows("SELECT max(id) FROM change")
        return int(found[0][0] or 0)

    def last_change_at(self) -> int:
        """When the newest entry of the history was made, microseconds since 1970; 0: none."""
        found = self.rows("SELECT max(at_us) FROM change")
        return int(found[0][0] or 0)

    def changes(
        self, limit: int = 2**62, kind: str | None = None, key: str | None = None
    ) -> list[Any]:
        """The newest of the history: at_us, actor, source, plan, action, kind, key, fields."""
        where, parameters = "", []
        if kind is not None:
            where, parameters = "WHERE kind = ? AND key = ?", [kind, key]
        found = self.rows(
            "SELECT at_us, actor, source, plan, action, kind, key, fields FROM change"
            f" {where} ORDER BY id DESC LIMIT ?",
            *parameters,
            limit,
        )
        return [(*row[:-1], json.loads(row[-1])) for row in found]

    def history(self) -> Iterator[tuple[str, str, str, FieldChanges]]:
        """The whole history, oldest first: action, kind, key, fields."""
        for action, kind, key, fields in self.rows(
            "SELECT action, kind, key, fields FROM change ORDER BY id"
        ):
            yield action, kind, key, json.loads(fields)

    def dated_history(self) -> Iterator[tuple[int, tuple[str, str, str, FieldChanges]]]:
        """The whole history, oldest first, each entry with its instant in microseconds."""
        for at, action, kind, key, fields in self.rows(
            "SELECT at_us, action, kind, key, fields FROM change ORDER BY id"
        ):
            yield at, (action, kind, key, json.loads(fields))

    def field_changes(self) -> Changes:
        """When devices changed status, site or machine, by the history."""
        found: dict[str, dict[str, list[FieldChange]]] = {}
        for device, at, text in self.rows(
            "SELECT key, at_us, fields FROM change WHERE kind = 'device' AND action <> 'create'"
            " AND (fields LIKE ? OR fields LIKE ? OR fields LIKE ?) ORDER BY id",
            '%"status":%',
            '%"site":%',
            '%"commissioned":%',
        ):
            fields = json.loads(text)
            for field, (old, new) in fields.items():
                is_kept = field in ("status", "site") and old and new
                if is_kept or (field == "commissioned" and is_swap(fields)):
                    mine = found.setdefault(device, {}).setdefault(field, [])
                    mine.append(FieldChange(at, old or "", new or ""))
        return found

    def links_born(self) -> dict[str, int]:
        """When links came into the inventory, of those that were not there from the first."""
        found = self.rows(
            "SELECT key, max(at_us) FROM change WHERE kind = 'link' AND action = 'create'"
            " AND at_us > (SELECT min(at_us) FROM change) GROUP BY key"
        )
        return dict(found)

    def last_change_times(self) -> dict[tuple[str, str], int]:
        """When each thing was last changed, microseconds since 1970."""
        found = self.rows("SELECT kind, key, max(at_us) FROM change GROUP BY kind, key")
        return {(kind, key): int(at) for kind, key, at in found}

    def seen_places(self) -> list[Any]:
        """Of devices with keys from SNMP: name, member, site, as those keys say."""
        return self.rows(
            "SELECT DISTINCT name, member, site FROM lookup"
            " WHERE source = 'snmp' AND kind = 'device'"
        )

    def is_empty(self) -> bool:
        """Whether nothing was ever written."""
        found = self.rows(
            "SELECT (SELECT count(*) FROM change) + (SELECT count(*) FROM state)"
            " + (SELECT count(*) FROM round)"
        )
        return not found[0][0]

    def all_keys(self, source: str) -> list[Key]:
        """Every key that came from a source: `inventory` or `snmp`."""
        return self._keys("source = ?", source, limit=2**62)

    def find(self, text: str, limit: int = 2**62) -> list[Key]:
        """What has `text` as a key; if nothing has, what has a key that begins with or holds it."""
        normal, mac = normalise(text), read_mac(text)
        exact = self._keys("normal IN (?, ?)", normal, mac or normal, limit=limit)
        if exact or not normal:
            return exact
        found = self._with_part(normal, limit)
        if mac and mac != normal:
            found += [key for key in self._with_part(mac, limit) if key.field.endswith("mac")]
        begins = sorted(found, key=lambda key: not key.normal.startswith(normal))
        return list(dict.fromkeys(begins))

    def _with_part(self, part: str, limit: int) -> list[Key]:
        condition, parameters = "normal LIKE ? ESCAPE '!'", [f"%{_like(part)}%"]
        if self._has_part_index and (match := to_match(part)):
            condition += f" AND id IN (SELECT rowid FROM {INDEX} WHERE {INDEX} MATCH ?)"
            parameters.append(match)
        return self._keys(condition, *parameters, limit=limit)

    @cached_property
    def _has_part_index(self) -> bool:
        """Whether parts have to be asked for; PostgreSQL takes its index by itself."""
        known = "SELECT 1 FROM sqlite_master WHERE name = ?"
        return not self._is_postgres and bool(self.rows(known, INDEX))

    def find_exactly(self, text: str) -> list[Key]:
        """What has `text` as a key, and nothing else."""
        normal, mac = normalise(text), read_mac(text)
        return self._keys("normal IN (?, ?)", normal, mac or normal, limit=100)

    def retired_device(self, text: str) -> tuple[str, str | None] | None:
        """A machine that was taken away, by its name, serial or asset tag, and when that was."""
        rows = self.rows(
            "SELECT name, decommissioned FROM device WHERE status = 'retired'"
            " AND ? IN (lower(name), lower(serial), lower(asset_tag)) LIMIT 1",
            normalise(text),
        )
        return (str(rows[0][0]), rows[0][1]) if rows else None

    def sightings(self, mac: str) -> list[Sighting]:
        """Where a MAC address (like aa:bb:cc:dd:ee:ff) was seen, the likeliest place first."""
        rows = self.rows(
            "SELECT w.device, w.port, w.vlan, w.since_us, coalesce(w.until_us, f.at_us),"
            " w.until_us IS NULL, (SELECT count(DISTINCT mac) FROM whereabouts AS other"
            " WHERE other.device = w.device AND other.port = w.port AND other.until_us IS NULL"
            " AND other.mac <> w.mac)"
            " FROM whereabouts AS w LEFT JOIN fact AS f ON f.device = w.device WHERE w.mac = ?",
            mac,
        )
        return likeliest_first(
            [
                Sighting(
                    device=device,
                    port=port,
                    vlan=vlan,
                    since_us=int(since),
                    last_us=int(last or since),
                    is_there=bool(is_there),
                    beside=int(beside),
                )
                for device, port, vlan, since, last, is_there, beside in rows
            ]
        )

    def names_that_begin(self, text: str, kinds: Sequence[str], limit: int) -> list[str]:
        """The names of things of some kinds (of any if there is none) that begin with a text."""
        normal = normalise(text)
        among = f" AND kind IN ({', '.join('?' * len(kinds))})" if kinds else ""
        rows = self.rows(
            "SELECT name FROM lookup WHERE field IN ('name', 'slug')"
            f" AND normal >= ? AND normal < ?{among} ORDER BY normal LIMIT ?",
            normal,
            normal + _LAST,
            *kinds,
            limit * 2,  # some are there by their slug and by their name
        )
        return list(dict.fromkeys(str(name) for (name,) in rows))[:limit]

    def close_to(self, text: str) -> list[str]:
        """The names that are spelt most like `text`, three at most, the closest first.

        Those that are one slip of a finger away, wherever it was; else of those with the same
        first letter, the first some thousands.
        """
        from difflib import get_close_matches

        normal = normalise(text)
        slips = list(misspellings(normal)) if len(normal) <= _LONGEST_NAME else []
        names: dict[str, str] = {}
        for few in (slips[at : at + _MOST] for at in range(0, len(slips), _MOST)):
            asked = ", ".join("?" * len(few))
            names |= self.rows(f"SELECT normal, value {_NAMES} normal IN ({asked})", *few)
        if not names:
            begins = "FROM lookup WHERE normal >= ? AND normal < ? ORDER BY normal LIMIT 20000"
            some = f"(SELECT normal, value, field {begins}) AS begun"
            statement = f"SELECT normal, value FROM {some} WHERE field IN ('name', 'slug')"
            names |= self.rows(statement, normal[:1], normal[:1] + _LAST)
        return [names[key] for key in get_close_matches(normal, names, n=3, cutoff=0.7)]

    def _keys(self, condition: str, *parameters: Any, limit: int) -> list[Key]:
        found = self.rows(
            "SELECT kind, name, member, site, field, value, normal, source FROM lookup"
            f" WHERE {condition} ORDER BY kind, name, field, value LIMIT ?",
            *parameters,
            limit,
        )
        return [Key(*row) for row in found]

    def facts(self, devices: Iterable[str] | None = None) -> dict[str, tuple[int, Facts]]:
        """What devices (all of them, or those named) last said of themselves, and when."""
        names = None if devices is None else list(devices)
        where = ""
        if names is not None:
            if not names:
                return {}
            if len(names) <= _MOST:
                where = f"WHERE device IN ({', '.join('?' * len(names))})"
        parameters = names if names and where else ()
        wanted = None if names is None else set(names)
        return {
            device: (at, from_record(Facts, json.loads(text)))
            for device, at, text in self.rows(
                f"SELECT device, at_us, facts FROM fact {where}", *parameters
            )
            if wanted is None or device in wanted
        }


_LAST = "\N{REPLACEMENT CHARACTER}"  # sorts after all that a name has
_NAMES = "FROM lookup WHERE field IN ('name', 'slug') AND"
_LONGEST_NAME = 60  # characters
_MOST = 900  # parameters of one statement, for any SQLite


def _like(text: str) -> str:
    for special in "!%_":
        text = text.replace(special, "!" + special)
    return text


def open_reader(url: str) -> Reader | None:
    """A reader of the database, or None where there is no database yet.

    Raises:
        SchemaOutdated: another fleet wrote it.
        RemoteError: it cannot be reached.
    """
    reader = _open_sqlite(url) if url.startswith(SQLITE) else _open_postgres(url)
    if reader is None:
        return None
    try:
        revision = reader.revision()
        if revision is None:
            reader.close()
            return None
        check_revision(revision)
    except BaseException:
        reader.close()
        raise
    return reader


def _open_sqlite(url: str) -> Reader | None:
    path = Path(url.removeprefix(SQLITE))
    try:
        if not path.exists():
            return None
    except OSError as error:
        raise Unreachable(f"the database cannot be used: {error}") from error
    try:
        connection = sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=5)
        connection.isolation_level = None
        connection.execute("BEGIN")  # one snapshot for all that this reader reads
    except sqlite3.Error as error:
        raise translate(error) from error
    return Reader(connection, is_postgres=False)


def _open_postgres(url: str) -> Reader:
    psycopg = import_psycopg()
    try:
        connection = psycopg.connect(to_libpq(url), connect_timeout=10)
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
    except psycopg.Error as error:
        raise Unreachable(f"the database does not answer: {error}".strip()) from error
    return Reader(connection, is_postgres=True)
