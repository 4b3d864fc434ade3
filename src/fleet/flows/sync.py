"""Reconcile the sources into the joint inventory and back: plan first, then that plan."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.core.authority import Authority
from fleet.core.claims import Claims, Id, claims_of_files
from fleet.core.diff import PRUNE_AFTER, Action, Change, check_brake
from fleet.core.intended import claims_of_snmp
from fleet.core.inventory import KINDS, Inventory
from fleet.core.merging import is_retired
from fleet.core.moment import to_us
from fleet.core.operation import Operation
from fleet.core.plan import Plan
from fleet.core.reconcile import Before, merge
from fleet.core.record import Record, defaults, field_names, to_record
from fleet.sources.netbox.known import Further, Known, Reading

if TYPE_CHECKING:
    from fleet.sources.netbox.source import NetBoxSource
    from fleet.store.reader import Reader
    from fleet.store.store import Store


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """The sources that a sync is to read.

    Args:
        files: reads the declared files; None: they are left alone.
        times: of what the files say, filled when they are read.
        has_snmp: whether to compare with what the devices said of themselves.
        heard: is told what is being read: source, type of objects, how many.
    """

    files: Callable[[], Inventory] | None
    times: Mapping[Id, int] = field(default_factory=dict)
    netboxes: "Sequence[NetBoxSource]" = ()
    has_snmp: bool = False
    heard: Callable[[str, str, int], None] = lambda *_: None


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a user asks of a sync.

    Args:
        authority: who decides where sources differ.
        prune: delete what was retired or marked 30 days ago or earlier.
        force: even very much at once.
    """

    authority: Authority = field(default_factory=Authority)
    prune: bool = False
    force: bool = False


def look_back(reader: "Reader | None", now: datetime, *, prune: bool) -> Before:
    """What was, before the sources were read.

    Args:
        reader: of the joint inventory; None: there is none yet.
        prune: things may be deleted that were retired 30 days ago or earlier.
    """
    if reader is None:
        return Before(inventory=Inventory())
    touched = reader.last_change_times()
    before = to_us(now - PRUNE_AFTER)
    return Before(
        inventory=reader.inventory(),
        bases=reader.bases(),
        origins=reader.origins(),
        touched=touched,
        prunable={thing for thing, at in touched.items() if at <= before} if prune else (),
    )


def make_plan(sources: Sources, reader: "Reader | None", now: datetime, wanted: Wanted) -> Plan:
    """What must change in the joint inventory and in the sources.

    Args:
        sources: are read.
        reader: of the joint inventory; None: there is none yet.
        now: when things that are gone are retired.

    Raises:
        TooMany: more would be removed in a NetBox than is likely meant.
        RemoteError: a NetBox does not answer.
    """
    before = look_back(reader, now, prune=wanted.prune)
    claims = [claims_of_files(sources.files(), sources.times)] if sources.files is not None else []
    things = expected(before, claims)
    readings: dict[str, Reading] = {}
    for netbox in sorted(sources.netboxes, key=lambda n: n.name):
        known = know(netbox, before, reader, things)
        reading = netbox.read(known, _heard(sources, netbox.name))
        readings[netbox.name] = reading
        claims.append(reading.claims)
        before = _without_moved(before, netbox.name, known.linked, reading.numbers)
        # What one NetBox has new is known to the next: one machine, or another of that name.
        things |= {i: _whole(i, r) for i, r in reading.claims.things.items() if i not in things}
    said = reader.facts() if sources.has_snmp and reader is not None else {}
    if said:
        claims.append(claims_of_snmp(before.inventory, said))
    merged = merge(before, claims, wanted.authority, now)
    changes, operations = list(merged.changes), []
    records = after(before, changes)
    for netbox in sources.netboxes:
        further = Further(
            linked=reader.remotes(netbox.name) if reader else {},
            marked=reader.marked(netbox.name) if reader else {},
            prune=wanted.prune,
            force=wanted.force,
            vlans={n: tuple((v.id, v.name) for v in f.vlans) for n, (_, f) in said.items()},
        )
        told = [c for c in merged.changes if c.target == netbox.name]
        reading = readings[netbox.name]
        new, planned = _tell(netbox, reading, told, records, further, now)
        changes += new
        operations += planned
        bases = before.bases.get(netbox.name, {})
        numbers = {i: n for i, n in reading.numbers.items() if _is_there(records, i)}
        _keep_numbers(merged.agreed[netbox.name], numbers, bases, further.linked)
    return Plan(
        sources=tuple(c.source for c in claims),
        merge=replace(merged, changes=tuple(changes)),
        before=before,
        basis=reader.last_change() if reader else 0,
        operations=_numbered(operations),
        last_plan=reader.last_plan() if reader else 0,
        open_before=tuple(c for _, c in reader.conflicts()) if reader else (),
        remotes={name: reading.numbers for name, reading in readings.items()},
    )


