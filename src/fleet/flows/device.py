"""Machines that are swapped, moved or taken away: what that changes in people's files.

A device of the inventory is a place with a machine in it. Name, address, role, links, room and
configuration belong to the place; serial number, asset tag, model, warranty and contract go with
the machine.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from fleet.core.inventory import Device, DeviceStatus, Inventory
from fleet.core.record import Record, to_record
from fleet.errors import Duplicate, Malformed, NotFound, NotPermitted
from fleet.flows.export import Export
from fleet.sources.edit import Edit

MACHINE = ("vendor", "model", "serial", "asset_tag", "warranty_until", "contract", "commissioned")
SPARE = frozenset({DeviceStatus.PLANNED, DeviceStatus.STAGED, DeviceStatus.INVENTORY})


@dataclass(frozen=True, slots=True, kw_only=True)
class NewMachine:
    """What is said of a machine that comes; None: as the spare has it, or the machine before."""

    serial: str
    vendor: str | None = None
    model: str | None = None
    asset_tag: str | None = None
    warranty_until: date | None = None
    contract: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be written, and what a person has to know of it."""

    export: Export
    notes: tuple[str, ...] = ()


def plan_swap(declared: Inventory, name: str, new: NewMachine, day: date, *, keep: bool) -> Plan:
    """Another machine comes into the place of one.

    A spare one of the inventory changes places with it; else the old machine gets an entry of its
    own, named after its serial number.

    Args:
        keep: the old machine is a spare one from now on; else it is taken away.

    Raises:
        NotFound: there is no such device, or no such contract.
        NotPermitted: the new machine stands somewhere else, in use.
        Malformed: it is the same machine.
        Duplicate: its asset tag is another one's.
    """
    device = _known(declared, name)
    new = replace(new, serial=new.serial.strip())
    if not new.serial:
        raise Malformed("the new machine has no serial number")
    if _same(device.serial, new.serial):
        raise Malformed(f"{name} has the serial number {new.serial} already")
    if new.contract is not None and new.contract not in declared.contracts:
        raise NotFound(f"there is no contract `{new.contract}`", hint="fleet list contracts")
    spare = _spare(declared, new.serial)
    _check_tag(declared, new.asset_tag, {name, *({spare.name} if spare else ())})
    comes = _coming(device, spare, new, day)
    goes = {field: _value(device, field) for field in MACHINE}
    ports = {
        port.name: {"mac": None}
        for port in declared.interfaces_by_device.get(name, ())
        if port.mac is not None
    }
    place = (declared.member_of(device) or "", "devices")
    edits = {place: [Edit(key=(name,), fields=_changed(device, comes), ports=ports)]}
    entries: dict[tuple[str, str], list[Record]] = {}
    after = _leaving(goes, day, keep=keep)
    left = spare or _taken_before(declared, device)
    if left is not None:
        there = (declared.member_of(left) or "", "devices")
        edits.setdefault(there, []).append(Edit(key=(left.name,), fields=_changed(left, after)))
    elif device.serial is not None:
        entry = {"name": _own_name(device), "site": device.site, "role": device.role}
        if entry["name"] in declared.devices:
            raise Duplicate(f"there is a device `{entry['name']}` already", hint="give it a name")
        entries[place] = [entry | {k: v for k, v in after.items() if v is not None}]
    notes = [
        f"{name} keeps its name, address, role, links and configuration",
        *(
            [f"{len(ports)} MAC addresses are taken out; a poll finds the new ones"]
            if ports
            else ()
        ),
    ]
    return Plan(export=Export(edits=edits, entries=entries), notes=tuple(notes))


def plan_move(
    declared: Inventory, name: str, site: str, *, room: str | None, rack: str | None
) -> Plan:
    """A machine goes to another site, with its name and address.

    Raises:
        NotFound: there is no such device or site.
        Malformed: it stands there already.
        NotPermitted: the site is another member's.
    """
    device = _known(declared, name)
    there = declared.sites.get(site)
    if there is None or there.retired:
        raise NotFound(f"there is no site `{site}`", hint=f"try: fleet find {site}")
    here = declared.member_of(device)
    if there.member != here:
        raise NotPermitted(
            f"{site} is a site of {there.member}, and {name} belongs to {here}",
            hint=f"take its entry from inventory/{here}/devices.yaml to "
            f"inventory/{there.member}/devices.yaml, with another site, and then: fleet sync",
        )
    wanted: Record = {"site": site, "room": room, "rack": rack}
    if site == device.site:  # another room of it: what is not said stays
        wanted = {name: value for name, value in wanted.items() if value is not None}
    fields = _changed(device, wanted)
    if not fields:
        raise Malformed(f"{name} stands there already")
    links = [link.key for link in declared.links.values() if name in _ends(link.a, link.b)]
    notes = [f"its links stay declared, mend them if its cables moved: {', '.join(links)}"]
    edits = {(here or "", "devices"): [Edit(key=(name,), fields=fields)]}
    return Plan(export=Export(edits=edits, entries={}), notes=tuple(notes) if links else ())


