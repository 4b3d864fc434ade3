"""The parts of a device that are looked at between the readings of all facts."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from fleet.core.conditions import BATTERY, Sighting, of_power, port_subject
from fleet.core.facts.power import APC_SCALARS, EATON_SCALARS, UPS, UPS_SCALARS, read_power
from fleet.core.facts.read import Facts
from fleet.core.facts.values import choice, text
from fleet.core.ports import is_same_port, port_key
from fleet.core.walk import Oid, Table, Walk, oid

_DESCR = oid("1.3.6.1.2.1.2.2.1.2")
_NAME = oid("1.3.6.1.2.1.31.1.1.1.1")
_ADMIN_STATUS = oid("1.3.6.1.2.1.2.2.1.7")
_OPER_STATUS = oid("1.3.6.1.2.1.2.2.1.8")
_STATUS = {1: "up", 2: "down", 3: "testing", 5: "dormant", 6: "down", 7: "down"}
_OFF = 2  # ifAdminStatus down
DISABLED = "disabled"


@dataclass(frozen=True, slots=True)
class Followed:
    """A part that is looked at: a port by its ifIndex, or the battery."""

    subject: str
    number: int | None = None
    name: str | None = None


def scalars_of(parts: Iterable[Followed]) -> tuple[Oid, ...]:
    """What to ask for, in one GET."""
    found: list[Oid] = []
    for part in parts:
        if part.subject == BATTERY:
            found += [*UPS_SCALARS, *APC_SCALARS, *EATON_SCALARS]
        elif part.number is not None:
            columns = (_NAME, _DESCR, _ADMIN_STATUS, _OPER_STATUS)
            found += [(*column, part.number) for column in columns]
    return tuple(found)


def tables_of(parts: Iterable[Followed]) -> tuple[Table, ...]:
    """What to ask for row by row."""
    return (UPS,) if any(part.subject == BATTERY for part in parts) else ()


def look_at(device: str, at: datetime, walk: Walk, parts: Sequence[Followed]) -> list[Sighting]:
    """What an answer says of the parts; nothing of a port whose number means another one now."""
    found: list[Sighting] = []
    for part in parts:
        if part.subject == BATTERY:
            power = read_power(walk)
            found += of_power(device, at, power) if power else ()
        elif (state := _port_state(walk, part)) is not None:
            found.append(Sighting(device, part.subject, at, state))
    return found


def _port_state(walk: Walk, part: Followed) -> str | None:
    number = part.number or 0
    names = [text(walk.get((*column, number))) for column in (_NAME, _DESCR)]
    if not any(name and is_same_port(name, part.name or "") for name in names):
        return None
    oper = choice(_STATUS, walk.get((*_OPER_STATUS, number)))
    is_off = walk.get((*_ADMIN_STATUS, number)) == _OFF
    return DISABLED if is_off and oper else oper


def sightings_of(
    device: str, at: datetime, facts: Facts, keys: Iterable[str]
) -> Iterator[Sighting]:
    """The same of a reading of all facts.

    Args:
        keys: `port_key` of the ports that are looked at.
    """
    wanted = set(keys)
    for port in facts.interfaces:
        key = port_key(port.name)
        if key in wanted and port.oper_status in ("up", "down", "lowerLayerDown", "notPresent"):
            wanted.discard(key)
            state = "up" if port.oper_status == "up" else "down"
            state = DISABLED if port.admin_status == "down" else state
            yield Sighting(device, port_subject(key), at, state)
    if facts.power is not None:
        yield from of_power(device, at, facts.power)
