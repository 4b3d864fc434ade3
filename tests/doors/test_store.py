"""The store, on SQLite and on PostgreSQL."""

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import text

import fleet.store
from fleet.core.authority import Authority
from fleet.core.claims import claims_of_files
from fleet.core.diff import Action, Change
from fleet.core.facts import Facts
from fleet.core.facts.interfaces import SeenInterface
from fleet.core.inventory import Inventory
from fleet.core.moment import to_us
from fleet.core.reconcile import Before, merge
from fleet.core.states import Observation, Round, State, Verdict
from fleet.errors import Duplicate, FleetError, PlanStale, SchemaOutdated
from fleet.flows.sync import Sources, Wanted, apply_sync, make_plan
from fleet.sources.files import read_files
from fleet.store.care import back_up, check, restore
from fleet.store.engine import begin, open_engine
from fleet.store.migrate import upgrade
from fleet.store.polls import Kept
from fleet.store.reader import open_reader
from fleet.store.schema import HEAD
from fleet.store.store import Store
from tests.worlds import replace_in

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
MIGRATIONS = Path(fleet.store.__file__).parent / "migrations"


@pytest.fixture
def declared(world: Path) -> Inventory:
    return read_files(world / "inventory", world, {"default"})


@pytest.fixture
def store(store_url: str) -> Iterator[Store]:
    with Store(store_url) as store:
        yield store


def sync(store: Store, declared: Inventory, *, now: datetime = NOW, prune: bool = False) -> int:
    """Make the store say what is declared; how many changes that took."""
    with store.reader() as reader:
        sources = Sources(files=lambda: declared, has_snmp=False)
        plan = make_plan(sources, reader, now, Wanted(prune=prune))
    apply_sync(store, plan, actor="kari", now=now, force=True)
    return len(plan.changes)


def all_of(declared: Inventory) -> list[Change]:
    """The changes that make an empty inventory say what is declared."""
    claims = [claims_of_files(declared)]
    return list(merge(Before(inventory=Inventory()), claims, Authority(), NOW).changes)


def test_what_was_put_in_comes_out(store: Store, declared: Inventory) -> None:
    assert sync(store, declared) == 13

    with store.reader() as reader:
        assert reader.inventory() == declared
    assert sync(store, declared) == 0


def test_the_example_cooperation_comes_out_whole(store: Store) -> None:
    root = Path(__file__).parents[2]
    example = read_files(root / "inventory", root, {"default"})

    sync(store, example)

    with store.reader() as reader:
        assert reader.inventory() == example
        assert [key.name for key in reader.find("NB-8841")] == [
            "krs-dc-r1 : xe-0/0/0 – sur-dc-r1 : xe-0/0/0"
        ]


def test_updates_of_many_fields_at_once(store: Store, declared: Inventory, world: Path) -> None:
    sync(store, declared)
    devices = world / "inventory/aure/devices.yaml"
    replace_in(devices, "U-101", "U-102")
    replace_in(devices, "address: 127.3.0.3", "address: 127.3.0.33\n    rack: R7")
    replace_in(world / "inventory/aure/links.yaml", "capacity_mbps: 1000", "capacity_mbps: 10000")
    changed = read_files(world / "inventory", world, {"default"})

    assert sync(store, changed) == 3
    with store.reader() as reader:
        assert reader.inventory() == changed
        assert reader.find("U-101") == []
        assert reader.find("R7")[0].name == "skole-sw1"
    assert check(store.url) == []


