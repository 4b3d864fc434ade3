"""Maintenance windows, outages, and what people say of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from fleet.core.blame import latest
from fleet.core.inventory import Inventory
from fleet.core.lookup import nfc
from fleet.core.maintenance import Correction, Reading, Window
from fleet.core.moment import from_us, text_of, to_us
from fleet.core.outages import Outage, find_outages, is_named, outage_name, parse_outage_name
from fleet.core.record import Record
from fleet.core.states import known_until
from fleet.errors import Malformed, NotFound

if TYPE_CHECKING:
    from fleet.store.reader import Reader


def check_window(inventory: Inventory, window: Window, now: datetime) -> None:
    """Let a window through only if it makes sense.

    Raises:
        NotFound: what it is for does not exist.
        Malformed: its instants contradict each other.
    """
    if window.name not in inventory.of_kind(window.kind):
        hint = f"try: fleet find {window.name}"
        raise NotFound(f"there is no {window.kind} `{window.name}`", hint=hint)
    if window.end <= window.start:
        raise Malformed("the window ends before it begins", hint="--start comes before --end")
    if window.announced > to_us(now):
        raise Malformed(
            "it is announced in the future", hint="--announced is when people were told"
        )


def find_same(windows: list[Window], wanted: Window) -> Window | None:
    """The same window, entered before."""

    def alike(window: Window) -> tuple[object, ...]:
        what = (window.kind, window.name, window.start, window.end)
        return (*what, window.announced, window.reason, window.ended)

    return next((w for w in windows if alike(w) == alike(wanted)), None)


def window_row(window: Window) -> Record:
    """A window as JSON values."""
    return {
        "id": window.id,
        "kind": window.kind,
        "name": window.name,
        "start": text_of(from_us(window.start)),
        "end": text_of(from_us(window.end)),
        "announced": text_of(from_us(window.announced)),
        "counts_as": "planned" if window.is_planned else "unplanned",
        "reason": window.reason,
        "by": window.actor,
        "ended": None if window.ended is None else text_of(from_us(window.ended)),
    }


def outage_rows(
    reader: "Reader", inventory: Inventory, now: datetime, interval: timedelta
) -> list[Record]:
    """All outages as JSON values, newest first.

    Args:
        interval: between polls; what goes on is known to go on for three of them.
    """
    said = _corrections_of_outages(reader)
    return [
        _outage_row(inventory, outage, said)
        for outage in all_outages(reader, now, interval)
        if outage.device in inventory.devices
    ]


def all_outages(reader: "Reader", now: datetime, interval: timedelta) -> list[Outage]:
    """The outages; one that nobody looks after any more ends where knowledge ends."""
    last = reader.last_seen()
    found = []
    for part in reader.outages():
        if part.until is None:
            until = known_until(last.get(part.device), to_us(now), interval)
            if until < to_us(now):
                part = replace(part, until=max(part.since, from_us(until)))  # noqa: PLW2901
        found.append(part)
    return find_outages(found)


Said = Mapping[tuple[str, int], Correction]


def _corrections_of_outages(reader: "Reader") -> Said:
    """The corrections that hold, by device and beginning of its outage."""
    return {
        (c.name, c.start): c
        for c in latest(reader.corrections())
        if c.kind == "device" and c.reading is not Reading.USER_REPORTED
    }


def _outage_row(inventory: Inventory, outage: Outage, said: Said) -> Record:
    device = inventory.devices[outage.device]
    last = outage.parts[-1]
    correction = said.get((outage.device, to_us(outage.since)))
    return {
        "outage": outage.name,
        "device": outage.device,
        "site": device.site,
        "member": inventory.member_of(device),
        "state": outage.state.value,
        "since": text_of(outage.since),
        "until": None if outage.until is None else text_of(outage.until),
        "cause": outage.parts[0].cause,
        "root": last.root,
        "corrected": correction.reading.value if correction else None,
    }


def pick(outages: Sequence[Outage], name: str) -> Outage:
    """The outage of a name.

    Raises:
        Malformed: it is no outage's name.
        NotFound: there is none such.
    """
    device, at = parse_outage_name(nfc(name))
    own = [outage for outage in outages if outage.device == device]
    for outage in own:
        if is_named(outage, device, at):
            return outage
    hint = f"its last one: {own[0].name}" if own else "fleet list outages"
    raise NotFound(f"there is no outage `{name}`", hint=hint)


def show_outage(
    reader: "Reader", inventory: Inventory, name: str, now: datetime, interval: timedelta
) -> Record:
    """One outage whole: its parts, the maintenance it fell into, and all corrections."""
    outage = pick(all_outages(reader, now, interval), name)
    if outage.device not in inventory.devices:
        raise NotFound(f"{outage.device} is no longer in the inventory")
    start, end = to_us(outage.since), to_us(outage.until or now)
    corrections = [
        c
        for c in reader.corrections()
        if (c.kind, c.name, c.start) == ("device", outage.device, start)
    ]
    row = _outage_row(inventory, outage, _corrections_of_outages(reader))
    device = inventory.devices[outage.device]
    places = {("device", device.name), ("site", device.site), ("member", row["member"])}
    return row | {
        "duration_s": (end - start) // 1_000_000,
        "parts": [
            {
                "state": part.state.value,
                "since": text_of(part.since),
                "until": None if part.until is None else text_of(part.until),
                "root": part.root,
                "cause": part.cause,
            }
            for part in outage.parts
        ],
        "maintenance": [
            window_row(w)
            for w in reader.maintenance()
            if (w.kind, w.name) in places and w.start < end and w.until > start
        ],
        "corrections": [correction_row(c) for c in corrections],
    }


def correction_row(correction: Correction) -> Record:
    """A correction as JSON values."""
    return {
        "at": text_of(from_us(correction.at)),
        "as": correction.reading.value,
        "role": correction.role,
        "reason": correction.reason,
        "by": correction.actor,
        "start": text_of(from_us(correction.start)),
        "end": None if correction.end is None else text_of(from_us(correction.end)),
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a correction is about; instants in microseconds, `end` None: goes on."""

    kind: str
    name: str
    start: int
    end: int | None


