"""`fleet impact`"""

from typing import Annotated

import typer

from fleet.cli.completing import names
from fleet.cli.options import Output, OutputOption, new_command, open_app
from fleet.cli.show import Row, count_of, hint, say, show_rows, show_value
from fleet.core.impact import Impact, Stop, find_stop
from fleet.core.inventory import Inventory
from fleet.core.moment import local
from fleet.core.topology import Network
from fleet.errors import NotFound
from fleet.flows.ways import impact_of

app = new_command()

_COLUMNS = {"effect": "What happens", "kind": "Kind", "name": "Name"}


@app.command()
def impact(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME",
            help="Device, site, link, circuit, service.",
            autocompletion=names("device", "site", "service"),
        ),
    ],
    output: OutputOption = Output.TABLE,
) -> None:
    """Show who and what is cut off if something fails.

    Seen from where the poller stands (`from_site` in fleet.toml), else from the data centres. Of
    a service: what needs it, and which sites do without it.

    \b
    Example:
      fleet impact krs-rh-r1
      fleet impact NEAS-8841
      fleet impact id-porten
    """
    fleet = open_app()
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    inventory = fleet.reader.inventory()
    if name in inventory.services and name not in {*inventory.devices, *inventory.sites}:
        _show_stop(inventory, find_stop(inventory, name, local(fleet.now()).date()), output)
        return
    network = Network(inventory, fleet.workspace.settings.poll.from_site)
    found = impact_of(network, name)
    if output is Output.TABLE:
        _show(network, name, found)
    elif output is Output.CSV:
        show_rows(list(_rows(found)), output, _COLUMNS)
    else:
        cut_off = {
            "devices": list(found.devices),
            "sites": list(found.sites),
            "users": found.users,
            "services": list(found.services),
        }
        degraded = list(found.degraded_sites)
        show_value({"cut_off": cut_off, "degraded_sites": degraded}, output)


def _show_stop(inventory: Inventory, found: Stop, output: Output) -> None:
    """What stops with a service."""
    if output in (Output.JSON, Output.YAML):
        value = {
            "service": found.service,
            "services": list(found.services),
            "broken": [{"service": name, "needs": gone} for name, gone in found.broken],
            "sites": list(found.sites),
            "users": found.users,
        }
        show_value(value, output)
        return
    rows = [
        *({"effect": f"needs {gone}", "kind": "service", "name": n} for n, gone in found.broken),
        *({"effect": "does without it", "kind": "site", "name": s} for s in found.sites),
    ]
    if output is Output.CSV:
        show_rows(rows, output, _COLUMNS)
        return
    say(
        f"If {found.service} stops: {count_of(len(found.sites), 'site')} with "
        f"{count_of(found.users, 'user')} do without it; "
        f"needed by {count_of(len(found.services), 'service')}"
    )
    for name, gone in found.broken:
        say(f"  breaks    {name} – {gone}  {inventory.services[name].name}")
    for slug in found.sites:
        site = inventory.sites[slug]
        say(f"  without   {slug}  {site.name}, {count_of(site.users or 0, 'user')}")


def _rows(found: Impact) -> list[Row]:
    groups = (
        ("cut off", "site", found.sites),
        ("cut off", "service", found.services),
        ("cut off", "device", found.devices),
        ("degraded", "site", found.degraded_sites),
    )
    return [
        {"effect": effect, "kind": kind, "name": name}
        for effect, kind, names in groups
        for name in names
    ]


def _show(network: Network, name: str, found: Impact) -> None:
    if not network.roots:
        hint("hint: no poll.from_site in fleet.toml and no data centre: ways lead nowhere")
    if not _rows(found):
        say(f"If {name} fails, nothing else is cut off.")
        return
    say(
        f"If {name} fails: cut off {count_of(len(found.sites), 'site')} with "
        f"{count_of(found.users, 'user')}, {count_of(len(found.services), 'service')}, "
        f"{count_of(len(found.devices), 'other device')}; "
        f"{count_of(len(found.degraded_sites), 'site')} degraded"
    )
    sites = network.inventory.sites
    for slug in found.sites:
        say(f"  cut off   {slug}  {sites[slug].name}, {count_of(sites[slug].users or 0, 'user')}")
    for slug in found.services:
        say(f"  stops     {slug}  {network.inventory.services[slug].name}")
    for slug in found.degraded_sites:
        say(f"  degraded  {slug}  {sites[slug].name}")
    for device in found.devices:
        say(f"  cut off   {device}")
