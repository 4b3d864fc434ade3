"""The conversation with one device, without any network: what to ask next, given the answers.

Every engine drives it in the same way: `talk` yields a `Request` and is sent the `Pdu` that
answers it, or None for a timeout; `Broken` is thrown into it when asking makes no sense any
more. So all engines have the same guards:

- a table that breaks off is left out and named, never returned as if it were whole;
- an index that comes twice in a column means that the agent runs in a circle;
- repetitions grow while that works, are halved on tooBig or a timeout, and end at GETNEXT.
"""

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass

from fleet.core.walk import Oid, Reason, Table, Value, Walk
from fleet.snmp.ber import END_OF_MIB_VIEW, Malformed, VarBind, to_numbers, to_octets
from fleet.snmp.engine import Question
from fleet.snmp.message import (
    GET,
    GET_BULK,
    GET_NEXT,
    NO_SUCH_NAME,
    STATUSES,
    Pdu,
    Request,
)

Talk = Generator[Request, Pdu | None, "Heard"]

_SYS_UP_TIME = to_octets((1, 3, 6, 1, 2, 1, 1, 3, 0))
_OCTETS = 1400  # a response must fit into one datagram, as fragments die in tunnels
_OCTETS_PER_VALUE = 24
_MOST_REPETITIONS = 50
_MOST_ROWS = 100_000
_MOST_SECONDS = 120.0  # for one table
_ALL_SECONDS = 240.0  # for all that is asked of one device
_MOST_OCTETS = 64 * 1024 * 1024  # of all answers of one device
_PRESENCE = 3  # from so many tables on, one request asks first which of them there are


class Broken(Exception):
    """Asking this device makes no sense any more."""

    def __init__(self, reason: Reason, detail: str | None = None) -> None:
        super().__init__(detail or reason.value)
        self.reason = reason
        self.detail = detail


class _Unreadable(Exception):
    """This table cannot be read whole."""


class _Silent(_Unreadable):
    """Nothing answered, not even to the smallest request."""


@dataclass(slots=True)
class Habits:
    """What was learned of a device, kept from one conversation to the next.

    Args:
        values: how many values to ask for in the next GETBULK.
        proven: how many came in one response.
        most: how many it should never be asked for again.
        has_bulk: whether it answers GETBULK; None: not known yet.
    """

    values: int = _OCTETS // _OCTETS_PER_VALUE
    proven: int = 0
    most: int = 10_000
    has_bulk: bool | None = None


@dataclass(frozen=True, slots=True)
class Heard:
    """What a conversation brought."""

    walk: Walk
    unread: tuple[str, ...] = ()
    error: str | None = None


def talk(question: Question, *, is_v1: bool, habits: Habits, clock: Callable[[], float]) -> Talk:
    """Ask one device; returns what it said.

    Args:
        clock: seconds that only go forward, for the longest time that a table may take.

    Raises:
        Broken: it does not answer at all, or the credential is not accepted.
    """
    conversation = _Conversation(is_v1, habits, clock)
    return conversation.run(question)


