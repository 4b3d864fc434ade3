"""Who made a device and what it is: vendor, platform, model, version, serial number, role.

What is known of platforms is data (`src/fleet/platforms`); here is only how it is applied. Never
guess: what no rule says is None. An invented serial number is worse than a missing one.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache

from fleet.core.facts.components import ENTITY_CLASS, Component
from fleet.core.facts.interfaces import PHYS_ADDRESS
from fleet.core.facts.printer import PRINTER_SERIAL
from fleet.core.facts.system import SYS_DESCR, read_object_id
from fleet.core.facts.values import mac, text
from fleet.core.lookup import to_mac
from fleet.core.walk import Oid, Walk, oid

PRINTER_MODEL = oid("1.3.6.1.2.1.25.3.2.1.3.1")  # hrDeviceDescr of the first device
_ENTERPRISES = "1.3.6.1.4.1."
_MOST_TEXT = 1024  # octets that are searched for patterns
_ENTITY = oid("1.3.6.1.2.1.47.1.1.1.1")
_WHOLE = (3, 11)  # entPhysicalClass: chassis, stack


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What a device is; None: unknown."""

    vendor: str | None = None
    platform: str | None = None  # LibreNMS's OS name
    model: str | None = None
    version: str | None = None
    serial: str | None = None
    role: str | None = None


