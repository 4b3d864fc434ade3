"""What if people moved from some sites to another: the load on it, and who pays for them."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from fleet.core.cost_line import CostLine, Sharing
from fleet.core.inventory import Inventory, LinkKind
from fleet.errors import Malformed, NotFound


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """A site before and after.

    Args:
        capacity_mbps: of its links to other sites, without the mobile ones; None: not known.
    """

    site: str
    users: int
    users_after: int
    capacity_mbps: int | None

    def per_user(self, users: int) -> Fraction | None:
        """Megabits a second for each of so many; None without them, or if it is not known."""
        if self.capacity_mbps is None or not users:
            return None
        return Fraction(self.capacity_mbps, users)


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """How many people go from where to where."""

    site: str
    to: str
    users: int


def plan_moves(
    inventory: Inventory, sites: Collection[str], to: str, users: Mapping[str, int]
) -> list[Move]:
    """Who would move.

    Args:
        sites: that people leave.
        users: how many leave a site; all if it is not there.

    Raises:
        NotFound: there is no such site.
        Malformed: more would leave a site than are there.
    """
    moves = []
    for slug in dict.fromkeys((*sites, to)):
        if slug not in inventory.sites or inventory.sites[slug].retired:
            raise NotFound(f"there is no site `{slug}`", hint=f"try: fleet find {slug}")
    for slug in dict.fromkeys(sites):
        there = inventory.sites[slug].users or 0
        leaving = users.get(slug, there)
        if leaving > there:
            raise Malformed(f"{leaving} users cannot leave {slug}: {there} are there")
        if slug == to:
            raise Malformed(f"{slug} is where they go", hint="--to another site")
        moves.append(Move(site=slug, to=to, users=leaving))
    return moves


def loads(inventory: Inventory, moves: Sequence[Move]) -> list[Load]:
    """The sites that people leave, and the one to which they go, before and after."""
    change: dict[str, int] = {}
    for move in moves:
        change[move.site] = change.get(move.site, 0) - move.users
        change[move.to] = change.get(move.to, 0) + move.users
    capacities = _capacities(inventory)
    return [
        Load(
            site=slug,
            users=inventory.sites[slug].users or 0,
            users_after=(inventory.sites[slug].users or 0) + more,
            capacity_mbps=capacities.get(slug),
        )
        for slug, more in sorted(change.items())
    ]


def _capacities(inventory: Inventory) -> dict[str, int]:
    found: dict[str, int] = {}
    for link in inventory.links.values():
        if link.retired or link.kind is LinkKind.MOBILE or link.capacity_mbps is None:
            continue
        ends = {inventory.end(link.a).site, inventory.end(link.b).site} - {None}
        if len(ends) == 2:
            for slug in ends:
                found[slug or ""] = found.get(slug or "", 0) + link.capacity_mbps
    return found


def move_quantities(
    inventory: Inventory, lines: Sequence[CostLine], moves: Sequence[Move], service: str | None
) -> list[CostLine]:
    """The cost lines by use as they were if the people's use went with them to another member.

    Args:
        service: only lines that are for it; all if None.
    """
    return [
        replace(line, quantities=_moved(inventory, line, moves))
        if line.sharing is Sharing.USE and service in (None, line.service)
        else line
        for line in lines
    ]


def _moved(inventory: Inventory, line: CostLine, moves: Sequence[Move]) -> dict[str, int]:
    """What members use after the moves; nobody takes more along than there is."""
    used = dict(line.quantities)
    for move in moves:
        here, there = (inventory.sites[slug].member for slug in (move.site, move.to))
        taken = min(move.users, used.get(here, 0))
        used[here] = used.get(here, 0) - taken
        used[there] = used.get(there, 0) + taken
    return dict(sorted(used.items()))
