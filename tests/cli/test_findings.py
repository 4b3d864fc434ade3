"""What the network says otherwise than was declared: found, and judged by people or by rules."""

from pathlib import Path
from typing import Any

import pytest

from fleet.core.facts import Facts
from fleet.core.facts.bridge import Forwarded
from fleet.core.facts.interfaces import SeenInterface
from fleet.core.facts.neighbours import Neighbour
from tests.worlds import fleet, keep_facts, replace_in


def port(name: str, mac: str | None = None) -> SeenInterface:
    return SeenInterface(
        index=len(name),
        name=name,
        description=name,
        alias="",
        mac=mac,
        admin_status="up",
        oper_status="up",
        speed_mbps=1000,
        mtu=1500,
    )


def hears(local: str, name: str, remote: str) -> Neighbour:
    return Neighbour(
        protocol="lldp",
        local_interface=local,
        remote_name=name,
        remote_interface=remote,
        remote_chassis_id=None,
        remote_address=None,
        remote_port_id=remote,
    )


def said(world: Path, **facts: Facts) -> None:
    for name, found in facts.items():
        keep_facts(world, name.replace("_", "-"), found)


@pytest.fixture
def synced(world: Path) -> Path:
    replace_in(
        world / "inventory/aure/devices.yaml", '    room: "U-101"\n', "    serial: FCWSKOLE1\n"
    )
    assert fleet(world, "sync", "--yes").status == 0
    return world


