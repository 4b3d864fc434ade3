"""`fleet report inventory`: how far the inventory may be trusted, with the rows behind it."""

from pathlib import Path

import pytest

from fleet.core.completeness import unknown_neighbours
from fleet.core.facts.neighbours import Neighbour
from fleet.core.facts.read import Facts
from fleet.core.inventory import Device, Interface, Inventory
from fleet.core.moment import from_us
from fleet.store.said import write_facts
from fleet.store.store import Store
from tests.worlds import fleet


def measures(root: Path, *more: str) -> dict[str, dict[str, object]]:
    ran = fleet(root, "report", "inventory", "-o", "json", *more)
    assert ran.status == 0, ran.err
    return {row["measure"]: row for row in ran.json}


@pytest.fixture
def known(world: Path) -> Path:
    """Of four devices one has answered, and heard two neighbours: one of us, one stranger."""
    assert fleet(world, "sync", "--yes").status == 0
    heard = (
        Neighbour(protocol="lldp", local_interface="Gi1", remote_name="BHG-R1.aure.local"),
        Neighbour(protocol="lldp", local_interface="Gi2", remote_name="private-ap"),
    )
    facts = Facts(name="skole-r1", os_version="15.2(2)E6", neighbours=heard)
    with (
        Store(f"sqlite:///{world}/.fleet/fleet.db") as store,
        store.reader() as reader,
        store.transaction() as connection,
    ):
        write_facts(connection, reader, [("skole-r1", from_us(0), facts)])
    return world


def test_each_principle_has_its_share_and_the_rows_behind_it(known: Path) -> None:
    found = measures(known)

    assert found["answered"]["have"] == found["software_version"]["have"] == 1
    assert (found["answered"]["of"], found["answered"]["percent"]) == (4, "25.0")
    missing = found["answered"]["missing"]
    assert isinstance(missing, list)
    assert len(missing) == 3
    assert "skole-r1" not in missing
    assert found["known_neighbours"]["missing"] == ["skole-r1 : Gi2: private-ap"]
    assert {row["principle"] for row in found.values()} == {"1.2", "2.3", "2.10", "3.2"}
    assert found["decided"]["percent"] is None  # nothing was changed yet


def test_one_member_sees_its_own(known: Path) -> None:
    assert measures(known, "--member", "smola")["answered"]["have"] == 0
    assert measures(known, "--member", "aure")["answered"]["have"] == 1


@pytest.mark.parametrize("by", ["member", "kind", "role", "age"])
def test_counts_add_up_to_the_devices_in_use(known: Path, by: str) -> None:
    rows = fleet(known, "report", "inventory", "--by", by, "-o", "json").json

    assert sum(row["devices"] for row in rows) == 4
    assert sum(row["never_seen"] for row in rows) == 3


def test_a_neighbour_is_known_by_its_name_its_mac_or_its_address() -> None:
    ours = Inventory(
        devices={
            "core1": Device(name="core1", site="dc", role="switch", address="10.0.0.1"),
            "core2": Device(name="core2", site="dc", role="switch"),
        },
        interfaces={"p": Interface(device="core2", name="p", mac="00:11:22:33:44:55")},
    )
    heard = (
        Neighbour(protocol="lldp", local_interface="1", remote_name="CORE1.example.no"),
        Neighbour(
            protocol="lldp",
            local_interface="2",
            remote_name="x",
            remote_chassis_id="0011.2233.4455",
        ),
        Neighbour(protocol="cdp", local_interface="3", remote_name="y", remote_address="10.0.0.1"),
        Neighbour(protocol="cdp", local_interface="4", remote_chassis_id="00:de:ad:00:00:01"),
    )

    found = unknown_neighbours(ours, {"core2": Facts(neighbours=heard)})

    assert found == ("core2 : 4: 00:de:ad:00:00:01",)
