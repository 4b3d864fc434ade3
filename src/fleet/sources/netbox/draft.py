"""Operations being drafted: each object is made once, and referred to by number or symbol."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from fleet.core.claims import Id
from fleet.core.operation import REF, Operation
from fleet.core.record import Json, Record
from fleet.sources.netbox.known import Reading
from fleet.sources.netbox.slugs import new_slug, to_slug
from fleet.sources.netbox.state import State
from fleet.sources.netbox.types import ADDRESSES, INTERFACE, INTERFACES, TYPES, identity_of

Ref = int | dict[str, str]
"""The number of an object that is there, or the symbol of one that is to be made."""

LAST = 1  # the second pass: what refers to objects that themselves refer to it


@dataclass(kw_only=True)
class Draft:
    """The operations of one plan for one NetBox.

    Args:
        records: the things as they are to be, by kind and key.
        has_vrfs: whether each member has a VRF of its own.
    """

    source: str
    state: State
    reading: Reading
    records: Mapping[Id, Record]
    drafted: list[tuple[int, Operation]] = field(default_factory=list)
    made: dict[str, dict[tuple[Json, ...], Ref]] = field(default_factory=dict)
    symbols: set[str] = field(default_factory=set)
    places: dict[tuple[int, str, str, str], int] = field(default_factory=dict)
    has_vrfs: bool = False

    def operations(self) -> list[Operation]:
        """What is to be done, in an order in which everything finds what it refers to."""
        order = {type_: number for number, type_ in enumerate(TYPES)}
        ranked = sorted(
            self.drafted,
            key=lambda d: (d[0], order[d[1].type] * (-1 if d[1].action == "delete" else 1)),
        )
        return [replace(o, number=number) for number, (_, o) in enumerate(ranked, start=1)]

    def create(
        self,
        type_: str,
        symbol: str,
        body: Record,
        *,
        thing: Id | None = None,
        agreed: Record | None = None,
        is_part: bool = False,
    ) -> Ref:
        """A new object; how others refer to it."""
        operation = Operation(
            number=0,
            source=self.source,
            action="create",
            type=type_,
            symbol=f"{type_}/{symbol}",
            body={name: value for name, value in body.items() if value is not None},
            thing=thing,
            agreed=agreed or {},
            is_part=is_part,
        )
        self.drafted.append((0, operation))
        self.symbols.add(operation.symbol)
        made: Ref = {REF: operation.symbol}
        self._index(type_)[identity_of(type_, body)] = made
        return made

    def update(
        self,
        type_: str,
        ref: Ref,
        body: Record,
        *,
        thing: Id | None = None,
        agreed: Record | None = None,
        stage: int = 0,
        action: str = "update",
        is_part: bool = False,
    ) -> None:
        """Fields of an object that is there, or is made by then; of one object at once."""
        remote = ref if isinstance(ref, int) else None
        row = self.state.of(type_).get(remote or 0, {})
        operation = Operation(
            number=0,
            source=self.source,
            action=action,
            type=type_,
            symbol=f"{type_}/{remote}" if isinstance(ref, int) else ref[REF],
            remote=remote,
            body=body,
            seen={name: row.get(name) for name in body if name in row and name != "custom_fields"},
            thing=thing,
            agreed=agreed or {},
            is_part=is_part,
        )
        place = (stage, type_, operation.symbol, action)
        if (at := self.places.get(place)) is not None:
            _, before = self.drafted[at]
            operation = replace(
                operation,
                body=before.body | operation.body,
                seen=before.seen | operation.seen,
                thing=before.thing or operation.thing,
                agreed=before.agreed | operation.agreed,
            )
            self.drafted[at] = (stage, operation)
            return
        self.places[place] = len(self.drafted)
        self.drafted.append((stage, operation))

    def delete(self, type_: str, number: int, thing: Id | None) -> None:
        """An object goes."""
        operation = Operation(
            number=0,
            source=self.source,
            action="delete",
            type=type_,
            symbol=f"{type_}/{number}",
            remote=number,
            thing=thing,
        )
        self.drafted.append((LAST + 1, operation))

    def find(self, type_: str, body: Record) -> Ref | None:
        """The object with the identity of this body, there or drafted."""
        return self._index(type_).get(identity_of(type_, body))

    def ensure(self, type_: str, body: Record, symbol: str | None = None) -> Ref:
        """The object with the identity of this body; it is made if there is none."""
        found = self.find(type_, body)
        if found is not None:
            return found
        key = identity_of(type_, body)
        return self.create(type_, symbol or "/".join(str(k) for k in key), body)

    def named(self, type_: str, name: str, *, slug: str | None = None, **more: Json) -> Ref:
        """The object with this name, or with this slug; it is made if there is none.

        Args:
            slug: that it is known by; None: made from the name.
            more: further fields, which must be so too: the site of a room.
        """
        rows = self.state.of(type_)
        label = "model" if "model" in TYPES[type_].fields else "name"
        mine = {n: r for n, r in rows.items() if all(r.get(k, v) == v for k, v in more.items())}
        for number, row in mine.items():
            if slug and row.get("slug") == slug:
                return number
        for number, row in mine.items():
            if row[label].casefold() == name.casefold():
                return number
        cache = self.made.setdefault(f"{type_} by name", {})
        key = (name.casefold(), *(str(v) for v in more.values()))
        if key not in cache:
            slugs = {r.get("slug") for r in rows.values()} | {str(k[0]) for k in cache}
            new = (
                {"slug": slug or new_slug(name, {s for s in slugs if s})}
                if "slug" in TYPES[type_].fields
                else {}
            )
            symbol = "/".join([to_slug(name), *(_text(v) for v in more.values())])
            cache[key] = self.create(type_, symbol, {label: name, **new, **more})
        return cache[key]

    def _index(self, type_: str) -> dict[tuple[Json, ...], Ref]:
        if type_ not in self.made:
            self.made[type_] = dict(self.state.index(type_))
        return self.made[type_]

    def ref(self, type_: str, id_: Id) -> Ref | None:
        """The object of a thing; None: it is not there, and is not going to be."""
        number = self.reading.numbers.get(id_)
        if number is not None:
            return number
        symbol = f"{type_}/{id_[1]}"
        return {REF: symbol} if symbol in self.symbols else None

    @cached_property
    def port_keys(self) -> Mapping[int, Id]:
        """Which of our interfaces an object is."""
        numbers = self.reading.numbers.items()
        return {n: id_ for id_, n in numbers if id_[0] == "interface" and id_ in self.records}

    def ref_of(self, port: str) -> Ref | None:
        """The object of an interface, by its key."""
        return self.ref(INTERFACES, ("interface", port))

    @cached_property
    def declared_ports(self) -> Mapping[str, Sequence[tuple[str, Record]]]:
        """The interfaces of each device, by key, as they are to be."""
        found: dict[str, list[tuple[str, Record]]] = defaultdict(list)
        for (kind, key), record in self.records.items():
            if kind == "interface":
                found[record["device"]].append((key, record))
        return found

    @cached_property
    def addresses_at(self) -> Mapping[int, Sequence[tuple[int, str]]]:
        """The addresses of each device that is there: their numbers and texts."""
        devices = {n: row["device"] for n, row in self.state.of(INTERFACES).items()}
        found: dict[int, list[tuple[int, str]]] = defaultdict(list)
        for number, row in self.state.of(ADDRESSES).items():
            port = row["assigned_object_id"]
            if row["assigned_object_type"] == INTERFACE and port in devices:
                found[devices[port]].append((number, row["address"]))
        return found


def _text(value: Json) -> str:
    return value[REF].partition("/")[2] if isinstance(value, dict) else str(value)
