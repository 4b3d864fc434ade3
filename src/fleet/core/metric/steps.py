"""By how much counters grew between two readings, and in which time.

Time is the agent's own (sysUpTime, RFC 3418), not when answers came. What cannot be told from
a reset, a jump of a clock or a counter that turned over more than once is not known: a gap in a
chart is better than a spike.
"""

from array import array
from collections.abc import Sequence
from operator import gt, sub

from fleet.core.metric.kinds import MISSING, TRAFFIC
from fleet.core.metric.reading import Ports, Reading, Sample

_TICKS = 2**32  # sysUpTime starts over after 497 days
_SLACK_CS = 500
_BURST = 1.25  # agents count in steps of some seconds: a little more than the line carries
_UNKNOWN_OCTETS_A_SECOND = 50_000_000_000.0  # of a port that does not say how fast it is
_SMALLEST, _LARGEST = 64, 9_216  # octets in a packet
_TURN = {32: 2**32, 64: 2**64}


def sample_of(before: Reading | None, now: Reading) -> Sample:
    """What is kept of a reading, given the one before it."""
    span = span_of(before, now)
    steps = [MISSING] * len(now.counters)
    if before is not None and span and now.counters:
        steps = steps_of(before, now, span)
    values = array("q", steps)
    values.extend(now.gauges)
    return Sample(at_us=now.at_us, span_cs=span, layout=now.layout, values=values)


def span_of(before: Reading | None, now: Reading) -> int:
    """The time between two readings by the agent's clock, 1/100 s; 0: it cannot be told.

    It cannot if the agent was started anew in between, or if its clock and ours differ by more
    than a tenth: one of them was set.
    """
    if before is None or before.uptime_cs is None or now.uptime_cs is None:
        return 0
    if before.boots is not None and now.boots is not None and before.boots != now.boots:
        return 0
    wall = (now.at_us - before.at_us) // 10_000
    span = (now.uptime_cs - before.uptime_cs) % _TICKS
    return span if span > 0 and abs(span - wall) <= _SLACK_CS + wall // 10 else 0


def steps_of(before: Reading, now: Reading, span_cs: int) -> list[int]:
    """By how much each counter grew; MISSING where that is not known.

    A port that has another number now is found by its name.
    """
    then = _aligned(before, now)
    steps = list(map(sub, now.counters, then))
    ceilings = _ceilings(now, span_cs)
    is_plain = (
        min(now.ports.bits, default=64) == 64
        and before.ports.bits == now.ports.bits
        and min(steps) >= 0
        and min(then) >= 0
        and not any(map(gt, steps, ceilings))
        and before.ports.discontinuities == now.ports.discontinuities
    )
    if not is_plain:
        anew = _ports_anew(before.ports, now.ports)
        packets = _packet_steps(before.ports, now.ports)
        ports = len(now.ports.names)
        for place, key in enumerate(now.layout.counters):
            port = place % ports if ports else 0
            is_traffic = key.metric in TRAFFIC
            bits = now.ports.bits[port] if is_traffic and ports else 32
            step = _step(now.counters[place], then[place], ceilings[place], bits=bits)
            if is_traffic and bits == 32 and ceilings[place] / _BURST >= _TURN[32]:
                known = packets[key.metric][port] if packets else None
                step = _turned(step, ceilings[place], known)
            steps[place] = MISSING if key.part in anew else step
    return steps


def _aligned(before: Reading, now: Reading) -> Sequence[int]:
    if before.layout.counters == now.layout.counters:
        return before.counters
    known = dict(zip(before.layout.counters, before.counters, strict=True))
    return [known.get(key, -1) for key in now.layout.counters]


def _ceilings(now: Reading, span_cs: int) -> list[float]:
    """The most that each counter can have grown: octets as the line carries, faults as packets."""
    part = span_cs / 100 * _BURST
    octets = [(speed or _UNKNOWN_OCTETS_A_SECOND) * part for speed in now.ports.octets_a_second]
    packets = [most / _SMALLEST for most in octets]
    metrics = len(now.layout.counters) // (len(octets) or 1)
    return [
        most for number in range(metrics) for most in (octets if number < len(TRAFFIC) else packets)
    ]


def _ports_anew(before: Ports, now: Ports) -> set[str]:
    """Those whose counters began anew, or are others."""
    found: set[str] = set()
    both = (
        (before.discontinuities, now.discontinuities),
        (before.bits, now.bits),
    )
    for known, said in both:
        then = dict(zip(before.names, known, strict=False))
        pairs = zip(now.names, said, strict=False)
        found |= {name for name, value in pairs if then.get(name, value) != value}
    return found


def _packet_steps(before: Ports, now: Ports) -> dict[str, list[int | None]]:
    """How many packets came and went at each port, where counters have 32 bits."""
    found = {}
    for metric, then, since in zip(TRAFFIC, before.packets, now.packets, strict=True):
        known = dict(zip(before.names, then, strict=False))
        found[metric] = [
            (count - known[name]) % _TURN[32] if count >= 0 and known.get(name, -1) >= 0 else None
            for name, count in zip(now.names, since, strict=False)
        ]
    return found if any(now.packets) else {}


def _step(now: int, then: int, ceiling: float, *, bits: int) -> int:
    if now < 0 or then < 0:
        return MISSING
    step = now - then
    if step < 0:
        # 64-bit counters of an agent that counts in 32 turn over where those do.
        narrow = bits == 32 or then < _TURN[32]
        turn = _TURN[32 if narrow else 64]
        step += turn
        # From far below the turn it is no turn: the counters were set to zero.
        if then >= turn or step > turn // 2:
            return MISSING
    return MISSING if step > ceiling else step


def _turned(step: int, ceiling: float, packets: int | None) -> int:
    """The octets of a 32-bit counter that may have turned over more than once in the time.

    So many packets have at least and at most so many octets; if just one number of turns fits,
    it is the one.
    """
    if step == MISSING or packets is None:
        return MISSING
    least, most = packets * _SMALLEST, min(packets * _LARGEST, ceiling)
    fitting = [
        found
        for turns in range(int(most // _TURN[32]) + 1)
        if least <= (found := step + turns * _TURN[32]) <= most
    ]
    return fitting[0] if len(fitting) == 1 else MISSING


def rate(step: int, span_cs: int, factor: int) -> float | None:
    """A step of a counter per second, in its metric's unit."""
    return None if step == MISSING or span_cs <= 0 else step * factor * 100 / span_cs
