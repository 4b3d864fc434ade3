"""`fleet import`"""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from fleet.app import App
from fleet.cli.export import write_declared
from fleet.cli.options import YesOption, new_command, open_app
from fleet.cli.show import count_of, hint, note
from fleet.errors import NotFound
from fleet.flows.outages import import_outages
from fleet.flows.take_over import Taken, take_over
from fleet.sources.outages import read_covers, read_outages
from fleet.sources.sheets import read_sheets
from fleet.sources.vocabulary import (
    SYSTEMS,
    Mapped,
    plain,
    read_mapping,
    to_slug,
    vocabulary_of,
    write_mapping,
)

app = new_command()


@app.callback()
def import_() -> None:
    """Take over lists and history from spreadsheets and other systems."""


@app.command()
def outages(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV: device,start,end,state,cause")],
    covers: Annotated[
        str, typer.Option("--covers", metavar="FROM/TO", help="The time the file is complete for.")
    ],
    all_: Annotated[
        bool, typer.Option("--all", help="Devices that are not in the file were up, too.")
    ] = False,
) -> None:
    """Take over outages from another system.

    For the rest of the covered time the devices in the file count as up. Time that fleet polled
    itself stays as it was. Importing the same file again changes nothing.

    \b
    Example:
      fleet import outages 2026-09.csv --covers 2026-09-01/2026-10-01 --all
    """
    fleet = open_app()
    if fleet.reader is None:
        raise NotFound("there is no inventory yet", hint="fleet sync")
    now = fleet.now()
    span = read_covers(covers, now)
    found = read_outages(file, span, fleet.reader.inventory().devices)
    with fleet.store() as store:
        report = import_outages(
            store,
            found,
            covers=span,
            every_device=all_,
            now=now,
            interval=fleet.workspace.settings.poll.interval,
        )
    count = sum(map(len, found.values()))
    note(f"{count} outages, {report.devices} devices covered, {report.changed} changed")
    for name, overlap in list(report.overlaps.items())[:10]:
        note(f"fleet polled {name} itself for {overlap} of that time; what it saw stays")
    if len(report.overlaps) > 10:
        hint(f"… and {len(report.overlaps) - 10} more devices")


_FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help=".xlsx or .csv")]
_SystemOption = Annotated[
    str | None, typer.Option("--from", metavar="SYSTEM", help=f"Whose list: {', '.join(SYSTEMS)}.")
]
_MappingOption = Annotated[
    str | None,
    typer.Option("--mapping", metavar="NAME", help="Kept in mappings/. Default: as the file."),
]
_MapOption = Annotated[
    list[str] | None,
    typer.Option("--map", metavar="HEAD=FIELD", help="What a column is; or =skip."),
]
_ValueOption = Annotated[
    list[str] | None,
    typer.Option("--value", metavar="FIELD:WORD=VALUE", help="What a word in a column is."),
]
_SetOption = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="FIELD=VALUE", help="For all of which the list says nothing."),
]


_HELP = {
    "devices": """Take over a list of machines into inventory/.

    Heads and words are understood in Norwegian and English; several tables on a sheet, titles,
    merged cells and sums too. It is shown how the list was understood and what it changes. What
    the list does not say stays as it is; whoever is not in it stays, too.

    \b
    Example:
      fleet import devices utstyr.xlsx
      fleet import devices utstyr.xlsx --value 'role:Stabelsvitsj=switch' --map 'Merknad=skip'
      fleet import devices devices.csv --from netbox --yes
    """,
    "sites": """Take over a list of places into inventory/. As with machines.

    \b
    Example:
      fleet import sites bygg.xlsx --set member=smola
    """,
    "links": """Take over a list of network links into inventory/. As with machines.

    \b
    Example:
      fleet import links samband.csv --set kind=fibre
    """,
}


def _add_command(kind: str) -> None:
    """The command for lists of one kind; all have the same options."""

    @app.command(kind, help=_HELP[kind])
    def take_over_(
        file: _FileArgument,
        system: _SystemOption = None,
        mapping: _MappingOption = None,
        map_: _MapOption = None,
        value: _ValueOption = None,
        set_: _SetOption = None,
        yes: YesOption = False,
    ) -> None:
        _take_over(kind, file, system, mapping, (map_ or [], value or [], set_ or []), yes=yes)


