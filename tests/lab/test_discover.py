"""`fleet discover` in a real network: exactly the cables that were laid, seen from both ends."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.lab.network import Cable, Lab, plan_sites, require_lab
from tests.worlds import SETTINGS

pytestmark = pytest.mark.lab

MEMBERS = 'members: [{slug: lab, name: Lab, number: "9999", joined: 2020-01-01}]\n'
SITES = "sites: [{slug: lab-dc, name: Laboratoriet, kind: data_centre}]\n"
DEVICES = """\
# The one machine that somebody declared.
devices:
  - {name: core1, site: lab-dc, role: router, address: 10.255.0.1}
"""
ENVIRONMENT = {"FLEET_SNMP_COMMUNITY": "public", "FLEET_POLL__TIMEOUT_S": "2"}


@pytest.fixture(scope="module")
def lab() -> Iterator[Lab]:
    require_lab()
    with Lab(plan_sites(3)) as network:
        yield network


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / "inventory" / "lab").mkdir(parents=True)
    (tmp_path / "fleet.toml").write_text(SETTINGS)
    (tmp_path / "inventory" / "members.yaml").write_text(MEMBERS)
    (tmp_path / "inventory" / "lab" / "sites.yaml").write_text(SITES)
    (tmp_path / "inventory" / "lab" / "devices.yaml").write_text(DEVICES)
    return tmp_path


def fleet(lab: Lab, workspace: Path, *arguments: str, status: int = 0) -> str:
    done = lab.run([sys.executable, "-m", "fleet", *arguments], workspace, ENVIRONMENT)
    assert done.returncode == status, done.stderr + done.stdout
    return done.stdout


def truth(cables: list[Cable]) -> set[frozenset[str]]:
    return {frozenset(f"{name} : {port}" for name, port in (c.a, c.b)) for c in cables}


def ends(link: dict[str, Any]) -> frozenset[str]:
    return frozenset((link["a"], link["b"]))


def test_exactly_the_links_that_were_made(lab: Lab, workspace: Path) -> None:
    fleet(lab, workspace, "sync", "--yes")

    found = json.loads(fleet(lab, workspace, "discover", "10.255.0.0/27", "-o", "json", status=1))

    assert {ends(link) for link in found["links"]} == truth(lab.cables)
    assert {link["confidence"] for link in found["links"]} == {"both ends"}
    assert {d["name"]: d["verdict"] for d in found["devices"]} == {
        name: "known" if name == "core1" else "new" for name in lab.machines
    }
    assert {d["address"] for d in found["devices"]} == set(lab.addresses.values())
    assert {d["platform"] for d in found["devices"]} == {"linux"}


def test_neighbours_are_followed_from_one_device(lab: Lab, workspace: Path) -> None:
    fleet(lab, workspace, "sync", "--yes")

    found = json.loads(
        fleet(lab, workspace, "discover", "--site", "lab-dc", "-o", "json", status=1)
    )

    assert {d["name"] for d in found["devices"]} == set(lab.machines)
    assert {ends(link) for link in found["links"]} == truth(lab.cables)


def test_what_is_added_is_known_the_next_time(lab: Lab, workspace: Path) -> None:
    fleet(lab, workspace, "sync", "--yes")
    fleet(lab, workspace, "discover", "10.255.0.0/27", "--site", "lab-dc", "--add")
    written = (workspace / "inventory" / "lab" / "devices.yaml").read_text()
    assert "# The one machine that somebody declared." in written
    fleet(lab, workspace, "sync", "--yes")

    again = json.loads(fleet(lab, workspace, "discover", "10.255.0.0/27", "-o", "json"))

    assert {d["verdict"] for d in again["devices"]} == {"known"}
    assert {link["verdict"] for link in again["links"]} == {"declared"}
    planned = json.loads(
        fleet(lab, workspace, "list", "devices", "--status", "planned", "-o", "json")
    )
    assert {d["name"] for d in planned} == set(lab.machines) - {"core1"}
