"""The data files as the core's `Platforms`.

An entry of a file:

    [[platform]]
    name = "procurve"                    # LibreNMS's OS name
    vendor = "HPE"
    role = "switch"
    match = [{object_id = ["1.3.6.1.4.1.11.2.3.7"]}, {description = "^HP .* Switch"}]
    model = ['J\\d+\\w (\\S+)']          # patterns of sysDescr, or {oid, own, pattern, value}
    version = ['revision (\\S+?),']
    serial = [{oid = "1.3.6.1.4.1.11.2.36.1.1.2.9.0"}]
    vendors = {"^Aruba " = "Aruba"}      # patterns of sysDescr and model, tried in their order
    roles = {"(?i)router" = "router"}
    last_resort = true                   # runs on machines of many kinds, as Linux does
"""

import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from fleet.core.facts.identity import Platform, Platforms, Rule, Source
from fleet.core.metric.gauges import Own, Rows
from fleet.core.metric.kinds import METRICS
from fleet.core.walk import oid

_HERE = Path(__file__).parent
_OTHERS = frozenset({"makers.toml", "measured.toml"})
ENTERPRISES = _HERE / "enterprises.tsv"
_KEYS = frozenset({"name", "vendor", "role", "match", "model", "version", "serial", "vendors"})
_KEYS |= {"roles", "last_resort"}


@cache
def load_platforms() -> Platforms:
    """All platforms of the data files."""
    found = []
    for path in sorted(_HERE.glob("*.toml")):
        if path.name not in _OTHERS:
            with path.open("rb") as file:
                found += [_platform(entry) for entry in tomllib.load(file)["platform"]]
    return Platforms(tuple(found), find_maker)


@cache
def load_measured() -> tuple[Own, ...]:
    """What makers measure in rows of their own."""
    with (_HERE / "measured.toml").open("rb") as file:
        return tuple(_own(entry) for entry in tomllib.load(file)["measured"])


def _own(entry: dict[str, Any]) -> Own:
    names = {"scalar", "column", "free", "size"} & entry.keys()
    return Own(
        **{name: oid(entry[name]) for name in names},
        metric=METRICS[entry["metric"]].name,
        object_ids=tuple(map(oid, entry["object_ids"])),
        factor=entry.get("factor", 1.0),
        part=entry.get("part", ""),
        rows=Rows(entry.get("rows", "parts")),
    )


def find_maker(number: int) -> str | None:
    """The maker with an enterprise number; None if nobody has it, or many agents share it."""
    short = _short_names().get(number)
    return (short or None) if short is not None else _registered().get(number)


@cache
def _short_names() -> dict[int, str]:
    """How people call them; empty for agents that run on everybody's machines."""
    with (_HERE / "makers.toml").open("rb") as file:
        return {int(number): name for number, name in tomllib.load(file)["makers"].items()}


@cache
def _registered() -> dict[int, str]:
    """The registry of the IANA."""
    lines = ENTERPRISES.read_text(encoding="utf-8").splitlines()
    rows = (line.split("\t", 1) for line in lines if not line.startswith("#"))
    return {int(number): name for number, name in rows}


def _platform(entry: dict[str, Any]) -> Platform:
    if unknown := entry.keys() - _KEYS:
        raise ValueError(f"platform {entry.get('name')}: unknown key {', '.join(sorted(unknown))}")
    return Platform(
        name=entry["name"],
        vendor=entry.get("vendor"),
        role=entry.get("role"),
        rules=tuple(_rule(rule) for rule in entry["match"]),
        model=_sources(entry.get("model", ())),
        version=_sources(entry.get("version", ())),
        serial=_sources(entry.get("serial", ())),
        vendors=tuple(entry.get("vendors", {}).items()),
        roles=tuple(entry.get("roles", {}).items()),
        is_last_resort=entry.get("last_resort", False),
    )


def _rule(rule: dict[str, Any]) -> Rule:
    own = rule.get("object_id", ())
    return Rule(
        object_ids=(own,) if isinstance(own, str) else tuple(own),
        description=rule.get("description"),
        values=tuple((oid(name), pattern) for name, pattern in rule.get("values", {}).items()),
    )


def _sources(entries: Iterable[Any]) -> tuple[Source, ...]:
    return tuple(
        Source(pattern=entry)
        if isinstance(entry, str)
        else Source(
            oid=oid(entry["oid"]) if "oid" in entry else None,
            own=oid(entry["own"]) if "own" in entry else None,
            pattern=entry.get("pattern"),
            value=entry.get("value"),
        )
        for entry in entries
    )
