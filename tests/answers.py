"""docs/explanation/answers.md, from the commands run on the example cooperations: `make docs`."""

import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fleet.flows.init import Example, make_workspace
from tests.worlds import fleet

PAGE = Path(__file__).resolve().parents[1] / "docs/explanation/answers.md"
HEAD = """\
# What cooperations ask, and what answers it

Inter-municipal cooperations asked for these things. Each has a command, run here on the example
cooperation (`fleet init DIR --example orkide`, or `hedmark`) with its invented figures. The lines
are some of those that were printed. Written by `make docs`.

| asked for | command | prints, among other things |
| --- | --- | --- |
"""
OUTAGES = """\
device,start,end,state,cause
krs-dc-srv2,2025-05-06T09:00,2025-05-06T11:00,down,
smo-rh-r1,2025-05-07T09:00,2025-05-07T10:30,down,
"""


@dataclass(frozen=True)
class Question:
    """What was asked for.

    Args:
        command: of fleet.
        lines: patterns; each shows the first line that it is found in.
    """

    asked: str
    command: str
    lines: tuple[str, ...]
    example: Example = Example.ORKIDE
    status: int = 0


QUESTIONS = (
    Question(
        "the way from a site to the data centre over the joint network",
        "path smo-skole krs-radhus",
        ("smo-sk-r1|smo-", "krs-rh"),
    ),
    Question(
        "who hangs on one link or machine",
        "impact smo-rh-r1",
        ("^If smo-rh-r1", "^  cut off +smo-skole"),
    ),
    Question("what joint purchases saved", "report procurement", ("^tradlose", "saved so far")),
    Question(
        "what each member saved by them",
        "report procurement --by member --year 2024",
        ("^kristiansund", "^smola", "saved in 2024"),
    ),
    Question(
        "who may do what on which equipment",
        "report training --member surnadal",
        ("^personvern",),
    ),
    Question(
        "from a MAC read over the telephone to the machine",
        "find 02:1b:22:8b:54:00",
        ("smo-rh-r1",),
    ),
    Question(
        "home login: the intranet of one member from the sites of another",
        "report access --member smola",
        ("^From", "^smola"),
    ),
    Question(
        "what stops payroll?",
        "show service lonn",
        ("^single",),
    ),
    Question(
        "one payroll office instead of several: what if people moved?",
        "report move smo-radhus=3 aur-radhus=4 --to krs-radhus --service lonn",
        ("^krs-radhus", "^kristiansund", "^smola"),
    ),
    Question(
        "proposals of the expert groups, with the answers",
        "change show felles-lonn",
        ("^# Felles", "^no answer", "said yes and"),
    ),
    Question(
        "decisions and contracts to be archived",
        "export archive --to archive.zip",
        ("files written",),
    ),
    Question(
        "the archive that is kept for good",
        "report capacity --at 2026-06-01",
        ("kept for good",),
    ),
    Question(
        "schools and kindergartens without the upbringing system",
        "report adoption --service oppvekst --sites school --sites kindergarten --at 2011-06-01",
        ("^oppvekst",),
        status=1,
    ),
    Question(
        "patient messages: a quarter adopted",
        "report adoption --service pasientmelding --at 2013-06-01",
        ("^pasientmelding",),
    ),
    Question(
        "school login: an outage names all schools, once",
        "impact skolepalogging",
        ("^If skole", "aur-skole", "tin-skole"),
    ),
    Question(
        "what the public may read of the plan dialogue",
        "report uptime --month 2025-05 --by service --public",
        ("Plandialog",),
    ),
    Question(
        "members later than planned",
        "report adoption --service pasientmelding --at 2026-06-01",
        ("^pasientmelding",),
        status=1,
    ),
    Question(
        "the weakest link of a chain of services",
        "report uptime --month 2025-05 --by service",
        ("^oppvekst", "^lonn"),
    ),
    Question(
        "the cost split 70/30, to the øre",
        "report cost --year 2013 --amount 10000000",
        ("^kristiansund", "^smola", "over 13 members"),
    ),
    Question(
        "a grant of 2.5 million",
        "report cost --year 2013 --amount=-2500000",
        ("^smola", "^-2500000.00"),
    ),
    Question(
        "small members: the burden per inhabitant",
        "report compare --year 2025",
        ("^Member", "^kristiansund", "^rindal"),
    ),
    Question(
        "what breaks if a service is removed",
        "impact id-porten",
        ("^If id-porten", "breaks    lonn"),
    ),
    Question(
        "one page for the board chair",
        "report board --quarter 2025-Q2 --language nn",
        ("^Oversikt", "Stadene var nede", "Samarbeidet kostar"),
    ),
    Question(
        "uptime by member, weighted by users",
        "report uptime --month 2025-05 --by member --weight users",
        ("weighted by users", "^smola"),
    ),
    Question(
        "302 sites by kind",
        "list sites --by kind",
        ("school +42", "kindergarten +84", "town_hall +6"),
        Example.HEDMARK,
    ),
    Question(
        "members that joined in stages",
        "list members --at 2012-06-01",
        ("^hamar", "^kongsvinger"),
        Example.HEDMARK,
    ),
    Question("the user survey, where enough answered", "report compare --year 2024", ("^smola",)),
    Question(
        "the same staff, more load",
        "report staffing --from 2022 --to 2025",
        ("^2022", "^2025"),
    ),
    Question(
        "comparison for others to read, without names",
        "report compare --year 2024 --anonymous",
        ("^A ", "^B "),
    ),
    Question(
        "shared, own and used costs: every øre in one statement",
        "report cost --year 2024 --member smola",
        ("^drift", "^lonnslisenser", "^smola-fiber", "^rounding"),
    ),
    Question(
        "how fast the members agree",
        "change list -o json",
        ("title", "median_days_to_yes"),
    ),
    Question(
        "it evens out over time",
        "report balance --from 2022 --to 2024 --member smola",
        ("^2022", "^2024"),
    ),
    Question(
        "what may be known of the inventory (NSM)",
        "report inventory",
        ("serial number", "known when to replace"),
    ),
)