def test_the_history_has_time_actor_source_and_both_values(
    store: Store, declared: Inventory, world: Path
) -> None:
    sync(store, declared)
    replace_in(world / "inventory/aure/devices.yaml", "U-101", "U-102")
    sync(store, read_files(world / "inventory", world, {"default"}), now=NOW + MINUTE)

    with store.reader() as reader:
        entry = reader.changes(kind="device", key="skole-r1")[0]

    at, actor, source, plan, action, kind, key, fields = entry
    assert plan is not None
    assert (at, actor, source, action) == (to_us(NOW + MINUTE), "kari", "files", "update")
    assert (kind, key, fields) == ("device", "skole-r1", {"room": ["U-101", "U-102"]})


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE change SET actor = 'ola'",
        "DELETE FROM change",
        "DELETE FROM change WHERE id = 1",
        "INSERT INTO change SELECT * FROM change WHERE id = 1"
        " ON CONFLICT (id) DO UPDATE SET actor = 'ola'",
        "INSERT OR REPLACE INTO change SELECT * FROM change WHERE id = 1",
        "TRUNCATE change",
    ],
)
def test_the_history_can_only_grow(store: Store, declared: Inventory, statement: str) -> None:
    sync(store, declared)
    if ("TRUNCATE" if store.url.startswith("sqlite") else "OR REPLACE") in statement:
        return  # a word of the other database

    with pytest.raises(FleetError, match="append-only"), store.transaction() as connection:
        connection.execute(text(statement))

    with store.reader() as reader:
        assert {entry[1] for entry in reader.changes()} == {"kari"}


def test_a_plan_made_on_an_older_inventory_is_refused(store: Store, declared: Inventory) -> None:
    with store.reader() as reader:
        basis = reader.last_change()
    sync(store, declared)
    changes = all_of(declared)

    with pytest.raises(PlanStale):
        store.apply(changes, actor="kari", at=NOW, basis=basis)


def test_a_failure_in_the_middle_leaves_nothing(store: Store, declared: Inventory) -> None:
    changes = all_of(declared)
    broken = [*changes, *(c for c in changes if c.kind == "device")]  # unique names

    with pytest.raises(FleetError):
        store.apply(broken, actor="kari", at=NOW, basis=0)

    with store.reader() as reader:
        assert reader.inventory() == Inventory()
        assert reader.last_change() == 0
        assert reader.find("dc-r1") == []


def test_retired_for_30_days_may_be_pruned(store: Store, declared: Inventory) -> None:
    sync(store, declared)
    without = Inventory(
        members=declared.members,
        sites=declared.sites,
        devices={k: d for k, d in declared.devices.items() if k != "skole-r1"},
    )
    sync(store, without)

    assert sync(store, without, now=NOW + timedelta(days=29), prune=True) == 0
    gone = sync(store, without, now=NOW + timedelta(days=30), prune=True)

    assert gone == 5  # the device, its interface, three links
    with store.reader() as reader:
        assert set(reader.inventory().devices) == {"dc-r1", "skole-sw1", "bhg-r1"}
        assert reader.changes(limit=1)[0][4] == Action.DELETE
    assert check(store.url) == []


def test_writers_wait_for_each_other_and_lose_nothing(store_url: str) -> None:
    Store(store_url).close()
    engine = open_engine(store_url)
    with begin(engine) as connection:
        connection.execute(text("CREATE TABLE counter (n integer)"))
        connection.execute(text("INSERT INTO counter VALUES (0)"))

    def count() -> None:
        for _ in range(25):
            with begin(engine) as connection:
                n = connection.execute(text("SELECT n FROM counter")).scalar_one()
                connection.execute(text("UPDATE counter SET n = :n"), {"n": n + 1})

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    with begin(engine) as connection:
        assert connection.execute(text("SELECT n FROM counter")).scalar_one() == 100
    engine.dispose()


def polls(store: Store, pattern: str, device: str = "dc-r1") -> None:
    """One poll a minute: `+` answered, `-` silent."""
    for minute, sign in enumerate(pattern):
        keep(store, [look(minute, sign, device)], minute)


def look(minute: int, sign: str, device: str = "dc-r1") -> Observation:
    verdict = Verdict.ANSWERED if sign == "+" else Verdict.SILENT
    return Observation(device=device, at=NOW + minute * MINUTE, verdict=verdict)


def keep(store: Store, seen: list[Observation], minute: int = 0, **more: Any) -> Kept:
    poll = Round(at=NOW + minute * MINUTE, duration_us=1_000_000, devices=len(seen))
    return store.add_poll(seen, poll, confirmations=3, interval=MINUTE, **more)


