"""Sending measurements on to other stores; what they missed is sent when they are back."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from fleet.core.inventory import Inventory
from fleet.errors import FleetError, Rejected
from fleet.metrics.sink import MetricSink, Taken

if TYPE_CHECKING:
    from fleet.metrics.embedded import EmbeddedStore
    from fleet.metrics.reader import MetricReader

_AT_MOST_S = 10.0  # of each cycle; the rest is sent after the next ones
_WAIT_S, _LONGEST_WAIT_S = 60.0, 900.0  # before one that failed is tried again


@dataclass(slots=True)
class _Patience:
    """How long one that failed is left alone."""

    until_s: float = 0.0
    wait_s: float = _WAIT_S


class Forwarding:
    """Sends what is kept to other stores, each from where it was told last.

    Args:
        sinks: by name.
        clock: seconds, of which only differences count.
    """

    def __init__(
        self,
        store: "EmbeddedStore",
        sinks: Mapping[str, MetricSink],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._sinks = sinks
        self._clock = clock
        self._patience = {name: _Patience() for name in sinks}

    def send(self, reader: "MetricReader", inventory: Inventory) -> list[str]:
        """Tell each of them what is new; what went wrong, a line each.

        Who is killed in between sends the last portion once more: that changes nothing there.
        """
        troubles: list[str] = []
        for name, sink in self._sinks.items():
            patience = self._patience[name]
            if self._clock() < patience.until_s:
                continue
            try:
                self._tell(name, sink, reader, inventory, troubles)
            except FleetError as error:
                troubles.append(f"metrics sink {name}: {error.message}")
                patience.until_s = self._clock() + patience.wait_s
                patience.wait_s = min(2 * patience.wait_s, _LONGEST_WAIT_S)
            else:
                self._patience[name] = _Patience()
        return troubles

    def _tell(
        self,
        name: str,
        sink: MetricSink,
        reader: "MetricReader",
        inventory: Inventory,
        troubles: list[str],
    ) -> None:
        began = self._clock()
        for portion, until in reader.since(self._store.sent_until(name)):
            try:
                sink.write(_placed(portion, inventory))
            except Rejected as error:
                troubles.append(f"metrics sink {name}: left out: {error.message}")
            self._store.note_sent(name, until)
            if self._clock() - began > _AT_MOST_S:
                return


def _placed(batch: Sequence[Taken], inventory: Inventory) -> list[Taken]:
    """Samples with where their devices stand, and whose they are."""
    placed = []
    for one in batch:
        device = inventory.devices.get(one.device)
        site = inventory.sites.get(device.site) if device else None
        placed.append(replace(one, site=site.slug, member=site.member) if site else one)
    return placed
