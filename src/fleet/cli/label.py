"""`fleet label`"""

from pathlib import Path
from typing import Annotated

import typer

from fleet.cli.completing import names
from fleet.cli.options import MemberOption, SiteOption, new_command, open_app
from fleet.cli.report_rows import inventory_with, write
from fleet.cli.show import count_of, note
from fleet.core.labels import SHEETS, Label, of_device, of_places, on_sheets
from fleet.errors import NotFound

app = new_command()

_SUFFIXES = (".pdf", ".svg")


@app.command()
def label(
    out: Annotated[
        Path, typer.Option("--out", metavar="FILE", help=".pdf, or .svg for each sheet.")
    ],
    devices: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DEVICE]…", help="Only these machines.", autocompletion=names("device")
        ),
    ] = None,
    member: MemberOption = None,
    site: SiteOption = None,
    places: Annotated[
        bool, typer.Option("--places", help="Of sites and rooms instead of machines.")
    ] = False,
    sheet: Annotated[
        str, typer.Option("--sheet", help=f"Of labels: {', '.join(SHEETS)}.")
    ] = "L7160",
    skip: Annotated[
        int, typer.Option("--skip", min=0, help="Labels of the first sheet that are gone.")
    ] = 0,
) -> None:
    """Make sheets of labels with a QR code, the name, the asset tag and the number to ring.

    The code holds an id, which `fleet find` and `fleet audit` understand. Print without scaling.

    \b
    Example:
      fleet label --site krs-skole --out labels.pdf
      fleet label krs-rh-sw1 krs-rh-r1 --sheet L7651 --skip 12 --out labels.pdf
      fleet label --site krs-skole --places --out rooms.svg
    """
    if out.suffix not in _SUFFIXES:
        raise typer.BadParameter(f"a file that ends in {', '.join(_SUFFIXES)}", param_hint="--out")
    if sheet not in SHEETS:
        raise typer.BadParameter(f"one of {', '.join(SHEETS)}", param_hint="--sheet")
    if devices and (places or site or member):
        raise typer.BadParameter("name machines, or say whose or of where", param_hint="DEVICE")
    labels = _labels(devices or [], member, site, places=places)
    if not labels:
        raise NotFound("there is nothing to label", hint="fleet list devices --site …")
    pages = on_sheets(labels, SHEETS[sheet], skip)
    from fleet.report.labels import to_html, to_svg

    drawn = [to_svg(page, SHEETS[sheet]) for page in pages]
    if out.suffix == ".pdf":
        from fleet.report.files import to_pdf

        write(out, to_pdf(to_html(drawn)))
    else:
        for number, svg in enumerate(drawn, start=1):
            name = out if len(drawn) == 1 else out.with_stem(f"{out.stem}-{number}")
            write(name, svg.encode())
    note(f"{count_of(len(labels), 'label')} on {count_of(len(drawn), 'sheet')} {sheet}: {out}")


def _labels(
    devices: list[str], member: str | None, site: str | None, *, places: bool
) -> list[Label]:
    inventory = inventory_with(open_app(), member)
    if site is not None and site not in inventory.sites:
        raise NotFound(f"there is no site `{site}`", hint=f"try: fleet find {site}")
    for name in devices:
        if name not in inventory.devices or inventory.devices[name].retired:
            raise NotFound(f"there is no device `{name}`", hint=f"try: fleet find {name}")
    sites = [
        s
        for _, s in sorted(inventory.sites.items())
        if not s.retired and member in (None, s.member) and site in (None, s.slug)
    ]
    if places:
        return [one for s in sites for one in of_places(inventory, s)]
    mine = [d for s in sites for d in inventory.devices_by_site.get(s.slug, ())]
    return [
        of_device(inventory, d)
        for d in mine
        if not d.retired and (not devices or d.name in devices)
    ]
