"""What was found in the network, matched with the inventory: proposals, never changes.

A found device is recognised by several identifiers, the surest first: serial number, MAC
addresses, name, address. One that is known by its serial number and answers elsewhere has moved;
one that nothing matches is new.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from fleet.core.facts import Facts, short_name
from fleet.core.inventory import Device, Inventory, Link
from fleet.core.links import Confidence, SeenEnd, SeenLink, Unmanaged, own_macs
from fleet.core.ports import port_key
from fleet.core.walk import Target


class Verdict(StrEnum):
    """What a found device is to the inventory."""

    KNOWN = "known"
    NEW = "new"
    MOVED = "moved"
    DIFFERENT = "different"  # another machine answers where a known one should be


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A device that answered."""

    target: Target
    facts: Facts
    declared: str | None = None  # the device of the inventory that was asked, by its name


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A found device and what it is to the inventory.

    Args:
        name: in the inventory, or what it would be called there.
        site: where it is, or probably is; None: not known.
        evidence: what speaks for it.
    """

    name: str
    verdict: Verdict
    address: str
    port: int
    credential: str
    facts: Facts
    device: str | None = None
    site: str | None = None
    evidence: tuple[str, ...] = ()


def match_devices(found: Iterable[Found], inventory: Inventory, site: str | None) -> list[Match]:
    """What each found device is; machines that answer at several addresses come once.

    Args:
        site: where new ones are, if the user said so.
    """
    finds = sorted(found, key=lambda f: f.declared is None)
    index = _Index(inventory, _shared_macs(finds))
    matches: dict[str, Match] = {}
    taken = {name.casefold() for name in inventory.devices} | set(index.by_name)
    for one in finds:
        match = _match(one, index, site)
        known = matches.get(match.name)
        if match.verdict is Verdict.MOVED and known and known.verdict is Verdict.DIFFERENT:
            matches[f"{match.name} at {match.address}"] = match  # its place was taken
            continue
        if match.verdict is not Verdict.NEW and known is not None:
            if _is_same(match.facts, known.facts, index.shared):
                continue
            match = replace(match, verdict=Verdict.NEW, device=None, site=site, evidence=())
        if match.verdict is Verdict.NEW:
            if any(_is_twin(match, other, index.shared) for other in matches.values()):
                continue
            match = _renamed(match, taken)
            taken.add(match.name.casefold())
        matches[match.name] = match
    return list(matches.values())


def _shared_macs(finds: Iterable[Found]) -> frozenset[str]:
    """MAC addresses that several machines have: of makers' internal ports, of VRRP and HSRP."""
    owners: dict[str, set[str]] = {}
    for one in finds:
        facts = one.facts
        who = _serial_of(facts) or short_name(facts.name or "") or str(one.target.address)
        for mac in own_macs(facts):
            owners.setdefault(mac, set()).add(who)
    return frozenset(mac for mac, names in owners.items() if len(names) > 1)


def _serial_of(facts: Facts) -> str | None:
    """The serial number, if it can tell machines apart: not one character again and again."""
    serial = (facts.serial or "").casefold()
    return serial if len(set(serial)) > 1 else None


def _is_same(one: Facts, other: Facts, shared: frozenset[str]) -> bool:
    """Whether two answers are of one machine."""
    serials = _serial_of(one), _serial_of(other)
    if all(serials):
        return serials[0] == serials[1]
    macs = own_macs(one) - shared, own_macs(other) - shared
    if all(macs):
        return bool(macs[0] & macs[1])
    return one.name == other.name


class _Index:
    """The inventory by what a device says of itself."""

    def __init__(self, inventory: Inventory, shared: frozenset[str]) -> None:
        self.shared = shared
        devices = [d for d in inventory.devices.values() if not d.retired]
        self.devices = {d.name: d for d in devices}
        self.by_serial = {d.serial.casefold(): d for d in devices if d.serial}
        self.by_name = {short_name(d.name): d for d in devices}
        self.by_address = {(d.address, d.port): d for d in devices if d.address}
        self.by_mac = {
            i.mac: self.devices[i.device]
            for i in inventory.interfaces.values()
            if i.mac and not i.retired and i.device in self.devices and i.mac not in shared
        }


def _match(one: Found, index: _Index, site: str | None) -> Match:
    facts, target = one.facts, one.target
    clues = list(_clues(one, index))
    device, evidence = _decide(clues)
    at_place = index.devices.get(one.declared or "")
    verdict = Verdict.NEW if device is None else _verdict(device, at_place, clues, one)
    if device is None or verdict is Verdict.NEW:
        device, evidence, name = None, (), _name_of(one)
    else:
        name = device.name
    return Match(
        name=name,
        verdict=verdict,
        address=target.address or "",
        port=target.port,
        credential=target.credential,
        facts=facts,
        device=device.name if device else None,
        site=device.site if device and verdict is Verdict.KNOWN else site,
        evidence=evidence,
    )


@dataclass(frozen=True, slots=True)
class _Clue:
    kind: str
    value: str
    device: Device


def _clues(one: Found, index: _Index) -> Iterator[_Clue]:
    facts = one.facts
    if (serial := _serial_of(facts)) and (device := index.by_serial.get(serial)):
        yield _Clue("serial", str(facts.serial), device)
    for mac in sorted(own_macs(facts)):
        if device := index.by_mac.get(mac):
            yield _Clue("mac", mac, device)
    if facts.name and (device := index.by_name.get(short_name(facts.name))):
        yield _Clue("name", facts.name, device)
    place = (one.target.address, one.target.port)
    if device := index.by_address.get(place):  # type: ignore[arg-type]
        yield _Clue("address", str(one.target.address), device)


