"""What all stores of measurements promise, and what fleet's own promises besides."""

import threading
import time
from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import ClassVar

import pytest

from fleet.core.inventory import Device, Inventory, Site, SiteKind
from fleet.core.metric.kinds import IN_TRAFFIC, MISSING, TEMPERATURE, Key
from fleet.core.metric.reading import Layout, Sample
from fleet.core.moment import to_us
from fleet.errors import Rejected
from fleet.flows.forward import Forwarding
from fleet.metrics.embedded import EmbeddedStore
from fleet.metrics.reader import open_metrics
from fleet.metrics.remote import Door, RemoteWrite, VictoriaMetrics
from fleet.metrics.sink import MetricSink, Taken
from tests.timeseries import Prometheus, Server, StrictPrometheus, Victoria

BEGIN = datetime(2026, 9, 1, 6, 0, tzinfo=UTC)
CYCLE_S = 300
PORT = Key(IN_TRAFFIC, "Gi1/0/1")
ROOM = Key(TEMPERATURE, "server room")
LAYOUT = Layout((PORT, Key(IN_TRAFFIC, 'odd "name" \\ æ')), (ROOM,))

SITE = Site(
    slug="krs-radhus",
    member="kristiansund",
    name="Kristiansund rådhus",
    kind=SiteKind.TOWN_HALL,
)
INVENTORY = Inventory(
    sites={"krs-radhus": SITE},
    devices={"sw1": Device(name="sw1", site="krs-radhus", role="switch")},
)

Values = dict[tuple[str, Key], list[tuple[int, float]]]


def taken(cycle: int, device: str = "sw1") -> Taken:
    """A cycle in which the first port received 100 kbit/s, and of the second nothing is known."""
    values = [3_750_000 + cycle, MISSING, 214 + cycle]
    at_us = to_us(BEGIN) + cycle * CYCLE_S * 1_000_000
    sample = Sample(at_us=at_us, span_cs=30_000, layout=LAYOUT, values=values)
    return Taken(device=device, sample=sample, site="krs-radhus", member="kristiansund")


