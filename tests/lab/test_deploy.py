"""`fleet deploy` in a real network: real machines, real SSH, and faults that people have had."""

import os
import random
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab.network import CONTROLLER, Lab, plan_sites, require_lab
from tests.lab.rollouts import ENVIRONMENT, fleet, goes, write_baseline, write_workspace

pytestmark = pytest.mark.lab


@pytest.fixture
def lab() -> Iterator[Lab]:
    require_lab()
    with Lab(plan_sites(2), hears=False) as network:
        yield network


def targets(lab: Lab) -> list[str]:
    return [name for name in lab.machines if name != CONTROLLER]


def text_at(lab: Lab, name: str, path: str) -> str | None:
    found = lab.root(name) / path.lstrip("/")
    return found.read_text() if found.exists() else None


def test_all_machines_are_changed_once_and_the_service_is_restarted_once(
    lab: Lab, tmp_path: Path
) -> None:
    root = write_workspace(lab, tmp_path / "w", ("labd", "forwarding"))

    out, err, _ = fleet(lab, root, "deploy", "--yes")

    assert out.splitlines()[-1] == f"{len(targets(lab))} changed."
    for name in targets(lab):
        assert text_at(lab, name, "/etc/labd.conf") == "text = fine\n"
        assert text_at(lab, name, "/run/labd.log") == "started\nstarted\n"
        assert len(goes(lab, name)) == 1
        assert (goes(lab, name)[0] / "confirmed").exists()
    _, err, _ = fleet(lab, root, "deploy", "--yes")
    assert "Every device has it already." in err


def test_devices_that_back_each_other_up_are_never_in_one_wave(lab: Lab, tmp_path: Path) -> None:
    root = write_workspace(lab, tmp_path / "w", ("labd",))
    both = ("--limit", "core1", "--limit", "core2")

    # The controller hangs at core1 alone, so core2 could not be reached any more.
    _, err, _ = fleet(lab, root, "deploy", *both, "--at-once", "--yes", status=6)

    assert "these devices may not be changed in one wave" in err
    assert "cut off: dc" in err or "cut off: s1, s2" in err
    assert all(text_at(lab, name, "/etc/labd.conf") is None for name in ("core1", "core2"))
    _, err, _ = fleet(lab, root, "deploy", *both, "--yes")
    assert [x for x in err.splitlines() if x.startswith("wave ")] == [
        "wave 1 (3 steps from the controller): 1 device",
        "wave 2 (2 steps from the controller): 1 device",
    ]


def test_a_site_with_two_uplinks_is_not_cut_off_on_both_at_once(tmp_path: Path) -> None:
    require_lab()
    pairs = [("core1", "ctl"), ("core1", "up1"), ("core1", "up2")]
    pairs += [("s1-dist", "up1"), ("s1-dist", "up2"), ("s1-dist", "s1-srv")]
    with Lab(pairs, hears=False) as lab:
        root = write_workspace(lab, tmp_path / "w", ("labd",))
        both = ("--limit", "up1", "--limit", "up2", "--yes")
        _, err, _ = fleet(lab, root, "deploy", *both, "--at-once", status=6)
        assert "as they back each other up: up1, up2; cut off: s1" in err
        assert goes(lab, "up1") == goes(lab, "up2") == []
        fleet(lab, root, "deploy", *both)
        assert len(goes(lab, "up1")) == len(goes(lab, "up2")) == 1


def test_a_change_that_cuts_a_site_off_is_noticed_and_taken_back(lab: Lab, tmp_path: Path) -> None:
    root = write_workspace(lab, tmp_path / "w", ("forwarding",))
    overrides = "overrides: [{device: s1-dist, variables: {forward: 0}}]\n"
    write_baseline(root, "forwarding", overrides)
    limit = ("--limit", "s1-dist", "--limit", "s2-dist", "--limit", "core1")
    lab.on("s2-dist", "echo > /etc/sysctl.d/99-lab.conf")
    lab.on("core1", "echo > /etc/sysctl.d/99-lab.conf")

    out, err, _ = fleet(lab, root, "deploy", *limit, "--yes", status=1)

    assert "dark: s1-acc, s1-srv" in err or "dark: s1-acc" in err
    assert "s1-dist: forwarding: reverted: it was put back as it was" in out
    assert "in later waves were not touched" in out
    assert lab.on("s1-dist", "cat /proc/sys/net/ipv4/ip_forward").stdout == "1\n"
    assert text_at(lab, "s1-dist", "/etc/sysctl.d/99-lab.conf") == "net.ipv4.ip_forward = 1\n"
    assert goes(lab, "core1") == []
    _, err, _ = fleet(lab, root, "deploy", "--limit", "s1-srv", "--plan")
    assert "could not be read" not in err


