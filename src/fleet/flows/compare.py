"""Members side by side, posts by year, and what the cooperation was worth over the years."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from fractions import Fraction

from fleet.core.adoption import adoption_of, percent
from fleet.core.comparison import (
    FEWEST_EVENTS,
    Compared,
    age_of,
    letters,
    polled_of,
    ranks,
)
from fleet.core.cost import Statement
from fleet.core.figures import FigureKind
from fleet.core.inventory import Inventory
from fleet.core.money import from_ore
from fleet.core.record import Record
from fleet.core.uptime import Figures
from fleet.flows.books import Books

_SHOWN = (FigureKind.SURVEY, FigureKind.INDICATOR)


def compare(
    inventory: Inventory,
    books: Books,
    year: int,
    day: date,
    *,
    uptime: Sequence[Figures],
    statement: Statement | None,
    people: Mapping[str, int],
) -> list[Compared]:
    """The members of a day.

    Args:
        inventory: as it was on the day.
        uptime: by member.
        statement: of what members pay in the year.
        people: inhabitants by member.
    """
    members = sorted(m.slug for m in inventory.members.values() if m.is_member(day))
    up = {row.name: row for row in uptime}
    paid = {row.member: row.ore for row in statement.rows} if statement else {}
    using = {
        slug: adoption_of(inventory, service, day).using
        for slug, service in inventory.services.items()
        if service.use and not service.retired
    }
    rows = []
    for slug in members:
        member, devices = inventory.members[slug], polled_of(inventory, slug)
        sites = [s for s in inventory.sites.values() if s.member == slug and not s.retired]
        age, aged = age_of(devices, day)
        rows.append(
            Compared(
                member=slug,
                name=member.name,
                population=people.get(slug),
                users=sum(site.users or 0 for site in sites),
                sites=len(sites),
                devices=len(devices),
                age_years=age,
                aged=aged,
                uptime=up.get(slug),
                ore=paid.get(slug),
                services=sum(slug in users for users in using.values()),
                tickets=_tickets(books, slug, year),
                others={
                    series.slug: series.of(slug, year)
                    for series in books.figures
                    if series.kind in _SHOWN
                },
            )
        )
    placed = ranks(rows)
    return [replace(row, rank=placed.get(row.member)) for row in rows]


def _tickets(books: Books, member: str, year: int) -> Decimal | None:
    found = [s.of(member, year) for s in books.figures if s.kind is FigureKind.TICKETS]
    known = [value for value in found if value is not None]
    return sum(known, Decimal()) if known else None


def to_row(row: Compared) -> Record:
    """A member as other programs read it."""
    up = row.uptime
    return {
        "member": row.member,
        "name": row.name,
        "population": row.population,
        "users": row.users,
        "sites": row.sites,
        "devices": row.devices,
        **_ratios(row),
        "cost": None if row.ore is None else from_ore(row.ore),
        "n": {
            "devices_with_age": row.aged,
            "incidents": row.incidents,
            "known_hours": up.known // 3_600_000_000 if up else 0,
        },
    }


def to_anonymous(rows: Sequence[Compared], published: Collection[str]) -> list[Record]:
    """The same for others to read: no names, and nothing by which one could tell who it is.

    The letters follow the figures themselves, so that they say nothing more than these; what a
    member pays for an inhabitant follows from its known population, and is left out.

    Args:
        published: indicators that anybody can look up with the name beside them.
    """
    found = []
    for row in rows:
        ratios = _ratios(row)
        del ratios["cost_per_inhabitant"]
        figures = {k: v for k, v in ratios["figures"].items() if k not in published}
        few = row.incidents < FEWEST_EVENTS
        found.append(ratios | {"figures": figures, "incidents": None if few else row.incidents})
    found.sort(key=lambda row: json.dumps(row, sort_keys=True))
    return [{"member": letters(n), **row} for n, row in enumerate(found)]


def _ratios(row: Compared) -> Record:
    up = row.uptime
    few = row.incidents < FEWEST_EVENTS
    return {
        "devices_per_1000": _text(row.per_thousand(row.devices)),
        "devices_per_user": _text(row.per_user(row.devices), 2),
        "age_years": _text(row.age_years),
        "incidents_per_1000_users": None if few else _text(row.per_user(row.incidents * 1000)),
        "rank": row.rank,
        "availability_percent": percent(up.availability) if up else None,
        "measured_percent": percent(up.coverage) if up else None,
        "cost_per_inhabitant": _text(row.per_thousand(_kroner(row.ore, 1000)), 2),
        "cost_per_user": _text(row.per_user(_kroner(row.ore)), 2),
        "services": row.services,
        "tickets_per_1000": _text(row.per_thousand(row.tickets)),
        "figures": {s: None if v is None else str(v) for s, v in row.others.items()},
    }


def _kroner(ore: int | None, of: int = 1) -> Fraction | None:
    return None if ore is None else Fraction(ore, 100 * of)


def _text(value: Fraction | None, digits: int = 1) -> str | None:
    """A value with so many decimals, half away from zero."""
    if value is None:
        return None
    scaled = int(abs(value) * 10**digits + Fraction(1, 2))
    sign = "-" if value < 0 and scaled else ""
    return f"{sign}{scaled // 10**digits}.{scaled % 10**digits:0{digits}d}"


def staffing(books: Books, years: Sequence[int], inventories: Sequence[Inventory]) -> list[Record]:
    """Devices, sites and users per full-time post.

    Args:
        inventories: as it was, for each year.
    """
    rows = []
    for year, inventory in zip(years, inventories, strict=True):
        series = [s for s in books.figures if s.kind is FigureKind.STAFF]
        posts = sum((s.values.get(year, Decimal()) for s in series), Decimal())
        counts = {
            "devices": sum(d.is_polled for d in inventory.devices.values()),
            "sites": len([s for s in inventory.sites.values() if not s.retired]),
            "users": sum(s.users or 0 for s in inventory.sites.values() if not s.retired),
        }
        per = {
            f"{name}_per_post": _text(Fraction(count) / Fraction(posts)) if posts else None
            for name, count in counts.items()
        }
        rows.append({"year": year, "posts": str(posts) if posts else None, **counts, **per})
    return rows
