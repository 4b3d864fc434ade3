"""Who uses how much of what is shared: `capacity.yaml`."""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field, Strict

from fleet.core.capacity import Capacity, Usage
from fleet.sources.books import BookEntry, Reference
from fleet.sources.schema import Day, Entry, Slug, Text, as_written

Amount = Annotated[Decimal, BeforeValidator(as_written), Field(ge=0, allow_inf_nan=False)]
_SHARED = "shared"


class UsageEntry(Entry):
    member: Text
    on: Day
    amount: Amount
    service: Text | None = None


class CapacityEntry(BookEntry[Capacity]):
    slug: Slug
    name: Text
    host: Text
    unit: Text
    size: Annotated[Amount, Field(gt=0)]
    archive: Annotated[bool, Strict()] = False
    used: list[UsageEntry] = []

    def value(self) -> Capacity:
        counted = Counter((u.member, u.service, u.on) for u in self.used)
        for (member, _, day), count in counted.items():
            if count > 1:
                raise ValueError(f"{member} is there twice for {day}")
        values = {name: value for name, value in self if name != "archive"}
        used = tuple(Usage(**dict(one)) for one in self.used)
        return Capacity(**values | {"used": used, "is_archive": self.archive})

    def references(self) -> Iterator[Reference]:
        yield Reference("host", "device", self.host)
        for one in self.used:
            if one.member != _SHARED:
                yield Reference("used", "member", one.member)
            if one.service is not None:
                yield Reference("used", "service", one.service)

    def identity(self) -> object:
        return self.slug
