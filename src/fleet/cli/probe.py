"""`fleet probe`"""

import ipaddress
import json
import re
import sys
from collections.abc import Callable, Sequence
from typing import Annotated

import typer

from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import Output, OutputOption, new_command, open_app
from fleet.cli.probe_card import card_of
from fleet.cli.show import say, show_value
from fleet.core.record import Record
from fleet.core.walk import Target
from fleet.errors import Malformed, NoSecret
from fleet.flows.probe import probe
from fleet.log import keep_secret
from fleet.report.csv_text import to_csv

app = new_command()

_SNMP = 161
_BRACKETED = re.compile(r"\[([^\]]+)\](?::(.*))?")


@app.command("probe", no_args_is_help=True)
def probe_(
    addresses: Annotated[
        list[str], typer.Argument(metavar="ADDRESS[:PORT]…", help="Whom to ask; [IPv6]:PORT too.")
    ],
    credential: Annotated[
        str, typer.Option("--credential", metavar="NAME", help="Which of the settings to ask with.")
    ] = "default",
    community: Annotated[
        str | None,
        typer.Option(
            "--community",
            metavar="TEXT",
            help="Ask with this community (version 2c) instead; `-` reads it from standard input.",
        ),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Ask devices who they are: maker, platform, model, ports, neighbours, supplies …

    Nothing is stored. With `-o json`, one object for each address, one a line, in the order given.

    \b
    Example:
      fleet probe 10.15.5.11
      fleet probe 10.15.5.11 10.15.5.12:1161 --credential core -o json
    """
    targets = [_target(number, text, credential) for number, text in enumerate(addresses)]
    given = _read_community() if community == "-" else community
    if given == "":
        raise NoSecret("the community is empty", hint="leave --community out, or say one")
    secret = None if given is None else keep_secret(given)
    snmp = open_app().snmp({credential}, community=secret)
    rows: list[Record | None] = [None] * len(targets)
    show = _in_order(rows, output)

    def hear(number: int, row: Record) -> None:
        rows[number] = {**row, "credential": None} if given is not None else row
        show()

    probe(snmp, targets, hear)
    whole = [row for row in rows if row is not None]
    if output in (Output.YAML, Output.CSV):
        _show_all(whole, output)
    finish(0 if all(row["reachable"] for row in whole) else FINDINGS)


def _in_order(rows: Sequence[Record | None], output: Output) -> Callable[[], None]:
    """Shows what there is, as soon as everything before it was shown."""
    shown = 0

    def show() -> None:
        nonlocal shown
        while shown < len(rows) and (row := rows[shown]) is not None:
            shown += 1
            if output is Output.JSON:
                say(json.dumps(row, ensure_ascii=False))
            elif output is Output.TABLE:
                for line in card_of(row):
                    say(line)

    return show


def _show_all(rows: Sequence[Record], output: Output) -> None:
    if output is Output.CSV:
        sys.stdout.write(to_csv(rows, list(rows[0])))
    else:
        show_value(list(rows), output)


def _read_community() -> str:
    text = sys.stdin.readline().strip()
    if not text:
        raise Malformed("no community on standard input", hint="echo COMMUNITY | fleet probe …")
    return text


def _target(number: int, text: str, credential: str) -> Target:
    host, port = _split(text)
    if not _is_host(host) or not 0 < port < 65_536:
        raise Malformed(
            f"`{text}` is no address", hint="ADDRESS, ADDRESS:PORT, [IPv6]:PORT or a host name"
        )
    return Target(name=f"{number} {text}", address=host, port=port, credential=credential)


def _split(text: str) -> tuple[str, int]:
    """Host and port; port 0 if it is none."""
    if bracketed := _BRACKETED.fullmatch(text):
        return bracketed[1], _port(bracketed[2]) if bracketed[2] else _SNMP
    if text.count(":") == 1:
        host, _, port = text.partition(":")
        return host, _port(port)
    return text, _SNMP


def _is_host(host: str) -> bool:
    """An IP address or a host name; digits and dots are an address, and a whole one."""
    if re.fullmatch(r"[\d.]+", host) or ":" in host:
        try:
            ipaddress.ip_address(host)
        except ValueError:
            return False
        return True
    return re.fullmatch(r"[\w.-]+", host) is not None


def _port(text: str) -> int:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 5 else 0
