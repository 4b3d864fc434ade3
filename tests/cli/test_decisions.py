"""Decisions: a group proposes, members answer, a changed text voids their answers."""

import hashlib
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from fleet.core.approval import Answer, Rule, Say
from fleet.core.decision import State, needed, state_of
from fleet.core.moment import from_us
from tests.worlds import fleet, make_example

MEMBERS = ("aure", "averoy", "gjemnes", "kristiansund", "rindal", "smola", "sunndal")
TEXT = "# Felles lønn\n\nAlle ni går over i 2027.\n"


@pytest.fixture(scope="module")
def example(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    yield make_example(tmp_path_factory.mktemp("decisions"))


@pytest.fixture
def proposal(example: Path, request: pytest.FixtureRequest) -> Path:
    """A file of its own for each test, and so a decision of its own."""
    name = request.node.name.removeprefix("test_").replace("_", "-")[:40]
    path: Path = example / f"{name}.md"
    path.write_text(TEXT)
    return path


def propose(root: Path, path: Path, *more: str) -> str:
    ran = fleet(root, "change", "propose", str(path), "--group", "økonomi", *more)
    assert ran.status == 0, ran.err
    return ran.out.strip()


def answer(root: Path, named: str, member: str, verb: str = "approve") -> None:
    why = () if verb == "approve" else ("--reason", "for dyrt")
    ask = ("change", verb, named, "--member", member, "--role", "IT-leder", *why)
    ran = fleet(root, *ask)
    assert ran.status == 0, ran.err


def row(root: Path, named: str) -> dict[str, object]:
    rows = fleet(root, "change", "list", "-o", "json").json
    return next(dict(one) for one in rows if one["id"] == named)


def test_more_than_half_of_the_members_carry_it(example: Path, proposal: Path) -> None:
    named = propose(example, proposal, "--service", "lonn")
    for member in MEMBERS[:4]:
        answer(example, named, member)
    assert row(example, named)["state"] == "open"

    answer(example, named, MEMBERS[4])

    found = row(example, named)
    assert [found[n] for n in ("state", "yes", "members", "title", "group", "age_days")] == [
        "carried",
        5,
        9,
        "Felles lønn",
        "økonomi",
        0,
    ]
    shown = fleet(example, "change", "show", named).out
    assert "no answer: smola, sunndal, surnadal, tingvoll" in shown
    assert "carried, 5 of 9 members said yes and 5 are needed." in shown
    assert found["median_days_to_yes"] == 0.0


def test_five_that_do_not_say_yes_let_it_fall(example: Path, proposal: Path) -> None:
    named = propose(example, proposal)
    for member in MEMBERS[:4]:
        answer(example, named, member, "reject")
    assert row(example, named)["state"] == "open"

    answer(example, named, MEMBERS[4], "abstain")

    assert row(example, named)["state"] == "fallen"


def test_another_text_voids_the_answers(example: Path, proposal: Path) -> None:
    first = propose(example, proposal)
    answer(example, first, "smola")
    assert propose(example, proposal) == first  # the same text is the same proposal

    proposal.write_text(TEXT + "Og Smøla betaler mer.\n")
    second = propose(example, proposal)

    assert (row(example, first)["state"], row(example, second)["yes"]) == ("replaced", 0)
    shown = fleet(example, "change", "show", proposal.stem).out
    assert "smola: yes, IT-leder" in shown
    assert "(to another content; it says nothing now)" in shown
    proposal.write_text(TEXT)
    third = propose(example, proposal)
    assert len({first, second, third}) == 3
    assert row(example, third)["yes"] == 0


def test_another_group_does_not_take_the_place_of_a_proposal(example: Path, proposal: Path) -> None:
    first = propose(example, proposal)

    ran = fleet(example, "change", "propose", str(proposal), "--group", "helse")

    assert (ran.status, "is a proposal of økonomi" in ran.err) == (6, True)
    assert row(example, first)["state"] == "open"
    other = fleet(example, "change", "propose", str(proposal), "--group", "økonomi", "--class=low")
    assert f"it takes the place of {first}" in other.err


def test_a_rollout_is_found_by_its_id_whatever_a_decision_is_called(example: Path) -> None:
    plan = ("deploy", "ntp", "--member", "rindal", "--plan", "--offline", "-o", "json")
    rollout = fleet(example, *plan).json["id"]
    same = example / f"{rollout}.md"
    same.write_text(TEXT)
    propose(example, same)

    answer(example, rollout, "rindal")

    rows = fleet(example, "change", "list", "-o", "json").json
    assert next(r["yes"] for r in rows if r["id"] == rollout) == 1
    ran = fleet(example, "change", "rollback", rollout, "--yes")
    assert "is a decision" not in ran.err


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--from", "2030-01-01", "--to", "2030-01-02"), "a decision has no window"),
        (("--risk-assessment", "x"), "Normen's fields are those of a rollout"),
        (("--role", " "), "an answer is given in a role"),
    ],
)
def test_answers_that_mean_nothing_are_refused(
    example: Path, tmp_path: Path, more: tuple[str, ...], message: str
) -> None:
    path = tmp_path / "meaning.md"
    path.write_text(TEXT)
    named = propose(example, path)
    role = () if "--role" in more else ("--role", "IT-leder")

    ran = fleet(example, "change", "approve", named, "--member", "smola", *role, *more)

    assert (ran.status, message in ran.err) == (4, True), ran.err
    assert row(example, named)["yes"] == 0


