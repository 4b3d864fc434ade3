"""What measures while devices are polled, and tells other stores of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fleet.app import App
from fleet.cli.show import note
from fleet.core.inventory import Inventory
from fleet.errors import RemoteError
from fleet.flows.forward import Forwarding
from fleet.flows.measure import Metering
from fleet.metrics.embedded import EmbeddedStore


@dataclass(frozen=True, slots=True)
class Measuring:
    """Where measurements go; nowhere, if `metering` is None."""

    fleet: App
    metering: Metering | None = None
    forwarding: Forwarding | None = None

    def forward(self, inventory: Inventory) -> None:
        """Tell other stores what is new."""
        if self.forwarding is None:
            return
        reader = self.fleet.metrics()
        if reader is not None:
            with reader:
                for trouble in self.forwarding.send(reader, inventory):
                    note(trouble)


@contextmanager
def open_measuring(fleet: App, *, wanted: bool) -> Iterator[Measuring]:
    """What measures; where nothing is to be measured, or can be kept, states are known still."""
    opened = None
    if wanted and fleet.workspace.settings.metrics.measure:
        sinks = fleet.sinks()
        try:
            opened = _open(fleet)
        except RemoteError as error:
            note(f"nothing is measured: {error.message}")
    if opened is None:
        yield Measuring(fleet)
        return
    store, metering = opened
    with store:
        yield Measuring(fleet, metering, Forwarding(store, sinks) if sinks else None)


def _open(fleet: App) -> tuple[EmbeddedStore, Metering]:
    store = EmbeddedStore(fleet.metrics_file, fleet.keep)
    try:
        return store, Metering(store)
    except RemoteError:
        store.close()
        raise
