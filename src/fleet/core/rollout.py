"""A rollout as a plan: who gets what, in which waves, under which digest; pure."""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from fleet.core.inventory import Inventory


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """Devices that are changed together; if one fails, no later wave begins."""

    number: int
    why: str
    devices: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftOut:
    device: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Devices whose generated configuration differs in the same way."""

    devices: tuple[str, ...]
    diff: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    digest: str
    baselines: tuple[str, ...]
    waves: tuple[Wave, ...]
    left_out: tuple[LeftOut, ...]
    files: Mapping[str, str]  # path below the workspace → text
    groups: tuple[Group, ...]

    @property
    def id(self) -> str:
        """Short name of the plan; the same plan has the same."""
        return self.digest[:12]

    @property
    def targets(self) -> int:
        return sum(len(wave.devices) for wave in self.waves)


class Result(StrEnum):
    """What became of a baseline on a device."""

    OK = "ok"
    CHANGED = "changed"
    FAILED = "failed"
    UNREACHABLE = "unreachable"
    NOT_RUN = "not_run"


FAILURES = frozenset({Result.FAILED, Result.UNREACHABLE, Result.NOT_RUN})


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


def make_waves(inventory: Inventory, platforms: Mapping[str, str]) -> tuple[Wave, ...]:
    """A canary of each platform at the least populated site, then the rest.

    Args:
        platforms: per target device, the platform that decides how it is changed.
    """

    def users(name: str) -> tuple[bool, int, str]:
        """A site without users is a data centre or a mast, which others depend on: last."""
        site = inventory.sites[inventory.devices[name].site]
        return not site.users, site.users or 0, name

    canaries = sorted(
        min((n for n, p in platforms.items() if p == platform), key=users)
        for platform in set(platforms.values())
    )
    rest = sorted(set(platforms) - set(canaries))
    waves = [("canary", canaries), ("rest", rest)] if rest else [("all", canaries)]
    return tuple(
        Wave(number=number, why=why, devices=tuple(devices))
        for number, (why, devices) in enumerate((w for w in waves if w[1]), start=1)
    )


def digest_of(files: Mapping[str, str], waves: Sequence[Wave], baselines: Iterable[str]) -> str:
    """SHA-256 over everything that would be done: the files, the waves, the baselines."""
    content = {
        "baselines": sorted(baselines),
        "waves": [[wave.number, list(wave.devices)] for wave in waves],
        "files": {
            path: hashlib.sha256(text.encode()).hexdigest() for path, text in sorted(files.items())
        },
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
