"""Maintenance windows, outages, and what people say of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from fleet.core.inventory import Inventory
from fleet.core.lookup import nfc
from fleet.core.maintenance import Correction, Reading, Window
from fleet.core.moment import from_us, text_of, to_us
from fleet.core.outages import Outage, find_outages, is_named, outage_name, parse_outage_name
from fleet.core.record import Record
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


def outage_rows(reader: "Reader", inventory: Inventory) -> list[Record]:
    """All outages as JSON values, newest first."""
    said = latest_corrections(reader.corrections())
    return [
        _outage_row(inventory, outage, said)
        for outage in find_outages(reader.outages())
        if outage.device in inventory.devices
    ]


Said = Mapping[tuple[str, str, int], Correction]


def latest_corrections(corrections: list[Correction]) -> Said:
    """Of the corrections of one outage the last one, by kind, name and beginning."""
    return {(c.kind, c.name, c.start): c for c in corrections}


def _outage_row(inventory: Inventory, outage: Outage, said: Said) -> Record:
    device = inventory.devices[outage.device]
    last = outage.parts[-1]
    correction = said.get(("device", outage.device, to_us(outage.since)))
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


def find_outage(reader: "Reader", name: str) -> Outage:
    """The outage of a name.

    Raises:
        Malformed: it is no outage's name.
        NotFound: there is none such.
    """
    device, at = parse_outage_name(nfc(name))
    own = [outage for outage in find_outages(reader.outages()) if outage.device == device]
    for outage in own:
        if is_named(outage, device, at):
            return outage
    hint = f"its last one: {own[0].name}" if own else "fleet list outages"
    raise NotFound(f"there is no outage `{name}`", hint=hint)


def show_outage(reader: "Reader", inventory: Inventory, name: str, now: datetime) -> Record:
    """One outage whole: its parts, the maintenance it fell into, and all corrections."""
    outage = find_outage(reader, name)
    start, end = to_us(outage.since), to_us(outage.until or now)
    corrections = [
        c
        for c in reader.corrections()
        if (c.kind, c.name, c.start) == ("device", outage.device, start)
    ]
    row = _outage_row(inventory, outage, latest_corrections(corrections))
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
    reader: "Reader",
    inventory: Inventory,
    name: str,
    reading: Reading,
    span: tuple[int, int] | None,
) -> Target:
    """The outage that a correction is about; a reported one needs no outage that fleet saw.

    Args:
        span: what users reported; only for `user-reported`.

    Raises:
        NotFound: no such outage, device or site.
        Malformed: a span is missing, or there where it makes no sense.
    """
    name = nfc(name)
    if reading is not Reading.USER_REPORTED:
        if span is not None:
            raise Malformed("--start and --end go with --as user-reported")
        outage = find_outage(reader, name)
        end = None if outage.until is None else to_us(outage.until)
        return Target(kind="device", name=outage.device, start=to_us(outage.since), end=end)
    if span is None:
        hint = "fleet correct SITE --as user-reported --start TIME --end TIME …"
        raise Malformed("a reported outage needs --start and --end", hint=hint)
    if span[1] <= span[0]:
        raise Malformed("the outage ends before it begins", hint="--start comes before --end")
    if "@" in name:
        return Target(
            kind="device", name=find_outage(reader, name).device, start=span[0], end=span[1]
        )
    for kind in ("site", "device"):
        if name in inventory.of_kind(kind):
            return Target(kind=kind, name=name, start=span[0], end=span[1])
    raise NotFound(f"there is no site, device or outage `{name}`", hint=f"try: fleet find {name}")


def name_of(target: Target) -> str:
    """What people call it."""
    if target.kind == "device":
        return outage_name(target.name, from_us(target.start))
    return target.name
