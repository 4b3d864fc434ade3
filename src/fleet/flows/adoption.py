"""The adoption of the shared services, as rows."""

from collections.abc import Sequence
from datetime import date

from fleet.core.adoption import Adoption, adoption_of, percent, sites_without
from fleet.core.inventory import Inventory, SiteKind
from fleet.core.record import Record
from fleet.errors import NotFound


def report_adoption(
    inventory: Inventory, day: date, service: str | None, kinds: Sequence[SiteKind]
) -> list[Record]:
    """A row for each service that somebody uses or plans to use.

    Args:
        service: only this one.
        kinds: of sites that are listed where they do without.

    Raises:
        NotFound: there is no such service.
    """
    if service is not None and service not in inventory.services:
        raise NotFound(f"there is no service `{service}`", hint="fleet list services")
    wanted = [
        thing
        for slug, thing in sorted(inventory.services.items())
        if service in (None, slug) and not thing.retired and (thing.use or service)
    ]
    rows = []
    for thing in wanted:
        row = to_row(adoption_of(inventory, thing, day))
        if kinds:
            missing = sites_without(inventory, thing, frozenset(kinds), day)
            row["sites_without"] = [site.slug for site in missing]
        rows.append(row)
    return rows


def to_row(found: Adoption) -> Record:
    """An adoption as other programs read it."""
    return {
        "service": found.service.slug,
        "name": found.service.name,
        "group": found.service.group,
        "members": len(found.members),
        "using": len(found.using),
        "percent": percent(found.share),
        "used_by": list(found.using),
        "variants": {m: variant for m, variant in found.using.items() if variant},
        "overdue": {m: day.isoformat() for m, day in found.overdue.items()},
        "planned": {m: day.isoformat() if day else None for m, day in found.planned.items()},
    }
