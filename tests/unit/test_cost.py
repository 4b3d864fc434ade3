"""The cost key: exact to the øre, day by day, the remaining øre to the largest remainders."""

import math
import random
from collections import Counter
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from fleet.core.cost import Key, Pot, WhatIf, pots_of, round_to_ore, state
from fleet.core.inventory import Contract, Inventory, Member, Membership
from fleet.core.money import from_ore, to_amount
from fleet.errors import Malformed
from fleet.flows.cost import parse_rule

SEVENTY_THIRTY = Key({"population": Fraction(70), "equal": Fraction(30)})
# Inhabitants on 1 January 2013 of the 13: Statistics Norway, table 07459.
PEOPLE = {
    "1505": 24131,
    "1543": 2995,
    "1548": 9614,
    "1551": 3476,
    "1554": 5651,
    "1557": 2557,
    "1560": 3116,
    "1563": 7205,
    "1566": 5927,
    "1567": 2061,
    "1571": 1606,
    "1573": 2180,
    "1576": 3570,
}


def member(
    number: str, people: int, joined: date = date(1997, 1, 1), left: date | None = None
) -> Member:
    return Member(
        slug=f"m{number}",
        name=f"M{number}",
        number=number,
        memberships=(Membership(joined=joined, left=left),),
        population=dict.fromkeys(range(2000, 2030), people),
    )


def split(
    members: Sequence[Member], ore: int, year: int = 2013, key: Key = SEVENTY_THIRTY
) -> dict[str, int]:
    inventory = Inventory(members={m.slug: m for m in members})
    pot = Pot(name="all", ore=ore, key=key, start=date(year, 1, 1), end=date(year + 1, 1, 1))
    made = state(inventory, year, [pot], population_date=date(year, 1, 1))
    return {row.number: row.ore for row in made.rows}


THIRTEEN = [member(number, people) for number, people in PEOPLE.items()]


def test_ten_million_over_the_thirteen_of_2013() -> None:
    got = split(THIRTEEN, 1_000_000_000)

    assert sum(PEOPLE.values()) == 74_089
    # 7,000,000.00 × 24131 / 74089 = 2,279,920.096…; 3,000,000.00 / 13 = 230,769.230…
    assert got["1505"] == 251_068_933
    assert got["1571"] == 38_250_566
    assert sum(got.values()) == 1_000_000_000


def test_one_ore_goes_to_the_largest_remainder() -> None:
    got = split(THIRTEEN, 1)

    assert got == {number: int(number == "1505") for number in PEOPLE}


def test_a_grant_is_split_as_its_absolute_value() -> None:
    paid, given = split(THIRTEEN, 250_000_000), split(THIRTEEN, -250_000_000)

    assert {number: -ore for number, ore in paid.items()} == given
    assert sum(given.values()) == -250_000_000


def test_ties_go_to_the_lowest_municipality_number() -> None:
    twins = [member("0301", 100), member("0219", 100), member("0220", 100)]

    assert split(twins, 100) == {"0219": 34, "0220": 33, "0301": 33}
    assert split(twins, -100) == {"0219": -34, "0220": -33, "0301": -33}


def test_a_year_in_which_one_joins_and_one_leaves() -> None:
    # 2013 has 365 days: 181 before 1 July, 184 from then on.
    there = member("0001", 100)
    leaves = member("0002", 100, left=date(2013, 7, 1))
    joins = member("0003", 200, joined=date(2013, 7, 1))

    got = split([there, leaves, joins], 36_500)  # one krone a day

    equally = Fraction(30, 100)
    assert got == {
        "0001": round(181 * 50 + 184 * 100 * (Fraction(70, 100) / 3 + equally / 2)),
        "0002": 181 * 50,
        "0003": round(184 * 100 * (Fraction(70, 100) * 2 / 3 + equally / 2)),
    }


def test_what_a_member_was_made_of_counts_before_it_was() -> None:
    one = member("0001", 100)
    old = [
        Member(
            slug=slug,
            name=slug,
            number=number,
            memberships=(Membership(joined=date(1997, 1, 1)),),
            population={2020: people},
            ended=date(2020, 7, 1),
            successors=("new",),
        )
        for slug, number, people in (("a", "0002", 60), ("b", "0003", 40))
    ]
    new = Member(
        slug="new",
        name="New",
        number="0004",
        memberships=(Membership(joined=date(2020, 7, 1)),),
    )

    got = split([one, *old, new], 36_600, 2020)

    # 182 days with 100 + 60 + 40 inhabitants in three, 184 with 100 + 100 in two.
    assert got["0004"] == 184 * 50
    assert got["0001"] == 182 * (35 + 10) + 184 * 50
    assert sum(got.values()) == 36_600


