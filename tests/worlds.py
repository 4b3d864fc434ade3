"""Workspaces for tests, and running fleet in them."""

import contextlib
import io
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest import mock

from fleet.app import App
from fleet.cli.main import app
from fleet.core.facts import Facts
from fleet.core.states import Round
from fleet.flows.init import Example, make_workspace

ASKED = datetime(2026, 11, 20, 4, tzinfo=UTC)

SETTINGS = """\
[cooperation]
name = "Two municipalities"
[snmp.credentials.default]
version = "2c"
community = { env = "FLEET_SNMP_COMMUNITY" }
[poll]
timeout_s = 0.6
retries = 0
"""
MEMBERS = """\
members:
  - {slug: aure, name: Aure, number: "1576", language: nb, joined: 1997-01-01,
     population: {2013: 3570}, contact: {role: IT-vakt, phone: "71 64 74 00"}}
  - {slug: smola, name: Smøla, number: "1573", language: nn, joined: 1997-01-01,
     population: {2013: 2180}}
"""
SITES = """\
sites:
  - {slug: dc, name: Datarom, kind: data_centre}
  - {slug: skole, name: Aure skole, kind: school, users: 120}
  - {slug: barnehage, name: Aure barnehage, kind: kindergarten, users: 20}
"""
DEVICES = """\
devices:
  - name: dc-r1
    site: dc
    role: router
    address: 127.3.0.1
    serial: FCW1234A0BC
    commissioned: 2020-01-01
  - name: skole-r1
    site: skole
    role: router
    address: 127.3.0.2
    asset_tag: IKT-004711
    room: "U-101"
    commissioned: 2020-01-01
    interfaces:
      - {name: Gi1, mac: "00:11:22:33:44:55", address: 10.15.5.11/24, description: uplink}
  - name: skole-sw1
    site: skole
    role: switch
    address: 127.3.0.3
    commissioned: 2020-01-01
  - name: bhg-r1
    site: barnehage
    role: router
    address: 127.3.0.4
    platform: linux
    commissioned: 2020-01-01
"""
LINKS = """\
links:
  - {a: "dc-r1 : Gi1", b: "skole-r1 : Gi2", kind: fibre, capacity_mbps: 1000, circuit_id: NEAS-8841}
  - {a: "skole-r1 : Gi3", b: "skole-sw1 : Gi1", kind: copper}
  - {a: "dc-r1 : Gi2", b: "bhg-r1 : Gi1", kind: fibre}
"""


def write_world(root: Path) -> Path:
    (root / "inventory" / "aure").mkdir(parents=True)
    (root / "baselines").mkdir()
    (root / "fleet.toml").write_text(SETTINGS)
    put = (root / "inventory").joinpath
    put("members.yaml").write_text(MEMBERS)
    put("aure", "sites.yaml").write_text(SITES)
    put("aure", "devices.yaml").write_text(DEVICES)
    put("aure", "links.yaml").write_text(LINKS)
    return root


@dataclass(frozen=True)
class Ran:
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def fleet(root: Path, *arguments: str, given: str = "") -> Ran:
    """Run a command in a workspace, in this process.

    Args:
        given: on standard input.
    """
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch("sys.stdin", io.StringIO(given)) if given else contextlib.nullcontext(),
        contextlib.chdir(root),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            app(list(arguments), prog_name="fleet")
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 1
    return Ran(status, out.getvalue(), err.getvalue())


def make_example(folder: Path) -> Path:
    """The example cooperation of 13 and now nine members, synced, in a new workspace."""
    root = folder / "w"
    make_workspace(root, Example.ORKIDE)
    assert fleet(root, "sync", "--yes").status == 0
    return root


def replace_in(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def keep_facts(root: Path, device: str, facts: Facts, at: datetime = ASKED) -> None:
    """Keep what a device said, as a poll does."""
    app_ = App(root)
    interval = app_.workspace.settings.poll.interval
    with app_.store() as store:
        poll = Round(at=at, duration_us=0, devices=0, requests=0, timeouts=0)
        store.add_poll([], poll, confirmations=3, interval=interval, facts=[(device, at, facts)])
    app_.close()