def test_states_are_kept_as_intervals_with_one_open(store: Store, declared: Inventory) -> None:
    sync(store, declared)
    polls(store, "++---+++")

    with store.reader() as reader:
        intervals = reader.intervals((0, 2**62))["dc-r1"]
        outage = reader.outages()[0]

    at = [to_us(NOW + minute * MINUTE) for minute in range(9)]
    assert intervals == [("up", at[0], at[2]), ("down", at[2], at[5]), ("up", at[5], None)]
    assert (outage.device, outage.since, outage.until) == (
        "dc-r1",
        NOW + 2 * MINUTE,
        NOW + 5 * MINUTE,
    )
    assert check(store.url) == []


def test_what_a_device_says_can_be_found(store: Store, declared: Inventory) -> None:
    sync(store, declared)
    facts = Facts(
        name="sw-from-the-factory",
        interfaces=(SeenInterface(index=1, name="eth0", mac="aa:bb:cc:dd:ee:ff"),),
    )
    keep(store, [], facts=[("dc-r1", NOW, facts)])
    keep(store, [], facts=[("dc-r1", NOW + MINUTE, facts)])

    with store.reader() as reader:
        assert reader.facts(["dc-r1"]) == {"dc-r1": (to_us(NOW + MINUTE), facts)}
        assert [k.name for k in reader.find("aabb.ccdd.eeff")] == ["dc-r1"]
        assert reader.find("sw-from-the-factory")[0].field == "system_name"


def test_what_a_device_is_known_by_goes_where_it_goes(
    store: Store, declared: Inventory, world: Path
) -> None:
    sync(store, declared)
    facts = Facts(interfaces=(SeenInterface(index=1, name="e", mac="aa:bb:cc:dd:ee:ff"),))
    keep(store, [], facts=[("skole-sw1", NOW, facts)])
    devices = world / "inventory/aure/devices.yaml"
    text = devices.read_text()
    devices.write_text(
        text.replace("name: skole-sw1\n    site: skole", "name: skole-sw1\n    site: dc")
    )
    sync(store, read_files(world / "inventory", world, {"default"}))
    with store.reader() as reader:
        assert [k.site for k in reader.find("aabb.ccdd.eeff")] == ["dc"]

    without = Inventory(
        members=declared.members,
        sites=declared.sites,
        devices={k: d for k, d in declared.devices.items() if k != "skole-sw1"},
    )
    sync(store, without)
    with store.reader() as reader:
        assert reader.find("aabb.ccdd.eeff") == []


def test_pruning_keeps_what_something_that_stays_refers_to(
    store: Store, declared: Inventory, world: Path
) -> None:
    replace_in(
        world / "inventory/aure/devices.yaml",
        "    role: switch",
        "    role: switch\n    status: retired\n    decommissioned: 2030-01-01",
    )
    sync(store, read_files(world / "inventory", world, {"default"}))
    bare = Inventory(members=declared.members, sites={"dc": declared.sites["dc"]}, devices={})
    sync(store, bare)

    assert sync(store, bare, now=NOW + timedelta(days=31), prune=True) > 5
    assert check(store.url) == []
    with store.reader() as reader:
        assert set(reader.inventory().sites) == {"dc"}
        assert not reader.inventory().devices


def test_restore_refuses_a_journal_that_was_left_behind(
    declared: Inventory, tmp_path: Path
) -> None:
    with Store(f"sqlite:///{tmp_path / 'a.db'}") as store:
        sync(store, declared)
    back_up(store.url, tmp_path / "backup.db")
    (tmp_path / "new.db-wal").write_text("left over")

    with pytest.raises(Duplicate, match="already"):
        restore(f"sqlite:///{tmp_path / 'new.db'}", tmp_path / "backup.db")


def test_a_reader_sees_one_instant(store: Store, declared: Inventory) -> None:
    with store.reader() as reader:
        before = reader.inventory()
        sync(store, declared)
        assert reader.inventory() == before == Inventory()
        assert reader.last_change() == 0


def test_a_database_of_another_form_is_not_touched(store: Store) -> None:
    with store.transaction() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SchemaOutdated):
        open_reader(store.url)
    with pytest.raises(SchemaOutdated):
        Store(store.url)
    with pytest.raises(SchemaOutdated):
        upgrade(open_engine(store.url))


