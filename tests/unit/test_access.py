"""Home login: every site of a member to the portal of every other, with what is in the way."""

from dataclasses import replace
from datetime import date

from fleet.core.access import Access, AccessTable
from fleet.core.inventory import (
    Device,
    Inventory,
    Link,
    LinkKind,
    Member,
    Membership,
    Service,
    Site,
    SiteKind,
    Use,
)
from fleet.core.topology import Network

DAY = date(2026, 1, 1)


def inventory() -> Inventory:
    """Two members with a town hall each, and a school of Aure behind its town hall."""
    sites = {"dc": "aure", "aure-th": "aure", "aure-school": "aure", "smola-th": "smola"}
    names = {"dc": "core", "aure-th": "aure-r", "aure-school": "school-r", "smola-th": "smola-r"}
    links = [("core", "aure-r"), ("aure-r", "school-r"), ("core", "smola-r")]
    devices = {n: Device(name=n, site=s, role="router") for s, n in names.items()}
    devices["intra"] = Device(name="intra", site="smola-th", role="server")
    links.append(("smola-r", "intra"))
    made = [Link(a=a, b=b, kind=LinkKind.FIBRE) for a, b in links]
    portal = Service(
        slug="intranet",
        name="Intranet",
        kind="intranet",
        needs=("intra",),
        use=(Use(member="smola", from_=date(2020, 1, 1)),),
    )
    return Inventory(
        members={
            slug: Member(
                slug=slug,
                name=slug,
                number=number,
                memberships=(Membership(joined=date(2010, 1, 1)),),
            )
            for slug, number in (("aure", "1576"), ("smola", "1573"))
        },
        sites={s: Site(slug=s, member=m, name=s, kind=SiteKind.OFFICE) for s, m in sites.items()},
        devices=devices,
        links={link.key: link for link in made},
        services={"intranet": portal},
    )


def cells(*failed: str) -> dict[tuple[str, str], Access]:
    network = Network(inventory(), "dc")
    vertices = [network.device(name) or network.link(name) for name in failed]
    table = AccessTable(network, [v for v in vertices if v is not None], DAY)
    return {(cell.from_, cell.to): cell for cell in table.cells()}


def test_when_all_is_well_every_site_reaches_every_portal() -> None:
    found = cells()

    assert {place: (c.sites, dict(c.blocked)) for place, c in found.items()} == {
        ("aure", "smola"): (3, {}),
        ("smola", "smola"): (1, {}),
    }


def test_a_cut_names_the_sites_behind_it_and_the_link() -> None:
    found = cells("aure-r – school-r")

    assert found["aure", "smola"].blocked == {"aure-school": ("aure-r – school-r",)}
    assert not found["smola", "smola"].blocked


def test_a_dead_portal_is_reached_by_nobody_but_is_named() -> None:
    found = cells("intra")

    assert found["smola", "smola"].blocked == {"smola-th": ("intra",)}
    assert set(found["aure", "smola"].blocked) == {"dc", "aure-th", "aure-school"}


def test_a_portal_counts_from_the_day_on_which_it_is_used() -> None:
    network = Network(inventory(), "dc")
    assert not AccessTable(network, (), date(2019, 12, 31)).portals
    later = replace(inventory().services["intranet"], use=(Use(member="smola", planned=True),))
    planned = replace(inventory(), services={"intranet": later})
    assert not AccessTable(Network(planned, "dc"), (), DAY).portals
