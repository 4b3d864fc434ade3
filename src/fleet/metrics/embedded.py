"""fleet's own store of measurements: writing, packing, rolling up, forgetting."""

from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from fleet.core.metric.reading import Layout, Reading, Sample
from fleet.core.moment import from_us, local, to_us
from fleet.errors import Unexpected
from fleet.metrics.file import (
    DEVICE_BITS,
    HOUR_US,
    hour_of,
    layout_from,
    layout_text,
    month_of,
    open_file,
    row_id,
    transaction,
    translated,
)
from fleet.metrics.fold import Kinds, fold_day, fold_month, hours_of_day, kinds_of
from fleet.metrics.packing import Packed, SampleRow, pack, rows_of, segments_of, unpack
from fleet.metrics.sink import Taken
from fleet.metrics.state import octets_of, reading_from

_ALL = 10**9
# In what time all devices have their hour packed, and their day rolled up.
_HOUR_IN_US, _DAY_IN_US = 3_000_000_000, 82_800_000_000
# Between when something must have been measured, before anything is forgotten.
_BEFORE = timedelta(days=8), timedelta(hours=20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """How long measurements are kept: as they were, by the hour, by the day."""

    samples: timedelta = timedelta(days=35)
    hours: timedelta = timedelta(days=2 * 366)
    days: timedelta = timedelta(days=10 * 366)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """What was measured of one device in one cycle.

    Args:
        profile: what the device has of all that is measured.
        learned_us: when that was asked.
    """

    device: str
    profile: frozenset[str]
    learned_us: int
    reading: Reading
    sample: Sample


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What was known of a device before a cycle."""

    profile: frozenset[str]
    learned_us: int
    reading: Reading


class EmbeddedStore:
    """The file of measurements, open for writing.

    Raises:
        Unreachable: of all methods: the file cannot be written; nothing of the call is kept.
    """

    def __init__(self, path: Path, keep: Keep | None = None) -> None:
        self._path = path
        self._keep = keep or Keep()
        self._file = open_file(path)
        self._numbers: dict[str, int] = {}
        self._layouts: dict[int, Layout] = {}
        self._known_kinds: dict[int, Kinds] = {}
        self._ids: dict[int, tuple[Layout, int]] = {}  # by the layout's place in memory

    def close(self) -> None:
        self._file.close()

    def __enter__(self) -> "EmbeddedStore":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """All or nothing, also of what is remembered of the file."""
        with translated(self._path):
            try:
                with transaction(self._file):
                    yield
            except BaseException:
                self._numbers.clear()
                self._ids.clear()
                self._layouts.clear()
                self._known_kinds.clear()
                raise

    def known(self) -> dict[str, Known]:
        """What was read last, by device."""
        with translated(self._path):
            rows = self._file.execute(
                "SELECT name, profile, learned_us, at_us, uptime_cs, boots, layout, counters "
                "FROM device"
            ).fetchall()
            return {
                name: Known(
                    profile=frozenset(filter(None, profile.split("\n"))),
                    learned_us=learned,
                    reading=reading_from(at, uptime, boots, self._layout(layout), data),
                )
                for name, profile, learned, at, uptime, boots, layout, data in rows
            }

    def record(self, batch: Sequence[Measured]) -> None:
        """Keep one cycle in one transaction, and pack some of what is older."""
        states = []
        with self._writing():
            before = self._newest()
            self._insert([Taken(device=one.device, sample=one.sample) for one in batch])
            for one in batch:
                reading = one.reading
                states.append(
                    (
                        "\n".join(sorted(one.profile)),
                        one.learned_us,
                        reading.at_us,
                        reading.uptime_cs,
                        reading.boots,
                        self._layout_id(reading.layout),
                        octets_of(reading),
                        self._numbers[one.device],
                    )
                )
            self._file.executemany(
                "UPDATE device SET profile=?, learned_us=?, at_us=?, uptime_cs=?, boots=?, "
                "layout=?, counters=? WHERE id=?",
                states,
            )
            if batch:
                now = max(one.sample.at_us for one in batch)
                self._tidy(now, len(self._numbers), max(now - before, 0))

    def write(self, batch: Sequence[Taken]) -> None:
        """Keep samples; the same ones again change nothing."""
        with self._writing():
            self._insert(batch)
            newest = {one.device: one.sample.layout for one in batch if one.sample.values}
            self._file.executemany(
                "UPDATE device SET layout=? WHERE id=? AND learned_us=0",  # nothing was read here
                [(self._layout_id(own), self._numbers[name]) for name, own in newest.items()],
            )

    def sent_until(self, sink: str) -> int:
        """Until when another store has been told; 0: nothing yet."""
        with translated(self._path):
            row = self._file.execute("SELECT at_us FROM sent WHERE sink=?", (sink,)).fetchone()
        return int(row[0]) if row else 0

    def note_sent(self, sink: str, at_us: int) -> None:
        """Another store has been told all until then."""
        with self._writing():
            self._file.execute("INSERT OR REPLACE INTO sent VALUES (?, ?)", (sink, at_us))

    def tidy(self, now_us: int) -> None:
        """Pack all hours that are over, and roll up all days."""
        with self._writing():
            self._tidy(now_us, _ALL, _DAY_IN_US)

    def _insert(self, batch: Sequence[Taken]) -> None:
        rows = []
        for one in batch:
            sample = one.sample
            number = self._number(one.device, sample.at_us)
            if not sample.values:
                continue  # nothing of it can be measured
            layout = self._layout_id(sample.layout)
            data = array("q", sample.values).tobytes()
            rows.append((number, sample.at_us, sample.span_cs, layout, data))
        self._file.executemany("INSERT OR REPLACE INTO sample VALUES (?,?,?,?,?)", rows)
        if batch:  # what a clock that was set back says is older than what was sent
            earlier = min(one.sample.at_us for one in batch) - 1
            self._file.execute("UPDATE sent SET at_us=? WHERE at_us > ?", (earlier, earlier))

    def _newest(self) -> int:
        """When something was read last, before this cycle."""
        return int(self._file.execute("SELECT max(at_us) FROM device").fetchone()[0] or 0)

    def _number(self, name: str, at_us: int) -> int:
        if not self._numbers:
            self._numbers = dict(self._file.execute("SELECT name, id FROM device").fetchall())
        if name not in self._numbers:
            before = local(from_us(at_us)).date().toordinal() - 1
            added = self._file.execute(
                "INSERT INTO device(name, profile, learned_us, at_us, layout, counters, day) "
                "VALUES (?, '', 0, 0, 0, x'', ?)",
                (name, before),
            )
            assert added.lastrowid is not None
            self._numbers[name] = added.lastrowid
        return self._numbers[name]

    def _layout_id(self, layout: Layout) -> int:
        known = self._ids.get(id(layout))
        if known is not None and known[0] is layout:
            return known[1]
        text = layout_text(layout)
        self._file.execute("INSERT OR IGNORE INTO layout(body) VALUES (?)", (text,))
        row = self._file.execute("SELECT id FROM layout WHERE body=?", (text,)).fetchone()
        self._ids[id(layout)] = (layout, row[0])
        return int(row[0])

    def _layout(self, number: int) -> Layout:
        if number not in self._layouts:
            row = self._file.execute("SELECT body FROM layout WHERE id=?", (number,)).fetchone()
            self._layouts[number] = layout_from(row[0]) if row else Layout()
        return self._layouts[number]

    def _tidy(self, now_us: int, devices: int, gap_us: int) -> None:
        """Pack the hours that are over and roll up the days, of some devices in each cycle.

        Args:
            gap_us: since the cycle before: the rarer they are, the more is done in each.
        """
        begin = hour_of(now_us) * HOUR_US
        rows = self._file.execute(
            "SELECT DISTINCT device FROM sample WHERE at_us < ? ORDER BY device LIMIT ?",
            (begin, max(devices * gap_us // _HOUR_IN_US + 1, 10)),
        ).fetchall()
        for (number,) in rows:
            self._pack_hours(number, begin)
        yesterday = local(from_us(now_us)).date().toordinal() - 1
        due = self._file.execute(
            "SELECT id, day FROM device WHERE day < ? ORDER BY day, id LIMIT ?",
            (yesterday, max(devices * gap_us // _DAY_IN_US + 1, 5)),
        ).fetchall()
        for number, _ in due:
            self._pack_hours(number, begin)
        days = self._days_between(due[0][1] + 1, yesterday) if due else []
        for number, rolled_up in due:
            for day in days[bisect_right(days, rolled_up) :]:
                self._roll_up(number, date.fromordinal(day))
            self._file.execute("UPDATE device SET day=? WHERE id=?", (yesterday, number))
        if due and self._is_sure(now_us):
            self._forget(now_us)

    def _days_between(self, first: int, last: int) -> list[int]:
        """The days, by their ordinals, in which anything was measured."""
        found: list[int] = []
        day = first
        while day <= last:  # from one to the next: a clock that was set may have skipped years
            begin = hours_of_day(date.fromordinal(day)).start
            row = self._file.execute(
                "SELECT min(id) FROM hour WHERE id >= ?", (row_id(begin, 0),)
            ).fetchone()
            if row[0] is None:
                break
            day = local(from_us((row[0] >> DEVICE_BITS) * HOUR_US)).date().toordinal()
            if day <= last:
                found.append(day)
            day += 1
        return found

    def _pack_hours(self, number: int, before_us: int) -> None:
        rows = self._file.execute(
            "SELECT at_us, span_cs, layout, data FROM sample "
            "WHERE device=? AND at_us < ? ORDER BY at_us",
            (number, before_us),
        ).fetchall()
        hours: dict[int, list[SampleRow]] = {}
        for row in rows:
            hours.setdefault(hour_of(row[0]), []).append(row)
        for hour, new in hours.items():
            samples = new
            key, start = row_id(hour, number), hour * HOUR_US
            if there := self._row("hour", key):  # late ones go beside what is packed already
                times = {row[0] // 1000 for row in new}
                old = rows_of(_sound(there[0]), start)
                samples = sorted([*new, *(r for r in old if r[0] // 1000 not in times)])
            self._file.executemany(
                "INSERT INTO had VALUES (?, ?, ?) ON CONFLICT(device, layout) "
                "DO UPDATE SET hour=max(hour, excluded.hour)",
                [(number, layout, hour) for layout in {row[2] for row in new}],
            )
            data = pack(segments_of(samples, start, self._counters))
            self._file.execute("INSERT OR REPLACE INTO hour VALUES (?, ?)", (key, data))
        if hours:  # a day that was rolled up already is rolled up again, if all of it is kept
            oldest = local(from_us(before_us) - self._keep.samples).date() + timedelta(days=1)
            day = max(local(from_us(min(hours) * HOUR_US)).date(), oldest).toordinal()
            self._file.execute(
                "UPDATE device SET day=? WHERE id=? AND day >= ?", (day - 1, number, day)
            )
        self._file.execute("DELETE FROM sample WHERE device=? AND at_us < ?", (number, before_us))

    def _counters(self, layout: int) -> int:
        return len(self._layout(layout).counters)

    def _kinds(self, layout: int) -> Kinds:
        if layout not in self._known_kinds:
            self._known_kinds[layout] = kinds_of(self._layout(layout))
        return self._known_kinds[layout]

    def _roll_up(self, number: int, day: date) -> None:
        hours = {
            hour: _sound(row[0])
            for hour in hours_of_day(day)
            if (row := self._row("hour", row_id(hour, number)))
        }
        if not hours:
            return
        folded = fold_day(hours, day, self._kinds)
        key = row_id(day.toordinal(), number)
        self._file.execute("INSERT OR REPLACE INTO day VALUES (?, ?)", (key, pack(folded.hours)))
        key = row_id(month_of(day), number)
        there = self._row("month", key)
        month = fold_month(_sound(there[0]) if there else [], folded.day, day.toordinal())
        self._file.execute("INSERT OR REPLACE INTO month VALUES (?, ?)", (key, pack(month)))

    def _row(self, table: str, key: int) -> tuple[bytes] | None:
        found: tuple[bytes] | None = self._file.execute(
            f"SELECT data FROM {table} WHERE id=?", (key,)
        ).fetchone()
        return found

    def _is_sure(self, now_us: int) -> bool:
        """Whether measuring has gone on for a day by this clock: one may be ahead for a while."""
        hours = (hour_of(now_us - past // timedelta(microseconds=1)) for past in _BEFORE)
        ids = [row_id(hour, 0) for hour in hours]
        found = self._file.execute("SELECT 1 FROM hour WHERE id >= ? AND id < ? LIMIT 1", ids)
        return found.fetchone() is not None

    def _forget(self, now_us: int) -> None:
        now = from_us(now_us)
        # Nothing goes before it was rolled up.
        rolled_up = self._file.execute("SELECT min(day) FROM device").fetchone()[0]
        waiting = hours_of_day(date.fromordinal(rolled_up + 1))[0]
        kept = hours_of_day(local(now - self._keep.samples).date()).start
        oldest = (
            ("hour", min(kept, waiting)),
            ("day", (now - self._keep.hours).date().toordinal()),
            ("month", month_of((now - self._keep.days).date())),
        )
        for table, time in oldest:
            self._file.execute(f"DELETE FROM {table} WHERE id < ?", (row_id(time, 0),))
        days = to_us(now - self._keep.days)
        self._file.execute("DELETE FROM had WHERE hour < ?", (hour_of(days),))


def _sound(data: bytes) -> list[Packed]:
    """A packed row; of one that is damaged nothing is left, and measuring goes on."""
    try:
        return unpack(data)
    except Unexpected:
        return []
