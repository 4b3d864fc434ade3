"""One NetBox as a source: read, planned for, and written to."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.core.claims import Id
from fleet.core.diff import Action, Change
from fleet.core.operation import Operation, Progress
from fleet.core.record import Record
from fleet.sources.netbox.applying import Applying, Journal
from fleet.sources.netbox.client import Client
from fleet.sources.netbox.draft import Draft
from fleet.sources.netbox.ipam import draft_prefixes, draft_vlans
from fleet.sources.netbox.known import Further, Known, Reading
from fleet.sources.netbox.orphans import draft_orphans
from fleet.sources.netbox.reading import read_claims
from fleet.sources.netbox.state import State, read_state
from fleet.sources.netbox.types import DEVICES, FLEET_ID, SITES, TENANTS
from fleet.sources.netbox.writing import draft_changes

if TYPE_CHECKING:
    from fleet.settings import NetBox

_WITH_ID = {"member": TENANTS, "site": SITES, "device": DEVICES}


class NetBoxSource:
    """A NetBox of the settings.

    Args:
        name: as the settings call it.
        settings: of this source.
        token: that opens it.
        ca: a file of certificates to trust.
    """

    def __init__(self, name: str, settings: "NetBox", token: str, ca: str | None = None) -> None:
        self.name = name
        self.settings = settings
        self.client = Client(settings.url, token, timeout_s=settings.timeout_s, ca=ca)
        self._state: State | None = None

    @property
    def members(self) -> frozenset[str] | None:
        """The members whose things it has; None: all."""
        return None if self.settings.members is None else frozenset(self.settings.members)

    def read(self, known: Known, heard: Callable[[str, int], None] = lambda *_: None) -> Reading:
        """All that it says of the inventory.

        Raises:
            RemoteError: it does not answer, or not as it should.
        """
        self._state = read_state(self.client, heard)
        return read_claims(self._state, known)

    def unmarked(self, reading: Reading) -> list[Change]:
        """Objects that were recognised, and do not know yet what fleet calls them."""
        assert self._state is not None
        found = []
        for (kind, key), number in reading.numbers.items():
            if kind in _WITH_ID and (kind, key) in reading.claims.things:
                row = self._state.of(_WITH_ID[kind])[number]
                if (was := row["custom_fields"].get(FLEET_ID)) != key:
                    found.append(
                        Change(
                            action=Action.UPDATE,
                            kind=kind,
                            key=key,
                            fields={FLEET_ID: (was, key)},
                            source="inventory",
                            target=self.name,
                        )
                    )
        return found

    def plan(
        self,
        reading: Reading,
        changes: Iterable[Change],
        records: Mapping[Id, Record],
        further: Further,
        now: datetime,
    ) -> list[Operation]:
        """What is to be done there.

        Args:
            changes: whose target it is.
            records: all things as they are to be.
        """
        assert self._state is not None
        draft = Draft(
            source=self.name,
            state=self._state,
            reading=reading,
            records=records,
            has_vrfs=self.settings.vrfs,
        )
        draft_changes(draft, changes)
        if self.settings.write and self.settings.prefixes:
            draft_prefixes(draft)
        if self.settings.write and self.settings.vlans:
            draft_vlans(draft, further.vlans)
        if self.settings.delete and self.settings.write:
            draft_orphans(draft, further, now)
        return draft.operations()

    def apply(
        self,
        operations: Sequence[tuple[Operation, Progress]],
        journal: Journal,
        heard: Callable[[int], None] = lambda _: None,
    ) -> None:
        """Do what is still to be done of them.

        Raises:
            RemoteError: it stopped answering; what was sent then is not known.
        """
        Applying(client=self.client, journal=journal, heard=heard).run(operations)

    def close(self) -> None:
        self.client.close()
