"""Sending a report by SMTP (RFC 5321)."""

import smtplib
import ssl
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid

from fleet.errors import Rejected, Unreachable


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """Where mail is handed in.

    Args:
        tls: `none`, `starttls` or `tls` (from the first byte).
        user: with `password`; None: without login.
    """

    host: str
    port: int
    tls: str
    user: str | None = None
    password: str | None = None
    timeout_s: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    name: str
    content: bytes
    type: str  # of text: text/html


def write_mail(
    *,
    sender: str,
    to: Sequence[str],
    subject: str,
    text: str,
    attachments: Sequence[Attachment],
    at: datetime,
) -> EmailMessage:
    """A letter with attachments."""
    mail = EmailMessage()
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Subject"] = subject
    mail["Date"] = format_datetime(at)
    mail["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2].strip("> ") or None)
    mail["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answer by holiday robots
    mail.set_content(text)
    for attached in attachments:
        main, _, sub = attached.type.partition("/")
        mail.add_attachment(
            attached.content,
            maintype=main,
            subtype=sub,
            filename=attached.name,
            params={"charset": "utf-8"},
        )
    return mail


def send(server: Server, mail: EmailMessage) -> None:
    """Hand a letter to a mail server.

    Raises:
        Unreachable: the server does not answer.
        Rejected: it refuses the login, the sender or somebody it is for.
    """
    where = f"the mail server {server.host}:{server.port}"
    try:
        refused = _hand_in(server, mail)
    except smtplib.SMTPResponseException as error:
        said = error.smtp_error
        text = said.decode(errors="replace") if isinstance(said, bytes) else said
        raise Rejected(f"{where} refused: {error.smtp_code} {text}") from error
    except smtplib.SMTPRecipientsRefused as error:
        raise Rejected(f"{where} takes no mail for {', '.join(error.recipients)}") from error
    except smtplib.SMTPException as error:
        raise Rejected(f"{where} refused: {error}") from error
    except OSError as error:
        message = f"{where} cannot be reached: {error}"
        raise Unreachable(message, hint="look at [mail] in fleet.toml") from error
    if refused:
        raise Rejected(f"{where} takes no mail for {', '.join(refused)}; the others got it")


def _hand_in(server: Server, mail: EmailMessage) -> Collection[str]:
    """Who is refused, if not all are."""
    context = ssl.create_default_context()
    if server.tls == "tls":
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=server.timeout_s, context=context
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=server.timeout_s)
    with connection:
        if server.tls == "starttls":
            connection.starttls(context=context)
        if server.user is not None:
            connection.login(server.user, server.password or "")
        return connection.send_message(mail)
