"""What was found in the network, matched with the inventory: proposals, never changes.

A found device is recognised by several identifiers, the surest first: serial number, MAC
addresses, name, address. One that is known by its serial number and answers elsewhere has moved;
one that nothing matches is new.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
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
    index = _Index(inventory)
    matches: dict[str, Match] = {}
    taken = {short_name(name) for name in inventory.devices}
    for one in sorted(found, key=lambda f: f.declared is None):
        match = _match(one, index, site)
        if match.verdict is Verdict.NEW:
            twin = _twin(match, matches.values())
            if twin is not None:
                continue
            match = _renamed(match, taken)
            taken.add(match.name)
        elif match.name in matches:
            continue
        matches[match.name] = match
    return list(matches.values())


class _Index:
    """The inventory by what a device says of itself."""

    def __init__(self, inventory: Inventory) -> None:
        devices = [d for d in inventory.devices.values() if not d.retired]
        self.devices = {d.name: d for d in devices}
        self.by_serial = {d.serial.casefold(): d for d in devices if d.serial}
        self.by_name = {short_name(d.name): d for d in devices}
        self.by_address = {(d.address, d.port): d for d in devices if d.address}
        self.by_mac = {
            i.mac: self.devices[i.device]
            for i in inventory.interfaces.values()
            if i.mac and not i.retired and i.device in self.devices
        }


def _match(one: Found, index: _Index, site: str | None) -> Match:
    facts, target = one.facts, one.target
    clues = list(_clues(one, index))
    device, evidence = _decide(clues)
    at_place = index.devices.get(one.declared or "")
    if device is None:
        verdict = Verdict.NEW
        name = _name_of(one)
    else:
        name = device.name
        verdict = _verdict(device, at_place, clues, one)
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
    if facts.serial and (device := index.by_serial.get(facts.serial.casefold())):
        yield _Clue("serial", facts.serial, device)
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
        yield f"{kind} {values[0]}" if len(values) == 1 else f"{len(values)} {kind} addresses"


def _verdict(
    device: Device, at_place: Device | None, clues: Sequence[_Clue], one: Found
) -> Verdict:
    kinds = {clue.kind for clue in clues if clue.device.name == device.name}
    target, serial = one.target, one.facts.serial
    if at_place is device or (device.address, device.port) == (target.address, target.port):
        is_another = any(clue.device.name != device.name for clue in clues)
        if serial and device.serial and serial.casefold() != device.serial.casefold():
            return Verdict.DIFFERENT
        return Verdict.DIFFERENT if kinds == {"address"} and is_another else Verdict.KNOWN
    return Verdict.MOVED if kinds & {"serial", "mac"} else Verdict.KNOWN


def _twin(match: Match, others: Iterable[Match]) -> Match | None:
    """The same new machine at another of its addresses."""
    macs = own_macs(match.facts)
    for other in others:
        if other.verdict is not Verdict.NEW:
            continue
        same_serial = match.facts.serial and match.facts.serial == other.facts.serial
        if same_serial or macs & own_macs(other.facts):
            return other
    return None


def _name_of(one: Found) -> str:
    return short_name(one.facts.name or "") or str(one.target.address)


def _renamed(match: Match, taken: set[str]) -> Match:
    """With a name of its own: two machines may call themselves alike."""
    name, number = match.name, 2
    while short_name(name) in taken:
        name, number = f"{match.name}-{number}", number + 1
    if name == match.name:
        return match
    values = {field: getattr(match, field) for field in match.__dataclass_fields__}
    return Match(**{**values, "name": name})


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
