"""Links that the network itself tells of: from LLDP and CDP, and from forwarding tables.

A link that both ends tell of is certain. One end alone is marked: the other may not speak the
protocol, or may not have been asked. For what speaks neither, the forwarding tables say at which
port it hangs: the port behind which nothing else was seen.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fleet.core.facts import Facts, short_name
from fleet.core.facts.neighbours import Neighbour
from fleet.core.ports import port_key


class Confidence(StrEnum):
    """What a link rests on, from the best evidence to the least."""

    BOTH_ENDS = "both ends"
    ONE_END = "one end"
    FORWARDING = "forwarding table"


@dataclass(frozen=True, slots=True, order=True)
class SeenEnd:
    """One end of a link.

    Args:
        device: its name, or what it calls itself if nobody knows it.
        interface: None: not known.
        is_known: whether the device was asked, or is in the inventory.
    """

    device: str
    interface: str | None = None
    is_known: bool = True

    def __str__(self) -> str:
        return f"{self.device} : {self.interface}" if self.interface else self.device


@dataclass(frozen=True, slots=True)
class SeenLink:
    """A link with what it rests on."""

    a: SeenEnd
    b: SeenEnd
    confidence: Confidence
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Unmanaged:
    """Something that was only seen in forwarding tables, and the port behind which it hangs."""

    mac: str
    device: str
    interface: str
    vlan: int | None = None
    addresses: tuple[str, ...] = ()  # that somebody's ARP table knows it by


class Known:
    """Who is who: devices by their names, addresses and MAC addresses.

    Args:
        facts: of the devices that were asked, by their names.
        names: of further devices, with their addresses and MAC addresses.
    """

    def __init__(
        self, facts: Mapping[str, Facts], names: Mapping[str, Iterable[str]] | None = None
    ) -> None:
        self._by: dict[str, str] = {}
        for name, others in (names or {}).items():
            for other in (short_name(name), *others):
                self._by.setdefault(other.casefold(), name)
        self._facts = facts
        owners: dict[str, set[str]] = defaultdict(set)
        for name, found in facts.items():
            for key in {short_name(name), *map(str.casefold, _keys_of(found))}:
                owners[key].add(name)
        for key, names_ in owners.items():
            if len(names_) == 1:
                (self._by[key],) = names_
            else:
                self._by.pop(key, None)  # what two have says of neither

    def find(self, *keys: str | None) -> str | None:
        """The device that one of these keys belongs to, tried in their order."""
        return next((self._by[k.casefold()] for k in keys if k and k.casefold() in self._by), None)

    def of(self, neighbour: Neighbour) -> str | None:
        """The device that a neighbour is."""
        name = neighbour.remote_name
        sure = self.find(neighbour.remote_chassis_id, neighbour.remote_port_id)
        if sure is not None:
            return sure
        short = short_name(name) if name else None
        likely = self.find(name, short, _without_serial(name), neighbour.remote_address)
        return None if likely is not None and self._contradicts(likely, neighbour) else likely

    def _contradicts(self, name: str, neighbour: Neighbour) -> bool:
        """Whether the device of that name calls its chassis otherwise."""
        found = self._facts.get(name)
        own = found.chassis_id if found else None
        said = neighbour.remote_chassis_id
        return bool(own and said and own.casefold() != said.casefold())


def _without_serial(name: str | None) -> str | None:
    """NX-OS says `name(SERIAL)` to its neighbours by CDP."""
    return short_name(name.partition("(")[0]) if name and name.endswith(")") else None


def _keys_of(facts: Facts) -> Iterator[str]:
    if facts.name:
        yield facts.name
        yield short_name(facts.name)
    yield from own_macs(facts)
    if facts.chassis_id:
        yield facts.chassis_id
    for address in facts.addresses:
        plain = address.address.partition("/")[0]
        if not plain.startswith("127.") and plain != "::1":
            yield plain


def own_macs(facts: Facts) -> frozenset[str]:
    """The MAC addresses that belong to a device."""
    macs = {i.mac for i in facts.interfaces} | {facts.bridge_mac}
    macs |= {f.mac for f in facts.forwarding if f.is_own}
    return frozenset(mac for mac in macs if mac and mac != "00:00:00:00:00:00")


def find_links(facts: Mapping[str, Facts], known: Known) -> list[SeenLink]:
    """The links between these devices and to those that they hear.

    Args:
        facts: of the devices that were asked, by name.
        known: who is who.
    """
    heard = find_heard(facts, known)
    linked = {end.device for link in heard for end in (link.a, link.b)}
    return sorted([*heard, *_from_forwarding(facts, heard, linked)], key=lambda s: (s.a, s.b))


def find_heard(facts: Mapping[str, Facts], known: Known) -> list[SeenLink]:
    """The links that neighbours tell of by LLDP and CDP."""
    return _merge(_heard(facts, known))


@dataclass(frozen=True, slots=True)
class _Heard:
    """One end's word on a link."""

    near: SeenEnd
    far: SeenEnd
    protocol: str


def _heard(facts: Mapping[str, Facts], known: Known) -> Iterator[_Heard]:
    for device, found in sorted(facts.items()):
        for neighbour in found.neighbours:
            other = known.of(neighbour)
            if other == device:
                continue  # its own frames came back
            label = neighbour.remote_name or neighbour.remote_chassis_id
            label = label or neighbour.remote_address
            if other is None and label is None:
                continue
            port = _port_of(facts.get(other or ""), neighbour)
            far = SeenEnd(other or label or "", port, is_known=other is not None)
            yield _Heard(SeenEnd(device, neighbour.local_interface), far, neighbour.protocol)


