"""Handing a message to people: by a command of theirs, by mail, or to a chat room's webhook."""

import json
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fleet.errors import Rejected, Unreachable
from fleet.report.mail import Server, send, write_mail

_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What people are told.

    Args:
        id: the same when it is sent again after a crash.
        title: one line.
        text: all of it, with the title.
        facts: for programs.
    """

    id: str
    title: str
    text: str
    facts: Mapping[str, Any]


def by_command(command: Sequence[str], message: Message) -> None:
    """Run a program with the text on its standard input, and the facts as FLEET_ALERT.

    Raises:
        Rejected: it failed, or took longer than ten seconds.
    """
    environment = {**os.environ, "FLEET_ALERT": json.dumps(dict(message.facts), ensure_ascii=False)}
    try:
        done = subprocess.run(
            command,
            input=message.text,
            text=True,
            capture_output=True,
            env=environment,
            timeout=_TIMEOUT_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Rejected(f"{command[0]}: {error}") from error
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or [f"it ended with {done.returncode}"]
        raise Rejected(f"{command[0]}: {said[0]}")


def by_mail(server: Server, sender: str, to: Sequence[str], message: Message, at: datetime) -> None:
    """A letter.

    Raises:
        RemoteError: the mail server does not take it.
    """
    mail = write_mail(
        sender=sender, to=to, subject=message.title, text=message.text, attachments=(), at=at
    )
    domain = sender.rpartition("@")[2].strip("> ")
    del mail["Message-ID"]  # the same if it is sent again: mailboxes show it once
    mail["Message-ID"] = f"<{message.id}@{domain or 'localhost'}>"
    send(server, mail)


def by_webhook(url: str, form: str, message: Message) -> None:
    """A message in a room.

    Args:
        form: `teams` (an adaptive card, by a workflow), `matrix` (hookshot), or `json` with all
            the facts.

    Raises:
        RemoteError: it was not taken. The address is never told: it is a secret.
    """
    import requests

    try:
        response = requests.post(
            url,
            json=_body(form, message),
            headers={"Idempotency-Key": message.id},
            timeout=_TIMEOUT_S,
        )
    except requests.RequestException as error:
        raise Unreachable(f"the webhook does not answer: {type(error).__name__}") from None
    if not response.ok:
        raise Rejected(f"the webhook answers {response.status_code} {response.reason}")


def _body(form: str, message: Message) -> dict[str, Any]:
    if form == "matrix":
        return {"text": message.text}
    if form == "json":
        return {"id": message.id, "title": message.title, "text": message.text, **message.facts}
    title, _, rest = message.text.partition("\n")
    blocks = [{"type": "TextBlock", "text": title, "weight": "Bolder", "wrap": True}]
    if rest:
        blocks.append({"type": "TextBlock", "text": rest, "wrap": True})
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
    }
    kind = "application/vnd.microsoft.card.adaptive"
    return {"type": "message", "attachments": [{"contentType": kind, "content": card}]}
