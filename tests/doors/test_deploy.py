"""Rollouts with a real ansible-playbook over real SSH."""

import getpass
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet import shipped
from fleet.ansible.program import find_program
from tests.databases import Databases
from tests.ssh_servers import SERVERS, Machines, start_machines
from tests.worlds import fleet, replace_in

ADDRESSES = ["127.34.0.1", "127.34.0.2", "127.34.0.3"]
NAMES = ["aure-srv1", "skole-srv1", "smola-srv1"]
REQUIRED = os.environ.get("FLEET_REQUIRE_SSHD")


def write_fleet(root: Path, port: int) -> Path:
    """Three Linux servers at three sites of two members."""
    inventory = root / "inventory"
    for member in ("aure", "smola"):
        (inventory / member).mkdir(parents=True)
    shutil.copytree(shipped.baselines(), root / "baselines")
    (root / "fleet.toml").write_text(
        '[snmp.credentials.default]\nversion = "2c"\ncommunity = { env = "FLEET_SNMP_COMMUNITY" }\n'
        f'[deploy]\nuser = "{getpass.getuser()}"\nssh_port = {port}\nbecome = false\n'
        'root = "target"\nsettle_s = 0\nssh_config = "ssh_config"\n'
    )
    (root / "ssh_config").symlink_to(root.parent / "ssh/config")
    (inventory / "members.yaml").write_text(
        "members:\n"
        '  - {slug: aure, name: Aure, number: "1576", joined: 1997-01-01}\n'
        '  - {slug: smola, name: Smøla, number: "1573", joined: 1997-01-01}\n'
    )
    (inventory / "aure/sites.yaml").write_text(
        "sites:\n"
        "  - {slug: radhus, name: Aure rådhus, kind: town_hall, users: 60}\n"
        "  - {slug: skole, name: Aure skole, kind: school, users: 10}\n"
    )
    (inventory / "smola/sites.yaml").write_text(
        "sites:\n  - {slug: smo-radhus, name: Smøla rådhus, kind: town_hall, users: 40}\n"
    )
    for member, rows in {
        "aure": [("aure-srv1", "radhus", 0), ("skole-srv1", "skole", 1)],
        "smola": [("smola-srv1", "smo-radhus", 2)],
    }.items():
        (inventory / member / "devices.yaml").write_text(
            "devices:\n"
            + "".join(
                f"  - {{name: {name}, site: {site}, role: server, platform: linux, "
                f"address: {ADDRESSES[n]}}}\n"
                for name, site, n in rows
            )
        )
    assert fleet(root, "sync", "--yes").status == 0
    return root


@pytest.fixture(params=SERVERS)
def machines(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Machines]:
    folder = tmp_path / "ssh"
    folder.mkdir()
    with start_machines(request.param, ADDRESSES, folder) as machines:
        for name, value in machines.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("FLEET_SNMP_COMMUNITY", "a-secret-community")
        yield machines


def target(machines: Machines, name: str, path: str) -> Path:
    return machines.homes[ADDRESSES[NAMES.index(name)]] / "target" / path.lstrip("/")


def outcomes(root: Path) -> set[tuple[str, str, str]]:
    """Baseline, device and result of the newest rollout."""
    connection = sqlite3.connect(root / ".fleet/fleet.db")
    try:
        return set(
            connection.execute(
                "SELECT baseline, device, result FROM outcome"
                " WHERE rollout = (SELECT max(id) FROM rollout)"
            )
        )
    finally:
        connection.close()


def test_both_kinds_of_servers_are_there_where_they_are_required() -> None:
    assert not REQUIRED or SERVERS == ["asyncssh", "openssh"]