def test_a_cut_is_noticed_also_by_who_goes_on_after_a_crash(lab: Lab, tmp_path: Path) -> None:
    root = write_workspace(lab, tmp_path / "w", ("forwarding",))
    overrides = "overrides: [{device: s1-dist, variables: {forward: 0}}]\n"
    write_baseline(root, "forwarding", overrides)
    command = [sys.executable, "-m", "fleet", "deploy", "--limit", "s1-dist", "--yes"]
    started = lab.start(command, root, ENVIRONMENT)
    wait_until(lambda: lab.on("s1-dist", "cat /proc/sys/net/ipv4/ip_forward").stdout == "0\n")
    started.send_signal(signal.SIGKILL)
    started.communicate(timeout=60)

    out, err, _ = fleet(lab, root, "deploy", "--resume", status=1)

    assert "dark: s1-acc" in err
    assert "s1-dist: forwarding: reverted: it was put back as it was" in out
    assert lab.on("s1-dist", "cat /proc/sys/net/ipv4/ip_forward").stdout == "1\n"


def test_a_machine_that_locks_fleet_out_takes_the_change_back_by_itself(
    lab: Lab, tmp_path: Path
) -> None:
    root = write_workspace(lab, tmp_path / "w", ("firewall",))
    write_baseline(root, "firewall", "overrides: [{device: s1-srv, variables: {closed: [22]}}]\n")

    out, err, _ = fleet(
        lab,
        root,
        *("deploy", "--limit", "s1-srv", "--yes"),
        status=1,
        FLEET_DEPLOY__CONFIRM_S="5",
    )

    assert "dark: s1-srv" in err
    assert "s1-srv: firewall: reverted: it was put back as it was" in out
    assert "tcp dport 22 drop" not in lab.on("s1-srv", "nft list ruleset").stdout
    assert "still dark" not in out


