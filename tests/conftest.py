"""Every test runs in a folder of its own, without FLEET_… variables, in Oslo time, 80 wide."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings as hypothesis_settings

from tests.databases import Databases, start_databases
from tests.watched import agents, watched
from tests.worlds import write_world

__all__ = ["agents", "watched"]  # fixtures

hypothesis_settings.register_profile("default", deadline=None, max_examples=150)
hypothesis_settings.register_profile("endure", deadline=None, max_examples=5000)
hypothesis_settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "default"))


@pytest.fixture(autouse=True)
def isolated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("FLEET_", "ANSIBLE_")):
            monkeypatch.delenv(name)
    monkeypatch.setenv("TZ", "Europe/Oslo")
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("NO_COLOR", "1")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session")
def databases(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Databases]:
    with start_databases(tmp_path_factory) as databases:
        yield databases


@pytest.fixture(params=["sqlite", "postgres"])
def store_url(
    request: pytest.FixtureRequest, databases: Databases, tmp_path: Path
) -> Iterator[str]:
    """The URL of an empty database; every test that takes it runs on both."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'fleet.db'}"
        return
    with databases.new_postgres() as url:
        yield url


@pytest.fixture
def world(tmp_path: Path) -> Path:
    """A small workspace: two members, three sites, four devices, three links."""
    return write_world(tmp_path / "world")


@pytest.fixture(scope="session")
def shared_recordings() -> Path:
    """Recordings of real devices, which lie beside a checkout in some places."""
    folder = Path(__file__).resolve().parents[2] / "shared" / "recordings"
    if not folder.is_dir():
        pytest.skip("no recordings of real devices beside this checkout")
    return folder
