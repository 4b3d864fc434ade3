"""Secrets by reference: fetched where they are kept, never written down."""

import os
import subprocess
from pathlib import Path

import pytest

from fleet.ansible.program import find_program
from fleet.ansible.secrets import Secrets
from fleet.errors import NoSecret


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A workspace with a file of secrets that Ansible's vault locked."""
    password = tmp_path / "password"
    password.write_text("open sesame")
    secrets = tmp_path / "w" / "secrets.yaml"
    secrets.parent.mkdir()
    secrets.write_text("radius: from-the-vault\nempty:\n")
    program = str(find_program("ansible-vault"))
    command = [program, "encrypt", "--vault-password-file", str(password), str(secrets)]
    subprocess.run(command, check=True, capture_output=True)
    monkeypatch.setenv("ANSIBLE_VAULT_PASSWORD_FILE", str(password))
    monkeypatch.setenv("RADIUS", "from-the-environment")
    (secrets.parent / "key").write_text("from-a-file\n")
    return secrets.parent


def test_each_kind_of_reference_is_fetched(root: Path) -> None:
    references = ["env:RADIUS", "file:key", "vault:secrets.yaml#radius"]

    assert Secrets(root).require(references) == {
        "env:RADIUS": "from-the-environment",
        "file:key": "from-a-file",
        "vault:secrets.yaml#radius": "from-the-vault",
    }


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("env:NOT_THERE", "NOT_THERE"),
        ("file:nowhere", "nowhere"),
        ("vault:secrets.yaml#other", "secrets.yaml#other"),
        ("vault:secrets.yaml#empty", "secrets.yaml#empty"),
        ("vault:key#radius", "key#radius"),
        ("sops:secrets.yaml#radius", "secrets.yaml#radius"),
    ],
)
def test_what_is_not_to_be_had_is_named(root: Path, reference: str, message: str) -> None:
    with pytest.raises(NoSecret) as error:
        Secrets(root).require([reference])

    assert message in str(error.value)


def test_a_vault_that_stays_locked_names_the_reference(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ANSIBLE_VAULT_PASSWORD_FILE")

    with pytest.raises(NoSecret) as error:
        Secrets(root).require(["vault:secrets.yaml#radius"])

    assert "from-the-vault" not in str(error.value)


def test_an_unlocked_secret_is_known_and_so_can_be_looked_for(root: Path) -> None:
    secrets = Secrets(root)
    secrets.values(["vault:secrets.yaml#radius"])

    assert secrets.known() == {"vault:secrets.yaml#radius": "from-the-vault"}
    assert "from-the-vault" not in os.environ.values()
