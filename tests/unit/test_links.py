"""Links from what devices hear and forward, and finds matched with the inventory."""

import pytest

from fleet.core.discovery import Found, LinkVerdict, Verdict, match_devices, match_links
from fleet.core.facts import Facts
from fleet.core.facts.bridge import Forwarded
from fleet.core.facts.interfaces import SeenInterface
from fleet.core.facts.neighbours import Neighbour
from fleet.core.inventory import Device, Interface, Inventory, Link, LinkKind, Site
from fleet.core.links import Confidence, Known, SeenLink, find_links, find_unmanaged
from fleet.core.ports import is_same_port
from fleet.core.walk import Target


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Gi1/0/48", "GigabitEthernet1/0/48"),
        ("gigabitethernet 1/0/48", "Gi1/0/48"),
        ("Te1/1/1", "TenGigabitEthernet1/1/1"),
        ("Ten-GigabitEthernet1/0/1", "XGE1/0/1"),
        ("Eth1/1", "Ethernet1/1"),
        ("Po1", "port-channel1"),
        ("Fa0/1", "FastEthernet0/1"),
        ("ge-0/0/1", "GE-0/0/1"),
        ("eth0", "ETH0"),
        ("24", "Port 24"),
    ],
)
def test_spellings_of_one_port(one: str, other: str) -> None:
    assert is_same_port(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Gi1/0/4", "Gi1/0/48"), ("Gi1/0/1", "Te1/0/1"), ("Fa0/1", "Fo0/1"), ("eth0", "eth1")],
)
def test_different_ports(one: str, other: str) -> None:
    assert not is_same_port(one, other)


def port(
    index: int, name: str, mac: str | None = None, description: str | None = None
) -> SeenInterface:
    return SeenInterface(index=index, name=name, mac=mac, description=description)


def hears(local: str, name: str | None, remote: str | None, **more: str) -> Neighbour:
    return Neighbour(
        protocol=more.pop("protocol", "lldp"),
        local_interface=local,
        remote_name=name,
        remote_interface=remote,
        **more,
    )


def links_of(facts: dict[str, Facts]) -> list[SeenLink]:
    return find_links(facts, Known(facts))


def ends(links: list[SeenLink]) -> list[tuple[str, str, str]]:
    return [(str(link.a), str(link.b), link.confidence.value) for link in links]


def test_both_ends_become_one_link_over_spellings_and_protocols() -> None:
    facts = {
        "sw1": Facts(
            name="sw1.aure.no",
            interfaces=(port(1, "Gi1/0/48", description="GigabitEthernet1/0/48"),),
            neighbours=(
                hears("Gi1/0/48", "core1.aure.no", "TenGigabitEthernet1/1/1"),
                hears("Gi1/0/48", "core1(FOC1234)", "Te1/1/1", protocol="cdp"),
            ),
        ),
        "core1": Facts(
            name="core1",
            interfaces=(port(1, "Te1/1/1"),),
            neighbours=(
                hears("Te1/1/1", "SW1", "GigabitEthernet1/0/48"),
                hears("Te1/1/1", "sw1", "Gi1/0/48", protocol="cdp"),
            ),
        ),
    }

    links = links_of(facts)

    assert ends(links) == [("core1 : Te1/1/1", "sw1 : Gi1/0/48", "both ends")]
    assert len(links[0].evidence) == 4


def test_two_cables_between_two_machines_stay_two() -> None:
    facts = {
        "a": Facts(neighbours=(hears("Gi1", "b", "Gi1"), hears("Gi2", "b", "Gi2"))),
        "b": Facts(neighbours=(hears("Gi1", "a", "Gi1"), hears("Gi2", "a", "Gi2"))),
    }

    assert ends(links_of(facts)) == [
        ("a : Gi1", "b : Gi1", "both ends"),
        ("a : Gi2", "b : Gi2", "both ends"),
    ]


def test_one_end_alone_is_marked_and_its_port_found_by_its_mac() -> None:
    facts = {
        "sw1": Facts(
            neighbours=(
                hears(
                    "Gi1/0/7",
                    None,
                    "02:00:00:00:00:07",
                    remote_chassis_id="02:00:00:00:00:01",
                    remote_port_id="02:00:00:00:00:07",
                ),
                hears("Gi1/0/9", "a telephone", "port 1"),
            )
        ),
        "ap1": Facts(
            interfaces=(port(1, "br0", "02:00:00:00:00:01"), port(2, "eth0", "02:00:00:00:00:07"))
        ),
    }

    links = links_of(facts)

    assert ends(links) == [
        ("a telephone : port 1", "sw1 : Gi1/0/9", "one end"),
        ("ap1 : eth0", "sw1 : Gi1/0/7", "one end"),
    ]
    assert not links[0].a.is_known


def forwards(mac: str, index: int, **more: bool) -> Forwarded:
    return Forwarded(mac=mac, interface_index=index, vlan=1, **more)


PRINTER, PHONE, PC, CORE = (f"02:00:00:00:10:0{n}" for n in range(1, 5))


