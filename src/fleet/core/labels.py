"""Labels for machines and places: what their codes say, and how sheets of labels are laid out."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from fleet.core.codes import DEVICE, ROOM, SITE
from fleet.core.inventory import Contact, Device, Inventory, Site


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """One label.

    Args:
        code: what a scanner reads: an id, and no secret.
        title: the name.
        lines: below it: asset tag, place, the number to ring.
    """

    code: str
    title: str
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """A sheet of labels on A4, in millimetres.

    Args:
        width, height: of a label.
        left, top: of the first one.
        across, down: from one label to the next.
    """

    name: str
    columns: int
    rows: int
    width: float
    height: float
    left: float
    top: float
    across: float
    down: float

    @property
    def count(self) -> int:
        return self.columns * self.rows

    def places(self) -> Iterator[tuple[float, float]]:
        """Left and top of each label, row by row."""
        for row in range(self.rows):
            for column in range(self.columns):
                yield self.left + column * self.across, self.top + row * self.down


# The makers' published measures.
SHEETS = {
    sheet.name: sheet
    for sheet in (
        Sheet(
            name="L7160",
            columns=3,
            rows=7,
            width=63.5,
            height=38.1,
            left=7.2,
            top=15.1,
            across=66.0,
            down=38.1,
        ),
        Sheet(
            name="L6011",
            columns=3,
            rows=9,
            width=63.5,
            height=29.6,
            left=7.2,
            top=15.3,
            across=66.0,
            down=29.6,
        ),
        Sheet(
            name="L7651",
            columns=5,
            rows=13,
            width=38.1,
            height=21.2,
            left=4.7,
            top=10.7,
            across=40.6,
            down=21.2,
        ),
    )
}


def of_device(inventory: Inventory, device: Device) -> Label:
    """The label of a machine."""
    site = inventory.sites[device.site]
    place = " ".join(x for x in (site.name, device.room, device.rack) if x)
    lines = (device.asset_tag, place, _ring(inventory, site))
    return Label(code=DEVICE + device.name, title=device.name, lines=tuple(x for x in lines if x))


def of_places(inventory: Inventory, site: Site) -> Iterator[Label]:
    """The labels of a site and of the rooms in which machines stand."""
    ring = _ring(inventory, site)
    below = (ring,) if ring else ()
    yield Label(code=SITE + site.slug, title=site.name, lines=(site.slug, *below))
    rooms = {d.room for d in inventory.devices_by_site.get(site.slug, ()) if d.room}
    for room in sorted(rooms):
        yield Label(code=f"{ROOM}{site.slug}:{room}", title=room, lines=(site.name, *below))


def _ring(inventory: Inventory, site: Site) -> str | None:
    member = inventory.members.get(site.member)
    contacts: Iterable[Contact | None] = (site.contact, member.contact if member else None)
    found = next((c for c in contacts if c is not None and c.phone), None)
    return f"{found.role} {found.phone}" if found else None


def on_sheets(labels: Sequence[Label], sheet: Sheet, skip: int) -> list[list[Label | None]]:
    """The labels on pages; None where a label is used up already.

    Args:
        skip: labels of the first sheet that are gone.
    """
    places: list[Label | None] = [*([None] * skip), *labels]
    return [places[at : at + sheet.count] for at in range(0, len(places), sheet.count)]
