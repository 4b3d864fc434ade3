"""The cooperation of `hedmark.toml` as the files of an inventory; the same in every run."""

import random
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

PORT = 16161
FROM_SITE = "sta-dc1"
NAME = "Hedmark IKT"
_SEED = 20110101
_SERIAL = "ABCDEFGHJKLMNPQRSTUVWXYZ0123456789"


@dataclass(slots=True)
class _Site:
    slug: str
    name: str
    member: Mapping[str, Any]
    kind: Mapping[str, Any]
    number: int  # over all members, for the addresses
    devices: list[tuple[str, str]] = field(default_factory=list)  # name, what it is
    ports: int = 0  # of its edge device that are used

    @property
    def edge(self) -> str:
        """The device that the site's own uplink ends at."""
        return self.devices[0][0]

    def port(self) -> str:
        """A free port for somebody else's uplink."""
        self.ports += 1
        return f"{self.edge} : Gi1/0/{self.ports}"


def files() -> Iterator[tuple[str, str]]:
    """(path below inventory/, text) of every file."""
    shape = _shape()
    rng = random.Random(_SEED)  # noqa: S311 - nothing secret: invented serial numbers
    sites = _sites(shape)
    yield "members.yaml", _members(shape)
    for member in shape["members"]:
        own = [site for site in sites if site.member is member]
        if not own:
            continue
        folder = member["slug"]
        yield f"{folder}/sites.yaml", "sites:\n" + "".join(map(_site, own))
        yield f"{folder}/devices.yaml", "devices:\n" + "".join(_devices(own, shape, rng))
    for slug, lines in _links(sites, shape, rng).items():
        if lines:
            yield f"{slug}/links.yaml", "links:\n" + "".join(lines)


@cache
def _shape() -> dict[str, Any]:
    with Path(__file__).with_suffix(".toml").open("rb") as file:
        return tomllib.load(file)


def _members(shape: Mapping[str, Any]) -> str:
    lines = ["members:"]
    for member in shape["members"]:
        population = ", ".join(f"{year}: {n}" for year, n in member["population"].items())
        lines += [
            f"  - slug: {member['slug']}",
            f"    name: {member['name']}",
            f'    number: "{member["number"]}"',
            "    county: Innlandet",
            f"    language: {member['language']}",
            f"    joined: {member['joined']}",
            f"    population: {{{population}}}",
            f'    earlier: [{{until: 2020-01-01, number: "{member["before"]}", county: Hedmark}}]',
        ]
    return "\n".join(lines) + "\n"


def _sites(shape: Mapping[str, Any]) -> list[_Site]:
    found: list[_Site] = []
    for member in shape["members"]:
        for kind, count in zip(shape["kinds"], member["sites"], strict=True):
            for number in range(1, count + 1):
                slug = f"{member['short']}-{kind['short']}{number if count > 1 else ''}"
                if kind["kind"] == "data_centre":
                    slug = f"{member['short']}-dc{1 + (member['short'] != 'sta')}"
                name = f"{kind['name']} {number}, {member['name']}" if count > 1 else ""
                name = name or f"{member['name']} {kind['name'].lower()}"
                site = _Site(slug, name, member, kind, len(found))
                for what, machines in kind["devices"].items():
                    short = shape["machines"][what][0]
                    site.devices += [(f"{slug}-{short}{n}", what) for n in range(1, machines + 1)]
                found.append(site)
    return found


def _site(site: _Site) -> str:
    lines = [
        f"  - slug: {site.slug}",
        f"    name: {site.name}",
        f"    kind: {site.kind['kind']}",
        f"    users: {site.kind['users']}",
    ]
    if site.kind["kind"] == "town_hall":
        address, latitude, longitude = site.member["town_hall"]
        lines += [
            f"    address: {address}",
            f"    latitude: {latitude}",
            f"    longitude: {longitude}",
        ]
    return "\n".join(lines) + "\n"


