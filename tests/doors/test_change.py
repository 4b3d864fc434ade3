"""Decisions of the members: thirteen are asked, and only those that say yes are touched."""

import getpass
import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.ssh_servers import Machines, start_machines
from tests.worlds import fleet, replace_in

MEMBERS = [f"m{n:02d}" for n in range(1, 14)]
ADDRESSES = {member: f"127.35.0.{n}" for n, member in enumerate(MEMBERS, start=1)}


@pytest.fixture
def machines(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Machines]:
    if shutil.which("ssh") is None:
        pytest.skip("no ssh on this machine")
    folder = tmp_path / "ssh"
    folder.mkdir()
    with start_machines("asyncssh", list(ADDRESSES.values()), folder) as machines:
        for name, value in machines.environment.items():
            monkeypatch.setenv(name, value)
        yield machines


def write_cooperation(
    root: Path, machines: Machines, approval: str = "own = true", kind: str = "school"
) -> Path:
    """Thirteen members with one server each."""
    (root / "inventory").mkdir(parents=True)
    (root / "baselines").mkdir()
    (root / "ssh_config").symlink_to(machines.config)
    (root / "fleet.toml").write_text(
        '[snmp.credentials.default]\nversion = "2c"\ncommunity = { env = "FLEET_COMMUNITY" }\n'
        f'[deploy]\nuser = "{getpass.getuser()}"\nssh_port = {machines.port}\nbecome = false\n'
        'root = "target"\nsettle_s = 0\nssh_config = "ssh_config"\n'
        f"[approval.normal]\n{approval}\n"
    )
    members = [
        {"slug": m, "name": m, "number": f"90{n:02d}", "joined": "2020-01-01"}
        for n, m in enumerate(MEMBERS)
    ]
    (root / "inventory/members.yaml").write_text(json.dumps({"members": members}))
    for member in MEMBERS:
        folder = root / "inventory" / member
        folder.mkdir()
        site = {"slug": f"{member}-s", "name": member, "kind": kind, "users": 9}
        device = {"name": f"{member}-srv", "site": f"{member}-s", "role": "server"}
        device |= {"platform": "linux", "address": ADDRESSES[member]}
        (folder / "sites.yaml").write_text(json.dumps({"sites": [site]}))
        (folder / "devices.yaml").write_text(json.dumps({"devices": [device]}))
    write_motd(root, "hello")
    assert fleet(root, "sync", "--yes").status == 0
    return root


def write_motd(root: Path, text: str, overrides: str = "") -> None:
    (root / "baselines/motd.yaml").write_text(
        f"baseline: motd\ndescription: A greeting\nvariables: {{text: {text}}}\n{overrides}"
    )
    folder = root / "templates/device/motd"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "linux.yaml").write_text('dest: /etc/motd\nmode: "0644"\n')
    (folder / "linux.conf.j2").write_text("{{ text }}\n")


def touched(machines: Machines) -> set[str]:
    return {m for m, a in ADDRESSES.items() if (machines.homes[a] / "target/etc/motd").exists()}


def plan(root: Path) -> str:
    return str(fleet(root, "deploy", "motd", "--plan", "-o", "json").json["id"])


def approve(root: Path, id_: str, member: str, *more: str) -> None:
    arguments = ("--member", member, "--role", "IT-leder", *more)
    ran = fleet(root, "change", "approve", id_, *arguments)
    assert ran.status == 0, ran.err


def test_eleven_say_yes_one_no_one_nothing_and_exactly_eleven_are_touched(
    machines: Machines, tmp_path: Path
) -> None:
    root = write_cooperation(tmp_path / "w", machines)
    id_ = plan(root)
    assert touched(machines) == set()
    for member in MEMBERS[:11]:
        approve(root, id_, member)
    no = ("--member", MEMBERS[11], "--role", "rådmann", "--reason", "exam week")
    assert fleet(root, "change", "reject", id_, *no).status == 0

    ran = fleet(root, "deploy", "motd", "--yes")

    assert ran.status == 0, ran.err
    assert touched(machines) == set(MEMBERS[:11])
    assert "11 changed." in ran.out
    assert "not touched: 1 device: m12 said no: exam week\n" in ran.out
    assert "not touched: 1 device: m13 has not answered\n" in ran.out
    row = fleet(root, "change", "list", "-o", "json").json[0]
    assert (row["yes"], row["no"], row["members"], row["state"]) == (11, 1, 13, "done")
    assert row["median_days_to_yes"] == 0.0
    ever = ("--from", "2026-01-01", "--to", "2099-01-01")
    rows = fleet(root, "report", "changes", *ever, "-o", "json").json
    assert [(r["member"], r["changed"], r["failed"]) for r in rows] == [
        (member, 1, 0) for member in MEMBERS[:11]
    ]
    assert {r["decided_by"] for r in rows} == {"yes, IT-leder"}
    assert {r["ended"] for r in rows} == {"done"}