Weight = tuple[int, bool, bool, int]
"""Objects that said what they should, whether sysObjectID did, sysDescr, length of the prefix."""


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def search(pattern: str, said: str) -> re.Match[str] | None:
    """Where a pattern of the data is found; compiled once, when it is first needed."""
    return _compiled(pattern).search(said)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """Conditions that a device meets all of.

    Args:
        object_ids: one of them begins sysObjectID.
        description: found in sysDescr.
        values: found in the text of an object; an empty pattern: the object is there.
    """

    object_ids: tuple[str, ...] = ()
    description: str | None = None
    values: tuple[tuple[Oid, str], ...] = ()

    def weight(self, description: str, own: str, walk: Walk) -> Weight | None:
        """How much a match says; None: the device does not meet the conditions."""
        length = 0
        if self.object_ids:
            length = max((len(o) for o in self.object_ids if _begins(own, o)), default=0)
            if not length:
                return None
        if self.description is not None and not search(self.description, description):
            return None
        for name, pattern in self.values:
            said = _said(walk, name)
            if said is None or not search(pattern, said):
                return None
        return len(self.values), length > 0, self.description is not None, length


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where a model, version or serial number stands.

    Args:
        oid: the object; None: sysDescr.
        own: the object, counted from sysObjectID, where each model has rows of its own.
        pattern: what of it: the first group that matched, else all of the match.
        value: said instead of what was found.
    """

    oid: Oid | None = None
    own: Oid | None = None
    pattern: str | None = None
    value: str | None = None

    def where(self, own: str) -> Oid:
        """The object of a device with this sysObjectID."""
        if self.own is not None and own:
            return (*oid(own), *self.own)
        return self.oid or SYS_DESCR

    def read(self, walk: Walk) -> str | None:
        """The value, if it is there."""
        where = self.where(read_object_id(walk) or "")
        said = None if _is_a_part(where, walk) else _said(walk, where)
        if said is None:
            return None
        if self.pattern is not None:
            found = search(self.pattern, said)
            if found is None:
                return None
            said = next((g for g in found.groups() if g), found.group())
        return self.value or said.strip() or None


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """What is known of one platform.

    Args:
        roles: patterns of sysDescr or the model, with what a device that matches is.
        is_last_resort: what runs on machines of many kinds; any other platform goes before it.
    """

    name: str
    vendor: str | None = None
    role: str | None = None
    rules: tuple[Rule, ...] = ()
    model: tuple[Source, ...] = ()
    version: tuple[Source, ...] = ()
    serial: tuple[Source, ...] = ()
    vendors: tuple[tuple[str, str], ...] = ()
    roles: tuple[tuple[str, str], ...] = ()
    is_last_resort: bool = False

    def oids(self, own: str) -> Iterable[Oid]:
        """All objects that its sources look at, in a device with this sysObjectID."""
        for source in (*self.model, *self.version, *self.serial):
            yield source.where(own)


@dataclass(frozen=True, slots=True)
class Platforms:
    """All that is known of platforms.

    Args:
        platforms: in any order; the rule that says most wins.
        maker: the maker with an enterprise number, for everything else.
    """

    platforms: Sequence[Platform]
    maker: Callable[[int], str | None]

    def candidates(self, own: str) -> list[Platform]:
        """Platforms that may have this sysObjectID."""
        return [
            p
            for p in self.platforms
            if any(not r.object_ids or any(_begins(own, o) for o in r.object_ids) for r in p.rules)
        ]

    def scalars(self, description: str, own: str) -> tuple[Oid, ...]:
        """What to ask a device with this system group, to know what it is."""
        nothing = Walk()
        wanted: dict[Oid, None] = {}
        for platform in self.candidates(own):
            for rule in platform.rules:
                bare = Rule(object_ids=rule.object_ids, description=rule.description)
                if bare.weight(description, own, nothing) is not None:
                    wanted |= dict.fromkeys(name for name, _ in rule.values)
                    wanted |= dict.fromkeys(platform.oids(own))
        wanted |= {PRINTER_SERIAL: None, PRINTER_MODEL: None}
        wanted.pop(SYS_DESCR, None)
        return tuple(wanted)

    def recognise(self, walk: Walk) -> Platform | None:
        """The platform whose rule says most of this device."""
        description = _said(walk, SYS_DESCR) or ""
        own = read_object_id(walk) or ""
        best: tuple[tuple[bool, Weight], Platform] | None = None
        for platform in self.candidates(own):
            for rule in platform.rules:
                found = rule.weight(description, own, walk)
                if found is None:
                    continue
                weight = (not platform.is_last_resort, found)
                if best is None or weight > best[0]:
                    best = weight, platform
        return best[1] if best else None


def identify(walk: Walk, components: Sequence[Component], platforms: Platforms) -> Identity:
    """What a device is, by the rules of its platform and by the standard tables after them."""
    platform = platforms.recognise(walk)
    chassis = next((c for c in components if c.class_ == "chassis"), None)
    if platform is None:
        return _unrecognised(walk, chassis, platforms)
    described = _said(walk, SYS_DESCR) or ""
    model = _plausible(_first(platform.model, walk))
    version = _first(platform.version, walk)
    serial = _serial(platform.serial, walk)
    if chassis is not None:
        model = model or chassis.model
        serial = _sane(chassis.serial, walk) or serial
        version = version or chassis.software
    if platform.role == "printer":
        model = model or _said(walk, PRINTER_MODEL)
        serial = serial or _sane(_said(walk, PRINTER_SERIAL), walk)
    seen = f"{described}\n{model or ''}"
    return Identity(
        vendor=_named(platform.vendors, seen) or platform.vendor,
        platform=platform.name,
        model=model,
        version=version,
        serial=serial,
        role=_named(platform.roles, seen) or platform.role,
    )


def _unrecognised(walk: Walk, chassis: Component | None, platforms: Platforms) -> Identity:
    """The maker by the enterprise number, and what the standard tables say of the whole."""
    number = (read_object_id(walk) or "").removeprefix(_ENTERPRISES).partition(".")[0]
    serial = _sane(chassis.serial, walk) if chassis else None
    return Identity(
        vendor=platforms.maker(int(number)) if number.isdecimal() else None,
        model=chassis.model if chassis else None,
        version=chassis.software if chassis else None,
        serial=serial or _sane(_said(walk, PRINTER_SERIAL), walk),
    )


def _is_a_part(name: Oid, walk: Walk) -> bool:
    """Whether an object of ENTITY-MIB is of a card or a port, and not of the whole."""
    if name[: len(_ENTITY)] != _ENTITY:
        return False
    kind = walk.column(ENTITY_CLASS).get(name[len(_ENTITY) + 1 :])
    return kind not in (None, *_WHOLE)


def _serial(sources: Iterable[Source], walk: Walk) -> str | None:
    """The first serial number that is one; what a device says in its description counts as is."""
    for source in sources:
        found = source.read(walk)
        is_described = source.oid is None and source.own is None
        if found and (serial := found if is_described else _sane(found, walk)):
            return serial
    return None


def _first(sources: Iterable[Source], walk: Walk) -> str | None:
    return next((found for source in sources if (found := source.read(walk))), None)


def _named(patterns: Iterable[tuple[str, str]], seen: str) -> str | None:
    return next((name for pattern, name in patterns if search(pattern, seen)), None)


def _said(walk: Walk, name: Oid) -> str | None:
    """An object as text, whatever its type; None if it is not there or empty."""
    value = walk.get(name)
    if isinstance(value, bytes):
        return text(value[:_MOST_TEXT])
    if isinstance(value, tuple):
        return ".".join(map(str, value))
    return None if value is None else str(value)


_NO_MODELS = re.compile(r"\d{1,2}|(\d+\.){3,}\d+")


def _plausible(model: str | None) -> str | None:
    """A model, unless it is a number of some list, or an object id."""
    return None if model is None or _NO_MODELS.fullmatch(model) else model


_NO_SERIALS = re.compile(
    r"(?i)(n/?a|none|null|unknown|not (set|available|specified|applicable)|default( string)?"
    r"|system serial number|to be filled by o\.?e\.?m\.?|<.*>|.*(serial|#|MAC).*|.{,3}"
    r"|([^a-z0-9]*(?P<one>[a-z0-9])([^a-z0-9]*(?P=one))*[^a-z0-9]*))"
)
_LABELLED = re.compile(r"(?i)(?:\bS/?N|\bID)\s*[:#]?\s*([\w-]{4,})")


def _sane(serial: str | None, walk: Walk) -> str | None:
    """A serial number, unless it is what makers write where they have none.

    Refused: placeholders, one character again and again, several lines, and a MAC address of the
    device itself, which is nobody's serial number.
    """
    if serial is None:
        return None
    serial = re.sub(r"^[\W_\x00-\x1f]+|[\W_\x00-\x1f]+$", "", serial)
    if " " in serial and (labelled := _LABELLED.search(serial)):
        serial = labelled[1]
    if _NO_SERIALS.fullmatch(serial) or not serial.isprintable():
        return None
    own = {mac(value) for value in walk.column(PHYS_ADDRESS).values()}
    return None if (address := to_mac(serial)) is not None and address in own else serial


def _begins(own: str, prefix: str) -> bool:
    return own == prefix or own.startswith(prefix + ".")
