"""First contact with a NetBox: what there is what here, kept before anything is changed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.core.claims import Id, claims_of_files
from fleet.core.matching import Doubt
from fleet.core.record import Record
from fleet.flows.sync import Sources, expected, know, look_back

if TYPE_CHECKING:
    from fleet.store.reader import Reader
    from fleet.store.store import Store

Chosen = Mapping[tuple[str, int], str]
"""What a person said: kind and number there → key here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Links:
    """What one NetBox has that is ours.

    Args:
        known: how many were linked before.
        new: by which rung each was recognised now, and its number there.
        doubts: with their kind; what a person has to say.
        labels: what NetBox calls the doubtful ones, by their numbers.
        only_there: how many things it has that are not here.
    """

    source: str
    known: int
    new: Mapping[Id, tuple[int, str]]
    doubts: tuple[tuple[str, Doubt], ...]
    labels: Mapping[int, str]
    only_there: int


def find_links(sources: Sources, reader: "Reader | None", now: datetime) -> list[Links]:
    """What in each NetBox is what here.

    Raises:
        RemoteError: it does not answer.
    """
    before = look_back(reader, now, prune=False)
    claims = [claims_of_files(sources.files())] if sources.files is not None else []
    things = expected(before, claims)
    found = []
    for netbox in sources.netboxes:
        known = know(netbox, before, reader, things)
        reading = netbox.read(known)
        ours = {id_ for id_ in reading.numbers if id_ in things}
        new = {
            id_: (reading.numbers[id_], rung)
            for id_, rung in reading.rungs.items()
            if id_ in reading.numbers
        }
        found.append(
            Links(
                source=netbox.name,
                known=sum(id_ in known.linked for id_ in ours),
                new=new,
                doubts=tuple((kind, d) for kind, many in reading.doubts.items() for d in many),
                labels=reading.labels,
                only_there=len(reading.numbers) - len(ours),
            )
        )
    return found


def keep_links(store: "Store", found: Sequence[Links], chosen: Mapping[str, Chosen]) -> None:
    """Keep what was recognised and said; nothing else changes."""
    with store.reader() as reader:
        bases = reader.bases()
    numbers: dict[str, dict[Id, int]] = {}
    for links in found:
        mine = {id_: number for id_, (number, _) in links.new.items()}
        said = {(kind, key): n for (kind, n), key in chosen.get(links.source, {}).items()}
        numbers[links.source] = mine | said
    agreed: dict[str, dict[Id, Record | None]] = {
        source: {id_: dict(bases.get(source, {}).get(id_, {})) for id_ in things}
        for source, things in numbers.items()
    }
    store.plans.link(agreed, numbers)
