"""`fleet member join|leave|merge`"""

from datetime import date, datetime
from typing import Annotated

import typer

from fleet.app import App
from fleet.cli.export import write_declared
from fleet.cli.options import new_command, open_app
from fleet.cli.show import hint
from fleet.core.inventory import Language
from fleet.core.moment import parse_moment
from fleet.flows.export import Export
from fleet.flows.membership import Newcomer, plan_join, plan_leave, plan_merge

app = new_command()

SlugArgument = Annotated[str, typer.Argument(metavar="MEMBER", help="Its slug.")]
DayOption = Annotated[str, typer.Option("--on", metavar="DATE", help="The first day of it.")]
YesOption = Annotated[bool, typer.Option("--yes", help="Write it without asking.")]
NameOption = Annotated[str | None, typer.Option("--name", help="Of a new one.")]
NumberOption = Annotated[str | None, typer.Option("--number", help="Of the municipality.")]
CountyOption = Annotated[str | None, typer.Option("--county", help="Of a new one.")]
TongueOption = Annotated[Language | None, typer.Option("--language", help="nb, nn or neutral.")]


@app.callback()
def member() -> None:
    """Members that join, leave or merge: shows what changes in inventory/members.yaml, and asks."""


@app.command()
def leave(slug: SlugArgument, on: DayOption, yes: YesOption = False) -> None:
    """A member leaves: from that day on it is none. What was before stays as it was.

    \b
    Example:
      fleet member leave halsa --on 2020-01-01
    """
    fleet = open_app()
    declared = fleet.declared()
    _write(fleet, plan_leave(declared, fleet.workspace.inventory, slug, _day(on)), yes=yes)


@app.command()
def join(
    slug: SlugArgument,
    on: DayOption,
    name: NameOption = None,
    number: NumberOption = None,
    county: CountyOption = None,
    language: TongueOption = None,
    yes: YesOption = False,
) -> None:
    """A member joins, for the first time or again; the day counts.

    \b
    Example:
      fleet member join heim --on 2027-01-01
      fleet member join oppdal --on 2027-01-01 --name Oppdal --number 5021
    """
    fleet = open_app()
    newcomer = _newcomer(name, number, county, language)
    declared = fleet.declared()
    made = plan_join(declared, fleet.workspace.inventory, slug, _day(on), newcomer)
    _write(fleet, made, yes=yes)


@app.command()
def merge(
    slugs: Annotated[list[str], typer.Argument(metavar="MEMBER…", help="Those that end.")],
    into: Annotated[str, typer.Option("--into", metavar="MEMBER", help="Their heir (slug).")],
    on: DayOption,
    name: NameOption = None,
    number: NumberOption = None,
    county: CountyOption = None,
    language: TongueOption = None,
    yes: YesOption = False,
) -> None:
    """Members become one: on that day they end, and their heir is a member.

    Reports on the time before stay as they were. The heir counts with the populations of those
    before it, until it has its own.

    \b
    Example:
      fleet member merge averoy smola --into havet --name Havet --number 1599 --on 2030-01-01
    """
    fleet = open_app()
    newcomer = _newcomer(name, number, county, language)
    declared = fleet.declared()
    folder = fleet.workspace.inventory
    made = plan_merge(declared, folder, slugs, into, _day(on), newcomer)
    _write(fleet, made, yes=yes)
    hint(f"hint: the sites of {', '.join(slugs)} count as those of {into} from then on")


def _newcomer(
    name: str | None, number: str | None, county: str | None, language: Language | None
) -> Newcomer:
    tongue = language.value if language else None
    return Newcomer(name=name, number=number, county=county, language=tongue)


def _write(fleet: App, made: Export, *, yes: bool) -> None:
    write_declared(fleet, made, fleet.workspace.inventory, yes=yes)
    hint("hint: fleet sync takes it into the joint inventory")


def _day(text: str) -> date:
    found = parse_moment(text)
    if isinstance(found, datetime):
        raise typer.BadParameter(f"`{text}` is no day", param_hint="--on")
    return found
