"""`fleet traps`"""

import asyncio
import json
from collections.abc import Mapping
from typing import Annotated

import typer

from fleet.cli.options import Output, OutputOption, new_command, open_app
from fleet.cli.show import note, say
from fleet.core.moment import text_of
from fleet.core.notification import Notification
from fleet.errors import Malformed

app = new_command()


@app.command()
def traps(
    listen: Annotated[
        str, typer.Option("--listen", metavar="ADDRESS:PORT", help="Where to listen.")
    ] = "0.0.0.0:162",
    credential: Annotated[
        list[str] | None,
        typer.Option("--credential", metavar="NAME", help="Accepted; repeatable. All, if absent."),
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", min=1, help="End after so many; else with Ctrl-C.")
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Receive traps and informs of SNMP versions 1, 2c and 3, and show them as they come.

    Nothing is stored. With `-o json`, one object a line. Informs are acknowledged.

    \b
    Example:
      fleet traps
      fleet traps --listen 0.0.0.0:1162 --count 1 -o json
    """
    from fleet.snmp.credentials import read_credentials
    from fleet.snmp.notifications import receive

    fleet = open_app()
    host, port = _address(listen)
    names = credential or list(fleet.workspace.settings.snmp.credentials)
    accesses = read_credentials(fleet.workspace, names)
    devices = {d.address: d.name for d in fleet.inventory().devices.values() if d.address}
    heard = 0

    def hear(notification: Notification) -> bool:
        nonlocal heard
        heard += 1
        _show(notification, devices, output)
        return heard == count

    asyncio.run(
        receive(
            host,
            port,
            accesses,
            hear,
            clock=fleet.now,
            ready=lambda: note(f"listening at {host} port {port}"),
        )
    )


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65_536:
        raise Malformed(f"`{text}` is no address", hint="such as 0.0.0.0:162 or [::]:162")
    return host.strip("[]"), int(port)


def _show(found: Notification, devices: Mapping[str, str], output: Output) -> None:
    device = devices.get(found.address)
    row = {
        "at": text_of(found.at),
        "device": device,
        "address": found.address,
        "port": found.port,
        "version": found.version,
        "name": found.name,
        "kind": found.kind,
        "uptime_s": found.uptime_s,
        "values": dict(found.values),
    }
    if output is not Output.TABLE:
        say(json.dumps(row, ensure_ascii=False))
        return
    who = f"{device} ({found.address})" if device else found.address
    said = ", ".join(f"{name} = {value}" for name, value in found.values.items())
    say(f"{row['at']}  {who}  {found.name or found.kind or '?'}  {said}".rstrip())