_STRENGTH = {"serial": 8, "mac": 4, "name": 2, "address": 1}


def _decide(clues: Sequence[_Clue]) -> tuple[Device | None, tuple[str, ...]]:
    """The device that most speaks for: a serial number more than all else together."""
    weights: Counter[str] = Counter()
    for kind, name in {(clue.kind, clue.device.name) for clue in clues}:
        weights[name] += _STRENGTH[kind]
    if not weights:
        return None, ()
    best = min(weights, key=lambda name: (-weights[name], name))
    device = next(clue.device for clue in clues if clue.device.name == best)
    return device, tuple(_evidence(c for c in clues if c.device.name == best))


def _evidence(clues: Iterable[_Clue]) -> Iterator[str]:
    by_kind: dict[str, list[str]] = {}
    for clue in clues:
        by_kind.setdefault(clue.kind, []).append(clue.value)
    for kind, values in by_kind.items():
        if kind == "mac" and len(values) > 1:
            yield f"{len(values)} MAC addresses"
        else:
            yield f"{'MAC address' if kind == 'mac' else kind} {values[0]}"


def _verdict(
    device: Device, at_place: Device | None, clues: Sequence[_Clue], one: Found
) -> Verdict:
    kinds = {clue.kind for clue in clues if clue.device.name == device.name}
    target, serial = one.target, _serial_of(one.facts)
    is_another = bool(serial and device.serial and serial != device.serial.casefold())
    if at_place is device or (device.address, device.port) == (target.address, target.port):
        points_elsewhere = any(clue.device.name != device.name for clue in clues)
        is_another = is_another or (kinds == {"address"} and points_elsewhere)
        return Verdict.DIFFERENT if is_another else Verdict.KNOWN
    if is_another:
        return Verdict.NEW  # it only calls itself alike
    return Verdict.MOVED if kinds & {"serial", "mac"} else Verdict.KNOWN


def _is_twin(match: Match, other: Match, shared: frozenset[str]) -> bool:
    """The same new machine at another of its addresses."""
    if other.verdict is not Verdict.NEW:
        return False
    serials = _serial_of(match.facts), _serial_of(other.facts)
    if all(serials):
        return serials[0] == serials[1]
    return bool((own_macs(match.facts) & own_macs(other.facts)) - shared)


_FORBIDDEN = re.compile(r"[^\w.+()-]+")


def _name_of(one: Found) -> str:
    """What it calls itself, in the characters of a device's name; else its address."""
    said = _FORBIDDEN.sub("-", short_name(one.facts.name or "")).strip("-.+()_")
    return said or str(one.target.address)


def _renamed(match: Match, taken: set[str]) -> Match:
    """With a name of its own: two machines may call themselves alike."""
    names = itertools.chain([match.name], (f"{match.name}-{n}" for n in itertools.count(2)))
    return replace(match, name=next(name for name in names if name.casefold() not in taken))


class LinkVerdict(StrEnum):
    """What a seen link is to the inventory."""

    DECLARED = "declared"
    NEW = "new"
    ELSEWHERE = "elsewhere"  # declared between these devices, at other ports


@dataclass(frozen=True, slots=True)
class LinkMatch:
    """A seen link and what it is to the inventory."""

    link: SeenLink
    verdict: LinkVerdict
    declared: str | None = None


def match_links(seen: Iterable[SeenLink], inventory: Inventory) -> list[LinkMatch]:
    """Which of the seen links are declared."""
    declared: dict[frozenset[str], list[Link]] = {}
    for link in inventory.links.values():
        if not link.retired:
            ends = (inventory.end(link.a), inventory.end(link.b))
            names = frozenset(end.device or "" for end in ends)
            declared.setdefault(names, []).append(link)
    return [_match_link(link, declared, inventory) for link in seen]


def _match_link(
    link: SeenLink, declared: Mapping[frozenset[str], list[Link]], inventory: Inventory
) -> LinkMatch:
    between = declared.get(frozenset((link.a.device, link.b.device)), [])
    ports = {end.device: end.interface for end in (link.a, link.b)}
    for other in between:
        if all(_is_at(ports, inventory, text) for text in (other.a, other.b)):
            return LinkMatch(link, LinkVerdict.DECLARED, other.key)
    if between:
        return LinkMatch(link, LinkVerdict.ELSEWHERE, between[0].key)
    return LinkMatch(link, LinkVerdict.NEW)


def _is_at(ports: Mapping[str, str | None], inventory: Inventory, text: str) -> bool:
    """Whether a declared end fits what was seen, as far as either names a port."""
    end = inventory.end(text)
    seen = ports.get(end.device or "")
    return end.interface is None or seen is None or port_key(end.interface) == port_key(seen)


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery:
    """All that was found."""

    devices: tuple[Match, ...]
    links: tuple[LinkMatch, ...]
    unmanaged: tuple[Unmanaged, ...]
    silent: tuple[str, ...]  # devices of the inventory that did not answer
    asked: int


def is_addable(match: LinkMatch, names: Iterable[str]) -> bool:
    """Whether a link may be proposed to the inventory: new, and both ends by name."""
    known = set(names)
    return (
        match.verdict is LinkVerdict.NEW
        and match.link.confidence is not Confidence.FORWARDING
        and all(_is_named(end, known) for end in (match.link.a, match.link.b))
    )


def _is_named(end: SeenEnd, names: set[str]) -> bool:
    return end.is_known and end.device in names
