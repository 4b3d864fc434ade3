"""What the shell offers: commands, options, and names of the inventory."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.worlds import fleet


def offered(root: Path, typed: str) -> list[str]:
    """What bash offers after what was typed; a blank at its end begins a new word."""
    words = typed.split(" ")
    done = subprocess.run(
        [sys.executable, "-m", "fleet"],
        cwd=root,
        env={
            **os.environ,
            "_FLEET_COMPLETE": "complete_bash",
            "COMP_WORDS": typed,
            "COMP_CWORD": str(len(words) - 1),
        },
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split()


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("fleet sho", ["show"]),
        ("fleet device re", ["retire"]),
        ("fleet show s", ["site", "service"]),
        ("fleet show device skole-", ["skole-r1", "skole-sw1"]),
        ("fleet report uptime --member sm", ["smola"]),
        ("fleet audit sk", ["skole"]),
        ("fleet path dc-", ["dc-r1"]),
        ("fleet device swap skole-s", ["skole-sw1"]),
        ("fleet impact nothing-like-it", []),
    ],
)
def test_names_that_begin_so_are_offered(world: Path, typed: str, names: list[str]) -> None:
    fleet(world, "sync", "--yes")

    assert offered(world, typed) == names


def test_without_a_workspace_nothing_is_offered_and_nothing_is_said(tmp_path: Path) -> None:
    assert offered(tmp_path, "fleet show device s") == []


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_has_its_script(tmp_path: Path, shell: str) -> None:
    ran = fleet(tmp_path, "completion", shell)

    assert ran.status == 0
    assert "_FLEET_COMPLETE" in ran.out