def test_contracts_cost_their_days_and_keep_their_own_key_and_circle() -> None:
    members = {m.slug: m for m in (member("0001", 300), member("0002", 100), member("0003", 1))}
    contracts = [
        Contract(
            slug="net",
            supplier="S",
            from_=date(2013, 7, 1),
            cost_per_year=Decimal("365.00"),
            share_only=("m0001", "m0002"),
            split={"population": 100},
        ),
        Contract(slug="over", supplier="S", from_=date(2001, 1, 1), until=date(2013, 1, 1)),
    ]

    pots = pots_of(contracts, 2013, SEVENTY_THIRTY)
    made = state(Inventory(members=members), 2013, pots, population_date=date(2013, 1, 1))

    assert [(pot.name, pot.ore) for pot in pots] == [("net", 184_00)]
    assert [row.ore for row in made.rows] == [138_00, 46_00, 0]


def test_a_membership_as_it_might_be() -> None:
    members = {m.slug: m for m in (member("0001", 100), member("0002", 100))}
    pot = Pot(
        name="x",
        ore=36_500,
        key=SEVENTY_THIRTY,
        start=date(2013, 1, 1),
        end=date(2014, 1, 1),
    )

    made = state(
        Inventory(members=members),
        2013,
        [pot],
        population_date=date(2013, 1, 1),
        changes={"m0002": WhatIf(left=date(2013, 1, 11))},
    )

    assert [(row.days, row.ore) for row in made.rows] == [(365, 36_000), (10, 500)]


def test_a_day_without_members_is_refused() -> None:
    with pytest.raises(Malformed, match=r"from 2013-03-01 to 2013-12-31 the cooperation has no"):
        split([member("0001", 100, left=date(2013, 3, 1))], 100)


def test_a_population_that_is_not_known_is_refused() -> None:
    with pytest.raises(Malformed, match="the population of M0001 on 1999-01-01 is not known"):
        split([member("0001", 100)], 100, 1999)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("population=70;equal=30", "not of the form"),
        ("people=70,equal=30", "`people` is no part of a key"),
        ("population=0,equal=0", "not all zero"),
        ("population=-70,equal=30", "not of the form"),
        ("population=7e1", "not of the form"),
        ("population=70,population=30", "stands twice"),
        ("", "not of the form"),
    ],
)
def test_a_key_that_is_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse_rule(text)


@pytest.mark.parametrize("text", ["12,5", "1e6", "1 000", "0.001", "NaN", "", "+5", "1_0", "٣"])
def test_an_amount_is_written_with_a_point(text: str) -> None:
    with pytest.raises(ValueError, match="is no amount"):
        to_amount(text)


@pytest.mark.parametrize(("ore", "text"), [(0, "0.00"), (-5, "-0.05"), (-123_45, "-123.45")])
def test_ore_are_shown_with_two_decimals(ore: int, text: str) -> None:
    assert from_ore(ore) == text


# --- a second way to the same


def second(
    rows: Sequence[tuple[str, int, int, int]], ore: int, days: int, weights: tuple[int, int]
) -> dict[str, int]:
    """With whole numbers over one common denominator; days with the same people are alike.

    Args:
        rows: number, population, first and last day (not included) of the year.
    """
    size, sign = abs(ore), -1 if ore < 0 else 1
    alike = Counter(tuple(row[2] <= day < row[3] for row in rows) for day in range(days))
    bottom, parts = 1, []
    for pattern, times in alike.items():
        there = [row for row, is_there in zip(rows, pattern, strict=True) if is_there]
        people = sum(row[1] for row in there)
        below = people * len(there)
        bottom = math.lcm(bottom, below)
        for number, population, _, _ in there:
            top = weights[0] * population * len(there) + weights[1] * people
            parts.append((number, times * top, below))
    tops = {row[0]: sum(t * (bottom // b) for n, t, b in parts if n == row[0]) for row in rows}
    every = bottom * days * sum(weights)
    found = {number: divmod(size * top, every) for number, top in tops.items()}
    left = size - sum(whole for whole, _ in found.values())
    first = sorted(found, key=lambda number: (-found[number][1], number))[:left]
    return {number: sign * (found[number][0] + (number in first)) for number in found}


def test_a_second_implementation_agrees_over_20000_cases() -> None:
    chance = random.Random(1997)
    for _ in range(20_000):
        year = chance.choice((2012, 2013))
        start, days = date(year, 1, 1), 366 if year == 2012 else 365
        rows = [("0001", chance.randint(1, 30_000), 0, days)]  # somebody is there every day
        for number in range(2, chance.randint(2, 6)):
            change = chance.choice((0, 0, chance.randint(1, days - 1)))
            span = (0, days) if not change else chance.choice(((0, change), (change, days)))
            rows.append((f"{number:04}", chance.randint(1, 30_000), *span))
        members = [
            member(
                number,
                people,
                joined=start + timedelta(first),
                left=start + timedelta(last) if last < days else None,
            )
            for number, people, first, last in rows
        ]
        weights = (chance.randint(0, 100), chance.randint(1, 100))
        ore = chance.choice((1, -1, 0, -250_000_000, chance.randint(-(10**9), 10**9)))
        key = Key({"population": Fraction(weights[0]), "equal": Fraction(weights[1])})

        assert split(members, ore, year, key) == second(rows, ore, days, weights)


def test_what_is_no_whole_number_of_ore_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="whole number"):
        round_to_ore({"a": Fraction(1, 2)}, {"a": "1"})
