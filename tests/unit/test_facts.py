"""What devices say, read into facts."""

from datetime import timedelta
from pathlib import Path

from fleet.core.facts import SYSTEM, TABLES, Facts, find_differences, read_facts, read_uptime
from fleet.core.inventory import Device, Interface
from fleet.core.walk import Walk, cut_walk
from fleet.snmp.recorded import read_recording

RECORDING = """\
1.3.6.1.2.1.1.1.0|4x|43697363 6f
1.3.6.1.2.1.1.1.0|4x|436973636f0d0a494f53
1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.9.1.1208
1.3.6.1.2.1.1.3.0|67|8640000
1.3.6.1.2.1.1.5.0|4|skole-r1.aure.kommune.no
1.3.6.1.2.1.1.6.0|4x|53f8722d626f64
1.3.6.1.2.1.2.2.1.2.1|4|GigabitEthernet0/1
1.3.6.1.2.1.2.2.1.2.7|4|Null0
1.3.6.1.2.1.2.2.1.5.1|66|4294967295
1.3.6.1.2.1.2.2.1.6.1|4x|001122334455
1.3.6.1.2.1.2.2.1.7.1|2|1
1.3.6.1.2.1.2.2.1.8.1|2|2
1.3.6.1.2.1.31.1.1.1.1.1|4|Gi0/1
1.3.6.1.2.1.31.1.1.1.15.1|66|10000
1.3.6.1.2.1.31.1.1.1.18.1|4|uplink
"""


def facts_of(text: str, unread: tuple[str, ...] = ()) -> Facts:
    objects = read_recording(text.splitlines())
    columns = [column for table in TABLES for column in table.columns]
    return read_facts(cut_walk(objects, SYSTEM, columns), unread)


FACTS = facts_of(RECORDING)


def test_the_system_group() -> None:
    assert FACTS.name == "skole-r1.aure.kommune.no"
    assert FACTS.description == "Cisco\nIOS"
    assert FACTS.object_id == "1.3.6.1.4.1.9.1.1208"
    assert FACTS.uptime_s == 86_400
    assert FACTS.location == "Sør-bod"  # Latin-1, as old devices write it


def test_interfaces_with_the_speed_that_32_bits_cannot_hold() -> None:
    port = FACTS.interfaces[0]

    assert (port.index, port.name, port.description) == (1, "Gi0/1", "GigabitEthernet0/1")
    assert (port.mac, port.speed_mbps, port.alias) == ("00:11:22:33:44:55", 10_000, "uplink")
    assert (port.admin_status, port.oper_status) == ("up", "down")
    assert FACTS.interfaces[1].name == "Null0"
    assert FACTS.interfaces[1].mac is None


def test_what_was_not_said_is_none() -> None:
    facts = read_facts(Walk())

    assert (facts.name, facts.uptime_s, facts.interfaces) == (None, None, ())
    assert read_uptime(Walk()) is None
    assert read_uptime(Walk({(1, 3, 6, 1, 2, 1, 1, 3, 0): 100})) == timedelta(seconds=1)


def test_differences_are_findings() -> None:
    device = Device(name="skole-r1", site="skole", role="router")
    declared = (
        Interface(device="skole-r1", name="GigabitEthernet0/1", mac="00:11:22:33:44:99"),
        Interface(device="skole-r1", name="Gi0/2"),
    )

    found = list(find_differences(device, declared, FACTS))

    assert [(f.field, f.declared, f.seen) for f in found] == [
        ("interface GigabitEthernet0/1 mac", "00:11:22:33:44:99", "00:11:22:33:44:55"),
        ("interface Gi0/2", "present", None),
    ]


def test_an_interface_table_that_broke_off_is_no_evidence() -> None:
    device = Device(name="other", site="skole", role="router")
    facts = facts_of(RECORDING, unread=("interfaces",))

    found = list(find_differences(device, (Interface(device="other", name="Gi9"),), facts))

    assert [f.field for f in found] == ["name"]


def test_recordings_of_real_devices_are_survived(shared_recordings: Path) -> None:
    files = sorted(shared_recordings.glob("*.snmprec"))
    assert len(files) > 200
    for path in files:
        facts = facts_of(path.read_text(encoding="utf-8", errors="surrogateescape"))
        assert len({i.index for i in facts.interfaces}) == len(facts.interfaces), path.name
