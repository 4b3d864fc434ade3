"""What ends, and by when one has to decide: contracts, notice dates, warranties."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from fleet.core.inventory import Contact, Inventory


class Ending(StrEnum):
    """What happens on a day."""

    NOTICE = "notice"  # the last day to give notice
    CONTRACT = "contract"  # the first day without the contract
    WARRANTY = "warranty"  # the last day of a warranty


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """Something that ends.

    Args:
        member: of a device; None: all of them.
        about: supplier, or maker and model.
    """

    day: date
    ending: Ending
    name: str
    member: str | None
    about: str
    contact: Contact | None


def endings(inventory: Inventory, start: date, end: date) -> list[End]:
    """What ends from one day to another (not included), the first first."""
    found = [*_contracts(inventory), *_devices(inventory)]
    inside = [one for one in found if start <= one.day < end]
    return sorted(inside, key=lambda one: (one.day, one.ending, one.name))


def without_warranty(inventory: Inventory) -> int:
    """How many devices in use say nothing of a warranty."""
    return sum(d.is_polled and d.warranty_until is None for d in inventory.devices.values())


def _contracts(inventory: Inventory) -> Iterator[End]:
    for contract in inventory.contracts.values():
        days = ((contract.notice_by, Ending.NOTICE), (contract.until, Ending.CONTRACT))
        for day, ending in days:
            if day is not None and not contract.retired:
                yield End(
                    day=day,
                    ending=ending,
                    name=contract.slug,
                    member=None,
                    about=contract.supplier,
                    contact=contract.contact,
                )


def _devices(inventory: Inventory) -> Iterator[End]:
    for device in inventory.devices.values():
        if device.warranty_until is not None and not device.retired:
            contract = inventory.contracts.get(device.contract or "")
            yield End(
                day=device.warranty_until,
                ending=Ending.WARRANTY,
                name=device.name,
                member=inventory.owner_of(device),
                about=" ".join(x for x in (device.vendor, device.model) if x),
                contact=contract.contact if contract else None,
            )
