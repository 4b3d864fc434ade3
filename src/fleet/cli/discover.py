"""`fleet discover`"""

import sys
from typing import Annotated, Any

import typer

from fleet.app import App
from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import Output, OutputOption, new_command, open_app
from fleet.cli.show import (
    asked_counter,
    count_of,
    hint,
    note,
    say,
    show_table,
    show_value,
)
from fleet.core.discovery import Discovery, LinkVerdict, Verdict
from fleet.core.inventory import Device, Inventory
from fleet.core.record import Record
from fleet.errors import NotFound
from fleet.flows.add_found import add, plan_addition
from fleet.flows.discover import Search, discover, parse_network
from fleet.report.csv_text import to_csv

app = new_command()


@app.command("discover")
def discover_(
    networks: Annotated[
        list[str] | None, typer.Argument(metavar="[CIDR]…", help="Ask every address in it.")
    ] = None,
    site: Annotated[
        str | None,
        typer.Option("--site", help="Look around this site (slug); new devices are there."),
    ] = None,
    member: Annotated[
        str | None, typer.Option("--member", help="Look around all sites of this member (slug).")
    ] = None,
    credential: Annotated[
        str, typer.Option("--credential", metavar="NAME", help="For addresses nobody knows.")
    ] = "default",
    port: Annotated[int, typer.Option("--port", min=1, max=65_535, help="Likewise.")] = 161,
    rate: Annotated[
        int, typer.Option("--rate", min=1, help="So many addresses are asked a second, at most.")
    ] = 100,
    is_added: Annotated[
        bool, typer.Option("--add", help="Write new devices and links to inventory/, as planned.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Find devices and links: sweep networks, or look around a site or a member.

    Devices of the inventory are asked first, then every address of the networks, then the
    neighbours that were heard of (LLDP, CDP). What is found is compared with the inventory by
    serial number, MAC addresses, name and address. Nothing is changed without --add, and with it
    nothing that is there: new entries are written at the end of the members' files.

    \b
    Example:
      fleet discover 10.15.5.0/24
      fleet discover --site krs-radhus --add
    """
    fleet = open_app()
    inventory = fleet.inventory()
    search = Search(
        networks=tuple(parse_network(text) for text in networks or ()),
        devices=_devices(inventory, networks or [], site, member),
        site=site,
        credential=credential,
        port=port,
    )
    snmp = fleet.snmp({search.credential, *(device.credential for device in search.devices)})
    found = discover(snmp, search, inventory, rate=rate, progress=asked_counter())
    _show(found, inventory, output)
    if is_added:
        _add(fleet, found, inventory)
    finish(FINDINGS if _strange(found) or (_new(found) and not is_added) else 0)


def _devices(
    inventory: Inventory, networks: list[str], site: str | None, member: str | None
) -> tuple[Device, ...]:
    """Whom to ask first: all devices inside the networks, or those of the site or member."""
    if not networks and site is None and member is None:
        raise typer.BadParameter("say where to look: CIDR, --site or --member")
    if site is not None and site not in inventory.sites:
        raise NotFound(f"there is no site `{site}`", hint="fleet list sites")
    if member is not None and member not in inventory.members:
        raise NotFound(f"there is no member `{member}`", hint="fleet list members")
    inside = [parse_network(text) for text in networks]

    def is_meant(device: Device) -> bool:
        if inside:  # whoever's they are, they are asked as the inventory says
            return any(_is_in(device.address, network) for network in inside)
        if site is not None and device.site != site:
            return False
        return member is None or inventory.member_of(device) == member

    return tuple(d for d in inventory.devices.values() if d.is_polled and is_meant(d))


def _is_in(address: str | None, network: Any) -> bool:
    import ipaddress

    try:
        return ipaddress.ip_address(address or "") in network
    except ValueError:
        return False  # a host name


def _new(found: Discovery) -> bool:
    return any(m.verdict is Verdict.NEW for m in found.devices) or any(
        link.verdict is LinkVerdict.NEW for link in found.links
    )


def _strange(found: Discovery) -> bool:
    """What only a person can decide."""
    return (
        bool(found.silent)
        or any(m.verdict in (Verdict.MOVED, Verdict.DIFFERENT) for m in found.devices)
        or any(link.verdict is LinkVerdict.ELSEWHERE for link in found.links)
    )


def _rows(found: Discovery) -> dict[str, Any]:
    return {
        "asked": found.asked,
        "devices": [
            {
                "name": m.name,
                "verdict": m.verdict.value,
                "device": m.device,
                "site": m.site,
                "address": m.address,
                "port": m.port,
                "vendor": m.facts.vendor,
                "platform": m.facts.platform,
                "model": m.facts.model,
                "serial": m.facts.serial,
                "role": m.facts.role,
                "evidence": list(m.evidence),
            }
            for m in found.devices
        ],
        "links": [
            {
                "a": str(link.link.a),
                "b": str(link.link.b),
                "verdict": link.verdict.value,
                "confidence": link.link.confidence.value,
                "declared": link.declared,
                "evidence": list(link.link.evidence),
            }
            for link in found.links
        ],
        "unmanaged": [
            {
                "mac": u.mac,
                "device": u.device,
                "interface": u.interface,
                "vlan": u.vlan,
                "addresses": list(u.addresses),
            }
            for u in found.unmanaged
        ],
        "silent": list(found.silent),
    }


_DEVICES = {
    "name": "Name",
    "verdict": "Verdict",
    "address": "Address",
    "vendor": "Vendor",
    "model": "Model",
    "serial": "Serial",
    "role": "Role",
    "evidence": "Known by",
}
_LINKS = {"a": "One end", "b": "Other end", "verdict": "Verdict", "confidence": "Seen by"}
_UNMANAGED = {"mac": "MAC", "device": "At", "interface": "Port", "vlan": "VLAN", "addresses": "IP"}


def _show(found: Discovery, inventory: Inventory, output: Output) -> None:
    rows = _rows(found)
    if output is Output.CSV:
        sys.stdout.write(to_csv(rows["devices"], ["site", "port", "platform", "device", *_DEVICES]))
    elif output is not Output.TABLE:
        show_value(rows, output)
    else:
        _show_part("device", rows["devices"], _DEVICES)
        _show_part("link", rows["links"], _LINKS)
        _show_part("unmanaged address", rows["unmanaged"], _UNMANAGED)
        if not found.devices:
            note(f"nothing answered: {count_of(found.asked, 'address', 'addresses')} asked")
    for name in found.silent:
        note(f"silent: {name}")
    if not inventory.devices:
        hint("hint: the inventory is empty, so everything is new; fleet sync")


def _show_part(title: str, rows: list[Record], columns: dict[str, str]) -> None:
    if rows:
        say(count_of(len(rows), title, f"{title}es" if title.endswith("s") else None))
        show_table(rows, columns)
        say()


def _add(fleet: App, found: Discovery, inventory: Inventory) -> None:
    addition = plan_addition(found, inventory, fleet.declared())
    workspace = fleet.workspace
    paths = add(addition, workspace.inventory, fleet.declared)
    for path in paths:
        note(f"wrote {workspace.relative(path)}")
    for what, why in addition.left_out:
        note(f"not added: {what}: {why}")
    note(
        f"added {count_of(addition.devices, 'device')} as planned and "
        f"{count_of(addition.links, 'link')}"
    )
    if paths:
        hint("hint: look at the kind of the new links, then: fleet sync")
