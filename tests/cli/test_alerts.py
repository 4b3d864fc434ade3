"""Alerts after polls: by a command, by mail and by a webhook, with real servers."""

import json
import threading
from collections.abc import Iterator
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.agents import Agents
from tests.mail import Inbox, inbox_on_loopback
from tests.watched import agents, poll, silence, watched
from tests.worlds import fleet, replace_in

__all__ = ["agents", "watched"]


def channel(root: Path, name: str, *lines: str) -> None:
    text = "\n".join([f"[alerts.{name}]", "quiet = false", *lines, ""])
    replace_in(root / "fleet.toml", "[poll]", f"{text}\n[poll]")


def to_file(root: Path, name: str, *lines: str) -> Path:
    """A channel that writes what it gets into a file."""
    file = root / f"{name}.txt"
    script = f"cat >> '{file}'; printf '\\n--\\n' >> '{file}'"
    channel(root, name, f"command = {json.dumps(['sh', '-c', script])}", *lines)
    return file


def messages(file: Path) -> list[str]:
    text = file.read_text() if file.exists() else ""
    return [one.strip() for one in text.split("--\n") if one.strip()]


def test_one_message_when_the_core_fails_and_one_when_it_is_back(
    watched: Path, agents: Agents
) -> None:
    everybody = to_file(watched, "drift")
    nobody = to_file(watched, "smola", 'members = ["smola"]')
    poll(watched)
    assert "nothing was sent yet" in fleet(watched, "alert", "log").err
    silence(agents, "skole-r1", "skole-sw1")

    poll(watched, 2)
    assert messages(everybody) == []  # not yet confirmed
    poll(watched, 3)

    (said,) = messages(everybody)
    assert said.startswith("NEDE: skole-r1 (Aure skole)\nHar ikke svart siden ")
    assert "Enheter bak den: 1. Steder uten vei: 1." in said
    assert "Tjenester: Smarttavle." in said
    silence(agents)
    poll(watched, 2)
    assert [m.partition("\n")[0] for m in messages(everybody)] == [
        "NEDE: skole-r1 (Aure skole)",
        "Oppe igjen: skole-r1 (Aure skole)",
    ]
    assert messages(nobody) == []
    log = fleet(watched, "alert", "log", "-o", "json").json
    assert [(row["channel"], row["phase"], row["cause"]) for row in log] == [
        ("drift", "ended", "device skole-r1"),
        ("drift", "began", "device skole-r1"),
    ]


def test_maintenance_is_honoured(watched: Path, agents: Agents) -> None:
    everybody = to_file(watched, "drift")
    window = ("--start", "2020-01-01T00:00", "--end", "2099-01-01T00:00", "--reason", "x")
    poll(watched)
    assert fleet(watched, "maintenance", "add", "--site", "skole", *window).status == 0
    silence(agents, "skole-r1", "skole-sw1")

    poll(watched, 4)
    silence(agents)
    poll(watched, 2)

    assert messages(everybody) == []


def test_a_channel_that_fails_is_told_and_tried_again(watched: Path, agents: Agents) -> None:
    flag = watched / "works"
    channel(watched, "sms", f"command = {json.dumps(['sh', '-c', f'test -e {flag}'])}")
    poll(watched)
    silence(agents, "bhg-r1")
    poll(watched, 2)

    ran = fleet(watched, "poll")
    assert "alert sms: sh: it ended with 1" in ran.err
    assert fleet(watched, "alert", "log", "-o", "json").json == []
    flag.touch()
    poll(watched, 2)

    (row,) = fleet(watched, "alert", "log", "-o", "json").json
    assert (row["phase"], row["cause"]) == ("began", "device bhg-r1")


def test_a_letter_has_the_same_id_if_it_is_sent_again(watched: Path, agents: Agents) -> None:
    with inbox_on_loopback() as (inbox, port):
        mail = f'[mail]\nserver = "127.0.0.1"\nport = {port}\nsender = "fleet@orkide.example"\n'
        replace_in(watched / "fleet.toml", "[poll]", mail + 'to = ["x@orkide.example"]\n[poll]')
        channel(watched, "drift", 'mail = ["vakt@orkide.example"]')
        poll(watched)
        silence(agents, "bhg-r1")
        poll(watched, 3)
        _forget_last(watched)  # as if fleet was killed between sending and keeping
        poll(watched)

    first, second = _letters(inbox)
    assert first["Subject"] == "NEDE: bhg-r1 (Aure barnehage)"
    assert first["To"] == "vakt@orkide.example"
    assert first["Message-ID"] == second["Message-ID"]


