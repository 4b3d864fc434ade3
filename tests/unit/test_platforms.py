"""The data on platforms and makers: well formed, and used as it is meant."""

import re

from fleet.ansible.platforms import NETWORK_OS
from fleet.core.facts import read_facts
from fleet.core.walk import Walk, oid
from fleet.platforms import load_platforms
from fleet.platforms.enterprises import read_registry, tidy
from fleet.platforms.load import find_maker

PLATFORMS = load_platforms()
DESCR, OBJECT_ID = oid("1.3.6.1.2.1.1.1.0"), oid("1.3.6.1.2.1.1.2.0")


def test_every_name_is_there_once() -> None:
    names = [platform.name for platform in PLATFORMS.platforms]
    assert len(names) > 700
    assert len(names) == len(set(names))


def test_every_pattern_is_a_pattern() -> None:
    for platform in PLATFORMS.platforms:
        patterns = [rule.description for rule in platform.rules]
        patterns += [pattern for rule in platform.rules for _, pattern in rule.values]
        sources = (*platform.model, *platform.version, *platform.serial)
        patterns += [source.pattern for source in sources]
        patterns += [pattern for pattern, _ in (*platform.vendors, *platform.roles)]
        for pattern in filter(None, patterns):
            re.compile(pattern)


def test_what_ansible_drives_is_known() -> None:
    assert set(NETWORK_OS) <= {platform.name for platform in PLATFORMS.platforms}


def facts_of(description: str, object_id: str) -> tuple[str | None, str | None, str | None]:
    walk = Walk({DESCR: description.encode(), OBJECT_ID: oid(object_id)})
    found = read_facts(walk, (), PLATFORMS)
    return found.vendor, found.platform, found.role


def test_what_a_device_says_goes_before_what_runs_on_many_machines() -> None:
    net_snmp = "1.3.6.1.4.1.8072.3.2.10"
    assert facts_of("Linux krs-rh-srv1 6.1.0-28-amd64 #1 SMP x86_64", net_snmp) == (
        None,
        "linux",
        "server",
    )
    assert facts_of("Linux krs-pve1 6.8.12-1-pve #1 SMP", net_snmp)[1] == "proxmox"
    assert facts_of("Linux 3.14 #1 SMP", "1.3.6.1.4.1.7779.1.1402")[:2] == ("Infoblox", "nios")


def test_unknown_is_nothing_but_the_maker() -> None:
    assert facts_of("something new", "1.3.6.1.4.1.9.99.1") == ("Cisco", None, None)
    assert facts_of("something new", "1.3.6.1.4.1.99999.1.48") == (None, None, None)
    assert facts_of("something new", "1.3.6.1.4.1.8072.9.9") == (None, None, None)
    assert facts_of("something new", "0.0") == (None, None, None)


def test_makers() -> None:
    assert find_maker(9) == "Cisco"
    assert find_maker(59) == "Silicon Graphics, Inc."
    assert find_maker(8072) is None  # net-snmp runs on everybody's machines
    assert find_maker(4_000_000_000) is None


def test_both_forms_of_the_registry_are_read() -> None:
    iana = [
        "PRIVATE ENTERPRISE NUMBERS",
        "0",
        "  Reserved",
        "    Internet Assigned Numbers Authority",
        "9",
        "  ciscoSystems",
        "    Dave Jones",
    ]
    table = ["# a comment", "0\tReserved", "9\tciscoSystems"]
    assert dict(read_registry(iana)) == {0: "Reserved", 9: "ciscoSystems"}
    assert dict(read_registry(table)) == {0: "Reserved", 9: "ciscoSystems"}
    assert tidy("Vertiv (formerly Emerson) ") == "Vertiv"
