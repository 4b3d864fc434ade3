"""Fetching secrets by reference: from the environment, a file, an Ansible vault, or SOPS.

A value is fetched when it is first needed, kept in memory alone, and never written.
"""

import os
import subprocess
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from fleet.ansible.program import find_program
from fleet.core.secrets import Reference, parse_reference
from fleet.errors import NoSecret


class Secrets:
    """What is known of secrets in this process.

    Args:
        root: the workspace, which paths are below.
    """

    def __init__(self, root: Path) -> None:
        self._root = root
        self._values: dict[str, str | None] = {}
        self._files: dict[tuple[str, str], Mapping[str, Any]] = {}

    def values(self, references: Iterable[str]) -> Mapping[str, str | None]:
        """The values of some references; None for one that is not to be had."""
        for reference in references:
            if reference not in self._values:
                self._values[reference] = self._fetch(parse_reference(reference))
        return self._values

    def require(self, references: Iterable[str]) -> Mapping[str, str]:
        """The values of some references.

        Raises:
            NoSecret: one is not to be had.
        """
        found = {}
        for reference in sorted(references):
            value = self.values([reference])[reference]
            if value is None:
                raise NoSecret(
                    f"the secret {reference} is not to be had; no device was touched",
                    hint="set it for this command, or mend the reference in the template",
                )
            found[reference] = value
        return found

    def known(self) -> Mapping[str, str]:
        """Name → value of every secret that was fetched."""
        return {name: value for name, value in self._values.items() if value}

    def _fetch(self, reference: Reference) -> str | None:
        try:
            match reference.kind:
                case "env":
                    value: Any = os.environ.get(reference.place, "")
                case "file":
                    value = (self._root / reference.place).read_text(encoding="utf-8")
                case _:
                    value = self._opened(reference).get(reference.key or "")
        except (OSError, UnicodeDecodeError, subprocess.SubprocessError, yaml.YAMLError, NoSecret):
            return None
        return str(value).strip() or None if value is not None else None

    def _opened(self, reference: Reference) -> Mapping[str, Any]:
        """A file of secrets, opened by the program that it belongs to."""
        key = (reference.kind, reference.place)
        if key not in self._files:
            path = str(self._root / reference.place)
            if reference.kind == "vault":
                command = [str(find_program("ansible-vault")), "view", path]
            else:
                command = ["sops", "--decrypt", path]
            done = subprocess.run(
                command,
                cwd=self._root,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
                timeout=60,
            )
            found = yaml.safe_load(done.stdout)
            self._files[key] = found if isinstance(found, dict) else {}
        return self._files[key]
