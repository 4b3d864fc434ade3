"""What became of merged members: who stands in their places from a day on."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from fleet.core.inventory import Inventory, Member, Site


def heir_of(members: Mapping[str, Member], slug: str, day: date) -> str:
    """The member in whose place another stands on a day: itself, or its only heir.

    One that was divided among several has none.
    """
    seen = {slug}
    while (member := members.get(slug)) is not None:
        has_ended = member.ended is not None and member.ended <= day
        if not has_ended or len(member.successors) != 1 or member.successors[0] in seen:
            break
        slug = member.successors[0]
        seen.add(slug)
    return slug


def heirs_of(members: Mapping[str, Member], day: date) -> dict[str, str]:
    """Merged members, each with its heir on a day."""
    found = {slug: heir_of(members, slug, day) for slug in members}
    return {slug: heir for slug, heir in found.items() if heir != slug}


def owned(site: Site, members: Mapping[str, Member], day: date) -> Site:
    """A site with the member that it belongs to on a day."""
    heir = heir_of(members, site.member, day)
    return replace(site, member=heir) if heir != site.member and heir in members else site


def with_heirs(inventory: Inventory, day: date) -> Inventory:
    """The inventory with every site at the member that it belongs to on a day."""
    sites = {slug: owned(site, inventory.members, day) for slug, site in inventory.sites.items()}
    return replace(inventory, sites=sites)
