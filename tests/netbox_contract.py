"""What fleet promises of a NetBox: the same tests for the one that is none and for a real one."""

import json
import sqlite3
import urllib.request
from contextlib import closing
from pathlib import Path
from typing import Any, Protocol

import pytest

from fleet.core.facts import Facts
from fleet.core.facts.bridge import Vlan
from tests.worlds import Ran, fleet, keep_facts, replace_in

SETTINGS = """\
[sources.netbox]
url = "{url}"
token = {{ env = "NETBOX_TOKEN" }}
"""
PORTS = """\
    interfaces:
      - {name: Gi1, mac: "00:11:22:33:44:66", address: 10.15.5.12/24}
      - {name: Gi2}
"""


class Server(Protocol):
    """A NetBox that tests may change behind fleet's back."""

    url: str
    token: str

    def api(self, method: str, path: str, body: object = None) -> Any:
        """Ask it as a person's script would."""


def call(url: str, token: str, method: str, path: str, body: object = None) -> Any:
    request = urllib.request.Request(
        f"{url}/api/{path}",
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Authorization": f"Token {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=120) as response:
        text = response.read()
    return json.loads(text) if text else None


def rows(netbox: Server, path: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = netbox.api("GET", f"{path}?limit=1000")["results"]
    return found


def device(netbox: Server, name: str) -> dict[str, Any]:
    (found,) = [row for row in rows(netbox, "dcim/devices/") if row["name"] == name]
    return found


def connect(world: Path, netbox: Server, more: str = "") -> None:
    """Tell a workspace of a NetBox."""
    settings = world / "fleet.toml"
    settings.write_text(settings.read_text() + SETTINGS.format(url=netbox.url) + more)


def sync(world: Path, *options: str) -> Ran:
    return fleet(world, "sync", "--yes", *options)


def plan(world: Path) -> Any:
    return fleet(world, "sync", "--plan", "-o", "json").json


def ours(world: Path, name: str) -> Any:
    return fleet(world, "show", "device", name, "-o", "json").json


class Contract:
    """Needs the fixtures `netbox` and `world`, a workspace that knows of it."""

    @pytest.fixture
    def joined(self, world: Path, netbox: Server, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setenv("NETBOX_TOKEN", netbox.token)
        connect(world, netbox)
        devices = world / "inventory/aure/devices.yaml"
        text = devices.read_text()
        head, _, tail = text.partition("  - name: skole-r1")
        devices.write_text(f"{head}{PORTS}  - name: skole-r1{tail}")
        links = world / "inventory/aure/links.yaml"
        links.write_text(
            'links:\n  - {a: "dc-r1 : Gi1", b: "skole-r1 : Gi1", kind: fibre}\n'
            "  - {a: dc, b: barnehage, kind: leased, provider: Tussa, circuit_id: TS-17,"
            " capacity_mbps: 100}\n"
        )
        return world

    def test_what_is_declared_gets_there_and_stays_so(self, joined: Path, netbox: Server) -> None:
        first = sync(joined)
        assert first.status == 0, first.out + first.err

        router = device(netbox, "skole-r1")
        assert router["site"]["display"] == "Aure skole"
        assert router["asset_tag"] == "IKT-004711"
        assert router["custom_fields"]["fleet_id"] == "skole-r1"
        assert router["primary_ip4"]
        assert {row["slug"] for row in rows(netbox, "tenancy/tenants/")} == {"aure", "smola"}
        (port,) = [
            row
            for row in rows(netbox, "dcim/interfaces/")
            if row["device"]["id"] == router["id"] and row["name"] == "Gi1"
        ]
        assert port["description"] == "uplink"
        assert port["mac_address"].casefold() == "00:11:22:33:44:55"
        addresses = {row["address"]: row for row in rows(netbox, "ipam/ip-addresses/")}
        assert addresses["10.15.5.11/24"]["assigned_object_id"] == port["id"]
        assert len(rows(netbox, "dcim/cables/")) == 1
        (circuit,) = rows(netbox, "circuits/circuits/")
        assert (circuit["cid"], circuit["commit_rate"]) == ("TS-17", 100_000)
        assert len(rows(netbox, "circuits/circuit-terminations/")) == 2

        before = {row["id"]: row["last_updated"] for row in rows(netbox, "dcim/devices/")}
        again = sync(joined)
        assert again.out == "0 changes: the inventory is as declared.\n"
        after = {row["id"]: row["last_updated"] for row in rows(netbox, "dcim/devices/")}
        assert after == before

    def test_what_one_side_changes_goes_to_the_other(self, joined: Path, netbox: Server) -> None:
        sync(joined)
        number = device(netbox, "skole-sw1")["id"]
        netbox.api("PATCH", f"dcim/devices/{number}/", {"serial": "FROM-NETBOX"})
        replace_in(joined / "inventory/aure/devices.yaml", "U-101", "U-102")

        changes = {(c["target"], c["key"]): c["fields"] for c in plan(joined)["changes"]}

        assert changes == {
            ("inventory", "skole-sw1"): {"serial": [None, "FROM-NETBOX"]},
            ("inventory", "skole-r1"): {"room": ["U-101", "U-102"]},
            ("netbox", "skole-r1"): {"room": ["U-101", "U-102"]},
        }
        assert sync(joined).status == 0
        assert ours(joined, "skole-sw1")["serial"] == "FROM-NETBOX"
        assert device(netbox, "skole-r1")["location"]["display"] == "U-102"
        assert plan(joined)["changes"] == []

    def test_what_both_change_is_for_a_person(self, joined: Path, netbox: Server) -> None:
        sync(joined)
        number = device(netbox, "dc-r1")["id"]
        netbox.api("PATCH", f"dcim/devices/{number}/", {"serial": "THEIRS"})
        replace_in(joined / "inventory/aure/devices.yaml", "FCW1234A0BC", "OURS")

        ran = sync(joined)

        assert ran.status == 1
        (conflict,) = fleet(joined, "conflict", "list", "-o", "json").json
        assert (conflict["key"], conflict["field"]) == ("dc-r1", "serial")
        assert (conflict["base"], conflict["ours"]) == ("FCW1234A0BC", "FCW1234A0BC")
        assert conflict["says"] == {"files": "OURS", "netbox": "THEIRS"}
        assert device(netbox, "dc-r1")["serial"] == "THEIRS"
        assert ours(joined, "dc-r1")["serial"] == "FCW1234A0BC"

        assert fleet(joined, "conflict", "resolve", conflict["id"], "--take", "files").status == 0
        assert sync(joined).status == 0
        assert device(netbox, "dc-r1")["serial"] == "OURS"
        assert ours(joined, "dc-r1")["serial"] == "OURS"
        assert plan(joined)["changes"] == []

    def test_what_people_wrote_there_is_theirs(self, joined: Path, netbox: Server) -> None:
        """Tags, comments and a field that fleet does not map, over ten syncs both ways."""
        sync(joined)
        netbox.api("POST", "extras/tags/", {"name": "Viktig", "slug": "viktig"})
        number = device(netbox, "dc-r1")["id"]
        mine = {"comments": "Nøkkel hos vaktmester", "tags": [{"slug": "viktig"}]}
        netbox.api("PATCH", f"dcim/devices/{number}/", mine)
        for turn in range(10):
            if turn % 2:
                netbox.api("PATCH", f"dcim/devices/{number}/", {"serial": f"N{turn}"})
            else:
                devices = joined / "inventory/aure/devices.yaml"
                text = devices.read_text()
                room = "    room: "
                if turn:
                    text = text.replace(f"{room}R{turn - 2}\n", "", 1)
                text = text.replace("    role: router\n", f"    role: router\n{room}R{turn}\n", 1)
                devices.write_text(text)
            assert sync(joined).status == 0
        router = device(netbox, "dc-r1")
        assert router["comments"] == mine["comments"]
        assert [tag["slug"] for tag in router["tags"]] == ["viktig"]
        assert (router["serial"], router["location"]["display"]) == ("N9", "R8")
        assert ours(joined, "dc-r1")["serial"] == "N9"

    def test_what_is_new_there_is_taken_over(self, joined: Path, netbox: Server) -> None:
        sync(joined)
        like = device(netbox, "dc-r1")
        new = {
            "name": "ny-sw1",
            "site": like["site"]["id"],
            "role": like["role"]["id"],
            "device_type": like["device_type"]["id"],
            "serial": "NEW1",
        }
        netbox.api("POST", "dcim/devices/", new)

        sync(joined)

        found = ours(joined, "ny-sw1")
        assert (found["site"], found["serial"], found["member"]) == ("dc", "NEW1", "aure")
        history = fleet(joined, "list", "changes", "-o", "json").json
        assert (history[0]["key"], history[0]["source"]) == ("ny-sw1", "netbox")
        assert history[0]["plan"]
        assert plan(joined)["changes"] == []

    def test_what_is_deleted_there_is_asked_about(self, joined: Path, netbox: Server) -> None:
        sync(joined)
        netbox.api("DELETE", f"dcim/devices/{device(netbox, 'bhg-r1')['id']}/")

        assert sync(joined).status == 1
        (conflict,) = [
            c for c in fleet(joined, "conflict", "list", "-o", "json").json if c["kind"] == "device"
        ]
        assert (conflict["key"], conflict["field"]) == ("bhg-r1", "presence")
        assert ours(joined, "bhg-r1")["status"] == "active"

        fleet(joined, "conflict", "resolve", conflict["id"], "--take", "ours")
        assert sync(joined).status == 0
        assert device(netbox, "bhg-r1")

    def test_one_switch_with_two_names_is_one_device(self, joined: Path, netbox: Server) -> None:
        """First contact: its serial number tells that it is the same; nothing is created."""
        sync(joined)
        number = device(netbox, "dc-r1")["id"]
        netbox.api(
            "PATCH",
            f"dcim/devices/{number}/",
            {"name": "ruter-1", "custom_fields": {"fleet_id": None}},
        )
        with closing(sqlite3.connect(joined / ".fleet/fleet.db")) as database:
            database.execute("DELETE FROM agreed")
            database.commit()

        made = plan(joined)

        assert [c for c in made["changes"] if c["action"] == "create"] == []
        (conflict,) = made["conflicts"]
        assert (conflict["key"], conflict["field"]) == ("dc-r1", "name")
        assert conflict["says"]["netbox"] == "ruter-1"

    def test_two_with_one_serial_number_are_left_to_a_person(
        self, joined: Path, netbox: Server
    ) -> None:
        sync(joined)
        with closing(sqlite3.connect(joined / ".fleet/fleet.db")) as database:
            database.execute("DELETE FROM agreed")
            database.commit()
        like = device(netbox, "dc-r1")
        netbox.api("PATCH", f"dcim/devices/{like['id']}/", {"custom_fields": {"fleet_id": None}})
        new = {"name": "kopi", "serial": "FCW1234A0BC"}
        new |= {n: like[n]["id"] for n in ("site", "role", "device_type")}
        netbox.api("POST", "dcim/devices/", new)

        made = plan(joined)

        assert [c for c in made["changes"] if c["action"] == "create"] == []
        reasons = {entry["what"]: entry["reason"] for entry in made["left_out"]}
        assert "it may be dc-r1: fleet sync --link" in reasons["device kopi"]
        linked = fleet(joined, "sync", "--link", "--yes")
        assert linked.status == 1
        assert "2 left open" in linked.err

    def test_renamed_on_both_sides(self, joined: Path, netbox: Server) -> None:
        """It is still one device; which name it has is for a person."""
        sync(joined)
        number = device(netbox, "dc-r1")["id"]
        netbox.api("PATCH", f"dcim/devices/{number}/", {"name": "ruter-1"})
        for path in ("devices", "links"):
            file = joined / f"inventory/aure/{path}.yaml"
            file.write_text(file.read_text().replace("dc-r1", "dc-ruter"))

        assert sync(joined).status == 1

        names = {row["name"] for row in rows(netbox, "dcim/devices/")}
        assert names == {"ruter-1", "skole-r1", "skole-sw1", "bhg-r1"}
        listed = {d["name"] for d in fleet(joined, "list", "devices", "-o", "json").json}
        assert listed == {"dc-ruter", "skole-r1", "skole-sw1", "bhg-r1"}
        (conflict,) = [
            c for c in fleet(joined, "conflict", "list", "-o", "json").json if c["field"] == "name"
        ]
        assert (conflict["ours"], conflict["says"]["netbox"]) == ("dc-ruter", "ruter-1")
        fleet(joined, "conflict", "resolve", conflict["id"], "--take", "ours")
        sync(joined)
        assert device(netbox, "dc-ruter")["id"] == number

    def test_what_is_gone_is_marked_first_and_removed_long_after(
        self, joined: Path, netbox: Server
    ) -> None:
        settings = joined / "fleet.toml"
        settings.write_text(settings.read_text() + "delete = true\n")
        sync(joined)
        devices = joined / "inventory/aure/devices.yaml"
        devices.write_text(devices.read_text().partition("  - name: bhg-r1")[0])

        assert sync(joined).status == 0

        marked = device(netbox, "bhg-r1")
        assert marked["status"]["value"] == "decommissioning"
        assert [tag["slug"] for tag in marked["tags"]] == ["fleet-orphan"]
        sync(joined, "--prune")
        assert device(netbox, "bhg-r1")
        with closing(sqlite3.connect(joined / ".fleet/fleet.db")) as database:
            database.execute("UPDATE agreed SET marked_us = marked_us - 31 * 86400000000")
            database.commit()
        assert sync(joined, "--prune").status == 0
        names = {row["name"] for row in rows(netbox, "dcim/devices/")}
        assert names == {"dc-r1", "skole-r1", "skole-sw1"}

    def test_who_to_ring_goes_both_ways(self, joined: Path, netbox: Server) -> None:
        """Roles, never persons."""
        sync(joined)
        (contact,) = rows(netbox, "tenancy/contacts/")
        assert (contact["title"], contact["phone"]) == ("IT-vakt", "71 64 74 00")
        netbox.api("PATCH", f"tenancy/contacts/{contact['id']}/", {"phone": "71 64 74 99"})
        person = {"name": "Kari Nordmann", "phone": "900 00 000"}
        netbox.api("POST", "tenancy/contacts/", person)

        assert sync(joined).status == 0

        member = fleet(joined, "show", "member", "aure", "-o", "json").json
        assert member["contact"]["phone"] == "71 64 74 99"
        assert plan(joined)["changes"] == []

    def test_address_plans_of_members_stand_apart(self, joined: Path, netbox: Server) -> None:
        settings = joined / "fleet.toml"
        settings.write_text(settings.read_text() + "vrfs = true\nprefixes = true\n")

        assert sync(joined).status == 0

        assert [row["name"] for row in rows(netbox, "ipam/vrfs/")] == ["Aure"]
        (prefix,) = rows(netbox, "ipam/prefixes/")
        assert (prefix["prefix"], prefix["vrf"]["display"][:4]) == ("10.15.5.0/24", "Aure")
        assert prefix.get("scope_id") or prefix.get("site")
        addresses = rows(netbox, "ipam/ip-addresses/")
        assert {row["vrf"]["display"][:4] for row in addresses} == {"Aure"}
        assert sync(joined).out == "0 changes: the inventory is as declared.\n"

    def test_vlans_of_switches_are_added(self, joined: Path, netbox: Server) -> None:
        settings = joined / "fleet.toml"
        settings.write_text(settings.read_text() + "vlans = true\n")
        sync(joined)
        keep_facts(
            joined, "skole-sw1", Facts(vlans=(Vlan(id=1, name="default"), Vlan(id=30, name="Elev")))
        )

        assert sync(joined).status == 0

        (vlan,) = rows(netbox, "ipam/vlans/")
        assert (vlan["vid"], vlan["name"]) == (30, "Elev")
        assert vlan["site"]["display"] == "Aure skole"
        assert sync(joined).out == "0 changes: the inventory is as declared.\n"
