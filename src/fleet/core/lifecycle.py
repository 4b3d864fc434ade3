"""What ends, and by when one has to decide: contracts, notice dates, warranties."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from fleet.core.inventory import Contact, Device, Inventory
from fleet.core.procurement import Agreement
from fleet.core.replacement import Model


class Ending(StrEnum):
    """What happens on a day."""

    NOTICE = "notice"  # the last day to give notice
    CONTRACT = "contract"  # the first day without the contract
    WARRANTY = "warranty"  # the last day of a warranty
    SUPPORT = "support"  # the last day on which a model's maker mends it
    OPTION = "option"  # the last day to say that an agreement is prolonged


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


def endings(
    inventory: Inventory,
    start: date,
    end: date,
    models: Mapping[str, Model] | None = None,
    agreements: Iterable[Agreement] = (),
) -> list[End]:
    """What ends from one day to another (not included), the first first."""
    found = [
        *_contracts(inventory),
        *_devices(inventory),
        *_support(inventory, models or {}),
        *_options(inventory, agreements),
    ]
    inside = [one for one in found if start <= one.day < end]
    return sorted(inside, key=lambda one: (one.day, one.ending, one.name))


def without_warranty(inventory: Inventory, owner: str | None = None) -> int:
    """How many devices in use say nothing of a warranty, of an owner or of all."""
    return sum(
        d.is_polled and d.warranty_until is None
        for d in inventory.devices.values()
        if owner in (None, inventory.owner_of(d))
    )


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
            yield _of_device(inventory, device, device.warranty_until, Ending.WARRANTY)


def _support(inventory: Inventory, models: Mapping[str, Model]) -> Iterator[End]:
    for device in inventory.devices.values():
        model = models.get(device.model or "")
        if model is not None and model.end_of_support is not None and not device.retired:
            yield _of_device(inventory, device, model.end_of_support, Ending.SUPPORT)


def _options(inventory: Inventory, agreements: Iterable[Agreement]) -> Iterator[End]:
    for agreement in agreements:
        contract = inventory.contracts.get(agreement.contract)
        if contract is None:  # there was none yet
            continue
        for option in agreement.options:
            if option.notice_by is not None:
                yield End(
                    day=option.notice_by,
                    ending=Ending.OPTION,
                    name=agreement.slug,
                    member=None,
                    about=contract.supplier,
                    contact=contract.contact,
                )


def _of_device(inventory: Inventory, device: Device, day: date, ending: Ending) -> End:
    contract = inventory.contracts.get(device.contract or "")
    return End(
        day=day,
        ending=ending,
        name=device.name,
        member=inventory.owner_of(device),
        about=" ".join(x for x in (device.vendor, device.model) if x),
        contact=contract.contact if contract else None,
    )
