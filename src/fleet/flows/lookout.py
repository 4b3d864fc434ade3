"""Whether devices answer, before and after a wave: the ones that are changed and those around."""

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.core.facts import SYS_UP_TIME
from fleet.core.inventory import Device
from fleet.core.topology import Network
from fleet.core.walk import Answer, Outcome
from fleet.flows.probe import target_of

if TYPE_CHECKING:
    from fleet.ansible.devices import Devices
    from fleet.snmp.engine import SnmpEngine

TCP, SNMP = "tcp", "snmp"
Tick = Callable[[], None]
Answers = Mapping[str, frozenset[str]]
LOOK_S = 0.7  # for one look
DARK_S = 1.5  # who does not answer for so long is dark, and did not only restart
_PAUSE_S = 0.3
_AGAIN = 3  # times that a silent device is asked before it is left out


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookout:
    """Looks at devices over TCP and SNMP.

    Args:
        snmp: None: over TCP alone.
    """

    network: Network
    devices: "Devices"
    snmp: "SnmpEngine | None"

    def around(self, wave: Sequence[str]) -> set[str]:
        """The neighbours of a wave, and the edge devices of sites whose way leads through it."""
        network = self.network
        mine = {v for name in wave if (v := network.device(name)) is not None}
        found: set[int] = set()
        for vertex in mine:
            for near in network.near[vertex]:
                is_link = network.names[near][0] == "link"
                found.update(network.near[near] if is_link else (near,))
        behind = {v for v in mine if not network.is_leaf[v]}
        if behind:
            reached = network.reached(behind)
            for entries in network.entries.values():
                for entry in entries:
                    if not reached[entry] or self._passes(entry, behind):
                        found.add(entry)
        names = {network.names[v][1] for v in found - mine if network.names[v][0] == "device"}
        return {n for n in names if network.inventory.devices[n].is_polled}

    def _passes(self, vertex: int, through: Collection[int]) -> bool:
        """Whether the best way from a vertex to the controller leads through some others."""
        towards = self.network.towards_root
        while vertex in towards:
            vertex = towards[vertex]
            if vertex in through:
                return True
        return False

    def look(self, names: Collection[str]) -> dict[str, frozenset[str]]:
        """Per device, over what it answers now."""
        inventory = self.network.inventory
        devices = [inventory.devices[name] for name in sorted(names)]
        found: dict[str, set[str]] = {name: set() for name in names}
        with ThreadPoolExecutor(1) as beside:  # who is silent is waited for once, not twice
            asked = beside.submit(self._ask, devices)
            for name in self.devices.knock(devices, LOOK_S):
                found[name].add(TCP)
            for name in asked.result():
                found[name].add(SNMP)
        return {name: frozenset(ways) for name, ways in found.items()}

    def look_before(self, wave: Collection[str]) -> dict[str, frozenset[str]]:
        """Over what a wave and those around it answer before a change.

        Who of the wave does not is asked again: one lost packet says nothing.
        """
        found = self.look({*wave, *self.around(list(wave))})
        for _ in range(_AGAIN):
            silent = [name for name in wave if TCP not in found[name]]
            if not silent:
                break
            time.sleep(_PAUSE_S)
            found |= {name: ways | found[name] for name, ways in self.look(silent).items()}
        return found

    def _ask(self, devices: Sequence[Device]) -> set[str]:
        if self.snmp is None or not devices:
            return set()
        from fleet.snmp.engine import Question

        answered: set[str] = set()

        def hear(outcome: Outcome) -> None:
            if isinstance(outcome, Answer):
                answered.add(outcome.target)

        asked = [d for d in devices if d.address is not None]
        self.snmp.ask([Question(target=target_of(d), scalars=(SYS_UP_TIME,)) for d in asked], hear)
        return answered

    def watch(self, before: Answers, seconds: float, tick: Tick) -> set[str]:
        """Look for some time; the devices that went dark, as soon as that is certain.

        Args:
            before: over what each answered before; only that is expected.
            tick: is called between two looks.
        """
        watched = {name: ways for name, ways in before.items() if ways}
        if not watched:
            return set()
        start = time.monotonic()
        silent_since: dict[str, float] = {}
        while True:
            begun = time.monotonic()
            now = self.look(watched)
            ended = time.monotonic()
            for name, ways in watched.items():
                if ways <= now[name]:
                    silent_since.pop(name, None)
                else:
                    silent_since.setdefault(name, begun)
            dark = {name for name, since in silent_since.items() if ended - since >= DARK_S}
            if dark or (not silent_since and ended - start >= seconds):
                return dark
            tick()
            time.sleep(max(_PAUSE_S, ended - begun - LOOK_S))

    def wait(self, before: Answers, names: Collection[str], seconds: float, tick: Tick) -> set[str]:
        """Wait until devices answer as before; those that still do not after so long."""
        deadline = time.monotonic() + seconds
        dark = set(names)
        while dark:
            now = self.look(dark)
            dark = {name for name in dark if not before[name] <= now[name]}
            if time.monotonic() > deadline:
                break
            if dark:
                tick()
                time.sleep(_PAUSE_S)
        return dark
