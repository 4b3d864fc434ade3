"""What was measured, as lines with small charts."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any

from fleet.cli.show import Row, count_of
from fleet.core.metric.kinds import (
    IN_TRAFFIC,
    MEMORY_SIZE,
    MEMORY_USED,
    OUT_TRAFFIC,
    STORAGE_SIZE,
    STORAGE_USED,
    TRAFFIC,
)
from fleet.core.moment import parse_moment, short_text, to_instant
from fleet.core.sparkline import sparkline
from fleet.core.units import bits, octets

_NAMES = {
    IN_TRAFFIC: "in",
    OUT_TRAFFIC: "out",
    STORAGE_USED: "storage",
    MEMORY_USED: "memory",
    "memory_load": "memory",
    "ups_load": "UPS load",
    "ups_charge": "UPS charge",
    "ups_runtime": "UPS runtime",
    "ups_power": "UPS power",
    "poe_power": "PoE",
}
_PORTS = 8
_OLD = timedelta(hours=1)
_SIZES = {STORAGE_USED: STORAGE_SIZE, MEMORY_USED: MEMORY_SIZE}


def measured_lines(rows: Sequence[Row]) -> Iterator[str]:
    """A line for each, with the last 24 hours from left to right."""
    if not rows:
        return
    sizes = {(row["metric"], row["part"]): row["last"] for row in rows}
    ports = _busiest(rows)
    shown = [
        row
        for row in rows
        if row["metric"] not in _SIZES.values()
        and (row["metric"] not in TRAFFIC or row["part"] in ports)
    ]
    heads = [_head(row) for row in shown]
    width = max(map(len, heads), default=0)
    newest = max(row["at"] for row in rows)
    yield f"measured in the last 24 hours, until {_time(newest)}: newest, and highest"
    for head, row in zip(heads, shown, strict=True):
        size = sizes.get((_SIZES.get(row["metric"], ""), row["part"]))
        top = _top(row, size)
        line = f"  {head:{width}}  {sparkline(row['hours'], top)}  {_said(row, size)}"
        is_old = to_instant(parse_moment(newest)) - to_instant(parse_moment(row["at"])) > _OLD
        yield f"{line} (until {_time(row['at'])})" if is_old else line
    left_out = {row["part"] for row in rows if row["metric"] in TRAFFIC} - ports
    if left_out:
        yield f"  and {count_of(len(left_out), 'port')} with less traffic (-o json has them)"


def _time(at: str) -> str:
    return short_text(to_instant(parse_moment(at)))


def _busiest(rows: Sequence[Row]) -> set[str]:
    """The ports that are shown."""
    carried: dict[str, float] = {}
    for row in rows:
        if row["metric"] in TRAFFIC:
            carried[row["part"]] = carried.get(row["part"], 0.0) + row["mean"]
    return set(sorted(carried, key=lambda part: -carried[part])[:_PORTS])


def site_lines(traffic: Row | None) -> Iterator[str]:
    """What came to a site and went from it."""
    if traffic is None:
        return
    ports = traffic["ports"]
    more = f" and {len(ports) - _PORTS} more" if len(ports) > _PORTS else ""
    yield f"traffic in the last 24 hours over {', '.join(ports[:_PORTS])}{more}"
    most = max((v for way in ("in", "out") for v in traffic[way] if v is not None), default=0)
    for way in ("in", "out"):
        known = [value for value in traffic[way] if value is not None]
        if known:
            mean, high = bits(sum(known) / len(known)), bits(max(known))
            yield f"  {way:3}  {sparkline(traffic[way], most)}  {mean}, at most {high} in an hour"


def _head(row: Row) -> str:
    name = _NAMES.get(row["metric"], row["metric"].replace("_", " "))
    if row["metric"] in (IN_TRAFFIC, OUT_TRAFFIC):
        return f"{row['part']} {name}"
    return f"{name} {row['part']}" if row["part"] else name


def _top(row: Row, size: float | None) -> float | None:
    if size:
        return size
    return 100.0 if row["unit"] == "%" else None


def _said(row: Row, size: float | None) -> str:
    if size:
        return f"{100 * row['last'] // size:.0f} % of {octets(size)}"
    last, high = _value(row, row["last"]), _value(row, row["high"])
    return last if last == high else f"{last}, at most {high}"


def _value(row: Row, value: Any) -> str:
    if row["unit"] == "bit/s":
        return bits(value)
    if row["unit"] == "B":
        return octets(value)
    return f"{value:g} {row['unit']}"
