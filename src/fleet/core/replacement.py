"""When machines have to be replaced, and what that costs, by owner and year."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from fleet.core.inventory import Device, Inventory
from fleet.core.moment import later, local, to_instant
from fleet.core.money import to_ore


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """What is known of a model.

    Args:
        end_of_support: the last day on which its maker mends it.
        price: NOK for what would replace one.
        years: that one is kept.
    """

    model: str
    vendor: str | None = None
    end_of_support: date | None = None
    price: Decimal | None = None
    years: int | None = None

    @property
    def key(self) -> str:
        return self.model


@dataclass(frozen=True, slots=True, kw_only=True)
class Replacement:
    """What an owner has to replace in a year.

    Args:
        owner: a member's slug, or `shared`.
        ore: what it costs, as far as prices are known.
        unpriced: devices without a price.
    """

    owner: str
    year: int
    devices: tuple[str, ...]
    ore: int
    unpriced: int


def due(device: Device, model: Model | None) -> date | None:
    """The day by which a device has to be replaced; None if nothing says so.

    The first of the end of its maker's support and of the years that one is kept.
    """
    days = []
    if model is not None and model.end_of_support is not None:
        days.append(model.end_of_support)
    if model is not None and model.years is not None and device.commissioned is not None:
        begun = local(to_instant(device.commissioned)).date()
        days.append(later(begun, 12 * model.years))
    return min(days, default=None)


def replacements(
    inventory: Inventory, models: Mapping[str, Model], first: int, last: int
) -> list[Replacement]:
    """By owner and year, what has to be replaced; what was due before counts in the first year."""
    found: dict[tuple[str, int], list[Device]] = defaultdict(list)
    for device in inventory.devices.values():
        day = due(device, models.get(device.model or ""))
        if day is not None and device.is_polled and day.year <= last:
            found[inventory.owner_of(device) or "", max(day.year, first)].append(device)
    return [
        _replacement(owner, year, devices, models)
        for (owner, year), devices in sorted(found.items())
    ]


def _replacement(
    owner: str, year: int, devices: Iterable[Device], models: Mapping[str, Model]
) -> Replacement:
    mine = sorted(devices, key=lambda d: d.name)
    prices = [models[d.model or ""].price for d in mine]
    return Replacement(
        owner=owner,
        year=year,
        devices=tuple(d.name for d in mine),
        ore=sum(to_ore(price) for price in prices if price is not None),
        unpriced=sum(price is None for price in prices),
    )


def unknown(inventory: Inventory, models: Mapping[str, Model], owner: str | None = None) -> int:
    """How many devices in use nothing says when to replace, of an owner or of all."""
    return sum(
        d.is_polled and due(d, models.get(d.model or "")) is None
        for d in inventory.devices.values()
        if owner in (None, inventory.owner_of(d))
    )
