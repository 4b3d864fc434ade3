"""The form of the declared files, checked with Pydantic, and how entries become core values.

Field names, required fields and meanings are those of docs/reference/files.md. Nothing here
opens a file.
"""

import ipaddress
import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, Strict
from pydantic_core import PydanticCustomError

from fleet.core import inventory as core
from fleet.core.cost import Key
from fleet.core.hours import parse_hours
from fleet.core.lookup import to_mac
from fleet.core.moment import TYPE_NAMES, Moment, parse_moment, to_instant
from fleet.core.money import to_amount
from fleet.errors import FleetError

T = TypeVar("T")


def _wrong(message: str, hint: str | None = None) -> PydanticCustomError:
    return PydanticCustomError("fleet", message, {"hint": hint})


def _text(value: str) -> str:
    value = unicodedata.normalize("NFC", value).strip()
    if not value:
        raise _wrong("is empty", "write a value or leave the field out")
    if any(unicodedata.category(c) in ("Cc", "Co", "Cs") for c in value):
        raise _wrong("has line breaks or control characters in it")
    if len(value) > _LONGEST:
        raise _wrong(f"is longer than {_LONGEST} characters")
    return value


_LONGEST = 2000


def _name(value: str) -> str:
    """A device's name stands in paths and in Ansible's inventory."""
    if not re.fullmatch(r"\w[\w .()+-]*", value):
        raise _wrong(f"`{value}` is no name", "use letters, digits, blanks and . - _ ( ) +")
    return value


def _slug(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9-]+", value):
        raise _wrong(f"`{value}` is no slug", "use only a-z, 0-9 and -")
    return value


def _role(value: str) -> str:
    if not re.fullmatch(r"[a-z0-9_-]+", value):
        raise _wrong(f"`{value}` is no role", "write it like switch, router or access_point")
    return value


def _or_hint(read: Callable[[str], T]) -> Callable[[Any], T]:
    def checked(value: Any) -> T:
        if not isinstance(value, str):
            raise _wrong(f"`{value}` is not {TYPE_NAMES}")
        try:
            return read(value)
        except FleetError as error:
            raise _wrong(error.message, error.hint) from error

    return checked


def _hours(value: str) -> str:
    _or_hint(parse_hours)(value)
    return value


def _address(value: str) -> str:
    """An address or a host name; digits and dots must be a valid IPv4 address."""
    try:
        if re.fullmatch(r"[\d.]+", value):
            return str(ipaddress.IPv4Address(value))
        if ":" in value:
            return str(ipaddress.IPv6Address(value))
    except ValueError as error:
        raise _wrong(f"`{value}` is no valid address: {error}") from error
    label = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
    if len(value) > 253 or not re.fullmatch(rf"{label}(\.{label})*\.?", value):
        raise _wrong(f"`{value}` is neither an address nor a host name")
    return value.lower()


def _interface_address(value: str) -> str:
    try:
        return str(ipaddress.ip_interface(value))
    except ValueError as error:
        hint = "write it with its prefix length: 10.15.5.11/24"
        raise _wrong(f"`{value}` is no valid address", hint) from error


def _mac(value: str) -> str:
    mac = to_mac(value)
    if mac is None:
        raise _wrong(f"`{value}` is no MAC address", "write it like 00:11:22:33:44:55")
    return mac


def as_written(value: Any) -> Any:
    """A number as it was written, so that it stays exact."""
    return getattr(value, "written", value)


def _amount(value: Any) -> Any:
    if isinstance(value, bool):
        raise _wrong("must be an amount")
    try:
        return to_amount(str(as_written(value)))
    except ValueError as error:
        raise _wrong(str(error), "write it with a point: 1250000.00") from error


def _day(value: Any) -> date:
    moment = _or_hint(parse_moment)(value)
    if isinstance(moment, datetime):
        raise _wrong(f"`{value}` is an instant, but a date is wanted")
    return moment


