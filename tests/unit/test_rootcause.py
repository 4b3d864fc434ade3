"""Which silence explains the others: root causes, seen from where the poller stands."""

from collections.abc import Collection

from fleet.core.impact import find_impact, vertices_of
from fleet.core.inventory import Device, Inventory, Link, LinkKind, Site, SiteKind
from fleet.core.ports import port_key
from fleet.core.redundancy import Redundancy
from fleet.core.rootcause import Explanation, Root, explain, sites_down
from fleet.core.topology import Network


def inventory(sites: dict[str, list[str]], links: list[str], **fed_by: str) -> Inventory:
    """Sites with their devices; links like `a : 1 – b : 1`, mobile ones with `~`."""
    devices = {
        name: Device(name=name, site=site, role="router", fed_by=fed_by.get(name.replace("-", "_")))
        for site, names in sites.items()
        for name in names
    }
    made = {}
    for text in links:
        kind = LinkKind.MOBILE if "~" in text else LinkKind.FIBRE
        a, b = (end.strip() for end in text.replace("~", "–").split("–"))
        link = Link(a=a, b=b, kind=kind)
        made[link.key] = link
    return Inventory(
        sites={
            slug: Site(slug=slug, member="aure", name=slug, kind=SiteKind.OFFICE, users=10)
            for slug in sites
        },
        devices=devices,
        links=made,
    )


HALL = inventory(
    {
        "dc": ["dc-core", "dc-srv"],
        "hall": ["hall-core", "hall-sw", "hall-ups"],
        "school": ["school-r", "school-sw"],
        "clinic": ["clinic-r", "clinic-4g"],
    },
    [
        "dc-core : 1 – hall-core : 1",
        "hall-core : 2 – school-r : 1",
        "hall-core : 3 – clinic-r : 1",
        "dc-core : 9 ~ clinic-4g : 1",
        "clinic-4g : 2 – clinic-r : 2",
        "school-r : 2 – school-sw : 1",
    ],
    hall_core="hall-ups",
)


def why(
    things: Inventory,
    silent: Collection[str],
    *,
    ports_down: Collection[str] = (),
    on_battery: Collection[str] = (),
) -> dict[str, str]:
    """Per silent device its root cause; `behind` before it if it is unreachable."""
    found = explain(
        Network(things, "dc"),
        silent=silent,
        answering=set(things.devices) - set(silent),
        ports_down={(d, port_key(p)) for d, _, p in (t.partition(" : ") for t in ports_down)},
        on_battery=on_battery,
    )
    return {name: ("behind " if e.is_behind else "") + e.root.name for name, e in found.items()}


def test_what_is_behind_a_failed_device_is_unreachable() -> None:
    silent = {"hall-core", "hall-sw", "hall-ups", "school-r", "school-sw"}

    assert why(HALL, silent) == {
        "hall-core": "hall-core",
        "hall-sw": "behind hall-core",
        "hall-ups": "behind hall-core",
        "school-r": "behind hall-core",
        "school-sw": "behind hall-core",
    }


def test_a_site_with_a_mobile_link_stays_up_and_is_degraded() -> None:
    network = Network(HALL, "dc")
    silent = {"hall-core", "hall-sw", "hall-ups", "school-r", "school-sw"}

    failed = {v for name in silent if (v := network.device(name)) is not None}
    assert Redundancy(network).find_degraded(failed) == ["clinic"]
    assert set(sites_down(network, silent, set(HALL.devices))) == {"hall", "school"}


def test_the_nearest_failure_explains_what_is_behind_it() -> None:
    # The school's router is silent although the hall answers: it has failed itself.
    assert why(HALL, {"school-r", "school-sw", "clinic-r"}) == {
        "school-r": "school-r",
        "school-sw": "behind school-r",
        "clinic-r": "clinic-r",
    }


def test_a_link_is_the_cause_only_if_the_port_at_its_near_end_was_seen_down() -> None:
    silent = {"school-r", "school-sw"}

    assert why(HALL, silent, ports_down=["hall-core : 2"]) == {
        "school-r": "behind hall-core : 2 – school-r : 1",
        "school-sw": "behind hall-core : 2 – school-r : 1",
    }
    # Another port, or the far end of somebody who does not answer himself, says nothing.
    assert why(HALL, silent, ports_down=["hall-core : 3", "school-r : 1"])["school-r"] == "school-r"


def test_somebody_who_answers_behind_a_silent_device_does_not_make_it_less_silent() -> None:
    assert why(HALL, {"school-r"}) == {"school-r": "school-r"}
    # The switch answers over some way that nobody declared; the router stays behind the core.
    silent = {"hall-core", "school-r"}
    assert why(HALL, silent) == {"hall-core": "hall-core", "school-r": "behind hall-core"}


