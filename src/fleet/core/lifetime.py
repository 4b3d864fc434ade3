"""Since when and until when a device counted, and where it stood: from its fields and history.

What was recorded first holds for the time before it, as fleet came later than the devices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fleet.core.inventory import POLLED, Device, DeviceStatus, Inventory, Site
from fleet.core.moment import Moment, parse_moment, to_us
from fleet.core.spans import Span, Spans, intersect, subtract, union

FOREVER = 2**62
ALWAYS: Span = (-FOREVER, FOREVER)


@dataclass(frozen=True, slots=True)
class FieldChange:
    """A field of a device got another value at an instant (microseconds)."""

    at: int
    old: str
    new: str


Changes = Mapping[str, Mapping[str, Sequence[FieldChange]]]
"""Per device and field, oldest first: `status`, `site`, and `commissioned` where another machine
came into its place; "" stands for what was not said."""


def stretch(begin: Moment | None, end: Moment | None) -> Span:
    """From a moment (or ever) to a moment (or forever)."""
    return (to_us(begin) if begin else -FOREVER, to_us(end) if end else FOREVER)


def counted(device: Device, changes: Changes) -> Spans:
    """When a device counts in reports: commissioned, and of status active or failed.

    It is the place that counts: from its first machine on.
    """
    alive = [
        span
        for status, span in _values(device.status, _of(changes, device, "status"))
        if DeviceStatus(status) in POLLED
    ]
    begin = device.commissioned
    if swaps := _of(changes, device, "commissioned"):
        begin = parse_moment(swaps[0].old) if swaps[0].old else None
    return intersect(union(alive), [stretch(begin, device.decommissioned)])


def stays(device: Device, changes: Changes) -> dict[str, Spans]:
    """At which sites a device stood, and when."""
    found: dict[str, list[Span]] = {}
    for site, span in _values(device.site, _of(changes, device, "site")):
        found.setdefault(site, []).append(span)
    return {site: union(spans) for site, spans in found.items()}


def _of(changes: Changes, device: Device, field: str) -> Sequence[FieldChange]:
    return changes.get(device.name, {}).get(field, ())


def _values(now: str, changes: Sequence[FieldChange]) -> list[tuple[str, Span]]:
    """The values that a field had, each with its span."""
    if not changes:
        return [(now, ALWAYS)]
    found = [(changes[0].old, (-FOREVER, changes[0].at))]
    for change, following in zip(changes, [*changes[1:], None], strict=True):
        found.append((change.new, (change.at, following.at if following else FOREVER)))
    return found


def belonging(inventory: Inventory, site: Site) -> Spans:
    """When a site was the cooperation's: its own dates ∩ the membership of its member."""
    member = inventory.members[site.member]
    membership = union(stretch(m.joined, m.left or member.ended) for m in member.memberships)
    return intersect(membership, [stretch(site.member_from, site.member_until or site.retired)])


def edge_spans(
    inventory: Inventory, changes: Changes, born: Mapping[str, int]
) -> Mapping[str, Spans]:
    """Per device, the time in which it had a link to another site.

    A link counts until it was retired, so that replacing a site's router leaves its past alone;
    and where its ends stood at the time.

    Args:
        born: when links came into the inventory that were not there from the first.
    """
    found: dict[str, list[Span]] = {}
    for link in inventory.links.values():
        ends = [inventory.end(link.a), inventory.end(link.b)]
        if any(end.site is None for end in ends):
            continue
        there = [
            stays(inventory.devices[end.device], changes)
            if end.device
            else {end.site or "": [ALWAYS]}
            for end in ends
        ]
        together = [
            s for site in there[0] for s in intersect(there[0][site], there[1].get(site, []))
        ]
        begin = born.get(link.key, -FOREVER)
        apart = subtract([(begin, stretch(None, link.retired)[1])], union(together))
        for end in ends:
            if end.device and apart:
                found.setdefault(end.device, []).extend(apart)
    return {device: union(spans) for device, spans in found.items()}
