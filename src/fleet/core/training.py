"""Who may do what on which equipment: courses, and who took them when."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date

from fleet.core.moment import later

COURSES = "courses.yaml"  # in the workspace's inventory/


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """That somebody took a course.

    Args:
        who: a role, a pseudonym or the user of the operating system; never a person's name.
        member: whom they work for.
    """

    who: str
    on: date
    member: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Course:
    """A course, and the equipment that it is about.

    Args:
        roles: of devices.
        baselines: that only those who took it roll out.
        months: that it holds; None: for good.
    """

    slug: str
    name: str
    roles: tuple[str, ...] = ()
    baselines: tuple[str, ...] = ()
    months: int | None = None
    taken: tuple[Taken, ...] = ()

    @property
    def key(self) -> str:
        return self.slug

    def until(self, taken: Taken) -> date | None:
        """The first day on which it no longer holds; None: it holds for good."""
        if self.months is None:
            return None
        return later(taken.on, self.months)

    def is_held(self, who: str, day: date) -> bool:
        """Whether somebody took it, and it holds on a day."""
        return any(
            one.who == who and one.on <= day and ((until := self.until(one)) is None or day < until)
            for one in self.taken
        )


def missing(
    courses: Iterable[Course],
    who: str,
    day: date,
    *,
    roles: Collection[str],
    baselines: Collection[str],
) -> list[Course]:
    """The courses that somebody should have for what they are about to change, and has not."""
    return [
        course
        for course in sorted(courses, key=lambda c: c.slug)
        if not course.is_held(who, day)
        and (set(course.roles) & set(roles) or set(course.baselines) & set(baselines))
    ]
