"""`fleet list`"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated

import typer

from fleet.app import App
from fleet.cli.at import AtOption, instant
from fleet.cli.options import MemberOption, Output, OutputOption, SiteOption, new_command, open_app
from fleet.cli.show import Row, cell, hint, local_times, show_rows
from fleet.errors import NotFound
from fleet.flows.lookup import Scope, list_changes, list_things, open_view, open_view_at, singular
from fleet.flows.maintenance import outage_rows

app = new_command()

COLUMNS: dict[str, dict[str, str]] = {
    "member": {"slug": "Member", "name": "Name", "number": "Number", "county": "County"},
    "site": {"slug": "Site", "member": "Member", "kind": "Kind", "name": "Name", "users": "Users"},
    "device": {
        "name": "Device",
        "member": "Member",
        "site": "Site",
        "role": "Role",
        "state": "State",
        "address": "Address",
        "serial": "Serial",
        "status": "Status",
    },
    "interface": {
        "device": "Device",
        "name": "Interface",
        "mac": "MAC",
        "address": "Address",
        "description": "Description",
    },
    "link": {
        "a": "A",
        "b": "B",
        "kind": "Kind",
        "capacity_mbps": "Mbit/s",
        "provider": "Provider",
        "circuit_id": "Circuit",
    },
    "service": {"slug": "Service", "name": "Name", "group": "Group", "criticality": "Criticality"},
    "contract": {
        "slug": "Contract",
        "supplier": "Supplier",
        "from": "From",
        "until": "Until",
        "cost_per_year": "NOK/year",
    },
    "outage": {
        "outage": "Outage",
        "site": "Site",
        "state": "State",
        "since": "Since",
        "until": "Until",
        "root": "Root cause",
        "cause": "Cause",
        "corrected": "Counts as",
    },
    "change": {
        "at": "When",
        "actor": "Who",
        "source": "Source",
        "action": "Action",
        "kind": "Kind",
        "key": "What",
        "fields": "Fields",
    },
}


@app.command("list")
def list_(
    kind: Annotated[str, typer.Argument(metavar="KIND", help="members, sites, devices …")],
    member: MemberOption = None,
    site: SiteOption = None,
    role: Annotated[str | None, typer.Option("--role", help="Only devices of this role.")] = None,
    status: Annotated[str | None, typer.Option("--status", help="Only of this status.")] = None,
    by: Annotated[str | None, typer.Option("--by", help="Count by this field.")] = None,
    at: AtOption = None,
    all_: Annotated[bool, typer.Option("--all", help="Retired ones too.")] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """List what the joint inventory has.

    KIND: members, sites, devices, interfaces, links, services, contracts, outages, changes.

    \b
    Example:
      fleet list devices --site krs-radhus
      fleet list sites --by kind
      fleet list members --at 2013-06-01
    """
    fleet = open_app()
    kind = singular(kind)
    scope = Scope(member=member, site=site, role=role, status=status, retired_too=all_)
    rows = _rows(fleet, kind, scope, at)
    if fleet.reader is None:
        hint("no inventory yet: fleet sync")
    if by is not None:
        counted = [*_count(rows, by, kind)]
        if output is Output.TABLE:
            counted.append({by: "total", "count": len(rows)})
        show_rows(counted, output, {by: by.capitalize(), "count": "Count"})
        return
    if output is Output.TABLE:
        rows = [local_times(row) for row in rows]
    show_rows(rows, output, COLUMNS[kind])


def _rows(fleet: App, kind: str, scope: Scope, at: str | None) -> Sequence[Row]:
    if fleet.reader is None:
        return []
    poll = fleet.workspace.settings.poll
    if at is not None:
        if kind in ("change", "outage"):
            raise typer.BadParameter(f"{kind}s have their own times", param_hint="--at")
        return list_things(
            open_view_at(fleet.reader, instant(fleet, at), poll.from_site), kind, scope
        )
    view = open_view(fleet.reader, fleet.now(), poll.interval, poll.from_site)
    if kind == "change":
        return list_changes(fleet.reader, view, scope)
    if kind != "outage":
        return list_things(view, kind, scope)
    every = replace(scope, retired_too=True)
    devices = {row["name"] for row in list_things(view, "device", every)}
    rows = outage_rows(fleet.reader, view.inventory, view.now, poll.interval)
    return [row for row in rows if row["device"] in devices]


def _count(rows: Sequence[Row], field: str, kind: str) -> Sequence[Row]:
    if rows and field not in rows[0]:
        raise NotFound(f"{kind}s have no field `{field}`", hint=f"fields: {', '.join(rows[0])}")
    counts = Counter(cell(row[field]) for row in rows)
    return [{field: value, "count": n} for value, n in sorted(counts.items())]
