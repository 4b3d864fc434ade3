"""Whose fault an outage was, and whether its time counts: root causes, maintenance, corrections."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import NamedTuple

from fleet.core.inventory import Inventory
from fleet.core.maintenance import Correction, Reading, Window
from fleet.core.spans import Span, Spans, intersect, union

REPORTED = "reported"
Place = tuple[str, str]
"""Kind and name: device, site, member or service."""


class Failing(NamedTuple):
    """A stretch in which something was down or unreachable, in microseconds.

    Args:
        root: what explains it: `device NAME`, `link NAME`, `reported NAME`, or what another
            system said, `said TEXT`; empty: nobody knows.
        fell: when the outage began that the stretch is a part of.
    """

    start: int
    end: int
    root: str
    fell: int


def felled(down: Spans, deciding: Mapping[str, Sequence[Failing]]) -> list[Failing]:
    """Cuts the time in which a site was down by what explains it.

    A site falls with the last of its edge devices: that one's root cause is the site's.

    Args:
        down: when all deciding devices were away.
        deciding: what was wrong with each of them.
    """
    found: list[Failing] = []
    for start, end in down:
        near = [
            (f.fell, device, f)
            for device, failing in deciding.items()
            for f in failing
            if f.start < end and f.end > start
        ]
        cuts = {start, end}
        for _, _, f in near:
            cuts |= {t for t in (f.start, f.end) if start < t < end}
        for a, b in pairwise(sorted(cuts)):
            at_fault = max((n for n in near if n[2].start <= a < n[2].end), default=None)
            root, fell = (at_fault[2].root, at_fault[0]) if at_fault else ("", a)
            if found and found[-1].end == a and found[-1].root == root:
                found[-1] = Failing(found[-1].start, b, root, found[-1].fell)
            else:
                found.append(Failing(a, b, root, fell))
    return found


@dataclass
class Cover:
    """Time that counts as planned, or not at all, by place."""

    planned: dict[Place, Spans] = field(default_factory=dict)
    excluded: dict[Place, Spans] = field(default_factory=dict)
    reported: dict[Place, Spans] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        return not (self.planned or self.excluded)

    def of_places(self, kind: Mapping[Place, Spans], places: Iterable[Place]) -> Spans:
        """The time of any of some places."""
        return union(span for place in places for span in kind.get(place, ()))

    def caused(
        self,
        kind: Mapping[Place, Spans],
        failing: Iterable[Failing],
        places_of: Mapping[str, Sequence[Place]],
    ) -> Spans:
        """The part of an outage whose root cause was covered at that time.

        Args:
            places_of: per root cause, the places that it stands in.
        """
        found: list[Span] = []
        for f in failing:
            spans = self.of_places(kind, places_of.get(f.root, ()))
            found += intersect([(f.start, f.end)], spans)
        return union(found)


def cover(windows: Iterable[Window], corrections: Iterable[Correction], now: int) -> Cover:
    """What windows announced in time, and the last correction of each outage, make of time.

    Args:
        now: the end of an outage that goes on.
    """
    planned: dict[Place, list[Span]] = defaultdict(list)
    excluded: dict[Place, list[Span]] = defaultdict(list)
    reported: dict[Place, list[Span]] = defaultdict(list)
    for window in windows:
        if window.is_planned:
            planned[window.kind, window.name].append((window.start, window.until))
    last = {(c.kind, c.name, c.start): c for c in corrections}
    for said in last.values():
        kind = {
            Reading.PLANNED: planned,
            Reading.EXCLUDED: excluded,
            Reading.USER_REPORTED: reported,
        }.get(said.reading)
        if kind is not None:
            kind[said.kind, said.name].append((said.start, now if said.end is None else said.end))
    return Cover(
        planned={place: union(spans) for place, spans in planned.items()},
        excluded={place: union(spans) for place, spans in excluded.items()},
        reported={place: union(spans) for place, spans in reported.items()},
    )


def places_of_roots(inventory: Inventory) -> Mapping[str, Sequence[Place]]:
    """Per root cause, the places whose maintenance covers what it causes."""
    found: dict[str, list[Place]] = {}
    for name, device in inventory.devices.items():
        member = inventory.sites[device.site].member
        found[f"device {name}"] = [
            ("device", name),
            ("site", device.site),
            ("member", member),
        ]
    for key, link in inventory.links.items():
        ends = (inventory.end(link.a).device, inventory.end(link.b).device)
        found[f"link {key}"] = [p for end in ends if end for p in found.get(f"device {end}", ())]
    return found
