"""Reconciling with NetBoxes where it is easy to get wrong."""

import io
import os
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from fleet.sources.netbox import applying
from fleet.sources.netbox.fake import Answer, FakeNetBox, Heard
from tests.netbox_contract import ours, plan, sync
from tests.worlds import fleet, replace_in

ORG = {"site": "dcim.sites", "role": "dcim.device-roles", "device_type": "dcim.device-types"}


def connect(world: Path, server: FakeNetBox, name: str = "netbox", more: str = "") -> None:
    settings = world / "fleet.toml"
    text = f'[sources.{name}]\nurl = "{server.url}"\ntoken = {{ env = "NETBOX_TOKEN" }}\n{more}'
    settings.write_text(settings.read_text() + text)


@pytest.fixture(params=["4.0.6", "4.4.1", "4.7.3"])
def server(
    request: pytest.FixtureRequest, world: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[FakeNetBox]:
    """One that `world` knows of, and that has what `world` declares."""
    with FakeNetBox(version=request.param) as running:
        monkeypatch.setenv("NETBOX_TOKEN", running.token)
        monkeypatch.setattr(applying, "_LOOKS_S", (0.0, 0.05))
        connect(world, running)
        yield running


@pytest.fixture
def synced(world: Path, server: FakeNetBox) -> Path:
    assert sync(world).status == 0
    return world


def row(server: FakeNetBox, name: str, type_: str = "dcim.devices") -> dict[str, Any]:
    (found,) = [r for r in server.rows(type_) if r["name"] == name]
    return found


def is_still(world: Path) -> bool:
    """Whether a third run has nothing to do."""
    sync(world)
    sync(world)
    return sync(world).out == "0 changes: the inventory is as declared.\n"


def test_one_source_alone_and_then_all(synced: Path, server: FakeNetBox) -> None:
    """What a NetBox changed stays, whether or not the files were read in the same run."""
    server.change("dcim.devices", row(server, "dc-r1")["id"], serial="N1")

    sync(synced, "netbox")
    sync(synced)

    assert ours(synced, "dc-r1")["serial"] == row(server, "dc-r1")["serial"] == "N1"


@pytest.mark.parametrize("rule", ['presence = "files"', 'default = "fleet"'])
def test_what_is_only_there_where_the_files_decide(
    synced: Path, server: FakeNetBox, rule: str
) -> None:
    settings = synced / "fleet.toml"
    text = f"delete = true\n[authority]\ndevice = {{ {rule} }}\ninterface = {{ {rule} }}\n"
    settings.write_text(settings.read_text() + text)
    like = {n: row(server, "dc-r1")[n] for n in ORG}
    server.add("dcim.devices", name="theirs", **like)
    server.add("dcim.interfaces", device=row(server, "dc-r1")["id"], name="Gi9")

    assert is_still(synced)

    assert row(server, "theirs")["tags"] == []
    assert row(server, "Gi9", "dcim.interfaces")["tags"] == []
    names = {d["name"] for d in fleet(synced, "list", "devices", "-o", "json").json}
    assert "theirs" not in names


@pytest.mark.parametrize("type_", ["ipam.ip-addresses", "dcim.mac-addresses"])
def test_a_part_that_is_refused_is_not_agreed(world: Path, server: FakeNetBox, type_: str) -> None:
    """The address of a port is an object of its own: if that fails, it is still ours."""
    server.fault = lambda heard: (
        Answer(400, {"address": ["Duplicate IP address found."]})
        if heard.method == "POST" and heard.path == type_
        else None
    )
    sync(world)
    server.fault = lambda _: None

    made = plan(world)

    assert not [c for c in made["changes"] if c["target"] == "inventory"]
    sync(world)
    ports = fleet(world, "list", "interfaces", "-o", "json").json
    assert {(p["mac"], p["address"]) for p in ports if p["device"] == "skole-r1"} == {
        ("00:11:22:33:44:55", "10.15.5.11/24")
    }
    assert is_still(world)


@pytest.mark.parametrize("name", ["ruter-1", "DC-R1", None])
def test_a_name_that_changed_there_is_asked_about(
    synced: Path, server: FakeNetBox, name: str | None
) -> None:
    number = row(server, "dc-r1")["id"]
    server.change("dcim.devices", number, name=name)

    ran = sync(synced)

    names = {d["name"] for d in fleet(synced, "list", "devices", "-o", "json").json}
    assert names == {"dc-r1", "skole-r1", "skole-sw1", "bhg-r1"}
    if name is None:
        return
    assert ran.status == 1
    (conflict,) = fleet(synced, "conflict", "list", "-o", "json").json
    assert conflict["field"] == "name"
    taken = fleet(synced, "conflict", "resolve", conflict["id"], "--take", "netbox")
    assert taken.status == 6
    assert "change it in the files" in taken.err
    fleet(synced, "conflict", "resolve", conflict["id"], "--take", "ours")
    sync(synced)
    assert server.objects["dcim.devices"][number]["name"] == "dc-r1"


def test_a_device_of_netbox_that_is_renamed_there(synced: Path, server: FakeNetBox) -> None:
    """It is NetBox's own: the new name is a new device, and the old one is retired."""
    like = {n: row(server, "dc-r1")[n] for n in ORG}
    number = server.add("dcim.devices", name="ny-1", serial="NY1", **like)
    server.add("dcim.interfaces", device=number, name="Gi1")
    sync(synced)
    server.change("dcim.devices", number, name="ny-2")

    assert sync(synced).status == 0

    every = fleet(synced, "list", "devices", "--all", "-o", "json").json
    status = {d["name"]: d["status"] for d in every}
    assert (status["ny-1"], status["ny-2"]) == ("retired", "active")
    assert is_still(synced)


def test_two_netboxes_with_the_same_names(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every municipality has a town hall and a sw1; they stay two."""
    with ExitStack() as stack:
        servers = [stack.enter_context(FakeNetBox()) for _ in range(2)]
        monkeypatch.setenv("NETBOX_TOKEN", servers[0].token)
        for server, member in zip(servers, ("aure", "smola"), strict=True):
            connect(world, server, f"netbox-{member}", f'members = ["{member}"]\n')
            name = {"aure": "Aure", "smola": "Smøla"}[member]
            tenant = server.add("tenancy.tenants", name=name, slug=member)
            site = server.add("dcim.sites", name="Rådhuset", slug="radhuset", tenant=tenant)
            maker = server.add("dcim.manufacturers", name="Cisco", slug="cisco")
            kind = server.add("dcim.device-types", model="C", slug="c", manufacturer=maker)
            role = server.add("dcim.device-roles", name="Switch", slug="switch")
            server.add(
                "dcim.devices",
                name="sw1",
                site=site,
                role=role,
                device_type=kind,
                serial=member * 2,
            )

        sync(world)
        sync(world)
        assert plan(world)["changes"] == []

        sites = {s["slug"]: s["member"] for s in fleet(world, "list", "sites", "-o", "json").json}
        assert (sites["radhuset"], sites["radhuset-1573"]) == ("aure", "smola")
        for server, member in zip(servers, ("aure", "smola"), strict=True):
            (switch,) = [r for r in server.rows("dcim.devices") if r["name"] == "sw1"]
            assert switch["serial"] == member * 2
        reasons = {e["what"]: e["reason"] for e in plan(world)["left_out"]}
        assert reasons == {"device sw1": "another one is called so"}


def test_ports_from_a_template_are_the_declared_ones(world: Path, server: FakeNetBox) -> None:
    """A device type makes GigabitEthernet1 by itself; people declared Gi1."""

    def template(heard: Heard, answer: Answer) -> Answer:
        if heard.method == "POST" and heard.path == "dcim.devices":
            for device in answer.body:
                server.add("dcim.interfaces", device=device["id"], name="GigabitEthernet1")
        return answer

    server.after = template

    assert sync(world).status == 0

    assert [r["name"] for r in server.rows("dcim.interfaces")].count("Gi1") == 0
    ports = fleet(world, "list", "interfaces", "-o", "json").json
    assert {p["description"] for p in ports if p["device"] == "skole-r1"} == {"uplink"}
    server.after = lambda _, answer: answer
    assert is_still(world)


def test_made_anew_under_the_same_name(synced: Path, server: FakeNetBox) -> None:
    """What somebody deleted and made again has nothing to say yet: ours is not emptied."""
    old = row(server, "skole-r1")
    like = {n: old[n] for n in (*ORG, "tenant")}
    server.remove("dcim.devices", old["id"])
    server.add("dcim.devices", name="skole-r1", **like)

    sync(synced)

    assert ours(synced, "skole-r1")["asset_tag"] == "IKT-004711"
    assert row(server, "skole-r1")["asset_tag"] == "IKT-004711"


def test_a_status_that_fleet_does_not_know(synced: Path, server: FakeNetBox) -> None:
    server.change("dcim.devices", row(server, "dc-r1")["id"], status="maintenance")

    made = plan(synced)

    assert made["changes"] == []
    assert made["left_out"][0]["what"] == "status maintenance of device dc-r1"


def test_resuming_respects_the_settings(world: Path, server: FakeNetBox) -> None:
    server.fault = lambda heard: (
        Answer(500, text="x") if heard.path == "dcim.devices" and heard.method == "POST" else None
    )
    sync(world)
    server.fault = lambda _: None
    settings = world / "fleet.toml"
    settings.write_text(settings.read_text() + "write = false\n")
    before = server.count("POST", "PATCH")

    ran = fleet(world, "sync", "--resume")

    assert ran.status == 1
    assert "the settings no longer let this source be written" in ran.err
    assert server.count("POST", "PATCH") == before


def test_first_contact_with_what_differs(world: Path, server: FakeNetBox) -> None:
    """An object that gets its name and a field at once is written once."""
    tenant = server.add("tenancy.tenants", name="Aure", slug="aure")
    site = server.add("dcim.sites", name="Datarom", slug="dc", tenant=tenant)
    maker = server.add("dcim.manufacturers", name="Cisco", slug="cisco")
    kind = server.add("dcim.device-types", model="C", slug="c", manufacturer=maker)
    role = server.add("dcim.device-roles", name="Router", slug="core-router")
    server.add("dcim.devices", name="dc-r1", site=site, role=role, device_type=kind)

    ran = sync(world)

    assert "failed" not in ran.err
    assert row(server, "dc-r1")["serial"] == "FCW1234A0BC"
    assert ours(world, "dc-r1")["role"] == "router"
    assert is_still(world)


def test_a_mark_that_was_lost_is_no_mark(synced: Path, server: FakeNetBox) -> None:
    settings = synced / "fleet.toml"
    settings.write_text(settings.read_text() + "delete = true\n")
    devices = synced / "inventory/aure/devices.yaml"
    devices.write_text(devices.read_text().partition("  - name: bhg-r1")[0])
    (synced / "inventory/aure/links.yaml").unlink()
    server.fault = lambda heard: (
        Answer(504, text="x") if heard.method == "PATCH" and heard.path == "dcim.devices" else None
    )
    made = plan(synced)
    assert ("netbox", "retire") in {(c["target"], c["action"]) for c in made["changes"]}

    assert sync(synced).status == 5

    server.fault = lambda _: None
    assert fleet(synced, "sync", "--resume").status == 0
    assert row(server, "bhg-r1")["tags"] == ["fleet-orphan"]


def test_text_in_two_characters_can_be_written_over(synced: Path, server: FakeNetBox) -> None:
    """A Mac writes å as a and a ring; that is no change that somebody made meanwhile."""
    number = row(server, "Aure skole", "dcim.sites")["id"]
    server.change("dcim.sites", number, physical_address="Ska\u030alvikveien 1")
    sync(synced)
    replace_in(synced / "inventory/aure/sites.yaml", "users: 120", "users: 120, address: Nyveien 2")
    (conflict,) = plan(synced)["conflicts"]
    assert conflict["says"]["netbox"] == "Skålvikveien 1"
    sync(synced)
    fleet(synced, "conflict", "resolve", conflict["id"], "--take", "files")

    assert sync(synced).status == 0
    assert server.objects["dcim.sites"][number]["physical_address"] == "Nyveien 2"


def test_the_newest_may_be_the_files(synced: Path, server: FakeNetBox) -> None:
    settings = synced / "fleet.toml"
    settings.write_text(settings.read_text() + '[authority]\ndevice = { serial = "newest" }\n')
    server.change("dcim.devices", row(server, "dc-r1")["id"], serial="THEIRS")
    devices = synced / "inventory/aure/devices.yaml"
    replace_in(devices, "FCW1234A0BC", "OURS")
    later = devices.stat().st_mtime + 3600
    os.utime(devices, (later, later))

    assert sync(synced).status == 0

    assert row(server, "dc-r1")["serial"] == "OURS"


def test_a_conflict_that_went_away_is_not_listed(synced: Path, server: FakeNetBox) -> None:
    number = row(server, "dc-r1")["id"]
    devices = synced / "inventory/aure/devices.yaml"
    server.change("dcim.devices", number, serial="THEIRS")
    replace_in(devices, "FCW1234A0BC", "OURS")
    assert sync(synced).status == 1
    server.change("dcim.devices", number, serial="FCW1234A0BC")
    replace_in(devices, "OURS", "FCW1234A0BC")

    assert sync(synced).status == 0

    assert fleet(synced, "conflict", "list", "-o", "json").json == []


def test_a_narrower_scope_retires_nothing(synced: Path, server: FakeNetBox) -> None:
    like = {n: row(server, "dc-r1")[n] for n in ORG}
    server.add("dcim.devices", name="theirs", **like)
    sync(synced)
    settings = synced / "fleet.toml"
    settings.write_text(settings.read_text() + 'members = ["smola"]\n')

    assert plan(synced)["changes"] == []


class Terminal(io.StringIO):
    """Somebody who types."""

    def isatty(self) -> bool:
        return True


def test_what_is_open_is_asked_on_a_terminal(
    world: Path, server: FakeNetBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two with one serial number: a person says which of them it is, and it stays so."""
    tenant = server.add("tenancy.tenants", name="Aure", slug="aure")
    site = server.add("dcim.sites", name="Datarom", slug="dc", tenant=tenant)
    maker = server.add("dcim.manufacturers", name="Cisco", slug="cisco")
    kind = server.add("dcim.device-types", model="C", slug="c", manufacturer=maker)
    role = server.add("dcim.device-roles", name="Router", slug="router")
    same = {"site": site, "role": role, "device_type": kind, "serial": "FCW1234A0BC"}
    first = server.add("dcim.devices", name="gammel", **same)
    second = server.add("dcim.devices", name="ny", **same)
    fleet(world, "sync", "files", "--yes")
    monkeypatch.setattr("sys.stdin", Terminal("0\n1\ny\n"))

    ran = fleet(world, "sync", "--link")

    assert f"device ny ({second} in netbox) may be dc-r1, by its serial" in ran.out
    assert "1 left open" in ran.err
    made = plan(world)
    assert [(c["key"], c["says"]["netbox"]) for c in made["conflicts"]] == [("dc-r1", "ny")]
    assert not [c for c in made["changes"] if c["key"] == "dc-r1" and c["action"] == "create"]
    assert server.objects["dcim.devices"][first]["name"] == "gammel"


def test_a_port_of_a_template_that_cannot_be_changed(world: Path, server: FakeNetBox) -> None:
    """It fails alone, with what NetBox said; the rest of the plan is done."""

    def template(heard: Heard, answer: Answer) -> Answer:
        if heard.method == "POST" and heard.path == "dcim.devices":
            for device in answer.body:
                server.add("dcim.interfaces", device=device["id"], name="Gi1")
        return answer

    server.after = template
    server.fault = lambda heard: (
        Answer(400, {"description": ["Not today."]})
        if heard.method == "PATCH" and heard.path == "dcim.interfaces"
        else None
    )

    ran = sync(world)

    assert ran.status == 1
    assert "failed  create interface skole-r1 : Gi1 in netbox" in ran.err
    assert "Not today." in ran.err
    server.after, server.fault = (lambda _, answer: answer), (lambda _: None)
    assert is_still(world)
    assert row(server, "skole-r1")["primary_ip4"]
