"""Late and repeated results, in any order and in any portions: the same intervals."""

import shutil
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fleet.core.conditions import Sighting
from fleet.core.states import Observation, Round, Verdict
from fleet.store.store import Store

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ROOTS = ("device a", "device core", "link a – b")


@pytest.fixture(scope="module")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without anything in it, to be copied."""
    path = tmp_path_factory.mktemp("empty") / "fleet.db"
    Store(f"sqlite:///{path}").close()
    return path


verdicts = st.sampled_from([*Verdict, Verdict.ANSWERED, Verdict.SILENT, Verdict.SILENT])


@st.composite
def observations(draw: st.DrawFn) -> Observation:
    verdict = draw(verdicts)
    is_silent = verdict in (Verdict.SILENT, Verdict.BEHIND)
    answered = verdict is Verdict.ANSWERED
    return Observation(
        device=draw(st.sampled_from("ab")),
        at=START + draw(st.integers(0, 25)) * timedelta(seconds=45),
        verdict=verdict,
        uptime=timedelta(seconds=draw(st.integers(0, 400))) if answered else None,
        boots=draw(st.none() | st.integers(1, 3)) if answered else None,
        root=draw(st.sampled_from(ROOTS)) if is_silent else None,
    )


sightings = st.builds(
    Sighting,
    st.sampled_from("ab"),
    st.just("battery"),
    st.integers(0, 25).map(lambda n: START + n * timedelta(seconds=45)),
    st.sampled_from(("normal", "low", "on battery")),
)


def keep(
    path: Path, portions: Sequence[tuple[list[Observation], list[Sighting]]]
) -> tuple[Any, ...]:
    """What the database says after some polls."""
    with Store(f"sqlite:///{path}") as store:
        for number, (seen, parts) in enumerate(portions):
            at = START + timedelta(hours=1) + number * MINUTE
            poll = Round(at=at, duration_us=1, devices=len(seen))
            store.add_poll(seen, poll, confirmations=3, interval=MINUTE, sightings=parts)
        with store.reader() as reader:
            return (
                reader.stretches(),
                reader.tracks(),
                reader.events(),
                reader.conditions(is_open=False),
            )


@settings(max_examples=60)
@given(st.data(), st.lists(observations(), max_size=30), st.lists(sightings, max_size=10))
def test_any_order_and_repetition_gives_the_same(
    empty: Path, data: st.DataObject, seen: list[Observation], parts: list[Sighting]
) -> None:
    folder = empty.parent
    ordered, shuffled = folder / "ordered.db", folder / "shuffled.db"
    shutil.copy(empty, ordered)
    shutil.copy(empty, shuffled)
    in_order = sorted(seen, key=lambda s: s.at)
    one_by_one = [([s], []) for s in in_order] + [([], [p]) for p in sorted(parts, key=_at)]
    # The same, shuffled, some of it twice, in portions.
    again = data.draw(st.lists(st.sampled_from(seen), max_size=5)) if seen else []
    mixed = data.draw(st.permutations([*seen, *again]))
    parts_mixed = data.draw(st.permutations(parts))
    size = data.draw(st.integers(1, 10))
    portions = [
        (mixed[i : i + size], parts_mixed[i : i + size])
        for i in range(0, max(len(mixed), len(parts_mixed)), size)
    ]

    assert keep(shuffled, portions) == keep(ordered, one_by_one)


def _at(seen: Sighting) -> datetime:
    return seen.at


def test_what_is_older_than_a_day_is_left_out_and_counted(empty: Path) -> None:
    path = empty.parent / "late.db"
    shutil.copy(empty, path)
    with Store(f"sqlite:///{path}") as store:
        old = Observation(device="a", at=START - 2 * timedelta(days=1), verdict=Verdict.ANSWERED)
        new = Observation(device="a", at=START, verdict=Verdict.ANSWERED)
        poll = Round(at=START, duration_us=1, devices=2)
        kept = store.add_poll([old, new], poll, confirmations=3, interval=MINUTE)
        assert kept.too_late == 1
        with store.reader() as reader:
            assert [s.since for s in reader.stretches()["a"]] == [
                1_763_726_400_000_000 + 365 * 86_400_000_000
            ]