class _Conversation:
    def __init__(self, is_v1: bool, habits: Habits, clock: Callable[[], float]) -> None:
        self._is_v1 = is_v1
        self._habits = habits
        self._clock = clock
        self._scalars: dict[Oid, Value] = {}
        self._columns: dict[Oid, dict[Oid, Value]] = {}
        self._unread: list[str] = []
        self._error: str | None = None
        self._until = clock() + _ALL_SECONDS
        self._octets = 0

    def run(self, question: Question) -> Talk:
        if question.scalars:
            yield from self._get(question.scalars)
        elif (yield Request(GET, (_SYS_UP_TIME,))) is None:
            raise Broken(Reason.TIMEOUT)
        yield from self._tables(question.tables)
        if question.further is not None:
            further = question.further(Walk(self._scalars, self._columns))
            if further.scalars and not (yield from self._more_scalars(further.scalars)):
                self._unread.append("scalars")
            yield from self._tables(further.tables)
        error = None if self._scalars else self._error
        return Heard(Walk(self._scalars, self._columns), tuple(self._unread), error)

    def _more_scalars(self, names: Sequence[Oid]) -> Generator[Request, Pdu | None, bool]:
        try:
            for start in range(0, len(names), 12):
                yield from self._get(names[start : start + 12])
        except Broken:
            return False
        return True

    def _get(self, names: Sequence[Oid]) -> Generator[Request, Pdu | None, None]:
        """The scalars that the agent has.

        An agent that answers with an error (tooBig, genErr …) has answered, so it is up; it is
        asked for fewer at once.
        """
        wanted = {to_octets(name): name for name in names}
        while wanted:
            pdu = yield Request(GET, tuple(wanted))
            if pdu is None:
                raise Broken(Reason.TIMEOUT)
            if not pdu.status:
                self._keep_scalars(pdu.varbinds, wanted)
                return
            if pdu.status == NO_SUCH_NAME and 0 < pdu.index <= len(wanted):
                # Version 1 knows no exceptions: one missing name fails them all (RFC 1157).
                del wanted[list(wanted)[pdu.index - 1]]
                continue
            if len(wanted) == 1:
                self._error = f"it answers {STATUSES.get(pdu.status, pdu.status)} to a GET"
                return
            half = len(wanted) // 2
            rest = list(wanted.values())
            yield from self._get(rest[:half])
            yield from self._get(rest[half:])
            return

    def _keep_scalars(self, varbinds: Sequence[VarBind], wanted: dict[bytes, Oid]) -> None:
        for octets, _tag, value in varbinds:
            if value is not None and (name := wanted.get(octets)) is not None:
                self._scalars[name] = value

    def _tables(self, tables: Sequence[Table]) -> Generator[Request, Pdu | None, None]:
        if len(tables) >= _PRESENCE:
            tables = yield from self._present(tables)
        for place, table in enumerate(tables):
            if self._clock() > self._until:
                self._unread += [rest.name for rest in tables[place:]]
                return
            try:
                self._columns.update((yield from self._table(table)))
            except _Silent:
                self._unread.append(table.name)
                if (yield Request(GET, (_SYS_UP_TIME,))) is None:  # it fell silent altogether
                    self._unread += [rest.name for rest in tables[place + 1 :]]
                    return
            except (_Unreadable, Malformed):
                self._unread.append(table.name)

    def _present(self, tables: Sequence[Table]) -> Generator[Request, Pdu | None, Sequence[Table]]:
        """The tables of which the agent has something: one request for a score of columns."""
        columns = [to_octets(column) for table in tables for column in table.columns]
        there: set[bytes] = set()
        for start in range(0, len(columns), 20):
            asked = tuple(columns[start : start + 20])
            try:
                found = yield from self._get_next(asked)
            except _Unreadable:
                return tables  # it does not like being asked so: table by table, then
            there |= {
                column
                for column, (name, tag, _) in zip(asked, found, strict=False)
                if tag != END_OF_MIB_VIEW and name.startswith(column)
            }
        return [t for t in tables if any(to_octets(column) in there for column in t.columns)]

    def _table(self, table: Table) -> Generator[Request, Pdu | None, dict[Oid, dict[Oid, Value]]]:
        """All rows of a table, by column.

        Raises:
            _Unreadable: there are more, which could not be read.
        """
        rows = _Rows(table.columns)
        until = min(self._clock() + _MOST_SECONDS, self._until)
        while rows.cursors:
            wanted = self._repetitions(len(rows.cursors))
            found = yield from self._next(tuple(rows.cursors.values()), wanted)
            rows.take(found)
            if self._clock() > until:
                raise _Unreadable("it takes too long")
        return rows.found

    def _repetitions(self, columns: int) -> int:
        """How many rows to ask for at once; 0: GETNEXT."""
        if self._is_v1 or self._habits.has_bulk is False:
            return 0
        return max(1, min(self._habits.values // columns, _MOST_REPETITIONS))

    def _next(
        self, names: tuple[bytes, ...], repetitions: int
    ) -> Generator[Request, Pdu | None, Sequence[VarBind]]:
        """What comes after some names.

        Raises:
            _Unreadable: nothing that could be used came.
        """
        habits = self._habits
        pdu = None
        while repetitions:
            asked = repetitions * len(names)
            is_trial = bool(habits.has_bulk) and asked > habits.proven
            pdu = yield Request(GET_BULK, names, repetitions, is_trial)
            if pdu is not None and not pdu.status and pdu.varbinds:
                self._grow(asked, len(pdu.varbinds))
                self._weigh(pdu)
                return pdu.varbinds
            if pdu is None and not habits.has_bulk:
                break  # perhaps it knows GETNEXT alone
            self._shrink(asked, is_tried=is_trial or pdu is not None)
            repetitions //= 2
        found = yield from self._get_next(names)
        if pdu is None and habits.has_bulk is None:
            habits.has_bulk = self._is_v1  # it answers GETNEXT at once, and GETBULK never
        return found

    def _weigh(self, pdu: Pdu) -> None:
        self._octets += pdu.octets
        if self._octets > _MOST_OCTETS:
            raise _Unreadable("more than any device has to say")

    def _grow(self, asked: int, got: int) -> None:
        habits = self._habits
        habits.has_bulk = True
        if got >= asked:
            habits.proven = max(habits.proven, got)
            habits.values = max(habits.values, min(2 * asked, habits.most))

    def _shrink(self, asked: int, *, is_tried: bool) -> None:
        habits = self._habits
        habits.values = max(1, asked // 2)
        habits.proven = min(habits.proven, habits.values)
        if is_tried:
            habits.most = habits.values

    def _get_next(
        self, names: tuple[bytes, ...]
    ) -> Generator[Request, Pdu | None, Sequence[VarBind]]:
        """What comes right after each of some names; None for those that nothing comes after.

        Raises:
            _Unreadable: nothing that could be used came.
        """
        pdu = yield Request(GET_NEXT, names)
        if pdu is None:
            raise _Silent("no answer")
        self._weigh(pdu)
        if not pdu.status and len(pdu.varbinds) == len(names):
            return pdu.varbinds
        if pdu.status == NO_SUCH_NAME and 0 < pdu.index <= len(names):
            # Version 1: nothing comes after this one. Some agents name the wrong one, so it is
            # asked again alone.
            at = pdu.index - 1
            if len(names) == 1:
                return [(names[0], END_OF_MIB_VIEW, None)]
            alone = yield from self._get_next(names[at : at + 1])
            others = yield from self._get_next(names[:at] + names[at + 1 :])
            return [*others[:at], *alone, *others[at:]]
        if len(names) > 1 and pdu.status != NO_SUCH_NAME:
            half = len(names) // 2
            first = yield from self._get_next(names[:half])
            return [*first, *(yield from self._get_next(names[half:]))]
        raise _Unreadable(STATUSES.get(pdu.status, "an empty answer"))


class _Rows:
    """The rows of a table as they come in, and where each column is."""

    def __init__(self, columns: Sequence[Oid]) -> None:
        self.found: dict[Oid, dict[Oid, Value]] = {}
        self.cursors: dict[bytes, bytes] = {}  # by column: the last name, to go on from
        self._cells: dict[bytes, dict[Oid, Value]] = {}
        self._holes: set[bytes] = set()
        for column in columns:
            octets = to_octets(column)
            self.cursors[octets] = octets
            self._cells[octets] = self.found[column] = {}

    def take(self, varbinds: Sequence[VarBind]) -> None:
        """Sort a response into the columns, and move their cursors.

        Raises:
            _Unreadable: the agent runs in a circle, or without end, or leaves rows out.
        """
        cursors = self.cursors
        columns = list(cursors)
        for place, column in enumerate(columns):
            cells = self._cells[column]
            length = len(column)
            for octets, tag, value in varbinds[place :: len(columns)]:
                if tag == END_OF_MIB_VIEW:
                    del cursors[column]
                    break
                if not octets.startswith(column):
                    self._end(column, octets)
                    break
                cursors[column] = octets
                if value is None:
                    self._skip(octets)
                    continue
                index = to_numbers(octets[length:])
                if index in cells or not index:
                    raise _Unreadable("the agent runs in a circle")
                cells[index] = value
            if len(cells) > _MOST_ROWS:
                raise _Unreadable("more rows than any table has")

    def _end(self, column: bytes, following: bytes) -> None:
        """A column ends where a later name comes; what else comes tells of a confused agent."""
        if to_numbers(following) <= to_numbers(self.cursors[column]):
            raise _Unreadable("the agent goes back")
        for other, cells in self._cells.items():
            is_there = other != column and cells and following.startswith(other)
            # The next column may begin here; in its middle, the answer is out of step.
            if is_there and to_numbers(following[len(other) :]) != min(cells):
                raise _Unreadable("the agent leaves columns out")
        del self.cursors[column]

    def _skip(self, octets: bytes) -> None:
        """A cell without a value; the column goes on behind it."""
        if octets in self._holes:
            raise _Unreadable("the agent runs in a circle")
        self._holes.add(octets)