def test_without_any_yes_nothing_runs(machines: Machines, tmp_path: Path) -> None:
    root = write_cooperation(tmp_path / "w", machines)

    ran = fleet(root, "deploy", "motd", "--yes")

    assert (ran.status, "no member whose devices it touches has said yes" in ran.err) == (6, True)
    assert touched(machines) == set()


def test_a_changed_difference_voids_an_earlier_yes_and_an_equal_one_does_not(
    machines: Machines, tmp_path: Path
) -> None:
    root = write_cooperation(tmp_path / "w", machines)
    id_ = plan(root)
    approve(root, id_, "m01")
    approve(root, id_, "m02")
    write_motd(root, "hello", "overrides: [{member: m02, variables: {text: else}}]\n")

    ran = fleet(root, "deploy", "motd", "--yes")

    assert ran.status == 0, ran.err
    assert touched(machines) == {"m01"}
    assert "m02 has not answered" in ran.out


def test_a_quorum_holds_everything_back(machines: Machines, tmp_path: Path) -> None:
    root = write_cooperation(tmp_path / "w", machines, "own = true\nquorum = 0.5")
    id_ = plan(root)
    for member in MEMBERS[:6]:
        approve(root, id_, member)
    ran = fleet(root, "deploy", "motd", "--yes")
    assert (ran.status, "6 of 13 members said yes, and 7 are needed" in ran.err) == (6, True)

    approve(root, id_, MEMBERS[6])

    assert fleet(root, "deploy", "motd", "--yes").status == 0
    assert touched(machines) == set(MEMBERS[:7])


def test_windows_are_kept_and_a_missed_one_is_not_caught_up(
    machines: Machines, tmp_path: Path
) -> None:
    root = write_cooperation(tmp_path / "w", machines)
    id_ = plan(root)
    approve(root, id_, "m01", "--from", "2000-01-01", "--to", "2099-01-01")
    approve(root, id_, "m02", "--from", "2098-01-01", "--to", "2099-01-01")

    ran = fleet(root, "deploy", "motd", "--yes")

    assert touched(machines) == {"m01"}
    assert "m02 its window has not begun" in ran.out
    over = ("--role", "r", "--from", "2000-01-01", "--to", "2000-01-02")
    refused = fleet(root, "change", "approve", id_, "--member", "m03", *over)
    assert (refused.status, "the window is over" in refused.err) == (4, True)


def test_each_member_sees_its_own_devices(machines: Machines, tmp_path: Path) -> None:
    root = write_cooperation(tmp_path / "w", machines)
    id_ = plan(root)

    mine = fleet(root, "change", "show", id_[:6], "--member", "m05", "-o", "json").json

    assert [g["devices"] for g in mine["groups"]] == [["m05-srv"]]
    assert {d for w in mine["waves"] for d in w["devices"]} == {"m05-srv"}
    assert "+hello" in mine["groups"][0]["diff"]
    text = fleet(root, "change", "show", id_, "--member", "m05").out
    assert "# motd: 1 device gets this: m05-srv" in text


def test_sites_of_health_need_the_five_fields(machines: Machines, tmp_path: Path) -> None:
    root = write_cooperation(tmp_path / "w", machines, kind="nursing_home")
    id_ = plan(root)
    approve(root, id_, "m01")
    five = ("--risk-assessment", "R-17", "--test", "in the lab", "--guarded", "canary first")
    approve(root, id_, "m02", *five, "--documentation", "D-4", "--approved-by", "rådmann")

    ran = fleet(root, "deploy", "motd", "--yes")

    assert touched(machines) == {"m02"}
    assert "m01 has not given what Normen asks for: risk assessment, test, " in ran.out