def test_a_rollout_changes_all_and_again_nothing(machines: Machines, tmp_path: Path) -> None:
    root = write_fleet(tmp_path / "w", machines.port)

    first = fleet(root, "deploy", "ntp", "snmp", "--yes")

    assert (first.status, first.out.splitlines()[-1]) == (0, "6 changed.")
    assert "wave 1 (canary): 1 device" in first.err
    assert "skole-srv1: changed: " in first.err
    ntp = "/etc/systemd/timesyncd.conf.d/50-fleet.conf"
    assert "NTP=10.1.1.1 10.1.1.2\n" in target(machines, "aure-srv1", ntp).read_text()
    assert "NTP=10.9.1.1 10.1.1.1\n" in target(machines, "smola-srv1", ntp).read_text()
    snmp = target(machines, "skole-srv1", "/etc/snmp/snmpd.conf.d/50-fleet.conf")
    assert "rocommunity a-secret-community 10.1.1.20\n" in snmp.read_text()
    assert "sysLocation Aure skole\n" in snmp.read_text()
    assert snmp.stat().st_mode & 0o777 == 0o600
    assert outcomes(root) == {(b, d, "changed") for b in ("ntp", "snmp") for d in NAMES}

    again = fleet(root, "deploy", "ntp", "snmp", "--yes")

    assert (again.status, again.err.splitlines()[-1]) == (0, "Every device has it already.")
    assert "3 devices have it already\n" in again.out
    for path in [*root.rglob("*"), *(tmp_path / "ssh").glob("*.log")]:
        if path.is_file():
            assert b"a-secret-community" not in path.read_bytes(), path


def test_only_those_that_are_meant_are_touched(machines: Machines, tmp_path: Path) -> None:
    root = write_fleet(tmp_path / "w", machines.port)

    ran = fleet(root, "deploy", "banner", "--member", "smola", "--yes")

    assert ran.status == 0
    assert target(machines, "smola-srv1", "/etc/issue.net").exists()
    assert not target(machines, "aure-srv1", "/etc/issue.net").exists()


def test_a_machine_that_does_not_answer_fails_alone(machines: Machines, tmp_path: Path) -> None:
    root = write_fleet(tmp_path / "w", machines.port)
    replace_in(root / "inventory/smola/devices.yaml", ADDRESSES[2], "127.34.0.99")
    fleet(root, "sync", "--yes")

    ran = fleet(root, "deploy", "banner", "--yes")

    assert ran.status == 1
    assert "left out: 1 device: it could not be read: " in ran.out
    assert outcomes(root) == {
        ("banner", "aure-srv1", "changed"),
        ("banner", "skole-srv1", "changed"),
    }


def test_after_a_failed_canary_nobody_else_is_touched(machines: Machines, tmp_path: Path) -> None:
    root = write_fleet(tmp_path / "w", machines.port)
    home = machines.homes[ADDRESSES[1]]  # the school has the fewest users: the canary
    (home / "target").mkdir()
    (home / "target/etc").write_text("a file where a folder should be")

    ran = fleet(root, "deploy", "banner", "--yes")

    assert ran.status == 1
    assert "skole-srv1: banner: failed: Bring the files of all baselines: nothing was" in ran.out
    assert ran.out.endswith("stopped: 2 devices in later waves were not touched\n")
    assert not target(machines, "aure-srv1", "/etc/issue.net").exists()
    assert outcomes(root) == {("banner", "skole-srv1", "failed")}


def test_a_changed_host_key_is_refused(machines: Machines, tmp_path: Path) -> None:
    root = write_fleet(tmp_path / "w", machines.port)
    known = tmp_path / "ssh/known_hosts"
    client = (tmp_path / "ssh/client.pub").read_text().strip()
    known.write_text("".join(f"[{a}]:{machines.port} {client}\n" for a in ADDRESSES))

    ran = fleet(root, "deploy", "banner", "--limit", "aure-srv1", "--yes")

    assert ran.status == 4
    assert "it could not be read: its host key is not the known one" in ran.out
    assert not target(machines, "aure-srv1", "/etc/issue.net").exists()


def test_without_a_yes_no_device_is_touched(machines: Machines, tmp_path: Path) -> None:
    root = write_fleet(tmp_path / "w", machines.port)

    ran = fleet(root, "deploy", "banner")

    assert (ran.status, "nobody said yes; no device was touched" in ran.err) == (2, True)
    assert not (root / "playbooks").exists()


def test_a_plan_writes_the_same_bytes_twice_and_from_shuffled_input(tmp_path: Path) -> None:
    def files(root: Path) -> dict[str, bytes]:
        return {
            str(p.relative_to(root)): p.read_bytes()
            for p in sorted((root / "playbooks").rglob("*"))
            if p.is_file() and p.name != ".generated"
        }

    one = write_fleet(tmp_path / "one", 22)
    first = fleet(one, "deploy", "--plan", "--offline", "-o", "json").json
    written = files(one)
    second = fleet(one, "deploy", "--plan", "--offline", "-o", "json").json
    devices = one / "inventory/aure/devices.yaml"
    head, *rows = devices.read_text().splitlines(keepends=True)
    shuffled = write_fleet(tmp_path / "two", 22)
    (shuffled / "inventory/aure/devices.yaml").write_text(head + "".join(reversed(rows)))
    fleet(shuffled, "sync", "--yes")
    other = fleet(shuffled, "deploy", "--plan", "--offline", "-o", "json").json

    assert first["digest"] == second["digest"] == other["digest"]
    assert written == files(one) == files(shuffled)
    assert sorted(first["files"]) == sorted(written)
    assert first["groups"] == second["groups"] != []


