"""`fleet report capacity --by`: how what was measured fills up."""

from collections.abc import Mapping, Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path

from fleet.app import App
from fleet.cli.options import Output
from fleet.cli.report_rows import PAGES, give_rows, write_page
from fleet.core.capacity import Capacity
from fleet.core.filling import Filling, fill_each, fill_groups
from fleet.core.growth import Trend
from fleet.core.inventory import Device, Inventory
from fleet.core.record import Record
from fleet.core.units import bits, octets
from fleet.errors import NotFound
from fleet.flows.lookup import Scope, select
from fleet.report.look import Look

GROWTH = {
    "trend": "Trend",
    "percent_a_year": "% a year",
    "doubles_years": "Doubles in years",
    "doubles_from": "from",
    "doubles_to": "to",
    "full_on": "Full on",
    "full_from": "from",
    "full_to": "to",
}
_FILLING = {"name": "Name", "resource": "What", "used": "Used", "size": "Of", **GROWTH}


class Group(StrEnum):
    DEVICE = "device"
    SITE = "site"
    MEMBER = "member"
    SERVICE = "service"


def fillings(
    fleet: App,
    inventory: Inventory,
    member: str | None,
    capacities: list[Capacity],
    day: date,
    by: Group,
) -> list[Filling]:
    """How what was measured fills up, the first to be full first.

    Raises:
        NotFound: nothing was measured.
    """
    from fleet.flows.filling import components

    metrics = fleet.metrics()
    if metrics is None:
        raise NotFound("nothing was measured yet", hint="fleet poll measures in every fifth cycle")
    whose = None if by is Group.MEMBER else member
    devices = select(inventory, "device", Scope(member=whose))
    own = [d for d in devices if isinstance(d, Device)]
    assert fleet.reader is not None
    with metrics:
        parts = list(components(metrics, fleet.reader, inventory, own, capacities, day))
    found = fill_each(parts) if by is Group.DEVICE else fill_groups(parts, by.value)
    if by is Group.MEMBER and member is not None:
        found = [one for one in found if one.name == member]
    if not found:
        hint = "fleet poll measures; a day counts when it is over"
        raise NotFound("nothing of that was measured for a whole day yet", hint=hint)
    latest = date.max
    found.sort(key=lambda f: (not f.is_full, (f.full or (None,))[0] or latest, f.resource, f.name))
    return found


def give_fillings(
    found: Sequence[Filling],
    by: Group,
    day: date,
    look: Look,
    names: Mapping[str, str],
    out: Path | None,
    output: Output,
) -> None:
    """Show them, or write them to a file.

    Args:
        names: of what they are grouped by, by slug.
    """
    if out is not None and out.suffix in PAGES:
        from fleet.report.capacity_page import render_filling

        write_page(out, render_filling(found, by.value, day, look, names))
        return
    rows = [_row(one) for one in found]
    shown = [_shown(row) for row in rows]
    give_rows(rows, _FILLING, out, output, title="growth", shown=shown)


def _row(one: Filling) -> Record:
    doubling = one.growth.doubling_years() or (None, None, None)
    is_told = one.growth.trend in (Trend.GROWS, Trend.SHRINKS)
    names = ("doubles_years", "doubles_from", "doubles_to", "full_on", "full_from", "full_to")
    values = (*map(years, doubling), *map(day_text, one.full or (None,) * 3))
    return {
        "name": one.name,
        "resource": one.resource.value,
        "used": round(one.used, 1),
        "size": None if one.size is None else round(one.size, 1),
        "trend": one.growth.trend.value,
        "percent_a_year": round(one.growth.percent_a_year, 1) if is_told else None,
        **dict(zip(names, values, strict=True)),
        "weeks": one.growth.readings,
    }


def _shown(row: Record) -> Record:
    units = {"storage": octets, "traffic": bits, "processor": "{:.0f} %".format}
    form = units[row["resource"]]
    size = None if row["size"] is None else form(row["size"])
    shown = {**row, "used": form(row["used"]), "size": size}
    if row["size"] is not None and row["full_on"] and row["used"] >= row["size"]:
        shown |= {"full_on": "now", "full_from": None, "full_to": None}
    return shown


def years(value: float | None) -> float | None:
    return None if value is None else round(value, 2)


def day_text(value: date | None) -> str | None:
    return value.isoformat() if value else None
