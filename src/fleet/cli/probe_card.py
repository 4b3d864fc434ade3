"""What a device said of itself, as a technician reads it."""

from collections.abc import Iterator
from datetime import timedelta

from fleet.cli.show import count_of
from fleet.core.record import Record

_MOST_NEIGHBOURS = 12


def card_of(row: Record) -> Iterator[str]:
    """One device as a few lines of text, ending in an empty one."""
    where = f"{row['address']}:{row['port']}"
    if not row["reachable"]:
        yield f"{where}  silent: {row['error']}"
        yield ""
        return
    yield f"{where}  {row['name'] or '(no name)'}"
    for label, value in _lines(row):
        yield f"  {label:<11} {value}"
    yield ""


def _lines(row: Record) -> Iterator[tuple[str, str]]:
    vendor, model = row["vendor"] or "", row["model"] or ""
    what = model if model.casefold().startswith(vendor.casefold()) else f"{vendor} {model}".strip()
    what = what or vendor
    kind = ", ".join(str(v) for v in (row["role"], row["platform"], row["os_version"]) if v)
    plain = {
        "is": what + (f" ({kind})" if kind else ""),
        "serial": row["serial"],
        "says": (row["description"] or "").splitlines()[0] if row["description"] else None,
        "object id": row["object_id"] if not row["platform"] else None,
        "up for": _duration(row["uptime_s"]),
        "location": row["location"],
        "contact": row["contact"],
        "interfaces": _interfaces(row),
        "addresses": ", ".join(a["address"] for a in row["addresses"][:8]),
        "storages": ", ".join(map(_storage, row["storages"][:6])),
        "supplies": ", ".join(map(_supply, row["supplies"])),
        "battery": _battery(row["power"]),
        "error": row["error"],
        "not read": ", ".join(row["unread"]),
    }
    yield from ((label, value) for label, value in plain.items() if value)
    for neighbour in row["neighbours"][:_MOST_NEIGHBOURS]:
        yield "neighbour", _neighbour(neighbour)
    if len(row["neighbours"]) > _MOST_NEIGHBOURS:
        yield "", f"… and {len(row['neighbours']) - _MOST_NEIGHBOURS} more"


def _duration(seconds: float | None) -> str | None:
    return None if seconds is None else str(timedelta(seconds=int(seconds)))


def _interfaces(row: Record) -> str | None:
    ports = row["interfaces"]
    if not ports:
        return None
    up = sum(port["oper_status"] == "up" for port in ports)
    return f"{count_of(len(ports), 'interface')}, {up} up"


def _storage(storage: Record) -> str:
    size, used = storage["size_bytes"], storage["used_bytes"]
    share = f" {100 * used // size} % of {_size(size)}" if size and used is not None else ""
    return f"{storage['name']}{share}"


def _size(octets: int) -> str:
    """In the largest unit of which there is one."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if octets >= factor:
            return f"{octets / factor:.1f} {unit}"
    return f"{octets / 1e3:.1f} kB"


def _supply(supply: Record) -> str:
    level = supply["level_percent"]
    return f"{supply['name']} {'?' if level is None else f'{level:g} %'}"


def _battery(power: Record | None) -> str | None:
    if power is None:
        return None
    parts = {
        "on battery": "" if power["on_battery"] else None,
        "status": power["battery_status"],
        "charge": _with_unit(power["charge_percent"], "%"),
        "runtime": _with_unit(power["runtime_min"], "min"),
        "load": _with_unit(power["load_percent"], "%"),
    }
    return ", ".join(
        f"{name} {value}".strip() for name, value in parts.items() if value is not None
    )


def _with_unit(value: int | None, unit: str) -> str | None:
    return None if value is None else f"{value} {unit}"


def _neighbour(neighbour: Record) -> str:
    other = neighbour["remote_name"] or neighbour["remote_chassis_id"] or "?"
    port = neighbour["remote_interface"] or "?"
    return f"{neighbour['local_interface'] or '?'} – {other} : {port} ({neighbour['protocol']})"