def test_migrations_and_tables_say_the_same(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext
    from sqlmodel import SQLModel

    with store.transaction() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, SQLModel.metadata) == []


def test_upgrading_keeps_what_was_polled(store_url: str) -> None:
    engine = open_engine(store_url)
    with begin(engine) as connection:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        for statement in (
            "INSERT INTO track (device, state, since_us, last_at_us, failures, uptime_us)"
            " VALUES ('dc-r1', 'down', 60, 240, 3, 1000)",
            "INSERT INTO state (device, state, since_us, until_us, cause, source)"
            " VALUES ('dc-r1', 'up', 1, 60, NULL, 'poll'),"
            " ('dc-r1', 'down', 60, NULL, 'no answer', 'poll')",
        ):
            connection.execute(text(statement))
    with pytest.raises(SchemaOutdated, match="form 0001"):
        Store(store_url)

    assert upgrade(engine) == ("0001", HEAD)

    with Store(store_url) as store, store.reader() as reader:
        track = reader.tracks()["dc-r1"]
        assert (track.state, track.failures, track.booted) == (State.DOWN, 3, None)
        assert reader.intervals((0, 2**62))["dc-r1"] == [("up", 1, 60), ("down", 60, None)]
    engine.dispose()


def test_upgrading_what_is_up_to_date_changes_nothing(store: Store, declared: Inventory) -> None:
    sync(store, declared)

    assert upgrade(open_engine(store.url)) == (HEAD, HEAD)
    with store.reader() as reader:
        assert reader.inventory() == declared


def test_a_backup_is_a_sqlite_file_that_can_be_restored(
    store: Store, declared: Inventory, tmp_path: Path
) -> None:
    sync(store, declared)
    polls(store, "++---")
    backup = tmp_path / "backup.db"

    back_up(store.url, backup)

    restored = f"sqlite:///{tmp_path / 'elsewhere' / 'restored.db'}"
    restore(restored, backup)
    for url in (f"sqlite:///{backup}", restored):
        reader = open_reader(url)
        assert reader is not None
        with reader:
            assert reader.inventory() == declared
            assert len(reader.stretches()["dc-r1"]) == 2
    assert check(restored) == []
    with pytest.raises(Duplicate):
        back_up(store.url, backup)
    with pytest.raises(Duplicate):
        restore(store.url, backup)


def test_a_backup_can_be_restored_into_an_empty_database(
    store_url: str, declared: Inventory, tmp_path: Path
) -> None:
    origin = Store(f"sqlite:///{tmp_path / 'origin.db'}")
    sync(origin, declared)
    back_up(origin.url, tmp_path / "backup.db")

    restore(store_url, tmp_path / "backup.db")

    with Store(store_url) as store:
        assert sync(store, declared) == 0
        assert check(store.url) == []
        polls(store, "+")


def test_a_backup_made_while_others_write_is_consistent(
    store: Store, declared: Inventory, tmp_path: Path
) -> None:
    sync(store, declared)
    stop = threading.Event()

    def write() -> None:
        minute = 0
        while not stop.is_set():
            keep(store, [look(minute, "+" if minute % 9 < 5 else "-")], minute)
            minute += 1

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            back_up(store.url, tmp_path / f"{number}.db")
    finally:
        stop.set()
        writer.join()

    for number in range(3):
        assert check(f"sqlite:///{tmp_path / f'{number}.db'}") == []


def test_check_finds_what_is_wrong(store: Store, declared: Inventory) -> None:
    sync(store, declared)
    with store.transaction() as connection:
        connection.execute(text("DELETE FROM lookup WHERE field = 'serial'"))
        connection.execute(text("UPDATE device SET room = 'X' WHERE name = 'dc-r1'"))

    problems = check(store.url)

    assert any("keys are missing" in p for p in problems)
    assert "history: it does not lead to device dc-r1 as it is" in problems


def test_the_history_keeps_whole_json(store: Store, declared: Inventory) -> None:
    sync(store, declared)

    with store.reader() as reader:
        fields = next(
            f for _, kind, key, f in reader.history() if (kind, key) == ("member", "aure")
        )

    assert json.loads(json.dumps(fields))["population"] == [{}, {"2013": 3570}]
