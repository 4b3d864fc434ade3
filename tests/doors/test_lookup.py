"""Finding by a part, by what stood there before, and by a slip of the finger; in both databases."""

from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import text

from fleet.core.facts import Facts
from fleet.core.facts.bridge import Forwarded
from fleet.core.facts.interfaces import SeenInterface
from fleet.core.lookup import Key, misspellings
from fleet.core.states import Round
from fleet.flows.sync import Sources, Wanted, apply_sync, make_plan
from fleet.sources.files import read_files
from fleet.store import substrings
from fleet.store.care import check
from fleet.store.sightings import KEPT_US
from fleet.store.store import Store
from tests.worlds import replace_in

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
DEVICES = "inventory/aure/devices.yaml"


def sync(url: str, world: Path) -> None:
    declared = read_files(world / "inventory", world, {"default"})
    with Store(url) as store, store.reader() as reader:
        sources = Sources(files=lambda: declared, has_snmp=False)
        plan = make_plan(sources, reader, NOW, Wanted())
        apply_sync(store, plan, actor="kari", now=NOW, force=True)


def find(url: str, asked: str) -> set[Key]:
    with Store(url) as store, store.reader() as reader:
        return set(reader.find(asked))


def is_indexed(url: str) -> bool:
    with Store(url) as store, store.transaction() as connection:
        known = "pg_class WHERE relname" if "postgres" in url else "sqlite_master WHERE name"
        return bool(
            connection.execute(text(f"SELECT count(*) FROM {known} = 'lookup_part'")).scalar()
        )


def may_be_indexed(url: str) -> bool:
    """Not every PostgreSQL comes with the extension for it."""
    known = "SELECT count(*) FROM pg_available_extensions WHERE name = 'pg_trgm'"
    with Store(url) as store, store.transaction() as connection:
        return "postgres" not in url or bool(connection.execute(text(known)).scalar())


PARTS = ("ole", "kole-", "r1", "1", "U-1", "-00", "33:44:55", "3344", '"', "å", "%", "e s", "ås")


def test_a_large_inventory_gives_the_same_answers(
    store_url: str, world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(store_url, world)
    small = {part: find(store_url, part) for part in PARTS}
    assert not is_indexed(store_url)
    assert small["ole"]

    monkeypatch.setattr(substrings, "LARGE", 4)
    replace_in(world / DEVICES, "U-101", "U-102")
    sync(store_url, world)
    replace_in(world / DEVICES, "U-102", "U-101")
    sync(store_url, world)

    assert is_indexed(store_url) == may_be_indexed(store_url)
    assert {part: find(store_url, part) for part in PARTS} == small
    assert check(store_url) == []


def test_a_serial_that_was_there_before_leads_to_the_machine_in_its_place(
    store_url: str, world: Path
) -> None:
    sync(store_url, world)
    replace_in(world / DEVICES, "FCW1234A0BC", "FCW9999Z9ZZ")
    sync(store_url, world)

    (old,) = find(store_url, "fcw1234a0bc")
    (new,) = find(store_url, "FCW9999Z9ZZ")

    assert (old.name, old.field, new.name, new.field) == (
        "dc-r1",
        "earlier_serial",
        "dc-r1",
        "serial",
    )
    replace_in(world / DEVICES, "FCW9999Z9ZZ", "FCW1234A0BC")
    sync(store_url, world)
    (back,) = find(store_url, "fcw1234a0bc")
    assert back.field == "serial"
    assert check(store_url) == []


@pytest.mark.parametrize("typed", ["skole-rl", "skoler1", "skole--r1", "sklo-er1", "xkole-r1"])
def test_one_slip_of_the_finger_is_forgiven_also_in_the_first_letter(
    store_url: str, world: Path, typed: str
) -> None:
    sync(store_url, world)

    with Store(store_url) as store, store.reader() as reader:
        assert reader.find(typed) == []
        if typed == "sklo-er1":  # two slips: as near as others that begin with its letter
            assert "skole-r1" in reader.close_to(typed)
        else:
            assert reader.close_to(typed)[0] == "skole-r1"


def test_misspellings_hold_every_word_that_is_one_slip_away() -> None:
    near = misspellings("gi1")
    assert {"i1", "g1", "gi", "ig1", "g1i", "gi2", "xgi1", "gi-1", "gi11"} <= near
    assert "gi1" not in near
    assert "g" not in near


LAPTOP, PRINTER = "00:de:ad:be:ef:01", "00:de:ad:be:ef:02"


def test_where_a_mac_was_is_remembered_from_the_first_time_to_the_last(
    store_url: str, world: Path
) -> None:
    sync(store_url, world)
    hours = count()

    def read(device: str, *macs: tuple[str, int]) -> datetime:
        ports = tuple(SeenInterface(index=n, name=f"Gi{n}") for n in (1, 2))
        table = tuple(Forwarded(mac=mac, interface_index=n, vlan=10) for mac, n in macs)
        facts = Facts(interfaces=ports, forwarding=table)
        at = NOW + next(hours) * HOUR
        poll = Round(at=at, duration_us=0, devices=0, requests=0, timeouts=0)
        with Store(store_url) as store:
            said = [(device, at, facts)]
            store.add_poll([], poll, confirmations=3, interval=HOUR, facts=said, forget=True)
        return at

    def seen() -> list[tuple[str, str, bool, int, int, int]]:
        with Store(store_url) as store, store.reader() as reader:
            return [
                (s.device, s.port, s.is_there, s.since_us, s.last_us, s.beside)
                for s in reader.sightings(LAPTOP)
            ]

    def us(at: datetime) -> int:
        return int(at.timestamp()) * 1_000_000

    first = read("skole-sw1", (LAPTOP, 1), (PRINTER, 1))
    second = read("skole-sw1", (LAPTOP, 1), (PRINTER, 1))
    assert seen() == [("skole-sw1", "Gi1", True, us(first), us(second), 1)]

    third = read("skole-sw1", (PRINTER, 1))
    moved = read("bhg-r1", (LAPTOP, 2))
    assert seen() == [
        ("bhg-r1", "Gi2", True, us(moved), us(moved), 0),
        ("skole-sw1", "Gi1", False, us(first), us(second), 1),
    ]
    assert third < moved

    with Store(store_url) as store:  # after 90 days, where it was is nobody's business
        later = moved + timedelta(microseconds=KEPT_US) + HOUR
        poll = Round(at=later, duration_us=0, devices=0, requests=0, timeouts=0)
        facts = Facts(
            interfaces=(SeenInterface(index=2, name="Gi2"),),
            forwarding=(Forwarded(mac=LAPTOP, interface_index=2),),
        )
        said = [("bhg-r1", later, facts)]
        store.add_poll([], poll, confirmations=3, interval=HOUR, facts=said, forget=True)
    assert "skole-sw1" not in {device for device, *_ in seen()}