def expected(cycles: int, device: str = "sw1") -> Values:
    times = [to_us(BEGIN) // 1000 + c * CYCLE_S * 1000 for c in range(cycles)]
    traffic = [(t, (3_750_000 + c) * 8 / 300) for c, t in enumerate(times)]
    warmth = [(t, (214 + c) / 10) for c, t in enumerate(times)]
    return {(device, PORT): traffic, (device, ROOM): warmth}


Store = tuple[MetricSink, Callable[[str], Values]]


@pytest.fixture(scope="session", params=["embedded", "text", "victoria", "prometheus"])
def store(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """A store, and what reads from it what it has of a device."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "embedded":
        with EmbeddedStore(folder / "metrics.db") as sink:
            yield sink, partial(read_embedded, folder / "metrics.db")
    elif request.param == "text":
        with Victoria(folder) as server:
            yield VictoriaMetrics(Door(url=server.url)), partial(read_server, server)
    else:
        kind = Victoria if request.param == "victoria" else Prometheus
        with kind(folder) as server:
            yield RemoteWrite(Door(url=server.write_url)), partial(read_server, server)


def read_embedded(path: Path, device: str) -> Values:
    reader = open_metrics(path)
    assert reader is not None
    with reader:
        number = reader.number(device)
        assert number is not None
        start = to_us(BEGIN)
        found = reader.samples(number, LAYOUT.keys, start, start + 864_000_000_000)
    return {
        (device, key): [(at // 1000, value) for at, value in series]
        for key, series in found.items()
        if series
    }


def read_server(server: Server, device: str) -> Values:
    deadline = time.monotonic() + 10
    found: Values = {}
    while not found and time.monotonic() < deadline:
        for labels, series in server.series(f'{{device="{device}"}}').items():
            own = dict(labels)
            assert (own["site"], own["member"]) == ("krs-radhus", "kristiansund")
            metric = {
                "fleet_in_traffic_bits_per_second": IN_TRAFFIC,
                "fleet_temperature_celsius": TEMPERATURE,
            }[own["__name__"]]
            found[device, Key(metric, own["part"])] = series
    return found


def alike(found: Values, wanted: Values) -> bool:
    return found.keys() == wanted.keys() and all(
        [at for at, _ in found[key]] == [at for at, _ in wanted[key]]
        and [v for _, v in found[key]] == pytest.approx([v for _, v in wanted[key]], rel=1e-9)
        for key in wanted
    )


def test_a_store_gives_back_what_it_took(store: Store) -> None:
    sink, read = store
    device = "took"
    sink.write([taken(cycle, device) for cycle in range(30)])
    assert alike(read(device), expected(30, device))


def test_the_same_samples_again_change_nothing(store: Store) -> None:
    sink, read = store
    device = "again"
    sink.write([taken(cycle, device) for cycle in range(6)])
    sink.write([taken(cycle, device) for cycle in range(3, 9)])
    assert alike(read(device), expected(9, device))


def test_old_samples_are_taken_after_new_ones(store: Store) -> None:
    sink, read = store
    device = "late"
    sink.write([taken(cycle, device) for cycle in range(20, 30)])
    sink.write([taken(cycle, device) for cycle in range(20)])
    assert alike(read(device), expected(30, device))


class TestForwarding:
    """Another store is told all, also what it missed while it was away."""

    def test_what_was_missed_in_an_hour_is_sent_when_it_is_back(self, tmp_path: Path) -> None:
        server = Victoria(tmp_path / "victoria")
        clock = [0.0]
        sinks = {"vm": VictoriaMetrics(Door(url=server.url))}
        with EmbeddedStore(tmp_path / "metrics.db") as store:
            forwarding = Forwarding(store, sinks, lambda: clock[0])
            server.start()
            store.write([taken(0)])
            assert send(forwarding, tmp_path) == []
            server.stop()
            said = []
            for cycle in range(1, 13):
                store.write([taken(cycle)])
                clock[0] += CYCLE_S
                said += send(forwarding, tmp_path)
            assert len(said) == 7  # it is not asked, and we do not complain, all the time
            assert said[0].startswith(f"metrics sink vm: {server.url} does not answer")
            store.tidy(to_us(BEGIN + timedelta(hours=2)))  # what waits is packed meanwhile
            server.start()
            try:
                clock[0] += 900
                assert send(forwarding, tmp_path) == []
                found = server.series('{device="sw1"}')
            finally:
                server.stop()
        times = [at for series in found.values() for at, _ in series]
        assert sorted(set(times)) == [at for at, _ in expected(13)["sw1", ROOM]]

    def test_what_a_clock_that_was_set_back_says_is_sent_as_well(self, tmp_path: Path) -> None:
        sent: list[Taken] = []
        with EmbeddedStore(tmp_path / "metrics.db") as store:
            forwarding = Forwarding(store, {"list": Kept(sent)})
            for cycle in (10, 11, 2, 3):
                store.write([taken(cycle)])
                send(forwarding, tmp_path)
        assert {one.sample.at_us for one in sent} == {
            taken(cycle).sample.at_us for cycle in (10, 11, 2, 3)
        }

    def test_what_is_never_taken_does_not_stand_in_the_way(self, tmp_path: Path) -> None:
        with (
            StrictPrometheus(tmp_path / "prometheus") as server,
            EmbeddedStore(tmp_path / "metrics.db") as store,
        ):
            forwarding = Forwarding(store, {"prom": RemoteWrite(Door(url=server.write_url))})
            store.write([taken(100)])
            assert send(forwarding, tmp_path) == []
            store.write([taken(2)])  # of an hour that is over for Prometheus
            (said,) = send(forwarding, tmp_path)
            assert said.startswith(f"metrics sink prom: left out: {server.write_url} answers 400: ")
            store.write([taken(101)])
            assert send(forwarding, tmp_path) == []
            wanted = [at for at, _ in expected(102)["sw1", ROOM]]
            found = read_server(server, "sw1")["sw1", ROOM]
            assert [at for at, _ in found] == wanted[100:]

    def test_one_refused_request_takes_no_other_with_it(self, tmp_path: Path) -> None:
        with StrictPrometheus(tmp_path / "prometheus") as server:
            sink = RemoteWrite(Door(url=server.write_url))
            sink.write([taken(100, "old")])
            many = [taken(100, f"sw{n}") for n in range(250)]
            with pytest.raises(Rejected):
                sink.write([*many[:50], taken(2, "old"), *many[50:]])
            names = {dict(labels)["device"] for labels in server.series('{device=~"sw.*"}')}
            assert names == {f"sw{n}" for n in range(250)}

    def test_a_wrong_address_is_told_and_nothing_is_left_out(self, tmp_path: Path) -> None:
        with (
            Victoria(tmp_path / "victoria") as server,
            EmbeddedStore(tmp_path / "metrics.db") as store,
        ):
            store.write([taken(0)])
            lost = {"vm": VictoriaMetrics(Door(url=f"{server.url}/nowhere"))}
            (said,) = send(Forwarding(store, lost), tmp_path)
            assert said.startswith(f"metrics sink vm: {server.url}/nowhere answers 400")
            mended = {"vm": VictoriaMetrics(Door(url=server.url))}
            assert send(Forwarding(store, mended), tmp_path) == []
            assert alike(read_server(server, "sw1"), expected(1))

    def test_a_slow_store_is_told_more_each_time_and_polling_goes_on(self, tmp_path: Path) -> None:
        sent: list[Taken] = []
        clock = [0.0]

        class Slow(Kept):
            def write(self, batch: list[Taken]) -> None:
                clock[0] += 8.0
                super().write(batch)

        with EmbeddedStore(tmp_path / "metrics.db") as store:
            forwarding = Forwarding(store, {"slow": Slow(sent)}, lambda: clock[0])
            for one in [taken(0, f"sw{n}") for n in range(2000)]:
                later = one.sample.at_us + int(one.device[2:]) * 1000
                store.write([replace(one, sample=replace(one.sample, at_us=later))])
            took = []
            while len(sent) < 2000:
                began = clock[0]
                assert send(forwarding, tmp_path) == []
                took.append(clock[0] - began)
        assert max(took) <= 16 and len(took) > 1
        times = [one.sample.at_us for one in sent]
        assert times == sorted(times)
        assert len({(one.device, one.sample.at_us) for one in sent}) == 2000


class Asked(BaseHTTPRequestHandler):
    """Notes how it was let in."""

    said: ClassVar[list[str | None]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.said.append(self.headers["Authorization"])
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize(
    ("user", "secret", "wanted"),
    [
        (None, "token", "Bearer token"),
        ("aure", "s3cret", "Basic " + b64encode(b"aure:s3cret").decode()),
        ("aure", "pæssørd €", "Basic " + b64encode("aure:pæssørd €".encode()).decode()),
        (None, "tøken €", "Bearer tøken €".encode().decode("latin-1")),
        (None, None, None),
    ],
)
def test_what_lets_us_in_is_ours(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    user: str | None,
    secret: str | None,
    wanted: str | None,
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    Asked.said.clear()
    with HTTPServer(("127.0.0.1", 0), Asked) as server:
        thread = threading.Thread(target=server.handle_request)
        thread.start()
        door = Door(url=f"http://127.0.0.1:{server.server_port}", user=user, secret=secret)
        VictoriaMetrics(door).write([taken(0)])
        thread.join()
    assert Asked.said == [wanted]


class Kept:
    """A store that keeps samples in a list."""

    def __init__(self, kept: list[Taken]) -> None:
        self._kept = kept

    def write(self, batch: list[Taken]) -> None:
        self._kept += batch


def send(forwarding: Forwarding, folder: Path) -> list[str]:
    reader = open_metrics(folder / "metrics.db")
    assert reader is not None
    with reader:
        return forwarding.send(reader, INVENTORY)