def findings(world: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = fleet(world, "sync", "--plan", "-o", "json").json["findings"]
    return found


def test_what_is_as_declared_is_no_finding(synced: Path) -> None:
    said(synced, dc_r1=Facts(name="dc-r1.aure.no", serial="fcw1234a0bc", platform="ios"))

    assert findings(synced) == []
    assert fleet(synced, "sync", "--plan", "-o", "json").json["sources"] == ["files", "snmp"]


def test_two_that_were_swapped(synced: Path) -> None:
    """The evidence names the other one; what was declared stays."""
    said(synced, dc_r1=Facts(serial="FCWSKOLE1"), skole_r1=Facts(serial="FCW1234A0BC"))

    one, two = findings(synced)

    assert (one["key"], one["field"], one["ours"]) == ("dc-r1", "serial", "FCW1234A0BC")
    assert one["says"] == {"snmp": "FCWSKOLE1"}
    assert one["evidence"] == (
        "127.3.0.1 said so 2026-11-20 05:00; this serial number is declared for skole-r1 at skole"
    )
    assert two["key"] == "skole-r1"
    assert fleet(synced, "sync", "--yes").status == 1
    assert fleet(synced, "show", "device", "dc-r1", "-o", "json").json["serial"] == "FCW1234A0BC"


def test_one_is_accepted_and_one_rejected(synced: Path) -> None:
    said(synced, dc_r1=Facts(serial="NEW1"), skole_r1=Facts(serial="NEW2"))
    fleet(synced, "sync", "--yes")
    accepted, rejected = fleet(synced, "conflict", "list", "-o", "json").json

    fleet(synced, "conflict", "resolve", accepted["id"], "--take", "snmp")
    fleet(synced, "conflict", "resolve", rejected["id"], "--take", "ours")

    assert fleet(synced, "conflict", "list", "-o", "json").json == []
    ran = fleet(synced, "sync", "--yes")
    assert (ran.status, ran.out) == (0, "0 changes: the inventory is as declared.\n")
    assert "1 thing differs from what the files say" in ran.err
    assert fleet(synced, "show", "device", "dc-r1", "-o", "json").json["serial"] == "NEW1"
    assert fleet(synced, "show", "device", "skole-r1", "-o", "json").json["serial"] == "FCWSKOLE1"

    fleet(synced, "export", "inventory", "--to", "inventory", "--yes")
    text = (synced / "inventory/aure/devices.yaml").read_text()
    assert "serial: NEW1" in text
    assert "serial: FCWSKOLE1" in text
    assert fleet(synced, "sync", "--yes").err == ""

    said(synced, skole_r1=Facts(serial="NEW3"))
    assert [f["says"] for f in findings(synced)] == [{"snmp": "NEW3"}]


def test_a_rule_accepts_for_all(synced: Path) -> None:
    settings = synced / "fleet.toml"
    settings.write_text(settings.read_text() + '[authority]\ndevice = { serial = "snmp" }\n')
    said(synced, dc_r1=Facts(serial="NEW1"), skole_r1=Facts(model="C1111-8P"))

    made = fleet(synced, "sync", "--plan", "-o", "json").json

    assert made["findings"] == []
    (change,) = made["changes"]
    assert (change["key"], change["fields"], change["source"]) == (
        "dc-r1",
        {"serial": ["FCW1234A0BC", "NEW1"]},
        "snmp",
    )


def test_a_rule_of_one_member_holds_for_its_things(synced: Path) -> None:
    settings = synced / "fleet.toml"
    rule = '[authority.members.smola.device]\nserial = "snmp"\n'
    settings.write_text(settings.read_text() + rule)
    said(synced, dc_r1=Facts(serial="NEW1"))

    assert [f["key"] for f in findings(synced)] == ["dc-r1"]


def test_a_port_that_is_not_there_and_one_with_another_address(synced: Path) -> None:
    said(synced, skole_r1=Facts(serial="FCWSKOLE1", interfaces=(port("Gi2"),)))
    (gone,) = findings(synced)
    assert (gone["key"], gone["field"], gone["says"]) == (
        "skole-r1 : Gi1",
        "presence",
        {"snmp": "gone"},
    )

    said(synced, skole_r1=Facts(interfaces=(port("GigabitEthernet1", "00:11:22:33:44:99"),)))
    (other,) = findings(synced)
    assert (other["key"], other["field"]) == ("skole-r1 : Gi1", "mac")

    said(synced, skole_r1=Facts(interfaces=(port("Gi2"),), unread=("interfaces",)))
    assert findings(synced) == []


def test_a_link_that_is_not_there(synced: Path) -> None:
    """Declared between dc-r1 : Gi1 and skole-r1 : Gi2; both hear somebody else."""
    said(
        synced,
        dc_r1=Facts(name="dc-r1", neighbours=(hears("Gi1", "skole-sw1", "Gi7"),)),
        skole_r1=Facts(name="skole-r1", neighbours=(hears("Gi3", "skole-sw1", "Gi1"),)),
    )

    links = [f for f in findings(synced) if f["kind"] == "link"]

    assert [f["key"] for f in links] == ["dc-r1 : Gi1 – skole-r1 : Gi2"]
    assert "dc-r1 : Gi1 hears skole-sw1 : Gi7" in links[0]["evidence"]


def test_a_link_that_is_there_is_no_finding(synced: Path) -> None:
    said(
        synced,
        dc_r1=Facts(name="dc-r1", neighbours=(hears("GigabitEthernet1", "skole-r1", "Gi2"),)),
        skole_r1=Facts(name="skole-r1", neighbours=(hears("Gi2", "dc-r1", "Gi1"),)),
    )

    assert [f for f in findings(synced) if f["kind"] == "link"] == []


def test_ports_are_taken_over_by_rule(synced: Path) -> None:
    settings = synced / "fleet.toml"
    settings.write_text(settings.read_text() + '[authority]\ninterface.default = "snmp"\n')
    said(synced, dc_r1=Facts(interfaces=(port("Gi1", "00:00:5e:00:53:01"), port("Te1/1"))))

    fleet(synced, "sync", "--yes")

    rows = fleet(synced, "list", "interfaces", "-o", "json").json
    assert {row["name"] for row in rows if row["device"] == "dc-r1"} == {"Gi1", "Te1/1"}
    assert fleet(synced, "sync", "--plan", "-o", "json").json["changes"] == []


def test_settings_name_what_is_wrong_with_a_rule(synced: Path) -> None:
    settings = synced / "fleet.toml"
    good = settings.read_text()
    for text, said_ in (
        ('[authority]\ndefault = "filez"\n', "there is no rule `filez`"),
        ('[authority.device]\nserail = "snmp"\n', "a device has no field `serail`"),
        ('[authority.members.aure.boat]\nname = "snmp"\n', "there is no kind `boat`"),
        ('[sources.files]\nurl = "http://x"\ntoken = { env = "X" }\n', "cannot be called `files`"),
    ):
        settings.write_text(good + text)
        ran = fleet(synced, "sync", "--plan")
        assert ran.status == 3
        assert said_ in ran.err


def test_a_mac_is_found_behind_the_port_where_it_was_last_seen(synced: Path) -> None:
    def switch(*macs: tuple[str, int]) -> Facts:
        ports = tuple(SeenInterface(index=n, name=f"Gi{n}") for n in (1, 2))
        table = tuple(Forwarded(mac=mac, interface_index=n, vlan=10) for mac, n in macs)
        return Facts(interfaces=ports, forwarding=table)

    laptop, other = "00:de:ad:be:ef:01", "00:de:ad:be:ef:02"
    said(
        synced,
        dc_r1=switch((laptop, 1), (other, 1)),
        skole_sw1=switch((laptop, 2)),
        bhg_r1=switch((other, 1)),
    )

    ran = fleet(synced, "find", "00DE.ADBE.EF01", "-o", "json")

    assert ran.status == 0
    assert [(row["name"], row["site"], row["field"]) for row in ran.json] == [
        ("skole-sw1 : Gi2", "skole", "seen behind"),
        ("dc-r1 : Gi1", "dc", "seen behind"),
    ]
    assert ", VLAN 10, with 1 more behind the port" in ran.json[1]["value"]
    assert fleet(synced, "find", "00:de:ad:be:ef:03").status == 1