def plan_retire(declared: Inventory, name: str, day: date) -> Plan:
    """A machine is taken away; it stays in the history, and in reports on the time before.

    Raises:
        NotFound: there is no such device.
        Malformed: it was taken away already.
    """
    device = _known(declared, name)
    fields: Record = {"status": DeviceStatus.RETIRED.value, "decommissioned": day.isoformat()}
    if _value(device, "commissioned") == fields["decommissioned"]:
        fields["commissioned"] = None  # it came and went on one day
    links = [link.key for link in declared.links.values() if name in _ends(link.a, link.b)]
    fed = [d.name for d in declared.devices.values() if d.fed_by == name]
    notes = [
        *(
            [f"links that lead to it; take them out if they are gone too: {', '.join(links)}"]
            if links
            else ()
        ),
        *([f"it feeds {', '.join(fed)}: mend their `fed_by`"] if fed else ()),
    ]
    edits = {(declared.member_of(device) or "", "devices"): [Edit(key=(name,), fields=fields)]}
    return Plan(export=Export(edits=edits, entries={}), notes=tuple(notes))


def _ends(a: str, b: str) -> tuple[str, str]:
    return a.partition(" : ")[0], b.partition(" : ")[0]


def _known(declared: Inventory, name: str) -> Device:
    device = declared.devices.get(name)
    if device is None:
        raise NotFound(f"the files declare no device `{name}`", hint=f"try: fleet find {name}")
    if device.retired:
        raise Malformed(f"{name} was taken away already")
    return device


def _spare(declared: Inventory, serial: str) -> Device | None:
    """The entry of the machine that comes, if it lies somewhere.

    Raises:
        NotPermitted: it is in use.
    """
    found = [d for d in declared.devices.values() if _same(d.serial, serial) and not d.retired]
    if not found:
        return None
    device = found[0]
    if device.status not in SPARE:
        raise NotPermitted(
            f"{serial} is {device.name} at {device.site}, which is {device.status.value}",
            hint=f"first, if it really was taken from there: fleet device retire {device.name}",
        )
    return device


def _same(one: str | None, other: str | None) -> bool:
    """Whether two numbers are one: people type them in any case."""
    return one is not None and other is not None and one.casefold() == other.casefold().strip()


def _own_name(device: Device) -> str:
    """What a machine is called once it has left its place."""
    return f"{device.name}-{device.serial}"


def _taken_before(declared: Inventory, device: Device) -> Device | None:
    """The entry of the same machine, if it was taken away before and came back."""
    left = declared.devices.get(_own_name(device))
    return left if left is not None and left.retired and _same(left.serial, device.serial) else None


def _leaving(goes: Record, day: date, *, keep: bool) -> Record:
    """What is said of a machine that leaves its place."""
    if keep:
        return {**goes, "status": DeviceStatus.INVENTORY.value}
    begun = None if goes["commissioned"] == day.isoformat() else goes["commissioned"]
    return {
        **goes,
        "status": DeviceStatus.RETIRED.value,
        "commissioned": begun,  # None: it came and went on one day
        "decommissioned": day.isoformat(),
    }


def _check_tag(declared: Inventory, tag: str | None, among: set[str]) -> None:
    for device in declared.devices.values():
        if tag is not None and _same(device.asset_tag, tag) and device.name not in among:
            raise Duplicate(
                f"the asset tag {tag} is that of {device.name} at {device.site}",
                hint="give the new machine a tag of its own",
            )


def _coming(device: Device, spare: Device | None, new: NewMachine, day: date) -> Record:
    """What the place says of its machine from now on."""
    before = {field: _value(spare, field) if spare else None for field in MACHINE}
    model = {} if spare else {f: _value(device, f) for f in ("vendor", "model", "contract")}
    said: Mapping[str, str | None] = {
        "serial": new.serial,
        "vendor": new.vendor,
        "model": new.model,
        "asset_tag": new.asset_tag,
        "warranty_until": new.warranty_until.isoformat() if new.warranty_until else None,
        "contract": new.contract,
    }
    told = {name: value for name, value in said.items() if value is not None}
    return {**before, **model, **told, "commissioned": day.isoformat()}


def _changed(device: Device, wanted: Record) -> Record:
    return {name: value for name, value in wanted.items() if value != _value(device, name)}


def _value(device: Device, field: str) -> str | None:
    value = to_record(device)[field]
    return None if value is None else str(value)
