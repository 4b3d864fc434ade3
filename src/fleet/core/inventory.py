"""The joint inventory: what a cooperation has, as frozen values, and look-ups over them.

Fields and their names are those of the declared files. Nothing here knows where a value
came from or where it is kept.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import cached_property

from fleet.core.moment import Moment


class SiteKind(StrEnum):
    DATA_CENTRE = "data_centre"
    TOWN_HALL = "town_hall"
    SCHOOL = "school"
    KINDERGARTEN = "kindergarten"
    NURSING_HOME = "nursing_home"
    HOME_CARE = "home_care"
    CLINIC = "clinic"
    LIBRARY = "library"
    FIRE_STATION = "fire_station"
    WATER = "water"
    SPORTS_HALL = "sports_hall"
    OFFICE = "office"
    TECHNICAL = "technical"
    MAST = "mast"
    OTHER = "other"


class LinkKind(StrEnum):
    FIBRE = "fibre"
    COPPER = "copper"
    RADIO = "radio"
    MOBILE = "mobile"
    LEASED = "leased"
    VPN = "vpn"


class DeviceStatus(StrEnum):
    """NetBox's device statuses, and `retired`: gone from its source, kept for history."""

    PLANNED = "planned"
    STAGED = "staged"
    ACTIVE = "active"
    OFFLINE = "offline"
    FAILED = "failed"
    INVENTORY = "inventory"
    DECOMMISSIONING = "decommissioning"
    RETIRED = "retired"


POLLED = frozenset({DeviceStatus.ACTIVE, DeviceStatus.FAILED})


class Criticality(StrEnum):
    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"
    LIFE_AND_HEALTH = "life_and_health"


class Language(StrEnum):
    BOKMAAL = "nb"
    NYNORSK = "nn"
    NEUTRAL = "neutral"


@dataclass(frozen=True, slots=True, kw_only=True)
class Contact:
    """Who to ring: a role, never a person."""

    role: str
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """A stretch of membership; `left` is the first day on which it no longer holds."""

    joined: date
    left: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """What a member was called, numbered or governed by until a day."""

    until: date
    name: str | None = None
    number: str | None = None
    county: str | None = None
    language: Language | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    slug: str
    name: str
    number: str
    county: str | None = None
    language: Language = Language.NEUTRAL
    memberships: tuple[Membership, ...]
    population: Mapping[int, int] = field(default_factory=dict)  # on 1 January of the year
    earlier: tuple[Earlier, ...] = ()
    ended: date | None = None
    successors: tuple[str, ...] = ()
    contact: Contact | None = None
    retired: datetime | None = None

    @property
    def key(self) -> str:
        return self.slug

    def is_member(self, day: date) -> bool:
        """Whether the membership holds on `day`."""
        return any(
            m.joined <= day and (m.left is None or day < m.left) for m in self.memberships
        ) and (self.ended is None or day < self.ended)

    def at(self, day: date) -> "Earlier":
        """Name, number, county and language as they were on `day`."""
        then = Earlier(
            until=day,
            name=self.name,
            number=self.number,
            county=self.county,
            language=self.language,
        )
        for period in sorted(self.earlier, key=lambda e: e.until, reverse=True):
            if day < period.until:
                then = Earlier(
                    until=period.until,
                    name=period.name or then.name,
                    number=period.number or then.number,
                    county=period.county or then.county,
                    language=period.language or then.language,
                )
        return then


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    slug: str
    member: str
    name: str
    kind: SiteKind
    address: str | None = None
    latitude: float | None = None  # degrees, WGS 84
    longitude: float | None = None
    opening_hours: str | None = None  # OpenStreetMap syntax; None: the default of its kind
    users: int | None = None
    member_from: Moment | None = None
    member_until: Moment | None = None
    contact: Contact | None = None
    retired: datetime | None = None

    @property
    def key(self) -> str:
        return self.slug


@dataclass(frozen=True, slots=True, kw_only=True)
class Device:
    name: str
    site: str
    role: str
    address: str | None = None  # management address or host name
    port: int = 161  # SNMP, UDP
    credential: str = "default"
    platform: str | None = None
    vendor: str | None = None
    model: str | None = None
    serial: str | None = None
    asset_tag: str | None = None
    room: str | None = None
    rack: str | None = None
    status: DeviceStatus = DeviceStatus.ACTIVE
    commissioned: Moment | None = None
    decommissioned: Moment | None = None
    owner: str | None = None  # member slug or "shared"; None: the site's member
    contract: str | None = None
    warranty_until: date | None = None
    fed_by: str | None = None

    @property
    def key(self) -> str:
        return self.name

    @property
    def retired(self) -> bool:
        return self.status is DeviceStatus.RETIRED

    @property
    def is_polled(self) -> bool:
        """Whether it is asked in every poll and counted in reports."""
        return self.status in POLLED


