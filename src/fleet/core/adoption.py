"""Which members use a service on a day, who is late, and which places do without."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

from fleet.core.inventory import Inventory, Service, Site, SiteKind, Use


@dataclass(frozen=True, slots=True, kw_only=True)
class Adoption:
    """A service on a day.

    Args:
        members: of the cooperation on that day.
        using: member → variant, of those that use it.
        overdue: member → the day by which it wanted to use it, and does not.
        planned: member → the day from which it wants to use it.
    """

    service: Service
    members: tuple[str, ...]
    using: Mapping[str, str | None]
    overdue: Mapping[str, date]
    planned: Mapping[str, date | None]

    @property
    def share(self) -> Fraction | None:
        """The part of the members that use it; None without members."""
        return Fraction(len(self.using), len(self.members)) if self.members else None


def adoption_of(inventory: Inventory, service: Service, day: date) -> Adoption:
    """Who uses a service on a day."""
    members = tuple(sorted(m.slug for m in inventory.members.values() if m.is_member(day)))
    mine = sorted((u for u in service.use if u.member in members), key=lambda u: u.member)
    using = {u.member: u.variant for u in mine if not u.planned and is_used(u, day)}
    plans = {u.member: u.from_ for u in mine if u.planned and u.member not in using}
    coming = {u.member: u.from_ for u in mine if not u.planned and u.from_ and day < u.from_}
    return Adoption(
        service=service,
        members=members,
        using=using,
        overdue={m: when for m, when in plans.items() if when is not None and when <= day},
        planned={m: w for m, w in (plans | coming).items() if w is None or day < w},
    )


def is_used(use: Use, day: date) -> bool:
    """Whether a use holds on a day; without a date, since ever."""
    return (use.from_ is None or use.from_ <= day) and (use.until is None or day < use.until)


def sites_using(inventory: Inventory, service: Service, day: date) -> frozenset[str]:
    """The sites that use a service on a day; a use without sites is one at all of its member."""
    uses = [u for u in service.use if not u.planned and is_used(u, day)]
    named = {slug for u in uses for slug in u.sites}
    everywhere = {u.member for u in uses if not u.sites}
    return frozenset(
        slug
        for slug, site in inventory.sites.items()
        if not site.retired and (slug in named or site.member in everywhere)
    )


def sites_without(
    inventory: Inventory, service: Service, kinds: frozenset[SiteKind], day: date
) -> list[Site]:
    """The sites of some kinds that do without a service on a day."""
    members = {m.slug for m in inventory.members.values() if m.is_member(day)}
    using = sites_using(inventory, service, day)
    return [
        site
        for slug, site in sorted(inventory.sites.items())
        if site.kind in kinds and site.member in members and not site.retired and slug not in using
    ]


def percent(share: Fraction | None) -> str | None:
    """A share in per cent with one decimal, half rounded up."""
    if share is None:
        return None
    tenths = int(share * 1000 + Fraction(1, 2))
    return f"{tenths // 10}.{tenths % 10}"
