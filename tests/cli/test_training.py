"""Courses: who may do what, and a warning for who lacks one."""

import getpass
from datetime import date, timedelta
from pathlib import Path

import pytest

from fleet.core.training import Course, Taken, missing
from tests.worlds import fleet, replace_in, write_world

TODAY = date.today()  # noqa: DTZ011 - as a person writes it down


@pytest.fixture
def world(tmp_path: Path) -> Path:
    root = write_world(tmp_path / "w")
    long_ago = TODAY - timedelta(days=800)
    (root / "inventory/courses.yaml").write_text(
        "courses:\n"
        "  - slug: network\n    name: Network, first steps\n    roles: [router]\n    months: 12\n"
        "    taken:\n"
        f"      - {{who: tech-1, member: aure, on: {long_ago}}}\n"
        f"      - {{who: tech-2, member: smola, on: {TODAY - timedelta(days=2)}}}\n"
        f"      - {{who: tech-2, member: smola, on: {long_ago}}}\n"
    )
    assert fleet(root, "sync", "--yes").status == 0
    return root


def test_the_newest_time_of_everybody_counts(world: Path) -> None:
    ran = fleet(world, "report", "training", "-o", "json")

    assert [(r["who"], r["holds"]) for r in ran.json] == [("tech-1", False), ("tech-2", True)]
    assert (ran.status, "1 course that somebody took no longer holds" in ran.err) == (1, True)
    assert fleet(world, "report", "training", "--member", "smola").status == 0


def test_an_operator_without_the_course_is_warned_before_a_rollout(world: Path) -> None:
    replace_in(world / "inventory/aure/devices.yaml", "platform: linux", "platform: ios")
    (world / "baselines").mkdir(exist_ok=True)
    (world / "baselines/banner.yaml").write_text(
        "baseline: banner\ndescription: A banner\nvariables: {text: Aure}\n"
    )
    assert fleet(world, "sync", "--yes").status == 0
    plan = ("deploy", "banner", "--plan", "--offline")
    warning = f"warning: {getpass.getuser()} has not taken the course network"

    assert warning in fleet(world, *plan).err

    replace_in(world / "inventory/courses.yaml", "who: tech-2", f"who: {getpass.getuser()}")
    assert warning not in fleet(world, *plan).err


def test_a_course_may_be_about_baselines_and_may_hold_for_good() -> None:
    for_good = Course(
        slug="x",
        name="X",
        baselines=("vlans",),
        taken=(Taken(who="a", on=date(2020, 2, 29)),),
    )
    day = date(2026, 1, 1)

    assert not missing([for_good], "a", day, roles=(), baselines=("vlans",))
    assert missing([for_good], "b", day, roles=(), baselines=("vlans",)) == [for_good]
    assert not missing([for_good], "b", day, roles=("switch",), baselines=("ntp",))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("who: tech-1", "who: Kari Nordmann", "looks like a person's name"),
        ("member: aure", "member: oslo", "network: there is no member `oslo`"),
        ("    roles: [router]\n", "", "network: write `roles` or `baselines`"),
        ("months: 12", "months: 0", "`months`"),
    ],
)
def test_wrong_courses_are_refused(world: Path, old: str, new: str, message: str) -> None:
    replace_in(world / "inventory/courses.yaml", old, new)

    ran = fleet(world, "report", "training")

    assert (ran.status, message in ran.err, ran.out) == (4, True, ""), ran.err
