"""Figures from elsewhere: `figures.yaml`."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from pydantic import BeforeValidator, Field

from fleet.core.figures import FigureKind, Series
from fleet.core.money import to_amount
from fleet.sources.books import BookEntry, Reference
from fleet.sources.cost_books import Year
from fleet.sources.schema import Count, Slug, Text, as_written

Value = Annotated[Decimal, BeforeValidator(as_written), Field(allow_inf_nan=False)]


class SeriesEntry(BookEntry[Series]):
    slug: Slug
    kind: FigureKind
    name: Text
    source: Text
    unit: Text | None = None
    values: dict[Year, Value] = {}
    members: dict[str, dict[Year, Value]] = {}
    answers: dict[str, dict[Year, Count]] = {}

    def value(self) -> Series:
        if not self.values and not self.members:
            raise ValueError("write `values: {2025: …}`, or `members: {aure: {2025: …}}`")
        if self.answers and self.kind is not FigureKind.SURVEY:
            raise ValueError("`answers` go with `kind: survey`")
        if self.kind is FigureKind.SURVEY:
            self._check_answers()
        if self.kind in _COUNTED and any(v < 0 for v in self._all()):
            raise ValueError("what is counted is not below zero")
        if self.kind is FigureKind.BENEFIT:
            for value in self._all():
                to_amount(str(value))
        return Series(**dict(self))

    def _check_answers(self) -> None:
        for member, years in self.members.items():
            if unsaid := sorted(years.keys() - self.answers.get(member, {}).keys()):
                raise ValueError(f"how many of {member} answered in {unsaid[0]}? (`answers`)")

    def _all(self) -> Iterator[Decimal]:
        yield from self.values.values()
        for years in self.members.values():
            yield from years.values()

    def references(self) -> Iterator[Reference]:
        for field in ("members", "answers"):
            for member in getattr(self, field):
                yield Reference(field, "member", member)

    def identity(self) -> object:
        return self.slug


_COUNTED = (FigureKind.STAFF, FigureKind.TICKETS)
