"""Keeping what one poll saw: intervals of states, parts of devices, facts.

In order of time each observation moves a device's track by one step. A result that comes late
(older than the last one of its device) or a second time is put in its place: what was seen is
kept for a day, packed with its poll, and the device's intervals of that time are made anew from
it. So the same observations give the same intervals, in whatever order they come.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, delete, insert, or_, update

from fleet.core.conditions import Sighting
from fleet.core.imported import POLL, Stretch
from fleet.core.moment import from_us, short_text, to_us
from fleet.core.spans import subtract
from fleet.core.states import (
    FAILING,
    Interval,
    Observation,
    Round,
    State,
    Step,
    Track,
    Verdict,
    advance,
    replay,
)
from fleet.errors import ClockBehind
from fleet.store import tables
from fleet.store.engine import reader_of
from fleet.store.mapping import from_track
from fleet.store.parts import PartWriter
from fleet.store.said import Said, upsert, write_facts
from fleet.store.seen import pack, unpack
from fleet.store.sightings import write_sightings
from fleet.store.tables import table_of

KEPT_FOR = timedelta(days=1)
REBOOT = "reboot"
_FOREVER = 2**62
_AHEAD = timedelta(hours=1)  # what was seen up to that much later than now is merely late
_FEW = 60  # polls that are left out unasked


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """What became of a poll.

    Args:
        round: with its counts.
        rebooted: devices that started anew since they were last seen.
        too_late: results that are older than what is kept, and were left out.
        forgotten: earlier polls that a clock which was ahead had put into the future.
    """

    round: Round
    rebooted: tuple[str, ...] = ()
    too_late: int = 0
    forgotten: int = 0


class PollWriter:
    """Writes one poll inside a transaction."""

    def __init__(self, connection: Connection, *, confirmations: int, interval: timedelta) -> None:
        self._connection = connection
        self._reader = reader_of(connection)
        self._confirmations = confirmations
        self._interval = interval
        self._oldest = datetime.min.replace(tzinfo=UTC)

    def keep(
        self,
        observations: Sequence[Observation],
        poll: Round,
        facts: Sequence[Said],
        sightings: Sequence[Sighting],
        *,
        forget: bool = False,
    ) -> Kept:
        """Keep observations, facts and sightings, and the poll with its counts."""
        forgotten = self._mend_future(poll, forget)
        tracks = self._reader.tracks()
        self._oldest = poll.at - KEPT_FOR
        taken = [seen for seen in observations if seen.at >= self._oldest]
        sightings = [seen for seen in sightings if seen.at >= self._oldest]
        steps, late = self._advance(tracks, taken)
        number = self._write_round(poll, taken, sightings)
        self._write_steps(steps)
        PartWriter(self._connection, self._oldest).keep(sightings)
        rebooted = self._write_reboots(steps)
        if late:
            self._rebuild(late)
            tracks = self._reader.tracks()
        poll = _counted(poll, tracks, observations)
        self._write_counts(number, poll)
        write_sightings(self._connection, facts)
        write_facts(self._connection, self._reader, facts)
        return Kept(
            round=poll,
            rebooted=tuple(rebooted),
            too_late=len(observations) - len(taken),
            forgotten=forgotten,
        )

    def _mend_future(self, poll: Round, forget: bool) -> int:
        """Leaves out polls that a clock which was ahead has put far into the future.

        Only a few: if there are many, it is more likely that the clock is behind now.

        Raises:
            ClockBehind: there are many, and nobody said that they are wrong.
        """
        latest = to_us(poll.at + max(_AHEAD, 2 * self._interval))
        ahead = self._reader.rounds_after(latest)
        if not ahead:
            return 0
        if len(ahead) > _FEW and not forget:
            raise ClockBehind(
                f"the clock says {short_text(poll.at)}, but the last poll was at "
                f"{short_text(from_us(ahead[-1]))}",
                hint="mend the clock; or, if that poll's was wrong: fleet poll --forget-future",
            )
        self._forget(latest)
        return len(ahead)

    def _forget(self, latest: int) -> None:
        """Devices seen later are unknown from the last poll before on, until now."""
        polls, track = table_of(tables.RoundRow), table_of(tables.TrackRow)
        event, fact = table_of(tables.EventRow), table_of(tables.FactRow)
        before = self._reader.last_poll_ended(latest)
        seen = [name for name, at in self._reader.last_seen().items() if at > latest]
        for table in (table_of(tables.StateRow), table_of(tables.ConditionRow)):
            mine = table.c.device.in_(seen)
            self._connection.execute(delete(table).where(mine, table.c.since_us > latest))
            later = or_(table.c.until_us > latest, table.c.until_us.is_(None))
            self._connection.execute(update(table).where(mine, later).values(until_us=before))
            self._connection.execute(delete(table).where(table.c.until_us <= table.c.since_us))
        self._connection.execute(delete(track).where(track.c.last_at_us > latest))
        self._connection.execute(delete(event).where(event.c.seen_us > latest))
        wrong = update(fact).where(or_(fact.c.at_us > latest, fact.c.tried_us > latest))
        self._connection.execute(wrong.values(at_us=before, tried_us=0))
        self._connection.execute(delete(polls).where(polls.c.at_us > latest))

    def _advance(
        self, tracks: dict[str, Track], observations: Iterable[Observation]
    ) -> tuple[list[Step], set[str]]:
        """The steps of what comes in order; the devices of which something is late."""
        steps: list[Step] = []
        late: set[str] = set()
        for seen in sorted(observations, key=lambda seen: seen.at):
            track = tracks.get(seen.device)
            if track is not None and seen.at <= track.last_at:
                late.add(seen.device)
                continue
            step = advance(track, seen, confirmations=self._confirmations, interval=self._interval)
            tracks[seen.device] = step.track
            steps.append(step)
        return steps, late

    def _write_round(
        self, poll: Round, observations: Iterable[Observation], sightings: Iterable[Sighting]
    ) -> int:
        table = table_of(tables.RoundRow)
        at = to_us(poll.at)
        values = {name: getattr(poll, name) for name in Round.__slots__ if name != "at"}
        row = {"at_us": at, **values, "seen": pack(at, observations, sightings)}
        number = self._connection.execute(insert(table).returning(table.c.id), row).scalar_one()
        old = (table.c.at_us < to_us(poll.at - KEPT_FOR), table.c.seen.is_not(None))
        self._connection.execute(update(table).where(*old).values(seen=None))
        return int(number)

    def _write_counts(self, number: int, poll: Round) -> None:
        table = table_of(tables.RoundRow)
        counts = {state: getattr(poll, state) for state in ("up", "down", "unreachable", "unknown")}
        self._connection.execute(update(table).where(table.c.id == number).values(**counts))

    def _write_steps(self, steps: Iterable[Step]) -> None:
        """Opens intervals, each of which ends the one before."""
        state = table_of(tables.StateRow)
        last: dict[str, Track] = {}
        for step in steps:
            last[step.track.device] = step.track
            for interval in step.opened:
                since = to_us(interval.since)
                mine = state.c.device == interval.device
                is_open = state.c.until_us.is_(None)
                is_unknown = interval.state is State.UNKNOWN
                # Unknown time has no row, so that it can be filled from another system's
                # history. Otherwise what was there from `since` on gives way.
                gone = (mine, state.c.since_us >= since, *((is_open,) if is_unknown else ()))
                self._connection.execute(delete(state).where(*gone))
                later = is_open if is_unknown else or_(is_open, state.c.until_us > since)
                ended = update(state).where(mine, later).values(until_us=since)
                self._connection.execute(ended)
                if not is_unknown:
                    self._connection.execute(insert(state), _state_row(interval))
        tracks = [from_track(track) for track in last.values()]
        upsert(self._connection, table_of(tables.TrackRow), tracks)

    def _write_reboots(self, steps: Iterable[Step]) -> list[str]:
        rows = {
            (step.track.device, step.rebooted_at): {
                "device": step.track.device,
                "kind": REBOOT,
                "at_us": to_us(step.rebooted_at),
                "seen_us": to_us(step.track.last_at),
            }
            for step in steps
            if step.rebooted_at is not None
        }
        if rows:
            known = {(name, at) for name, kind, at in self._reader.events() if kind == REBOOT}
            new = [row for row in rows.values() if (row["device"], row["at_us"]) not in known]
            if new:
                self._connection.execute(insert(table_of(tables.EventRow)), new)
        return list(dict.fromkeys(device for device, _ in rows))

    # --- late results

    def _rebuild(self, devices: set[str]) -> None:
        """Make the intervals of some devices anew from what is still kept of them."""
        seen: dict[str, list[Observation]] = defaultdict(list)
        for at, packed in self._reader.packed_rounds():
            for observation in unpack(at, packed)[0]:
                # A straggler that was delivered late outlives what was seen around it.
                if observation.device in devices and observation.at >= self._oldest:
                    seen[observation.device].append(observation)
        for device in sorted(devices):
            self._rebuild_device(device, seen[device])

    def _rebuild_device(self, device: str, observations: list[Observation]) -> None:
        first = min(seen.at for seen in observations)
        stored = self._reader.stretches(device).get(device, [])
        covering = _covering(stored, to_us(first))
        start = _track_at(device, covering, first, self._confirmations)
        steps = replay(
            observations, start, confirmations=self._confirmations, interval=self._interval
        )
        polled = list(_as_stretches(covering, steps))
        self._write_stretches(device, to_us(first), stored, covering, polled)
        track = from_track(steps[-1].track)
        upsert(self._connection, table_of(tables.TrackRow), [track])
        event = table_of(tables.EventRow)
        mine = (event.c.device == device, event.c.kind == REBOOT, event.c.seen_us > to_us(first))
        self._connection.execute(delete(event).where(*mine))
        self._write_reboots(steps)

    def _write_stretches(
        self,
        device: str,
        first: int,
        stored: Sequence[Stretch],
        covering: Stretch | None,
        polled: Sequence[Stretch],
    ) -> None:
        """Puts the new stretches in the place of those from `first` on; imports give way."""
        state = table_of(tables.StateRow)
        is_later = or_(state.c.until_us.is_(None), state.c.until_us > first)
        self._connection.execute(delete(state).where(state.c.device == device, is_later))
        taken = [(s.since, _FOREVER if s.until is None else s.until) for s in polled]
        kept = [
            replace(s, since=since, until=until)
            for s in stored
            if s.source != POLL and (s.until is None or s.until > first)
            for since, until in subtract([(s.since, s.until or _FOREVER)], taken)
        ]
        rows = [
            {"device": device, **{n: getattr(s, n) for n in ("state", "cause", "source", "root")}}
            | {"since_us": s.since, "until_us": s.until}
            for s in sorted([*kept, *polled])
        ]
        if rows:
            self._connection.execute(insert(state), rows)


def _counted(poll: Round, tracks: dict[str, Track], observations: Iterable[Observation]) -> Round:
    """The poll with the states in which it left the devices that were asked."""
    states = [
        State.UNKNOWN if seen.verdict is Verdict.LOST else tracks[seen.device].state
        for seen in observations
        if seen.device in tracks
    ]
    return replace(
        poll,
        up=states.count(State.UP),
        down=states.count(State.DOWN),
        unreachable=states.count(State.UNREACHABLE),
        # with those that could not be asked
        unknown=states.count(State.UNKNOWN) + poll.devices - len(states),
    )


def _covering(stored: Iterable[Stretch], first: int) -> Stretch | None:
    """The polled stretch that was going on before the first observation that is kept."""
    for stretch in stored:
        is_polled = stretch.source == POLL
        if is_polled and stretch.since < first < (stretch.until or _FOREVER):
            return stretch
    return None


def _track_at(
    device: str, covering: Stretch | None, first: datetime, confirmations: int
) -> Track | None:
    if covering is None:
        return None
    state, since = State(covering.state), from_us(covering.since)
    is_failing = state in FAILING
    return Track(
        device=device,
        state=state,
        since=since,
        last_at=first,
        root=covering.root,
        failures=confirmations if is_failing else 0,
        failing_since=since if is_failing else None,
    )


def _as_stretches(covering: Stretch | None, steps: Iterable[Step]) -> Iterator[Stretch]:
    """The intervals that steps opened, each ended by the next; unknown ones left out."""
    pieces: list[Stretch] = [] if covering is None else [replace(covering, until=None)]
    for step in steps:
        for opened in step.opened:
            since = to_us(opened.since)
            while pieces and pieces[-1].since >= since:
                pieces.pop()
            if pieces:
                pieces[-1] = replace(pieces[-1], until=since)
            new = Stretch(since, None, opened.state.value, opened.cause, POLL, opened.root)
            pieces.append(new)
    return (piece for piece in pieces if piece.state != State.UNKNOWN)


def _state_row(interval: Interval) -> dict[str, Any]:
    return {
        "device": interval.device,
        "state": interval.state.value,
        "since_us": to_us(interval.since),
        "until_us": None,
        "cause": interval.cause,
        "source": POLL,
        "root": interval.root,
    }
