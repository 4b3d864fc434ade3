"""`fleet report training`"""

from fleet.cli.boundary import FINDINGS, finish
from fleet.cli.options import MemberOption, Output, OutputOption, open_app
from fleet.cli.report_rows import OutOption, PublicOption, give_rows, inventory_with
from fleet.cli.show import count_of, note
from fleet.core.moment import local
from fleet.errors import NotFound

_COLUMNS = {
    "course": "Course",
    "name": "Of",
    "who": "Who",
    "member": "Member",
    "on": "Taken",
    "until": "Holds until",
    "holds": "Holds",
    "roles": "For",
}


def training(
    member: MemberOption = None,
    public: PublicOption = False,
    out: OutOption = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Who may do what on which equipment, and whose course is over; ends with 1 if one is.

    People stand here by role or pseudonym.

    \b
    Example:
      fleet report training --member smola
    """
    fleet = open_app()
    courses = fleet.books(inventory_with(fleet, member)).courses
    if not courses:
        raise NotFound("no course is written down", hint="inventory/courses.yaml")
    today = local(fleet.now()).date()
    rows = []
    for course in courses:
        by_day = sorted(course.taken, key=lambda t: t.on)
        newest = {(one.who, one.member or ""): one for one in by_day}
        for _, one in sorted(newest.items()):
            if member in (None, one.member):
                until = course.until(one)
                rows.append(
                    {
                        "course": course.slug,
                        "name": course.name,
                        "who": one.who,
                        "member": one.member,
                        "on": one.on.isoformat(),
                        "until": until.isoformat() if until else None,
                        "holds": course.is_held(one.who, today),
                        "roles": list(course.roles),
                    }
                )
    give_rows(rows, _COLUMNS, out, output, title="training", hidden=("who",) if public else ())
    over = sum(not row["holds"] for row in rows)
    if over:
        note(f"{count_of(over, 'course')} that somebody took no longer holds")
    finish(FINDINGS if over else 0)
