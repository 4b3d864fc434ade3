"""`fleet find`"""

import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import Output, OutputOption, new_command, open_app
from fleet.cli.show import Row, hint, show_rows
from fleet.core.codes import read_code
from fleet.core.lookup import readable, to_mac
from fleet.core.moment import from_us, short_text

if TYPE_CHECKING:
    from fleet.store.reader import Reader

app = new_command()

_LINES = 200  # of a table: who gets more has to type more
_PORTS = 3  # where a MAC was seen: the likeliest, and what is on the way to it

_COLUMNS = {
    "kind": "Kind",
    "name": "Name",
    "member": "Member",
    "site": "Site",
    "field": "Field",
    "value": "Value",
}


@app.command()
def find(
    text: Annotated[str, typer.Argument(metavar="TEXT|-", help="What you know of it; -: many.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Find anything by what you know of it, also by a part.

    Name, address, MAC in any notation, serial, asset tag, room, rack, circuit id, description,
    the code of a label. Of a MAC also where it was last seen, by the switches' tables.
    What matches exactly is shown alone; else what begins with the text or holds it. With - many
    are read from standard input, one in a line. Ends with 1 if one is not found.

    \b
    Example:
      fleet find 0011.2233.4455
      fleet find U-101
      fleet find - < serials.txt
    """
    fleet = open_app()
    if fleet.reader is None:
        if output is not Output.TABLE:
            show_rows([], output, _COLUMNS)
        hint("no inventory yet: fleet sync")
        finish(FINDINGS)
        return
    many = text == "-"
    lines = sys.stdin.read().splitlines() if many else [text]
    asked = [readable(line.strip()) for line in lines if line.strip() or not many]
    found = {one: _rows(fleet.reader, one) for one in dict.fromkeys(asked)}
    label = ("asked",) if many else ()
    rows = [{**dict.fromkeys(label, one), **row} for one, mine in found.items() for row in mine]
    shown = rows[:_LINES] if output is Output.TABLE else rows
    if rows or output is not Output.TABLE:
        show_rows(shown, output, {**dict.fromkeys(label, "Asked"), **_COLUMNS})
    if len(rows) > len(shown):
        hint(f"{len(rows) - len(shown)} more: type more of it, or take all with -o csv")
    missing = [one for one, mine in found.items() if not mine]
    for one in missing:
        hint(f"nothing is known by `{one}`{_instead(fleet.reader, one)}")
    finish(FINDINGS if missing or not rows else 0)


def _instead(reader: "Reader", text: str) -> str:
    """What may have been meant: a machine that was taken away, or a name that is spelt alike."""
    if (retired := reader.retired_device(text)) is not None:
        name, when = retired
        gone = f" since {when[:10]}" if when else ""
        return f" any more: device {name} is retired{gone}; fleet history device {name}"
    close = reader.close_to(text)
    return f"; did you mean {', '.join(f'`{name}`' for name in close)}?" if close else ""


def _rows(reader: "Reader", text: str) -> list[Row]:
    code = read_code(text)
    keys = reader.find(code[1] if code else text)
    if code and code[0] == "device":
        keys = [key for key in keys if (key.kind, key.name) == ("device", code[1])][:1]
    if code and code[0] == "room":
        keys = [key for key in keys if (key.field, key.site) == ("room", code[2])]
    rows: list[Row] = [{name: getattr(key, name) for name in _COLUMNS} for key in keys]
    mac = to_mac(text)
    return rows if mac is None else rows + list(_plugged_in(reader, mac))


def _plugged_in(reader: "Reader", mac: str) -> Iterator[Row]:
    """At which ports of switches a MAC address was last seen, the likeliest first."""
    found = reader.sightings(mac)[:_PORTS]
    if not found:
        return
    inventory = reader.inventory()
    for one in found:
        device = inventory.devices.get(one.device)
        site = inventory.sites.get(device.site) if device else None
        since, last = (short_text(from_us(at)) for at in (one.since_us, one.last_us))
        stay = f"since {since}, last seen {last}" if one.is_there else f"from {since} to {last}"
        seen = f"{mac} {stay}"
        beside = f", with {one.beside} more behind the port" if one.beside else ""
        yield {
            "kind": "interface",
            "name": f"{one.device} : {one.port}",
            "member": site.member if site else None,
            "site": site.slug if site else None,
            "field": "seen behind",
            "value": seen + (f", VLAN {one.vlan}" if one.vlan else "") + beside,
        }
