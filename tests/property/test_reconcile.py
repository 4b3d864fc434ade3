"""Reconciling, whatever people do to whichever source."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

from hypothesis import given
from hypothesis import strategies as st

from fleet.core.authority import FLEET, MANUAL, NEWEST, Authority
from fleet.core.claims import Bases, Claims, Id, Nature
from fleet.core.diff import Action, Change
from fleet.core.inventory import KINDS, Inventory
from fleet.core.reconcile import Before, Merge, merge
from fleet.core.record import Record, defaults, from_record

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MEMBER: Record = {"slug": "m", "name": "M", "number": "1", "memberships": []}
SITE: Record = {"slug": "s", "member": "m", "name": "S", "kind": "office"}
FIELDS = ("name", "site", "role", "serial", "room", "status")  # that a NetBox knows
NAMES = ("d1", "d2", "d3")
OTHERS = ("east", "west")


@dataclass
class World:
    """Files, two NetBoxes, and what fleet keeps."""

    files: dict[Id, Record] = field(default_factory=dict)
    netboxes: dict[str, dict[Id, Record]] = field(default_factory=lambda: {n: {} for n in OTHERS})
    ours: dict[Id, Record] = field(default_factory=dict)
    bases: dict[str, dict[Id, Record]] = field(default_factory=dict)
    origins: dict[Id, str] = field(default_factory=dict)

    def claims(self) -> list[Claims]:
        fixed = {("member", "m"): MEMBER, ("site", "s"): SITE}
        whole = {id_: {**defaults(KINDS[id_[0]]), **r} for id_, r in (fixed | self.files).items()}
        files = Claims(source="files", nature=Nature.FILES, things=whole, whole=frozenset(KINDS))
        return [files, *(self._netbox(name) for name in OTHERS)]

    def _netbox(self, name: str) -> Claims:
        return Claims(
            source=name,
            nature=Nature.NETBOX,
            things={i: {f: r[f] for f in FIELDS} for i, r in self.netboxes[name].items()},
            whole=frozenset({"device"}),
            takes={"device": FIELDS},
        )

    def before(self) -> Before:
        things: dict[str, dict[str, object]] = {kind: {} for kind in KINDS}
        for (kind, key), record in self.ours.items():
            things[kind][key] = from_record(KINDS[kind], record)
        inventory = Inventory(**{f"{kind}s": found for kind, found in things.items()})  # type: ignore[arg-type]
        bases: Bases = {s: dict(b) for s, b in self.bases.items()}
        return Before(inventory=inventory, bases=bases, origins=dict(self.origins))

    def sync(self, authority: Authority, *, reverse: bool = False) -> Merge:
        """One run: plan, change the inventory, write to the NetBoxes, keep what is agreed."""
        claims = self.claims()
        made = merge(self.before(), claims[::-1] if reverse else claims, authority, NOW)
        for source, things in made.agreed.items():
            kept = self.bases.setdefault(source, {})
            for id_, base in things.items():
                kept.pop(id_, None)
                if base is not None:
                    kept[id_] = base
        for change in made.changes:
            self._apply(change)
        return made

    def _apply(self, change: Change) -> None:
        id_ = (change.kind, change.key)
        new = {name: value for name, (_, value) in change.fields.items()}
        if change.target == "inventory":
            if change.action is Action.CREATE:
                self.origins[id_] = change.source
                self.ours[id_] = defaults(KINDS[change.kind])
            self.ours[id_] = self.ours[id_] | new
            return
        there = self.netboxes[change.target]
        empty = dict.fromkeys(FIELDS)
        assert (id_ in there) is (change.action is Action.UPDATE)
        there[id_] = {**empty, **there.get(id_, {"comments": "ours"}), **new}
        base = self.bases.setdefault(change.target, {})
        base[id_] = {**base.get(id_, {}), **new}


words = st.sampled_from([None, "A", "B", "C"])
edits = st.lists(
    st.tuples(
        st.sampled_from(("files", *OTHERS)),
        st.sampled_from(NAMES),
        st.sampled_from(("serial", "room", "status", "there", "gone")),
        words,
    ),
    max_size=8,
)
rules = st.sampled_from([MANUAL, FLEET, NEWEST, "files", "netbox", "east"])
authorities = st.builds(
    lambda default, serial, presence: Authority(
        default=default, kinds={"device": {"serial": serial, "presence": presence}}
    ),
    rules,
    rules,
    rules,
)


def edit(world: World, done: list[tuple[str, str, str, str | None]]) -> None:
    """What people do."""
    for source, name, what, word in done:
        there = world.files if source == "files" else world.netboxes[source]
        id_ = ("device", name)
        if what == "gone":
            there.pop(id_, None)
        elif what == "there" or id_ in there:
            new = {"name": name, "site": "s", "role": "switch", "status": "active"}
            new |= {} if source == "files" else {"serial": None, "room": None, "comments": "mine"}
            record = there.setdefault(id_, new)
            if what == "status":
                record["status"] = "offline" if word == "A" else "active"
            elif what != "there":
                record[what] = word


@given(st.lists(edits, min_size=1, max_size=4), authorities)
def test_two_runs_bring_everybody_together(
    rounds: list[list[tuple[str, str, str, str | None]]], authority: Authority
) -> None:
    """However often people edit: after two runs the third has nothing to do."""
    world = World()
    for done in rounds:
        edit(world, done)
        world.sync(authority)
        world.sync(authority)
        again = world.sync(authority)
        assert not again.changes
        assert not any(again.agreed.values())


@given(st.lists(edits, min_size=1, max_size=3), authorities)
def test_the_order_of_the_sources_does_not_matter(
    rounds: list[list[tuple[str, str, str, str | None]]], authority: Authority
) -> None:
    world = World()
    for done in rounds:
        edit(world, done)
        made = {str(merge(world.before(), c, authority, NOW)) for c in permutations(world.claims())}
        assert len(made) == 1
        world.sync(authority)


@given(st.lists(edits, min_size=1, max_size=3), authorities)
def test_what_a_source_does_not_know_is_never_touched_there(
    rounds: list[list[tuple[str, str, str, str | None]]], authority: Authority
) -> None:
    world = World()
    for done in rounds:
        edit(world, done)
        comments = {
            (name, id_): record.get("comments")
            for name, there in world.netboxes.items()
            for id_, record in there.items()
        }
        made = world.sync(authority)
        for change in made.changes:
            if change.target != "inventory":
                assert change.fields.keys() <= set(FIELDS)
        for (name, id_), text in comments.items():
            assert world.netboxes[name][id_].get("comments") == text


@given(st.sampled_from(("files", *OTHERS)), st.sampled_from(["A", "B"]))
def test_what_one_changed_reaches_all(source: str, word: str) -> None:
    world = World()
    edit(world, [("files", "d1", "there", None)])
    world.sync(Authority())
    edit(world, [(source, "d1", "serial", word)])

    made = world.sync(Authority())

    assert not made.conflicts
    assert world.ours["device", "d1"]["serial"] == word
    assert {there["device", "d1"]["serial"] for there in world.netboxes.values()} == {word}


@given(words, words, st.permutations(("files", *OTHERS)))
def test_what_two_changed_differently_is_a_conflict_and_stays(
    one: str | None, two: str | None, order: list[str]
) -> None:
    world = World()
    edit(world, [("files", "d1", "there", None), ("files", "d1", "room", "R")])
    world.sync(Authority())
    edit(world, [(order[0], "d1", "room", one), (order[1], "d1", "room", two)])

    made = world.sync(Authority())

    (room,) = [world.ours["device", "d1"]["room"]]
    if one == two:
        assert not made.conflicts
        assert room == one
    else:
        (conflict,) = made.conflicts
        assert (conflict.field, conflict.base, conflict.ours, room) == ("room", "R", "R", "R")
        assert {conflict.says[order[0]], conflict.says[order[1]]} == {one, two}
        assert world.sync(Authority()).conflicts == (conflict,)


def test_the_newest_wins_where_the_rule_says_so() -> None:
    world = World()
    edit(world, [("files", "d1", "there", None)])
    authority = Authority(kinds={"device": {"room": NEWEST}})
    world.sync(authority)
    edit(world, [("east", "d1", "room", "A"), ("west", "d1", "room", "B")])
    id_ = ("device", "d1")
    day = int(timedelta(days=1).total_seconds() * 1e6)
    files, east, west = world.claims()
    claims = [files, replace(east, times={id_: 2 * day}), replace(west, times={id_: day})]

    made = merge(world.before(), claims, authority, NOW)

    assert not made.conflicts
    told = {c.target: dict(c.fields) for c in made.changes}
    assert told == {"inventory": {"room": (None, "A")}, "west": {"room": ("B", "A")}}
