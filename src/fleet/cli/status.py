"""`fleet status`"""

from collections.abc import Mapping, Sequence
from datetime import datetime

from fleet.app import App
from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import MemberOption, Output, OutputOption, SiteOption, new_command, open_app
from fleet.cli.show import Row, count_of, hint, say, show_rows, show_value
from fleet.core.conditions import BATTERY, Condition
from fleet.core.limit import Limits, Watched, shown
from fleet.core.limits import limit_of
from fleet.core.moment import short_text, text_of
from fleet.errors import NotFound, RemoteError
from fleet.flows.limit_values import values_now
from fleet.flows.status import RootCause, Situation, narrow, noticed, open_situation

app = new_command()

_COLUMNS = {"kind": "Kind", "name": "Name", "state": "State", "since": "Since"}


@app.command()
def status(
    member: MemberOption = None,
    site: SiteOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what is down now, and the root cause.

    One line for each root cause, the widest first, with who and what is behind it. As the last
    poll saw it; asks no device. Ends with 1 if something is down that is not in maintenance.

    \b
    Example:
      fleet status
      fleet status --member kristiansund
    """
    fleet = open_app()
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    poll = fleet.workspace.settings.poll
    now = open_situation(fleet.reader, fleet.now(), poll.interval, poll.from_site)
    causes, degraded, counts = narrow(now, member, site)
    parts = noticed(now, member, site)
    values = _values(fleet, parts, now.now)
    match output:
        case Output.TABLE:
            _show(now, causes, degraded, counts)
            _tell(parts, values, fleet.workspace.settings.limits.values())
            last = fleet.reader.last_seen()
            if not last:
                hint("hint: nothing was polled yet: fleet poll")
            elif counts["unknown"] == sum(counts.values()):
                hint("hint: the last poll is too long ago; is `fleet poll --every` running?")
            if poll.from_site is None:
                hint("hint: without poll.from_site in fleet.toml there are no root causes")
        case Output.CSV:
            show_rows([_row(cause) for cause in causes], output, _COLUMNS)
        case _:
            document = {
                "at": text_of(now.now),
                "counts": counts,
                "root_causes": [_row(cause) for cause in causes],
                "degraded_sites": list(degraded),
                "on_battery": [_battery(one) for one in parts if one.subject == BATTERY],
                "beyond_limits": [
                    _limit(one, values.get(one)) for one in parts if one.subject != BATTERY
                ],
            }
            show_value(document, output)
    finish(FINDINGS if any(not cause.is_maintained for cause in causes) else 0)


def _row(cause: RootCause) -> Row:
    return {
        "kind": cause.kind,
        "name": cause.name,
        "state": cause.state,
        "since": text_of(cause.since),
        "devices_behind": cause.devices_behind,
        "sites_behind": list(cause.sites_behind),
        "users_behind": cause.users_behind,
        "services_behind": list(cause.services_behind),
        "maintenance": cause.is_maintained,
    }


def _show(
    now: Situation, causes: Sequence[RootCause], degraded: Sequence[str], counts: dict[str, int]
) -> None:
    total = count_of(sum(counts.values()), "device")
    parts = ", ".join(f"{n} {name}" for name, n in counts.items() if n or name in ("up", "down"))
    say(f"{short_text(now.now)}  {total}: {parts}")
    for cause in causes:
        say()
        for line in _lines(now, cause):
            say(line)
    if degraded:
        say()
        say(f"degraded, reachable over fewer ways than usual: {', '.join(degraded)}")


def _values(fleet: App, parts: Sequence[Condition], now: datetime) -> dict[Condition, float]:
    if all(one.subject == BATTERY for one in parts):
        return {}
    try:
        metrics = fleet.metrics()
        if metrics is None:
            return {}
        with metrics:
            return values_now(metrics, parts, now, fleet.workspace.settings.poll.interval)
    except RemoteError:  # that something is beyond its limit is known still
        return {}


def _tell(parts: Sequence[Condition], values: Mapping[Condition, float], limits: Limits) -> None:
    for one in parts:
        since = short_text(one.since)
        if one.subject == BATTERY:
            say(f"battery: {one.device}: {one.state} since {since}")
        else:
            watched, part = limit_of(one.subject) or (Watched.STORAGE, "")
            what = f"{watched.value} {part}".rstrip()
            if one in values and watched in limits:
                what += f" {shown(watched, values[one])}, limit {limits[watched].at:g}"
            say(f"beyond its limit: {one.device}: {what}, since {since}")


def _battery(one: Condition) -> Row:
    return {"device": one.device, "state": one.state, "since": text_of(one.since)}


def _limit(one: Condition, value: float | None) -> Row:
    limit, part = limit_of(one.subject) or ("", "")
    return {
        "device": one.device,
        "limit": str(limit),
        "part": part or None,
        "value": None if value is None else round(value, 1),
        "since": text_of(one.since),
    }


def _lines(now: Situation, cause: RootCause) -> list[str]:
    planned = ", in maintenance" if cause.is_maintained else ""
    head = f"{cause.name}  {cause.state} since {short_text(cause.since)}{planned}"
    head += f"  ({_what(now, cause)})"
    services = count_of(len(cause.services_behind), "service")
    behind = (
        f"  behind it: {count_of(cause.devices_behind, 'device')}, "
        f"{count_of(len(cause.sites_behind), 'site')}, "
        f"{count_of(cause.users_behind, 'user')}, {services}"
    )
    lines = [head, behind]
    if cause.sites_behind:
        lines.append(f"  sites: {', '.join(cause.sites_behind)}")
    if cause.services_behind:
        lines.append(f"  services: {', '.join(cause.services_behind)}")
    return lines


def _what(now: Situation, cause: RootCause) -> str:
    if cause.kind == "link":
        link = now.inventory.links.get(cause.name)
        parts = (link.kind.value, link.provider, link.circuit_id) if link else ()
        return " ".join(("link", *(part for part in parts if part)))
    device = now.inventory.devices.get(cause.name)
    return f"{device.role} at {device.site}" if device else "no longer in the inventory"
