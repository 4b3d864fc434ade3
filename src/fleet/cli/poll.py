"""`fleet poll`"""

from typing import Annotated

import typer

from fleet.app import App
from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import MemberOption, Output, OutputOption, SiteOption, new_command, open_app
from fleet.cli.show import asked_counter, count_of, hint, note, say, show_value
from fleet.core.inventory import Device
from fleet.core.lookup import nfc
from fleet.errors import NotFound
from fleet.flows.lock import lock
from fleet.flows.lookup import Scope, list_things, open_view
from fleet.flows.poll import Only, PollReport, plan_poll, poll

app = new_command()

_SHOWN_FINDINGS = 20


@app.command("poll")
def poll_(
    member: MemberOption = None,
    site: SiteOption = None,
    device: Annotated[
        list[str] | None, typer.Option("--device", help="Only this device; may be repeated.")
    ] = None,
    only: Annotated[
        Only | None, typer.Option("--only", help="Status: one packet each. Facts: read all.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Ask all devices over SNMP how they are, once.

    Devices of status active and failed are asked. Facts are read once a day. A device is down
    after `confirmations` failed polls in a row, from the first of them on.

    \b
    Example:
      fleet poll
      fleet poll --site krs-radhus --only facts
    """
    fleet = open_app()
    reader = fleet.reader
    if reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    devices = _devices(fleet, Scope(member=member, site=site), device or [])
    plan = plan_poll(
        devices,
        tracks=reader.tracks(),
        fact_times=reader.fact_times(),
        only=only,
        now=fleet.now(),
    )
    settings = fleet.workspace.settings.poll
    snmp = fleet.snmp({d.credential for d in plan.devices})
    with lock(fleet.workspace.state, "poll", "poll"), fleet.store() as store:
        report = poll(
            store,
            snmp,
            plan,
            confirmations=settings.confirmations,
            interval=settings.interval,
            clock=fleet.now,
            progress=asked_counter(len(plan.devices)),
        )
    _show(report, output)
    finish(FINDINGS if report.silences or report.findings else 0)


def _devices(fleet: App, scope: Scope, names: list[str]) -> list[Device]:
    assert fleet.reader is not None
    settings = fleet.workspace.settings.poll
    view = open_view(fleet.reader, fleet.now(), settings.interval, settings.from_site)
    devices = view.inventory.devices
    names = [nfc(name) for name in names]
    for name in names:
        if name not in devices:
            raise NotFound(f"there is no device `{name}`", hint=f"try: fleet find {name}")
        if not devices[name].is_polled:
            note(f"warning: {name} is not polled: its status is {devices[name].status}")
    wanted = {row["name"] for row in list_things(view, "device", scope)}
    return [d for d in devices.values() if d.name in wanted and (not names or d.name in names)]


def _show(report: PollReport, output: Output) -> None:
    poll = report.round
    summary = {
        "devices": poll.devices,
        "up": poll.up,
        "down": poll.down,
        "unreachable": poll.unreachable,
        "unknown": poll.unknown,
        "requests": poll.requests,
        "timeouts": poll.timeouts,
        "duration_s": round(poll.duration_us / 1_000_000, 1),
    }
    if output is Output.TABLE:
        say(
            f"{count_of(poll.devices, 'device')}: {poll.up} up, {poll.down} down, "
            f"{poll.unreachable} unreachable, {poll.unknown} unknown "
            f"– {len(report.silences)} silent "
            f"({poll.requests} requests, {poll.timeouts} timeouts, {summary['duration_s']} s)"
        )
    elif output is Output.CSV:
        say(",".join(summary))
        say(",".join(str(value) for value in summary.values()))
    else:
        show_value(summary, output)
    for silence in report.silences:
        detail = f" ({silence.detail})" if silence.detail else ""
        note(f"silent: {silence.target}: {silence.reason.value}{detail}")
    for finding in report.findings[:_SHOWN_FINDINGS]:
        note(
            f"finding: {finding.device}: {finding.field}: "
            f"declared {finding.declared or '–'}, seen {finding.seen or '–'}"
        )
    if len(report.findings) > _SHOWN_FINDINGS:
        note(f"… and {len(report.findings) - _SHOWN_FINDINGS} more findings")
    if poll.devices == 0:
        hint("hint: nothing to ask; `fleet list devices` shows what there is")