@dataclass(frozen=True, slots=True, kw_only=True)
class Interface:
    device: str
    name: str
    mac: str | None = None  # aa:bb:cc:dd:ee:ff
    address: str | None = None  # with prefix length: 10.15.5.11/24
    description: str | None = None
    retired: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.device} : {self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    a: str  # "device : interface", a device, or a site
    b: str
    kind: LinkKind
    capacity_mbps: int | None = None
    provider: str | None = None
    circuit_id: str | None = None
    contract: str | None = None
    retired: datetime | None = None

    @property
    def key(self) -> str:
        return f"{self.a} – {self.b}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """That a member uses a service, since when, in which variant and at which sites."""

    member: str
    from_: date | None = None
    until: date | None = None
    variant: str | None = None
    sites: tuple[str, ...] = ()
    planned: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    slug: str
    name: str
    kind: str | None = None
    group: str | None = None
    criticality: Criticality = Criticality.NORMAL
    needs: tuple[str, ...] = ()  # devices, links by circuit id, contracts, services
    public: bool = False
    use: tuple[Use, ...] = ()
    contact: Contact | None = None
    retired: datetime | None = None

    @property
    def key(self) -> str:
        return self.slug


@dataclass(frozen=True, slots=True, kw_only=True)
class Contract:
    slug: str
    supplier: str
    from_: date
    until: date | None = None
    notice_by: date | None = None
    cost_per_year: Decimal | None = None  # NOK
    split: Mapping[str, int] | None = None  # weights; None: the cooperation's rule
    share_only: tuple[str, ...] = ()
    contact: Contact | None = None
    retired: datetime | None = None

    @property
    def key(self) -> str:
        return self.slug


Thing = Member | Site | Device | Interface | Link | Service | Contract

# In the order in which one may refer to another.
KINDS: Mapping[str, type[Thing]] = {
    "member": Member,
    "contract": Contract,
    "site": Site,
    "device": Device,
    "interface": Interface,
    "link": Link,
    "service": Service,
}


def kind_of(thing: Thing) -> str:
    """The kind's name, singular, as in `fleet show KIND`."""
    return _NAMES[type(thing)]


_NAMES = {cls: name for name, cls in KINDS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class End:
    """One end of a link: a port, a device or a whole site."""

    device: str | None
    interface: str | None
    site: str | None


@dataclass(frozen=True)
class Inventory:
    """A snapshot of the joint inventory: per kind, the things by key."""

    members: Mapping[str, Member] = field(default_factory=dict)
    contracts: Mapping[str, Contract] = field(default_factory=dict)
    sites: Mapping[str, Site] = field(default_factory=dict)
    devices: Mapping[str, Device] = field(default_factory=dict)
    interfaces: Mapping[str, Interface] = field(default_factory=dict)
    links: Mapping[str, Link] = field(default_factory=dict)
    services: Mapping[str, Service] = field(default_factory=dict)

    def of_kind(self, kind: str) -> Mapping[str, Thing]:
        """The things of a kind (singular) by key."""
        things: Mapping[str, Thing] = getattr(self, f"{kind}s")
        return things

    def __iter__(self) -> Iterator[Thing]:
        for kind in KINDS:
            yield from self.of_kind(kind).values()

    @cached_property
    def devices_by_site(self) -> Mapping[str, tuple[Device, ...]]:
        """The devices of each site that has any, by name."""
        found: dict[str, list[Device]] = {}
        for device in sorted(self.devices.values(), key=lambda d: d.name):
            found.setdefault(device.site, []).append(device)
        return {site: tuple(devices) for site, devices in found.items()}

    @cached_property
    def interfaces_by_device(self) -> Mapping[str, tuple[Interface, ...]]:
        """The interfaces of each device that has any, in their order."""
        found: dict[str, list[Interface]] = {}
        for interface in self.interfaces.values():
            found.setdefault(interface.device, []).append(interface)
        return {device: tuple(interfaces) for device, interfaces in found.items()}

    @cached_property
    def edge_devices(self) -> Mapping[str, frozenset[str]]:
        """Per site, the devices that have a link to another site."""
        found: dict[str, set[str]] = {}
        for link in self.links.values():
            if link.retired:
                continue
            a, b = self.end(link.a), self.end(link.b)
            if a.site is not None and b.site is not None and a.site != b.site:
                for end in (a, b):
                    if end.device and end.site:
                        found.setdefault(end.site, set()).add(end.device)
        return {site: frozenset(devices) for site, devices in found.items()}

    def end(self, text: str) -> End:
        """Which port, device or site a link's end names; all None if there is none such."""
        name, _, port = text.partition(" : ")
        if device := self.devices.get(name):
            return End(device=name, interface=port or None, site=device.site)
        return End(device=None, interface=None, site=name if name in self.sites else None)

    def site_of(self, thing: Thing) -> str | None:
        """The slug of the site where a thing is, if it is at one."""
        match thing:
            case Site():
                return thing.slug
            case Device():
                return thing.site
            case Interface():
                device = self.devices.get(thing.device)
                return device.site if device else None
            case Link():
                return self.end(thing.a).site
            case _:
                return None

    def member_of(self, thing: Thing) -> str | None:
        """The slug of the member to which a thing belongs by its place."""
        if isinstance(thing, Member):
            return thing.slug
        site = self.sites.get(self.site_of(thing) or "")
        return site.member if site else None

    def owner_of(self, device: Device) -> str | None:
        """The owning member's slug, or `shared`."""
        return device.owner or self.member_of(device)
