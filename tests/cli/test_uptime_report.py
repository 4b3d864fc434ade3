"""The report on uptime in full: causes, services, maintenance, corrections, revisions, forms."""

import json
import re
import zipfile
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from fleet.app import App
from fleet.core.imported import POLL, Stretch
from fleet.core.moment import from_us, parse_moment, to_instant, to_us
from fleet.core.states import Observation, Round, Verdict
from fleet.store.store import Store
from tests.mail import Inbox, free_tcp_port, inbox_on_loopback
from tests.pictures import colours_of
from tests.worlds import Ran, fleet, replace_in

FEBRUARY = ("--month", "2026-02")
SCHOOL_HOURS = 20 * 9 * 3600  # Mo-Fr 07:30-16:30
KINDERGARTEN_HOURS = 20 * 37_800  # Mo-Fr 06:30-17:00
FIBRE = "link dc-r1 : Gi2 – bhg-r1 : Gi1"
SERVICES = """\
services:
  - {slug: login, name: Innlogging, needs: [dc-r1]}
  - {slug: tavle, name: Smarttavle, needs: [skole-sw1, NEAS-8841, login],
     use: [{member: aure, from: 2020-01-01}]}
  - {slug: papir, name: Uten maskiner}
"""


def at(text: str) -> int:
    return to_us(parse_moment(text))


def course(*outages: tuple[str, str, str, str | None]) -> list[Stretch]:
    """A device's stretches over January to March, up but for (begin, end, state, root)."""
    found, here = [], at("2026-01-01")
    for begin, end, state, root in outages:
        found.append(Stretch(here, at(begin), "up", None, POLL))
        found.append(Stretch(at(begin), at(end), state, "no answer", POLL, root))
        here = at(end)
    return [*found, Stretch(here, at("2026-04-01"), "up", None, POLL)]


