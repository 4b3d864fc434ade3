"""Looking at what was measured: in `show`, in the report on traffic, as a file."""

import csv
import re
import sqlite3
from contextlib import closing
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from fleet.app import App
from fleet.core.metric.kinds import IN_TRAFFIC, PORT_METRICS, TEMPERATURE, Key
from fleet.core.metric.reading import Layout, Sample
from fleet.core.moment import to_us
from fleet.metrics.embedded import EmbeddedStore, Keep
from fleet.metrics.sink import Taken
from fleet.report.words import words
from tests.agents import Agents
from tests.measured import Device, Switch, measure
from tests.pictures import colours_of
from tests.watched import ADDRESSES
from tests.worlds import fleet

NOW = datetime(2026, 11, 2, 9, 0, tzinfo=UTC)
QUARTER_S = 900
LAYOUT = Layout(tuple(Key(metric, port) for metric in PORT_METRICS for port in ("Gi1", "Gi2")))
M = 1_000_000


@pytest.fixture
def world_now(watched: Path, agents: Agents, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A switch whose ports are up and carry a gigabit; it is the second of November."""
    switch = Switch(mbps=1000)
    agents.replies[ADDRESSES["skole-sw1"]] = switch.reply
    monkeypatch.setattr(App, "now", lambda _: NOW)
    assert fleet(watched, "poll", "--only", "facts").status in (0, 1)
    return watched


def fill(world: Path, days: int, keep: Keep | None = None) -> None:
    """`skole-sw1 : Gi1` receives 100 Mbit/s, on 10 October 900; Gi2 never receives anything."""
    begin = datetime(2026, 11, 1, 22, 0, tzinfo=UTC) - timedelta(days=days)
    count = (NOW - begin) // timedelta(seconds=QUARTER_S)
    with EmbeddedStore(world / ".fleet/metrics.db", keep) as store:
        batch = []
        for number in range(count + 1):
            at = begin + number * timedelta(seconds=QUARTER_S)
            rate = 900 * M if at.date() == datetime(2026, 10, 10).date() else 100 * M
            octets = rate * QUARTER_S // 8
            values = [octets, 0, octets // 2, 20_000, 3, 0, 0, 0, 0, 0, 0, 0]
            sample = Sample(at_us=to_us(at), span_cs=QUARTER_S * 100, layout=LAYOUT, values=values)
            batch.append(Taken(device="skole-sw1", sample=sample))
            if number % 96 == 95:
                store.write(batch)
                store.tidy(to_us(at))
                batch = []
        store.write(batch)
        store.tidy(to_us(NOW))


class TestReport:
    def test_the_fullest_is_by_the_95th_percentile_of_all_samples(self, world_now: Path) -> None:
        fill(world_now, 34)
        ran = fleet(world_now, "report", "traffic", "-o", "json")
        assert ran.status == 0, ran.err
        (first,) = ran.json["fullest"][:1]
        # One day of thirty is fuller, which is less than one part in twenty.
        assert (first["device"], first["port"]) == ("skole-sw1", "Gi1")
        assert first["in_p95_bps"] == 100 * M
        assert first["percent"] == 10.0
        assert first["p95_of_samples"] is True
        assert first["in_peak_bps"] == pytest.approx(900 * M, rel=2e-3)
        assert first["in_mean_bps"] == pytest.approx((29 * 100 + 900) / 30 * M, rel=2e-2)

    def test_in_the_first_month_it_is_that_of_all_samples(self, world_now: Path) -> None:
        fill(world_now, 12)
        ran = fleet(world_now, "report", "traffic", "-o", "json")
        assert {one["p95_of_samples"] for one in ran.json["fullest"]} == {True}

    def test_a_month_that_is_over_stays_when_a_device_is_taken_away(self, world_now: Path) -> None:
        fill(world_now, 34)
        report = ("report", "traffic", "--month", "2026-10", "-o", "json")
        export = ("export", "metrics", "--since", "2026-10-10", "--until", "2026-10-11", "--to")
        before = fleet(world_now, *report).json
        assert before["busiest"]
        assert fleet(world_now, *export, "before.csv").status == 0
        devices = world_now / "inventory/aure/devices.yaml"
        taken_away = re.sub(r"  - name: skole-sw1\n(    .*\n)*", "", devices.read_text())
        devices.write_text(taken_away)
        links = world_now / "inventory/aure/links.yaml"
        kept = [x for x in links.read_text().splitlines(True) if "skole-sw1" not in x]
        links.write_text("".join(kept))
        services = world_now / "inventory/services.yaml"
        services.write_text(services.read_text().replace("skole-sw1, ", ""))
        ran = fleet(world_now, "sync", "--yes")
        assert ran.status == 0, ran.err
        assert fleet(world_now, *report).json == before
        assert fleet(world_now, *export, "after.csv").status == 0
        kept = [(world_now / name).read_text() for name in ("before.csv", "after.csv")]
        assert kept[0] == kept[1]

    def test_a_period_is_of_whole_days_that_are_over(self, world_now: Path) -> None:
        fill(world_now, 12)
        report = ("report", "traffic", "-o", "json")
        month = fleet(world_now, *report, "--month", "2026-11").json
        assert (month["from"], month["to"]) == ("2026-11-01", "2026-11-01")  # it is the second
        ran = fleet(world_now, *report, "--month", "2026-12")
        assert (ran.status, "2026-12-01 is not over yet" in ran.err) == (4, True)
        ran = fleet(world_now, *report, "--from", "2026-10-30T08:00", "--to", "2026-10-31")
        assert (ran.status, "--from and --to as dates" in ran.err) == (4, True)

    def test_where_samples_are_gone_it_is_that_of_the_highest_day(self, world_now: Path) -> None:
        fill(world_now, 34, Keep(samples=timedelta(days=10)))
        ran = fleet(world_now, "report", "traffic", "-o", "json")
        (first,) = ran.json["fullest"][:1]
        assert first["p95_of_samples"] is False
        assert first["in_p95_bps"] == pytest.approx(900 * M, rel=2e-3)
        assert "of the highest day" in fleet(world_now, "report", "traffic").err

    def test_silent_is_what_is_up_and_received_nothing_for_90_days(self, world_now: Path) -> None:
        fill(world_now, 95)
        ran = fleet(world_now, "report", "traffic", "-o", "json")
        assert [(p["port"], p["silent_days"]) for p in ran.json["silent"]] == [("Gi2", 90)]

    def test_nothing_is_called_silent_that_was_measured_for_a_month(self, world_now: Path) -> None:
        fill(world_now, 34)
        assert fleet(world_now, "report", "traffic", "-o", "json").json["silent"] == []

    def test_errors_are_counted(self, world_now: Path) -> None:
        fill(world_now, 34)
        ran = fleet(world_now, "report", "traffic", "-o", "json")
        (first,) = ran.json["errors"]
        assert (first["port"], first["faults_per_hour"]) == ("Gi1", pytest.approx(12, rel=5e-3))

    def test_sites_and_members_by_what_leads_elsewhere(self, world_now: Path) -> None:
        begin = NOW - timedelta(days=3)
        devices = [Device("skole-r1", {"Gi2": 3e8, "Gi3": 1e8})]
        measure(world_now / ".fleet/metrics.db", devices, begin, NOW, every_s=1800)
        ran = fleet(world_now, "report", "traffic", "--by", "site", "-o", "json")
        (only,) = ran.json
        assert (only["name"], only["ports"]) == ("skole", 1)  # Gi3 leads to a switch of its own
        members = fleet(world_now, "report", "traffic", "--by", "member", "-o", "json")
        assert members.json == []  # all of it stayed within Aure

    def test_the_page_has_charts_and_names_nobody_in_public(self, world_now: Path) -> None:
        fill(world_now, 34)
        for language in ("nb", "nn", "en"):
            ran = fleet(world_now, "report", "traffic", "--language", language, "--out", "t.html")
            assert ran.status == 0, ran.err
            page = (world_now / "t.html").read_text()
            assert page.count('class="line-chart"') == 2 * 4
            assert "skole-sw1 : Gi1" in page
        fleet(world_now, "report", "traffic", "--public", "--out", "public.html")
        assert "skole-sw1" not in (world_now / "public.html").read_text()

    def test_a_pdf_has_the_colours_of_the_page(self, world_now: Path) -> None:
        fill(world_now, 34)
        ran = fleet(world_now, "report", "traffic", "--out", "t.pdf")
        assert ran.status == 0, ran.err
        colours = colours_of(world_now / "t.pdf")
        assert colours["#9db4c9"] > 10_000  # what came, as areas
        assert colours["#8a1538"] > 100  # what went, as lines
        assert colours["#000000"] < colours["#9db4c9"] / 10

    def test_charts_end_with_the_period(self, world_now: Path) -> None:
        fill(world_now, 34)
        period = ("--from", "2026-10-10", "--to", "2026-10-11", "--language", "nb")
        ran = fleet(world_now, "report", "traffic", *period, "--out", "t.html")
        assert ran.status == 0, ran.err
        page = (world_now / "t.html").read_text()
        assert "til og med 10. oktober 2026" in page
        assert "siste døgn: mottatt 833\N{NO-BREAK SPACE}Mbit/s i snitt" in page

    def test_without_measurements_it_says_what_to_do(self, world_now: Path) -> None:
        ran = fleet(world_now, "report", "traffic")
        assert (ran.status, ran.out) == (4, "")
        assert "nothing was measured" in ran.err and "fleet poll" in ran.err


class TestShow:
    def test_a_device_with_what_it_did_in_the_last_day(self, world_now: Path) -> None:
        fill(world_now, 3)
        ran = fleet(world_now, "show", "device", "skole-sw1")
        assert re.search(r"Gi1 in +[▁-█]{24}  100 Mbit/s\n", ran.out)
        found = fleet(world_now, "show", "device", "skole-sw1", "-o", "json").json["measurements"]
        traffic = next(one for one in found if one["metric"] == IN_TRAFFIC and one["part"] == "Gi1")
        assert (traffic["last"], traffic["unit"], len(traffic["hours"])) == (100 * M, "bit/s", 24)

    def test_it_says_until_when_something_is_known(self, world_now: Path) -> None:
        fill(world_now, 3)
        with EmbeddedStore(world_now / ".fleet/metrics.db") as store:
            room = Layout((), (Key(TEMPERATURE, "room"),))
            own = Sample(
                at_us=to_us(NOW - timedelta(hours=6)), span_cs=1, layout=room, values=[215]
            )
            store.write([Taken(device="skole-sw1", sample=own)])
        ran = fleet(world_now, "show", "device", "skole-sw1")
        assert (
            "measured in the last 24 hours, until 2026-11-02 10:00: newest, and highest\n"
            in ran.out
        )
        assert re.search(r"temperature room .*21.5 °C \(until 2026-11-02 04:00\)\n", ran.out)

    def test_a_device_that_was_never_measured(self, world_now: Path) -> None:
        ran = fleet(world_now, "show", "device", "dc-r1", "-o", "json")
        assert (ran.status, ran.json["measurements"]) == (0, [])

    def test_a_site_with_what_came_and_went(self, world_now: Path) -> None:
        begin = NOW - timedelta(days=2)
        measure(world_now / ".fleet/metrics.db", [Device("skole-r1", {"Gi2": 3e8})], begin, NOW)
        ran = fleet(world_now, "show", "site", "skole")
        assert "traffic in the last 24 hours over skole-r1 : Gi2" in ran.out
        assert re.search(r"  in   [▁-█]{24}  \d+ Mbit/s, at most", ran.out)

    @pytest.mark.parametrize("over", ["day", "week", "month", "year"])
    def test_a_port_over_a_window(self, world_now: Path, over: str) -> None:
        fill(world_now, 34)
        ran = fleet(world_now, "show", "interface", "skole-sw1 : GigabitEthernet1", "--over", over)
        assert ran.status == 0, ran.err
        assert "in: 1" in ran.out and "Mbit/s on average" in ran.out
        assert max(map(len, ran.out.splitlines())) <= 80

    def test_a_port_of_which_nothing_is_known(self, world_now: Path) -> None:
        ran = fleet(world_now, "show", "interface", "dc-r1 : Gi1", "--over", "week")
        assert (ran.status, ran.out) == (4, "")
        assert "no traffic of `dc-r1 : Gi1` was measured" in ran.err


class TestExport:
    def test_csv_by_the_hour(self, world_now: Path) -> None:
        fill(world_now, 3)
        ran = fleet(world_now, "export", "metrics", "--since", "2026-11-01", "--to", "m.csv")
        assert ran.status == 0, ran.err
        with (world_now / "m.csv").open() as file:
            rows = [r for r in csv.DictReader(file) if r["metric"] == IN_TRAFFIC]
        assert rows[0] | {"value": "", "low": "", "high": ""} == {
            "at": "2026-10-31T23:00:00.000000Z",
            "device": "skole-sw1",
            "site": "skole",
            "member": "aure",
            "metric": "in_traffic",
            "part": "Gi1",
            "unit": "bit/s",
            "value": "",
            "low": "",
            "high": "",
        }
        assert float(rows[0]["value"]) == pytest.approx(100 * M, rel=2e-3)

    def test_parquet_by_the_sample(self, world_now: Path) -> None:
        from pyarrow import parquet

        fill(world_now, 3)
        step = ("--step", "sample", "--since", "2026-11-01", "--to", "m.parquet")
        assert fleet(world_now, "export", "metrics", *step).status == 0
        table = parquet.read_table(world_now / "m.parquet").to_pylist()
        traffic = [r for r in table if r["metric"] == IN_TRAFFIC and r["part"] == "Gi1"]
        assert {r["value"] for r in traffic} == {100.0 * M}
        assert traffic[0]["at"] == datetime(2026, 10, 31, 23, 0, tzinfo=UTC)

    def test_a_day_is_a_date(self, world_now: Path) -> None:
        from pyarrow import parquet

        fill(world_now, 3)
        step = ("--step", "day", "--since", "2026-10-30")
        for name in ("m.csv", "m.parquet"):
            assert fleet(world_now, "export", "metrics", *step, "--to", name).status == 0
        with (world_now / "m.csv").open() as file:
            days = {row["at"] for row in csv.DictReader(file)}
        assert days == {"2026-10-30", "2026-10-31", "2026-11-01"}
        table = parquet.read_table(world_now / "m.parquet").to_pylist()
        assert {row["at"].isoformat() for row in table} == days

    def test_what_a_device_is_called_is_no_formula(self, world_now: Path) -> None:
        formula, minus = "=cmd|' /C calc'!A0", "-dial 0"
        with EmbeddedStore(world_now / ".fleet/metrics.db") as store:
            for name, at in ((formula, NOW - timedelta(hours=1)), (minus, NOW)):
                layout = Layout(tuple(Key(metric, name) for metric in PORT_METRICS))
                own = Sample(at_us=to_us(at) - 1, span_cs=30_000, layout=layout, values=[1] * 6)
                store.write([Taken(device="skole-sw1", sample=own)])
        step = ("--step", "sample", "--since", "2026-11-01", "--to", "m.csv")
        assert fleet(world_now, "export", "metrics", *step).status == 0
        with (world_now / "m.csv").open() as file:
            parts = {row["part"] for row in csv.DictReader(file)}
        assert parts == {f"'{formula}", f"'{minus}"}

    def test_another_form_is_refused_and_nothing_written(self, world_now: Path) -> None:
        fill(world_now, 1)
        ran = fleet(world_now, "export", "metrics", "--to", "m.xls")
        assert ran.status == 4 and ".parquet" in ran.err
        assert not (world_now / "m.xls").exists()


class TestFilling:
    @pytest.fixture
    def grown(self, world_now: Path) -> Path:
        devices = [Device("dc-r1", {"Gi1": 4e8}), Device("skole-r1", {"Gi2": 3e8})]
        begin = NOW - timedelta(days=600)
        measure(world_now / ".fleet/metrics.db", devices, begin, NOW, every_s=6 * 3600)
        return world_now

    def test_disks_processors_and_lines_say_when_they_are_full(self, grown: Path) -> None:
        ran = fleet(grown, "report", "capacity", "--by", "device", "-o", "json")
        assert ran.status == 0, ran.err
        rows = {(r["name"], r["resource"]): r for r in ran.json}
        disk = rows["dc-r1 : /", "storage"]
        assert disk["trend"] == "grows"
        assert disk["doubles_from"] <= 2.0 <= disk["doubles_to"]
        assert disk["full_from"] <= disk["full_on"] <= disk["full_to"]
        line = rows["dc-r1 : Gi1", "traffic"]
        assert (line["size"], line["trend"], line["full_on"]) == (1e9, "no growth", None)
        assert rows["dc-r1", "processor"]["trend"] == "no growth"

    def test_by_member_it_adds_up_to_what_the_devices_have(self, grown: Path) -> None:
        def used(by: str) -> float:
            rows = fleet(grown, "report", "capacity", "--by", by, "-o", "json").json
            return sum(r["used"] for r in rows if r["resource"] == "storage")

        assert used("member") == pytest.approx(used("device"), rel=1e-9)
        assert used("site") == pytest.approx(used("device"), rel=1e-9)

    def test_what_is_full_is_so_now_and_comes_first(self, grown: Path, agents: Agents) -> None:
        agents.replies[ADDRESSES["dc-r1"]] = Switch(mbps=100).reply  # where 1000 were agreed
        fleet(grown, "poll", "--only", "facts", "--device", "dc-r1")
        for by in ("--by", "device"), ("--by", "device", "--at", "2026-11-02"):
            first, *_ = fleet(grown, "report", "capacity", *by, "-o", "json").json
            assert (first["name"], first["size"]) == ("dc-r1 : Gi1", 1e8)
            dates = (first["full_on"], first["full_from"], first["full_to"])
            assert dates == ("2026-10-26",) * 3  # the Monday of its last week
            shown = fleet(grown, "report", "capacity", *by).out.splitlines()[2]
            assert shown.startswith("dc-r1 : Gi1 ") and " now " in shown
        busiest = fleet(grown, "report", "traffic", "-o", "json").json["busiest"]
        assert {p["capacity_bps"] for p in busiest if p["device"] == "dc-r1"} == {1e8}

    def test_a_page_says_when_it_is_full(self, grown: Path) -> None:
        said = {
            "nb": ("Når er det fullt?", "ingen vekst", "2,0 år (", "Aure skole"),
            "nn": ("Når er det fullt?", "ingen vekst", "2,0 år (", "Aure skole"),
            "en": ("When is it full?", "no growth", "2.0 years (", "Aure skole"),
        }
        rows = fleet(grown, "report", "capacity", "--by", "site", "-o", "json").json
        full_on = {r["full_on"] for r in rows if r["resource"] == "storage"}
        for language, texts in said.items():
            page = ("--by", "site", "--language", language, "--out", "c.html")
            ran = fleet(grown, "report", "capacity", *page)
            assert (ran.status, ran.err) == (0, "wrote c.html\n")
            text = (grown / "c.html").read_text()
            assert f'<html lang="{language}">' in text
            assert all(one in text for one in texts), texts
            assert all(words(language).day(date.fromisoformat(day)) in text for day in full_on)
        assert fleet(grown, "report", "capacity", "--by", "site", "--out", "c.pdf").status == 0
        assert (grown / "c.pdf").read_bytes().startswith(b"%PDF-")
        refused = fleet(grown, "report", "capacity", "--out", "d.html")
        assert refused.status == 4 and "hint: --by site" in refused.err
        assert not (grown / "d.html").exists()

    @pytest.mark.parametrize("out", [(), ("-o", "json"), ("--out", "c.html"), ("--out", "c.csv")])
    def test_of_single_machines_nothing_is_public(self, grown: Path, out: tuple[str, ...]) -> None:
        ran = fleet(grown, "report", "capacity", "--by", "device", "--public", *out)
        assert (ran.status, ran.out) == (4, "")
        assert "of single machines nothing is public" in ran.err
        assert not list(grown.glob("c.*"))

    def test_a_table_with_units(self, grown: Path) -> None:
        ran = fleet(grown, "report", "capacity", "--by", "site")
        assert "TB" in ran.out and "Mbit/s" in ran.out and " %" in ran.out


class TestDamage:
    """What was measured may be lost; all else is known still."""

    def test_a_file_that_is_none(self, world_now: Path) -> None:
        (world_now / ".fleet/metrics.db").write_bytes(b"no database at all" * 999)
        ran = fleet(world_now, "show", "device", "skole-sw1")
        assert ran.status == 0 and "skole-sw1, switch" in ran.out
        assert (
            "what was measured cannot be read: .fleet/metrics.db: file is not a database" in ran.err
        )
        assert fleet(world_now, "show", "site", "skole").status == 0
        assert fleet(world_now, "report", "traffic").status == 5
        doctor = fleet(world_now, "doctor")
        assert "wrong  metrics: .fleet/metrics.db: file is not a database" in doctor.out

    def test_a_row_that_is_damaged(self, world_now: Path) -> None:
        fill(world_now, 3)
        path = world_now / ".fleet/metrics.db"
        with closing(sqlite3.connect(path)) as connection:
            connection.execute("UPDATE hour SET data=x'789c00'")
            connection.execute("UPDATE month SET data=x'00'")
            connection.commit()
        ran = fleet(world_now, "show", "device", "skole-sw1")
        assert ran.status == 0
        assert re.search(r"a row of measurements is damaged: .*; what it held is left out", ran.err)
        with EmbeddedStore(path) as store:  # and measuring goes on
            store.tidy(to_us(NOW + timedelta(days=2)))


def test_of_many_ports_the_busiest_are_shown(world_now: Path) -> None:
    ports = {f"Gi{n}": 1e6 * n for n in range(1, 12)}
    links = world_now / "inventory/aure/links.yaml"
    many = "".join(
        f'  - {{a: "dc-r1 : Gi{n}", b: "bhg-r1 : Gi{n}", kind: fibre}}\n' for n in range(3, 12)
    )
    links.write_text(links.read_text() + many)
    assert fleet(world_now, "sync", "--yes").status == 0
    begin = NOW - timedelta(hours=30)
    measure(world_now / ".fleet/metrics.db", [Device("dc-r1", ports)], begin, NOW)
    ran = fleet(world_now, "show", "device", "dc-r1")
    shown = re.findall(r"(Gi\d+) in ", ran.out)
    assert set(shown) == {f"Gi{n}" for n in range(4, 12)}
    assert "  and 3 ports with less traffic (-o json has them)\n" in ran.out


@pytest.mark.parametrize("every_s", [300, 3600])
def test_a_day_is_a_line_however_rarely_it_is_measured(world_now: Path, every_s: int) -> None:
    begin = NOW - timedelta(hours=30)
    devices = [Device("dc-r1", {"Gi1": 4e8})]
    measure(world_now / ".fleet/metrics.db", devices, begin, NOW, every_s=every_s)
    ran = fleet(world_now, "report", "traffic", "--out", "t.html")
    assert ran.status == 0, ran.err
    day = (world_now / "t.html").read_text().split('class="line-chart"')[1]
    assert day.count('class="went"') == 1
