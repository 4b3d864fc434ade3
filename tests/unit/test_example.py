"""The large example cooperation has the shape that it is meant to have."""

import re
from collections import Counter
from pathlib import Path

from tests.worlds import fleet

KINDS = {
    "data_centre": 2,
    "town_hall": 6,
    "school": 42,
    "kindergarten": 84,
    "nursing_home": 24,
    "home_care": 58,
    "clinic": 16,
    "library": 14,
    "fire_station": 18,
    "water": 22,
    "sports_hall": 10,
    "office": 6,
}


def test_302_sites_3106_devices_378_links(tmp_path: Path) -> None:
    root = tmp_path / "hedmark"
    assert fleet(tmp_path, "init", str(root), "--example", "hedmark").status == 0
    assert fleet(root, "sync", "--yes").status == 0

    by_kind = fleet(root, "list", "sites", "--by", "kind").out
    devices = fleet(root, "list", "devices", "-o", "json").json
    links = fleet(root, "list", "links", "-o", "json").json
    sites = fleet(root, "list", "sites", "-o", "json").json

    assert {k: int(n) for k, n in re.findall(r"^(\w+) +(\d+)$", by_kind, re.M)} == {
        **KINDS,
        "total": 302,
    }
    assert len(devices) == 3106
    assert len({d["address"] for d in devices}) == len({d["serial"] for d in devices}) == 3106
    assert Counter(link["kind"] for link in links).total() == 314 + 64
    assert sum(site["users"] for site in sites) == 7000
    assert Counter(d["role"] for d in devices)["access_point"] == 1530
    # Every place can be reached from the data centre over the links alone.
    linked: dict[str, set[str]] = {}
    place = {d["name"]: d["site"] for d in devices}
    for link in links:
        a, b = (place[link[end].partition(" : ")[0]] for end in ("a", "b"))
        linked.setdefault(a, set()).add(b)
        linked.setdefault(b, set()).add(a)
    seen, waiting = {"sta-dc1"}, ["sta-dc1"]
    while waiting:
        new = linked[waiting.pop()] - seen
        seen |= new
        waiting += new
    assert len(seen) == 302


def test_the_files_are_the_same_in_every_run() -> None:
    from fleet.example import hedmark

    assert list(hedmark.files()) == list(hedmark.files())
