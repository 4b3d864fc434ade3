"""`fleet export`"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from fleet.app import App
from fleet.cli.export_metrics import Step, export_metrics
from fleet.cli.options import MemberOption, SiteOption, YesOption, new_command, open_app
from fleet.cli.show import count_of, note, say
from fleet.core.inventory import KINDS, Inventory
from fleet.errors import Duplicate, Malformed, NotConfirmed, NotFound
from fleet.flows.change import rules_of
from fleet.flows.export import Export, plan_export, write_export
from fleet.flows.lookup import Scope, list_things, open_view, singular
from fleet.report.table import SUFFIXES, table_to_bytes
from fleet.sources.append import write_whole
from fleet.sources.files import read_files

app = new_command()

_SHOWN = 40


@app.command()
def export(
    what: Annotated[
        str,
        typer.Argument(
            metavar="inventory|archive|metrics|KIND",
            help="The inventory as files; decisions and contracts; measurements; or one list.",
        ),
    ],
    to: Annotated[Path, typer.Option("--to", help="A folder; for a list a file.")],
    member: MemberOption = None,
    site: SiteOption = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="Metrics: default 30 days.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Metrics: default now.")
    ] = None,
    step: Annotated[Step, typer.Option("--step", help="Of metrics.")] = Step.HOUR,
    yes: YesOption = False,
) -> None:
    """Write the joint inventory out: as the declared files, or one kind as a list.

    Into a folder that has an inventory already (such as inventory/), only the values that differ
    are written: comments, order and everything else in people's files stay as they are. A list
    is .csv, .xlsx, .json or .yaml, by its name. An archive is a .zip with decisions, contracts
    and who answered what, and a list of the digests of its files: the same bytes every time.
    Metrics are .csv or .parquet: a row for each hour (day, sample) of each series.

    \b
    Example:
      fleet export inventory --to inventory
      fleet export inventory --to /tmp/copy
      fleet export devices --member aure --to devices.xlsx
      fleet export archive --to decisions-2026.zip
      fleet export metrics --site krs-radhus --since 2026-10-01 --to october.parquet
    """
    fleet = open_app()
    if what == "inventory":
        _export_inventory(fleet, to, yes=yes)
    elif what == "archive":
        _export_archive(fleet, to, member)
    elif what == "metrics":
        scope = Scope(member=member, site=site)
        export_metrics(fleet, to, scope, since, until, step)
    else:
        _export_list(fleet, singular(what), to, Scope(member=member, site=site))


def _export_list(fleet: App, kind: str, to: Path, scope: Scope) -> None:
    if kind not in KINDS:
        raise NotFound(f"`{kind}` cannot be exported", hint=f"inventory, {', '.join(KINDS)}")
    if to.suffix not in SUFFIXES:
        raise Malformed(f"no form is known by `{to.name}`", hint=f"one of {', '.join(SUFFIXES)}")
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    poll = fleet.workspace.settings.poll
    view = open_view(fleet.reader, fleet.now(), poll.interval, poll.from_site)
    rows = list_things(view, kind, scope)
    write_whole(to, table_to_bytes(rows, to.suffix, f"{kind}s"))
    note(f"{count_of(len(rows), kind)} written to {to}.")


def _export_archive(fleet: App, to: Path, member: str | None) -> None:
    from fleet.flows.archive import archive_of, to_zip

    if to.suffix != ".zip":
        raise Malformed(f"an archive is no `{to.name}`", hint="--to archive.zip")
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    inventory = fleet.inventory()
    if member is not None and member not in inventory.members:
        raise NotFound(f"there is no member `{member}`", hint="fleet list members")
    files = archive_of(
        inventory,
        fleet.reader.proposals(),
        fleet.reader.answers(),
        rules_of(fleet.workspace.settings.approval),
        member,
    )
    write_whole(to, to_zip(files))
    note(f"{count_of(len(files), 'file')} written to {to}.")


def _export_inventory(fleet: App, to: Path, *, yes: bool) -> None:
    folder = to.absolute()
    declared = _declared(fleet, folder)
    made = plan_export(fleet.inventory(), declared)
    if made.is_empty:
        for line in _lines(made):
            say(line)
        note("The files say what the inventory has; nothing to write.")
        return
    write_declared(fleet, made, folder, yes=yes or declared == Inventory())


def write_declared(fleet: App, made: Export, folder: Path, *, yes: bool) -> None:
    """Show what changes in declared files, and write it after a yes.

    Raises:
        NotConfirmed: nobody said yes.
    """
    for line in _lines(made):
        say(line)
    if not yes:
        if not sys.stdin.isatty():
            raise NotConfirmed("nobody said yes; nothing was written", hint="use --yes")
        if not typer.confirm("Write this?", err=True):
            raise NotConfirmed("nothing was written")
    written = write_export(made, folder, lambda: _read(fleet, folder))
    for path in written:
        note(f"wrote {fleet.workspace.relative(path)}")


def _declared(fleet: App, folder: Path) -> Inventory:
    """What the folder says already; a folder with something else in it is left alone."""
    if not folder.exists() or not any(folder.iterdir()):
        return Inventory()
    if not (folder / "members.yaml").is_file():
        raise Duplicate(f"{folder} is not empty, and no inventory", hint="name a new folder")
    return _read(fleet, folder)


def _read(fleet: App, folder: Path) -> Inventory:
    return read_files(folder, folder.parent, fleet.workspace.settings.snmp.credentials)


def _lines(made: Export) -> "list[str]":
    lines = [
        f"change   {section} {' – '.join(edit.key)}: "
        + ", ".join(
            [
                *(f"{n} → {'–' if v is None else v}" for n, v in edit.fields.items()),
                *_ports(edit.ports),
            ]
        )
        for (_, section), edits in made.edits.items()
        for edit in edits
    ]
    shown = lines[:_SHOWN]
    if len(lines) > _SHOWN:
        shown.append(f"… and {len(lines) - _SHOWN} more")
    shown += [
        f"add      {count_of(len(entries), section[:-1])} to {Path(member, section)}"
        for (member, section), entries in made.entries.items()
    ]
    return shown + [f"by hand  {what} {why}" for what, why in made.by_hand]


def _ports(ports: object) -> "list[str]":
    return [f"interface {name}" for name in ports] if isinstance(ports, dict) else []