FAULTS = {
    "a service that does not come back": (
        "true",
        "all files are as before: service labd restart ended with",
    ),
    "a full disk": (
        "mount -t tmpfs -o size=16k tmpfs /var/lib/fleet && "
        "dd if=/dev/zero of=/var/lib/fleet/fill bs=1k count=64 2>/dev/null; true",
        "the disk is full",
    ),
    "another run on the machine": (
        "exec 9> /var/lib/fleet/lock && flock 9 && sleep 100 < /dev/null > /dev/null 2>&1 &",
        "another change is being made on this machine",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_after_a_fault_a_machine_is_as_before(lab: Lab, tmp_path: Path, fault: str) -> None:
    prepare, message = FAULTS[fault]
    root = write_workspace(lab, tmp_path / "w", ("forwarding", "labd"))
    write_baseline(root, "forwarding", "")
    text = "nonsense" if "service" in fault else "fine"
    write_baseline(root, "labd", f"overrides: [{{device: s1-srv, variables: {{text: {text}}}}}]\n")
    lab.on("s1-srv", "echo before > /etc/labd.conf; mkdir -p /var/lib/fleet; " + prepare)
    lab.on("s1-srv", "echo 'net.ipv4.ip_forward=1' > /etc/sysctl.d/99-lab.conf")

    out, _, _ = fleet(
        lab, root, "deploy", "--limit", "s1-srv", "--limit", "s2-srv", "--yes", status=1
    )

    assert "s1-srv: labd: failed: " in out
    assert message in out
    assert text_at(lab, "s1-srv", "/etc/labd.conf") == "before\n"
    assert text_at(lab, "s1-srv", "/etc/sysctl.d/99-lab.conf") == "net.ipv4.ip_forward=1\n"
    assert lab.on("s1-srv", "service labd status").returncode == 0
    assert not list((lab.root("s1-srv") / "etc").glob(".fleet-*"))


def test_a_connection_cut_in_the_middle_of_a_write_leaves_no_half(lab: Lab, tmp_path: Path) -> None:
    root = write_workspace(lab, tmp_path / "w", ("forwarding", "labd"))
    path = root / "templates/device/labd/linux.yaml"
    # When its files are in place and the service is still the old one.
    path.write_text(path.read_text() + "run: [\"pkill -KILL -f '^sshd: root'\"]\n")
    lab.on("s1-srv", "echo before > /etc/labd.conf")
    lab.on("s1-srv", "echo 'net.ipv4.ip_forward=1' > /etc/sysctl.d/99-lab.conf")

    out, _, _ = fleet(
        lab, root, "deploy", "--limit", "s1-srv", "--yes", status=1, FLEET_DEPLOY__CONFIRM_S="5"
    )

    assert "s1-srv: labd: " in out
    wait_until(lambda: text_at(lab, "s1-srv", "/etc/labd.conf") == "before\n")
    assert text_at(lab, "s1-srv", "/etc/sysctl.d/99-lab.conf") == "net.ipv4.ip_forward=1\n"
    assert not list((lab.root("s1-srv") / "etc").glob(".fleet-*"))
    wait_until(lambda: lab.on("s1-srv", "service labd status").returncode == 0)


def test_sudo_that_is_refused_leaves_the_machine_out(lab: Lab, tmp_path: Path) -> None:
    root = write_workspace(lab, tmp_path / "w", ("labd",))
    limit = ("deploy", "--limit", "s1-srv")

    out, _, _ = fleet(lab, root, *limit, "--yes", status=4, FLEET_DEPLOY__USER="guest")
    assert "it could not be read: sudo: a password is required" in out

    fleet(lab, root, *limit, "--yes", FLEET_DEPLOY__USER="operator")
    assert text_at(lab, "s1-srv", "/etc/labd.conf") == "text = fine\n"


def test_a_host_key_that_changed_is_refused(lab: Lab, tmp_path: Path) -> None:
    root = write_workspace(lab, tmp_path / "w", ("labd",))
    lab.forge_host_key("s1-srv")

    out, _, _ = fleet(
        lab, root, "deploy", "--limit", "s1-srv", "--limit", "s2-srv", "--yes", status=1
    )

    assert "it could not be read: its host key is not the known one" in out
    assert text_at(lab, "s1-srv", "/etc/labd.conf") is None
    assert text_at(lab, "s2-srv", "/etc/labd.conf") == "text = fine\n"


def test_what_changed_after_the_plan_is_left_alone(lab: Lab, tmp_path: Path) -> None:
    root = write_workspace(lab, tmp_path / "w", ("labd",))
    started = lab.start(
        [sys.executable, "-m", "fleet", "deploy", "--limit", "s1-srv", "--limit", "core1", "--yes"],
        root,
        ENVIRONMENT,
    )
    wait_until(lambda: bool(goes(lab, "s1-srv")))
    lab.on("core1", "echo somebody was here > /etc/labd.conf")

    out, _ = started.communicate(timeout=120)

    assert started.returncode == 1, out
    assert "core1: labd: not_run: it was changed by somebody else after the plan was made" in out
    assert text_at(lab, "core1", "/etc/labd.conf") == "somebody was here\n"


def wait_until(is_so: "object", seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():  # type: ignore[operator]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def kill_and_resume(lab: Lab, root: Path, delay: float) -> None:
    """Start a rollout, kill it after a while, and go on."""
    command = [sys.executable, "-m", "fleet", "deploy", "--yes"]
    started = lab.start(command, root, ENVIRONMENT)
    time.sleep(delay)
    # `ip netns exec` becomes the program that it starts.
    started.send_signal(signal.SIGKILL)
    started.communicate(timeout=60)
    out, err, status = fleet(lab, root, "deploy", "--resume", status=None)
    assert status == 0, out + err
    if "Nothing was broken off" in err:
        fleet(lab, root, "deploy", "--yes")


KILLS = int(os.environ.get("FLEET_KILLS", "10"))


def test_killed_at_any_moment_and_resumed_no_machine_is_changed_twice_or_missed(
    tmp_path: Path,
) -> None:
    require_lab()
    with Lab(plan_sites(1), hears=False) as lab:
        keep_killing(lab, write_workspace(lab, tmp_path / "w", ("labd",)))


def keep_killing(lab: Lab, root: Path) -> None:
    chance = random.Random(6)
    for number in range(KILLS):
        write_baseline(root, "labd", "")
        path = root / "baselines" / "labd.yaml"
        path.write_text(path.read_text().replace("fine", f"number {number}"))
        kill_and_resume(lab, root, chance.uniform(0.3, 10.0))
        for name in targets(lab):
            assert text_at(lab, name, "/etc/labd.conf") == f"text = number {number}\n"
            assert len(goes(lab, name)) == min(number + 1, 10)
        _, err, _ = fleet(lab, root, "deploy", "--yes")
        assert "Every device has it already." in err
