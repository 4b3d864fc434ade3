"""Members over time, ends of links, uplinks, keys."""

from datetime import date

from fleet.core.inventory import (
    Device,
    Earlier,
    Inventory,
    Link,
    LinkKind,
    Member,
    Membership,
    Site,
    SiteKind,
)
from fleet.core.lookup import read_mac, to_mac
from fleet.core.topology import Network

RINDAL = Member(
    slug="rindal",
    name="Rindal",
    number="5061",
    county="Trøndelag",
    memberships=(Membership(joined=date(1997, 1, 1)),),
    earlier=(Earlier(until=date(2019, 1, 1), number="1567", county="Møre og Romsdal"),),
)
HALSA = Member(
    slug="halsa",
    name="Halsa",
    number="1571",
    memberships=(Membership(joined=date(1997, 1, 1), left=date(2020, 1, 1)),),
    ended=date(2020, 1, 1),
    successors=("heim",),
)


def test_a_member_had_other_numbers_in_other_years() -> None:
    assert RINDAL.at(date(2018, 12, 31)).number == "1567"
    assert RINDAL.at(date(2018, 12, 31)).name == "Rindal"
    assert RINDAL.at(date(2019, 1, 1)).number == "5061"
    assert RINDAL.at(date(2013, 1, 1)).county == "Møre og Romsdal"


def test_the_day_of_leaving_is_the_first_that_does_not_count() -> None:
    assert HALSA.is_member(date(2019, 12, 31))
    assert not HALSA.is_member(date(2020, 1, 1))
    assert not HALSA.is_member(date(1996, 12, 31))


def _network() -> Inventory:
    sites = {
        slug: Site(slug=slug, member="rindal", name=slug, kind=kind)
        for slug, kind in (
            ("dc", SiteKind.DATA_CENTRE),
            ("hall", SiteKind.TOWN_HALL),
            ("school", SiteKind.SCHOOL),
        )
    }
    devices = {
        name: Device(name=name, site=name.partition("-")[0], role="router")
        for name in ("dc-r1", "hall-r1", "hall-sw1", "school-r1")
    }
    links = [
        Link(a="dc-r1 : xe0", b="hall-r1 : ge0", kind=LinkKind.FIBRE, capacity_mbps=10_000),
        Link(a="hall-sw1 : 1", b="hall-r1 : ge1", kind=LinkKind.COPPER),
        Link(a="hall-sw1 : 2", b="school", kind=LinkKind.RADIO),
    ]
    return Inventory(
        members={"rindal": RINDAL},
        sites=sites,
        devices=devices,
        links={link.key: link for link in links},
    )


def test_an_edge_device_has_a_link_to_another_site() -> None:
    assert _network().edge_devices == {
        "dc": {"dc-r1"},
        "hall": {"hall-r1", "hall-sw1"},
    }


def test_uplinks_lead_towards_the_data_centre() -> None:
    uplinks = Network(_network()).uplinks()

    assert (uplinks["hall-r1"].interface, uplinks["hall-r1"].to) == ("ge0", "dc-r1")
    assert (uplinks["hall-sw1"].interface, uplinks["hall-sw1"].to) == ("1", "hall-r1")
    assert (uplinks["school-r1"].to, uplinks["school-r1"].kind) == ("hall-sw1", "radio")
    assert "dc-r1" not in uplinks


def test_mac_addresses_in_all_notations() -> None:
    for text in (
        "78:8a:20:5f:1d:06",
        "78:8A:20:5F:1D:6",
        "78-8a-20-5f-1d-06",
        "788a.205f.1d06",
        "788a205f1d06",
    ):
        assert to_mac(text) == "78:8a:20:5f:1d:06"
    for text in ("021b57-714400", "02 1b 57 71 44 00", "02.1b.57.71.44.00", "021b:5771:4400"):
        assert read_mac(text) == "021b57714400"
    assert read_mac("0x021B57714400") == "021b57714400"
    assert read_mac("10.15.5.11") is None
    assert read_mac("5f:1d") == "5f1d"
    for text in ("U-101", "aure", "10.15.5.11", "78:8a:20:5f:1d:06:07", ""):
        assert read_mac(text) is None