def test_a_decision_touches_no_device(example: Path, proposal: Path) -> None:
    named = propose(example, proposal)

    for verb in ("rollback", "resume"):
        ran = fleet(example, "change", verb, named)
        assert (ran.status, "it touches no device" in ran.err) == (6, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--group", "juss"), "no service names the group `juss`"),
        (("--group", "økonomi", "--member", "halsa"), "`halsa` is no member today"),
        (("--group", "økonomi", "--service", "epost"), "there is no service `epost`"),
    ],
)
def test_who_is_not_there_is_refused(
    example: Path, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    (tmp_path / "x.md").write_text(TEXT)

    ran = fleet(example, "change", "propose", str(tmp_path / "x.md"), *options)

    assert (ran.status, message in ran.err) == (4, True), ran.err


@pytest.mark.parametrize("content", [b"", b"\n \n", b"\xff\xfe"])
def test_a_file_that_is_no_proposal_is_refused(
    example: Path, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "x.md").write_bytes(content)

    ran = fleet(example, "change", "propose", str(tmp_path / "x.md"), "--group", "økonomi")

    assert ran.status == 4


def test_an_archive_has_the_same_bytes_and_the_digests_of_its_files(
    example: Path, proposal: Path, tmp_path: Path
) -> None:
    named = propose(example, proposal)
    answer(example, named, "smola")
    one, other = tmp_path / "a.zip", tmp_path / "b.zip"

    assert fleet(example, "export", "archive", "--to", str(one)).status == 0
    assert fleet(example, "export", "archive", "--to", str(other)).status == 0

    assert one.read_bytes() == other.read_bytes()
    with zipfile.ZipFile(one) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    manifest = json.loads(files.pop("manifest.json"))
    assert manifest["sha256"] == {n: hashlib.sha256(c).hexdigest() for n, c in files.items()}
    assert files[f"decisions/{named}.md"].decode() == TEXT
    kept = json.loads(files[f"decisions/{named}.json"])
    assert [(a["member"], a["say"]) for a in kept["answers"]] == [("smola", "yes")]
    assert json.loads(files["contracts.json"])[0]["slug"] == "mobil-2024"


def test_a_quorum_of_the_class_is_counted_exactly() -> None:
    def say(*members: str) -> dict[str, Answer]:
        values = {"change": "x", "say": Say.YES, "role": "r", "reason": None, "slice": "s"}
        at = from_us(0)
        return {m: Answer(member=m, actor="a", at=at, **values) for m in members}  # type: ignore[arg-type]  # the same for all

    three = ("a", "b", "c")
    assert needed(Rule(quorum=1.0), three) == 3
    assert needed(Rule(quorum=0.1), "abcdefghij") == 1  # not two, as floats would have it
    assert Rule(quorum=0.28).needed(25) == 7  # not eight
    assert needed(Rule(), "abcd") == 3
    assert state_of(Rule(quorum=1.0), three, say("a", "b")) is State.OPEN
    assert state_of(Rule(quorum=1.0), three, say(*three)) is State.CARRIED
