"""Who took which course: `courses.yaml`."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from fleet.core.training import Course, Taken
from fleet.sources.books import BookEntry, Reference
from fleet.sources.schema import Day, Entry, Role, Slug, Text


class TakenEntry(Entry):
    who: Text
    on: Day
    member: Text | None = None


class CourseEntry(BookEntry[Course]):
    slug: Slug
    name: Text
    roles: list[Role] = []
    baselines: list[Slug] = []
    months: Annotated[int, Field(strict=True, gt=0, le=1200)] | None = None
    taken: list[TakenEntry] = []

    def value(self) -> Course:
        if not self.roles and not self.baselines:
            raise ValueError("write `roles` or `baselines` that it is about")
        for one in self.taken:
            if " " in one.who:
                raise ValueError(f"`{one.who}` looks like a person's name: write a pseudonym")
        return Course(
            **dict(self)
            | {
                "roles": tuple(self.roles),
                "baselines": tuple(self.baselines),
                "taken": tuple(Taken(**dict(one)) for one in self.taken),
            }
        )

    def references(self) -> Iterator[Reference]:
        for one in self.taken:
            if one.member is not None:
                yield Reference("taken", "member", one.member)

    def identity(self) -> object:
        return self.slug
