"""Costs beside the contracts, and who gets invoices: costs, indexes and parties (.yaml)."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from fleet.core.cost_line import CostLine, Index, Regulation, Sharing
from fleet.core.invoice import COOPERATION, Party, is_organisation
from fleet.sources.books import BookEntry, Reference
from fleet.sources.schema import Amount, Count, Day, Entry, Slug, Text, Weights, as_written

Year = Annotated[int, Field(strict=True, ge=1838, lt=2200)]


IndexValue = Annotated[Decimal, BeforeValidator(as_written), Field(gt=0, allow_inf_nan=False)]


class RegulationEntry(Entry):
    index: Slug
    base: Year


class CostLineEntry(BookEntry[CostLine]):
    slug: Slug
    name: Text
    sharing: Sharing = Sharing.SHARED
    from_: Annotated[Day, Field(alias="from")]
    until: Day | None = None
    once: Amount | None = None
    per_year: Amount | None = None
    price: Amount | None = None
    regulation: RegulationEntry | None = None
    split: Weights | None = None
    share_only: list[Text] = []
    member: Text | None = None
    quantities: Annotated[dict[str, Count], Field(min_length=1)] | None = None
    unit: Text | None = None
    service: Text | None = None

    def value(self) -> CostLine:
        self._check_amount()
        self._check_sharing()
        regulation = Regulation(**dict(self.regulation)) if self.regulation else None
        return CostLine(
            **dict(self)
            | {
                "regulation": regulation,
                "share_only": tuple(self.share_only),
                "quantities": self.quantities or {},
            }
        )

    def _check_amount(self) -> None:
        given = [name for name in ("once", "per_year", "price") if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError("write one of `once`, `per_year` and `price`")
        if self.price is not None and self.sharing is not Sharing.USE:
            raise ValueError("`price` goes with `sharing: use`")
        if self.once is not None and (self.until or self.regulation):
            raise ValueError("what is paid once has neither `until` nor `regulation`")
        if self.until is not None and self.until <= self.from_:
            raise ValueError("`until` must come after `from`")

    def _check_sharing(self) -> None:
        if (self.sharing is Sharing.OWN) != (self.member is not None):
            raise ValueError("`member` goes with `sharing: own`")
        if (self.sharing is Sharing.USE) != (self.quantities is not None):
            raise ValueError("`quantities` goes with `sharing: use`: quantities: {aure: 12}")
        if self.quantities is not None and not any(self.quantities.values()):
            raise ValueError("somebody must use more than 0")
        if self.sharing is not Sharing.SHARED and (self.split or self.share_only):
            raise ValueError("`split` and `share_only` go with `sharing: shared`")

    def references(self) -> Iterator[Reference]:
        for member in self.share_only:
            yield Reference("share_only", "member", member)
        for member in self.quantities or {}:
            yield Reference("quantities", "member", member)
        if self.member is not None:
            yield Reference("member", "member", self.member)
        if self.service is not None:
            yield Reference("service", "service", self.service)
        if self.regulation is not None:
            yield Reference("regulation", "index", self.regulation.index)

    def identity(self) -> object:
        return self.slug


class IndexEntry(BookEntry[Index]):
    slug: Slug
    name: Text
    source: Text
    values: Annotated[
        dict[
            Year, Annotated[Decimal, BeforeValidator(as_written), Field(gt=0, allow_inf_nan=False)]
        ],
        Field(min_length=1),
    ]

    def value(self) -> Index:
        return Index(**dict(self))

    def identity(self) -> object:
        return self.slug


def _organisation(text: str) -> str:
    if not is_organisation(text):
        raise ValueError("is no organisation number: nine digits, the last of which checks them")
    return text


class PartyEntry(BookEntry[Party]):
    member: Slug
    name: Text
    organisation: Annotated[Text, AfterValidator(_organisation)]
    reference: Text | None = None

    def value(self) -> Party:
        return Party(**dict(self))

    def references(self) -> Iterator[Reference]:
        if self.member != COOPERATION:
            yield Reference("member", "member", self.member)

    def identity(self) -> object:
        return self.member
