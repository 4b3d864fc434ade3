"""`fleet impact`"""

from typing import Annotated

import typer

from fleet.cli.options import Output, OutputOption, new_command, open_app
from fleet.cli.show import Row, count_of, hint, say, show_rows, show_value
from fleet.core.impact import Impact
from fleet.core.topology import Network
from fleet.errors import NotFound
from fleet.flows.ways import impact_of

app = new_command()

_COLUMNS = {"effect": "What happens", "kind": "Kind", "name": "Name"}


@app.command()
def impact(
    name: Annotated[str, typer.Argument(metavar="NAME", help="A device, site, link or circuit.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Show who and what is cut off if something fails.

    Seen from where the poller stands (`from_site` in fleet.toml), else from the data centres.

    \b
    Example:
      fleet impact krs-rh-r1
      fleet impact NEAS-8841
    """
    fleet = open_app()
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    network = Network(fleet.reader.inventory(), fleet.workspace.settings.poll.from_site)
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
