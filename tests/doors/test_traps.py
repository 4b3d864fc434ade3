"""Traps and informs, sent by net-snmp's programs and received by `fleet traps`."""

import json
import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.snmpd import AUTH_PHRASE, PRIV_PHRASE
from tests.worlds import write_world

ADDRESS = "127.3.0.1"  # dc-r1's
LINK_DOWN = "1.3.6.1.6.3.1.1.5.3"
ENGINE = "0x80001f8804646576696365"
USERS = """
[snmp.credentials.users]
version = "3"
user = "notifier"
auth = { protocol = "SHA256", key = { env = "FLEET_TEST_AUTH" } }
priv = { protocol = "AES128", key = { env = "FLEET_TEST_PRIV" } }
"""


@pytest.fixture(autouse=True)
def programs() -> None:
    if shutil.which("snmptrap") is None:
        if os.environ.get("FLEET_REQUIRE_SNMPD"):
            raise AssertionError("snmptrap is required and not there (Debian: snmp)")
        pytest.skip("no snmptrap on this machine (Debian: snmp)")


def receive(tmp_path: Path, *sending: str, credential: str = "default") -> dict[str, Any]:
    """What `fleet traps` says of one notification."""
    root = write_world(tmp_path / "world")
    with (root / "fleet.toml").open("a") as file:
        file.write(USERS)
    environment = {
        **os.environ,
        "FLEET_SNMP_COMMUNITY": "public",
        "FLEET_TEST_AUTH": AUTH_PHRASE,
        "FLEET_TEST_PRIV": PRIV_PHRASE,
        "MIBS": "",
        "SNMP_PERSISTENT_DIR": str(tmp_path),
    }
    run = [sys.executable, "-m", "fleet"]
    subprocess.run(
        [*run, "sync", "--yes", "-q"], cwd=root, env=environment, check=True, capture_output=True
    )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((ADDRESS, 0))
        where = f"{ADDRESS}:{probe.getsockname()[1]}"
    process = subprocess.Popen(
        [
            *run,
            "traps",
            "--listen",
            where,
            "--credential",
            credential,
            "--count",
            "1",
            "-o",
            "json",
        ],
        cwd=root,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stderr is not None
        assert "listening" in process.stderr.readline()
        command = [part.replace("WHERE", where) for part in sending]
        sent = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=30, check=False
        )
        assert sent.returncode == 0, sent.stderr
        out, _ = process.communicate(timeout=30)
    finally:
        process.kill()
        process.wait()
    found: dict[str, Any] = json.loads(out)
    return found


PORT_7 = ("1.3.6.1.2.1.2.2.1.1.7", "i", "7")
# The sender is bound to the address of a device of the inventory.
FROM = f"--clientaddr={ADDRESS}"


def test_a_trap_of_version_2c(tmp_path: Path) -> None:
    found = receive(
        tmp_path, "snmptrap", "-v2c", "-cpublic", FROM, "WHERE", "12345", LINK_DOWN, *PORT_7
    )

    assert (found["device"], found["version"], found["name"]) == ("dc-r1", "2c", "linkDown")
    assert (found["kind"], found["uptime_s"]) == (LINK_DOWN, 123.45)
    assert found["values"] == {"1.3.6.1.2.1.2.2.1.1.7": 7}


def test_a_trap_of_version_1_takes_the_form_of_version_2(tmp_path: Path) -> None:
    found = receive(
        tmp_path,
        *("snmptrap", "-v1", "-cpublic", FROM, "WHERE", "1.3.6.1.4.1.9.1.1208", ADDRESS),
        *("2", "0", "500", *PORT_7),
    )

    assert (found["device"], found["version"], found["name"]) == ("dc-r1", "1", "linkDown")


def test_an_inform_is_acknowledged(tmp_path: Path) -> None:
    """snmpinform ends with 0 only when it was."""
    found = receive(
        tmp_path, "snmpinform", "-v2c", "-cpublic", "-t2", "WHERE", "0", "1.3.6.1.6.3.1.1.5.1"
    )

    assert found["name"] == "coldStart"


def test_an_inform_of_version_3(tmp_path: Path) -> None:
    found = receive(
        tmp_path,
        *("snmpinform", "-v3", "-u", "notifier", "-l", "authPriv", "-a", "SHA-256"),
        *("-A", AUTH_PHRASE, "-x", "AES", "-X", PRIV_PHRASE, "-t2", "WHERE", "0", LINK_DOWN),
        credential="users",
    )

    assert (found["version"], found["name"]) == ("3", "linkDown")


def test_a_trap_of_version_3_from_an_engine_that_nobody_met(tmp_path: Path) -> None:
    found = receive(
        tmp_path,
        *("snmptrap", "-v3", "-e", ENGINE, "-u", "notifier", "-l", "authPriv", "-a", "SHA-256"),
        *("-A", AUTH_PHRASE, "-x", "AES", "-X", PRIV_PHRASE, "WHERE", "0", LINK_DOWN),
        credential="users",
    )

    assert (found["version"], found["name"]) == ("3", "linkDown")
