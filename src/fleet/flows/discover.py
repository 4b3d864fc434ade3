"""Finding devices and links: ask who is there, hear whom they hear, match with the inventory."""

import ipaddress
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from fleet.core.discovery import Discovery, Found, Match, Verdict, match_devices, match_links
from fleet.core.facts import Facts
from fleet.core.inventory import Device, Inventory
from fleet.core.links import Known, find_links, find_unmanaged
from fleet.core.walk import Answer, Outcome, Target
from fleet.errors import Malformed, TooMany
from fleet.flows.probe import full_question, read_answer, target_of

if TYPE_CHECKING:
    from fleet.snmp.engine import SnmpEngine

_MOST_ADDRESSES = 65_536
_MOST_HOPS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """Where to look.

    Args:
        networks: whose addresses are all asked; what hears and is heard is followed inside them.
        devices: of the inventory, which are asked first.
        site: where new devices are taken to be.
        credential: for addresses that nobody knows.
        port: likewise.
    """

    networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...] = ()
    devices: tuple[Device, ...] = ()
    site: str | None = None
    credential: str = "default"
    port: int = 161
    _asked: set[tuple[str, int]] = field(default_factory=set)

    def first(self) -> list[Target]:
        """Known devices, then all addresses of the networks."""
        targets = [target_of(device) for device in self.devices if device.address]
        self._asked.update((target.address or "", target.port) for target in targets)
        return targets + self._fresh(str(a) for net in self.networks for a in net.hosts())

    def follow(self, facts: Iterable[Facts]) -> list[Target]:
        """Neighbours that were heard of, have an address, and were not asked yet."""
        heard = {n.remote_address for found in facts for n in found.neighbours if n.remote_address}
        return self._fresh(sorted(a for a in heard if self._is_inside(a)))

    def _is_inside(self, address: str) -> bool:
        """Without a network to stay in, what the site's own devices hear is near enough."""
        ip = ipaddress.ip_address(address)
        return not self.networks or any(ip in network for network in self.networks)

    def _fresh(self, addresses: Iterable[str]) -> list[Target]:
        found = []
        for address in addresses:
            if (address, self.port) not in self._asked:
                self._asked.add((address, self.port))
                found.append(
                    Target(
                        name=f"{address}:{self.port}",
                        address=address,
                        port=self.port,
                        credential=self.credential,
                    )
                )
        return found


def parse_network(text: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network:
    """A CIDR.

    Raises:
        Malformed: it is none.
        TooMany: it has more addresses than anybody sweeps.
    """
    try:
        network = ipaddress.ip_network(text, strict=False)
    except ValueError as error:
        raise Malformed(f"`{text}` is no network", hint="such as 10.15.5.0/24") from error
    if network.num_addresses > _MOST_ADDRESSES:
        raise TooMany(
            f"{text} has {network.num_addresses} addresses", hint="a /16 at most; name parts of it"
        )
    return network


def discover(
    snmp: "SnmpEngine",
    search: Search,
    inventory: Inventory,
    *,
    rate: int,
    progress: Callable[[Outcome], None],
) -> Discovery:
    """Ask, follow, and match; changes nothing.

    Args:
        rate: how many devices are asked in a second, at most.
        progress: hears every outcome as it comes.
    """
    answers: list[Found] = []
    silent: list[str] = []
    asked = 0
    declared = {device.name for device in search.devices}
    targets = search.first()
    for _ in range(_MOST_HOPS):
        if not targets:
            break
        asked += len(targets)
        fresh: list[Found] = []
        for outcome, target in _ask(snmp, targets, rate, progress):
            known = target.name if target.name in declared else None
            if isinstance(outcome, Answer):
                fresh.append(Found(target=target, facts=read_answer(outcome), declared=known))
            elif known:
                silent.append(known)
        answers += fresh
        targets = search.follow(_near(fresh, search, inventory))
    matches = match_devices(answers, inventory, search.site)
    return _look(matches, inventory, silent, asked)


def _near(fresh: Sequence[Found], search: Search, inventory: Inventory) -> list[Facts]:
    """Whose neighbours are of interest: nobody's beyond a known device of elsewhere."""
    if search.networks:
        return [found.facts for found in fresh]
    sites = {device.site for device in search.devices}
    followed = match_devices((f for f in fresh if f.declared is None), inventory, None)
    near = [found.facts for found in fresh if found.declared is not None]
    near += [m.facts for m in followed if m.device is None or _site(m, inventory) in sites]
    return near


def _site(match: Match, inventory: Inventory) -> str:
    return inventory.devices[match.device or ""].site


def _ask(
    snmp: "SnmpEngine",
    targets: Sequence[Target],
    rate: int,
    progress: Callable[[Outcome], None],
) -> list[tuple[Outcome, Target]]:
    heard: dict[str, Outcome] = {}

    def hear(outcome: Outcome) -> None:
        heard[outcome.target] = outcome
        progress(outcome)

    questions = [full_question(target) for target in targets]
    snmp.ask(questions, hear, spread_s=len(targets) / rate)
    return [(heard[target.name], target) for target in targets]


def _look(
    matches: list[Match], inventory: Inventory, silent: Sequence[str], asked: int
) -> Discovery:
    facts = {match.name: match.facts for match in matches if match.verdict is not Verdict.DIFFERENT}
    known = Known(facts, _names_of(inventory))
    links = find_links(facts, known)
    return Discovery(
        devices=tuple(matches),
        links=tuple(match_links(links, inventory)),
        unmanaged=tuple(find_unmanaged(facts, links, known)),
        silent=tuple(sorted(silent)),
        asked=asked,
    )


def _names_of(inventory: Inventory) -> Mapping[str, list[str]]:
    """What else the devices of the inventory are known by."""
    found = {
        d.name: [d.address] if d.address else []
        for d in inventory.devices.values()
        if not d.retired
    }
    for interface in inventory.interfaces.values():
        if interface.mac and not interface.retired and interface.device in found:
            found[interface.device].append(interface.mac)
    return found
