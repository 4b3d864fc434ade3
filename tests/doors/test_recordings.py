"""222 real devices, as they answered SNMP once: asked again over UDP, and understood.

What should be found stands beside the recordings. A recording of one's own goes into
`tests/recorded`: NAME.snmprec, and NAME.json with the facts that must be found.
"""

import ipaddress
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fleet.core.facts import Facts, read_facts
from fleet.core.walk import Answer, Outcome, Target
from fleet.flows.probe import full_question, read_answer
from fleet.platforms import load_platforms
from fleet.snmp.credentials import Access
from fleet.snmp.fast import FastEngine
from fleet.snmp.recorded import answer_from, read_recording
from fleet.snmp.simulator import COMMUNITY, SimulatedNetwork, free_port

OWN = Path(__file__).resolve().parents[1] / "recorded"


def recorded_facts(path: Path) -> Facts:
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    question = full_question(Target(name=path.stem, address="192.0.2.1"))
    return read_facts(answer_from(read_recording(text.split("\n")), question), (), load_platforms())


def asked_facts(paths: list[Path]) -> dict[str, Facts]:
    """What the devices say when they are asked over UDP."""
    addresses = {path.name: f"127.41.{n // 250}.{n % 250 + 1}" for n, path in enumerate(paths)}
    texts = {
        path.name: (
            addresses[path.name],
            path.read_text(encoding="utf-8", errors="surrogateescape"),
        )
        for path in paths
    }
    port = free_port("127.41.0.1", 0)
    heard: list[Outcome] = []
    with SimulatedNetwork(texts, port):
        engine = FastEngine(
            {"default": Access(version="2c", community=COMMUNITY)}, timeout_s=3, retries=3
        )
        engine.ask(
            [full_question(Target(name=n, address=a, port=port)) for n, a in addresses.items()],
            heard.append,
        )
    answers = {o.target: o for o in heard if isinstance(o, Answer)}
    assert set(answers) == set(addresses), "all of them answered"
    assert {name: o.unread for name, o in answers.items() if o.unread} == {}
    return {name: read_answer(answer) for name, answer in answers.items()}


