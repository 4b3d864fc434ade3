"""A NetBox's devices and interfaces → claims."""

import ipaddress
from collections import defaultdict
from collections.abc import Mapping

from fleet.core.claims import Id
from fleet.core.inventory import DeviceStatus
from fleet.core.lookup import nfc, to_mac
from fleet.core.matching import Clues
from fleet.core.ports import port_key
from fleet.core.record import Record
from fleet.sources.netbox.known import MANAGEMENT, UNKNOWN
from fleet.sources.netbox.said import Said
from fleet.sources.netbox.types import (
    ADDRESSES,
    DEVICE_TYPES,
    DEVICES,
    FLEET_ID,
    INTERFACE,
    INTERFACES,
    LOCATIONS,
    MANUFACTURERS,
    PLATFORMS,
    RACKS,
    ROLES,
)

_LADDER = ("fleet_id", "serial", "asset_tag", "name", "address")


def read_devices(said: Said) -> None:
    """Devices at sites that are known, by name; a renamed one of NetBox's own is a new one."""
    rows = {n: _device(said, row) for n, row in said.state.of(DEVICES).items()}
    rows = {n: row for n, row in rows.items() if row["site"] is not None}
    linked = said.known.links_of("device")
    renamed = set()
    for number, name in list(linked.items()):
        is_renamed = number in rows and rows[number]["name"] not in (None, name)
        if is_renamed and ("device", name) in said.known.own:
            renamed.add(number)
            del linked[number]
    ours = {key: _clues(key, record) for key, record in said.known.of("device").items()}
    theirs = {
        n: _clues(said.state.of(DEVICES)[n]["custom_fields"].get(FLEET_ID), row)
        for n, row in rows.items()
    }
    theirs |= {number: {} for number in renamed}  # with another name it is another thing
    found = said.match("device", theirs, ours, _LADDER, linked=linked)
    for number, record in rows.items():
        key = found.found.get(number)
        if key is not None:
            ours_now = said.known.of("device")[key]
            said.claim(("device", key), number, _as_ours(said, number, record, ours_now))
        elif not said.is_old("device", number) and not said.is_doubtful(
            found, number, f"device {record['name'] or number}"
        ):
            _new_device(said, number, record)
    said.not_told |= {
        ("interface", key)
        for key, record in said.known.of("interface").items()
        if record["device"] in found.unsure
    }


def _new_device(said: Said, number: int, record: Record) -> None:
    name = record["name"]
    if name is None:
        said.left_out.append((f"device {number}", "it has no name"))
    elif ("device", name) in said.things or name in said.known.of("device"):
        said.left_out.append((f"device {name}", "another one is called so"))
    else:
        new = {n: v for n, v in record.items() if n not in ("owner",) or v is not None}
        said.claim(("device", name), number, new)


def _clues(fleet_id: str | None, record: Record) -> Clues:
    serial = (record.get("serial") or "").casefold()
    tag = (record.get("asset_tag") or "").casefold()
    name = record.get("name")
    return {
        "fleet_id": fleet_id,
        "serial": serial if len(set(serial)) > 1 else None,
        "asset_tag": tag or None,
        "name": (record["site"], nfc(name).casefold()) if name else None,
        "address": record.get("address"),
    }


def _device(said: Said, row: Record) -> Record:
    """A device in our words; its site is None where that is none of ours."""
    of = said.state.of
    kind = of(DEVICE_TYPES).get(row["device_type"], {})
    maker = of(MANUFACTURERS).get(kind.get("manufacturer", 0), {}).get("name")
    platform = of(PLATFORMS).get(row["platform"] or 0)
    role = of(ROLES).get(row["role"] or 0)
    room, rack = of(LOCATIONS).get(row["location"] or 0), of(RACKS).get(row["rack"] or 0)
    address = of(ADDRESSES).get(row["primary_ip4"] or row["primary_ip6"] or 0)
    status = row["status"]
    if status not in set(DeviceStatus):
        said.left_out.append((f"status {status} of device {row['name']}", "fleet has no such one"))
    model = kind.get("model")
    found = {
        "name": row["name"],
        "site": said.key("site", row["site"]),
        "role": role["slug"].casefold() if role else "other",
        "status": status,
        "serial": row["serial"],
        "asset_tag": row["asset_tag"],
        "vendor": maker if maker != UNKNOWN else None,
        "model": model if model != UNKNOWN else None,
        "platform": platform["slug"] if platform else None,
        "room": room["name"] if room else None,
        "rack": rack["name"] if rack else None,
        "address": address["address"].partition("/")[0] if address else None,
        "owner": said.key("member", row["tenant"]),
    }
    return {n: v for n, v in found.items() if n != "status" or v in set(DeviceStatus)}


