"""Going through a place with a scanner: what is there, what is missing, what belongs elsewhere."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from shlex import quote

from fleet.core.codes import read_code
from fleet.core.inventory import Device, Inventory
from fleet.core.lookup import readable


class Verdict(StrEnum):
    """What is to be said of a machine or a scan."""

    FOUND = "found"
    MOVED = "moved"  # it is declared somewhere else
    MISSING = "missing"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One machine, or one scan that names none.

    Args:
        name: of the device; of an unknown one what was scanned.
        where: it is declared, if that is not where it was found.
        mend: a command that would make it right; None: nothing to mend, or for a person to say.
    """

    verdict: Verdict
    name: str
    where: str | None = None
    mend: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audit:
    """What was seen at a place.

    Args:
        room: None: the whole site.
        doubles: scans of what was scanned before.
    """

    site: str
    room: str | None
    at: datetime
    actor: str
    rows: tuple[Row, ...]
    doubles: int = 0

    def count(self, verdict: Verdict) -> int:
        return sum(row.verdict is verdict for row in self.rows)

    @property
    def is_whole(self) -> bool:
        """Whether everything was there, and nothing else."""
        return all(row.verdict is Verdict.FOUND for row in self.rows)


@dataclass(frozen=True, slots=True)
class _Scan:
    """What a scan names, and in which room it was made, if that was scanned before."""

    text: str
    devices: tuple[str, ...]
    room: str | None


def read_scans(
    lines: Iterable[str], site: str, find: Callable[[str], Collection[str]]
) -> tuple[list[_Scan], int]:
    """What was scanned, each machine once; and how many scans were doubles.

    Blank lines and those that begin with # say nothing. The code of a room holds for what is
    scanned after it.

    Args:
        find: the devices that have a text as a key, exactly.
    """
    scans: list[_Scan] = []
    room, doubles, seen = None, 0, set()
    for line in lines:
        text = readable(line.removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}").strip())
        if not text or text.startswith("#"):
            continue
        code = read_code(text)
        if code is not None and code[0] != "device":
            room = code[1] if code[0] == "room" and code[2] == site else None
            continue
        devices = tuple(sorted(find(code[1] if code else text)))
        what = devices or (text,)
        if what in seen:
            doubles += 1
            continue
        seen.add(what)
        scans.append(_Scan(text, devices, room))
    return scans, doubles


def compare(
    inventory: Inventory, site: str, room: str | None, scans: Sequence[_Scan]
) -> Iterator[Row]:
    """What is there and what is not, the machines of the place first.

    Args:
        room: only this one.
    """
    expected = {
        d.name: d
        for d in inventory.devices_by_site.get(site, ())
        if not d.retired and room in (None, d.room)
    }
    found = {s.devices[0]: s for s in scans if len(s.devices) == 1}
    for name, device in expected.items():
        scan = found.get(name)
        if scan is None:
            mend = f"fleet device retire {name}"
            yield Row(
                verdict=Verdict.MISSING, name=name, where=_place(inventory, device), mend=mend
            )
        else:
            yield _here(inventory, device, site, room or scan.room)
    for name, scan in sorted(found.items()):
        if name not in expected:
            yield _here(inventory, inventory.devices[name], site, room or scan.room)
    for scan in scans:
        if len(scan.devices) != 1:
            several = f"one of {', '.join(scan.devices)}" if scan.devices else None
            yield Row(verdict=Verdict.UNKNOWN, name=scan.text, where=several)


def _here(inventory: Inventory, device: Device, site: str, room: str | None) -> Row:
    """A machine that was scanned at a site, and in a room of it if that is known."""
    if device.site == site and (room is None or device.room == room) and not device.retired:
        return Row(verdict=Verdict.FOUND, name=device.name)
    # What belongs to another member, its people have to give away.
    is_ours = inventory.sites[device.site].member == inventory.sites[site].member
    there = f"fleet device move {device.name} {site}" + (f" --room {quote(room)}" if room else "")
    return Row(
        verdict=Verdict.MOVED,
        name=device.name,
        where=_place(inventory, device),
        mend=there if not device.retired and is_ours else None,
    )


def _place(inventory: Inventory, device: Device) -> str:
    site = inventory.sites[device.site]
    retired = "(retired)" if device.retired else None
    return " ".join(x for x in (site.slug, device.room, f"of {site.member}", retired) if x)