def render() -> str:
    """The page; the same every time."""
    with tempfile.TemporaryDirectory() as folder:
        roots = {}
        for example in (Example.ORKIDE, Example.HEDMARK):
            roots[example] = root = Path(folder) / example.value
            make_workspace(root, example)
            assert fleet(root, "sync", "--yes").status == 0
        _prepare(roots[Example.ORKIDE])
        rows = [_row(question, roots[question.example]) for question in QUESTIONS]
    return HEAD + "".join(rows)


def _prepare(root: Path) -> None:
    """What does not stand in files: two outages, a proposal and an answer to it."""
    (root / "outages.csv").write_text(OUTAGES)
    covers = ("--covers", "2025-05-01/2025-06-01", "--all")
    assert fleet(root, "import", "outages", "outages.csv", *covers).status == 0
    (root / "felles-lonn.md").write_text("# Felles lønn\n")
    propose = ("change", "propose", "felles-lonn.md", "--group", "økonomi", "--service", "lonn")
    assert fleet(root, *propose).status == 0
    answer = ("change", "approve", "felles-lonn", "--member", "smola", "--role", "IT-leder")
    assert fleet(root, *answer).status == 0


def _row(question: Question, root: Path) -> str:
    ran = fleet(root, *question.command.split())
    assert ran.status == question.status, (question.command, ran.status, ran.err)
    printed = (ran.out + "\n" + ran.err).splitlines()
    shown = "<br>".join(f"`{line}`" for line in _lines(question, printed))
    return f"| {question.asked} | `fleet {question.command}` | {shown} |\n"


def _lines(question: Question, printed: list[str]) -> Iterator[str]:
    for pattern in question.lines:
        found = next((line for line in printed if re.search(pattern, line)), None)
        assert found is not None, (question.command, pattern, printed)
        yield _timeless(re.sub(r" {2,}", "  ", found.strip()).replace("|", "\\|"))


def _timeless(line: str) -> str:
    """Without instants, which are others in every run."""
    return re.sub(r"20\d\d-\d\d-\d\dT[\d:.]+Z", "…", line)


if __name__ == "__main__":
    PAGE.write_text(render())
