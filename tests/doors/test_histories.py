"""Random histories, and what they were on any day: the store against a plain list of what was."""

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from fleet.core.inventory import (
    Device,
    DeviceStatus,
    Interface,
    Inventory,
    Member,
    Membership,
    Site,
    SiteKind,
)
from fleet.core.moment import OSLO
from fleet.flows.lookup import open_view_at
from fleet.flows.sync import Sources, Wanted, apply_sync, make_plan
from fleet.store.care import check
from fleet.store.store import Store

FIRST = date(2024, 1, 1)
DAYS = 40
Was = dict[str, tuple[str, str, str | None, str | None]]
"""By device: site, member, serial and room."""


def morning(day: int) -> datetime:
    return datetime.combine(FIRST + timedelta(days=day), time(8), OSLO).astimezone(UTC)


class Cooperation:
    """What people write into their files, day by day, and what is true then."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        joined = (Membership(joined=date(2020, 1, 1)),)
        self.members = {
            slug: Member(slug=slug, name=slug.title(), number=number, memberships=joined)
            for slug, number in (("nesset", "1543"), ("molde", "1502"), ("aure", "1576"))
        }
        self.sites = {
            f"{member}-{n}": Site(
                slug=f"{member}-{n}", member=member, name=f"{member} {n}", kind=SiteKind.SCHOOL
            )
            for member in self.members
            for n in range(3)
        }
        self.devices: dict[str, Device] = {}
        self.machines = 0
        self.heir_of: dict[str, str] = {}
        for _ in range(6):
            self.add(-1000)

    def add(self, day: int) -> None:
        """A device that came on a day; its serial number is its machine's."""
        self.machines += 1
        name = f"d{self.machines}"
        self.devices[name] = Device(
            name=name,
            site=self.chance.choice(list(self.sites)),
            role="switch",
            serial=f"S{self.machines}",
            commissioned=FIRST + timedelta(days=day),
        )

    def one(self) -> Device:
        return self.chance.choice(self.there)

    @property
    def there(self) -> list[Device]:
        return [device for device in self.devices.values() if not device.retired]

    def move(self) -> None:
        device = self.one()
        here = self.sites[device.site].member
        site = self.chance.choice([s for s, x in self.sites.items() if x.member == here])
        room = self.chance.choice(["U1", "101", None])
        self.devices[device.name] = replace(device, site=site, room=room)

    def swap(self, day: int) -> None:
        """Another machine comes into a place; the old one is written down as taken away."""
        device = self.one()
        self.machines += 1
        old = replace(
            device,
            name=f"{device.name}-{device.serial}",
            status=DeviceStatus.RETIRED,
            decommissioned=FIRST + timedelta(days=day),
        )
        self.devices[old.name] = old
        begins = FIRST + timedelta(days=day)
        new = replace(device, serial=f"S{self.machines}", commissioned=begins)
        self.devices[device.name] = new

    def retire(self, day: int) -> None:
        device = self.one()
        when = FIRST + timedelta(days=day)
        gone = replace(device, status=DeviceStatus.RETIRED, decommissioned=when)
        self.devices[device.name] = gone

    def drop(self) -> None:
        """Taken out of the file, as people do."""
        device = self.one()
        del self.devices[device.name]

    def merge(self, day: int) -> None:
        """Nesset becomes a part of Molde."""
        when = FIRST + timedelta(days=day)
        nesset = self.members["nesset"]
        if nesset.ended is None:
            self.members["nesset"] = replace(nesset, ended=when, successors=("molde",))
            self.heir_of["nesset"] = "molde"

    def live(self, day: int) -> None:
        """What happens on a day."""
        what = self.chance.choice(["add", "move", "move", "swap", "retire", "drop", "merge", ""])
        if len(self.there) < 3:
            what = "add"
        match what:
            case "add" | "swap" | "retire" | "merge":
                getattr(self, what)(day)
            case "move" | "drop":
                getattr(self, what)()

    @property
    def declared(self) -> Inventory:
        ports = [Interface(device=name, name="Gi1") for name in self.devices]
        return Inventory(
            members=dict(self.members),
            sites=dict(self.sites),
            devices=dict(self.devices),
            interfaces={port.key: port for port in ports},
        )

    def is_now(self) -> Was:
        found = {}
        for device in self.devices.values():
            member = self.sites[device.site].member
            if not device.retired:
                owner = self.heir_of.get(member, member)
                found[device.name] = (device.site, owner, device.serial, device.room)
        return found


def live_through(store: Store, cooperation: Cooperation) -> Iterator[Was]:
    """What was on each day, written down by hand; and what fleet was told."""
    for day in range(DAYS):
        if day:
            cooperation.live(day)
        with store.reader() as reader:
            declared = cooperation.declared
            sources = Sources(files=lambda found=declared: found, has_snmp=False)  # type: ignore[misc]
            plan = make_plan(sources, reader, morning(day), Wanted())
        apply_sync(store, plan, actor="kari", now=morning(day), force=True)
        yield cooperation.is_now()


def seen_at(reader: Any, at: datetime) -> Was:
    inventory = open_view_at(reader, at, None).inventory
    return {
        name: (
            device.site,
            inventory.sites[device.site].member,
            device.serial,
            device.room,
        )
        for name, device in inventory.devices.items()
    }


@pytest.mark.parametrize("seed", range(10))
def test_any_day_of_a_random_history_is_as_it_was(store_url: str, seed: int) -> None:
    with Store(store_url) as store:
        days = list(live_through(store, Cooperation(random.Random(seed))))

        with store.reader() as reader:
            for day, was in enumerate(days):
                at = morning(day) + timedelta(hours=4)
                assert seen_at(reader, at) == was, f"on day {day}"
            assert seen_at(reader, morning(DAYS + 400)) == days[-1]
    assert check(store_url) == []
