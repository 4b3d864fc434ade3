"""How far the inventory may be trusted: what it says of its devices, and what it does not.

Principles: NSM's grunnprinsipper for IKT-sikkerhet, those that an inventory can answer.
"""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from fractions import Fraction

from fleet.core.facts.neighbours import Neighbour
from fleet.core.facts.read import Facts
from fleet.core.inventory import Device, Inventory
from fleet.core.lookup import to_mac
from fleet.core.replacement import Model, due


class Principle(StrEnum):
    """A principle of NSM, by its number."""

    KNOWN = "1.2"  # kartlegg enheter og programvare
    CONFIGURATION = "2.3"  # ivareta en sikker konfigurasjon
    CHANGES = "2.10"  # integrer sikkerhet i prosess for endringshåndtering
    LOGGING = "3.2"  # etabler sikkerhetsovervåkning


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """Of how many devices something holds.

    Args:
        missing: the devices, or what else it is counted in, of which it does not hold.
        all: of how many.
    """

    principle: Principle
    name: str
    all: int
    missing: tuple[str, ...]

    @property
    def share(self) -> Fraction | None:
        """The part of which it holds; None of nothing."""
        return Fraction(self.all - len(self.missing), self.all) if self.all else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What is known beside the inventory.

    Args:
        seen: devices that answered at some time.
        facts: what devices said of themselves.
        models: when they have to be replaced.
        ruled: devices to which a baseline was rolled out.
        differing: devices that differ from one, by the last look.
        decided: device → whether members had said yes to the last change on it.
        logging: devices to which the baseline for logs was rolled out.
    """

    seen: Collection[str]
    facts: Mapping[str, Facts]
    models: Mapping[str, Model]
    ruled: Collection[str]
    differing: Collection[str]
    decided: Mapping[str, bool]
    logging: Collection[str]


def measures(inventory: Inventory, devices: Iterable[Device], known: Known) -> list[Measure]:
    """How complete is what is known of devices in use, by principle."""
    every = sorted((d for d in devices if d.is_polled), key=lambda d: d.name)

    def count(principle: Principle, name: str, holds: Callable[[Device], object]) -> Measure:
        missing = tuple(d.name for d in every if not holds(d))
        return Measure(principle=principle, name=name, all=len(every), missing=missing)

    def of(principle: Principle, name: str, all_: Collection[str], bad: Collection[str]) -> Measure:
        mine = {d.name for d in every} & set(all_)
        return Measure(
            principle=principle,
            name=name,
            all=len(mine),
            missing=tuple(sorted(mine & set(bad))),
        )

    models = known.models
    strangers = unknown_neighbours(inventory, {d.name: known.facts.get(d.name) for d in every})
    heard = sum(len(f.neighbours) for d in every if (f := known.facts.get(d.name)))
    undecided = [name for name, was in known.decided.items() if not was]
    return [
        count(Principle.KNOWN, "answered", lambda d: d.name in known.seen),
        count(Principle.KNOWN, "serial", lambda d: d.serial),
        count(Principle.KNOWN, "model", lambda d: d.vendor and d.model),
        count(Principle.KNOWN, "software_version", lambda d: _version(known.facts.get(d.name))),
        count(Principle.KNOWN, "owner", inventory.owner_of),
        count(Principle.KNOWN, "room", lambda d: d.room),
        count(Principle.KNOWN, "contract", lambda d: d.contract),
        count(Principle.KNOWN, "end_of_life", lambda d: due(d, models.get(d.model or ""))),
        Measure(principle=Principle.KNOWN, name="known_neighbours", all=heard, missing=strangers),
        count(Principle.CONFIGURATION, "baseline", lambda d: d.name in known.ruled),
        of(Principle.CONFIGURATION, "as_baseline", known.ruled, known.differing),
        of(Principle.CHANGES, "decided", known.decided, undecided),
        count(Principle.LOGGING, "logs_sent", lambda d: d.name in known.logging),
    ]


def _version(facts: Facts | None) -> str | None:
    return facts.os_version if facts else None


def unknown_neighbours(inventory: Inventory, facts: Mapping[str, Facts | None]) -> tuple[str, ...]:
    """What devices hear at their ports and the inventory does not have."""
    names = {_short(name) for name in inventory.devices}
    macs = {i.mac for i in inventory.interfaces.values() if i.mac}
    for said in facts.values():
        if said is not None:
            names |= {_short(said.name or "")}
            macs |= {mac for mac in (said.chassis_id, said.bridge_mac) if mac}
    addresses = {d.address for d in inventory.devices.values() if d.address}
    found = {
        f"{device} : {n.local_interface}: {n.remote_name or n.remote_chassis_id}"
        for device, said in facts.items()
        for n in (said.neighbours if said else ())
        if not _is_known(n, names, macs, addresses)
    }
    return tuple(sorted(found))


def _is_known(
    one: Neighbour, names: Collection[str], macs: Collection[str], addresses: Collection[str]
) -> bool:
    if one.remote_name and _short(one.remote_name) in names:
        return True
    mac = to_mac(one.remote_chassis_id or "")
    return mac in macs or one.remote_address in addresses


def _short(name: str) -> str:
    """A name without its domain, as neighbours may say it with or without."""
    return name.partition(".")[0].casefold()


def ages(devices: Iterable[Device], this_year: int) -> dict[str, list[Device]]:
    """Devices in use by how long they have been: under 3 years, 3 to 5, over, or unknown."""
    found: dict[str, list[Device]] = {name: [] for name in ("0-2", "3-5", "6+", "unknown")}
    for device in devices:
        if not device.is_polled:
            continue
        if device.commissioned is None:
            found["unknown"].append(device)
            continue
        age = this_year - device.commissioned.year
        found["0-2" if age < 3 else "3-5" if age < 6 else "6+"].append(device)
    return found
