"""All that one NetBox has, as far as fleet knows it: read once, then looked up in memory."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from fleet.core.lookup import nfc
from fleet.core.record import Json, Record
from fleet.sources.netbox.client import Client
from fleet.sources.netbox.types import (
    CIRCUIT_ENDS,
    INTERFACES,
    MACS,
    PREFIXES,
    TYPES,
    identity_of,
    plain_object,
)
from fleet.sources.netbox.versions import Capabilities

Objects = Mapping[int, Record]


@dataclass(frozen=True, kw_only=True)
class State:
    """The objects of each type by their numbers, with fields as they are written.

    Args:
        incomplete: types of which not all could be read, and why.
    """

    capabilities: Capabilities
    objects: Mapping[str, Objects]
    incomplete: Mapping[str, str] = field(default_factory=dict)

    def of(self, type_: str) -> Objects:
        return self.objects.get(type_, {})

    def is_whole(self, *types: str) -> bool:
        """Whether all objects of these types were read."""
        return not any(type_ in self.incomplete for type_ in types)

    def index(self, type_: str) -> dict[tuple[Json, ...], int]:
        """The number of each object by what identifies it."""
        return {identity_of(type_, row): number for number, row in self.of(type_).items()}


def read_state(client: Client, heard: Callable[[str, int], None] = lambda *_: None) -> State:
    """Everything of the types that fleet knows.

    Args:
        heard: is told of each type, and how many objects it has.
    """
    objects: dict[str, Objects] = {}
    incomplete: dict[str, str] = {}
    for type_ in TYPES:
        if type_ == MACS:
            continue  # an interface tells its MAC address itself
        page = client.read(type_, fields_of(type_, client.capabilities))
        objects[type_] = {row["id"]: plain_object(_normal(row)) for row in page.objects}
        if not page.is_whole:
            incomplete[type_] = page.why_not or "it was not read to its end"
        heard(type_, len(page.objects))
    return State(capabilities=client.capabilities, objects=objects, incomplete=incomplete)


def fields_of(type_: str, capabilities: Capabilities) -> Sequence[str]:
    """The fields that are read of a type, by the names of a version."""
    fields = TYPES[type_].fields
    if type_ == CIRCUIT_ENDS:
        old, new = {"site"}, {"termination_type", "termination_id"}
        gone = old if capabilities.has_scopes else new
        return [f for f in fields if f not in gone]
    if type_ == PREFIXES:
        return [*fields, *(("scope_type", "scope_id") if capabilities.has_scopes else ("site",))]
    assert type_ != INTERFACES or "mac_address" in fields
    return fields


def _normal(row: Record) -> Record:
    """With all text in one Unicode form: macOS writes å as two characters."""
    return {name: nfc(value) if isinstance(value, str) else value for name, value in row.items()}
