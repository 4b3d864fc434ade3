"""`fleet poll`"""

import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from typing import Annotated

import typer

from fleet.app import App
from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.measuring import Measuring, open_measuring
from fleet.cli.options import MemberOption, Output, OutputOption, SiteOption, new_command, open_app
from fleet.cli.show import asked_counter, count_of, hint, note, say, show_value
from fleet.core.inventory import Device, Inventory
from fleet.core.lookup import nfc
from fleet.core.moment import short_text
from fleet.core.record import Record
from fleet.errors import FleetError, Locked, NotFound, SettingsError
from fleet.flows.lock import lock
from fleet.flows.lookup import Scope, open_view, select
from fleet.flows.poll import Poller, PollReport
from fleet.flows.poll_plan import Method, Only, plan_poll, read_before
from fleet.flows.watch import Stop, stopping, watch
from fleet.store.reader import Reader
from fleet.store.store import Store

app = new_command()

_SHOWN_FINDINGS = 20
_SPREAD = 0.8  # of a cycle: the rest is for slow answers and for writing


@app.command("poll")
def poll_(
    member: MemberOption = None,
    site: SiteOption = None,
    device: Annotated[
        list[str] | None, typer.Option("--device", help="Only this device; may be repeated.")
    ] = None,
    only: Annotated[
        Only | None,
        typer.Option(
            "--only", help="Status: one packet each. Metrics: counters, gauges. Facts: all."
        ),
    ] = None,
    every: Annotated[
        str | None, typer.Option("--every", metavar="SECONDS", help="Again and again: 60 or 60s.")
    ] = None,
    cycles: Annotated[
        int | None, typer.Option("--cycles", min=1, help="With --every: end after so many.")
    ] = None,
    skip_if_running: Annotated[
        bool,
        typer.Option("--skip-if-running", help="While another poll is under way, do nothing."),
    ] = False,
    forget_future: Annotated[
        bool,
        typer.Option("--forget-future", help="Leave out polls dated by a clock that was ahead."),
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Ask all devices over SNMP how they are.

    Devices of status active and failed are asked. Facts are read once a day and after a reboot,
    links, batteries, counters and gauges in every fifth cycle. A device is down after
    `confirmations` failed polls in a row, counted from the first; behind another's, unreachable.

    With --every it goes on, the devices spread over the cycle, until SIGTERM or Ctrl-C.

    \b
    Example:
      fleet poll
      fleet poll --site krs-radhus --only facts
      fleet poll --every 60s
    """
    fleet = open_app()
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    seconds = _seconds(every, cycles)
    scope = _Chosen(fleet, Scope(member=member, site=site), device or [])
    devices = scope.devices(fleet.reader.inventory())
    try:
        with _opened(fleet, only) as (store, measuring):
            polls = _Polls(store, scope, only, output, measuring, forget_future=forget_future)
            if seconds is not None:
                fleet.close()  # a reader that stays open holds back the database's housekeeping
                polls.go_on(seconds, cycles)
            else:
                report = polls.once(devices)
                finish(FINDINGS if report.silences or report.findings else 0)
    except Locked:
        if not skip_if_running:
            raise


@contextmanager
def _opened(fleet: App, only: Only | None) -> Iterator[tuple[Store, Measuring]]:
    """Both stores, while nobody else polls."""
    with (
        lock(fleet.workspace.state, "poll", "poll"),
        fleet.store() as store,
        open_measuring(fleet, wanted=only is not Only.STATUS) as measuring,
    ):
        yield store, measuring


def _seconds(text: str | None, cycles: int | None) -> float | None:
    """A cycle's length; None: just one poll."""
    if text is None:
        if cycles is not None:
            raise typer.BadParameter("--cycles goes with --every", param_hint="--cycles")
        return None
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(s|m)?", text)
    seconds = float(match[1]) * (60 if match[2] == "m" else 1) if match else 0
    if not 1 <= seconds <= 86_400:
        raise typer.BadParameter(
            f"`{text}`: write seconds, 1 to 86400, like 60 or 60s", param_hint="--every"
        )
    return seconds


class _Chosen:
    """Which devices the user named."""

    def __init__(self, fleet: App, scope: Scope, names: list[str]) -> None:
        self._scope = scope
        self._names = [nfc(name) for name in names]
        assert fleet.reader is not None
        poll = fleet.workspace.settings.poll
        known = open_view(fleet.reader, fleet.now(), poll.interval, poll.from_site).inventory
        if poll.from_site is not None and poll.from_site not in known.sites:
            note(f"warning: poll.from_site in fleet.toml is `{poll.from_site}`, which is no site")
        for name in self._names:
            if name not in known.devices:
                raise NotFound(f"there is no device `{name}`", hint=f"try: fleet find {name}")
            if not known.devices[name].is_polled:
                status = known.devices[name].status
                note(f"warning: {name} is not polled: its status is {status}")

    def devices(self, inventory: Inventory) -> list[Device]:
        found = select(inventory, "device", self._scope)
        return [
            d for d in found if isinstance(d, Device) and (not self._names or d.name in self._names)
        ]


class _Polls:
    """One poll, or many, with what they print."""

    def __init__(
        self,
        store: Store,
        chosen: _Chosen,
        only: Only | None,
        output: Output,
        measuring: Measuring,
        *,
        forget_future: bool,
    ) -> None:
        self._fleet = measuring.fleet
        settings = self._fleet.workspace.settings
        self._store = store
        self._chosen = chosen
        self._only = only
        self._output = output
        self._method = Method(
            confirmations=settings.poll.confirmations,
            interval=settings.poll.interval,
            from_site=settings.poll.from_site,
            forget_future=forget_future,
            limits=settings.limits.values(),
            without_boots=frozenset(
                name for name, c in settings.snmp.credentials.items() if c.version == "1"
            ),
        )
        self._poller: Poller | None = None
        self._measuring = measuring
        self._credentials: set[str] = set()  # that the engine has
        self._wanted: set[str] = set()  # that devices have
        self._last: tuple[int, ...] = ()
        self._cycles: int | None = None

    def once(self, devices: list[Device]) -> PollReport:
        report = self._poll(devices, 0.0, asked=True)
        self._alert(report)
        _show(report, self._output)
        _tell(report)
        self._forward()
        return report

    def go_on(self, every_s: float, cycles: int | None) -> None:
        """Until SIGTERM, which ends well, or Ctrl-C."""
        note(f"polling every {every_s:g} s; stop with Ctrl-C or SIGTERM")
        interval = self._method.interval.total_seconds()
        if every_s > interval:
            note(f"warning: poll.interval_s in fleet.toml is {interval:g}: set it to {every_s:g}")
        with stopping() as stop:
            watch(
                lambda stop: self._cycle(stop, every_s),
                every_s=every_s,
                stop=stop,
                troubled=self._trouble,
                cycles=cycles,
            )
        note("stopped")

    def _cycle(self, stop: Stop, every_s: float) -> None:
        self._cycles = 0 if self._cycles is None else self._cycles + 1
        report = self._poll(None, _SPREAD * every_s, stop=stop)
        poll = report.round
        if self._output is Output.CSV:
            _show_csv(report, with_head=self._cycles == 0)
        elif self._output is not Output.TABLE:
            _show_line(report)
        counts = (poll.devices, poll.up, poll.down, poll.unreachable, poll.unknown)
        if counts != self._last and self._output is Output.TABLE:
            say(f"{short_text(poll.at)} {_sentence(report)}")
        self._last = counts
        _tell_of_all(report)
        self._alert(report)
        self._forward()

    def _forward(self) -> None:
        if self._poller is not None:
            self._measuring.forward(self._poller.inventory)

    def _alert(self, report: PollReport) -> None:
        """Tell those whom the settings name; while the poller is cut off, nobody knows what."""
        if self._fleet.workspace.settings.alerts and not report.is_cut_off:
            from fleet.cli.channels import tell_all

            for trouble in tell_all(self._fleet, self._store):
                note(trouble)

    def _trouble(self, error: Exception) -> None:
        what = error.message if isinstance(error, FleetError) else error
        note(f"{short_text(self._fleet.now())} nothing of this cycle was kept: {what}")

    def _poll(
        self,
        devices: list[Device] | None,
        spread_s: float,
        *,
        stop: Stop | None = None,
        asked: bool = False,
    ) -> PollReport:
        with self._store.reader() as reader:
            before = read_before(reader)
            if devices is None:
                devices = self._chosen.devices(self._inventory(reader))
        plan = plan_poll(
            devices,
            before,
            only=self._only,
            now=self._fleet.now(),
            method=self._method,
            cycle=self._cycles,
            metering=self._measuring.metering,
        )
        poller = self._ready({d.credential for d in plan.devices})
        plan = replace(
            plan, devices=tuple(d for d in plan.devices if d.credential in self._credentials)
        )
        progress = asked_counter(len(plan.devices)) if asked else lambda _: None
        asking = stop.abandoning() if stop else nullcontext()
        return poller.poll(plan, before, progress=progress, spread_s=spread_s, asking=asking)

    def _inventory(self, reader: Reader) -> Inventory:
        return self._poller.inventory if self._poller else reader.inventory()

    def _ready(self, credentials: set[str]) -> Poller:
        """The poller, which keeps what it learned of how devices want to be asked."""
        if self._poller is None or not credentials <= self._wanted:
            try:
                snmp = self._fleet.snmp(credentials)
            except SettingsError as error:
                if self._poller is None:
                    raise
                # What came in while the service runs costs its own devices, not all others.
                note(f"not asked until fleet is started anew: {error.message}")
                self._wanted = self._wanted | credentials
                return self._poller
            self._wanted = self._credentials = credentials
            self._poller = Poller(
                self._store,
                snmp,
                self._method,
                self._fleet.now,
                self._credentials,
                self._measuring.metering,
            )
        return self._poller


def _summary(report: PollReport) -> Record:
    poll = report.round
    return {
        "devices": poll.devices,
        "up": poll.up,
        "down": poll.down,
        "unreachable": poll.unreachable,
        "unknown": poll.unknown,
        "requests": poll.requests,
        "timeouts": poll.timeouts,
        "duration_s": round(poll.duration_us / 1_000_000, 1),
    }


def _sentence(report: PollReport) -> str:
    poll = report.round
    return (
        f"{count_of(poll.devices, 'device')}: {poll.up} up, {poll.down} down, "
        f"{poll.unreachable} unreachable, {poll.unknown} unknown "
        f"– {len(report.silences)} silent "
        f"({poll.requests} requests, {poll.timeouts} timeouts, "
        f"{poll.duration_us / 1_000_000:.1f} s)"
    )


def _show_line(report: PollReport) -> None:
    import json

    say(json.dumps(_summary(report)))


def _show_csv(report: PollReport, *, with_head: bool) -> None:
    summary = _summary(report)
    if with_head:
        say(",".join(summary))
    say(",".join(str(value) for value in summary.values()))


def _show(report: PollReport, output: Output) -> None:
    summary = _summary(report)
    if output is Output.TABLE:
        say(_sentence(report))
    elif output is Output.CSV:
        _show_csv(report, with_head=True)
    else:
        show_value(summary, output)


def _tell_of_all(report: PollReport) -> None:
    if report.is_cut_off:
        note("the poller itself is cut off: nothing is known of the devices")
    if report.forgotten:
        note(f"the clock went back: {count_of(report.forgotten, 'poll')} of the future left out")
    for name in report.rebooted:
        note(f"rebooted: {name}")
    if report.trouble:
        note(report.trouble)


def _tell(report: PollReport) -> None:
    _tell_of_all(report)
    if not report.is_cut_off:
        for silence in report.silences:
            detail = f" ({silence.detail})" if silence.detail else ""
            note(f"silent: {silence.target}: {silence.reason.value}{detail}")
    for finding in report.findings[:_SHOWN_FINDINGS]:
        note(
            f"finding: {finding.device}: {finding.field}: "
            f"declared {finding.declared or '–'}, seen {finding.seen or '–'}"
            + (f"; swapped? {finding.mend}" if finding.mend else "")
        )
    if len(report.findings) > _SHOWN_FINDINGS:
        note(f"… and {len(report.findings) - _SHOWN_FINDINGS} more findings")
    if report.round.devices == 0:
        hint("hint: nothing to ask; `fleet list devices` shows what there is")
