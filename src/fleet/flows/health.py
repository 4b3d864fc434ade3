"""fleet's own health in numbers, as Prometheus reads them.

For the textfile collector of its node_exporter: a file that is written anew after each poll.
"""

from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile

from fleet import version
from fleet.core.moment import from_us
from fleet.core.states import State
from fleet.errors import NotPermitted
from fleet.settings import Workspace

if TYPE_CHECKING:
    from fleet.metrics.reader import MetricReader
    from fleet.store.reader import Reader

_SQLITE = "sqlite:///"


def write_health(
    workspace: Workspace,
    reader: "Reader",
    metrics: "MetricReader | None",
    now: datetime,
    path: Path,
) -> int:
    """Write the numbers to a file, whole or not at all; how many there are.

    Raises:
        NotPermitted: that is not possible.
    """
    registry = CollectorRegistry()
    _of_polls(registry, workspace, reader, now)
    _of_devices(registry, workspace, reader, now)
    _of_store(registry, workspace, reader)
    if metrics is not None:
        _of_metrics(registry, workspace, metrics, now)
    info = Gauge("fleet_info", "The version that wrote this.", ["version"], registry=registry)
    info.labels(version()).set(1)
    try:
        write_to_textfile(str(path), registry)
    except OSError as error:
        raise NotPermitted(f"cannot write {path}: {error.strerror}") from error
    return sum(len(metric.samples) for metric in registry.collect())


def _of_polls(
    registry: CollectorRegistry, workspace: Workspace, reader: "Reader", now: datetime
) -> None:
    def gauge(name: str, what: str, value: float) -> None:
        Gauge(f"fleet_poll_{name}", what, registry=registry).set(value)

    gauge(
        "interval_seconds", "Time between polls, as it is set.", workspace.settings.poll.interval_s
    )
    last = reader.newest_round()
    if last is None:
        return
    ended = from_us(last.at_us + last.duration_us)
    gauge("last_timestamp_seconds", "When the last poll ended.", ended.timestamp())
    gauge("lag_seconds", "Time since then.", max((now - ended).total_seconds(), 0.0))
    gauge("duration_seconds", "How long it took.", last.duration_us / 1e6)
    gauge("devices", "Devices that it asked.", last.devices)
    gauge("requests", "Packets that it sent.", last.requests)
    gauge("timeouts", "Packets that nothing answered.", last.timeouts)
    silent = last.devices - last.up
    gauge(
        "silent_ratio",
        "Part of the devices that did not answer.",
        silent / last.devices if last.devices else 0,
    )


def _of_devices(
    registry: CollectorRegistry, workspace: Workspace, reader: "Reader", now: datetime
) -> None:
    """How many devices each member has in each state; who was never polled is unknown."""
    inventory, interval = reader.inventory(), workspace.settings.poll.interval
    tracks = reader.tracks()
    found: Counter[tuple[str, str]] = Counter()
    for name, device in inventory.devices.items():
        if device.is_polled:
            track = tracks.get(name)
            state = track.at(now, interval).state if track else State.UNKNOWN
            found[inventory.member_of(device) or "", state.value] += 1
    gauge = Gauge(
        "fleet_devices", "Devices that are polled.", ["member", "state"], registry=registry
    )
    for member in sorted({member for member, _ in found}):
        for state in State:
            gauge.labels(member, state.value).set(found[member, state.value])


def _of_metrics(
    registry: CollectorRegistry, workspace: Workspace, metrics: "MetricReader", now: datetime
) -> None:
    def gauge(name: str, what: str, value: float) -> None:
        Gauge(f"fleet_metrics_{name}", what, registry=registry).set(value)

    gauge("devices", "Devices that were measured at some time.", len(metrics.devices()))
    gauge("bytes", "Size of the file of measurements.", metrics.size())
    newest = metrics.newest_us()
    if newest is None:
        return
    lag = (now - from_us(newest)).total_seconds()
    gauge("lag_seconds", "Time since something was measured last.", max(lag, 0.0))
    sent = metrics.sent()
    behind = Gauge(
        "fleet_metrics_sink_behind_seconds",
        "What was measured and another store was not told yet.",
        ["sink"],
        registry=registry,
    )
    for name in workspace.settings.metrics.sinks:
        behind.labels(name).set((newest - sent.get(name, 0)) / 1e6)


def _of_store(registry: CollectorRegistry, workspace: Workspace, reader: "Reader") -> None:
    changed = Gauge(
        "fleet_change_last_timestamp_seconds", "When the inventory last changed.", registry=registry
    )
    changed.set(reader.last_change_at() / 1e6)
    url = workspace.store_url()
    if not url.startswith(_SQLITE):
        return
    path = Path(url.removeprefix(_SQLITE))
    size = Gauge("fleet_store_bytes", "Size of the database.", ["file"], registry=registry)
    for name, file in (("database", path), ("log", path.with_name(path.name + "-wal"))):
        size.labels(name).set(file.stat().st_size if file.exists() else 0)
