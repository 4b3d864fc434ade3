"""`fleet probe` and `fleet discover` against simulated devices."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from fleet.snmp.simulator import COMMUNITY, SimulatedNetwork, free_port
from tests.worlds import fleet, replace_in

PROBE = "name description object_id uptime_s location contact vendor platform model os_version"
PROBE_FIELDS = {
    *("address", "port", "reachable", "error", "credential", *PROBE.split(), "serial", "role"),
    *("interfaces", "addresses", "neighbours", "storages", "supplies", "power", "components"),
    "unread",
}


def switch(name: str, serial: str = "", more: str = "") -> str:
    lines = [
        "1.3.6.1.2.1.1.1.0|4|Arista Networks EOS version 4.15.3F running on an Arista DCS-7050TX",
        "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.30065.1.3011",
        "1.3.6.1.2.1.1.3.0|67|8640000",
        f"1.3.6.1.2.1.1.5.0|4|{name}",
        "1.3.6.1.2.1.2.2.1.2.1|4|Ethernet1",
        "1.3.6.1.2.1.31.1.1.1.1.1|4|Et1",
        *([f"1.3.6.1.2.1.47.1.1.1.1.11.1|4|{serial}"] if serial else []),
    ]
    return "\n".join(lines) + "\n" + more


def hears(name: str, port: str) -> str:
    rows = [("4", "2|7"), ("5", f"4|{name}"), ("6", "2|5"), ("7", f"4|{port}"), ("9", f"4|{name}")]
    return "".join(f"1.0.8802.1.1.2.1.4.1.1.{column}.0.1.1|{cell}\n" for column, cell in rows)


@contextmanager
def network(texts: dict[str, str]) -> Iterator[int]:
    """Devices by their addresses; their port."""
    port = free_port(next(iter(texts)), 0)
    with SimulatedNetwork({address: (address, text) for address, text in texts.items()}, port):
        yield port


@pytest.fixture
def synced(world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FLEET_SNMP_COMMUNITY", COMMUNITY)
    assert fleet(world, "sync", "--yes").status == 0
    return world


def lines(out: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.splitlines()]


def test_probe_prints_a_line_for_each_address_in_the_order_given(synced: Path) -> None:
    with network({"127.49.0.1": switch("sw1", "JPE1"), "127.49.0.2": switch("sw2")}) as port:
        ran = fleet(
            synced,
            "probe",
            f"127.49.0.2:{port}",
            f"127.49.0.9:{port}",
            f"127.49.0.1:{port}",
            f"127.49.0.1:{port}",
            "-o",
            "json",
        )

    rows = lines(ran.out)
    assert ran.status == 1
    assert [row["name"] for row in rows] == ["sw2", None, "sw1", "sw1"]
    assert [row["error"] for row in rows] == [None, "no answer", None, None]
    assert all(set(row) >= PROBE_FIELDS for row in rows)
    first = rows[2]
    assert (first["vendor"], first["platform"], first["os_version"]) == (
        "Arista",
        "arista_eos",
        "4.15.3F",
    )
    assert (first["serial"], first["role"], first["uptime_s"]) == ("JPE1", "switch", 86_400.0)
    assert first["credential"] == "default"
    assert first["interfaces"] == [
        {
            "index": 1,
            "name": "Et1",
            "description": "Ethernet1",
            "alias": None,
            "type": None,
            "mac": None,
            "admin_status": None,
            "oper_status": None,
            "speed_mbps": None,
            "mtu": None,
        }
    ]
    assert fleet(synced, "list", "devices", "-o", "json").json[0].get("facts") is None


def test_a_small_disk_is_not_shown_as_nothing(synced: Path) -> None:
    storage = "1.3.6.1.2.1.25.2.3.1"
    rows = "".join(
        f"{storage}.3.{n}|4|{name}\n{storage}.4.{n}|2|1024\n"
        f"{storage}.5.{n}|2|{size}\n{storage}.6.{n}|2|{size // 2}\n"
        for n, (name, size) in enumerate((("flash", 16_384), ("disk", 500_000_000)), start=1)
    )
    with network({"127.49.0.1": switch("sw1", "", rows)}) as port:
        card = fleet(synced, "probe", f"127.49.0.1:{port}").out

    assert "storages    flash 50 % of 16.8 MB, disk 50 % of 512.0 GB\n" in card


def test_probe_needs_no_workspace_with_a_community_of_its_own(tmp_path: Path) -> None:
    with network({"127.49.0.1": switch("sw1")}) as port:
        asked = fleet(tmp_path, "probe", f"127.49.0.1:{port}", "--community", COMMUNITY)
        piped = subprocess.run(
            [sys.executable, "-m", "fleet", "probe", f"127.49.0.1:{port}", "--community", "-"],
            input=f"{COMMUNITY}\n",
            cwd=tmp_path,
            env={**os.environ},
            capture_output=True,
            text=True,
            check=False,
        )

    assert asked.status == 0
    assert asked.out == piped.stdout
    assert "is          Arista" in asked.out


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.300",
        "10.0.0",
        "10.0.0.0/24",
        "[::1",
        "[::1]161",
        "x:0",
        "x:65536",
        "x:y",
        "",
        ":161",
    ],
)
def test_what_is_no_address_is_refused(synced: Path, address: str) -> None:
    ran = fleet(synced, "probe", address)

    assert ran.status == 4
    assert f"`{address}` is no address" in ran.err


def test_an_empty_community_is_a_missing_secret(synced: Path) -> None:
    assert fleet(synced, "probe", "127.49.0.1", "--community", "").status == 3


def find(root: Path, *arguments: str) -> dict[str, Any]:
    found: dict[str, Any] = fleet(root, "discover", *arguments, "-o", "json").json
    return found


def verdicts(found: dict[str, Any]) -> dict[str, str]:
    return {device["name"]: device["verdict"] for device in found["devices"]}


def declare(root: Path, old: str, new: str) -> None:
    replace_in(root / "inventory/aure/devices.yaml", old, new)
    assert fleet(root, "sync", "--yes").status == 0


def test_discover_says_what_is_known_new_moved_and_different(synced: Path) -> None:
    texts = {
        "127.49.1.1": switch("dc-r1", "FCW9999Z"),  # not the serial number that was declared
        "127.49.1.2": switch("skole-r1"),
        "127.49.1.3": switch("somewhere else", "FCW1234A0BC"),  # dc-r1's
        "127.49.1.4": switch("HP Switch/rom 2, æøå"),
        "127.49.1.5": switch("10.9.9.9"),
    }
    with network(texts) as port:
        declare(synced, "address: 127.3.0.1\n", f"address: 127.49.1.1\n    port: {port}\n")
        declare(synced, "address: 127.3.0.2\n", f"address: 127.49.1.2\n    port: {port}\n")
        ran = fleet(synced, "discover", "127.49.1.0/29", "--port", str(port), "-o", "json")

    assert ran.status == 1
    assert {d["address"]: (d["name"], d["verdict"]) for d in ran.json["devices"]} == {
        "127.49.1.1": ("dc-r1", "different"),
        "127.49.1.2": ("skole-r1", "known"),
        "127.49.1.3": ("dc-r1", "moved"),
        "127.49.1.4": ("hp-switch-rom-2-æøå", "new"),
        "127.49.1.5": ("10.9.9.9", "new"),
    }


def test_machines_that_share_a_mac_or_a_name_are_all_shown(synced: Path) -> None:
    inside = "1.3.6.1.2.1.2.2.1.6.1|4x|020000000004\n"
    texts = {
        "127.49.1.1": switch("fw", "AAA111", inside),
        "127.49.1.2": switch("fw", "BBB222", inside),
        "127.49.1.3": switch("", "", ""),
        "127.49.1.4": switch("", "", ""),
    }
    with network(texts) as port:
        found = find(synced, "127.49.1.0/29", "--port", str(port))

    assert sorted(verdicts(found)) == ["127.49.1.3", "127.49.1.4", "fw", "fw-2"]


def test_add_writes_behind_what_is_there_and_only_once(synced: Path) -> None:
    path = synced / "inventory/aure/devices.yaml"
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n") + b"\r\n# the last word\r\n")
    before = path.read_bytes()
    texts = {
        "127.49.1.1": switch("new-1", "NEW1", hears("new-2", "Et1")),
        "127.49.1.2": switch("new-2", "NEW2", hears("new-1", "Ethernet1")),
    }
    with network(texts) as port:
        arguments = ("discover", "127.49.1.0/29", "--port", str(port), "--site", "skole", "--add")
        first = fleet(synced, *arguments)
        written = path.read_bytes()
        second = fleet(synced, *arguments)
        assert path.read_bytes() == written
        assert fleet(synced, "sync", "--yes").status == 0
        third = fleet(synced, *arguments)

    assert first.status == 0, first.err
    assert "added 2 devices as planned and 1 link\n" in first.err
    assert "added 0 devices as planned and 0 links\n" in second.err
    assert "added 0 devices as planned and 0 links\n" in third.err
    last_word = b"\r\n# the last word\r\n"
    head = before.removesuffix(b"\r\n" + last_word)
    assert written.startswith(head)
    assert written.endswith(last_word)
    assert written.count(b"\n") == written.count(b"\r\n")
    device = fleet(synced, "show", "device", "new-1", "-o", "json").json
    assert (device["status"], device["site"], device["serial"]) == ("planned", "skole", "NEW1")
    links = fleet(synced, "list", "links", "-o", "json").json
    assert [link["kind"] for link in links if link["a"].startswith("new-1")] == ["copper"]


@pytest.mark.parametrize(
    ("text", "is_kept"),
    [
        ("---\n# nobody yet\n", True),
        ("devices:\n- name: a   # one\n  site: skole\n  role: switch\n# end\n", True),
        ('{"devices": [{"name": "a", "site": "skole", "role": "switch"}]}', False),
    ],
)
def test_every_form_of_file_takes_new_entries(synced: Path, text: str, is_kept: bool) -> None:
    path = synced / "inventory/smola/devices.yaml"
    (synced / "inventory/smola").mkdir()
    (synced / "inventory/smola/sites.yaml").write_text(
        "sites: [{slug: smo, name: Smøla rådhus, kind: town_hall}]\n"
    )
    path.write_text(text.replace("skole", "smo"))
    assert fleet(synced, "sync", "--yes").status == 0
    with network({"127.49.1.1": switch("new-1", "NEW1")}) as port:
        ran = fleet(
            synced, "discover", "127.49.1.1/32", "--port", str(port), "--site", "smo", "--add"
        )

    assert ran.status == 0, ran.err
    for line in text.replace("skole", "smo").splitlines() if is_kept else ():
        assert line in path.read_text().splitlines()
    assert fleet(synced, "sync", "--yes").status == 0
    assert fleet(synced, "show", "device", "new-1", "-o", "json").json["site"] == "smo"


def test_a_table_without_the_columns_stays_as_it_is(synced: Path) -> None:
    path = synced / "inventory/aure/devices.yaml"
    path.unlink()
    (synced / "inventory/aure/links.yaml").unlink()
    table = synced / "inventory/aure/devices.csv"
    table.write_bytes(b"\xef\xbb\xbfname;site;role\r\ndc-r1;dc;router\r\n")
    before = table.read_bytes()
    with network({"127.49.1.1": switch("new-1", "NEW1")}) as port:
        ran = fleet(
            synced, "discover", "127.49.1.1/32", "--port", str(port), "--site", "skole", "--add"
        )

    assert ran.status == 4
    assert "has no column" in ran.err
    assert table.read_bytes() == before


def test_a_site_is_looked_around_and_not_what_lies_beyond(synced: Path) -> None:
    management = "1.0.8802.1.1.2.1.4.2.1.3.0.1.1.1.4.127.49.1.{n}|2|2\n"
    texts = {
        "127.49.1.1": switch("skole-r1", "", hears("dc-r1", "Et1") + management.format(n=2)),
        "127.49.1.2": switch("dc-r1", "FCW1234A0BC", hears("far", "Et1") + management.format(n=3)),
        "127.49.1.3": switch("far", "FAR1", hears("dc-r1", "Et1")),
    }
    with network(texts) as port:
        declare(synced, "address: 127.3.0.2\n", f"address: 127.49.1.1\n    port: {port}\n")
        declare(synced, "address: 127.3.0.1\n", f"address: 127.49.1.2\n    port: {port}\n")
        found = find(synced, "--site", "skole", "--port", str(port))

    assert set(verdicts(found)) == {"skole-r1", "dc-r1"}
    assert found["silent"] == ["skole-sw1"]


def test_where_to_look_must_be_said(synced: Path) -> None:
    assert fleet(synced, "discover").status == 2
    assert fleet(synced, "discover", "10.0.0.0/33").status == 4
    assert fleet(synced, "discover", "10.0.0.0/8").status == 6
    assert fleet(synced, "discover", "--site", "nowhere").status == 4


def test_nothing_found_is_said(synced: Path) -> None:
    ran = fleet(synced, "discover", "127.49.2.1/32", "--port", "9")
    assert (ran.status, ran.out) == (0, "")
    assert "nothing answered: 1 address asked" in ran.err