def _as_ours(said: Said, number: int, record: Record, ours: Record) -> Record:
    """In our words where NetBox can only say the same in its own."""
    found = dict(record)
    row = said.state.of(DEVICES)[number]
    role = said.state.of(ROLES).get(row["role"] or 0, {}).get("name", "")
    if ours["role"] and role.casefold() == to_title(ours["role"]).casefold():
        found["role"] = ours["role"]
    platform = said.state.of(PLATFORMS).get(row["platform"] or 0, {}).get("name", "")
    if ours["platform"] and platform.casefold() == ours["platform"].casefold():
        found["platform"] = ours["platform"]
    for version in ("primary_ip4", "primary_ip6"):
        address = said.state.of(ADDRESSES).get(row[version] or 0, {}).get("address", "")
        if ours["address"] and address.partition("/")[0] == ours["address"]:
            found["address"] = ours["address"]
    if record["role"].replace("-", "_") == ours["role"].replace("-", "_"):
        found["role"] = ours["role"]
    site = said.known.of("site").get(ours["site"]) or {}
    if record["owner"] in (None, ours["owner"] or site.get("member")):
        found["owner"] = ours["owner"]
    if record["address"] is None and not is_address(ours["address"]):
        del found["address"]  # a host name has no place there
    return found


def to_title(role: str) -> str:
    """What a role is called in NetBox: `access_point` is `Access point`."""
    return role.replace("_", " ").replace("-", " ").capitalize()


def is_address(text: str | None) -> bool:
    """Whether it is an IP address, and no host name."""
    try:
        ipaddress.ip_address(text or "")
    except ValueError:
        return False
    return True


def read_interfaces(said: Said) -> None:
    """Interfaces of the devices that are known, under the names that people gave them."""
    addresses = _addresses(said)
    names: dict[str, dict[str, str]] = defaultdict(dict)
    for record in said.known.of("interface").values():
        names[record["device"]].setdefault(port_key(record["name"]), record["name"])
    mine_first = {n for n, key in said.known.links_of("interface").items()}
    ports = said.state.of(INTERFACES).items()
    for number, row in sorted(ports, key=lambda p: (p[0] not in mine_first, p[0])):
        device = said.key("device", row["device"])
        if device is None or (row["mgmt_only"] and row["description"] == MANAGEMENT):
            continue
        name = nfc(row["name"])
        ours = names[device].get(port_key(name))
        id_: Id = ("interface", f"{device} : {ours or name}")
        if id_ in said.things:  # two ports that people would call alike
            id_, ours = ("interface", f"{device} : {name}"), None
            if id_ in said.things:
                continue
        mine = said.known.things.get(id_, {})
        if not mine and said.is_old("interface", number):
            continue
        record = {
            "mac": to_mac(row["mac_address"]) if row["mac_address"] else None,
            "address": _address(addresses.get(number, []), mine.get("address")),
            "description": row["description"],
        }
        if not mine:
            record |= {"device": device, "name": name}
        said.claim(id_, number, record)


def _addresses(said: Said) -> Mapping[int, list[str]]:
    """The addresses of each interface, in the order in which they were given."""
    found: dict[int, list[str]] = defaultdict(list)
    for row in said.state.of(ADDRESSES).values():
        if row["assigned_object_type"] == INTERFACE:
            found[row["assigned_object_id"]].append(row["address"])
    return found


def _address(found: list[str], ours: str | None) -> str | None:
    if ours in found:
        return ours
    return found[0] if found else None