def test_an_answering_neighbour_with_a_way_of_its_own_makes_a_cause() -> None:
    # The clinic's mobile router answers, so the clinic's own router is not behind the hall.
    silent = {"hall-core", "hall-sw", "hall-ups", "school-r", "school-sw", "clinic-r"}

    assert why(HALL, silent)["clinic-r"] == "clinic-r"


def test_what_hangs_behind_the_edge_is_on_nobodys_way() -> None:
    # The nursery's switch is reached over the mobile router; the fibre one stays behind the hall.
    sites = {"dc": ["dc-r"], "hall": ["hall-r"], "nursery": ["n-r", "n-4g", "n-sw"]}
    links = ["dc-r : 1 – hall-r : 1", "hall-r : 2 – n-r : 1", "dc-r : 2 ~ n-4g : 1"]

    assert why(inventory(sites, links), {"hall-r", "n-r"})["n-r"] == "behind hall-r"


def test_a_way_inside_an_island_needs_no_root() -> None:
    links = ["a-1 : 1 – a-core : 1", "a-core : 2 – a-2 : 1", "a-1 : 2 – b-1 : 1"]
    island = inventory({"a": ["a-1", "a-core", "a-2"], "b": ["b-1"]}, links)
    network = Network(island, None)

    way = network.way(network.of_site("b"), [network.device("a-2") or 0], ())
    assert [hop.device for hop in network.hops(way or [])] == ["b-1", "a-1", "a-core", "a-2"]


def test_a_device_without_links_hangs_behind_the_edge_of_its_site() -> None:
    assert why(HALL, {"hall-sw"}) == {"hall-sw": "hall-sw"}
    assert why(HALL, {"hall-core", "hall-sw"})["hall-sw"] == "behind hall-core"
    alone = inventory({"dc": ["dc-core"], "hut": ["hut-r"]}, [])
    assert why(alone, {"hut-r"}) == {"hut-r": "hut-r"}


PAIR = inventory(
    {"dc": ["dc-1", "dc-2"], "hall": ["hall-1", "hall-2", "hall-ups", "hall-sw"]},
    [
        "dc-1 : 1 – hall-1 : 1",
        "dc-2 : 1 – hall-2 : 1",
        "dc-1 : 2 – dc-2 : 2",
        "hall-1 : 2 – hall-2 : 2",
    ],
    hall_1="hall-ups",
    hall_2="hall-ups",
)


def test_two_causes_fed_by_one_silent_supply_are_one() -> None:
    found = why(PAIR, {"hall-1", "hall-2", "hall-ups", "hall-sw"})

    assert found == {
        "hall-1": "hall-ups",
        "hall-2": "hall-ups",
        "hall-ups": "hall-ups",
        "hall-sw": "behind hall-ups",
    }


def test_a_router_that_fails_alone_is_not_blamed_on_its_supply() -> None:
    # The supply is silent too, but only since the router leads to it.
    silent = {"hall-core", "hall-sw", "hall-ups"}

    assert why(HALL, silent)["hall-core"] == "hall-core"
    assert why(HALL, silent, on_battery=["hall-ups"])["hall-core"] == "hall-ups"
    assert why(PAIR, {"hall-1"}) == {"hall-1": "hall-1"}


def test_without_a_place_to_stand_everything_is_its_own_cause() -> None:
    found = explain(Network(Inventory(), None), silent={"a"}, answering=set())

    assert found == {"a": Explanation(is_behind=False, root=Root("device", "a"))}


def test_impact_names_what_has_no_way_left() -> None:
    network = Network(HALL, "dc")

    hall = find_impact(network, vertices_of(network, "device", "hall-core"))
    assert hall.devices == ("hall-sw", "hall-ups", "school-r", "school-sw")
    assert (hall.sites, hall.users, hall.degraded_sites) == (("hall", "school"), 20, ("clinic",))
    link = find_impact(network, vertices_of(network, "link", "hall-core : 3 – clinic-r : 1"))
    # The hall had a second way too: over the clinic and its mobile link.
    assert (link.devices, link.sites, link.degraded_sites) == ((), (), ("clinic", "hall"))
    site = find_impact(network, vertices_of(network, "site", "school"))
    assert (site.devices, site.sites) == ((), ("school",))


def test_the_best_way_has_few_links_and_takes_mobile_ones_last() -> None:
    network = Network(HALL, "dc")

    def way(a: str, b: str, *failed: str) -> list[str]:
        blocked = {network.device(name) or 0 for name in failed}
        found = network.way(network.of_site(a), network.of_site(b), blocked)
        return [hop.device for hop in network.hops(found or [])]

    assert way("dc", "clinic") == ["dc-core", "hall-core", "clinic-r"]
    assert way("dc", "clinic", "hall-core") == ["dc-core", "clinic-4g"]
    assert way("school", "clinic") == ["school-r", "hall-core", "clinic-r"]
    assert way("dc", "school", "hall-core") == []
