"""Taking over the history of outages from another system."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fleet.core.imported import Stretch, fit
from fleet.core.moment import to_us
from fleet.core.spans import Span

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
    reader: "Reader",
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
    horizon = 3 * interval // timedelta(microseconds=1)
    last = {name: to_us(track.last_at) for name, track in reader.tracks().items()}
    before = reader.stretches()
    names = set(outages)
    if every_device:
        names |= {d.name for d in reader.inventory().devices.values() if d.is_polled}
    changed: dict[str, Sequence[Stretch]] = {}
    overlaps = {}
    for name in sorted(names):
        mine = before.get(name, [])
        known_until = min(to_us(now), last.get(name, 0) + horizon)
        fitted = fit(mine, outages.get(name, ()), covers, known_until)
        if fitted.overlap:
            overlaps[name] = timedelta(microseconds=fitted.overlap)
        if list(fitted.stretches) != mine:
            changed[name] = fitted.stretches
    if changed:
        store.replace_stretches(changed)
    return ImportReport(devices=len(names), changed=len(changed), overlaps=overlaps)
