"""`fleet correct`"""

from typing import Annotated

import typer

from fleet.cli.options import new_command, open_app
from fleet.cli.show import say
from fleet.core.lookup import nfc
from fleet.core.maintenance import Correction, Reading
from fleet.core.moment import parse_moment, to_us
from fleet.errors import Malformed, NotFound
from fleet.flows.maintenance import all_outages, find_target, name_of

app = new_command()


@app.command()
def correct(
    outage: Annotated[
        str, typer.Argument(metavar="OUTAGE", help="As `fleet list outages` names it.")
    ],
    reading: Annotated[Reading, typer.Option("--as", help="What it counts as.")],
    role: Annotated[str, typer.Option("--role", help="Who says so: a role, not a name.")],
    reason: Annotated[str, typer.Option("--reason", help="Why.")],
    start: Annotated[
        str | None, typer.Option("--start", metavar="TIME", help="Of a reported outage.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--end", metavar="TIME", help="Of a reported outage.")
    ] = None,
) -> None:
    """Say afterwards what an outage counts as.

    planned: like maintenance; excluded: not counted at all, with the reason beside the figures;
    user-reported: an outage of a device or site that fleet did not see; as-seen: takes back what
    was said before (of a reported one with its --start and --end). Appended, never overwritten;
    reports show figures with and without.

    \b
    Example:
      fleet correct krs-sk-r1@2026-10-07T07:12:00Z --as excluded --role "IT-leiar" \\
        --reason "county-wide power cut"
      fleet correct krs-skole --as user-reported --start 2026-10-08T09:00 --end 2026-10-08T10:30 \\
        --role "Rektor" --reason "no login for the pupils"
    """
    fleet = open_app()
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    if not role.strip() or not reason.strip():
        raise Malformed("--role and --reason must say something")
    if (start is None) != (end is None):
        raise typer.BadParameter("--start and --end go together")
    span = (to_us(parse_moment(start)), to_us(parse_moment(end))) if start and end else None
    now, interval = fleet.now(), fleet.workspace.settings.poll.interval
    outages = all_outages(fleet.reader, now, interval)
    target = find_target(outages, fleet.reader.inventory(), outage, reading, span, now)
    correction = Correction(
        id=0,
        kind=target.kind,
        name=target.name,
        start=target.start,
        end=target.end,
        reading=reading,
        role=nfc(role).strip(),
        reason=nfc(reason).strip(),
        actor=fleet.actor,
        at=to_us(now),
    )
    with fleet.store() as store:
        store.add_correction(correction)
    say(f"{name_of(target, reading)} counts as {reading.value}")
