"""Names of people: counted, shown only where asked for, and taken out for good."""

import getpass
import json
import re
from pathlib import Path

import pytest
from sqlalchemy import text

from fleet.core.facts.read import Facts
from fleet.core.moment import from_us
from fleet.errors import Rejected
from fleet.store.privacy import PLACES
from fleet.store.said import write_facts
from fleet.store.store import Store
from tests.worlds import fleet, write_world

ME = getpass.getuser()


@pytest.fixture
def world(store_url: str, tmp_path: Path) -> Path:
    root = write_world(tmp_path / "w")
    settings = root / "fleet.toml"
    settings.write_text(f'{settings.read_text()}\n[store]\nurl = "{store_url}"\n')
    assert fleet(root, "sync", "--yes").status == 0
    return root


def actors(url: str) -> set[str]:
    found: set[str] = set()
    with Store(url) as store, store.transaction() as connection:
        for table, column, _ in PLACES:
            found |= set(connection.execute(text(f"SELECT {column} FROM {table}")).scalars())
    return found - {None}


def test_people_are_counted_and_named_only_where_asked(world: Path) -> None:
    shown = fleet(world, "privacy", "report")
    named = fleet(world, "privacy", "report", "--names", "-o", "json")

    (row, *_) = named.json
    assert (row["place"], row["name"], row["people"]) == ("database: change", ME, 1)
    assert f" {ME} " not in shown.out
    assert "who changed the inventory" in shown.out
    assert "names are kept for 1095 days" in shown.err


def test_what_is_newer_than_names_are_kept_stays(world: Path, store_url: str) -> None:
    ran = fleet(world, "privacy", "delete", "--yes")

    assert (ran.status, "There is nothing to take out." in ran.err) == (0, True)
    assert actors(store_url) == {ME}


def test_without_a_yes_nothing_is_taken_out(world: Path, store_url: str) -> None:
    ran = fleet(world, "privacy", "delete", "--person", ME)

    assert (ran.status, "nobody said yes" in ran.err) == (2, True)
    assert re.search(rf"who changed the inventory: {ME}, \d+ entries", ran.out)
    assert actors(store_url) == {ME}


def test_a_person_becomes_a_pseudonym_and_the_history_stays_append_only(
    world: Path, store_url: str
) -> None:
    before = fleet(world, "history", "device", "skole-r1", "-o", "json").json

    assert fleet(world, "privacy", "delete", "--person", ME, "--yes").status == 0

    (pseudonym,) = actors(store_url)
    assert re.fullmatch(r"person-[0-9a-f]{8}", pseudonym)
    after = fleet(world, "history", "device", "skole-r1", "-o", "json").json
    assert after == json.loads(json.dumps(before).replace(f'"{ME}"', f'"{pseudonym}"'))
    for statement in ("UPDATE change SET actor = 'x'", "DELETE FROM change"):
        with (
            Store(store_url) as store,
            pytest.raises(Rejected),
            store.transaction() as connection,
        ):
            connection.execute(text(statement))
    again = fleet(world, "privacy", "delete", "--person", ME, "--yes")
    assert "There is nothing to take out." in again.err
    assert fleet(world, "store", "check").status == 0


def test_what_a_device_says_of_its_contact_is_not_kept(world: Path, store_url: str) -> None:
    said = Facts(name="skole-r1", contact="Kari Nordmann, 71 57 00 00")
    with Store(store_url) as store, store.reader() as reader, store.transaction() as connection:
        write_facts(connection, reader, [("skole-r1", from_us(0), said)])

    with Store(store_url) as store, store.reader() as reader:
        _, kept = reader.facts()["skole-r1"]
    assert (kept.name, kept.contact) == ("skole-r1", None)


def test_a_name_that_was_taken_out_stands_nowhere_in_the_workspace(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGNAME", "kari zzqxv")
    root = write_world(tmp_path / "w")
    assert fleet(root, "sync", "--yes").status == 0
    monkeypatch.setenv("LOGNAME", "person-hansen")  # no pseudonym, only looks like one
    maintenance = ("--start", "2026-01-01", "--end", "2026-01-02", "--announced", "2025-12-01")
    add = ("maintenance", "add", "--device", "skole-r1", *maintenance, "--reason", "x")
    assert fleet(root, *add).status == 0

    for name in ("kari zzqxv", "person-hansen"):
        ran = fleet(root, "privacy", "delete", "--person", name, "--yes")
        assert (ran.status, "changed." in ran.err) == (0, True), ran.err

    for path in root.rglob("*"):
        if path.is_file():
            octets = path.read_bytes()
            assert b"zzqxv" not in octets, path
            assert b"person-hansen" not in octets, path
