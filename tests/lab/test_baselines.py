"""The shipped baselines on a real machine: its programs accept them, and they do what they say."""

import datetime
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fleet import shipped
from tests.lab.network import Lab, require_lab
from tests.lab.rollouts import fleet, write_workspace

pytestmark = pytest.mark.lab
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0 kari"
MACHINE = "s1-srv"


@pytest.fixture
def lab() -> Iterator[Lab]:
    require_lab()
    with Lab([("core1", "ctl"), ("core1", MACHINE)], hears=False) as network:
        yield network


def put(root: Path, name: str, variables: dict[str, object]) -> None:
    """A shipped baseline with a cooperation's own variables; JSON is valid YAML."""
    text = (shipped.baselines() / f"{name}.yaml").read_text()
    (root / "baselines").mkdir(exist_ok=True)
    head = text.partition("variables:")[0]
    (root / "baselines" / f"{name}.yaml").write_text(f"{head}variables: {json.dumps(variables)}\n")


def authority() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Kommune CA")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    built = x509.CertificateBuilder().subject_name(name).issuer_name(name)
    built = built.public_key(key.public_key()).serial_number(7)
    built = built.not_valid_before(start).not_valid_after(start.replace(year=2036))
    signed = built.sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM).decode()


def test_users_sudo_time_zone_and_authorities_reach_a_machine(lab: Lab, tmp_path: Path) -> None:
    root = write_workspace(lab, tmp_path / "w", ())
    kari = {"name": "kari", "comment": "Kari Nordmann", "admin": True, "keys": [KEY]}
    put(root, "users", {"users": [kari], "leavers": ["ola"]})
    put(root, "sudo", {"rules": ["%sudo ALL=(ALL:ALL) ALL"]})
    put(root, "timezone", {"zone": "Atlantic/Jan_Mayen"})
    pem = authority()
    put(root, "certificates", {"authorities": [{"name": "kommune", "pem": pem}], "gone": []})
    lab.on(MACHINE, "mkdir -p /etc/ssh/authorized_keys.d; echo x > /etc/ssh/authorized_keys.d/ola")
    names = ("users", "sudo", "timezone", "certificates")

    out, _, _ = fleet(lab, root, "deploy", *names, "--limit", MACHINE, "--yes")

    assert out.splitlines()[-1] == "4 changed."
    assert "risk of users: A wrong key keeps somebody out" in out
    assert "sudo" in lab.on(MACHINE, "id -nG kari").stdout
    assert lab.on(MACHINE, "stat -c %U:%a /home/kari").stdout.strip() == "kari:700"
    assert lab.on(MACHINE, "cat /etc/ssh/authorized_keys.d/kari").stdout.strip() == KEY
    assert lab.on(MACHINE, "ls /etc/ssh/authorized_keys.d").stdout.split() == ["kari"]
    assert "(ALL : ALL) ALL" in lab.on(MACHINE, "sudo -l -U kari").stdout
    link = lab.on(MACHINE, "readlink /etc/localtime").stdout.strip()
    assert link == "/usr/share/zoneinfo/Atlantic/Jan_Mayen"
    trusted = lab.on(MACHINE, "cat /etc/ssl/certs/ca-certificates.crt").stdout
    assert pem.strip() in trusted
    _, err, _ = fleet(lab, root, "deploy", *names, "--limit", MACHINE, "--yes")
    assert "Every device has it already." in err


@pytest.mark.parametrize(
    ("name", "wrong"),
    [
        ("sudo", {"rules": ["%sudo ALL=(ALL:ALL ALL"]}),
        ("timezone", {"zone": "Europe/Smola"}),
        ("certificates", {"authorities": [{"name": "x", "pem": "no certificate"}], "gone": []}),
        ("sshd", {"passwords": False, "root": "perhaps", "idle_minutes": 15, "tries": 3}),
        (
            "firewall",
            {
                "admins": [],
                "pollers": ["10.1.1.20/32"],
                "ssh_port": 22,
                "allow": [{"port": 70000, "protocol": "tcp"}],
            },
        ),
    ],
)
def test_what_the_machine_does_not_accept_is_not_put_in_place(
    lab: Lab, tmp_path: Path, name: str, wrong: dict[str, object]
) -> None:
    root = write_workspace(lab, tmp_path / "w", ())
    put(root, name, wrong)
    before = lab.on(MACHINE, "find /etc -newer /etc/lab/host -type f | sort").stdout

    out, _, _ = fleet(lab, root, "deploy", name, "--limit", MACHINE, "--yes", status=1)

    assert f"{MACHINE}: {name}: failed: " in out
    assert "nothing was changed" in out
    assert lab.on(MACHINE, "find /etc -newer /etc/lab/host -type f | sort").stdout == before


def test_sshd_the_firewall_and_its_unit_are_accepted(lab: Lab, tmp_path: Path) -> None:
    root = write_workspace(lab, tmp_path / "w", ())
    put(root, "sshd", {"passwords": False, "root": "no", "idle_minutes": 15, "tries": 3})
    networks = {"admins": ["10.0.0.0/8", "fd00::/8"], "pollers": ["10.0.0.0/8"]}
    allow = [{"port": 443, "protocol": "tcp"}]
    put(root, "firewall", {**networks, "ssh_port": 22, "allow": allow})

    plan, _, _ = fleet(lab, root, "deploy", "sshd", "firewall", "--limit", MACHINE, "--plan")
    files = written(plan)

    for place, text in files.items():
        (lab.root(MACHINE) / "run" / Path(place).name).write_text(text)
    assert lab.on(MACHINE, "sshd -t -f /run/50-fleet.conf").returncode == 0
    loaded = lab.on(
        MACHINE, "nft -f /run/firewall.nft && nft -f /run/firewall.nft && nft list ruleset"
    )
    assert loaded.stdout.count("table inet fleet") == 1
    assert "ip6 saddr fd00::/8 tcp dport 22 accept" in loaded.stdout
    checked = lab.on(MACHINE, "systemd-analyze verify /run/fleet-firewall.service")
    assert "fleet-firewall.service" not in checked.stderr


def written(plan: str) -> dict[str, str]:
    """The files of a plan's difference, where all of them are new."""
    files: dict[str, list[str]] = {}
    place = ""
    for line in plan.splitlines():
        if line.startswith("+++ "):
            place = line.split()[1]
            files[place] = []
        elif line.startswith("+") and place:
            files[place].append(line[1:])
    return {place: "".join(f"{line}\n" for line in lines) for place, lines in files.items()}
