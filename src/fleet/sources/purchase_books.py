"""Joint purchases and what is known of models: `agreements.yaml`, `models.yaml`."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from fleet.core.procurement import Agreement, CallOff, Option
from fleet.core.replacement import Model
from fleet.sources.books import BookEntry, Reference
from fleet.sources.schema import Amount, Day, Entry, Positive, Slug, Text


class CallOffEntry(Entry):
    member: Text
    on: Day
    quantity: Positive


class OptionEntry(Entry):
    until: Day
    notice_by: Day | None = None


class AgreementEntry(BookEntry[Agreement]):
    slug: Slug
    name: Text
    contract: Text
    unit: Text | None = None
    baseline: Annotated[Amount, Field(ge=0)]
    price: Annotated[Amount, Field(ge=0)]
    options: list[OptionEntry] = []
    call_offs: list[CallOffEntry] = []

    def value(self) -> Agreement:
        return Agreement(
            **dict(self)
            | {
                "options": tuple(Option(**dict(one)) for one in self.options),
                "call_offs": tuple(CallOff(**dict(one)) for one in self.call_offs),
            }
        )

    def references(self) -> Iterator[Reference]:
        yield Reference("contract", "contract", self.contract)
        for one in self.call_offs:
            yield Reference("call_offs", "member", one.member)

    def identity(self) -> object:
        return self.slug


class ModelEntry(BookEntry[Model]):
    model: Text
    vendor: Text | None = None
    end_of_support: Day | None = None
    price: Annotated[Amount, Field(ge=0)] | None = None
    years: Annotated[int, Field(strict=True, gt=0, le=100)] | None = None

    def value(self) -> Model:
        return Model(**dict(self))

    def identity(self) -> object:
        return self.model