def bridged() -> dict[str, Facts]:
    """An access switch with a printer alone at a port, and two machines behind another."""
    return {
        "acc": Facts(
            interfaces=(port(1, "Gi1"), port(2, "Gi2"), port(24, "Gi24")),
            neighbours=(hears("Gi24", "core", "Te1"),),
            forwarding=(
                forwards(PRINTER, 1),
                forwards(PHONE, 2),
                forwards(PC, 2),
                forwards(CORE, 24),
            ),
        ),
        "core": Facts(
            interfaces=(port(1, "Te1", CORE),),
            neighbours=(hears("Te1", "acc", "Gi24"),),
            forwarding=(forwards(PRINTER, 1), forwards(PC, 1), forwards(CORE, 1, is_own=True)),
        ),
        "printer": Facts(interfaces=(port(1, "eth0", PRINTER),)),
    }


def test_what_speaks_neither_hangs_where_it_is_alone() -> None:
    assert ends(links_of(bridged())) == [
        ("acc : Gi1", "printer : eth0", Confidence.FORWARDING),
        ("acc : Gi24", "core : Te1", Confidence.BOTH_ENDS),
    ]


def test_what_nobody_knows_is_named_with_its_port() -> None:
    facts = bridged()
    known = Known(facts)

    unmanaged = find_unmanaged(facts, find_links(facts, known), known)

    assert [(u.mac, u.device, u.interface) for u in unmanaged] == [
        (PHONE, "acc", "Gi2"),
        (PC, "acc", "Gi2"),
    ]


INVENTORY = Inventory(
    sites={"dc": Site(slug="dc", name="Datarom", kind="data_centre", member="aure")},
    devices={
        d.name: d
        for d in (
            Device(name="core1", site="dc", role="router", address="10.0.0.1", serial="FOC1"),
            Device(name="sw1", site="dc", role="switch", address="10.0.0.2", serial="FOC2"),
            Device(name="ap1", site="dc", role="access_point", address="10.0.0.3"),
        )
    },
    interfaces={
        "ap1 : eth0": Interface(device="ap1", name="eth0", mac="02:00:00:00:00:07"),
    },
    links={
        link.key: link
        for link in (Link(a="core1 : Te1/1/1", b="sw1 : Gi1/0/48", kind=LinkKind.FIBRE),)
    },
)


def found(address: str, declared: str | None = None, **facts: object) -> Found:
    return Found(
        target=Target(name=declared or address, address=address),
        facts=Facts(**facts),  # type: ignore[arg-type]
        declared=declared,
    )


def verdicts(*finds: Found) -> list[tuple[str, Verdict]]:
    return [(m.name, m.verdict) for m in match_devices(finds, INVENTORY, None)]


def test_finds_are_recognised_by_the_surest_identifier() -> None:
    assert verdicts(found("10.0.0.1", serial="FOC1", name="core1")) == [("core1", Verdict.KNOWN)]
    assert verdicts(found("10.0.0.77", serial="foc2", name="other")) == [("sw1", Verdict.MOVED)]
    by_mac = found("10.0.0.78", interfaces=(port(1, "eth0", "02:00:00:00:00:07"),))
    assert verdicts(by_mac) == [("ap1", Verdict.MOVED)]
    assert verdicts(found("10.0.0.79", name="SW1.aure.no")) == [("sw1", Verdict.KNOWN)]
    assert verdicts(found("10.0.0.80", name="nobody")) == [("nobody", Verdict.NEW)]


def test_another_machine_at_a_known_address_is_not_the_known_one() -> None:
    assert verdicts(found("10.0.0.2", "sw1", serial="FOC9")) == [("sw1", Verdict.DIFFERENT)]


def test_a_machine_with_several_addresses_is_one_find() -> None:
    eth = port(1, "eth0", "02:00:00:00:00:99")
    finds = [found(f"10.0.0.{n}", name="new", interfaces=(eth,)) for n in (90, 91)]
    assert verdicts(*finds) == [("new", Verdict.NEW)]


def test_two_new_machines_that_call_themselves_alike() -> None:
    finds = [found("10.0.0.90", name="switch"), found("10.0.0.91", name="switch")]
    assert [name for name, _ in verdicts(*finds)] == ["switch", "switch-2"]


def test_links_are_compared_with_those_declared() -> None:
    facts = {
        "core1": Facts(
            neighbours=(
                hears("TenGigabitEthernet1/1/1", "sw1", "GigabitEthernet1/0/48"),
                hears("Te1/1/2", "ap1", "eth0"),
            )
        ),
        "sw1": Facts(neighbours=(hears("Gi1/0/48", "core1", "Te1/1/1"),)),
        "ap1": Facts(),
    }
    matches = match_links(links_of(facts), INVENTORY)
    assert {(str(m.link.b), m.verdict) for m in matches} == {
        ("core1 : Te1/1/2", LinkVerdict.NEW),
        ("sw1 : Gi1/0/48", LinkVerdict.DECLARED),
    }

    moved = {"core1": Facts(neighbours=(hears("Te1/1/4", "sw1", "Gi1/0/47"),)), "sw1": Facts()}
    (match,) = match_links(links_of(moved), INVENTORY)
    assert (match.verdict, match.declared) == (
        LinkVerdict.ELSEWHERE,
        "core1 : Te1/1/1 – sw1 : Gi1/0/48",
    )
