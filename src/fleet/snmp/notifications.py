"""Traps and informs of all versions (RFC 3416 section 4.2.6 and 4.2.7), received with pysnmp.

A trap of version 1 is turned into the form of version 2 (RFC 3584). Informs are acknowledged.
What comes with another community, or from a user that is not known, is dropped.
"""

import asyncio
import ipaddress
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from pysnmp.carrier.asyncio.dgram import udp, udp6
from pysnmp.entity import config, engine
from pysnmp.entity.rfc3413 import ntfrcv
from pysnmp.proto.rfc1902 import OctetString

from fleet.core.notification import Notification
from fleet.core.walk import Oid, Value
from fleet.errors import NotPermitted
from fleet.snmp import v3
from fleet.snmp.ber import Malformed
from fleet.snmp.credentials import Access
from fleet.snmp.message import V3, read_version
from fleet.snmp.pysnmp import AUTH, PRIV, plain_value

_MOST_ENGINES = 20_000  # senders; a flood of invented ones ends here
_VERSIONS = {0: "1", 1: "2c", 3: "3"}


async def receive(
    address: str,
    port: int,
    accesses: Mapping[str, Access],
    hear: Callable[[Notification], bool],
    *,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Receive until `hear` says that it has enough.

    Args:
        address: to listen at; `0.0.0.0` and `::` mean all.
        accesses: communities and users that are accepted, by credential name.
        hear: gets each notification; True: enough.
        ready: called once it listens.

    Raises:
        NotPermitted: the system does not let us listen there.
    """
    receiver = engine.SnmpEngine()
    meet = _Meet(receiver, accesses)
    enough = asyncio.get_running_loop().create_future()
    try:
        transport = _listen(address, port, meet)
        await transport._lport
    except OSError as error:
        raise NotPermitted(
            f"cannot listen at {address} port {port}: {error.strerror}",
            hint="ports below 1024 need root; something else may listen there: ss -ulpn",
        ) from error
    domain = udp6.DOMAIN_NAME if ":" in address else udp.DOMAIN_NAME
    config.add_transport(receiver, domain, transport)
    for name, access in accesses.items():
        _accept(receiver, name, access)

    def take(snmp: Any, _reference: Any, _engine: Any, _context: Any, found: Any, _: Any) -> None:
        about = snmp.observer.get_execution_context("rfc3412.receiveMessage:request")
        if hear(_notification(about, found, clock())) and not enough.done():
            enough.set_result(None)

    ntfrcv.NotificationReceiver(receiver, take)
    receiver.transport_dispatcher.job_started(1)
    ready()
    try:
        await enough
    finally:
        receiver.transport_dispatcher.job_finished(1)
        receiver.close_dispatcher()


def _listen(address: str, port: int, meet: "_Meet") -> Any:
    base = udp6.Udp6Transport if ":" in address else udp.UdpTransport

    class Transport(base):  # type: ignore[misc,valid-type]
        def datagram_received(self, datagram: bytes, transport_address: Any) -> None:
            meet.sender(datagram)
            super().datagram_received(datagram, transport_address)

    return Transport().open_server_mode((address, port))


class _Meet:
    """Lets users of version 3 be known to pysnmp at each engine that sends in their name.

    The sender of a trap is its own authority (RFC 3414 section 1.5.1), so a user's keys are other
    ones for each sender, and pysnmp wants to be told each.
    """

    def __init__(self, receiver: Any, accesses: Mapping[str, Access]) -> None:
        self._receiver = receiver
        self._users = {(a.user or "").encode(): a for a in accesses.values() if a.version == "3"}
        self._met: set[tuple[bytes, bytes]] = set()

    def sender(self, datagram: bytes) -> None:
        """Look at a packet before pysnmp does."""
        try:
            version, at, end = read_version(datagram)
            if version != V3 or len(self._met) > _MOST_ENGINES:
                return
            message = v3.read_message(datagram, at, end)
        except Malformed:
            return
        key = (message.engine, message.user)
        if message.engine and message.user in self._users and key not in self._met:
            self._met.add(key)
            _accept_user(self._receiver, self._users[message.user], message.engine)


def _accept(receiver: Any, name: str, access: Access) -> None:
    if access.version == "3":
        _accept_user(receiver, access, None)
    else:
        config.add_v1_system(receiver, name, access.community or "")


def _accept_user(receiver: Any, access: Access, engine_id: bytes | None) -> None:
    keys: dict[str, Any] = {}
    if access.auth:
        keys |= {"authProtocol": AUTH[access.auth.protocol], "authKey": access.auth.phrase}
    if access.priv:
        keys |= {"privProtocol": PRIV[access.priv.protocol], "privKey": access.priv.phrase}
    if engine_id is not None:
        keys["securityEngineId"] = OctetString(engine_id)
    config.add_v3_user(receiver, access.user, **keys)


def _notification(about: Mapping[str, Any], found: Any, at: datetime) -> Notification:
    values: dict[Oid, Value] = {}
    for name, value in found:
        plain = plain_value(value)
        if plain is not None:
            values[tuple(name)] = plain
    host, port = about["transportAddress"][:2]
    return Notification.of(
        at=at,
        address=str(ipaddress.ip_address(str(host).partition("%")[0])),
        port=int(port),
        version=_VERSIONS.get(int(about["messageProcessingModel"]), "?"),
        values=values,
    )
