"""A rollout as a plan: who gets what, in which waves, under which digest; pure."""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from fleet.core.baseline import ChangeClass
from fleet.core.waves import Danger, Wave


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    device: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Devices that a baseline changes in the same way."""

    baseline: str
    devices: tuple[str, ...]
    diff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """What one baseline changes on one device.

    Args:
        wanted: digest of what the device is to have.
        state: digest of what it had when the plan was made; empty: nobody looked.
    """

    device: str
    member: str
    site: str
    baseline: str
    wanted: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What would be done.

    Args:
        devices_read: whether the devices were asked; else the items have no state.
        unchanged: devices that have everything already.
        risks: by baseline, what can go wrong, for those who decide.
        files: path below the workspace → text.
    """

    baselines: tuple[str, ...]
    change_class: ChangeClass
    items: tuple[Item, ...]
    waves: tuple[Wave, ...]
    left_out: tuple[LeftOut, ...]
    refused: tuple[Danger, ...]
    groups: tuple[Group, ...]
    unchanged: tuple[str, ...] = ()
    devices_read: bool = True
    risks: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str]

    @property
    def digest(self) -> str:
        return digest_of(self.items, self.waves)

    @property
    def id(self) -> str:
        """Short name of the plan; the same plan has the same."""
        return self.digest[:12]

    @property
    def targets(self) -> int:
        return sum(len(wave.devices) for wave in self.waves)

    def slices(self) -> dict[str, str]:
        """Per member, the digest of what the plan does to its devices."""
        mine: dict[str, list[Item]] = defaultdict(list)
        for item in self.items:
            mine[item.member].append(item)
        return {member: digest_of(items, ()) for member, items in sorted(mine.items())}


def group_alike(diffs: Iterable[tuple[str, str, str]]) -> tuple[Group, ...]:
    """Devices by what changes on them, the many first.

    Args:
        diffs: device, baseline, difference.
    """
    alike: dict[tuple[str, str], list[str]] = defaultdict(list)
    for device, baseline, text in diffs:
        alike[baseline, text].append(device)
    groups = [
        Group(baseline=baseline, devices=tuple(sorted(devices)), diff=text)
        for (baseline, text), devices in alike.items()
    ]
    return tuple(sorted(groups, key=lambda g: (-len(g.devices), g.baseline, g.devices)))


def digest_of(items: Iterable[Item], waves: Sequence[Wave]) -> str:
    """SHA-256 over what is wanted, what was seen, and the order."""
    content = {
        "items": sorted([i.device, i.baseline, i.wanted, i.state] for i in items),
        "waves": [[wave.number, list(wave.devices)] for wave in waves],
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Result(StrEnum):
    """What became of a baseline on a device."""

    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    NOT_RUN = "not_run"
    REVERTED = "reverted"


FAILURES = frozenset({Result.FAILED, Result.UNREACHABLE, Result.NOT_RUN, Result.REVERTED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    wave: int
    baseline: str
    device: str
    result: Result
    message: str | None = None

    @property
    def failed(self) -> bool:
        return self.result in FAILURES
