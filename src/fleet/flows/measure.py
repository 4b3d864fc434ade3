"""Measuring: what is asked of whom, and keeping what is answered."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fleet.core.metric.ask import FIRST, Profile, ask_for, ask_for_all, profile_of
from fleet.core.metric.read import Meter
from fleet.core.metric.reading import Reading, Sample
from fleet.core.metric.steps import sample_of
from fleet.core.moment import to_us
from fleet.core.walk import Answer, Oid, Walk
from fleet.errors import RemoteError
from fleet.platforms import load_measured

if TYPE_CHECKING:
    from fleet.metrics.embedded import EmbeddedStore, Known
    from fleet.snmp.engine import Further

LEARN_EVERY = timedelta(days=1)
"""How often a device is asked for everything again that could be measured."""


class Metering:
    """Measures devices cycle after cycle; knows what each of them has.

    Args:
        store: where it is kept; None: nowhere, but it is known what is beyond its limits.
    """

    def __init__(self, store: "EmbeddedStore | None") -> None:
        self._store = store
        self._known: dict[str, Known] = store.known() if store else {}
        self._meters: dict[str, Meter] = {}
        self._owns = load_measured()

    def due(self, names: Collection[str], before: datetime, now: datetime) -> set[str]:
        """Those that were not measured since an instant; later than now: a wrong clock said it."""
        span = range(to_us(before) + 1, to_us(now) + 1)
        return {
            n for n in names if n not in self._known or self._known[n].reading.at_us not in span
        }

    def first_of(self, name: str, now: datetime) -> tuple[Oid, ...]:
        """What goes into the first request."""
        return FIRST if self._learns(name, now) else ()

    def more_of(self, name: str, now: datetime, walk: Walk) -> "Further":
        """What is asked once the first answer is there."""
        from fleet.snmp.engine import Further

        if self._learns(name, now):
            scalars, tables = ask_for_all(walk, self._owns)
        else:
            scalars, tables = ask_for(self._known[name].profile, self._owns)
        return Further(scalars=scalars, tables=tables)

    def _learns(self, name: str, now: datetime) -> bool:
        known = self._known.get(name)
        span = range(to_us(now - LEARN_EVERY) + 1, to_us(now) + 1)
        return known is None or known.learned_us not in span

    def record(
        self, answers: Mapping[str, Answer], asked_at: datetime
    ) -> tuple[dict[str, Sample], str | None]:
        """Keep what was answered; what was measured, by device, and why nothing of it was kept.

        The next cycle's steps begin where those would have that were not kept.
        """
        from fleet.metrics.embedded import Known, Measured

        batch: list[Measured] = []
        for name, answer in answers.items():
            known = self._known.get(name)
            meter = self._meters.setdefault(name, Meter())
            reading = meter.read(answer, self._owns)
            learns = self._learns(name, asked_at)
            profile: Profile = profile_of(answer.walk, self._owns) if learns else frozenset()
            if answer.unread and known is not None:
                profile |= known.profile
            sample = sample_of(known.reading if known else None, reading)
            learned_us = to_us(asked_at) if learns or known is None else known.learned_us
            if known is not None and not learns and _is_another(known.reading, reading, sample):
                learned_us = 0
            batch.append(
                Measured(
                    device=name,
                    profile=profile if learns or known is None else known.profile,
                    learned_us=learned_us,
                    reading=reading,
                    sample=sample,
                )
            )
        samples = {one.device: one.sample for one in batch}
        try:
            if self._store is not None:
                self._store.record(batch)
        except RemoteError as error:
            return samples, f"nothing of what was measured was kept: {error.message}"
        for one in batch:
            self._known[one.device] = Known(
                profile=one.profile, learned_us=one.learned_us, reading=one.reading
            )
        return samples, None


def _is_another(before: Reading, now: Reading, sample: Sample) -> bool:
    """Whether a device may have other things to measure: it was started anew, or lost its ports."""
    has_lost = bool(before.layout.counters) and not now.layout.counters
    return has_lost or (not sample.span_cs and now.uptime_cs is not None)
