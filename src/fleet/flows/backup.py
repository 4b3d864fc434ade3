"""Versions of running configurations: masked in the workspace's git, whole under a key.

What is in git shows who changed what when, and whether a secret changed, but no secret. What a
change is led back to is kept whole, encrypted, outside of git.
"""

import base64
import hashlib
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fleet.core.inventory import Inventory
from fleet.core.masking import mask, steady
from fleet.errors import NotFound, NotPermitted

if TYPE_CHECKING:
    from cryptography.fernet import Fernet

FOLDER = "configs"


@dataclass(frozen=True, slots=True, kw_only=True)
class Vault:
    """Keeps configurations.

    Args:
        root: the workspace.
        folder: for those that are kept whole.
        key: hides them, and tells secrets apart.
        known: name → value of secrets that fleet knows.
    """

    root: Path
    folder: Path
    key: bytes
    known: Mapping[str, str]

    def version(self, configs: Mapping[str, str], inventory: Inventory, message: str) -> list[str]:
        """Commit configurations, masked, if they are other ones than before.

        Returns:
            The devices whose configuration changed.

        Raises:
            NotPermitted: the workspace is not under git, or git refused.
        """
        if git(self.root, "rev-parse", "--is-inside-work-tree") != "true":
            raise NotPermitted("the workspace is not under git", hint="git init, in its folder")
        changed = []
        for device, config in sorted(configs.items()):
            member = inventory.sites[inventory.devices[device].site].member
            path = self.root / FOLDER / member / f"{device}.cfg"
            text = mask(steady(config), self.key, self.known)
            if path.is_file() and path.read_text(encoding="utf-8") == text:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            part = path.with_name(path.name + ".part")
            part.write_text(text, encoding="utf-8")
            part.replace(path)
            changed.append(device)
        git(self.root, "add", "--", FOLDER)
        if git(self.root, "status", "--porcelain", "--", FOLDER):
            identity = ("-c", "user.name=fleet", "-c", "user.email=fleet@localhost")
            git(self.root, *identity, "commit", "-q", "-m", message, "--", FOLDER)
        return changed

    def keep(self, change: str, device: str, config: str) -> None:
        """Keep a configuration whole, for the way back; the first one of a change stays."""
        path = self._path(change, device)
        if path.exists():
            return
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(path.name + ".part")
        part.write_bytes(self._box().encrypt(config.encode()))
        part.replace(path)

    def fetch(self, change: str, device: str) -> str:
        """The configuration from before a change.

        Raises:
            NotFound: it was not kept here, or under another key.
        """
        from cryptography.fernet import InvalidToken

        try:
            return self._box().decrypt(self._path(change, device).read_bytes()).decode()
        except (OSError, InvalidToken) as error:
            raise NotFound(
                f"the configuration of {device} from before {change} is not to be had here",
                hint="is the key in [deploy] the one from then, and this the controller from then?",
            ) from error

    def _box(self) -> "Fernet":
        from cryptography.fernet import Fernet

        derived = hashlib.scrypt(
            self.key, salt=b"fleet configurations", n=2**14, r=8, p=1, dklen=32
        )
        return Fernet(base64.urlsafe_b64encode(derived))

    def _path(self, change: str, device: str) -> Path:
        return self.folder / change / f"{device}.enc"


def git(root: Path, *arguments: str) -> str:
    """What git printed.

    Raises:
        NotPermitted: it refused.
    """
    try:
        done = subprocess.run(
            ["git", *arguments],
            cwd=root,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
    except OSError as error:
        raise NotPermitted(f"git does not start: {error}") from error
    if done.returncode and arguments[0] != "rev-parse":
        said = (done.stderr or done.stdout).strip().splitlines()
        raise NotPermitted(f"git {arguments[0]}: {said[-1] if said else done.returncode}")
    return done.stdout.strip()