Text = Annotated[str, AfterValidator(_text)]
Name = Annotated[Text, AfterValidator(_name)]
Slug = Annotated[Text, AfterValidator(_slug)]
Role = Annotated[Text, AfterValidator(_role)]
Day = Annotated[date, BeforeValidator(_day)]
Instant = Annotated[Moment, BeforeValidator(_or_hint(parse_moment))]
Amount = Annotated[Decimal, BeforeValidator(_amount)]
Count = Annotated[int, Strict(), Field(ge=0, lt=2**31)]
Positive = Annotated[int, Strict(), Field(gt=0, lt=2**31)]


def _key(weights: dict[str, int]) -> dict[str, int]:
    try:
        Key({name: Fraction(weight) for name, weight in weights.items()})
    except ValueError as error:
        raise _wrong(str(error), "population: 70, equal: 30") from error
    return weights


Weights = Annotated[dict[str, Count], Field(min_length=1), AfterValidator(_key)]


def _in_order(first: str, begin: Moment | None, then: str, end: Moment | None) -> None:
    if begin is not None and end is not None and to_instant(end) <= to_instant(begin):
        raise ValueError(f"`{then}` must come after `{first}`")


class Entry(BaseModel):
    """One entry of a declared file."""

    model_config = ConfigDict(extra="forbid", populate_by_name=False)


class ContactEntry(Entry):
    role: Text
    phone: Text | None = None
    email: Text | None = None

    def value(self) -> core.Contact:
        return core.Contact(**dict(self))


class MembershipEntry(Entry):
    joined: Day
    left: Day | None = None


class EarlierEntry(Entry):
    until: Day
    name: Text | None = None
    number: Text | None = None
    county: Text | None = None
    language: core.Language | None = None


def _people(value: int) -> int:
    if value <= 0:
        raise _wrong("a population must be above zero")
    return value


class MemberEntry(Entry):
    slug: Slug
    name: Text
    number: Text
    county: Text | None = None
    language: core.Language = core.Language.NEUTRAL
    joined: Day | None = None
    left: Day | None = None
    memberships: list[MembershipEntry] | None = None
    population: dict[int, Annotated[int, Strict(), AfterValidator(_people)]] = {}
    earlier: list[EarlierEntry] = []
    ended: Day | None = None
    successors: list[Slug] = []
    contact: ContactEntry | None = None

    def stretches(self) -> list[MembershipEntry]:
        if (self.joined is None) == (self.memberships is None):
            raise ValueError("write `joined`, or `memberships` with `joined` and `left`")
        if self.memberships is not None:
            return self.memberships
        return [MembershipEntry.model_construct(joined=self.joined, left=self.left)]

    def things(self) -> Iterator[core.Thing]:
        stretches = self.stretches()
        _check_stretches(stretches)
        yield core.Member(
            slug=self.slug,
            name=self.name,
            number=self.number,
            county=self.county,
            language=self.language,
            memberships=tuple(core.Membership(joined=s.joined, left=s.left) for s in stretches),
            population=dict(sorted(self.population.items())),
            earlier=tuple(core.Earlier(**dict(e)) for e in self.earlier),
            ended=self.ended,
            successors=tuple(self.successors),
            contact=self.contact.value() if self.contact else None,
        )


def _check_stretches(stretches: Sequence[MembershipEntry]) -> None:
    until = date.min
    for stretch in sorted(stretches, key=lambda s: s.joined):
        if stretch.left is not None and stretch.left <= stretch.joined:
            raise ValueError("`left` must come after `joined`")
        if stretch.joined < until:
            raise ValueError(f"two memberships overlap: one begins on {stretch.joined}")
        until = stretch.left or date.max