for _kind in _HELP:
    _add_command(_kind)


def _take_over(
    kind: str,
    file: Path,
    system: str | None,
    mapping: str | None,
    said: tuple[list[str], list[str], list[str]],
    *,
    yes: bool,
) -> None:
    fleet = open_app()
    name = to_slug(mapping or file.stem)
    if not name:
        raise typer.BadParameter("give it a name of letters and digits", param_hint="--mapping")
    path = fleet.workspace.root / "mappings" / f"{name}.yaml"
    mapped = _mapped(read_mapping(path, kind), system, *said)
    sheets, problems = read_sheets(file)
    taken = take_over(
        sheets,
        problems,
        kind,
        fleet.declared(),
        vocabulary_of(kind, mapped),
        mapped.set,
        fleet.workspace.settings.snmp.credentials,
    )
    _check_heads(said[0], taken)
    _tell(taken, kind, mapped)
    if taken.export.is_empty:
        count = sum(table.rows for table in taken.tables)
        note(
            "the inventory says all of that already" if count else "nothing stands below the heads"
        )
        if not yes or not count:
            return
    else:
        write_declared(fleet, taken.export, fleet.workspace.inventory, yes=yes)
        hint("hint: fleet sync takes it over")
    _keep(fleet, path, mapped, taken)


def _mapped(
    kept: Mapped,
    system: str | None,
    heads: Sequence[str],
    words: Sequence[str],
    given: Sequence[str],
) -> Mapped:
    """What the workspace kept, with what is said now."""
    values = {name: dict(found) for name, found in kept.values.items()}
    for text in words:
        left, value = _pair(text, "=", "--value")
        field, word = _pair(left, ":", "--value")
        values.setdefault(field, {})[word] = value
    return kept.model_copy(
        update={
            "system": system or kept.system,
            "heads": {**kept.heads, **dict(_pair(text, "=", "--map") for text in heads)},
            "values": values,
            "set": {**kept.set, **dict(_pair(text, "=", "--set") for text in given)},
        }
    )


def _pair(text: str, sign: str, option: str) -> tuple[str, str]:
    left, found, right = text.rpartition(sign) if sign == "=" else text.partition(sign)
    if not found or not left.strip() or not right.strip():
        raise typer.BadParameter(f"`{text}` is not of the form …{sign}…", param_hint=option)
    return left.strip(), right.strip()


def _check_heads(said: Sequence[str], taken: Taken) -> None:
    there = {plain(head): head for table in taken.tables for head in table.heads}
    for text in said:
        head, _ = _pair(text, "=", "--map")
        if plain(head) not in there:
            raise NotFound(f"no column is called `{head}`", hint=", ".join(there.values()))


def _tell(taken: Taken, kind: str, mapped: Mapped) -> None:
    if mapped.set:
        note(f"for all that is new: {', '.join(f'{n} {v}' for n, v in mapped.set.items())}")
    for table in taken.tables:
        title = f" ({table.title})" if table.title != table.sheet else ""
        note(f"{table.sheet}{title}: {count_of(table.rows, kind[:-1])}")
        known = [f"{h} → {n} ({table.samples[h]})" for h, n in table.heads.items() if n]
        note(f"  {', '.join(known)}")
        if rest := [head for head, name in table.heads.items() if not name]:
            note(f"  left out: {', '.join(rest)}")
    for line in taken.left_out:
        note(f"left out: {line}")


def _keep(fleet: App, path: Path, mapped: Mapped, taken: Taken) -> None:
    """Keep what the heads meant, so that the next list like this means the same."""
    heads = {head: name or "skip" for table in taken.tables for head, name in table.heads.items()}
    if write_mapping(path, mapped.model_copy(update={"heads": {**heads, **mapped.heads}})):
        note(f"wrote {fleet.workspace.relative(path)}")
