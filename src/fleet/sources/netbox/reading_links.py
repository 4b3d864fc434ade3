"""A NetBox's cables and circuits → claims on links."""

from collections.abc import Iterator, Mapping

from fleet.core.claims import Id
from fleet.core.inventory import LinkKind
from fleet.core.ports import port_key
from fleet.core.record import Record
from fleet.sources.netbox.said import Said
from fleet.sources.netbox.types import (
    CABLES,
    CIRCUIT_ENDS,
    CIRCUIT_TYPES,
    CIRCUITS,
    INTERFACE,
    PROVIDERS,
)

_FIBRE = ("mmf", "smf", "aoc", "fiber")
_SITE = "dcim.site"
_KBPS = 1000

Ends = frozenset[tuple[str, str]]
"""Both ends of a link: a device and its port, or a site and nothing."""


def read_links(said: Said) -> None:
    """Cables between ports that are known, and circuits between sites."""
    ours = {ends_of(record): key for key, record in said.known.of("link").items()}
    circuits = {
        (_folded(record["provider"]), _folded(record["circuit_id"])): key
        for key, record in said.known.of("link").items()
        if record["circuit_id"]
    }
    for number, row in said.state.of(CIRCUITS).items():
        _read_circuit(said, number, row, circuits)
    for number, row in said.state.of(CABLES).items():
        _read_cable(said, number, row, ours)
    said.not_told |= {
        ("link", key)
        for key, record in said.known.of("link").items()
        if not _can_hold(said, record)
    }


def ends_of(record: Record) -> Ends:
    """The ends of a link, whichever way round it was written and its ports were abbreviated."""
    return frozenset(_end(record[side]) for side in ("a", "b"))


def _end(text: str) -> tuple[str, str]:
    name, _, port = text.partition(" : ")
    return name, port_key(port) if port else ""


def _can_hold(said: Said, record: Record) -> bool:
    """Whether a NetBox can have this link: as a circuit of somebody's, or as a cable."""
    unsure = {key for kind, key in said.not_told if kind in ("device", "interface")}
    names = [record[side].partition(" : ")[0] for side in ("a", "b")]
    if any(name in unsure for name in names):
        return False
    devices = said.known.of("device")
    if record["circuit_id"] and record["provider"]:
        return all(name in devices or name in said.known.of("site") for name in names)
    return all(
        " : " in record[side] and name in devices and record[side] in said.known.of("interface")
        for side, name in zip(("a", "b"), names, strict=True)
    )


def _read_cable(said: Said, number: int, row: Record, ours: Mapping[Ends, str]) -> None:
    ends = [_port(said, row[side]) for side in ("a_terminations", "b_terminations")]
    if None in ends or ends[0] == ends[1]:
        return
    a, b = sorted(str(end) for end in ends)
    key = ours.get(ends_of({"a": a, "b": b}))
    if key is not None:
        mine = said.known.of("link")[key]
        if ("link", key) not in said.things:
            said.claim(("link", key), number, {"a": mine["a"], "b": mine["b"]})
        return
    if said.is_old("link", number):
        return
    type_ = row["type"] or ""
    kind = LinkKind.FIBRE if type_.startswith(_FIBRE) else LinkKind.COPPER
    said.claim(("link", f"{a} – {b}"), number, {"a": a, "b": b, "kind": kind.value})


def _port(said: Said, ends: list[Record]) -> str | None:
    """The interface at one end of a cable; None: there is none, several, or none of ours."""
    if len(ends) != 1 or ends[0]["object_type"] != INTERFACE:
        return None
    return said.key("interface", ends[0]["object_id"])


def _read_circuit(
    said: Said, number: int, row: Record, ours: Mapping[tuple[str, str], str]
) -> None:
    provider = said.state.of(PROVIDERS).get(row["provider"], {}).get("name")
    rate = row["commit_rate"]
    record: Record = {"provider": provider, "circuit_id": row["cid"]}
    cid = _folded(row["cid"])
    key = said.known.links_of("link").get(number)
    if key is None or not said.known.of("link").get(key, {}).get("circuit_id"):
        key = ours.get((_folded(provider), cid)) or ours.get(("", cid))
    if key is not None:
        if rate is not None or said.known.of("link")[key]["capacity_mbps"] is None:
            record["capacity_mbps"] = None if rate is None else rate // _KBPS
        said.claim(("link", key), number, record)
        return
    sites = sorted(_sites(said, number))
    if len(sites) != 2:
        return
    type_ = said.state.of(CIRCUIT_TYPES).get(row["type"], {}).get("slug")
    kind = type_ if type_ in {k.value for k in LinkKind} else LinkKind.LEASED.value
    id_: Id = ("link", f"{sites[0]} – {sites[1]}")
    if id_ in said.things or id_ in said.known.things:
        said.left_out.append((f"circuit {row['cid']}", f"{id_[1]} has another one already"))
        return
    record |= {"a": sites[0], "b": sites[1], "kind": kind}
    said.claim(id_, number, record | ({"capacity_mbps": rate // _KBPS} if rate else {}))


def _folded(text: str | None) -> str:
    return (text or "").casefold()


def _sites(said: Said, circuit: int) -> Iterator[str]:
    for end in said.state.of(CIRCUIT_ENDS).values():
        if end["circuit"] != circuit:
            continue
        is_site = end.get("termination_type", _SITE) == _SITE
        number = end.get("termination_id", end.get("site")) if is_site else None
        if (site := said.key("site", number)) is not None:
            yield site