class SiteEntry(Entry):
    slug: Slug
    name: Text
    kind: core.SiteKind
    address: Text | None = None
    latitude: Annotated[float, Strict(), Field(ge=-90, le=90)] | None = None
    longitude: Annotated[float, Strict(), Field(ge=-180, le=180)] | None = None
    opening_hours: Annotated[Text, AfterValidator(_hours)] | None = None
    users: Count | None = None
    member_from: Instant | None = None
    member_until: Instant | None = None
    contact: ContactEntry | None = None

    def things(self, member: str) -> Iterator[core.Thing]:
        _in_order("member_from", self.member_from, "member_until", self.member_until)
        values = dict(self) | {"contact": self.contact.value() if self.contact else None}
        yield core.Site(member=member, **values)


class InterfaceEntry(Entry):
    name: Text
    mac: Annotated[Text, AfterValidator(_mac)] | None = None
    address: Annotated[Text, AfterValidator(_interface_address)] | None = None
    description: Text | None = None


class DeviceEntry(Entry):
    name: Name
    site: Text
    role: Role
    address: Annotated[Text, AfterValidator(_address)] | None = None
    port: Annotated[int, Strict(), Field(gt=0, lt=65536)] = 161
    credential: Text = "default"
    platform: Text | None = None
    vendor: Text | None = None
    model: Text | None = None
    serial: Text | None = None
    asset_tag: Text | None = None
    room: Text | None = None
    rack: Text | None = None
    status: core.DeviceStatus = core.DeviceStatus.ACTIVE
    commissioned: Instant | None = None
    decommissioned: Instant | None = None
    owner: Text | None = None
    contract: Text | None = None
    warranty_until: Day | None = None
    fed_by: Text | None = None
    interfaces: list[InterfaceEntry] = []

    def things(self) -> Iterator[core.Thing]:
        _in_order("commissioned", self.commissioned, "decommissioned", self.decommissioned)
        values = dict(self)
        interfaces = values.pop("interfaces")
        yield core.Device(**values)
        for interface in interfaces:
            yield core.Interface(device=self.name, **dict(interface))


class LinkEntry(Entry):
    a: Text
    b: Text
    kind: core.LinkKind
    capacity_mbps: Positive | None = None
    provider: Text | None = None
    circuit_id: Text | None = None
    contract: Text | None = None

    def things(self) -> Iterator[core.Thing]:
        if self.a == self.b:
            raise ValueError("both ends are the same")
        if " – " in self.a + self.b:
            raise ValueError("an end cannot have ` – ` in it, which stands between the ends")
        yield core.Link(**dict(self))


class UseEntry(Entry):
    member: Text
    from_: Annotated[Day | None, Field(alias="from")] = None
    until: Day | None = None
    variant: Text | None = None
    sites: list[Text] = []
    planned: Annotated[bool, Strict()] = False

    def value(self) -> core.Use:
        return core.Use(**dict(self) | {"sites": tuple(self.sites)})


class ServiceEntry(Entry):
    slug: Slug
    name: Text
    kind: Text | None = None
    group: Text | None = None
    criticality: core.Criticality = core.Criticality.NORMAL
    needs: list[Text] = []
    public: Annotated[bool, Strict()] = False
    use: list[UseEntry] = []
    contact: ContactEntry | None = None

    def things(self) -> Iterator[core.Thing]:
        yield core.Service(
            **dict(self)
            | {
                "needs": tuple(self.needs),
                "use": tuple(use.value() for use in self.use),
                "contact": self.contact.value() if self.contact else None,
            }
        )


class ContractEntry(Entry):
    slug: Slug
    supplier: Text
    from_: Annotated[Day, Field(alias="from")]
    until: Day | None = None
    notice_by: Day | None = None
    cost_per_year: Amount | None = None
    split: Weights | None = None
    share_only: list[Text] = []
    contact: ContactEntry | None = None

    def things(self) -> Iterator[core.Thing]:
        if self.until is not None and self.until <= self.from_:
            raise ValueError("`until` must come after `from`")
        yield core.Contract(
            **dict(self)
            | {
                "share_only": tuple(self.share_only),
                "contact": self.contact.value() if self.contact else None,
            }
        )