def test_a_changed_variable_shows_as_a_difference_for_those_that_get_it(
    machines: Machines, tmp_path: Path
) -> None:
    root = write_fleet(tmp_path / "w", machines.port)
    assert fleet(root, "deploy", "ntp", "--yes").status == 0
    replace_in(root / "baselines/ntp.yaml", "10.9.1.1", "10.9.1.9")

    plan = fleet(root, "deploy", "ntp", "--plan", "-o", "json").json

    assert [g["devices"] for g in plan["groups"]] == [["smola-srv1"]]
    assert plan["unchanged"] == 2
    assert "-NTP=10.9.1.1 10.1.1.1\n+NTP=10.9.1.9 10.1.1.1\n" in plan["groups"][0]["diff"]


def test_what_is_no_longer_generated_is_removed_and_what_people_made_stays(tmp_path: Path) -> None:
    root = write_fleet(tmp_path / "w", 22)
    fleet(root, "deploy", "--plan", "--offline")
    own = root / "playbooks/own.yml"
    own.write_text("---\n- name: Ours\n  hosts: all\n")
    role = root / "playbooks/roles/fleet_custom/tasks/main.yml"
    role.parent.mkdir(parents=True)
    role.write_text("---\n")
    (root / "baselines/banner.yaml").unlink()

    fleet(root, "deploy", "--plan", "--offline")

    assert own.exists()
    assert role.exists()
    assert not (root / "playbooks/banner.yml").exists()
    assert not list((root / "playbooks/roles/fleet_banner").rglob("*.yml"))


BASELINES = {
    "an override of Ansible's own template marks": (
        "servers: [10.1.1.1, 10.1.1.2]",
        "servers: ['#jinja2:variable_start_string:x']",
        "templates/device/ntp/linux.conf.j2: the result has `#jinja2:` in it",
    ),
    "a variable of another type": (
        "servers: [10.1.1.1, 10.1.1.2]",
        "servers: 5",
        "templates/device/ntp/linux.conf.j2: ",
    ),
    "a variable that no template finds": (
        "servers: [10.1.1.1, 10.1.1.2]",
        "server: 10.1.1.1",
        "templates/device/ntp/linux.conf.j2: 'servers' is undefined (for aure-srv1, baseline ntp)",
    ),
    "something that Ansible would evaluate": (
        "servers: [10.1.1.1, 10.1.1.2]",
        'servers: [\'{{ lookup("file", "/etc/shadow") }}\']',
        "templates/device/ntp/linux.conf.j2: the result has `{{` in it",
    ),
    "an unknown member": (
        "member: smola",
        "member: smøla",
        "baselines/ntp.yaml:9: unknown member `smøla`\n    did you mean `smola`?",
    ),
    "an unknown selector": (
        "member: smola",
        "members: smola",
        "baselines/ntp.yaml:9: ntp: unknown field `overrides.members`",
    ),
    "another name than the file": (
        "baseline: ntp",
        "baseline: time",
        "baselines/ntp.yaml:1: file and baseline have different names",
    ),
}


@pytest.mark.parametrize("name", BASELINES)
def test_a_bad_baseline_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    old, new, message = BASELINES[name]
    root = write_fleet(tmp_path / "w", 22)
    replace_in(root / "baselines/ntp.yaml", old, new)

    ran = fleet(root, "deploy", "--plan", "--offline")

    assert message in ran.err
    assert ran.status == 4
    assert not (root / "playbooks").exists()


def test_a_file_that_fleet_did_not_write_is_not_overwritten(tmp_path: Path) -> None:
    root = write_fleet(tmp_path / "w", 22)
    theirs = root / "playbooks/ntp.yml"
    theirs.parent.mkdir()
    theirs.write_text("---\n# ours\n")

    ran = fleet(root, "deploy", "--plan", "--offline")

    assert (ran.status, "playbooks/ntp.yml is there, and fleet did not write it" in ran.err) == (
        6,
        True,
    )
    assert theirs.read_text() == "---\n# ours\n"
    assert [p.name for p in (root / "playbooks").iterdir()] == ["ntp.yml"]


