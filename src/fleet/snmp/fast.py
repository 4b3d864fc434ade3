"""The engine that asks thousands of devices from one loop: plain Python on plain sockets.

The loop keeps one rule above all: a request expires only after the socket was read empty. An
engine that is late would otherwise call healthy devices silent, ask them again, and be later
still.

A window bounds the requests that wait for an answer. What has waited for a while, with nothing
left to read, is waiting for the network or for nobody: it gives its place to the next device, so
that silent devices cost memory and no time. All devices of one site share a line, and a few at a
time are asked there.
"""

import secrets
import time
import zlib
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial

from fleet.core.walk import Outcome, Reason
from fleet.snmp import message, v3
from fleet.snmp.ber import Malformed
from fleet.snmp.credentials import Access
from fleet.snmp.device import Device, Line
from fleet.snmp.engine import Hear, Question
from fleet.snmp.message import Pdu
from fleet.snmp.resolve import Address, Resolver, literal
from fleet.snmp.strays import Strangers, Strays
from fleet.snmp.talk import Broken, Habits, talk
from fleet.snmp.transport import Sender, Transport

_WINDOW = 256
_PER_SITE = 8
_QUIET_S = 0.01  # without anything to read for so long, it is the network that we wait for
_SITE_S = 0.25  # so long a silent device keeps its place on the line of its site
_RESYNCS = 3  # how often an agent may send us round with its clock, for one request


