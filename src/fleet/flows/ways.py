"""The way between two places, and what hangs on one thing."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from fleet.core.impact import Impact, find_impact, links_of, vertices_of
from fleet.core.inventory import Inventory
from fleet.core.lookup import nfc
from fleet.core.topology import Hop, Network, Vertex
from fleet.errors import Duplicate, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """The best way between two places.

    Args:
        is_open: everything on it is up; else it is the way when all is well.
        closed: the devices and links on it that are not up.
    """

    is_open: bool
    hops: tuple[Hop, ...]
    closed: tuple[str, ...] = ()


def find_way(network: Network, a: str, b: str, failed: Collection[Vertex]) -> Way:
    """The way from one device or site to another, over what is up; mobile links come last.

    Raises:
        NotFound: one of them is no device and no site.
    """
    starts, ends = (_place(network, nfc(name)) for name in (a, b))
    failed = frozenset(failed)
    way = network.way(starts, ends, failed)
    if way is not None:
        return Way(is_open=True, hops=tuple(network.hops(way)))
    way = network.way(starts, ends, ())
    if way is None:
        return Way(is_open=False, hops=())
    closed = tuple(network.names[v][1] for v in way if v in failed)
    return Way(is_open=False, hops=tuple(network.hops(way)), closed=closed)


def _place(network: Network, name: str) -> tuple[Vertex, ...]:
    inventory = network.inventory
    _refuse_retired(inventory, name)
    if (device := network.device(name)) is not None:
        return (device,)
    if name in inventory.sites:
        return network.of_site(name)
    raise _unknown(name, "device or site", (*inventory.devices, *inventory.sites))


def impact_of(network: Network, name: str) -> Impact:
    """Who and what is cut off if a device, a link (or its circuit) or a site fails.

    Raises:
        NotFound: there is none such.
        Duplicate: a device and a site have this name.
    """
    name = nfc(name)
    inventory = network.inventory
    if name in inventory.devices and name in inventory.sites:
        raise Duplicate(f"`{name}` is a device and a site", hint="give one of them another name")
    _refuse_retired(inventory, name)
    for kind, things in (
        ("device", inventory.devices),
        ("site", inventory.sites),
        ("link", inventory.links),
    ):
        if name in things:
            return find_impact(network, vertices_of(network, kind, name))
    circuit = [
        v for link in links_of(inventory, name) for v in vertices_of(network, "link", link.key)
    ]
    if not circuit:
        raise _unknown(name, "device, site, link or circuit", _all_names(inventory))
    return find_impact(network, circuit)


def _refuse_retired(inventory: Inventory, name: str) -> None:
    for kind in ("device", "site", "link"):
        thing = inventory.of_kind(kind).get(name)
        if thing is not None and thing.retired:
            raise NotFound(f"{kind} `{name}` is retired", hint=f"fleet show {kind} {name}")


def _all_names(inventory: Inventory) -> Iterable[str]:
    circuits = (link.circuit_id for link in inventory.links.values() if link.circuit_id)
    return (*inventory.devices, *inventory.sites, *circuits)


def _unknown(name: str, what: str, known: Iterable[str]) -> NotFound:
    import difflib

    close = difflib.get_close_matches(name, list(known), n=1)
    hint = f"did you mean `{close[0]}`?" if close else f"try: fleet find {name}"
    return NotFound(f"there is no {what} `{name}`", hint=hint)
