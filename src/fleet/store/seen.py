"""What one poll saw, packed into a few bytes per device. Needs no database library."""

import json
import zlib
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from fleet.core.conditions import Sighting
from fleet.core.moment import from_us, to_us
from fleet.core.states import Observation, Verdict

_TICK = timedelta(milliseconds=10)


def pack(at_us: int, observations: Iterable[Observation], sightings: Iterable[Sighting]) -> bytes:
    """Times are kept relative to `at_us`."""
    rows = [_row(at_us, seen) for seen in observations]
    parts = [[s.device, s.subject, to_us(s.at) - at_us, s.state] for s in sightings]
    text = json.dumps([rows, parts], ensure_ascii=False, separators=(",", ":"))
    return zlib.compress(text.encode(), 1)


def _row(at_us: int, seen: Observation) -> list[Any]:
    row = [
        seen.device,
        to_us(seen.at) - at_us,
        int(seen.verdict),
        None if seen.uptime is None else seen.uptime // _TICK,
        seen.boots,
        seen.root,
        seen.cause,
    ]
    while row[-1] is None:
        row.pop()
    return row


def unpack(at_us: int, packed: bytes) -> tuple[list[Observation], list[Sighting]]:
    """What `pack` packed."""
    rows, parts = json.loads(zlib.decompress(packed))
    return (
        [_observation(at_us, *row) for row in rows],
        [Sighting(device, subject, from_us(at_us + at), s) for device, subject, at, s in parts],
    )


def _observation(
    at_us: int,
    device: str,
    at: int,
    verdict: int,
    uptime: int | None = None,
    boots: int | None = None,
    root: str | None = None,
    cause: str | None = None,
) -> Observation:
    return Observation(
        device=device,
        at=from_us(at_us + at),
        verdict=Verdict(verdict),
        uptime=None if uptime is None else uptime * _TICK,
        boots=boots,
        root=root,
        cause=cause,
    )
