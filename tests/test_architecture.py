"""The house keeps its shape: light look-ups, small modules, documented commands."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.reference import all_commands
from tests.worlds import fleet

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "src/fleet"
MODULES = sorted(p for p in SOURCE.rglob("*.py") if "collection" not in p.parts)
HEAVY = ("sqlalchemy", "sqlmodel", "alembic", "pysnmp", "ansible", "jinja2", "networkx", "pynetbox")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["find", "dc-r1"],
        ["show", "site", "dc"],
        ["show", "device", "dc-r1"],
        ["list", "devices"],
    ],
    ids=" ".join,
)
def test_looking_things_up_loads_no_heavy_library(world: Path, arguments: list[str]) -> None:
    fleet(world, "sync", "--yes")
    program = (
        "import sys, atexit\n"
        f"heavy = {HEAVY!r}\n"
        "atexit.register(lambda: print([m for m in heavy if m in sys.modules], file=sys.stderr))\n"
        "from fleet.__main__ import main\n"
        f"sys.argv = ['fleet', *{arguments!r}]\n"
        "main()\n"
    )

    ran = subprocess.run(
        [sys.executable, "-c", program], cwd=world, capture_output=True, text=True, check=False
    )

    assert ran.returncode == 0, ran.stderr
    assert ran.stderr.splitlines()[-1] == "[]"


def test_modules_are_rooms_not_halls() -> None:
    long = {
        str(path.relative_to(SOURCE)): lines
        for path in MODULES
        if (lines := len(path.read_text().splitlines())) > 400
    }
    assert long == {}


def test_functions_fit_on_a_screen() -> None:
    lengths = []
    long = []
    for path in MODULES:
        if "versions" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                assert node.end_lineno is not None
                length = node.end_lineno - node.lineno + 1
                lengths.append(length)
                if length > 60:
                    long.append(f"{path.relative_to(SOURCE)}: {node.name}: {length}")
    lengths.sort()
    assert long == []
    assert lengths[len(lengths) // 2] <= 10
    assert lengths[len(lengths) * 9 // 10] <= 30


def test_every_module_says_what_lives_in_it() -> None:
    bare = [
        str(p.relative_to(SOURCE))
        for p in MODULES
        if not ast.get_docstring(ast.parse(p.read_text()))
    ]
    assert bare == []


def test_every_command_has_an_example() -> None:
    for name, command in all_commands():
        assert command.help, name
        if not hasattr(command, "commands"):
            assert "Example:" in command.help, name


def test_the_reference_of_commands_is_up_to_date() -> None:
    from tests.reference import PAGE, render

    assert PAGE.read_text() == render(), "run `make docs`"


def test_no_path_of_a_machine_stands_in_the_tree() -> None:
    files = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False
    ).stdout.split("\n")
    for name in filter(None, files):
        path = ROOT / name
        if path.is_file() and path.suffix != ".lock":
            data = path.read_bytes()
            assert str(ROOT.parent).encode() + b"/" not in data or len(ROOT.parts) < 3, name
            assert os.path.expanduser("~root").encode() + b"/" not in data, name  # noqa: PTH111
