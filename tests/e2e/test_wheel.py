"""What is installed from a wheel has everything that a checkout has."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def test_a_wheel_makes_a_workspace_and_reports(tmp_path: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    wheel = next(tmp_path.glob("fleet_toolkit-*.whl"))
    zipfile.ZipFile(wheel).extractall(tmp_path / "installed")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path / "installed")}

    def run(*arguments: str, cwd: Path = tmp_path) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "fleet", *arguments],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode in (0, 1), done.stderr
        return done.stdout

    where = [sys.executable, "-c", "import fleet; print(fleet.__file__)"]
    found = subprocess.run(where, cwd=tmp_path, env=environment, capture_output=True, check=True)
    assert str(tmp_path).encode() in found.stdout

    run("init", "w", "--example", "orkide")
    workspace = tmp_path / "w"
    assert "643 to create" in run("sync", "--yes", cwd=workspace)
    run("deploy", "--plan", cwd=workspace)
    assert (workspace / "playbooks/ntp.yml").exists()
    run("report", "uptime", "--month", "2026-10", "--out", "r.html", cwd=workspace)
    assert "Oppetid per sted" in (workspace / "r.html").read_text()
    collection = tmp_path / "installed/fleet/ansible/collection/ansible_collections/fleet/common"
    assert (collection / "plugins/callback/jsonl.py").exists()
    assert (collection / "COPYING").exists()
