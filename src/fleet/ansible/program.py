"""Where Ansible's programs are, and whether they start."""

import shutil
import subprocess
import sys
from pathlib import Path

from fleet.errors import Missing, Unexpected

_HINT = "pip install ansible-core, into fleet's environment"


def find_program(name: str = "ansible-playbook") -> Path:
    """The program beside this Python, else on the PATH.

    Raises:
        Missing: it is in neither place.
    """
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        raise Missing(f"{name} was not found", hint=_HINT)
    return Path(found)


def ansible_version() -> str:
    """The first line of `ansible-playbook --version`.

    Raises:
        Missing: there is none.
        Unexpected: it does not start.
    """
    program = find_program()
    try:
        done = subprocess.run(
            [program, "--version"], check=False, capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Unexpected(f"{program.name} does not start: {error}", hint=_HINT) from error
    if done.returncode:
        raise Unexpected(f"{program.name}: {done.stderr.strip()[:200]}", hint=_HINT)
    return done.stdout.splitlines()[0]