def _port_of(facts: Facts | None, neighbour: Neighbour) -> str | None:
    """The far port as the far device itself calls it."""
    said = [p for p in (neighbour.remote_interface, neighbour.remote_port_id) if p]
    if facts is None or not facts.interfaces:
        return said[0] if said else None
    for text in said:
        for port in facts.interfaces:
            if port_key(text) in (port_key(port.name), port_key(port.description or port.name)):
                return port.name
    for text in said:
        owners = {p.name for p in facts.interfaces if text in (p.mac, p.alias, str(p.index))}
        if len(owners) == 1:
            return owners.pop()
    # A description that no port has is no port's name; a port id may be one that SNMP lacks.
    is_id = neighbour.remote_interface == neighbour.remote_port_id
    return said[0] if said and is_id else None


def _merge(words: Iterable[_Heard]) -> list[SeenLink]:
    """Both ends' words on one link become one, and so do those of two protocols."""
    waiting: dict[tuple[str, str], list[_Heard]] = defaultdict(list)  # by near and far device
    links: dict[frozenset[tuple[str, str]], SeenLink] = {}

    def add(word: _Heard, *others: _Heard) -> None:
        key = frozenset((_key(word.near), _key(others[0].near if others else word.far)))
        confidence = Confidence.BOTH_ENDS if others else Confidence.ONE_END
        a, b = sorted((word.near, others[0].near if others else word.far))
        evidence = {_evidence(w) for w in (word, *others)}
        if (same := links.get(key)) is not None:
            evidence |= set(same.evidence)
            confidence = same.confidence
        links[key] = SeenLink(a, b, confidence, tuple(sorted(evidence)))

    for word in dict.fromkeys(words):
        mirrors = waiting[word.far.device, word.near.device]
        mirror = next((other for other in mirrors if _fits(other, word)), None)
        if mirror is None:
            waiting[word.near.device, word.far.device].append(word)
        else:
            mirrors.remove(mirror)
            add(word, mirror)
    for rest in waiting.values():
        for word in rest:
            add(word)
    return list(links.values())


def _fits(one: _Heard, other: _Heard) -> bool:
    """Whether each names the other's port, as far as it names any."""
    return _agree(one.far.interface, other.near.interface) and _agree(
        other.far.interface, one.near.interface
    )


def _agree(said: str | None, own: str | None) -> bool:
    return said is None or own is None or port_key(said) == port_key(own)


def _key(end: SeenEnd) -> tuple[str, str]:
    return end.device, port_key(end.interface or "")


def _evidence(word: _Heard) -> str:
    return f"{word.near} hears {word.far} by {word.protocol.upper()}"


def _from_forwarding(
    facts: Mapping[str, Facts], heard: Sequence[SeenLink], linked: set[str]
) -> Iterator[SeenLink]:
    """Where those hang that no neighbour tells of."""
    ports = _Behind(facts, heard)
    for device, found in sorted(facts.items()):
        if device in linked:
            continue
        macs = own_macs(found)
        place = ports.alone(macs)
        if place is not None:
            switch, port = place
            near = _port_with(found, ports.at[place])
            evidence = f"{switch} : {port} has {', '.join(sorted(ports.at[place] & macs))} alone"
            a, b = sorted((SeenEnd(switch, port), SeenEnd(device, near)))
            yield SeenLink(a, b, Confidence.FORWARDING, (evidence,))


def _port_with(facts: Facts, macs: Iterable[str]) -> str | None:
    wanted = set(macs)
    owners = {port.name for port in facts.interfaces if port.mac in wanted}
    return owners.pop() if len(owners) == 1 else None


Place = tuple[str, str]  # a switch and its port


class _Behind:
    """What was seen behind the ports of all switches; ports to other switches are left out."""

    def __init__(self, facts: Mapping[str, Facts], heard: Sequence[SeenLink]) -> None:
        between = {_key(end) for link in heard for end in (link.a, link.b)}
        self.at: dict[Place, set[str]] = defaultdict(set)
        self.vlans: dict[tuple[Place, str], int | None] = {}
        for switch, found in facts.items():
            names = {port.index: port.name for port in found.interfaces}
            for entry in found.forwarding:
                port = names.get(entry.interface_index or 0)
                if port is None or entry.is_own or (switch, port_key(port)) in between:
                    continue
                self.at[switch, port].add(entry.mac)
                self.vlans[(switch, port), entry.mac] = entry.vlan

    def alone(self, macs: frozenset[str]) -> Place | None:
        """The only port behind which these, and nothing else, were seen."""
        places = [place for place, seen in self.at.items() if seen and seen <= macs]
        return places[0] if len(places) == 1 else None


def find_unmanaged(
    facts: Mapping[str, Facts], heard: Sequence[SeenLink], known: Known
) -> list[Unmanaged]:
    """What nobody knows, at the port behind which the fewest others were seen."""
    ports = _Behind(facts, heard)
    addresses: dict[str, set[str]] = defaultdict(set)
    for found in facts.values():
        for entry in found.arp:
            addresses[entry.mac].add(entry.address)
    best: dict[str, Place] = {}
    for place, seen in sorted(ports.at.items()):
        for mac in seen:
            if known.find(mac) is not None:
                continue
            if mac not in best or len(seen) < len(ports.at[best[mac]]):
                best[mac] = place
    return [
        Unmanaged(mac, *place, ports.vlans[place, mac], tuple(sorted(addresses[mac])))
        for mac, place in sorted(best.items(), key=lambda item: (item[1], item[0]))
    ]
