"""From polls to state intervals."""

from datetime import UTC, datetime, timedelta

from fleet.core.states import Interval, Observation, State, Step, Track, Verdict, advance

START = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


VERDICTS = {"+": Verdict.ANSWERED, "-": Verdict.SILENT, "<": Verdict.BEHIND, "?": Verdict.LOST}


def look(minute: int, sign: str) -> Observation:
    root = {"-": "device d", "<": "device core"}.get(sign)
    at = START + minute * MINUTE
    return Observation(device="d", at=at, verdict=VERDICTS[sign], root=root)


def run(pattern: str, confirmations: int = 3) -> tuple[list[tuple[State, int]], Track]:
    """Intervals opened by one poll a minute: `+` answered, `-` silent, `<` silent behind
    another's failure, `?` the poller was cut off, space: not polled.
    """
    track: Track | None = None
    opened: dict[datetime, Interval] = {}
    for minute, sign in enumerate(pattern):
        if sign == " ":
            continue
        seen = look(minute, sign)
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


def test_a_device_behind_a_failure_is_unreachable() -> None:
    assert run("+<<<+")[0] == [(State.UP, 0), (State.UNREACHABLE, 1), (State.UP, 4)]


def test_what_counts_is_where_it_stood_when_the_failure_was_confirmed() -> None:
    # It was asked before its router failed, in the first round.
    assert run("+-<<+")[0] == [(State.UP, 0), (State.UNREACHABLE, 1), (State.UP, 4)]


def test_the_last_poll_before_all_is_well_again_makes_no_outage_of_its_own() -> None:
    # Its router answered already, it had been asked before that.
    assert run("+<<<<-+")[0] == [(State.UP, 0), (State.UNREACHABLE, 1), (State.UP, 6)]


def test_another_cause_holds_from_the_first_poll_of_a_confirmed_run_on() -> None:
    assert run("+<<<<---+")[0] == [
        (State.UP, 0),
        (State.UNREACHABLE, 1),
        (State.DOWN, 5),
        (State.UP, 8),
    ]


def test_if_the_poller_was_cut_off_nothing_is_known_and_nothing_goes_down() -> None:
    assert run("++??????+")[0] == [(State.UP, 0), (State.UNKNOWN, 2), (State.UP, 8)]
    assert run("+--?--?--+")[0] == [(State.UP, 0), (State.UNKNOWN, 3), (State.UP, 9)]


def boots(*seen: tuple[int, int, int | None]) -> list[int]:
    """When reboots are seen, in seconds: of answers at a second, with uptime and engine boots."""
    track: Track | None = None
    found = []
    for at, uptime, count in seen:
        answer = Observation(
            device="d",
            at=START + timedelta(seconds=at),
            verdict=Verdict.ANSWERED,
            uptime=timedelta(seconds=uptime),
            boots=count,
        )
        step: Step = advance(track, answer, confirmations=3, interval=MINUTE)
        track = step.track
        if step.rebooted_at:
            found.append((step.rebooted_at - START) // timedelta(seconds=1))
    return found


def test_a_reboot_is_seen_by_the_uptime_that_starts_anew() -> None:
    assert boots((0, 1000, None), (60, 1060, None), (120, 30, None), (180, 90, None)) == [90]


def test_a_counter_of_uptime_that_turns_over_is_no_reboot() -> None:
    turn = 2**32 // 100
    assert boots((0, turn - 30, None), (60, 30, None)) == []
    assert boots((0, turn - 30, 7), (60, 30, 7)) == []
    assert boots((0, turn - 30, 7), (60, 30, 8)) == [30]


def test_a_reboot_while_the_poller_was_cut_off_is_seen_once() -> None:
    track: Track | None = None
    found = []
    for minute, (sign, uptime) in enumerate([("+", 1000), ("?", 1), ("?", 61), ("+", 121)]):
        at = START + minute * MINUTE
        seen = Observation(
            device="d", at=at, verdict=VERDICTS[sign], uptime=timedelta(seconds=uptime)
        )
        step = advance(track, seen, confirmations=3, interval=MINUTE)
        track = step.track
        found.append(step.rebooted_at)
    assert found == [None, None, None, START + 3 * MINUTE - timedelta(seconds=121)]


def test_a_clock_that_drifts_is_no_reboot() -> None:
    assert boots((0, 1000, None), (86_400, 87_390, None)) == []


def test_what_was_seen_too_long_ago_is_unknown_now() -> None:
    _, track = run("+++")

    assert track.at(START + 4 * MINUTE, MINUTE).state is State.UP
    stale = track.at(START + 6 * MINUTE, MINUTE)
    assert (stale.state, stale.since) == (State.UNKNOWN, START + 2 * MINUTE)
