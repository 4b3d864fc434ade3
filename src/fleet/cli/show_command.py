"""`fleet show`"""

from collections.abc import Iterable, Iterator
from typing import Annotated

import typer

from fleet.app import App
from fleet.cli.at import AtOption, instant
from fleet.cli.completing import kinds, names
from fleet.cli.options import Output, OutputOption, new_command, open_app
from fleet.cli.show import Row, cell, count_of, note, say, show_rows, show_table, show_value
from fleet.cli.show_measured import measured_lines, site_lines
from fleet.core.conditions import port_subject
from fleet.core.course import Window
from fleet.core.facts.findings import Finding
from fleet.core.inventory import Inventory
from fleet.core.lookup import nfc
from fleet.core.moment import parse_moment, short_text, to_instant
from fleet.core.ports import port_key
from fleet.core.record import Record
from fleet.errors import NotFound, RemoteError
from fleet.flows.lookup import open_view, open_view_at, show_thing, singular
from fleet.flows.maintenance import show_outage

app = new_command()


@app.command()
def show(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="device, site, member …", autocompletion=kinds)
    ],
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Its name or slug.", autocompletion=names())
    ],
    at: AtOption = None,
    over: Annotated[
        Window | None, typer.Option("--over", help="Of an interface: its traffic as a chart.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show one thing whole.

    A site comes with all its devices, their state, and who to ring; a site and a device with what
    was measured in the last day.

    \b
    Example:
      fleet show site krs-radhus
      fleet show device krs-rh-sw1
      fleet show interface "krs-rh-sw1 : Gi1/0/48" --over week
      fleet show member rindal --at 2013-06-01
    """
    fleet = open_app()
    kind = singular(kind)
    if fleet.reader is None:
        raise NotFound(f"there is no {kind} `{name}`", hint="no inventory yet: fleet sync")
    if kind == "change":
        raise NotFound("a single change cannot be shown", hint="fleet list changes")
    if over is not None:
        _show_over(fleet, kind, name, over, output)
        return
    poll = fleet.workspace.settings.poll
    if at is not None and kind != "outage":
        view = open_view_at(fleet.reader, instant(fleet, at), poll.from_site)
        record = show_thing(fleet.reader, view, kind, name)
    elif kind == "outage":
        inventory = fleet.reader.inventory()
        record = show_outage(fleet.reader, inventory, name, fleet.now(), poll.interval)
    else:
        view = open_view(fleet.reader, fleet.now(), poll.interval, poll.from_site)
        record = show_thing(fleet.reader, view, kind, name)
        record |= _measured(fleet, view.inventory, kind, name)
    match output:
        case Output.CSV:
            show_rows([record], output, {})
        case Output.TABLE:
            _show(kind, record)
        case _:
            show_value(record, output)


def _show_over(fleet: App, kind: str, name: str, over: Window, output: Output) -> None:
    from fleet.cli.show_course import course_lines, course_record, port_course

    device, separator, port = name.partition(" : ")
    if kind != "interface" or not separator:
        raise typer.BadParameter(
            'goes with an interface, like: fleet show interface "krs-rh-sw1 : Gi1/0/48"',
            param_hint="--over",
        )
    metrics = fleet.metrics()
    try:
        found = port_course(metrics, device, port, over, fleet.now())
    finally:
        if metrics is not None:
            metrics.close()
    if output is not Output.TABLE:
        show_value(course_record(found), output)
        return
    for line in course_lines(found):
        say(line)


def _measured(fleet: App, inventory: Inventory, kind: str, name: str) -> Record:
    """What was measured in the last day of a device or a site."""
    nothing: dict[str, Record] = {"device": {"measurements": []}, "site": {"traffic": None}}
    found = nothing.get(kind, {})
    if not found:
        return found
    try:
        metrics = fleet.metrics()
        if metrics is None:
            return found
        from fleet.flows.glance import device_glance, site_glance

        with metrics:
            if kind == "device":
                return {"measurements": device_glance(metrics, inventory, nfc(name), fleet.now())}
            return {"traffic": site_glance(metrics, inventory, nfc(name), fleet.now())}
    except RemoteError as error:  # all else is known still
        note(f"what was measured cannot be read: {error.message}")
        return found


def _show(kind: str, record: Row) -> None:
    match kind:
        case "site":
            _show_site(record)
        case "device":
            _show_device(record)
        case "outage":
            _show_outage(record)
        case "service":
            _show_service(record)
        case _:
            _show_fields(record, list(record))


def _show_fields(record: Row, names: list[str]) -> None:
    names = [name for name in names if record.get(name) not in (None, [], {})]
    width = max((len(name) for name in names), default=0)
    for name in names:
        say(f"{name.replace('_', ' ') + ':':{width + 1}} {_value(record[name])}")


def _value(value: object) -> str:
    if (
        isinstance(value, str)
        and len(value) == len("2026-03-01T00:00:00.000000Z")
        and value[-1] == "Z"
    ):
        return short_text(to_instant(parse_moment(value)))
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return "; ".join(cell(item) for item in value)
    return cell(value)


_SITE_COLUMNS = {
    "name": "Device",
    "role": "Role",
    "state": "State",
    "state_since": "Since",
    "room": "Room",
    "rack": "Rack",
    "serial": "Serial",
    "address": "Address",
    "uplink": "Uplink",
}


def _show_site(site: Row) -> None:
    say(f"{site['name']} ({site['slug']}), {site['kind'].replace('_', ' ')}, {site['member']}")
    _show_fields(site, ["address", "latitude", "longitude", "opening_hours", "users", "retired"])
    _show_contacts(site)
    if points := site["single_points_of_failure"]:
        say(f"stands and falls with: {', '.join(points)}")
    for line in site_lines(site.get("traffic")):
        say(line)
    say()
    if not site["devices"]:
        say("no devices")
        return
    for line in _plan(site["devices"]):
        say(line)
    show_table([_device_row(device) for device in site["devices"]], _SITE_COLUMNS)


def _plan(devices: Iterable[Row]) -> Iterator[str]:
    """Rooms, the racks in them, and what stands there: what is not well says so."""
    places: dict[tuple[str, str], list[str]] = {}
    for device in devices:
        state = device["state"] or device["status"]
        mark = "" if state in ("up", "unknown", "active") else f" {state.upper()}"
        place = (device["room"] or "", device["rack"] or "")
        places.setdefault(place, []).append(f"{device['name']} ({device['role']}){mark}")
    if not any(room or rack for room, rack in places):
        return
    before = None
    for room, rack in sorted(places, key=lambda p: (not p[0], p[0], not p[1], p[1])):
        if room != before:
            yield f"room {room}" if room else "no room said"
        before = room
        where = f"rack {rack}: " if rack else ""
        yield f"  {where}{', '.join(places[room, rack])}"
    yield ""


_LONGEST = 90  # characters of what changed
_USES = {
    "member": "Member",
    "from": "From",
    "until": "Until",
    "variant": "Variant",
    "sites": "Sites",
    "planned": "Planned",
}


def _show_service(service: Row) -> None:
    """A service, and who uses it as a table."""
    _show_fields(service, [name for name in service if name != "use"])
    if service["use"]:
        say()
        show_table(service["use"], _USES)


def _show_outage(outage: Row) -> None:
    until = _value(outage["until"]) if outage["until"] else "now"
    hours, rest = divmod(outage["duration_s"], 3600)
    length = f"{hours} h {rest // 60} min" if hours else f"{rest // 60} min {rest % 60} s"
    say(f"{outage['outage']}: {outage['device']} at {outage['site']}, {outage['member']}")
    say(f"{outage['state']} from {_value(outage['since'])} to {until}, {length}")
    _show_fields(outage, ["root", "cause", "corrected"])
    for part in outage["parts"] if len(outage["parts"]) > 1 else ():
        say(f"  from {_value(part['since'])} {part['state']}, because of {part['root'] or '–'}")
    for window in outage["maintenance"]:
        start, end = _value(window["start"]), _value(window["end"])
        say(f"maintenance {window['id']}: {start} to {end}, {window['reason']}")
        say(f"  announced {_value(window['announced'])}, counts as {window['counts_as']}")
    for said in outage["corrections"]:
        say(f"{_value(said['at'])} {said['role']}: {said['as']}: {said['reason']}")


def _device_row(device: Row) -> Row:
    since = device["state_since"]
    return {
        **device,
        "state": device["state"] or device["status"],
        "state_since": _value(since) if since else None,
        "uplink": _uplink(device["uplink"]),
    }


def _uplink(uplink: Row | None) -> str | None:
    if uplink is None:
        return None
    near = f"{uplink['interface']} → " if uplink["interface"] else "→ "
    far = uplink["to"] + (f" : {uplink['to_interface']}" if uplink["to_interface"] else "")
    speed = f", {uplink['capacity_mbps']} Mbit/s" if uplink["capacity_mbps"] else ""
    return f"{near}{far} ({uplink['kind']}{speed})"


def _show_contacts(record: Row) -> None:
    for contact in record["contacts"]:
        ways = " ".join(contact[way] for way in ("phone", "email") if contact.get(way))
        say(f"ring {contact['of']}: {contact['role']} {ways}".rstrip())


_DEVICE_FIELDS = [
    "status",
    "address",
    "port",
    "room",
    "rack",
    "vendor",
    "model",
    "platform",
    "serial",
    "asset_tag",
    "owner",
    "contract",
    "warranty_until",
    "fed_by",
    "commissioned",
    "decommissioned",
]


def _card(device: Row) -> Iterator[str]:
    """Where it hangs, and what became of it."""
    if device.get("behind"):
        yield f"not at fault: it hangs behind {device['behind']}, which failed"
    if uplink := _uplink(device["uplink"]):
        yield f"uplink: {uplink}"
    if device.get("way"):
        yield f"way: {' → '.join([device['name'], *device['way']])}"
    if device.get("differs_from"):
        yield f"configured otherwise than: {', '.join(device['differs_from'])} (fleet drift)"
    for one in device.get("changes", ()):
        what = ", ".join(f"{name} → {cell(new)}" for name, (_, new) in one["fields"].items())
        short = what if len(what) <= _LONGEST else f"{what[:_LONGEST]} …"
        yield f"changed {_value(one['at'])} by {one['by']} ({one['source']}): {short}"


def _show_device(device: Row) -> None:
    say(f"{device['name']}, {device['role']} at {device['site_name']} ({device['site']})")
    if device["state"]:
        since = device["state_since"]
        say(f"{device['state']}" + (f" since {_value(since)}" if since else ", never polled"))
    _show_fields(device, _DEVICE_FIELDS)
    for line in _card(device):
        say(line)
    _show_contacts(device)
    for line in _facts(device):
        say(line)
    for line in measured_lines(device.get("measurements", [])):
        say(line)
    if device["interfaces"]:
        say()
        columns = {"name": "Interface", "mac": "MAC", "address": "Address"}
        show_table(device["interfaces"], columns | {"description": "Description"})


def _facts(device: Row) -> Iterator[str]:
    facts = device["facts"]
    if facts is None:
        return
    yield ""
    yield f"said over SNMP {_value(device['facts_at'])}: {facts['name'] or '(no name)'}"
    if facts["description"]:
        yield f"  {facts['description'].splitlines()[0]}"
    ports = facts["interfaces"]
    up = sum(port["oper_status"] == "up" for port in ports)
    yield f"  {count_of(len(ports), 'interface')}, {up} up"
    names = {port_subject(port_key(port["name"])): f"port {port['name']}" for port in ports}
    for part in device["conditions"]:
        what = names.get(part["subject"], part["subject"])
        yield f"  {what}: {part['state']} since {_value(part['since'])}"
    for boot in device["reboots"]:
        yield f"  rebooted {_value(boot)}"
    for finding in device["findings"]:
        declared, seen = cell(finding["declared"]), cell(finding["seen"])
        mend = Finding(**finding).mend
        swapped = f"; swapped? {mend}" if mend else ""
        yield f"  finding: {finding['field']}: declared {declared}, seen {seen}{swapped}"
