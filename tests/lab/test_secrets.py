"""Secrets of every kind reach a machine, opened by what keeps them, and nothing else."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest

from tests.lab.network import Lab, require_lab
from tests.lab.rollouts import fleet, write_baseline, write_workspace

pytestmark = pytest.mark.lab
MACHINE = "s1-srv"
COLLECTIONS = os.environ.get("FLEET_TEST_COLLECTIONS", "nowhere")
SECRETS = {
    "env:RADIUS": "from-the-environment",
    "file:keys/radius": "from-a-file",
    "vault:keys/vault.yaml#radius": "from-the-vault",
    "sops:keys/sops.yaml#radius": "from-sops",
}


@pytest.fixture
def lab() -> Iterator[Lab]:
    require_lab()
    with Lab([("core1", "ctl"), ("core1", MACHINE)], hears=False) as network:
        yield network


def lock(root: Path, outside: Path) -> dict[str, str]:
    """Write the secrets where they are kept, locked; what unlocks them is in the environment."""
    programs = Path(sys.executable).parent
    keys = root / "keys"
    keys.mkdir()
    outside.mkdir()
    (keys / "radius").write_text("from-a-file\n")
    (keys / "vault.yaml").write_text("radius: from-the-vault\n")
    (keys / "sops.yaml").write_text("radius: from-sops\nother: also-secret\n")
    identity = pyrage.x25519.Identity.generate()
    (outside / "age").write_text(str(identity))
    (outside / "vault").write_text("open sesame")
    age = str(identity.to_public())
    for command in (
        ["ansible-vault", "encrypt", "--vault-password-file", str(outside / "vault"), "vault.yaml"],
        ["sops", "encrypt", "--in-place", "--age", age, "sops.yaml"],
    ):
        command[0] = str(programs / command[0])
        subprocess.run(command, cwd=keys, check=True, capture_output=True)
    return {
        "RADIUS": "from-the-environment",
        "ANSIBLE_VAULT_PASSWORD_FILE": str(outside / "vault"),
        "SOPS_AGE_KEY_FILE": str(outside / "age"),
        "ANSIBLE_COLLECTIONS_PATH": COLLECTIONS,
        "PATH": f"{programs}:{os.environ['PATH']}",
    }


def test_every_kind_of_secret_reaches_the_machine_and_no_file(lab: Lab, tmp_path: Path) -> None:
    root = write_workspace(lab, tmp_path / "w", ())
    environment = lock(root, tmp_path / "outside")
    write_baseline(root, "labd")
    lines = [f"{{{{ secret({json.dumps(reference)}) }}}}" for reference in SECRETS]
    (root / "templates/device/labd/linux.conf.j2").write_text("\n".join(lines) + "\n")
    command = ("deploy", "labd", "--limit", MACHINE, "--yes")

    out, err, _ = fleet(lab, root, *command, **environment)
    again = fleet(lab, root, *command, **environment)[1]

    assert out.splitlines()[-1] == "1 changed."
    assert lab.on(MACHINE, "cat /etc/labd.conf").stdout.split() == list(SECRETS.values())
    assert "Every device has it already." in again
    kept = "".join(
        path.read_bytes().decode("utf-8", "replace")
        for path in root.rglob("*")
        if path.is_file() and path.name != "radius"
    )
    for value in SECRETS.values():
        assert value not in kept + out + err + again
