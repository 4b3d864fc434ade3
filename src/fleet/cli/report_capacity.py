"""`fleet report capacity`"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Annotated

import typer

from fleet.cli.at import instant
from fleet.cli.options import MemberOption, Output, OutputOption, open_app
from fleet.cli.report_filling import (
    GROWTH,
    Group,
    day_text,
    fillings,
    give_fillings,
    years,
)
from fleet.cli.report_rows import (
    PAGES,
    LanguageOption,
    PageOption,
    PublicOption,
    give_rows,
    inventory_with,
    look_of,
    names_of,
)
from fleet.cli.show import count_of, note, say
from fleet.core.adoption import percent
from fleet.core.capacity import Capacity, Share, readings, shares
from fleet.core.growth import Trend, growth_of
from fleet.core.moment import local
from fleet.core.record import Record
from fleet.errors import Malformed, NotFound

_COLUMNS = {
    "capacity": "Capacity",
    "member": "Member",
    "amount": "Used",
    "unit": "",
    "percent": "% of used",
    "services": "Services",
}


_ALL = "all"  # members together
_GROWTH = {"capacity": "Capacity", "member": "Member", **GROWTH, "readings": "Readings"}


def capacity(
    at: Annotated[str | None, typer.Option("--at", metavar="DATE", help="Default: today.")] = None,
    member: MemberOption = None,
    growth: Annotated[
        bool, typer.Option("--growth", help="How fast it grows, and when it is full.")
    ] = False,
    by: Annotated[
        Group | None, typer.Option("--by", help="Growth of what was measured, a row for each.")
    ] = None,
    language: LanguageOption = None,
    public: PublicOption = False,
    out: PageOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Who uses how much of what is shared; the members' parts add up to what is used.

    With --growth: in how many years it doubles and when it is full, each with the interval in
    which it lies 98 times of 100. Six readings in half a year are the fewest that tell; a replaced
    disk or a deleted archive is no growth. With --by: the same of storage, processors and lines as
    they were measured.

    \b
    Example:
      fleet report capacity
      fleet report capacity --growth
      fleet report capacity --by member
      fleet report capacity --by site --out full.html --language nn
      fleet report capacity --member smola --at 2025-01-01
    """
    if public and by is Group.DEVICE:
        raise Malformed("of single machines nothing is public", hint="--by site, member or service")
    fleet = open_app()
    inventory = inventory_with(fleet, member)
    known = {c.slug: c for c in fleet.books(inventory).capacities}
    day = local(fleet.now() if at is None else instant(fleet, at)).date()
    if by is not None:
        found = fillings(fleet, inventory, member, list(known.values()), day, by)
        look = look_of(fleet, inventory.members.get(member or ""), language, public=public)
        give_fillings(found, by, day, look, names_of(inventory, by.value), out, output)
        return
    if out is not None and out.suffix in PAGES:
        raise Malformed("a page tells when it is full", hint="--by site, member or service")
    if not known:
        raise NotFound(
            "no capacity is written down",
            hint="inventory/capacity.yaml; what was measured: fleet report capacity --by site",
        )
    tell = say if out is None and output is Output.TABLE else note
    if growth:
        rows = [row for one in known.values() for row in _growths(one, day, member)]
        give_rows(rows, _GROWTH, out, output, title="growth")
        _tell_basis(rows, tell)
        return
    every = shares(known.values(), day)
    rows = [_row(one, known[one.capacity]) for one in every if member in (None, one.member)]
    give_rows(rows, _COLUMNS, out, output, title="capacity")
    _tell_used(known, every, day, public=public, tell=tell)


def _tell_used(
    known: Mapping[str, Capacity],
    every: Sequence[Share],
    day: date,
    *,
    public: bool,
    tell: Callable[[str], None],
) -> None:
    for slug, one in sorted(known.items()):
        used = sum((s.amount for s in every if s.capacity == slug), Decimal())
        kept = ", kept for good: nothing of it is deleted" if one.is_archive else ""
        host = "" if public else f" ({one.host})"
        tell(f"{one.name}{host}: {used} of {one.size} {one.unit} used on {day}{kept}")


def _tell_basis(rows: Sequence[Record], tell: Callable[[str], None]) -> None:
    """On whose growth that of the whole rests, where too little was read of others."""
    by_capacity: dict[str, dict[str, bool]] = {}
    for row in rows:
        is_known = row["trend"] != Trend.TOO_SHORT.value
        by_capacity.setdefault(str(row["capacity"]), {})[str(row["member"])] = is_known
    for slug, members in by_capacity.items():
        is_told = members.pop(_ALL, False)
        known = [member for member, is_known in members.items() if is_known]
        if is_told and known and (others := len(members) - len(known)):
            of = f"of {count_of(others, 'other')} there are too few readings"
            tell(f"{slug}: how all of it grows rests on {', '.join(known)}; {of}")


def _row(one: Share, of: Capacity) -> Record:
    return {
        "capacity": one.capacity,
        "member": one.member,
        "amount": str(one.amount),
        "unit": of.unit,
        "percent": percent(one.part),
        "services": {name or "–": str(amount) for name, amount in one.services.items()},
    }


def _growths(one: Capacity, day: date, member: str | None) -> Iterator[Record]:
    """How all of it grows, and each member's part; only the whole of it can be full."""
    whose = [None, *sorted({usage.member for usage in one.used})] if member is None else [member]
    for who in whose:
        found = growth_of([(on, amount) for on, amount in readings(one, who) if on <= day])
        doubling = found.doubling_years() or (None, None, None)
        full = found.full_on(float(one.size)) if who is None else None
        is_told = found.trend in (Trend.GROWS, Trend.SHRINKS)
        yield {
            "capacity": one.slug,
            "member": who or _ALL,
            "trend": found.trend.value,
            "percent_a_year": round(found.percent_a_year, 1) if is_told else None,
            **dict(
                zip(
                    ("doubles_years", "doubles_from", "doubles_to"),
                    map(years, doubling),
                    strict=True,
                )
            ),
            **dict(
                zip(
                    ("full_on", "full_from", "full_to"),
                    map(day_text, full or (None,) * 3),
                    strict=True,
                )
            ),
            "readings": found.readings,
        }