@pytest.fixture(scope="module")
def expected(shared_recordings: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((shared_recordings / "expected.json").read_text())
    return found["recordings"]  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def facts(shared_recordings: Path) -> dict[str, Facts]:
    return asked_facts(sorted(shared_recordings.glob("*.snmprec")))


def test_asked_over_udp_they_say_what_the_file_says(
    facts: dict[str, Facts], shared_recordings: Path
) -> None:
    for name, found in facts.items():
        assert found == recorded_facts(shared_recordings / name), name


def said_alike(seen: str | None, wanted: str) -> bool:
    """Case, blanks and a leading v apart, one holds the other."""
    plain, other = (re.sub(r"\s", "", t.lower()).removeprefix("v") for t in (seen or "", wanted))
    return bool(plain) and (plain in other or other in plain)


def test_devices_are_recognised(facts: dict[str, Facts], expected: dict[str, Any]) -> None:
    right: dict[str, list[bool]] = {}
    for name, entry in expected.items():
        if entry["recording"]["kind"] == "handmade":
            continue
        wanted, found = entry["expected"], facts[name]
        vendors = {wanted["vendor"], *wanted["vendor_also_accepted"]}
        right.setdefault("platform", []).append(found.platform == wanted["platform"])
        right.setdefault("vendor", []).append(found.vendor in vendors)
        for field, seen in (
            ("model", found.model),
            ("version", found.os_version),
            ("serial", found.serial),
        ):
            if wanted[field] is not None:
                accepted = [wanted[field], *wanted.get(f"{field}_also_accepted", [])]
                right.setdefault(field, []).append(any(said_alike(seen, a) for a in accepted))

    shares = {field: sum(answers) / len(answers) for field, answers in right.items()}
    assert shares["platform"] >= 0.98
    assert shares["vendor"] >= 0.98
    assert min(shares["model"], shares["version"], shares["serial"]) >= 0.95, shares


def test_no_serial_number_is_invented(facts: dict[str, Facts], expected: dict[str, Any]) -> None:
    without = [
        n for n, e in expected.items() if e["expected"].get("serial_is_not_in_the_recording")
    ]
    assert len(without) > 150
    assert {name: facts[name].serial for name in without if facts[name].serial} == {}


# These two rows no agent can send: an object id that is text, and forwarding rows without MAC.
UNSENDABLE = {("edgeswitch_es-24-250w.snmprec", "entity"), ("pmp_450m.snmprec", "bridge")}


def tables_of(facts: Facts) -> dict[str, Any]:
    """The facts in the form of the expected tables."""
    return {
        "interfaces": [
            (
                i.index,
                i.description,
                i.name,
                i.alias,
                i.type,
                i.mtu,
                i.admin_status,
                i.oper_status,
                i.mac,
                None if i.speed_mbps is None else round(i.speed_mbps * 1_000_000),
            )
            for i in facts.interfaces
        ],
        "ip_addresses": sorted(
            (a.address, a.interface_index) for a in facts.addresses if ":" not in a.address
        ),
        "storage": [(s.name, s.kind, s.size_bytes, s.used_bytes) for s in facts.storages],
        "hr_processors": list(facts.processors),
        "supplies": [(s.name, s.level_percent) for s in facts.supplies],
        "printer_serial": facts.serial,
        "entity": (
            len(facts.components),
            sorted(
                (c.index, c.serial, c.model)
                for c in facts.components
                if c.serial and c.class_ not in ("chassis", "stack")
            ),
        ),
        "bridge": (
            len(facts.forwarding),
            len({f.vlan for f in facts.forwarding if f.vlan is not None}),
            [(v.id, v.name) for v in facts.vlans],
        ),
        "lldp_neighbours": [
            (n.remote_chassis_id, n.remote_port_id, n.remote_name) for n in facts.neighbours
        ],
    }


def wanted_tables(tables: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The expected tables in the form of `tables_of`."""
    for kind, rows in tables.items():
        match kind:
            case "interfaces":
                yield (
                    kind,
                    [
                        (
                            row["index"],
                            row["descr"] or None,
                            row["name"] or row["descr"],
                            row["alias"],
                            row["type"],
                            row["mtu"],
                            row["admin"],
                            row["oper"],
                            row["mac"],
                            row["speed_bps"],
                        )
                        for row in rows
                    ],
                )
            case "ip_addresses":
                yield kind, sorted((with_prefix(row), row["if_index"]) for row in rows)
            case "storage":
                yield (
                    kind,
                    [
                        (row["descr"], snake(row["type"]), row["size_bytes"], row["used_bytes"])
                        for row in rows
                    ],
                )
            case "hr_processors":
                yield kind, rows["load_percent"]
            case "supplies":
                yield kind, [(row["descr"], row["percent"]) for row in rows]
            case "printer_serial":
                yield kind, rows
            case "entity":
                modules = [
                    (m["index"], m["serial"], m["model"] or None)
                    for m in rows["modules_with_serial"]
                ]
                yield kind, (rows["rows"], sorted(modules))
            case "bridge":
                entries = rows.get("q_fdb_entries") or rows.get("fdb_entries")
                vlans = [(vlan["id"], vlan["name"]) for vlan in rows.get("vlans", [])]
                yield kind, (entries, rows.get("q_fdb_vlans", 0), vlans)
            case "lldp_neighbours":
                yield kind, [(r["chassis_id"], r["port_id"], r["sys_name"] or None) for r in rows]


def with_prefix(row: dict[str, Any]) -> str:
    try:
        length = ipaddress.ip_network(f"0.0.0.0/{row['mask']}").prefixlen
    except ValueError:
        return str(row["address"])
    return f"{row['address']}/{length}"


def snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])([A-Z])", r"_\1", name).lower()


def test_every_table_is_read_whole(facts: dict[str, Facts], expected: dict[str, Any]) -> None:
    compared = 0
    for name, entry in expected.items():
        found = tables_of(facts[name])
        for kind, wanted in wanted_tables(entry.get("tables", {})):
            if (name, kind) not in UNSENDABLE:
                assert found[kind] == wanted, f"{name}: {kind}"
                compared += 1
    assert compared > 45


OWN_RECORDINGS = sorted(OWN.glob("*.snmprec"))


@pytest.mark.parametrize("path", OWN_RECORDINGS, ids=lambda path: path.stem)
def test_a_recording_of_our_own(path: Path) -> None:
    wanted = json.loads(path.with_suffix(".json").read_text())
    found = recorded_facts(path)
    assert {field: getattr(found, field) for field in wanted} == wanted