@pytest.fixture
def measured(world: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A February in which the school's router failed for an hour, and a fibre for two."""
    (world / "inventory/services.yaml").write_text(SERVICES)
    monkeypatch.setattr(App, "now", lambda _: from_us(at("2025-12-01")))
    assert fleet(world, "sync", "--yes").status == 0
    school = ("2026-02-03T09:00", "2026-02-03T10:00")
    states = {
        "dc-r1": course(),
        "skole-r1": course((*school, "down", "device skole-r1")),
        "skole-sw1": course((*school, "unreachable", "device skole-r1")),
        "bhg-r1": course(("2026-02-04T10:00", "2026-02-04T12:00", "unreachable", FIBRE)),
    }
    with Store(f"sqlite:///{world / '.fleet/fleet.db'}") as store:
        store.replace_stretches(lambda _: states)
    monkeypatch.setattr(
        App, "now", lambda _: to_instant(datetime.fromisoformat("2026-03-05T07:00Z"))
    )
    return world


def report(world: Path, *arguments: str) -> Ran:
    return fleet(world, "report", "uptime", *FEBRUARY, *arguments, "-o", "json")


def rows(world: Path, *arguments: str) -> dict[str, Any]:
    return {row["name"]: row for row in report(world, *arguments).json["rows"]}


def test_the_seconds_of_all_causes_add_up_to_those_of_the_sites(measured: Path) -> None:
    document = report(measured).json

    assert [(c["kind"], c["name"], c["downtime"], c["sites"]) for c in document["causes"]] == [
        ("link", "dc-r1 : Gi2 – bhg-r1 : Gi1", "7200/1", ["barnehage"]),
        ("device", "skole-r1", "3600/1", ["skole"]),
    ]
    assert document["total"]["downtime_s"] == 10_800
    assert rows(measured, "--by", "cause")["skole-r1"]["users"] == 120


def test_by_service_every_part_of_the_chain_counts(measured: Path) -> None:
    services = rows(measured, "--by", "service")

    assert services["tavle"]["downtime_s"] == 3600
    assert services["tavle"]["availability"] == "671/672"
    assert services["login"]["availability"] == "1/1"
    assert services["papir"]["availability"] is None


def test_by_kind_and_for_the_cooperation_seconds_are_pooled(measured: Path) -> None:
    kinds = rows(measured, "--by", "kind")
    assert kinds["school"]["availability"] == "179/180"
    assert (kinds["kindergarten"]["known_s"], kinds["kindergarten"]["downtime_s"]) == (
        KINDERGARTEN_HOURS,
        7200,
    )
    (whole,) = rows(measured, "--by", "cooperation").values()
    assert whole["known_s"] == 28 * 86_400 + SCHOOL_HOURS + KINDERGARTEN_HOURS
    assert whole["downtime_s"] == 10_800


def test_totals_may_be_weighted_by_users(measured: Path) -> None:
    document = report(measured, "--by", "cooperation", "--weight", "users").json

    known = 120 * SCHOOL_HOURS + 20 * KINDERGARTEN_HOURS  # nobody works in the data centre
    down = 120 * 3600 + 20 * 7200
    assert (document["weight"], document["total"]["known_s"]) == ("users", known)
    assert document["rows"][0]["downtime_s"] == down
    page = fleet(measured, "report", "uptime", *FEBRUARY, "--weight", "users", "--out", "w.html")
    assert page.status == 0
    assert "Vektet med antall brukere" in (measured / "w.html").read_text()


def window(world: Path, *arguments: str, announced: str = "2026-01-20") -> None:
    ran = fleet(
        world, "maintenance", "add", *arguments, "--announced", announced, "--reason", "ny ruter"
    )
    assert ran.status == 0


def test_maintenance_covers_what_hangs_behind_it_as_far_as_it_caused_the_outage(
    measured: Path,
) -> None:
    span = ("--start", "2026-02-03T09:30", "--end", "2026-02-03T10:30")
    window(measured, "--device", "skole-r1", *span)

    devices = rows(measured, "--by", "device")

    def planned(name: str) -> tuple[int, int]:
        return devices[name]["maintenance_s"], devices[name]["downtime_s"]

    assert planned("skole-r1") == (3600, 1800)  # the whole window, and what lies outside it
    assert planned("skole-sw1") == (1800, 1800)  # only the outage that came from it
    assert planned("bhg-r1") == (0, 7200)  # another outage is no better for it
    site = rows(measured)["skole"]
    assert (site["maintenance_s"], site["downtime_s"]) == (1800, 1800)


def test_maintenance_announced_too_late_counts_as_unplanned(measured: Path) -> None:
    span = ("--start", "2026-02-03T09:00", "--end", "2026-02-03T10:00")
    window(measured, "--site", "skole", *span, announced="2026-02-01T09:01")
    assert rows(measured)["skole"]["maintenance_s"] == 0
    window(measured, "--site", "skole", *span, announced="2026-02-01T09:00")
    assert rows(measured)["skole"]["maintenance_s"] == 3600


def test_overlapping_windows_count_once(measured: Path) -> None:
    window(measured, "--site", "skole", "--start", "2026-02-05T10:00", "--end", "2026-02-05T12:00")
    window(measured, "--member", "aure", "--start", "2026-02-05T11:00", "--end", "2026-02-05T13:00")

    assert rows(measured)["skole"]["maintenance_s"] == 3 * 3600


def test_maintenance_of_a_service_is_its_own(measured: Path) -> None:
    span = ("--start", "2026-02-03T09:00", "--end", "2026-02-03T09:15")
    window(measured, "--service", "tavle", *span)

    service = rows(measured, "--by", "service")["tavle"]
    assert (service["maintenance_s"], service["downtime_s"]) == (900, 2700)
    assert rows(measured)["skole"]["maintenance_s"] == 0


def correct(world: Path, what: str, reading: str, *span: str) -> None:
    said = ("--role", "Rektor", "--reason", "strømbrudd i hele kommunen")
    ran = fleet(world, "correct", what, "--as", reading, *span, *said)
    assert ran.status == 0, ran.err


def test_corrections_are_shown_with_and_without(measured: Path) -> None:
    correct(measured, "bhg-r1@2026-02-04T09:00:00Z", "excluded")
    correct(measured, "skole-r1@2026-02-03T08:00:00Z", "planned")
    reported = ("--start", "2026-02-05T08:00", "--end", "2026-02-05T09:30")
    correct(measured, "skole", "user-reported", *reported)

    document = report(measured).json
    sites = {row["name"]: row for row in document["rows"]}

    nursery = sites["barnehage"]
    assert (nursery["downtime_s"], nursery["excluded_s"]) == (0, 7200)
    assert (nursery["uncorrected_downtime_s"], nursery["availability"]) == (7200, "1/1")
    school = sites["skole"]
    assert (school["maintenance_s"], school["downtime_s"]) == (3600, 5400)
    assert school["uncorrected_downtime_s"] == 3600
    assert [(c["kind"], c["name"], c["downtime_s"]) for c in document["causes"]] == [
        ("reported", "skole", 5400)
    ]
    assert document["total"]["uncorrected_downtime_s"] == 10_800
    assert [(c["name"], c["as"]) for c in document["corrections"]] == [
        ("skole-r1", "planned"),
        ("bhg-r1", "excluded"),
        ("skole", "user-reported"),
    ]
    table = fleet(measured, "report", "uptime", *FEBRUARY)
    assert "without corrections" in table.out
    correct(measured, "bhg-r1@2026-02-04T09:00:00Z", "as-seen")
    assert rows(measured)["barnehage"]["downtime_s"] == 7200


def test_targets_are_compared_on_the_fraction(measured: Path) -> None:
    sites = rows(measured)
    assert {name: row["target_met"] for name, row in sites.items()} == {
        "dc": True,
        "skole": False,  # 99.44 %
        "barnehage": False,
    }
    replace_in(measured / "fleet.toml", "[poll]", "[report]\ntarget_percent = 99.0\n[poll]")
    assert rows(measured)["skole"]["target_met"] is True
    replace_in(measured / "fleet.toml", "99.0", "99.0\nlongest_outage_h = 1")
    assert rows(measured)["barnehage"]["target_met"] is False  # 99.04 %, but two hours long


def test_the_school_calendar_is_data(measured: Path) -> None:
    path = measured / "inventory/school_holidays.yaml"
    path.write_text("school_holidays:\n  - {from: 2026-02-23, until: 2026-03-02, name: Vinter}\n")
    assert fleet(measured, "sync", "--plan").status == 0
    assert rows(measured)["skole"]["scheduled_s"] == 15 * 9 * 3600
    assert rows(measured)["barnehage"]["scheduled_s"] == KINDERGARTEN_HOURS
    replace_in(path, "name: Vinter", "members: [smola]")
    assert rows(measured)["skole"]["scheduled_s"] == SCHOOL_HOURS
    path.write_text(
        "school_holidays:\n  - {from: 2026-03-02, until: 2026-02-23}\n  - {members: [ar]}\n"
    )
    ran = report(measured)
    assert ran.status == 4
    assert "inventory/school_holidays.yaml:2: it ends before it begins" in ran.err
    assert "inventory/school_holidays.yaml:3: unknown member `ar`" in ran.err


def put(world: Path, **states: list[Stretch]) -> None:
    named = {name.replace("_", "-"): mine for name, mine in states.items()}
    with Store(f"sqlite:///{world / '.fleet/fleet.db'}") as store:
        store.replace_stretches(lambda _: named)


def test_a_correction_of_an_outage_that_goes_on_ends_with_it(
    measured: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_ = [Stretch(at("2026-02-03T09:00"), None, "down", None, POLL)]
    put(measured, bhg_r1=open_)
    with Store(f"sqlite:///{measured / '.fleet/fleet.db'}") as store:
        seen = Observation(
            device="bhg-r1", at=from_us(at("2026-02-03T09:29")), verdict=Verdict.SILENT
        )
        poll = Round(at=seen.at, duration_us=1, devices=1)
        store.add_poll([seen], poll, confirmations=1, interval=timedelta(seconds=60))
    put(measured, bhg_r1=open_)
    monkeypatch.setattr(App, "now", lambda _: from_us(at("2026-02-03T09:30")))
    correct(measured, "bhg-r1@2026-02-03T08:00:00Z", "excluded")
    monkeypatch.setattr(App, "now", lambda _: from_us(at("2026-03-05T08:00")))
    again = ("2026-02-09T09:00", "2026-02-09T10:00", "down", None)
    put(measured, bhg_r1=course(("2026-02-03T09:00", "2026-02-03T11:00", "down", None), again))

    row = rows(measured)["barnehage"]

    assert (row["excluded_s"], row["downtime_s"]) == (7200, 3600)


def test_correcting_the_outage_of_an_edge_device_corrects_its_sites(measured: Path) -> None:
    outage = ("2026-02-04T10:00", "2026-02-04T12:00", "unreachable", "device dc-r1")
    put(measured, bhg_r1=course(outage))
    correct(measured, "bhg-r1@2026-02-04T09:00:00Z", "excluded")

    row = rows(measured)["barnehage"]
    assert (row["excluded_s"], row["downtime_s"]) == (7200, 0)


def test_what_users_reported_can_be_taken_back(measured: Path) -> None:
    span = ("--start", "2026-02-05T08:00", "--end", "2026-02-05T09:00")
    correct(measured, "skole", "user-reported", *span)
    assert rows(measured)["skole"]["downtime_s"] == 7200
    correct(measured, "skole", "as-seen", *span)
    assert rows(measured)["skole"]["downtime_s"] == 3600
    said = ("--role", "Rektor", "--reason", "x")
    future = ("--start", "2199-01-01", "--end", "2199-01-02")
    ran = fleet(measured, "correct", "skole", "--as", "user-reported", *future, *said)
    assert (ran.status, "ends after now" in ran.err) == (4, True)


def test_a_link_of_today_leaves_closed_months_alone(measured: Path) -> None:
    before = rows(measured)
    with (measured / "inventory/aure/links.yaml").open("a") as file:
        file.write('  - {a: "skole-sw1 : wwan0", b: "dc-r1 : Gi9", kind: mobile}\n')
    put(measured, skole_sw1=course())
    assert fleet(measured, "sync", "--yes").status == 0

    assert rows(measured) == before


def test_a_device_is_to_blame_for_its_own_time_only(measured: Path) -> None:
    # The router moves in while the school's own one is away, and fails there as well.
    replace_in(
        measured / "inventory/aure/devices.yaml",
        "  - name: bhg-r1\n    site: barnehage",
        "  - name: bhg-r1\n    site: barnehage\n    decommissioned: 2026-02-04T11:00",
    )
    fleet(measured, "sync", "--yes")

    causes = report(measured).json["causes"]
    assert {c["name"]: c["downtime_s"] for c in causes} == {
        "dc-r1 : Gi2 – bhg-r1 : Gi1": 3600,
        "skole-r1": 3600,
    }


def test_sites_without_service_hours_that_day_are_no_finding(measured: Path) -> None:
    sunday = ("--from", "2026-02-08", "--to", "2026-02-09")
    assert fleet(measured, "report", "uptime", *sunday).status == 0


def test_weights_are_those_of_sites(measured: Path) -> None:
    assert report(measured, "--by", "device", "--weight", "users").status == 2


def test_a_stray_file_in_the_folder_is_left_alone(measured: Path) -> None:
    (measured / "reports").mkdir()
    (measured / "reports/uptime-2020-01-site.html").write_text("mine")
    (measured / "reports/uptime-2020-01-site.json").write_text("{")
    ran = fleet(measured, "report", "uptime", *FEBRUARY, "--out", "reports")
    assert ran.status == 0
    assert "2020" not in (measured / "reports/index.html").read_text()


def test_a_members_report_is_in_its_language(measured: Path) -> None:
    fleet(measured, "report", "uptime", *FEBRUARY, "--member", "smola", "--out", "smola.html")
    assert '<html lang="nn">' in (measured / "smola.html").read_text()


# --- revisions


def test_a_month_that_is_over_is_kept_and_never_changes_silently(measured: Path) -> None:
    first = report(measured)
    assert first.json["revision"]["number"] == 1
    assert first.err == ""
    assert report(measured).json == first.json
    assert len(fleet(measured, "report", "list", "-o", "json").json) == 1
    correct(measured, "bhg-r1@2026-02-04T09:00:00Z", "excluded")

    second = report(measured)

    assert second.json["revision"]["number"] == 2
    assert "new facts: this is revision 2 of uptime-2026-02-site" in second.err
    diff = fleet(measured, "report", "diff", "uptime-2026-02-site", "-o", "json")
    assert diff.status == 1
    changed = {(d["row"], d["field"]): (d["before"], d["after"]) for d in diff.json}
    assert changed["barnehage", "downtime_s"] == (7200, 0)
    assert changed["total", "downtime_s"] == (10_800, 3600)
    assert ("skole", "downtime_s") not in changed
    assert fleet(measured, "report", "diff", "uptime-2026-02-site", "2", "2").status == 0
    assert fleet(measured, "report", "diff", "uptime-2026-02-x").status == 4


def test_a_month_that_goes_on_is_not_kept(measured: Path) -> None:
    ran = fleet(measured, "report", "uptime", "--month", "2026-03", "-o", "json")

    assert "revision" not in ran.json
    assert fleet(measured, "report", "list", "-o", "json").json == []


# --- forms


@pytest.mark.parametrize("suffix", ["html", "csv", "json", "xlsx", "pdf"])
@pytest.mark.parametrize("by", ["site", "kind", "cause"])
def test_the_same_inputs_give_the_same_bytes(measured: Path, suffix: str, by: str) -> None:
    for name in ("one", "two"):
        ran = fleet(
            measured, "report", "uptime", *FEBRUARY, "--by", by, "--out", f"{name}.{suffix}"
        )
        assert ran.status == 0, ran.err

    one = (measured / f"one.{suffix}").read_bytes()
    assert one == (measured / f"two.{suffix}").read_bytes()
    assert len(one) > 100


def test_a_pdf_has_the_colours_of_the_page(measured: Path) -> None:
    ran = fleet(measured, "report", "uptime", *FEBRUARY, "--out", "r.pdf")

    assert ran.status == 0, ran.err
    colours = colours_of(measured / "r.pdf")
    assert colours["#f0f0f0"] > 10_000  # the days of the month
    assert colours["#8a1538"] > 100  # outages
    assert colours["#000000"] < colours["#f0f0f0"] / 10


@pytest.mark.parametrize("by", ["site", "cause"])
def test_a_table_for_a_spreadsheet_is_the_same_on_screen_and_in_a_file(
    measured: Path, by: str
) -> None:
    arguments = ("report", "uptime", *FEBRUARY, "--by", by)
    fleet(measured, *arguments, "--out", "r.csv")

    assert (measured / "r.csv").read_text() == fleet(measured, *arguments, "-o", "csv").out


def test_a_spreadsheet_has_numbers_to_reckon_with(measured: Path) -> None:
    fleet(measured, "report", "uptime", *FEBRUARY, "--language", "nn", "--out", "r.xlsx")

    with zipfile.ZipFile(measured / "r.xlsx") as book:
        workbook = book.read("xl/workbook.xml").decode()
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
    assert re.findall('<sheet name="([^"]+)"', workbook) == ["Stad", "Kva som var årsaka"]
    assert "<v>99.44</v>" in sheet


@pytest.mark.parametrize("form", ["html", "json", "csv", "xlsx", "folder"])
@pytest.mark.parametrize("by", ["site", "member", "service"])
def test_no_public_form_names_a_machine_or_a_person(measured: Path, form: str, by: str) -> None:
    correct(measured, "skole-r1@2026-02-03T08:00:00Z", "planned")
    out = "pub" if form == "folder" else f"pub.{form}"
    arguments = ("--public", "--by", by, "--out", out)
    assert fleet(measured, "report", "uptime", *FEBRUARY, *arguments).status == 0
    files = list(measured.glob("pub*/*")) or [measured / out]
    for path in files:
        octets = path.read_bytes()
        if form == "xlsx":
            with zipfile.ZipFile(path) as book:
                octets = b"".join(book.read(name) for name in book.namelist())
        for secret in ("skole-r1", "bhg-r1", "dc-r1", "Rektor", "kommunen", "Smarttavle"):
            assert secret.encode() not in octets, (path, secret)


def test_the_public_page_names_no_machine(measured: Path) -> None:
    correct(measured, "skole-r1@2026-02-03T08:00:00Z", "planned")
    fleet(measured, "report", "uptime", *FEBRUARY, "--out", "inner.html")
    fleet(measured, "report", "uptime", *FEBRUARY, "--public", "--out", "public.html")

    inner, public = ((measured / f"{n}.html").read_text() for n in ("inner", "public"))
    for secret in ("skole-r1", "bhg-r1", "Rektor"):
        assert secret in inner
        assert secret not in public
    assert "Aure skole" in public
    assert fleet(measured, "report", "uptime", "--by", "device", "--public").status == 2


def test_a_folder_has_an_index_that_links_the_months(measured: Path) -> None:
    for month in ("2026-01", "2026-02"):
        fleet(measured, "report", "uptime", "--month", month, "--out", "reports")
    fleet(measured, "report", "uptime", "--yesterday", "--out", "reports", "--language", "nn")

    index = (measured / "reports/index.html").read_text()
    assert re.findall('href="([^"]+)"', index) == [
        "uptime-2026-03-04-site-nn.html",
        "uptime-2026-02-site.html",
        "uptime-2026-01-site.html",
    ]
    assert "1. februar 2026 – 28. februar 2026: Oppetid per stad" in index
    assert sorted(p.suffix for p in (measured / "reports").iterdir()).count(".json") == 3


# --- mail


@pytest.fixture
def inbox(measured: Path) -> Iterator[Inbox]:
    with inbox_on_loopback() as (inbox, port):
        section = (
            f'[mail]\nserver = "127.0.0.1"\nport = {port}\n'
            'sender = "fleet <fleet@orkide.example>"\nto = ["leiar@aure.example"]\n'
        )
        replace_in(measured / "fleet.toml", "[poll]", f"{section}[poll]")
        yield inbox


def test_a_report_goes_by_mail(measured: Path, inbox: Inbox) -> None:
    ran = fleet(measured, "report", "uptime", *FEBRUARY, "--mail", "--out", "r.html")

    assert (ran.status, ran.out) == (0, "")
    assert ran.err == "wrote r.html\nsent to leiar@aure.example\n"
    (mail,) = inbox.mails
    assert mail["To"] == "leiar@aure.example"
    assert mail["Subject"] == (
        "Two municipalities: oppetid 1. februar 2026 – 28. februar 2026: 99,71\N{NO-BREAK SPACE}%"
    )
    body = mail.get_body(("plain",))
    assert body is not None
    assert "Aure barnehage: 2 t 0 min" in body.get_content()
    page, table = mail.iter_attachments()
    assert page.get_content() == (measured / "r.html").read_text()
    assert table.get_filename() == "uptime-2026-02-site.csv"


def test_mail_that_cannot_be_handed_in(measured: Path, inbox: Inbox) -> None:
    replace_in(measured / "fleet.toml", "leiar@aure", "nobody@aure")
    ran = fleet(measured, "report", "uptime", *FEBRUARY, "--mail")
    assert ran.status == 5
    assert "takes no mail for nobody@aure.example" in ran.err
    port = re.search(r"port = (\d+)", (measured / "fleet.toml").read_text())
    assert port
    replace_in(measured / "fleet.toml", port[0], f"port = {free_tcp_port()}")
    ran = fleet(measured, "report", "uptime", *FEBRUARY, "--mail")
    assert (ran.status, "cannot be reached" in ran.err) == (5, True)
    assert inbox.mails == []


def test_without_a_mail_server_there_is_no_mail(measured: Path) -> None:
    ran = fleet(measured, "report", "uptime", *FEBRUARY, "--mail")

    assert (ran.status, ran.err.splitlines()[0]) == (3, "fleet: fleet.toml has no section [mail]")


def test_json_is_whole_even_if_it_is_long(measured: Path) -> None:
    lines = [f"  - {{name: ap{n}, site: skole, role: ap}}\n" for n in range(150)]
    with (measured / "inventory/aure/devices.yaml").open("a") as file:
        file.writelines(lines)
    fleet(measured, "sync", "--yes")

    ran = report(measured, "--by", "device")

    assert len(json.loads(ran.out)["rows"]) == 154
