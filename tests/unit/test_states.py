"""From polls to state intervals."""

from datetime import UTC, datetime, timedelta

from fleet.core.states import Interval, Observation, State, Track, advance

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def run(pattern: str, confirmations: int = 3) -> tuple[list[tuple[State, int]], Track]:
    """Intervals opened by one poll a minute: `+` answered, `-` silent, space: not polled."""
    track: Track | None = None
    opened: dict[datetime, Interval] = {}
    for minute, sign in enumerate(pattern):
        if sign == " ":
            continue
        seen = Observation(device="d", at=START + minute * MINUTE, answered=sign == "+")
        step = advance(track, seen, confirmations=confirmations, interval=MINUTE)
        track = step.track
        for interval in step.opened:
            opened = {at: i for at, i in opened.items() if at < interval.since}
            opened[interval.since] = interval
    assert track is not None
    return [(i.state, (i.since - START) // MINUTE) for i in opened.values()], track


def test_up_from_the_first_answer() -> None:
    assert run("+++")[0] == [(State.UP, 0)]


def test_down_begins_at_the_first_failure_of_a_confirmed_run_and_ends_at_the_first_answer() -> None:
    assert run("++---+")[0] == [(State.UP, 0), (State.DOWN, 2), (State.UP, 5)]


def test_an_unconfirmed_run_is_no_outage() -> None:
    assert run("++--++")[0] == [(State.UP, 0)]


def test_a_device_that_never_answered_goes_down_in_the_same_way() -> None:
    assert run("--")[0] == [(State.UNKNOWN, 0)]
    assert run("---")[0] == [(State.DOWN, 0)]


def test_without_polls_for_three_intervals_time_is_unknown_from_the_last_one_on() -> None:
    assert run("++   +")[0] == [(State.UP, 0), (State.UNKNOWN, 1), (State.UP, 5)]
    assert run("++  +")[0] == [(State.UP, 0)]


def test_an_outage_does_not_run_on_over_a_gap() -> None:
    assert run("+---     ---")[0] == [
        (State.UP, 0),
        (State.DOWN, 1),
        (State.UNKNOWN, 3),
        (State.DOWN, 9),
    ]


def test_a_run_of_failures_does_not_survive_a_gap() -> None:
    assert run("--          -")[0] == [(State.UNKNOWN, 0)]
    assert run("--          ---")[0] == [(State.UNKNOWN, 0), (State.DOWN, 12)]


def test_a_late_result_changes_nothing() -> None:
    _, track = run("+++")
    late = Observation(device="d", at=START, answered=False)

    assert advance(track, late, confirmations=3, interval=MINUTE).track == track


def test_what_was_seen_too_long_ago_is_unknown_now() -> None:
    _, track = run("+++")

    assert track.at(START + 4 * MINUTE, MINUTE).state is State.UP
    stale = track.at(START + 6 * MINUTE, MINUTE)
    assert (stale.state, stale.since) == (State.UNKNOWN, START + 2 * MINUTE)