def _letters(inbox: Inbox) -> list[EmailMessage]:
    return inbox.mails


def _forget_last(root: Path) -> None:
    import sqlite3
    from contextlib import closing

    with closing(sqlite3.connect(root / ".fleet/fleet.db")) as database:
        database.execute("DROP TRIGGER alert_no_delete")
        database.execute("DELETE FROM alert")
        database.commit()


class Room:
    """A chat room's webhook on loopback."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        room = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                room.got.append((self.path, json.loads(self.rfile.read(length))))
                self.send_response(200 if self.path == "/geheim" else 403)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def room() -> Iterator[Room]:
    room = Room()
    yield room
    room.server.shutdown()
    room.server.server_close()


@pytest.mark.parametrize("form", ["json", "matrix", "teams"])
def test_a_test_message_reaches_the_room(
    watched: Path, room: Room, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel(watched, "rom", 'webhook = { env = "FLEET_ROOM" }', f'form = "{form}"')
    monkeypatch.setenv("FLEET_ROOM", f"{room.url}/geheim")

    ran = fleet(watched, "alert", "test", "rom")

    assert ran.status == 0, ran.err
    ((_, body),) = room.got
    text = {
        "json": lambda: body["text"],
        "matrix": lambda: body["text"],
        "teams": lambda: body["attachments"][0]["content"]["body"][0]["text"],
    }[form]()
    assert text == "En prøve av varslene gjennom rom: ingenting er galt"


def test_the_address_of_a_room_is_a_secret(
    watched: Path, room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    channel(watched, "rom", 'webhook = { env = "FLEET_ROOM" }')
    for url, said in (
        (f"{room.url}/wrong-geheim", "the webhook answers 403"),
        ("http://127.0.0.1:9/geheim", "the webhook does not answer"),
    ):
        monkeypatch.setenv("FLEET_ROOM", url)
        ran = fleet(watched, "alert", "test", "rom")
        assert ran.status == 5
        assert said in ran.err
        assert "geheim" not in ran.err + ran.out
    logs = "".join(log.read_text() for log in (watched / ".fleet").glob("*.log"))
    assert "geheim" not in logs


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((), "an alert needs one of `mail`, `command` and `webhook`"),
        (('mail = ["a@b.example"]',), "alerts by mail need a section [mail]"),
        (('command = ["x"]', 'form = "fax"'), "form"),
    ],
)
def test_settings_that_make_no_sense(watched: Path, lines: tuple[str, ...], message: str) -> None:
    channel(watched, "x", *lines)

    ran = fleet(watched, "poll")

    assert (ran.status, message in ran.err) == (3, True), ran.err


@pytest.mark.parametrize(
    ("lines", "message", "hint"),
    [
        (
            ('command = ["true"]', 'members = ["smolla"]'),
            "[alerts.drift] members: there is no member `smolla`",
            "did you mean `smola`?",
        ),
        (
            ('command = ["/no/such/sms"]',),
            "[alerts.drift] command: there is no program `/no/such/sms`",
            "its whole path",
        ),
        (
            ('webhook = { env = "FLEET_NO_SUCH_ROOM" }',),
            "[alerts.drift] webhook: the environment variable FLEET_NO_SUCH_ROOM is not set",
            "export FLEET_NO_SUCH_ROOM",
        ),
    ],
)
def test_a_channel_that_reaches_nobody_is_said_before_it_is_needed(
    watched: Path, lines: tuple[str, ...], message: str, hint: str
) -> None:
    channel(watched, "drift", *lines)
    ran = fleet(watched, "alert", "test", "drift")
    assert ran.status == 3
    assert message in ran.err and hint in ran.err
    doctor = fleet(watched, "doctor")
    assert doctor.status == 1
    assert f"wrong  alerts drift: {message}" in doctor.out


def test_a_channel_that_there_is_not(watched: Path) -> None:
    assert fleet(watched, "alert", "test", "nobody").status == 4