def find_target(
    outages: Sequence[Outage],
    inventory: Inventory,
    name: str,
    reading: Reading,
    span: tuple[int, int] | None,
    now: datetime,
) -> Target:
    """The outage that a correction is about; a reported one needs no outage that fleet saw.

    Args:
        span: what users reported, or with `as-seen` what is taken back of that.

    Raises:
        NotFound: no such outage, device or site.
        Malformed: a span is missing, or there where it makes no sense.
    """
    name = nfc(name)
    if span is None and reading is Reading.USER_REPORTED:
        hint = "fleet correct SITE --as user-reported --start TIME --end TIME …"
        raise Malformed("a reported outage needs --start and --end", hint=hint)
    if span is None:
        outage = pick(outages, name)
        end = None if outage.until is None else to_us(outage.until)
        return Target(kind="device", name=outage.device, start=to_us(outage.since), end=end)
    if reading not in (Reading.USER_REPORTED, Reading.AS_SEEN):
        raise Malformed("--start and --end go with --as user-reported")
    if span[1] <= span[0]:
        raise Malformed("the outage ends before it begins", hint="--start comes before --end")
    if span[1] > to_us(now):
        raise Malformed("the outage ends after now", hint="report it when it is over")
    for kind in ("site", "device"):
        if name in inventory.of_kind(kind):
            return Target(kind=kind, name=name, start=span[0], end=span[1])
    raise NotFound(f"there is no site or device `{name}`", hint=f"try: fleet find {name}")


def name_of(target: Target, reading: Reading) -> str:
    """What people call it."""
    if target.kind == "device" and reading is not Reading.USER_REPORTED:
        return outage_name(target.name, from_us(target.start))
    return target.name
