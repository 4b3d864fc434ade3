"""What if people moved: nobody is lost, nobody is paid for twice."""

from datetime import date
from decimal import Decimal

import pytest

from fleet.core.cost_line import CostLine, Sharing
from fleet.core.inventory import Inventory, Link, LinkKind, Site, SiteKind
from fleet.core.move import loads, move_quantities, plan_moves
from fleet.errors import Malformed, NotFound


def inventory() -> Inventory:
    users = {"a": ("aure", 10), "s": ("smola", 5), "k": ("krs", 100)}
    links = (
        Link(a="a", b="k", kind=LinkKind.FIBRE, capacity_mbps=1000),
        Link(a="a", b="k", kind=LinkKind.MOBILE, capacity_mbps=50),
        Link(a="k", b="s", kind=LinkKind.RADIO, capacity_mbps=100),
    )
    return Inventory(
        sites={
            slug: Site(slug=slug, member=m, name=slug, kind=SiteKind.OFFICE, users=count)
            for slug, (m, count) in users.items()
        },
        links={f"{link.key} {link.kind}": link for link in links},
    )


def test_everybody_who_leaves_arrives() -> None:
    found = {
        load.site: load
        for load in loads(inventory(), plan_moves(inventory(), ["a", "s"], "k", {"a": 4}))
    }

    assert {s: (load.users, load.users_after) for s, load in found.items()} == {
        "a": (10, 6),
        "s": (5, 0),
        "k": (100, 109),
    }
    assert found["a"].capacity_mbps == 1000  # the mobile backup carries nobody on a good day
    assert found["k"].capacity_mbps == 1100
    assert found["s"].per_user(0) is None


def test_their_use_goes_with_them_to_another_member() -> None:
    line = CostLine(
        slug="x",
        name="X",
        sharing=Sharing.USE,
        from_=date(2026, 1, 1),
        price=Decimal(10),
        quantities={"aure": 10, "smola": 3},
        service="lonn",
    )
    moves = plan_moves(inventory(), ["a", "s"], "k", {"a": 4})

    (moved,) = move_quantities(inventory(), [line], moves, "lonn")
    (other,) = move_quantities(inventory(), [line], moves, "sak")

    assert moved.quantities == {"aure": 6, "krs": 7, "smola": 0}  # smola had three for its five
    assert other is line


@pytest.mark.parametrize(
    ("sites", "to", "users", "error"),
    [
        (["a"], "x", {}, NotFound),
        (["x"], "k", {}, NotFound),
        (["a"], "k", {"a": 11}, Malformed),
        (["k"], "k", {}, Malformed),
    ],
)
def test_impossible_moves_are_refused(
    sites: list[str], to: str, users: dict[str, int], error: type[Exception]
) -> None:
    with pytest.raises(error):
        plan_moves(inventory(), sites, to, users)
