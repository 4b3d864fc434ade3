"""A real SMTP server on loopback, and what came in."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


class Inbox:
    """Takes every letter that is not for nobody."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"

    async def handle_RCPT(
        self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such person"
        envelope.rcpt_tos.append(address)
        return "250 OK"


def free_tcp_port() -> int:
    """A port on loopback at which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def inbox_on_loopback() -> Iterator[tuple[Inbox, int]]:
    """An inbox, and the port at which it takes letters."""
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=0, ready_timeout=10)
    controller.port = free_tcp_port()
    controller.start()
    try:
        yield inbox, controller.port
    finally:
        controller.stop()
