"""A fast SNMP responder in C with faults, which lies beside a checkout in some places."""

import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

TOOLS = Path(__file__).resolve().parents[2] / "shared" / "tools"
PORTS = 52


def build(folder: Path) -> tuple[Path, Path]:
    """The program and the recording of a switch with 48 and 4 ports."""
    source = TOOLS / "responder.c"
    if not source.is_file() or shutil.which("gcc") is None:
        pytest.skip("no responder beside this checkout, or no C compiler to build it")
    program, recording = folder / "responder", folder / "switch.snmprec"
    if not program.exists():
        subprocess.run(["gcc", "-O2", "-o", program, source], check=True)
        written = subprocess.run(
            [sys.executable, TOOLS / "switch48.py", recording], check=True, capture_output=True
        )
        assert b"objects" in written.stdout
    return program, recording


@contextmanager
def responding(folder: Path, port: int, *options: str) -> Iterator[None]:
    """The responder answers for every address of 127/8 at this port."""
    program, recording = build(folder)
    process = subprocess.Popen(
        [program, "-p", str(port), "-s", "600", *options, recording],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        time.sleep(0.3)
        assert process.poll() is None, "the responder does not run"
        yield
    finally:
        process.terminate()
        process.wait()