def _devices(sites: list[_Site], shape: Mapping[str, Any], rng: random.Random) -> Iterator[str]:
    for site in sites:
        feed = next((name for name, what in site.devices if what == "ups"), None)
        for number, (name, what) in enumerate(site.devices, start=1):
            _, role, platform, vendor, model, port = shape["machines"][what]
            mac = ":".join(f"{octet:02x}" for octet in (2, *rng.randbytes(5)))
            serial = "".join(rng.choices(_SERIAL, k=11))
            letter, tag = site.member["slug"][0].upper(), rng.randrange(10**6)
            lines = [
                f"  - name: {name}",
                f"    site: {site.slug}",
                f"    role: {role}",
                f"    address: 127.{64 + site.number // 250}.{site.number % 250}.{number}",
                f"    port: {PORT}",
                f"    platform: {platform}",
                f"    vendor: {vendor}",
                f"    model: {model}",
                f'    serial: "{serial}"',
                f'    asset_tag: "{letter}{number:02d}{site.number:03d}-{tag:06d}"',
                "    commissioned: 2023-01-01",
            ]
            if feed and what in ("router", "core_router", "dist_switch"):
                lines.append(f"    fed_by: {feed}")
            lines.append(f'    interfaces: [{{name: {_text(port)}, mac: "{mac}"}}]')
            yield "\n".join(lines) + "\n"


def _text(name: str) -> str:
    return f'"{name}"' if name.isdecimal() else name


Uplink = tuple[_Site, str, str, str, int]
"""In whose file it stands, both ends, kind, Mbit/s."""


def _links(
    sites: list[_Site], shape: Mapping[str, Any], rng: random.Random
) -> dict[str, list[str]]:
    """Links by the member in whose file they stand."""
    links: dict[str, list[str]] = {member["slug"]: [] for member in shape["members"]}
    own = shape["machines"]["router"][5]
    for site, a, b, kind, capacity in (*_backbone(sites), *_uplinks(sites, own, rng)):
        text = f'  - {{a: "{a}", b: "{b}", kind: {kind}, capacity_mbps: {capacity}}}\n'
        links[site.member["slug"]].append(text)
    return links


def _backbone(sites: list[_Site]) -> Iterator[Uplink]:
    """Two ways between the data centres, two from every town hall, and a ring of town halls."""
    first, second = _of_kind(sites, "data_centre")
    halls = _of_kind(sites, "town_hall")
    for core in (1, 2):
        a, b = (f"{site.slug}-core{core} : HundredGigE1/0/1" for site in (first, second))
        yield first, a, b, "fibre", 100_000
    port = "TwentyFiveGigE1/0"
    for place, hall in enumerate(halls):
        for core, centre in ((1, first), (2, second)):
            far = f"{centre.slug}-core{core} : {port}/{place + 2}"
            yield hall, f"{hall.slug}-core{core} : {port}/1", far, "fibre", 10_000
        following = halls[(place + 1) % len(halls)]
        far = f"{following.slug}-core1 : {port}/3"
        yield hall, f"{hall.slug}-core2 : {port}/2", far, "fibre", 10_000


def _uplinks(sites: list[_Site], own: str, rng: random.Random) -> Iterator[Uplink]:
    """One way out for every other place, and the mobile one where there is a router for it."""
    (first, _) = _of_kind(sites, "data_centre")
    for site in sites:
        if "uplinks" in site.kind:
            _, kind, capacity, to = _uplink(site, sites)
            parent = first if to == "data_centre" else _parent(site, to, sites, rng)
            yield site, f"{site.edge} : {own}", parent.port(), kind, capacity
        for name, what in site.devices:
            if what == "lte":
                yield site, f"{name} : wwan0", f"{first.slug}-fw1", "mobile", 30


def _of_kind(sites: list[_Site], kind: str) -> list[_Site]:
    found = [site for site in sites if site.kind["kind"] == kind]
    return sorted(found, key=lambda site: site.member["slug"] != "stange")


def _uplink(site: _Site, sites: list[_Site]) -> tuple[int, str, int, str]:
    """Which of its kind's uplinks a site has: shares of all sites of the kind, in their order."""
    alike = [other for other in sites if other.kind is site.kind]
    place = (alike.index(site) + 0.5) * sum(u[0] for u in site.kind["uplinks"]) / len(alike)
    for uplink in site.kind["uplinks"]:
        place -= uplink[0]
        if place < 0:
            break
    weight, kind, capacity, to = uplink
    return weight, kind, capacity, to


def _parent(site: _Site, to: str, sites: list[_Site], rng: random.Random) -> _Site:
    """The place of the same member where an uplink leads."""
    hall = next(s for s in sites if s.member is site.member and s.kind["kind"] == "town_hall")
    if to == "core":
        return hall
    own = [s for s in sites if s.member is site.member and s.kind["kind"] == to]
    # A chain never closes: a place hangs behind one that stands before it in the list.
    before = [s for s in own if s.number < site.number] if to == site.kind["kind"] else own
    return rng.choice(before) if before else hall
