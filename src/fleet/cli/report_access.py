"""`fleet report access`"""

from collections.abc import Sequence

from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import MemberOption, Output, OutputOption, open_app
from fleet.cli.report_rows import OutOption, PublicOption, give_rows, inventory_with
from fleet.cli.show import note
from fleet.core.access import Access, AccessTable
from fleet.core.moment import local
from fleet.core.record import Record
from fleet.errors import NotFound
from fleet.flows.status import open_situation


def access(
    member: MemberOption = None,
    public: PublicOption = False,
    out: OutOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Home login: from how many sites of a member one reaches the portal of each other, now.

    Portals are services of kind `intranet` or `portal`, of the members that use them. Ends with 1
    if a site reaches one of them not, and names what is not up on the way.

    \b
    Example:
      fleet report access
      fleet report access --member smola -o json
    """
    fleet = open_app()
    inventory_with(fleet, member)
    assert fleet.reader is not None
    poll = fleet.workspace.settings.poll
    situation = open_situation(fleet.reader, fleet.now(), poll.interval, poll.from_site)
    table = AccessTable(situation.network, situation.failed, local(fleet.now()).date())
    if not table.portals:
        raise NotFound(
            "no member has a portal", hint="inventory/services.yaml: a service of kind `intranet`"
        )
    cells = [cell for cell in table.cells() if member in (None, cell.from_)]
    columns = {"from": "From", **{to: to for to in table.portals}}
    rows = [_row(cell) for cell in cells]
    hidden = ("blocked", "portals") if public else ()
    shown = _matrix(cells, names=not public)
    give_rows(rows, columns, out, output, title="access", shown=shown, hidden=hidden)
    blocked = [(site, why) for cell in cells for site, why in cell.blocked.items()]
    for site, why in sorted(set(blocked)) if not public else ():
        note(f"{site} is cut off by {', '.join(why) or 'a missing link: none is declared'}")
    finish(FINDINGS if blocked else 0)


def _row(cell: Access) -> Record:
    return {
        "from": cell.from_,
        "to": cell.to,
        "portals": list(cell.portals),
        "sites": cell.sites,
        "reaching": cell.sites - len(cell.blocked),
        "blocked": [{"site": site, "by": list(why)} for site, why in cell.blocked.items()],
    }


def _matrix(cells: Sequence[Access], *, names: bool) -> list[Record]:
    """A row for each member: how many of its sites reach each portal, and what is in the way."""
    rows: dict[str, Record] = {}
    for cell in cells:
        text = f"{cell.sites - len(cell.blocked)} of {cell.sites}"
        if cell.blocked and names:
            why = sorted({name for names in cell.blocked.values() for name in names})
            text += f" ({', '.join(why) or 'no link'})"
        rows.setdefault(cell.from_, {"from": cell.from_})[cell.to] = text
    return list(rows.values())
