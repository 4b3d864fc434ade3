"""What measures while devices are polled, and tells other stores of it."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from fleet.app import App
from fleet.cli.show import note
from fleet.core.inventory import Inventory
from fleet.errors import FleetError, RemoteError
from fleet.flows.forward import Forwarding
from fleet.flows.measure import Metering
from fleet.metrics.embedded import EmbeddedStore
from fleet.metrics.sink import MetricSink


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
        try:
            reader = self.fleet.metrics()
            if reader is not None:
                with reader:
                    for trouble in self.forwarding.send(reader, inventory):
                        note(trouble)
        except RemoteError as error:  # what was polled is kept
            note(f"other stores are told later: {error.message}")


@contextmanager
def open_measuring(fleet: App, *, wanted: bool) -> Iterator[Measuring]:
    """What measures; where nothing can be kept, it is known still what is beyond its limits."""
    if not wanted or not fleet.workspace.settings.metrics.measure:
        yield Measuring(fleet)
        return
    sinks = _sinks(fleet)
    try:
        store, metering = _open(fleet)
    except RemoteError as error:
        note(f"nothing of what is measured is kept: {error.message}")
        yield Measuring(fleet, Metering(None))
        return
    with store:
        yield Measuring(fleet, metering, Forwarding(store, sinks) if sinks else None)


def _sinks(fleet: App) -> dict[str, MetricSink]:
    found: dict[str, MetricSink] = {}
    for name in fleet.workspace.settings.metrics.sinks:
        try:
            found[name] = fleet.sink(name)
        except FleetError as error:
            note(f"metrics sink {name}: not told: {error.message}")
    return found


def _open(fleet: App) -> tuple[EmbeddedStore, Metering]:
    store = EmbeddedStore(fleet.metrics_file, fleet.keep)
    try:
        return store, Metering(store)
    except RemoteError:
        store.close()
        raise
