"""What each member pays: totals split by keys, day by day, exact to the øre.

Each day costs its part of the year's total, shared by that day's members. All of it is counted in
fractions; øre are made once, at the very end: rounded down, and the rest to the largest
remainders, ties to the lowest municipality number. So what members pay adds up to the total.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction

from fleet.core.heirs import heirs_of
from fleet.core.inventory import Contract, Inventory, Member
from fleet.core.moment import local
from fleet.errors import Malformed

PARTS = ("population", "equal")
AMOUNT = "amount"  # the name of a pot that somebody gave
ROUNDING = "rounding"  # what the lines of a statement were rounded down


@dataclass(frozen=True, slots=True)
class Key:
    """How a total is shared: weights, not percentages, of the parts by population and equal."""

    weights: Mapping[str, Fraction]

    def __post_init__(self) -> None:
        if unknown := sorted(self.weights.keys() - set(PARTS)):
            raise ValueError(f"`{unknown[0]}` is no part of a key; there are {', '.join(PARTS)}")
        if any(weight < 0 for weight in self.weights.values()) or self.total <= 0:
            raise ValueError("the weights of a key are zero or more, and not all zero")

    @property
    def total(self) -> Fraction:
        return sum(self.weights.values(), Fraction())

    def part(self, name: str) -> Fraction:
        """The part of a total that is shared so, between 0 and 1."""
        return Fraction(self.weights.get(name, 0)) / self.total


@dataclass(frozen=True, slots=True)
class Stretch:
    """Days on which the same members share, the last one not included."""

    start: date
    end: date
    members: tuple[str, ...]

    def within(self, start: date, end: date) -> int:
        """How many of its days lie between two others."""
        return max((min(self.end, end) - max(self.start, start)).days, 0)

    @property
    def days(self) -> int:
        return (self.end - self.start).days


@dataclass(frozen=True, slots=True, kw_only=True)
class Pot:
    """Money that is shared by one key.

    Args:
        name: of a contract, or another one.
        ore: its total; negative for a grant.
        start, end: the days over which it is spread evenly, the last one not included.
        only: the members that share it; None: all of a day's.
        weights: by which members share it instead of the key: what each uses.
        each: what members pay a day for themselves alone, in øre; the total follows from the days
            on which they are members.
    """

    name: str
    ore: int
    key: Key
    start: date
    end: date
    only: frozenset[str] | None = None
    weights: Mapping[str, Fraction] | None = None
    each: Mapping[str, Fraction] | None = None

    def after(self, heirs: Mapping[str, str]) -> "Pot":
        """The same with the heirs of merged members in their places."""

        def moved(values: Mapping[str, Fraction] | None) -> Mapping[str, Fraction] | None:
            if values is None:
                return None
            found: dict[str, Fraction] = defaultdict(Fraction)
            for member, value in values.items():
                found[heirs.get(member, member)] += value
            return found

        only = None if self.only is None else frozenset(heirs.get(m, m) for m in self.only)
        return replace(self, only=only, weights=moved(self.weights), each=moved(self.each))

    def is_shared_by(self, member: str) -> bool:
        if self.weights is not None:
            return self.weights.get(member, 0) > 0
        return self.only is None or member in self.only

    def parts(self, there: Sequence[str], people: Mapping[str, int]) -> dict[str, Fraction]:
        """The part of each member on a day on which these share it; they add up to 1."""
        if self.weights is not None:
            used = sum(self.weights[m] for m in there)
            return {m: self.weights[m] / used for m in there}
        everybody = sum(people[m] for m in there)
        equal = self.key.part("equal") / len(there)
        by_people = self.key.part("population")
        return {m: by_people * Fraction(people[m], everybody) + equal for m in there}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What one member pays.

    Args:
        name, number: as they were on 1 January of the year.
        days: of membership in the year.
        parts: by pot, exactly.
    """

    member: str
    name: str
    number: str
    population: int
    days: int
    parts: Mapping[str, Fraction]
    ore: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """How the money of a year is shared.

    Args:
        population_date: the day whose populations count.
        rows: by member.
    """

    year: int
    population_date: date
    pots: tuple[Pot, ...]
    rows: tuple[Row, ...]

    @property
    def ore(self) -> int:
        return sum(pot.ore for pot in self.pots)


