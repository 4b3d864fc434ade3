"""Gathering what leaders ask, for a quarter: of the cooperation, or of one member."""

from collections.abc import Sequence
from datetime import date, timedelta

from fleet.core.adoption import adoption_of
from fleet.core.board import Board, Cost, Quarter
from fleet.core.cost import Key, Statement
from fleet.core.inventory import Inventory
from fleet.core.lifecycle import Ending, endings
from fleet.core.moment import later
from fleet.core.money import from_ore
from fleet.core.procurement import purchases, saved
from fleet.core.record import Record
from fleet.core.replacement import replacements
from fleet.core.uptime import UptimeReport, percent, seconds
from fleet.errors import NotFound
from fleet.flows.balance import population_date
from fleet.flows.books import Books
from fleet.flows.cost import Wanted, ore_of, report_cost

_DECIDING = (Ending.NOTICE, Ending.CONTRACT, Ending.OPTION)


def board(
    inventory: Inventory,
    books: Books,
    quarter: Quarter,
    member: str | None,
    key: Key,
    *,
    everybody: Inventory,
    uptime: UptimeReport,
    proposals: Sequence[Record],
) -> Board:
    """Gather the answers.

    Args:
        inventory: as it was at the end of the quarter.
        everybody: with the members of all years, for what they pay.
        uptime: of the sites in the quarter.
        proposals: what was proposed, as `list_proposals` gives it.
    """
    last, last_day = quarter.end, quarter.end - timedelta(days=1)
    members = [m.slug for m in inventory.members.values() if m.is_member(last_day)]
    sites = [s for s in inventory.sites.values() if not s.retired and member in (None, s.member)]
    used = [
        adoption_of(inventory, s, last_day).using
        for s in inventory.services.values()
        if not s.retired and s.use
    ]
    due = [
        r
        for r in replacements(inventory, books.models, quarter.year, quarter.year + 1)
        if member in (None, r.owner)
    ]
    ends = endings(inventory, last, later(last, 12), books.models, books.agreements)
    bought = purchases(books.agreements, date(quarter.year, 1, 1), last)
    mine = [p for p in proposals if member is None or member in p["asked"]]
    return Board(
        quarter=quarter,
        member=member,
        name=everybody.members[member].at(last_day).name if member else None,
        members=len(members),
        sites=len(sites),
        users=sum(site.users or 0 for site in sites),
        devices=sum(
            d.is_polled and member in (None, inventory.member_of(d))
            for d in inventory.devices.values()
        ),
        services=sum(bool(u) if member is None else member in u for u in used),
        all_services=len(used),
        uptime=uptime,
        cost=_cost(everybody, books, quarter.year, member, key),
        ends=[e for e in ends if e.ending in _DECIDING],
        replaced=sum(len(r.devices) for r in due),
        replacing=sum(r.ore for r in due),
        unpriced=sum(r.unpriced for r in due),
        saved=saved([p for p in bought if member in (None, p.member)]),
        open=[p for p in mine if p["state"] == "open" and member in (None, *p["waiting"])],
        decided=[p for p in mine if p["state"] in ("carried", "fallen")],
    )


def to_document(board: Board, *, is_public: bool) -> Record:
    """The answers as other programs read them; amounts are text in kroner.

    Args:
        is_public: without the names of machines, and without proposals.
    """
    total, cost = board.uptime.total, board.cost
    return {
        "quarter": board.quarter.name,
        "member": board.member,
        "members": board.members,
        "sites": board.sites,
        "users": board.users,
        "devices": board.devices,
        "services": board.services,
        "downtime_s": seconds(total.downtime),
        "longest_outage_s": seconds(total.longest),
        "availability_percent": percent(total.availability),
        "coverage_percent": percent(total.coverage),
        "causes": [
            {
                "kind": c.kind,
                "name": None if is_public else c.name,
                "downtime_s": seconds(c.downtime),
            }
            for c in board.uptime.causes
        ],
        "year": cost.year,
        "cost": None if cost.ore is None else from_ore(cost.ore),
        "cost_before": None if cost.before is None else from_ore(cost.before),
        "lines": [{"name": name, "difference": from_ore(ore)} for name, ore in cost.lines],
        "ends": [
            {"day": e.day.isoformat(), "what": e.ending.value, "name": e.name} for e in board.ends
        ],
        "replace": {"devices": board.replaced, "amount": from_ore(board.replacing)},
        "saved": from_ore(board.saved),
        "open": [] if is_public else [one["id"] for one in board.open],
        "decided": [] if is_public else [one["id"] for one in board.decided],
    }


def _cost(inventory: Inventory, books: Books, year: int, member: str | None, key: Key) -> Cost:
    now, before = (_statement(inventory, books, y, key) for y in (year, year - 1))
    after, first = (_lines(statement, member) for statement in (now, before))
    both = {name: after.get(name, 0) - first.get(name, 0) for name in {**first, **after}}
    changed = [(name, ore) for name, ore in both.items() if ore]
    return Cost(
        year=year,
        ore=sum(after.values()) if now else None,
        before=sum(first.values()) if before else None,
        lines=sorted(changed, key=lambda line: (-abs(line[1]), line[0])),
        people=now.population_date if now else None,
        people_before=before.population_date if before else None,
    )


def _statement(inventory: Inventory, books: Books, year: int, key: Key) -> Statement | None:
    """What members pay in a year; None if nothing cost anything in it."""
    try:
        people = population_date(inventory, year)
        wanted = Wanted(year=year, key=key, population_date=people)
        return report_cost(inventory, wanted, books)
    except NotFound:
        return None


def _lines(statement: Statement | None, member: str | None) -> dict[str, int]:
    if statement is None:
        return {}
    if member is None:
        return {pot.name: pot.ore for pot in statement.pots}
    row = next((row for row in statement.rows if row.member == member), None)
    return ore_of(row)
