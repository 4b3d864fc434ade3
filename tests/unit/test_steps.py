"""Rates from counters: computed by hand, with wraps, resets, clocks that jump, moved ports."""

import pytest

from fleet.core.metric.kinds import IN_TRAFFIC, MISSING, PORT_METRICS, Key
from fleet.core.metric.reading import Layout, Ports, Reading
from fleet.core.metric.steps import rate, sample_of, span_of

SECOND = 1_000_000
GIGABIT = 125_000_000.0
TURN_32, TURN_64 = 2**32, 2**64


def reading(
    at_s: float,
    uptime_s: float | None,
    octets: dict[str, int],
    *,
    bits: int = 64,
    speed: float = GIGABIT,
    packets: int | None = None,
    marks: int = 0,
    boots: int | None = None,
) -> Reading:
    """A device of which the octets that its ports received are told."""
    names = tuple(octets)
    layout = Layout(tuple(Key(metric, name) for metric in PORT_METRICS for name in names))
    counters = [*octets.values()] + [0] * (5 * len(names))
    known = () if packets is None else (packets,) * len(names)
    return Reading(
        at_us=int(at_s * SECOND),
        uptime_cs=None if uptime_s is None else int(uptime_s * 100) % TURN_32,
        boots=boots,
        layout=layout,
        counters=counters,
        ports=Ports(
            names=names,
            octets_a_second=(speed,) * len(names),
            discontinuities=(marks,) * len(names),
            packets=(known, known),
            bits=(bits,) * len(names),
        ),
    )


def received(before: Reading, now: Reading, port: str = "Gi1") -> float | None:
    """The rate at which a port received, bit/s."""
    sample = sample_of(before, now)
    place = sample.layout.keys.index(Key(IN_TRAFFIC, port))
    return rate(sample.values[place], sample.span_cs, 8)


# Name: octets before, octets now, seconds by the agent's clock, what else, bit/s.
TABLE = {
    "steady": (1_000, 3_751_000, 300, {}, 100_000.0),
    "idle": (7, 7, 300, {}, 0.0),
    "the agent says 301.5 s, we 300": (0, 3_768_750, 301.5, {}, 100_000.0),
    "a full line": (0, 37_500_000_000, 300, {}, 1e9),
    "more than the line carries": (0, 60_000_000_000, 300, {}, None),
    "64 bits turn over": (TURN_64 - 1_000_000, 2_750_000, 300, {}, 100_000.0),
    "64 bits of an agent that counts in 32": (TURN_32 - 750_000, 3_000_000, 300, {}, 100_000.0),
    "set to zero by hand": (9_000_000, 1_500, 300, {}, None),
    "set to zero by hand, from high": (TURN_64 // 2, 1_500, 300, {}, None),
    "runs backwards a little": (50_000_000, 49_999_000, 300, {}, None),
    "not said any more": (1_000, -1, 300, {}, None),
    "not said before": (-1, 1_000, 300, {}, None),
    "32 bits turn over": (TURN_32 - 500, 3_749_500, 300, {"bits": 32, "speed": 12.5e6}, 100_000.0),
    "32 bits, set to zero": (100_000_000, 0, 300, {"bits": 32, "speed": 12.5e6}, None),
    "32 bits on a fast line": (0, 3_750_000, 300, {"bits": 32}, None),
}


@pytest.mark.parametrize("name", TABLE)
def test_rates_are_those_that_were_computed_by_hand(name: str) -> None:
    before, now, seconds, more, wanted = TABLE[name]
    first = reading(1_000, 50_000, {"Gi1": before}, **more)
    second = reading(1_300, 50_000 + seconds, {"Gi1": now}, **more)

    assert received(first, second) == wanted


@pytest.mark.parametrize(
    ("step", "packets", "wanted"),
    [
        # 4,000 packets hold at most 36,864,000 octets: the counter cannot have turned over.
        (3_750_000, 4_000, 100_000.0),
        # 20 million packets of 64 octets are 1.28 GB: 0.45 GB cannot be, 4.74 GB can be, and so
        # can 9.04 GB: nobody knows.
        (450_000_000, 20_000_000, None),
        (0, 0, 0.0),
    ],
)
def test_packets_tell_how_often_32_bits_turned_over(
    step: int, packets: int, wanted: float | None
) -> None:
    first = reading(1_000, 50_000, {"Gi1": 10}, bits=32, packets=100)
    second = reading(1_300, 50_300, {"Gi1": 10 + step}, bits=32, packets=100 + packets)

    assert received(first, second) == wanted


@pytest.mark.parametrize(
    ("before", "now", "passed_s", "wanted"),
    [
        (50_000.0, 50_300.0, 300, 30_000),
        (TURN_32 / 100 - 100, 200.0, 300, 30_000),  # after 497 days
        (50_000.0, 120.0, 300, 0),  # started anew
        (50_000.0, 86_400.0, 300, 0),  # its clock jumps ahead
        (50_000.0, 49_000.0, 300, 0),  # … and back
        (50_000.0, 50_300.0, 7_200, 0),  # ours was set
        (50_000.0, 50_300.0, -3_300, 0),
        (50_000.0, 50_000.0, 0, 0),
        (None, 50_300.0, 300, 0),
        (50_000.0, None, 300, 0),
    ],
)
def test_time_is_the_agents_own_unless_a_clock_jumped(
    before: float | None, now: float | None, passed_s: int, wanted: int
) -> None:
    first, second = reading(10_000, before, {}), reading(10_000 + passed_s, now, {})

    assert span_of(first, second) == wanted


def test_another_start_of_the_engine_is_a_reboot() -> None:
    first = reading(1_000, 100, {"Gi1": 5}, boots=7)
    second = reading(1_300, 400, {"Gi1": 900}, boots=8)

    assert received(first, second) is None


def test_a_port_with_another_number_is_found_by_its_name() -> None:
    """After a card was added, Gi2 has the place that Gi1 had."""
    first = reading(1_000, 50_000, {"Gi1": 1_000, "Gi2": 500_000})
    second = reading(1_300, 50_300, {"New1": 77, "Gi1": 3_751_000, "Gi2": 8_000_000})

    assert received(first, second, "Gi1") == 100_000.0
    assert received(first, second, "Gi2") == 200_000.0
    assert received(first, second, "New1") is None


def test_a_card_that_was_replaced_begins_anew() -> None:
    """ifCounterDiscontinuityTime (RFC 2863) says so, although the counter is higher now."""
    first = reading(1_000, 50_000, {"Gi1": 1_000})
    second = reading(1_300, 50_300, {"Gi1": 900_000}, marks=5_012_345)

    assert received(first, second) is None


def test_the_first_reading_has_no_rate() -> None:
    sample = sample_of(None, reading(1_000, 50_000, {"Gi1": 1_000}))

    assert (sample.span_cs, set(sample.values)) == (0, {MISSING})