def _whole(id_: Id, said: Record) -> Record:
    return {**dict.fromkeys(name for _, name in field_names(KINDS[id_[0]])), **said}


def _without_moved(
    before: Before, source: str, linked: Mapping[Id, int], numbers: Mapping[Id, int]
) -> Before:
    """Of an object that was made anew there nothing is agreed yet."""
    moved = {i for i, number in numbers.items() if linked.get(i, number) != number}
    if not moved:
        return before
    kept = {i: base for i, base in before.bases.get(source, {}).items() if i not in moved}
    return replace(before, bases={**before.bases, source: kept})


def _tell(
    netbox: "NetBoxSource",
    reading: Reading,
    told: Sequence[Change],
    records: Mapping[Id, Record],
    further: Further,
    now: datetime,
) -> tuple[list[Change], list[Operation]]:
    """What else changes in a NetBox beside what it is told, and what is to be done there."""
    new = [c for c in netbox.unmarked(reading) if _is_there(records, (c.kind, c.key))]
    new = new if netbox.settings.write else []
    planned = netbox.plan(reading, [*told, *new], records, further, now)
    return [*new, *(c for o in planned if (c := _going(o)) is not None)], planned


def _is_there(records: Mapping[Id, Record], id_: Id) -> bool:
    return id_ in records and not is_retired(records[id_])


def _going(operation: Operation) -> Change | None:
    """What is marked or removed in a NetBox, for the plan to show it."""
    actions = {"mark": Action.RETIRE, "delete": Action.DELETE}
    if operation.thing is None or operation.action not in actions:
        return None
    kind, key = operation.thing
    return Change(
        action=actions[operation.action],
        kind=kind,
        key=key,
        fields={},
        source="inventory",
        target=operation.source,
    )


def _heard(sources: Sources, name: str) -> Callable[[str, int], None]:
    return lambda type_, number: sources.heard(name, type_, number)


def _numbered(operations: Sequence[Operation]) -> tuple[Operation, ...]:
    return tuple(replace(o, number=number) for number, o in enumerate(operations, start=1))


def expected(before: Before, claims: Sequence[Claims]) -> dict[Id, Record]:
    """All things that are there, or are about to be by what the files say."""
    inventory = before.inventory
    things = {
        (kind, thing.key): to_record(thing)
        for kind in ("member", "site", "device", "interface", "link")
        for thing in inventory.of_kind(kind).values()
        if not thing.retired
    }
    for files in claims:
        gone = [
            id_
            for id_ in things
            if before.origins.get(id_) == files.source and id_ not in files.things
        ]
        for id_ in gone:
            del things[id_]
        things |= {id_: r for id_, r in files.things.items() if id_ not in things}
    return things


def know(
    netbox: "NetBoxSource",
    before: Before,
    reader: "Reader | None",
    things: Mapping[Id, Record],
) -> Known:
    """What a NetBox's things are recognised by."""
    linked = reader.remotes(netbox.name) if reader else {}
    return Known(
        source=netbox.name,
        things=things,
        linked=linked,
        own=frozenset(i for i, source in before.origins.items() if source == netbox.name),
        members=netbox.members,
        may_write=netbox.settings.write,
        old=frozenset((id_[0], n) for id_, n in linked.items() if id_ not in things),
    )


def after(before: Before, changes: Sequence[Change]) -> dict[Id, Record]:
    """All things as they are once the inventory is changed, what is retired included."""
    records = {
        (kind, key): to_record(thing)
        for kind in KINDS
        for key, thing in before.inventory.of_kind(kind).items()
    }
    for change in changes:
        if change.target == "inventory":
            id_ = (change.kind, change.key)
            new = {name: value for name, (_, value) in change.fields.items()}
            records[id_] = {**defaults(KINDS[change.kind]), **records.get(id_, {}), **new}
    return records


def _keep_numbers(
    agreed: Mapping[Id, Record | None],
    numbers: Mapping[Id, int],
    bases: Mapping[Id, Record],
    linked: Mapping[Id, int],
) -> None:
    """What a person or the ladder recognised stays so; one object is one thing."""
    assert isinstance(agreed, dict)
    taken = {(id_[0], number): id_ for id_, number in numbers.items()}
    for id_, number in linked.items():
        if taken.get((id_[0], number), id_) != id_:
            agreed[id_] = None
    for id_, number in numbers.items():
        if id_ not in agreed and linked.get(id_) != number:
            agreed[id_] = dict(bases.get(id_, {}))


def apply_sync(store: "Store", plan: Plan, *, actor: str, now: datetime, force: bool) -> int | None:
    """Make the plan true in the joint inventory, and keep what is to be done elsewhere.

    Returns:
        The number of the kept plan; None: there was nothing to keep.

    Raises:
        TooMany: more devices would go than is likely meant, and nobody forces it.
        PlanStale: somebody changed the inventory since the plan was made.
    """
    if not force:
        check_brake(plan.before.inventory, list(plan.inventory_changes))
    return store.plans.begin(plan, actor=actor, at=now)
