"""Waves never take a site down: judged by networkx over small random cooperations."""

import networkx
from hypothesis import given
from hypothesis import strategies as st

from fleet.core.inventory import Device, Inventory, Link, LinkKind, Site, SiteKind
from fleet.core.topology import ROOT, Network
from fleet.core.waves import CANARY, Caps, WaveBuilder


@st.composite
def worlds(draw: st.DrawFn) -> Network:
    sites = {
        f"s{n}": Site(
            slug=f"s{n}",
            member=draw(st.sampled_from(["m1", "m2"])),
            name=f"s{n}",
            kind=SiteKind.DATA_CENTRE if n == 0 else SiteKind.OFFICE,
            users=draw(st.sampled_from([None, 5, 10])),
        )
        for n in range(draw(st.integers(2, 6)))
    }
    devices = {
        name: Device(name=name, site=site, role=draw(st.sampled_from(["router", "switch"])))
        for site in sites
        for m in range(draw(st.integers(1, 3)))
        for name in [f"{site}-r{m}"]
    }
    pairs = st.tuples(st.sampled_from(sorted(devices)), st.sampled_from(sorted(devices)))
    links = {}
    for number, (a, b) in enumerate(draw(st.lists(pairs, max_size=14))):
        if a != b:
            link = Link(a=f"{a} : {number}", b=f"{b} : {number}", kind=LinkKind.FIBRE)
            links[link.key] = link
    return Network(Inventory(sites=sites, devices=devices, links=links), "s0")


def reached(network: Network, failed: set[int]) -> set[int]:
    graph = networkx.DiGraph()
    graph.add_nodes_from(range(len(network.names)))
    for vertex, near in enumerate(network.near):
        if not network.is_leaf[vertex]:
            graph.add_edges_from((vertex, there) for there in near)
    graph.remove_nodes_from(failed)
    return {ROOT} | networkx.descendants(graph, ROOT)


def sites_at(network: Network, found: set[int]) -> set[str]:
    return {site for site, entries in network.entries.items() if found.intersection(entries)}


@given(worlds(), st.integers(1, 20), st.integers(1, 10))
def test_every_device_once_and_no_wave_takes_a_site_down(
    network: Network, total: int, at_site: int
) -> None:
    devices = network.inventory.devices
    caps = Caps(total=total, member=100, site=at_site)

    waves = WaveBuilder(network).build({n: ("ios", d.role) for n, d in devices.items()}, caps)

    assert sorted(n for w in waves for n in w.devices) == sorted(devices)
    well = reached(network, set())
    for wave in waves:
        vertices = {n: v for n in wave.devices if (v := network.device(n)) is not None}
        together = sites_at(network, reached(network, set(vertices.values())))
        alone = [sites_at(network, reached(network, {v})) for v in vertices.values()]
        cut = sites_at(network, well) - together - network.roots
        assert cut <= {s for left in alone for s in sites_at(network, well) - left}
        for vertex in vertices.values() if len(vertices) > 1 else ():
            others = set(vertices.values()) - {vertex}
            assert vertex in reached(network, others) or vertex not in well
        assert len(wave.devices) <= total
        sites = [devices[n].site for n in wave.devices]
        assert max(sites.count(s) for s in sites) <= at_site
    whys = [wave.why for wave in waves]
    assert CANARY not in whys or whys[: whys.count(CANARY)] == [CANARY] * whys.count(CANARY)


@given(worlds(), st.data())
def test_what_is_refused_names_the_sites(network: Network, data: st.DataObject) -> None:
    names = data.draw(st.lists(st.sampled_from(sorted(network.inventory.devices)), unique=True))

    danger = WaveBuilder(network).danger(names)

    vertices = {v for n in names if (v := network.device(n)) is not None}
    well, left = reached(network, set()), reached(network, vertices)
    cut = sites_at(network, well) - sites_at(network, left) - network.roots
    for name in names:
        vertex = network.device(name)
        assert vertex is not None
        cut -= sites_at(network, well) - sites_at(network, reached(network, {vertex}))
    if cut:
        assert danger is not None
        assert danger.sites == tuple(sorted(cut))
    if danger is None:
        for vertex in vertices if len(vertices) > 1 else ():
            assert vertex in reached(network, vertices - {vertex}) or vertex not in well
