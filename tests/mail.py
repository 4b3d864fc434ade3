"""A real SMTP server on loopback, and what came in."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


class Inbox:
    """Takes every letter."""

    def __init__(self) -> None:
        self.mails: list[EmailMessage] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        return "250 OK"


@contextmanager
def inbox_on_loopback() -> Iterator[tuple[Inbox, int]]:
    """An inbox, and the port at which it takes letters."""
    inbox = Inbox()
    controller = Controller(inbox, hostname="127.0.0.1", port=0, ready_timeout=10)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        controller.port = int(probe.getsockname()[1])
    controller.start()
    try:
        yield inbox, controller.port
    finally:
        controller.stop()
