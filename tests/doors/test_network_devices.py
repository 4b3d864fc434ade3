"""Network devices over real SSH: read, changed, led back, saved; with netmiko and with Ansible."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.simulated_cli import Switch, serve
from tests.worlds import fleet, replace_in

ADDRESSES = {
    "procurve": "127.36.0.1",
    "comware": "127.36.0.2",
    "ios": "127.36.0.3",
    "arubaos-cx": "127.36.0.4",
}
BY_FLEET = ("procurve", "comware", "arubaos-cx")
# Where Ansible's collections for network devices are, if they are there.
COLLECTIONS = os.environ.get("FLEET_TEST_COLLECTIONS", "nowhere")
REQUIRED = os.environ.get("FLEET_REQUIRE_COLLECTIONS")
KEY = "a-key-for-configurations"
BASELINE = """\
baseline: log
description: Where messages go
variables: {server: 10.1.1.10}
"""
BEFORE = {
    ("hostname sw",): None,
    ("interface Gi1",): None,
    ("interface Gi1", "description uplink"): None,
    ("snmp-server community hunter22 RO",): None,
}


@pytest.fixture
def switches(tmp_path: Path) -> Iterator[tuple[dict[str, Switch], int]]:
    switches = {a: Switch(dialect=d, minute_s=0.05) for d, a in ADDRESSES.items()}
    for switch in switches.values():
        switch.running = dict(BEFORE)
        switch.saved = dict(BEFORE)
    with closing(socket.socket()) as one:
        one.bind((ADDRESSES["ios"], 0))
        port = int(one.getsockname()[1])
    with serve(switches, port, tmp_path):
        yield switches, port


@pytest.fixture
def root(
    switches: tuple[dict[str, Switch], int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Path:
    root = tmp_path / "w"
    for folder in ("inventory/aure", "baselines", "templates/device/log"):
        (root / folder).mkdir(parents=True)
    (root / "fleet.toml").write_text(
        '[snmp.credentials.default]\nversion = "2c"\ncommunity = { env = "FLEET_COMMUNITY" }\n'
        f'[deploy]\nnetwork_user = "admin"\nnetwork_port = {switches[1]}\nsettle_s = 0\n'
        'password = { env = "SWITCH_PASSWORD" }\nkey = { env = "FLEET_KEY" }\n'
        'ssh_config = "ssh_config"\n'
    )
    (root / "ssh_config").write_text(f"Host *\n  UserKnownHostsFile {tmp_path}/known_hosts\n")
    (root / "inventory/members.yaml").write_text(
        'members: [{slug: aure, name: Aure, number: "1576", joined: 1997-01-01}]\n'
    )
    (root / "inventory/aure/sites.yaml").write_text(
        "sites: [{slug: radhus, name: Rådhus, kind: town_hall, users: 60}]\n"
    )
    rows = "".join(
        f"  - {{name: sw-{d}, site: radhus, role: switch, platform: {d}, address: {a}}}\n"
        for d, a in ADDRESSES.items()
        if d != "ios"
    )
    (root / "inventory/aure/devices.yaml").write_text("devices:\n" + rows)
    (root / "baselines/log.yaml").write_text(BASELINE)
    template = "logging {{ server }}\ninterface Gi1\n description managed\n"
    for family in ("procurve", "comware", "ios", "aoscx"):
        (root / f"templates/device/log/{family}.cfg.j2").write_text(template)
    monkeypatch.setenv("SWITCH_PASSWORD", "letmein")
    monkeypatch.setenv("FLEET_KEY", KEY)
    for command in (["init", "-q"], ["add", "fleet.toml"]):
        subprocess.run(["git", *command], cwd=root, check=True)
    assert fleet(root, "sync", "--yes").status == 0
    return root


def lines(switch: Switch) -> set[tuple[str, ...]]:
    return set(switch.running)


def test_lines_are_brought_and_saved_only_when_all_is_well(
    root: Path, switches: tuple[dict[str, Switch], int]
) -> None:
    plan = fleet(root, "deploy", "--plan", "-o", "json").json
    assert plan["targets"] == 3
    assert plan["groups"][0]["diff"] == (
        "+ logging 10.1.1.10\n  interface Gi1\n+  description managed\n"
    )

    ran = fleet(root, "deploy", "--yes")

    assert ran.status == 0, ran.err + ran.out
    for dialect in BY_FLEET:
        switch = switches[0][ADDRESSES[dialect]]
        assert ("interface Gi1", "description managed") in lines(switch)
        assert switch.saved == switch.running
    assert fleet(root, "drift").status == 0
    again = fleet(root, "deploy", "--yes")
    assert "Every device has it already." in again.err


def test_the_configuration_before_is_in_git_without_secrets(root: Path) -> None:
    ran = fleet(root, "deploy", "--yes")

    assert ran.status == 0, ran.err
    text = (root / "configs/aure/sw-procurve.cfg").read_text()
    assert "description uplink" in text
    assert "snmp-server community <hidden " in text
    command = ["git", "log", "--format=%s"]
    log = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    assert log.stdout.startswith("Running configurations before ")
    for path in root.rglob("*"):
        if path.is_file():
            assert b"hunter22" not in path.read_bytes(), path
            assert b"letmein" not in path.read_bytes(), path


def test_a_rejected_line_in_the_middle_leaves_the_device_as_before(
    root: Path, switches: tuple[dict[str, Switch], int]
) -> None:
    for family in ("procurve", "comware", "aoscx"):
        path = root / f"templates/device/log/{family}.cfg.j2"
        path.write_text("logging {{ server }}\ninterface Gi1\n description x\n BOGUS\n")

    ran = fleet(root, "deploy", "--yes")

    assert ran.status == 1
    assert "log: failed: " in ran.out
    for dialect in BY_FLEET:
        switch = switches[0][ADDRESSES[dialect]]
        if any("BOGUS" in line for line in switch.typed):
            assert lines(switch) == set(BEFORE)
            assert switch.saved == BEFORE
        else:
            assert lines(switch) == set(BEFORE)


def test_no_message_shows_a_secret(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RADIUS_KEY", "hemmeligBOGUS99")
    for family in ("procurve", "comware", "aoscx"):
        path = root / f"templates/device/log/{family}.cfg.j2"
        path.write_text('radius-server host 10.1.1.30 key {{ secret("env:RADIUS_KEY") }}\n')

    ran = fleet(root, "deploy", "--yes")

    assert (ran.status, "log: failed: " in ran.out) == (1, True)
    for path in root.rglob("*"):
        if path.is_file():
            assert b"hemmelig" not in path.read_bytes(), path
    assert "hemmelig" not in ran.out + ran.err


def test_drift_looks_at_what_was_rolled_out_by_its_name(
    root: Path, switches: tuple[dict[str, Switch], int]
) -> None:
    replace_in(root / "baselines/log.yaml", "variables:", "by_name: true\nvariables:")
    before = fleet(root, "drift")
    assert (before.status, "taken only by its name" in before.err) == (4, True)
    assert fleet(root, "deploy", "log", "--yes").status == 0
    assert fleet(root, "drift").status == 0
    del switches[0][ADDRESSES["comware"]].running[("logging 10.1.1.10",)]

    assert fleet(root, "drift").status == 1


def test_a_connection_that_breaks_in_the_middle_leaves_the_device_as_before(
    root: Path, switches: tuple[dict[str, Switch], int]
) -> None:
    for dialect in BY_FLEET:
        switches[0][ADDRESSES[dialect]].breaks_at = "description managed"

    ran = fleet(root, "deploy", "--yes")

    assert ran.status == 1
    assert "log: failed: " in ran.out
    for dialect in BY_FLEET:
        switch = switches[0][ADDRESSES[dialect]]
        assert lines(switch) == set(BEFORE)
        assert switch.saved == BEFORE
        assert not switch.breaks_at or switch.typed == []


def test_a_switch_that_locks_everybody_out_takes_the_change_back_by_itself(
    root: Path, switches: tuple[dict[str, Switch], int]
) -> None:
    switch = switches[0][ADDRESSES["arubaos-cx"]]
    switch.minute_s, switch.locks_at = 1.0, "description managed"

    ran = fleet(root, "deploy", "--limit", "sw-arubaos-cx", "--yes")

    assert ran.status == 1
    assert "log: failed: " in ran.out
    assert "checkpoint auto 5" in switch.typed
    assert "checkpoint auto confirm" not in switch.typed
    deadline = time.monotonic() + 20
    while switch.is_locked and time.monotonic() < deadline:
        time.sleep(0.1)
    assert lines(switch) == set(BEFORE)
    assert switch.saved == BEFORE


def test_a_change_is_taken_back_from_the_kept_configuration(
    root: Path, switches: tuple[dict[str, Switch], int]
) -> None:
    id_ = fleet(root, "deploy", "--yes", "-o", "json").json["id"]

    ran = fleet(root, "change", "rollback", id_, "--yes")

    assert ran.status == 0, ran.err + ran.out
    for dialect in BY_FLEET:
        assert lines(switches[0][ADDRESSES[dialect]]) == set(BEFORE)


def test_versions_of_configurations_show_that_a_secret_changed(
    root: Path, switches: tuple[dict[str, Switch], int]
) -> None:
    first = fleet(root, "backup-config")
    assert (first.status, "3 configurations read, 3 changed" in first.err) == (0, True)
    assert "0 changed" in fleet(root, "backup-config").err
    before = (root / "configs/aure/sw-procurve.cfg").read_text()
    switch = switches[0][ADDRESSES["procurve"]]
    switch.running.pop(("snmp-server community hunter22 RO",))
    switch.running[("snmp-server community hunter33 RO",)] = None

    assert "1 changed: sw-procurve" in fleet(root, "backup-config").err

    after = (root / "configs/aure/sw-procurve.cfg").read_text()
    assert before != after
    assert "hunter" not in before + after


def test_without_a_key_nothing_is_touched(
    root: Path, switches: tuple[dict[str, Switch], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("FLEET_KEY")

    ran = fleet(root, "deploy", "--yes")

    assert (ran.status, "FLEET_KEY is not set" in ran.err) == (3, True)
    for switch in switches[0].values():
        assert lines(switch) == set(BEFORE)


def test_drift_is_shown_with_since_when(
    root: Path, switches: tuple[dict[str, Switch], int]
) -> None:
    fleet(root, "deploy", "--yes")
    switch = switches[0][ADDRESSES["comware"]]
    del switch.running[("logging 10.1.1.10",)]

    first = fleet(root, "drift", "-o", "json")
    second = fleet(root, "drift", "log", "-o", "json")

    assert first.status == second.status == 1
    group = first.json["groups"][0]
    assert (group["devices"], group["diff"]) == (["sw-comware"], "+ logging 10.1.1.10\n")
    assert second.json["groups"][0]["since"] == group["since"]
    assert (first.json["clean"], first.json["unread"]) == (2, [])


@pytest.mark.lab
class TestAnsible:
    """An IOS switch, changed by `cisco.ios`."""

    @pytest.fixture(autouse=True)
    def with_collections(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        if not Path(COLLECTIONS, "ansible_collections/cisco/ios").is_dir():
            assert not REQUIRED, f"no collections in `{COLLECTIONS}`"
            pytest.skip("no Ansible collections for network devices here")
        monkeypatch.setenv("ANSIBLE_COLLECTIONS_PATH", COLLECTIONS)
        monkeypatch.setenv("ANSIBLE_HOST_KEY_CHECKING", "False")
        replace_in(root / "inventory/aure/devices.yaml", "procurve", "ios")
        replace_in(root / "inventory/aure/devices.yaml", ADDRESSES["procurve"], ADDRESSES["ios"])
        fleet(root, "sync", "--yes", "--force")

    def test_an_ios_switch_is_changed_armed_confirmed_and_saved(
        self, root: Path, switches: tuple[dict[str, Switch], int]
    ) -> None:
        ran = fleet(root, "deploy", "--limit", "sw-ios", "--yes")

        assert ran.status == 0, ran.err + ran.out
        switch = switches[0][ADDRESSES["ios"]]
        assert ("logging 10.1.1.10",) in lines(switch)
        assert "configure terminal revert timer 5" in switch.typed
        assert "configure confirm" in switch.typed
        assert switch.saved == switch.running

    def test_a_rejected_line_is_led_back(
        self, root: Path, switches: tuple[dict[str, Switch], int]
    ) -> None:
        path = root / "templates/device/log/ios.cfg.j2"
        path.write_text("logging {{ server }}\ninterface Gi1\n description x\n BOGUS\n")

        ran = fleet(root, "deploy", "--limit", "sw-ios", "--yes")

        assert ran.status == 1
        switch = switches[0][ADDRESSES["ios"]]
        assert any("BOGUS" in line for line in switch.typed)
        assert lines(switch) == set(BEFORE)
        assert switch.saved == BEFORE
