"""Things that are there for some and not for others: what goes, what is missed, what is told."""

from collections.abc import Collection, Iterator

from fleet.core.authority import FLEET
from fleet.core.claims import GONE, PRESENCE, THERE, Claims, Conflict, Id, Nature, spelt
from fleet.core.diff import Action, Change
from fleet.core.inventory import KINDS
from fleet.core.merging import Merging, is_retired
from fleet.core.record import Json, Record, defaults


def retire_gone(merging: Merging, kind: str) -> None:
    """What its own source no longer has is retired, and deleted long after that."""
    for source in merging.sources:
        if kind not in source.whole:
            continue
        for key, thing in merging.before.inventory.of_kind(kind).items():
            id_ = (kind, key)
            if merging.before.origins.get(id_) != source.source or id_ in source.things:
                continue
            if merging.is_declared(id_) or not merging.is_in_scope(source, id_, merging.ours[id_]):
                continue
            if not thing.retired:
                merging.retire(id_, source.source)
            elif id_ in merging.before.prunable:
                empty = defaults(KINDS[kind])
                fields = {
                    n: (v, empty.get(n)) for n, v in merging.ours[id_].items() if v != empty.get(n)
                }
                merging.add(Action.DELETE, id_, fields, source.source)


def compare_presence(merging: Merging, source: Claims) -> None:
    """What is there for us and not for a source that had it, or that looked for it."""
    bases = merging.before.bases.get(source.source, {})
    if source.nature is Nature.FILES:
        for id_ in bases:
            if id_ not in source.things:
                merging.keep(source.source, id_, None)
    for id_, evidence in {**source.gone, **_lost(merging, source)}.items():
        record, had = merging.now(*id_), merging.ours.get(id_)
        if record is None or is_retired(record):
            continue
        if had is not None and is_retired(had):  # it comes back just now, to all
            merging.keep(source.source, id_, None)
        else:
            _miss(merging, source, id_, record, evidence)


def _lost(merging: Merging, source: Claims) -> dict[Id, str]:
    """What a source shared with us and has no more."""
    return {
        id_: ""
        for id_ in merging.before.bases.get(source.source, {})
        if source.takes
        and id_[0] in source.whole
        and id_ not in source.things
        and (merging.before.origins.get(id_) != source.source or merging.is_declared(id_))
    }


def _miss(merging: Merging, source: Claims, id_: Id, record: Record, evidence: str) -> None:
    if not merging.is_in_scope(source, id_, record):
        return
    base = merging.before.bases.get(source.source, {}).get(id_, {})
    rule = merging.authority.rule(id_[0], PRESENCE, merging.member(id_, record))
    if rule in (source.source, source.nature.value):
        merging.retire(id_, source.source)
    elif rule in (FLEET, Nature.FILES.value) and source.nature is Nature.NETBOX:
        merging.keep(source.source, id_, None)  # and so it is made again
    elif base.get(PRESENCE) != GONE:
        _note_missing(merging, source, id_, evidence)


def _note_missing(merging: Merging, source: Claims, id_: Id, evidence: str) -> None:
    merging.conflicts.append(
        Conflict(
            kind=id_[0],
            key=id_[1],
            field=PRESENCE,
            base=THERE,
            ours=THERE,
            says={source.source: GONE},
            is_finding=source.nature is Nature.SNMP,
            evidence=evidence or None,
        )
    )


def find_pushes(merging: Merging, source: Claims, kind: str) -> Iterator[Change]:
    """What a source must be told to have what the inventory has."""
    fields = source.takes.get(kind)
    if fields is None or kind not in source.whole:
        return
    new = [key for kind_, key in merging.after if kind_ == kind]
    for key in dict.fromkeys([*merging.before.inventory.of_kind(kind), *new]):
        id_ = (kind, key)
        record = merging.after.get(id_) or merging.ours[id_]
        if is_retired(record) or id_ in source.not_told:
            continue
        if not merging.is_in_scope(source, id_, record):
            continue
        action, told = _push(merging, source, id_, record, fields)
        if told:
            said_by = [merging.said_by[id_, n] for n in told if (id_, n) in merging.said_by]
            by = said_by[0] if said_by else merging.before.origins.get(id_, "inventory")
            yield Change(
                action=action, kind=kind, key=key, fields=told, source=by, target=source.source
            )


def _push(
    merging: Merging, source: Claims, id_: Id, record: Record, fields: Collection[str]
) -> tuple[Action, dict[str, tuple[Json, Json]]]:
    """The fields that a source must be told of one thing: as it has them, as they are."""
    said = source.things.get(id_)
    if said is None:
        kept = merging.before.bases.get(source.source, {}).get(id_)
        was_dropped = id_ in merging.agreed[source.source]
        if kept is not None and not was_dropped:
            return Action.CREATE, {}
        return Action.CREATE, {n: (None, record[n]) for n in fields if record.get(n) is not None}
    return Action.UPDATE, {
        name: (value, record.get(name))
        for name, value in spelt(said, record).items()
        if name in fields and value != record.get(name) and (id_, name) not in merging.undecided
    }
