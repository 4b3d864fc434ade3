"""Reading what was watched: states, parts of devices, events, maintenance, kept reports."""

import sqlite3
from collections.abc import Mapping
from typing import Any, NamedTuple, Self

from fleet.core.alerts import Phase, Told
from fleet.core.conditions import Condition
from fleet.core.imported import Stretch
from fleet.core.maintenance import Correction, Reading, Window
from fleet.core.spans import Span
from fleet.core.states import Interval, Track
from fleet.errors import Unreachable
from fleet.store.drivers import Connection, translate
from fleet.store.mapping import TRACK, to_condition, to_interval, to_track


class PolledRound(NamedTuple):
    """A poll as it is kept; times in microseconds since 1970, and of it."""

    at_us: int
    duration_us: int
    devices: int
    up: int
    requests: int
    timeouts: int


class StateReader:
    """What was watched, and what people said of it.

    Args:
        connection: open, of either database.
        is_postgres: decides how parameters are written.
    """

    def __init__(self, connection: Connection, *, is_postgres: bool) -> None:
        self._connection = connection
        self._is_postgres = is_postgres

    def close(self) -> None:
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def rows(self, sql: str, *parameters: Any) -> list[Any]:
        """The rows that a query with `?` for its parameters gives."""
        if self._is_postgres:
            sql = sql.replace("?", "%s")
        try:
            return self._connection.execute(sql, parameters).fetchall()
        except sqlite3.Error as error:
            raise translate(error) from error
        except Exception as error:
            if type(error).__module__.partition(".")[0] != "psycopg":
                raise
            raise Unreachable(f"the database does not answer: {error}".strip()) from error

    def tracks(self) -> dict[str, Track]:
        """Where each device stands since its last observation."""
        found = self.rows(f"SELECT {', '.join(TRACK)} FROM track")
        return {row[0]: to_track(row) for row in found}

    def last_seen(self) -> dict[str, int]:
        """When each device was last observed, microseconds since 1970."""
        return dict(self.rows("SELECT device, last_at_us FROM track"))

    def intervals(self, window: Span) -> dict[str, list[tuple[str, int, int | None]]]:
        """Per device: (state, since, until) of what overlaps `window`, in order of time.

        Bare numbers, since a month of a large cooperation has 90,000 of them.
        """
        found: dict[str, list[tuple[str, int, int | None]]] = {}
        for device, *interval in self.rows(
            "SELECT device, state, since_us, until_us FROM state"
            " WHERE since_us < ? AND (until_us IS NULL OR until_us > ?) ORDER BY device, since_us",
            window[1],
            window[0],
        ):
            found.setdefault(device, []).append((interval[0], interval[1], interval[2]))
        return found

    def states(self, window: Span) -> dict[str, list[tuple[str, int, int | None, str | None]]]:
        """The same with the root cause of each: (state, since, until, root).

        Where another system said why something was unreachable, its words are the cause.
        """
        found: dict[str, list[tuple[str, int, int | None, str | None]]] = {}
        for device, *state in self.rows(
            "SELECT device, state, since_us, until_us, COALESCE(root, CASE WHEN"
            " state = 'unreachable' AND cause IS NOT NULL AND source = 'import'"
            " THEN 'said ' || cause END) FROM state"
            " WHERE since_us < ? AND (until_us IS NULL OR until_us > ?) ORDER BY device, since_us",
            window[1],
            window[0],
        ):
            found.setdefault(device, []).append(tuple(state))
        return found

    def state_sources(self, window: Span) -> list[tuple[str, str]]:
        """Where the states of a time come from: device, and poll or import."""
        found = self.rows(
            "SELECT DISTINCT device, source FROM state"
            " WHERE since_us < ? AND (until_us IS NULL OR until_us > ?)",
            window[1],
            window[0],
        )
        return [(device, source) for device, source in found]

    def stretches(self, device: str | None = None) -> dict[str, list[Stretch]]:
        """All state intervals of each device (or of one), in order of time."""
        found: dict[str, list[Stretch]] = {}
        where, parameters = ("", ()) if device is None else ("WHERE device = ?", (device,))
        for name, *stretch in self.rows(
            "SELECT device, since_us, until_us, state, cause, source, root FROM state"
            f" {where} ORDER BY device, since_us",
            *parameters,
        ):
            found.setdefault(name, []).append(Stretch(*stretch))
        return found

    def outages(self) -> list[Interval]:
        """The intervals in which a device was down or unreachable, newest first."""
        found = self.rows(
            "SELECT device, state, since_us, until_us, cause, root FROM state"
            " WHERE state IN ('down', 'unreachable') ORDER BY since_us DESC, device"
        )
        return [to_interval(row) for row in found]

    def fact_times(self) -> Mapping[str, int]:
        """When each device last said something of itself, or was last asked for it."""
        return dict(self.rows("SELECT device, COALESCE(tried_us, at_us) FROM fact"))

    def conditions(self, *, is_open: bool = True) -> list[Condition]:
        """The states of parts of devices: those that still hold, or all that ever held."""
        where = "WHERE until_us IS NULL" if is_open else ""
        found = self.rows(
            "SELECT device, subject, state, since_us, until_us, last_at_us FROM condition"
            f" {where} ORDER BY device, subject, since_us"
        )
        return [to_condition(row) for row in found]

    def followed(self) -> list[tuple[str, str, int | None, str | None]]:
        """The parts of devices that are looked at: device, subject, ifIndex, name there."""
        return [
            (device, subject, number, name)
            for device, subject, number, name in self.rows(
                "SELECT device, subject, number, name FROM followed ORDER BY device, subject"
            )
        ]

    def events(self, device: str | None = None) -> list[tuple[str, str, int]]:
        """What happened to devices (or one): device, kind, microseconds; newest first."""
        where, parameters = ("", ()) if device is None else ("WHERE device = ?", (device,))
        found = self.rows(
            f"SELECT device, kind, at_us FROM event {where} ORDER BY at_us DESC, device",
            *parameters,
        )
        return [(name, kind, at) for name, kind, at in found]

    def maintenance(self) -> list[Window]:
        """All maintenance windows, by their start."""
        found = self.rows(
            "SELECT id, kind, name, start_us, end_us, announced_us, reason, actor, at_us,"
            " ended_us, ended_by FROM maintenance ORDER BY start_us, id"
        )
        return [Window(**dict(zip(Window.__slots__, row, strict=True))) for row in found]

    def corrections(self) -> list[Correction]:
        """All corrections, in the order in which they were made."""
        found = self.rows(
            "SELECT id, kind, name, start_us, end_us, reading, role, reason, actor, at_us"
            " FROM correction ORDER BY id"
        )
        names = Correction.__slots__
        return [
            Correction(**{**dict(zip(names, row, strict=True)), "reading": Reading(row[5])})
            for row in found
        ]

    def revisions(self, name: str | None = None) -> list[tuple[str, int, str, int]]:
        """Reports that were kept (of one name): name, number, digest, when; oldest first."""
        where, parameters = ("", ()) if name is None else ("WHERE name = ?", (name,))
        found = self.rows(
            f"SELECT name, number, digest, at_us FROM revision {where} ORDER BY name, number",
            *parameters,
        )
        return [(name, number, digest, at) for name, number, digest, at in found]

    def revision_document(self, name: str, number: int) -> str | None:
        """A report as it was given out."""
        found = self.rows(
            "SELECT document FROM revision WHERE name = ? AND number = ?", name, number
        )
        return found[0][0] if found else None

    def boots_seen(self) -> dict[str, int]:
        """When it was last seen of each device that it had started anew."""
        return dict(
            self.rows(
                "SELECT device, max(seen_us) FROM event WHERE kind = 'reboot' GROUP BY device"
            )
        )

    def packed_rounds(self) -> list[tuple[int, bytes]]:
        """The polls of which it is still kept what was seen: when each began, and the bytes."""
        found = self.rows("SELECT at_us, seen FROM round WHERE seen IS NOT NULL ORDER BY id")
        return [(at, bytes(seen)) for at, seen in found]

    def last_poll_ended(self, latest: int) -> int:
        """When the last poll that began no later than an instant ended; 0: there is none."""
        found = self.rows("SELECT max(at_us + duration_us) FROM round WHERE at_us <= ?", latest)
        return int(found[0][0] or 0)

    def rounds_after(self, latest: int) -> list[int]:
        """When polls began that are dated later than an instant, oldest first."""
        found = self.rows("SELECT at_us FROM round WHERE at_us > ? ORDER BY at_us", latest)
        return [at for (at,) in found]

    def told(self, channel: str) -> list[Told]:
        """What was sent through a channel, oldest first."""
        rows = self.rows(
            "SELECT key, phase, since_us, at_us FROM alert WHERE channel = ? ORDER BY id", channel
        )
        return [Told(key=k, phase=Phase(p), since=int(s), at=int(a)) for k, p, s, a in rows]

    def alerts(self) -> list[Any]:
        """Every message: at_us, channel, key, phase, since_us, text; the newest first."""
        return self.rows(
            "SELECT at_us, channel, key, phase, since_us, text FROM alert ORDER BY id DESC"
        )

    def newest_round(self) -> PolledRound | None:
        """The newest poll of many devices; None: there was none yet."""
        rows = self.rows(
            "SELECT at_us, duration_us, devices, up, requests, timeouts FROM round"
            " ORDER BY id DESC LIMIT 1"
        )
        return PolledRound(*map(int, rows[0])) if rows else None

    def last_rounds(self, limit: int = 2) -> list[int]:
        """When the newest polls of many devices began, newest first."""
        return [
            at for (at,) in self.rows("SELECT at_us FROM round ORDER BY id DESC LIMIT ?", limit)
        ]