class FastEngine:
    """An `SnmpEngine` for versions 1, 2c and 3, fast enough for thousands of devices.

    What it learns of devices, and the engines and clocks of version 3, it keeps until it is
    thrown away.

    Args:
        accesses: by credential name.
        timeout_s: for each request.
        retries: how often a request is sent again.
        clock: what time it is, for the outcomes.
    """

    def __init__(
        self,
        accesses: Mapping[str, Access],
        *,
        timeout_s: float,
        retries: int,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.accesses = accesses
        self.timeout_s = timeout_s
        self.retries = retries
        self.clock = clock
        self.strays = Strays()
        self._habits: dict[Address, Habits] = {}
        self._sessions: dict[tuple[Address, str], v3.Session] = {}

    def ask(self, questions: Sequence[Question], hear: Hear, *, spread_s: float = 0.0) -> None:
        """Ask all; see `SnmpEngine.ask`."""
        if questions:
            asking = _Round(self, hear)
            try:
                asking.run(questions, spread_s)
            finally:
                asking.close()

    def habits(self, address: Address) -> Habits:
        """What is known of how a device wants to be asked."""
        return self._habits.setdefault(address, Habits())

    def forget(self, address: Address) -> None:
        """What is known of a device does not hold any more."""
        for key in [key for key in self._sessions if key[0] == address]:
            del self._sessions[key]

    def session(self, address: Address, credential: str) -> v3.Session:
        """What is known of a device's engine of version 3."""
        key = (address, credential)
        if key not in self._sessions:
            self._sessions[key] = v3.Session(self.accesses[credential])
        return self._sessions[key]


class _Round:
    """One call of `ask`."""

    def __init__(self, engine: FastEngine, hear: Hear) -> None:
        self._engine = engine
        self._hear = hear
        self._transport = Transport()
        self._resolver: Resolver[Device] | None = None
        self._starts: deque[Device] = deque()
        self._located: deque[Device] = deque()  # may begin, once there is room
        self._ready: deque[Device] = deque()  # have a request to send, and no room yet
        self._lines: dict[str, Line] = {}
        self._parked = 0
        self._strangers = Strangers(engine.strays)
        self._flights: dict[int, Device] = {}  # by request id
        self._deadlines: deque[tuple[float, int]] = deque()
        self._first_id = self._next_id = message.first_id(secrets.randbits(30))
        self._used = 0  # slots of the window
        self._open = 0  # devices without an outcome

    def close(self) -> None:
        self._transport.close()
        if self._resolver is not None:
            self._resolver.close()

    def run(self, questions: Sequence[Question], spread_s: float) -> None:
        self._starts.extend(self._devices(questions, spread_s))
        self._open = len(self._starts)
        while self._open:
            self._fill()
            if self._open:
                self._listen()

    def _devices(self, questions: Iterable[Question], spread: float) -> list[Device]:
        """Spread by a hash of the name, so that a device has the same place in every round."""
        began = time.monotonic()
        devices = []
        for question in questions:
            target, at = question.target, began
            at += spread * (zlib.crc32(target.name.encode()) / 2**32)
            devices.append(Device(question, self._engine.accesses[target.credential], at))
        return sorted(devices, key=lambda d: d.starts_at) if spread else devices

    # --- beginning

    def _fill(self) -> None:
        """Send while there is room in the window."""
        now = time.monotonic()
        while self._has_room():
            if self._ready:
                self._send(self._ready.popleft())
            elif self._located:
                self._begin(self._located.popleft())
            elif self._starts and self._starts[0].starts_at <= now:
                self._locate(self._starts.popleft())
            else:
                return

    def _has_room(self) -> bool:
        return self._used < min(_WINDOW, self._transport.room) and not self._transport.is_full

    def _is_held_up(self) -> bool:
        """Whether devices wait for room in the window."""
        return bool(self._ready or self._located or self._starts) and not self._has_room()

    def _locate(self, device: Device) -> None:
        target = device.question.target
        if target.address is None:
            self._end_unasked(device, Reason.NO_ADDRESS)
        elif (found := literal(target.address, target.port)) is not None:
            self._enter_line(device, found)
        else:
            self._look_up(device, target.address, target.port)

    def _look_up(self, device: Device, host: str, port: int) -> None:
        if self._resolver is None:
            self._resolver = Resolver()
            self._transport.listen_to(self._resolver.fileno())
        self._resolver.look_up(host, port, device)

    def _collect_names(self, resolver: "Resolver[Device]") -> None:
        for device, address in resolver.collect():
            if address is None:
                self._end_unasked(device, Reason.UNRESOLVED, device.question.target.address)
            else:
                self._enter_line(device, address)

    def _enter_line(self, device: Device, address: Address) -> None:
        device.family, device.address = address
        site = device.question.target.site
        if site is None or self._lines.setdefault(site, Line(_PER_SITE)).enter(device):
            self._begin(device)
        else:
            self._parked += 1

    def _begin(self, device: Device) -> None:
        engine, access = self._engine, device.access
        address = (device.family, device.address)
        if access.version == "3":
            device.session = engine.session(address, device.question.target.credential)
        device.began = engine.clock()
        self._strangers.asked.add(device.address)
        device.talk = talk(
            device.question,
            is_v1=access.version == "1",
            habits=engine.habits(address),
            clock=time.monotonic,
        )
        self._advance(device, None)

    # --- the conversation

    def _advance(self, device: Device, pdu: Pdu | None) -> None:
        """Let the conversation go on, with an answer or with none."""
        assert device.talk is not None
        try:
            device.request = device.talk.send(pdu)
        except StopIteration as stop:
            self._end(device, device.answer(stop.value))
        except Broken as broken:
            self._break(device, broken)
        except Exception as error:  # noqa: BLE001 - shown with the device; the others go on
            self._break(device, Broken(Reason.FAILED, f"{type(error).__name__}: {error}"[:200]))
        else:
            device.request_id, device.resyncs = 0, _RESYNCS
            device.tries = 1 if device.request.is_trial else self._engine.retries + 1
            if device.has_slot or self._has_room():
                self._send(device)
            else:
                self._ready.append(device)

    def _send(self, device: Device) -> None:
        """Send a device's request; again under its old id, so that a late answer counts."""
        is_new = not device.request_id
        if is_new:
            self._next_id = device.request_id = message.following_id(self._next_id)
        now = time.monotonic()
        try:
            if not self._transport.send(device.family, device.address, device.packet(now)):
                self._give_back(device)
                device.request_id = 0 if is_new else device.request_id
                self._ready.appendleft(device)
                return
        except OSError as error:
            self._engine.forget((device.family, device.address))
            self._break(device, Broken(Reason.FAILED, error.strerror or str(error)))
            return
        device.requests += 1
        device.tries -= 1
        device.sent_at = now
        if is_new and not device.has_slot:
            device.has_slot = True
            self._used += 1
        self._flights[device.request_id] = device
        self._deadlines.append((now + self._engine.timeout_s, device.request_id))

    def _break(self, device: Device, broken: Broken) -> None:
        device.is_malformed = device.address in self._strangers.malformed
        device.note = device.note or self._strangers.notes.get(device.address)
        self._end(device, device.silence(broken.reason, broken.detail))

    def _give_back(self, device: Device) -> None:
        if device.has_slot:
            device.has_slot = False
            self._used -= 1

    def _end_unasked(self, device: Device, reason: Reason, detail: str | None = None) -> None:
        device.began = self._engine.clock()
        self._end(device, device.silence(reason, detail))

    def _end(self, device: Device, outcome: Outcome) -> None:
        self._give_back(device)
        self._open -= 1
        self._leave_line(device)
        self._hear(outcome)

    # --- listening

    def _listen(self) -> None:
        """Wait for answers, read them all, and only then call anything late."""
        was_something = self._transport.wait(self._patience())
        if self._resolver is not None:
            self._collect_names(self._resolver)
        now = time.monotonic()
        if not was_something and self._is_held_up():
            self._release_slots(now)
        if self._parked:
            self._release_lines(now)
        self._transport.drain(self._take)  # all that was there at `now`
        self._expire(now)

    def _patience(self) -> float:
        """How long to wait for the next thing to do, in seconds."""
        now = time.monotonic()
        until = now + 1.0
        if self._deadlines:
            until = min(until, self._deadlines[0][0])
        if self._is_held_up():
            until = min(until, now + _QUIET_S)
        elif self._starts:
            until = min(until, self._starts[0].starts_at)
        if self._parked or (self._resolver is not None and self._resolver.is_waiting):
            until = min(until, now + _SITE_S / 4)
        return max(0.0, until - now)

    def _take(self, data: bytes, sender: Sender) -> None:
        """One datagram: an answer to what was asked, or a stray."""
        try:
            version, at, end = message.read_version(data)
            if version == message.V3:
                go_on = self._take_v3(data, v3.read_message(data, at, end), sender)
            else:
                go_on = self._take_community(version, *message.read_message(data, at, end), sender)
        except Malformed:
            self._strangers.sent_malformed(sender)
            return
        if go_on is not None:
            go_on()

    def _take_community(
        self, version: int, community: bytes, pdu: Pdu, sender: Sender
    ) -> Callable[[], None] | None:
        """How the conversation goes on, or None if the message belongs to none."""
        device = self._match(pdu.request_id, sender)
        if device is None:
            return None
        device.check(version, community, pdu)
        del self._flights[pdu.request_id]
        return partial(self._advance, device, pdu)

    def _take_v3(self, data: bytes, parts: v3.Message, sender: Sender) -> Callable[[], None] | None:
        device = self._match(parts.id, sender)
        if device is None:
            return None
        go_on = partial(self._send_again, device)
        try:
            pdu = device.decode(data, parts, time.monotonic())
        except v3.Again:
            pass
        except v3.Refused as refused:
            go_on = partial(self._break, device, Broken(Reason.CREDENTIAL, str(refused)))
        else:
            go_on = partial(self._advance, device, pdu)
        del self._flights[parts.id]
        return go_on

    def _send_again(self, device: Device) -> None:
        """The agent told its engine id or its clock: ask with those."""
        device.request_id, device.tries = 0, device.tries + 1
        device.resyncs -= 1
        if device.resyncs < 0:
            changing = "its engine id or its clock changes with every answer"
            self._break(device, Broken(Reason.CREDENTIAL, changing))
        else:
            self._send(device)

    def _match(self, request_id: int, sender: Sender) -> Device | None:
        """The device that was asked with this id, if it is the one that answers."""
        device = self._flights.get(request_id)
        if device is not None and device.address == sender:
            return device
        if device is None and self._first_id < request_id <= self._next_id:
            self._engine.strays.late += 1
            return None
        note = self._strangers.sent_foreign(sender, is_anothers=device is not None)
        if device is not None:
            device.note = note or device.note
        return None

    def _expire(self, now: float) -> None:
        """Send again, or give up, what got no answer in time."""
        deadlines = self._deadlines
        while deadlines and deadlines[0][0] <= now:
            device = self._flights.pop(deadlines.popleft()[1], None)
            if device is None:
                continue  # answered
            device.timeouts += 1
            if device.tries > 0:
                self._send(device)
            else:
                self._advance(device, None)

    # --- room for others

    def _release_slots(self, now: float) -> None:
        """Give away the slots of requests that only wait."""
        for device in self._flights.values():
            if device.has_slot and now - device.sent_at >= _QUIET_S:
                device.has_slot = False
                self._used -= 1

    def _release_lines(self, now: float) -> None:
        for device in list(self._flights.values()):
            if device.is_on_line and now - device.sent_at >= _SITE_S:
                self._leave_line(device)

    def _leave_line(self, device: Device) -> None:
        if device.is_on_line:
            following = self._lines[device.question.target.site or ""].leave(device)
            if following is not None:
                self._parked -= 1
                self._located.append(following)
