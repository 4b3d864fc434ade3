"""How many ways lead to a site, and what it stands and falls with: against networkx."""

import networkx
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.inventory import Device, Inventory, Link, LinkKind, Site, SiteKind
from fleet.core.redundancy import Dominators, Redundancy
from fleet.core.topology import ROOT, Network

SITES = 7


def world(pairs: list[tuple[int, int]]) -> Inventory:
    """Sites 0 (the data centre) to 6 with two routers each, and links between these."""
    sites = {
        f"s{n}": Site(
            slug=f"s{n}",
            member="aure",
            name=f"Site {n}",
            kind=SiteKind.OFFICE if n else SiteKind.DATA_CENTRE,
        )
        for n in range(SITES)
    }
    devices = {
        f"s{n}-r{m}": Device(name=f"s{n}-r{m}", site=f"s{n}", role="router")
        for n in range(SITES)
        for m in range(2)
    }
    names = list(devices)
    links = {}
    for number, (one, other) in enumerate(pairs):
        if one != other:
            a, b = f"{names[one]} : {number}", f"{names[other]} : {number}"
            links[f"{a} – {b}"] = Link(a=a, b=b, kind=LinkKind.FIBRE)
    return Inventory(sites=sites, devices=devices, links=links)


ends = st.integers(0, 2 * SITES - 1)
worlds = st.lists(st.tuples(ends, ends), max_size=16).map(world)


@given(worlds, st.sets(ends, max_size=4))
def test_disjoint_ways_are_what_networkx_counts(inventory: Inventory, dead: set[int]) -> None:
    network = Network(inventory, "s0")
    names = list(inventory.devices)
    failed = frozenset(network.device(names[n]) or 0 for n in dead)
    counted = Redundancy(network)
    for slug in inventory.sites:
        if slug != "s0":
            assert counted.count_ways(slug, failed) == _by_networkx(network, slug, failed)


def _by_networkx(network: Network, slug: str, failed: frozenset[int]) -> int:
    """The same with site and home drawn together into one vertex each."""
    home = {ROOT, *(network.device(f"s0-r{m}") for m in range(2))} - failed
    starts = {v for v in network.of_site(slug) if v not in failed}
    graph = networkx.Graph()
    graph.add_nodes_from(("site", "home"))
    for one, near in enumerate(network.near):
        for other in near:
            if not {one, other} & failed:
                pair = ["home" if v in home else "site" if v in starts else v for v in (one, other)]
                graph.add_edge(*pair)
    graph.remove_edges_from(list(networkx.selfloop_edges(graph)))
    if graph.has_edge("site", "home"):
        raise AssertionError("a site never touches the home without a link")
    return (
        len(list(networkx.node_disjoint_paths(graph, "site", "home")))
        if (networkx.has_path(graph, "site", "home"))
        else 0
    )


@given(worlds)
def test_single_points_are_what_alone_cuts_off(inventory: Inventory) -> None:
    network = Network(inventory, "s0")
    dominators = Dominators(network)
    for slug in inventory.sites:
        entries = network.of_site(slug)
        found = set(dominators.single_points(entries))
        is_reached = network.reached(())
        if not any(is_reached[v] for v in entries):
            assert found == set()
            continue
        alone = {
            network.names[v]
            for v in range(1, len(network.names))
            if not any(network.reached((v,))[e] for e in entries)
        }
        assert found == alone


@given(worlds, st.sets(ends, max_size=3))
def test_a_degraded_site_is_reachable_over_fewer_ways(inventory: Inventory, dead: set[int]) -> None:
    network = Network(inventory, "s0")
    names = list(inventory.devices)
    failed = frozenset(network.device(names[n]) or 0 for n in dead)
    counted = Redundancy(network)
    expected = [
        slug
        for slug in inventory.sites
        if slug != "s0" and 0 < counted.count_ways(slug, failed) < counted.count_ways(slug)
    ]
    assert counted.find_degraded(failed) == sorted(expected)
