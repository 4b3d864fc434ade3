"""Whether everything that a declared inventory refers to is there."""

import difflib
from collections.abc import Collection, Iterator
from dataclasses import dataclass

from fleet.core.inventory import (
    Device,
    Inventory,
    Link,
    Service,
    Thing,
    kind_of,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dangling:
    """A reference to something that is not there."""

    kind: str
    key: str
    field: str
    message: str
    hint: str | None = None


def find_dangling(inventory: Inventory, credentials: Collection[str]) -> Iterator[Dangling]:
    """Every reference that leads nowhere.

    Args:
        inventory: all of it, as declared.
        credentials: names of the SNMP credentials in the settings.
    """
    for member in inventory.members.values():
        if member.slug in member.successors:
            yield _dangling(member, "successors", f"`{member.slug}` succeeds itself", None)
    for contract in inventory.contracts.values():
        yield from _known(contract, "share_only", contract.share_only, "member", inventory.members)
    for device in inventory.devices.values():
        yield from _of_device(inventory, device, credentials)
    for link in inventory.links.values():
        yield from _of_link(inventory, link)
    for service in inventory.services.values():
        yield from _of_service(inventory, service)


def _of_device(
    inventory: Inventory, device: Device, credentials: Collection[str]
) -> Iterator[Dangling]:
    yield from _known(device, "site", (device.site,), "site", inventory.sites)
    owners = {*inventory.members, "shared"}
    yield from _known(device, "owner", (device.owner,), "owner", owners)
    yield from _known(device, "contract", (device.contract,), "contract", inventory.contracts)
    yield from _known(device, "fed_by", (device.fed_by,), "device", inventory.devices)
    if device.fed_by == device.name:
        yield _dangling(device, "fed_by", "a device cannot feed itself", None)
    if device.credential not in credentials:
        hint = f"fleet.toml needs a section [snmp.credentials.{device.credential}]"
        yield _dangling(device, "credential", f"unknown credential `{device.credential}`", hint)


def _of_link(inventory: Inventory, link: Link) -> Iterator[Dangling]:
    yield from _known(link, "contract", (link.contract,), "contract", inventory.contracts)
    for field, text in (("a", link.a), ("b", link.b)):
        name, _, port = text.partition(" : ")
        end = inventory.end(text)
        if end.device is None and end.site is None:
            known = {*inventory.devices, *(() if port else inventory.sites)}
            hint = _closest(name, known)
            if hint is None and ":" in name:
                hint = "write a port as `device : interface`, with a blank on each side"
            yield _dangling(link, field, f"unknown device or site `{name}`", hint)
        elif end.device and end.device in inventory.sites and not port:
            message = f"`{name}` is a device and a site"
            yield _dangling(link, field, message, "give one of them another name")


def _of_service(inventory: Inventory, service: Service) -> Iterator[Dangling]:
    circuits = {link.circuit_id for link in inventory.links.values() if link.circuit_id}
    needed = {*inventory.devices, *circuits, *inventory.contracts, *inventory.services}
    what = "device, circuit, contract or service"
    yield from _known(service, "needs", service.needs, what, needed)
    members = tuple(use.member for use in service.use)
    sites = tuple(site for use in service.use for site in use.sites)
    yield from _known(service, "use", members, "member", inventory.members)
    yield from _known(service, "use", sites, "site", inventory.sites)


def _known(
    thing: Thing,
    field: str,
    names: tuple[str | None, ...],
    what: str,
    known: Collection[str],
) -> Iterator[Dangling]:
    for name in names:
        if name is not None and name not in known:
            yield _dangling(thing, field, f"unknown {what} `{name}`", _closest(name, known))


def _dangling(thing: Thing, field: str, message: str, hint: str | None) -> Dangling:
    return Dangling(kind=kind_of(thing), key=thing.key, field=field, message=message, hint=hint)


def _closest(name: str, known: Collection[str]) -> str | None:
    close = difflib.get_close_matches(name, known, n=1)
    return f"did you mean `{close[0]}`?" if close else None
