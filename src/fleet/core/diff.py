"""Two inventories → the changes that make one into the other, field by field."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from fleet.core.inventory import (
    Device,
    DeviceStatus,
    Interface,
    Inventory,
    Link,
    Site,
    Thing,
    kind_of,
)
from fleet.core.record import Json
from fleet.errors import TooMany

PRUNE_AFTER = timedelta(days=30)

FieldChanges = Mapping[str, tuple[Json, Json]]


class Action(StrEnum):
    CREATE = "create"
    UPDATE = "update"
    RETIRE = "retire"
    DELETE = "delete"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One thing that comes, changes or goes; `fields` holds (old, new) as JSON values."""

    action: Action
    kind: str
    key: str
    fields: FieldChanges
    source: str
    target: str = "inventory"


def is_swap(fields: FieldChanges) -> bool:
    """Whether another machine came into a device's place: with a serial number and a first day."""
    return {"serial", "commissioned"} <= fields.keys()


Origins = Mapping[tuple[str, str], str]
"""Per (kind, key): the source that a thing came from."""


def retire(thing: Thing, now: datetime) -> Thing:
    """The thing as it is kept once its source no longer has it."""
    if isinstance(thing, Device):
        return replace(
            thing,
            status=DeviceStatus.RETIRED,
            decommissioned=thing.decommissioned or now,
        )
    return replace(thing, retired=now)


def drop_referred(ours: Inventory, changes: list[Change]) -> list[Change]:
    """Leave out deletions of what something that stays refers to."""
    going = {(c.kind, c.key) for c in changes if c.action is Action.DELETE}
    if not going:
        return changes
    referred = {
        reference
        for thing in ours
        if (kind_of(thing), thing.key) not in going
        for reference in _references(thing)
    }
    return [c for c in changes if c.action is not Action.DELETE or (c.kind, c.key) not in referred]


def _references(thing: Thing) -> Iterator[tuple[str, str | None]]:
    match thing:
        case Site():
            yield "member", thing.member
        case Device():
            yield "site", thing.site
            yield "contract", thing.contract
            yield "device", thing.fed_by
        case Interface():
            yield "device", thing.device
        case Link():
            yield "contract", thing.contract


def check_brake(ours: Inventory, changes: list[Change]) -> None:
    """Let only so much go at once as a person is likely to have meant.

    Raises:
        TooMany: more than max(3, 10 %) of a member's devices would be retired.
    """
    going: dict[str, list[str]] = {}
    for change in changes:
        if change.kind == "device" and change.action is Action.RETIRE:
            member = ours.member_of(ours.devices[change.key]) or "(no member)"
            going.setdefault(member, []).append(change.key)
    if not going:
        return
    having: dict[str, int] = {}
    for device in ours.devices.values():
        if not device.retired:
            member = ours.member_of(device) or "(no member)"
            having[member] = having.get(member, 0) + 1
    over = [
        f"{member}: {len(names)} of {having[member]} devices ({', '.join(names[:3])}"
        f"{', …' if len(names) > 3 else ''})"
        for member, names in sorted(going.items())
        if len(names) > max(3, having[member] / 10)
    ]
    if over:
        raise TooMany(
            "too many devices would be retired at once: " + "; ".join(over),
            hint="if they really are gone, say so with --force; else look for a missing file",
        )


def count(changes: list[Change]) -> dict[str, int]:
    """How many changes there are of each action."""
    return {action.value: sum(c.action is action for c in changes) for action in Action}