def test_two_rollouts_at_once_refuse_each_other(tmp_path: Path) -> None:
    import fcntl

    root = write_fleet(tmp_path / "w", 22)
    with (root / ".fleet/deploy.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        ran = fleet(root, "deploy", "--plan", "--offline")

    assert (ran.status, "another rollout is under way" in ran.err) == (6, True)


@pytest.mark.parametrize("machines", SERVERS[:1], indirect=True)
def test_a_second_operator_is_told_who_changes_a_device(
    machines: Machines, tmp_path: Path, databases: Databases, monkeypatch: pytest.MonkeyPatch
) -> None:
    with databases.new_postgres() as url:
        monkeypatch.setenv("FLEET_STORE__URL", url)
        roots = [write_fleet(tmp_path / name, machines.port) for name in ("one", "two")]
        first = subprocess.Popen(
            [sys.executable, "-m", "fleet", "deploy", "banner", "--yes", "-q"],
            cwd=roots[0],
            env={**os.environ, "FLEET_DEPLOY__SETTLE_S": "6"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        home = machines.homes[ADDRESSES[1]]  # the canary
        deadline = time.monotonic() + 60
        while not (home / "target/etc/issue.net").exists() and time.monotonic() < deadline:
            time.sleep(0.05)

        second = fleet(roots[1], "deploy", "ntp", "--limit", "skole-srv1", "--yes")
        other = fleet(roots[1], "deploy", "ntp", "--limit", "smola-srv1", "--yes")
        said, _ = first.communicate(timeout=120)

        assert (second.status, other.status, first.returncode) == (6, 0, 0), said
        who = f"{getpass.getuser()} on {socket.gethostname()} is changing skole-srv1 since "
        assert who in second.err
        assert not (home / "target/etc/systemd").exists()
        assert fleet(roots[1], "deploy", "ntp", "--limit", "skole-srv1", "--yes").status == 0


def test_devices_that_cannot_be_driven_are_left_out_with_the_reason(tmp_path: Path) -> None:
    root = write_fleet(tmp_path / "w", 22)
    replace_in(root / "inventory/smola/devices.yaml", "platform: linux", "platform: airos")
    fleet(root, "sync", "--yes")

    plan = fleet(root, "deploy", "--plan", "--offline", "-o", "json").json

    assert plan["left_out"] == [
        {"device": "smola-srv1", "reason": "fleet does not know how to configure airos"}
    ]
    saved = json.loads((root / f".fleet/plans/{plan['id']}.json").read_text())
    assert saved == plan


@pytest.mark.parametrize("machines", SERVERS[:1], indirect=True)
def test_both_styles_of_playbooks_have_one_result(machines: Machines, tmp_path: Path) -> None:
    root = write_fleet(tmp_path / "w", machines.port)

    def contents() -> dict[str, tuple[bytes, int]]:
        return {
            f"{home.name}/{path.relative_to(home)}": (path.read_bytes(), path.stat().st_mode)
            for home in machines.homes.values()
            for path in (home / "target/etc").rglob("*")
            if path.is_file()
        }

    def run_builtin() -> set[str]:
        """Play the waves as another tool would; the machines that were changed."""
        changed = set()
        environment = {**os.environ, "ANSIBLE_CONFIG": "ansible.cfg"}
        for wave in sorted((root / "playbooks/inventory").glob("wave-*.yml")):
            command = [str(find_program()), "-i", str(wave), "rollout.yml"]
            done = subprocess.run(
                command,
                cwd=root / "playbooks",
                env=environment,
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == 0, done.stdout
            recap = done.stdout.partition("PLAY RECAP")[2]
            changed |= set(re.findall(r"^(\S+) .*changed=[1-9]", recap, re.MULTILINE))
        return changed

    fleet(root, "deploy", "--yes")
    by_fleet = contents()
    for home in machines.homes.values():
        shutil.rmtree(home / "target")
    fleet(root, "deploy", "--plan", "--style", "builtin")

    first = run_builtin()

    assert contents() == by_fleet
    assert first == set(NAMES)
    assert run_builtin() == set()
    assert "Every device has it already." in fleet(root, "deploy", "--yes").err
