"""What may be wrong with a workspace, and how to mend it."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fleet.ansible.program import ansible_version
from fleet.core.moment import from_us, short_text
from fleet.errors import FleetError
from fleet.flows.channels import check_channel
from fleet.flows.poll_plan import of_now
from fleet.settings import Workspace

if TYPE_CHECKING:
    from fleet.metrics.reader import MetricReader
    from fleet.store.reader import Reader

_BEHIND_US = 900_000_000  # a quarter of an hour: three cycles of measuring


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    """One thing looked at; `mend` None: it is well."""

    what: str
    found: str
    mend: str | None = None


def examine(
    workspace: Workspace,
    open_reader: "Callable[[], Reader | None]",
    check_files: Callable[[], object],
    ask_netbox: Callable[[str], str],
    open_metrics: "Callable[[], MetricReader | None]",
    now: datetime,
) -> Iterator[Diagnosis]:
    """Everything, the basic things first; settings were read already."""
    yield Diagnosis(what="settings", found="fleet.toml can be used")
    yield _examine_files(check_files)
    reader: Reader | None = None
    try:
        reader = open_reader()
        yield _examine_store(reader)
    except FleetError as error:
        yield Diagnosis(what="store", found=error.message, mend=error.hint or "see the message")
    yield from _examine_credentials(workspace, reader)
    yield from _examine_place(workspace, reader)
    yield from _examine_channels(workspace, reader)
    yield from _examine_sources(workspace, ask_netbox)
    yield from _examine_metrics(workspace, open_metrics, now)
    yield _examine_ansible()
    if reader is not None:
        yield from _examine_clock(reader, now, workspace.settings.poll.interval)


def _examine_files(check_files: Callable[[], object]) -> Diagnosis:
    try:
        check_files()
    except FleetError as error:
        first = error.message.splitlines()[0]
        return Diagnosis(what="inventory", found=first, mend="fleet sync --plan shows all of it")
    return Diagnosis(what="inventory", found="the declared files are sound")


def _examine_store(reader: "Reader | None") -> Diagnosis:
    if reader is None:
        return Diagnosis(what="store", found="there is no database yet", mend="fleet sync")
    revision = reader.revision()
    devices = sum(not d.retired for d in reader.inventory().devices.values())
    return Diagnosis(what="store", found=f"form {revision}, {devices} devices")


def _examine_place(workspace: Workspace, reader: "Reader | None") -> Iterator[Diagnosis]:
    site = workspace.settings.poll.from_site
    if reader is not None and site is not None and site not in reader.inventory().sites:
        yield Diagnosis(
            what="poll.from_site",
            found=f"there is no site `{site}`",
            mend="set from_site in fleet.toml to the site where this poller stands",
        )


def _examine_credentials(workspace: Workspace, reader: "Reader | None") -> Iterator[Diagnosis]:
    credentials = workspace.settings.snmp.credentials
    used = set(credentials)
    if reader is not None:
        used = {d.credential for d in reader.inventory().devices.values() if d.is_polled}
    for name in sorted(used):
        what = f"credential {name}"
        if name not in credentials:
            mend = f"add a section [snmp.credentials.{name}] to fleet.toml"
            yield Diagnosis(what=what, found="devices use it, fleet.toml lacks it", mend=mend)
            continue
        credential = credentials[name]
        keys = [part.key for part in (credential.auth, credential.priv) if part]
        try:
            for ref in [*([credential.community] if credential.community else []), *keys]:
                workspace.read_secret(ref, f"snmp.credentials.{name}")
        except FleetError as error:
            yield Diagnosis(what=what, found=error.message, mend=error.hint or "set it")
        else:
            yield Diagnosis(what=what, found="its secrets are there")


def _examine_channels(workspace: Workspace, reader: "Reader | None") -> Iterator[Diagnosis]:
    members = reader.inventory().members if reader is not None else ()
    for name in workspace.settings.alerts if members else ():
        what = f"alerts {name}"
        try:
            check_channel(workspace, name, members)
        except FleetError as error:
            yield Diagnosis(what=what, found=error.message, mend=error.hint or "set it")
        else:
            yield Diagnosis(what=what, found=f"fleet alert test {name} sends a message")


def _examine_sources(workspace: Workspace, ask_netbox: Callable[[str], str]) -> Iterator[Diagnosis]:
    for name in workspace.settings.sources:
        try:
            yield Diagnosis(what=f"source {name}", found=ask_netbox(name))
        except FleetError as error:
            yield Diagnosis(
                what=f"source {name}", found=error.message, mend=error.hint or "see the message"
            )


def _examine_metrics(
    workspace: Workspace, open_metrics: "Callable[[], MetricReader | None]", now: datetime
) -> Iterator[Diagnosis]:
    """What was measured, and whether other stores were told."""
    try:
        metrics = open_metrics()
        if metrics is None:
            return
        with metrics:
            newest, devices, sent = metrics.newest_us(), len(metrics.devices()), metrics.sent()
    except FleetError as error:
        yield Diagnosis(what="metrics", found=error.message, mend=error.hint or "see the message")
        return
    if newest is None:
        return
    last = from_us(newest)
    stopped = None
    if workspace.settings.metrics.measure and now - last > of_now(workspace.settings.poll.interval):
        stopped = (
            "nothing was measured since: is `fleet poll --every` running, and what does it say?"
        )
    elif last > now + timedelta(seconds=1):
        stopped = "that is later than now; set the clock: timedatectl set-ntp true"
    found = f"{devices} devices, last {short_text(last)}"
    yield Diagnosis(what="metrics", found=found, mend=stopped)
    for name, sink in workspace.settings.metrics.sinks.items():
        until = sent.get(name, 0)
        if newest - until <= _BEHIND_US:
            yield Diagnosis(what=f"sink {name}", found=f"told until {short_text(from_us(until))}")
            continue
        said = f"not told since {short_text(from_us(until))}" if until else "was never told"
        yield Diagnosis(
            what=f"sink {name}",
            found=said,
            mend=f"see what `fleet poll` says of it, and whether {sink.url} answers",
        )


def _examine_ansible() -> Diagnosis:
    try:
        return Diagnosis(what="ansible", found=ansible_version())
    except FleetError as error:
        return Diagnosis(what="ansible", found=error.message, mend=error.hint or "reinstall it")


def _examine_clock(reader: "Reader", now: datetime, interval: timedelta) -> Iterator[Diagnosis]:
    times = reader.last_rounds(5)
    newest = max([*times, reader.last_change_at()], default=0)
    if from_us(newest) > now + timedelta(seconds=1):
        yield Diagnosis(
            what="clock",
            found=f"the database has entries of {short_text(from_us(newest))}, later than now",
            mend="set the clock: timedatectl set-ntp true",
        )
    else:
        yield Diagnosis(what="clock", found=f"{short_text(now)} in Oslo")
    if times and now - from_us(times[0]) > 3 * interval:
        yield Diagnosis(
            what="polling",
            found=f"none since {short_text(from_us(times[0]))}: nobody knows how it is now",
            mend="is `fleet poll --every` running? docs/how-to/watch.md says how to keep it so",
        )
        return
    gaps = sorted(a - b for a, b in itertools.pairwise(times))
    if gaps and (usual := timedelta(microseconds=gaps[len(gaps) // 2])) > 3 * interval:
        seconds, said = round(usual.total_seconds()), round(interval.total_seconds())
        yield Diagnosis(
            what="polling",
            found=f"polls come every {seconds} s, but interval_s is {said}: "
            "the time between is unknown",
            mend=f"set interval_s = {seconds} under [poll], or poll more often",
        )