def test_four_eyes_and_who_may_answer(machines: Machines, tmp_path: Path) -> None:
    root = write_cooperation(tmp_path / "w", machines, "own = true\nfour_eyes = true")
    id_ = plan(root)
    asked = ("change", "approve", id_, "--member", "m01", "--role", "r")
    assert "needs four eyes" in fleet(root, *asked).err
    replace_in(root / "fleet.toml", "four_eyes = true", "")
    text = (root / "fleet.toml").read_text()
    (root / "fleet.toml").write_text(text + '[approval.approvers]\nm01 = ["kari"]\n')

    ran = fleet(root, *asked)

    assert (ran.status, "may not answer for m01" in ran.err) == (6, True)


def test_an_answer_that_was_signed_elsewhere(machines: Machines, tmp_path: Path) -> None:
    root = write_cooperation(tmp_path / "w", machines, "own = true\nfour_eyes = true")
    keys = tmp_path / "keys"
    keys.mkdir()
    for name in ("good", "bad"):
        command = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(keys / name)]
        subprocess.run(command, check=True)
    public = (keys / "good.pub").read_text()
    (root / "signers").write_text(f'm01 namespaces="fleet" {public}')
    settings = (root / "fleet.toml").read_text()
    signers = '[approval]\nallowed_signers = "signers"\n[approval.normal]'
    (root / "fleet.toml").write_text(settings.replace("[approval.normal]", signers))
    id_ = plan(root)
    replace_in(root / "fleet.toml", "four_eyes = true", "")
    asked = ("--member", "m01", "--role", "IT-leder", "--statement")
    statement = tmp_path / "yes.json"
    statement.write_text(fleet(root, "change", "approve", id_, *asked).out)

    def sign(key: str) -> int:
        (tmp_path / "yes.json.sig").unlink(missing_ok=True)
        command = ["ssh-keygen", "-q", "-Y", "sign", "-n", "fleet", "-f", str(keys / key)]
        subprocess.run([*command, str(statement)], check=True, capture_output=True)
        return fleet(root, "change", "approve", id_, "--signed", str(statement)).status

    assert sign("bad") == 6
    assert sign("good") == 0
    assert fleet(root, "deploy", "motd", "--yes").status == 0
    assert touched(machines) == {"m01"}
    answers = fleet(root, "change", "show", id_, "-o", "json").json["answers"]
    assert [a["signed"] for a in answers] == ["m01, by yes.json.sig"]


def test_a_change_is_taken_back_and_what_others_did_since_stays(
    machines: Machines, tmp_path: Path
) -> None:
    root = write_cooperation(tmp_path / "w", machines, "own = false")
    old = machines.homes[ADDRESSES["m03"]] / "target/etc"
    old.mkdir(parents=True)
    (old / "motd").write_text("before\n")
    limit = ("--limit", "m01-srv", "--limit", "m02-srv", "--limit", "m03-srv")
    made = fleet(root, "deploy", "motd", *limit, "--yes", "-o", "json")
    id_ = made.json["id"]
    (machines.homes[ADDRESSES["m02"]] / "target/etc/motd").write_text("somebody else\n")

    ran = fleet(root, "change", "rollback", id_, "--yes")

    assert ran.status == 1
    assert "m02-srv: motd: failed: it was not put back: " in ran.out
    assert "was changed by somebody else since" in ran.out
    assert not (machines.homes[ADDRESSES["m01"]] / "target/etc/motd").exists()
    assert (old / "motd").read_text() == "before\n"
    assert touched(machines) == {"m02", "m03"}


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("show", "nonsense"), 4, "there is no change `nonsense`"),
        (("reject", "ID", "--member", "m01", "--role", "r"), 4, "needs a reason"),
        (("approve", "ID", "--member", "m99", "--role", "r"), 4, "has nothing for `m99`"),
        (("approve", "ID", "--member", "m01"), 2, "--member and --role"),
        (("rollback", "ID", "--yes"), 4, "is on any device"),
    ],
)
def test_bad_input(
    machines: Machines,
    tmp_path: Path,
    arguments: tuple[str, ...],
    status: int,
    message: str,
) -> None:
    root = write_cooperation(tmp_path / "w", machines)
    id_ = plan(root)

    ran = fleet(root, "change", *(id_ if a == "ID" else a for a in arguments))

    assert (ran.status, message in ran.err) == (status, True), ran.err
