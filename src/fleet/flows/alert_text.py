"""What messages about all kinds of trouble have in common."""

from collections.abc import Iterator

from fleet.core.alerts import Due
from fleet.core.inventory import Device, Inventory, Site
from fleet.core.moment import text_of
from fleet.core.record import Record
from fleet.flows.lookup import contacts
from fleet.flows.status import Situation
from fleet.report.words import Words


def place_of(inventory: Inventory, name: str) -> tuple[Device | None, Site | None]:
    """A device by its name, and where it stands; of what is no device nothing."""
    device = inventory.devices.get(name)
    return device, inventory.sites.get(device.site) if device else None


def whom_to_ring(
    inventory: Inventory, device: Device | None, site: Site | None, words: Words
) -> Iterator[str]:
    """A line for each contact of a site and a device."""
    if device is None or site is None:
        return
    for contact in contacts(inventory, site, [device]):
        ways = " ".join(str(contact[w]) for w in ("phone", "email") if contact.get(w))
        yield words("alert_ring", of=contact["of"], who=f"{contact['role']} {ways}")


def facts_of(situation: Situation, due: Due, site: Site | None) -> Record:
    """What other programs read of every message."""
    return {
        "phase": due.phase.value,
        "cause": due.key,
        "site": site.slug if site else None,
        "member": site.member if site else None,
        "at": text_of(situation.now),
    }
