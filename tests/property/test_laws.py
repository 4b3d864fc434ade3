"""Laws that hold for whatever comes."""

from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from fleet.core.authority import Authority
from fleet.core.claims import claims_of_files
from fleet.core.diff import Change, Origins
from fleet.core.history import replay
from fleet.core.imported import IMPORT, POLL, Stretch, fit
from fleet.core.inventory import (
    Contact,
    Contract,
    Device,
    DeviceStatus,
    Interface,
    Inventory,
    Member,
    Membership,
    Site,
    SiteKind,
)
from fleet.core.reconcile import Before, merge
from fleet.core.record import from_record, to_record
from fleet.core.spans import Spans, intersect, subtract, total, union

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)

points = st.integers(0, 60)
spans = st.lists(st.tuples(points, points), max_size=12).map(union)


def members(s: Spans) -> set[int]:
    return {n for start, end in s for n in range(start, end)}


@given(spans, spans)
def test_spans_are_sets_of_time(a: Spans, b: Spans) -> None:
    assert members(union([*a, *b])) == members(a) | members(b)
    assert members(intersect(a, b)) == members(a) & members(b)
    assert members(subtract(a, b)) == members(a) - members(b)
    assert total(a) == len(members(a))
    for made in (union([*a, *b]), intersect(a, b), subtract(a, b)):
        assert all(s < e for s, e in made)
        assert all(one[1] < two[0] for one, two in pairwise(made))


texts = st.text(st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"]), min_size=1)
maybe = st.one_of(st.none(), texts)
dates = st.dates(date(1990, 1, 1), date(2040, 1, 1))
instants = st.datetimes(datetime(1990, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC))
moments = st.one_of(st.none(), dates, instants)

devices = st.builds(
    Device,
    name=st.sampled_from([f"d{n}" for n in range(6)]),
    site=st.just("s"),
    role=st.sampled_from(["switch", "router"]),
    address=maybe,
    port=st.integers(1, 65535),
    serial=maybe,
    status=st.sampled_from([s for s in DeviceStatus if s is not DeviceStatus.RETIRED]),
    commissioned=moments,
    warranty_until=st.one_of(st.none(), dates),
)
contracts = st.builds(
    Contract,
    slug=st.sampled_from(["a", "b", "c"]),
    supplier=texts,
    from_=dates,
    cost_per_year=st.one_of(st.none(), st.decimals(0, 10**9, places=2).map(Decimal)),
    split=st.one_of(st.none(), st.dictionaries(texts, st.integers(0, 100), max_size=3)),
    contact=st.one_of(st.none(), st.builds(Contact, role=texts, phone=maybe)),
)
member = Member(slug="m", name="M", number="1", memberships=(Membership(joined=date(2000, 1, 1)),))
site = Site(slug="s", member="m", name="S", kind=SiteKind.OFFICE)


def inventory(found: list[Device], bought: list[Contract]) -> Inventory:
    by_name = {d.name: d for d in found}
    ports = [Interface(device=name, name="1", mac="00:11:22:33:44:55") for name in by_name]
    return Inventory(
        members={"m": member},
        sites={"s": site},
        devices=by_name,
        contracts={c.slug: c for c in bought},
        interfaces={p.key: p for p in ports},
    )


inventories = st.builds(inventory, st.lists(devices, max_size=6), st.lists(contracts, max_size=3))


@given(inventories)
def test_a_record_is_the_thing_itself(found: Inventory) -> None:
    for thing in found:
        assert from_record(type(thing), to_record(thing)) == thing


def find_changes(ours: Inventory, theirs: Inventory, *, origins: Origins) -> list[Change]:
    """What must change in ours to say what the files say."""
    before = Before(inventory=ours, origins=origins)
    return list(merge(before, [claims_of_files(theirs)], Authority(), NOW).changes)


@given(inventories)
def test_an_inventory_does_not_differ_from_itself(found: Inventory) -> None:
    assert not find_changes(
        found, found, origins=dict.fromkeys(claims_of_files(found).things, "files")
    )


@given(inventories, inventories)
def test_the_history_leads_to_the_inventory(first: Inventory, second: Inventory) -> None:
    """Whatever two syncs change: played back, their entries give the second inventory."""
    made = find_changes(Inventory(), first, origins={})
    origins = {(c.kind, c.key): "files" for c in made}
    then = find_changes(first, second, origins=origins)

    played = replay((c.action, c.kind, c.key, c.fields) for c in [*made, *then])

    for thing in second:
        kind = type(thing).__name__.lower()
        assert played[kind, thing.key] == to_record(thing)
    gone = [c for c in then if c.action == "retire"]
    assert {(c.kind, c.key) for c in gone} == {
        (k, key)
        for k in ("device", "contract", "interface")
        for key in first.of_kind(k).keys() - second.of_kind(k).keys()
    }


stretches = st.lists(
    st.tuples(points, st.sampled_from(["up", "down", "unknown"]), st.sampled_from([POLL, IMPORT])),
    max_size=8,
    unique_by=lambda s: s[0],
).map(
    lambda parts: [
        Stretch(since, until, state, None, source)
        for (since, state, source), until in zip(
            sorted(parts), [*[p[0] for p in sorted(parts)][1:], 60], strict=False
        )
        if since < until
    ]
)
outages = st.lists(st.tuples(st.integers(10, 50), st.integers(10, 50)), max_size=4).map(
    lambda pairs: [Stretch(s, e, "down", "x", IMPORT) for s, e in union(pairs)]
)


@given(stretches, outages)
def test_importing_the_same_again_changes_nothing(
    before: list[Stretch], found: list[Stretch]
) -> None:
    once = fit(before, found, (10, 50), 60)
    twice = fit(once.stretches, found, (10, 50), 60)

    assert twice.stretches == once.stretches
    polled = [s for s in before if s.source == POLL and s.state != "unknown"]
    assert [s for s in once.stretches if s in polled] == sorted(polled, key=lambda s: s.since)
    for one, two in pairwise(once.stretches):
        assert one.until is not None and one.until <= two.since
    covered = union((s.since, s.until or 60) for s in once.stretches)
    assert subtract([(10, 50)], covered) == []