def state(
    inventory: Inventory,
    year: int,
    pots: Sequence[Pot],
    *,
    population_date: date,
    changes: Mapping[str, "WhatIf"] | None = None,
) -> Statement:
    """Share the money of a year.

    Args:
        changes: memberships as they might be, by member.

    Raises:
        Malformed: a population is not known, or a day has nobody to pay for it.
    """
    stretches = stretches_of(inventory.members.values(), year, changes or {})
    _check_days(stretches)
    there = sorted({member for stretch in stretches for member in stretch.members})
    people = {m: population_of(inventory, inventory.members[m], population_date) for m in there}
    parts: dict[str, dict[str, Fraction]] = {member: {} for member in there}
    shared = []
    for pot in pots:
        shares = share_of(pot, stretches, people, lambda day: heirs_of(inventory.members, day))
        for member, share in shares.items():
            parts[member][pot.name] = share
        is_each = pot.each is not None
        shared.append(replace(pot, ore=int(sum(shares.values()))) if is_each else pot)
    then = {m: inventory.members[m].at(date(year, 1, 1)) for m in there}
    numbers = {member: then[member].number or "" for member in there}
    exact = {member: sum(mine.values(), Fraction()) for member, mine in parts.items()}
    ore = round_to_ore(exact, numbers)
    rows = [
        Row(
            member=member,
            name=then[member].name or "",
            number=numbers[member],
            population=people[member],
            days=sum(s.days for s in stretches if member in s.members),
            parts=parts[member],
            ore=ore[member],
        )
        for member in there
    ]
    return Statement(
        year=year, population_date=population_date, pots=tuple(shared), rows=tuple(rows)
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class WhatIf:
    """A membership as it might be.

    Args:
        joined: member from this day on; None: as it was.
        left: no member from this day on; None: as it was.
    """

    joined: date | None = None
    left: date | None = None

    def is_member(self, member: Member, day: date) -> bool:
        if self.left is not None and day >= self.left:
            return False
        return member.is_member(day) or (self.joined is not None and day >= self.joined)


def stretches_of(
    members: Iterable[Member], year: int, changes: Mapping[str, WhatIf]
) -> list[Stretch]:
    """The days of a year, in stretches with the same members; the joining day counts, the leaving
    day does not."""
    every = sorted(members, key=lambda m: m.slug)
    first, after = date(year, 1, 1), date(year + 1, 1, 1)
    days = {day for m in every for day in _changing(m, changes.get(m.slug, _AS_IT_WAS))}
    starts = [first, *sorted(day for day in days if first < day < after)]
    ends = {m.ended for m in every}
    found: list[Stretch] = []
    for start, end in zip(starts, [*starts[1:], after], strict=True):
        there = tuple(m.slug for m in every if changes.get(m.slug, _AS_IT_WAS).is_member(m, start))
        # Where a member ended, its heir takes over, even if neither was a member just then.
        is_same = found and found[-1].members == there and start not in ends
        if is_same:
            found[-1] = Stretch(found[-1].start, end, there)
        else:
            found.append(Stretch(start, end, there))
    return found


def _changing(member: Member, what_if: WhatIf) -> Iterator[date]:
    """The days on which a membership may begin or end."""
    for stretch in member.memberships:
        yield from (day for day in (stretch.joined, stretch.left) if day is not None)
    ends = (member.ended, what_if.joined, what_if.left)
    yield from (day for day in ends if day is not None)


_AS_IT_WAS = WhatIf()


def _check_days(stretches: Sequence[Stretch]) -> None:
    for stretch in stretches:
        if not stretch.members:
            last = stretch.end - timedelta(days=1)
            raise Malformed(
                f"from {stretch.start} to {last} the cooperation has no member that could pay",
                hint="see `joined` and `left` in inventory/members.yaml",
            )


def population_of(inventory: Inventory, member: Member, day: date) -> int:
    """The people of a member on 1 January of a year; of what it was made of, before it was.

    Raises:
        Malformed: it is not known.
    """
    if day.year in member.population:
        return member.population[day.year]
    before = [
        m
        for m in inventory.members.values()
        if member.slug in m.successors and m.ended is not None and day < m.ended
    ]
    if before and all(m.successors == (member.slug,) for m in before):
        return sum(population_of(inventory, m, day) for m in before)
    raise Malformed(
        f"the population of {member.name} on {day} is not known",
        hint=f"inventory/members.yaml: {member.slug}: population: {{{day.year}: …}}, "
        "or another --population-date",
    )


def share_of(
    pot: Pot,
    stretches: Sequence[Stretch],
    people: Mapping[str, int],
    heirs: Callable[[date], Mapping[str, str]] = lambda _: {},
) -> dict[str, Fraction]:
    """What members pay of a pot, in fractions of an øre.

    Args:
        heirs: of members that had ended by a day.

    Raises:
        Malformed: on some day none of those that share it was a member.
    """
    every = (pot.end - pot.start).days
    found: dict[str, Fraction] = defaultdict(Fraction)
    for stretch in stretches:
        days = stretch.within(pot.start, pot.end)
        if not days:
            continue
        now = pot.after(heirs(stretch.start))
        if now.each is not None:
            for member in now.each.keys() & set(stretch.members):
                found[member] += now.each[member] * days
            continue
        there = [m for m in stretch.members if now.is_shared_by(m)]
        if not there:
            first = max(stretch.start, pot.start)
            raise Malformed(
                f"{pot.name}: from {first} on, for {days} days, none of those who share it is a "
                "member of the cooperation",
                hint="see who shares it, and `left` in inventory/members.yaml",
            )
        for member, part in now.parts(there, people).items():
            found[member] += Fraction(pot.ore * days, every) * part
    if pot.each is not None:
        return {member: Fraction(whole_ore(value)) for member, value in found.items()}
    return dict(found)


def round_to_ore(exact: Mapping[str, Fraction], numbers: Mapping[str, str]) -> dict[str, int]:
    """Fractions of øre that add up to whole øre → øre that add up to the same.

    Args:
        numbers: the municipality numbers, by which ties are decided.
    """
    total = sum(exact.values(), Fraction())
    if total.denominator != 1:
        raise ValueError(f"{total} is not a whole number of øre")
    sign = -1 if total < 0 else 1
    floors = {name: (value * sign) // 1 for name, value in exact.items()}
    rest = int(total) * sign - sum(floors.values())
    order = sorted(exact, key=lambda n: (-((exact[n] * sign) - floors[n]), numbers[n], n))
    return {n: sign * (floors[n] + (place < rest)) for place, n in enumerate(order)}


def pots_of(contracts: Iterable[Contract], year: int, key: Key) -> list[Pot]:
    """What contracts cost in a year: each its part of the year, to the whole øre.

    Args:
        key: of those that have none of their own.
    """
    first, after = date(year, 1, 1), date(year + 1, 1, 1)
    found = []
    for contract in sorted(contracts, key=lambda c: c.slug):
        gone = local(contract.retired).date() if contract.retired else after
        start, end = max(contract.from_, first), min(contract.until or after, gone, after)
        if contract.cost_per_year is None or end <= start:
            continue
        exact = Fraction(contract.cost_per_year) * 100 * (end - start).days / (after - first).days
        own = key if contract.split is None else Key(to_weights(contract.split))
        only = frozenset(contract.share_only) or None
        pot = Pot(
            name=contract.slug, ore=whole_ore(exact), key=own, start=start, end=end, only=only
        )
        found.append(pot)
    return found


def whole_ore(value: Fraction) -> int:
    """Half away from zero."""
    size = (abs(value) * 2 + 1) // 2
    return int(size if value >= 0 else -size)


def to_weights(weights: Mapping[str, int]) -> dict[str, Fraction]:
    """Whole weights as exact ones."""
    return {name: Fraction(weight) for name, weight in weights.items()}
