"""Taking over the history of outages from another system."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fleet.core.imported import Stretch, fit
from fleet.core.lifetime import counted
from fleet.core.moment import to_us
from fleet.core.spans import Span, intersect
from fleet.core.states import known_until

if TYPE_CHECKING:
    from fleet.store.reader import Reader
    from fleet.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportReport:
    """What an import did."""

    devices: int
    changed: int
    overlaps: Mapping[str, timedelta]  # devices that fleet polled itself for a part of the time


def import_outages(
    store: "Store",
    outages: Mapping[str, Sequence[Stretch]],
    *,
    covers: Span,
    every_device: bool,
    now: datetime,
    interval: timedelta,
) -> ImportReport:
    """Fit imported outages around what fleet polled itself.

    Args:
        outages: by device, within `covers`.
        every_device: devices without an outage count as up in the covered time, too.
    """
    overlaps: dict[str, timedelta] = {}
    names = set(outages)

    def compute(reader: "Reader") -> Mapping[str, Sequence[Stretch]]:
        changes = reader.field_changes()
        last, before = reader.last_seen(), reader.stretches()
        if every_device:
            devices = reader.inventory().devices.values()
            names.update(d.name for d in devices if intersect(counted(d, changes), [covers]))
        changed: dict[str, Sequence[Stretch]] = {}
        for name in sorted(names):
            mine = before.get(name, [])
            until = known_until(last.get(name), to_us(now), interval)
            fitted = fit(mine, outages.get(name, ()), covers, until)
            if fitted.overlap:
                overlaps[name] = timedelta(microseconds=fitted.overlap)
            if list(fitted.stretches) != mine:
                changed[name] = fitted.stretches
        return changed

    changed = store.replace_stretches(compute)
    return ImportReport(devices=len(names), changed=changed, overlaps=overlaps)
