"""Reconciling with a NetBox over HTTP: what it promises, and what goes wrong."""

import ipaddress
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st

from fleet.sources.netbox import applying
from fleet.sources.netbox.client import Client
from fleet.sources.netbox.fake import Answer, FakeNetBox, Heard
from tests.netbox_contract import Contract, call, connect, plan, sync
from tests.worlds import fleet, replace_in


@dataclass
class Fake:
    """The NetBox that is none, as the contract wants it."""

    server: FakeNetBox

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def token(self) -> str:
        return self.server.token

    def api(self, method: str, path: str, body: object = None) -> Any:
        before = list(self.server.heard)
        try:
            return call(self.url, self.token, method, path, body)
        finally:
            self.server.heard[:] = before


@pytest.fixture(params=["4.0.6", "4.4.1", "4.7.3"])
def netbox(request: pytest.FixtureRequest) -> Iterator[Fake]:
    with FakeNetBox(version=request.param) as server:
        yield Fake(server)


class TestFake(Contract):
    """The contract, on the NetBox that is none, as two versions."""


@pytest.fixture
def server(world: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeNetBox]:
    """One that the workspace `world` knows of, and that can be told to fail."""
    with FakeNetBox() as running:
        monkeypatch.setenv("NETBOX_TOKEN", running.token)
        monkeypatch.setattr(applying, "_LOOKS_S", (0.0, 0.05, 0.1))
        connect(world, Fake(running))
        yield running


def names(server: FakeNetBox) -> list[str]:
    return sorted(row["name"] for row in server.rows("dcim.devices"))


ALL = ["bhg-r1", "dc-r1", "skole-r1", "skole-sw1"]
HTML = "<html><body><h1>Server Error (500)</h1></body></html>"


def test_down(world: Path, server: FakeNetBox) -> None:
    """Nothing is known of it, and so nothing is changed, not even here."""
    replace_in(world / "fleet.toml", server.url, "http://127.0.0.1:1")

    ran = sync(world)

    assert ran.status == 5
    assert "NetBox http://127.0.0.1:1 cannot be reached" in ran.err
    assert fleet(world, "list", "devices", "-o", "json").json == []


def test_a_cold_server_takes_its_time(world: Path, server: FakeNetBox) -> None:
    """The first request to a worker that has just begun may take 15 s."""
    slow = iter([0.5])
    server.fault = lambda _: time.sleep(next(slow, 0))

    assert sync(world).status == 0


def test_slower_than_the_settings_allow(world: Path, server: FakeNetBox) -> None:
    settings = world / "fleet.toml"
    settings.write_text(settings.read_text() + "timeout_s = 0.2\n")
    server.fault = lambda _: time.sleep(0.6)

    ran = sync(world)

    assert ran.status == 5
    assert "did not answer in time" in ran.err


def test_an_error_page_in_the_middle_of_writing(world: Path, server: FakeNetBox) -> None:
    """HTML and status 500 for the first bulk write: it is looked up, and can be resumed."""
    broken = iter([Answer(500, text=HTML)])
    server.fault = lambda heard: next(broken, None) if heard.method == "POST" else None

    ran = sync(world)

    assert ran.status == 5
    assert "fleet sync --resume" in ran.err
    assert "<html>" not in ran.err
    assert fleet(world, "sync", "--resume").status == 0
    assert names(server) == ALL
    assert plan(world)["changes"] == []


def test_one_type_may_not_be_read(world: Path, server: FakeNetBox) -> None:
    """403 on devices: they are left alone, on both sides; the rest is done."""
    sync(world)
    server.fault = lambda heard: (
        Answer(403, {"detail": "You do not have permission to perform this action."})
        if heard.path == "dcim.devices"
        else None
    )
    devices = world / "inventory/aure/devices.yaml"
    devices.write_text(devices.read_text() + "  - {name: ny-sw9, site: skole, role: switch}\n")

    made = plan(world)

    assert {(c["target"], c["key"]) for c in made["changes"]} == {("inventory", "ny-sw9")}
    assert made["conflicts"] == []
    why = {entry["what"]: entry["reason"] for entry in made["left_out"]}
    assert "permission" in why["every device"]


@pytest.mark.parametrize("said", ["Invalid token", "Token expired"])
def test_a_token_that_is_no_good(world: Path, server: FakeNetBox, said: str) -> None:
    server.fault = lambda _: Answer(403, {"detail": said})

    ran = sync(world)

    assert ran.status == 5
    assert said in ran.err
    assert "is the token right, and not expired?" in ran.err
    assert server.token not in ran.err + ran.out


def test_a_token_that_expires_while_writing(world: Path, server: FakeNetBox) -> None:
    left = iter(range(4))
    server.fault = lambda heard: (
        Answer(403, {"detail": "Token expired"})
        if heard.method == "POST" and next(left, None) is None
        else None
    )

    ran = sync(world)

    assert ran.status in (1, 5)
    assert "Token expired" in ran.err
    server.fault = lambda _: None
    assert sync(world).status == 0
    assert names(server) == ALL


def test_tls_that_is_not_trusted(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate = make_certificate(tmp_path)
    with FakeNetBox(certificate=certificate) as server:
        monkeypatch.setenv("NETBOX_TOKEN", server.token)
        connect(world, Fake(server))

        ran = sync(world)
        assert ran.status == 5
        assert "not trusted over TLS" in ran.err
        assert 'ca = "FILE"' in ran.err

        settings = world / "fleet.toml"
        settings.write_text(settings.read_text() + f'ca = "{certificate[0]}"\n')
        assert sync(world).status == 0


def make_certificate(folder: Path) -> tuple[str, str]:
    """A certificate for 127.0.0.1 that signed itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "netbox.example")])
    now = datetime.now(UTC)
    address = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(address, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "cert.pem", folder / "key.pem"
    files[0].write_bytes(made.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return str(files[0]), str(files[1])


@pytest.mark.parametrize("path", ["dcim.devices", "dcim.interfaces", "tenancy.tenants"])
def test_a_proxy_gives_up_and_the_server_goes_on(
    world: Path, server: FakeNetBox, path: str
) -> None:
    """The answer to a bulk write is lost, and all of it was written: it is found again."""
    lost = iter([Answer(504, text=HTML)])

    def lose(heard: Heard, answer: Answer) -> Answer:
        is_it = heard.method == "POST" and heard.path == path
        return next(lost, answer) if is_it else answer

    server.after = lose

    ran = sync(world)

    assert ran.status == 0, ran.err
    assert names(server) == ALL
    assert plan(world)["changes"] == []


def test_a_write_that_happens_after_the_client_gave_up(world: Path, server: FakeNetBox) -> None:
    """It is not sent again before it was looked for; nothing is doubled."""
    late: list[Heard] = []

    def delay(heard: Heard) -> Answer | None:
        if heard.method == "POST" and heard.path == "dcim.devices" and not late:
            late.append(heard)
            return Answer(504, text=HTML)
        return None

    server.fault = delay
    assert sync(world).status == 5
    assert names(server) == []
    for body in late[0].body:
        server.add("dcim.devices", **body)

    assert fleet(world, "sync", "--resume").status == 0

    assert names(server) == ALL
    assert plan(world)["changes"] == []


def test_rows_that_are_deleted_while_paging(world: Path, server: FakeNetBox) -> None:
    """Five go from the first page while the second is read: no other is missed."""
    sync(world)
    like = {k: v for k, v in server.rows("dcim.devices")[0].items() if k in LIKE}
    for number in range(1205):
        server.add("dcim.devices", name=f"x-{number:04d}", **like)
    first = [row["id"] for row in server.rows("dcim.devices")][10:15]
    gone = iter([first])

    def delete(heard: Heard, answer: Answer) -> Answer:
        if heard.path == "dcim.devices" and "id__gt" in heard.query:
            for number in next(gone, ()):
                server.remove("dcim.devices", number)
        return answer

    server.after = delete

    with closing(Client(server.url, server.token)) as client:
        page = client.read("dcim.devices", ("name",))

    there = {row["id"] for row in server.rows("dcim.devices")}
    assert there <= {row["id"] for row in page.objects}
    assert page.is_whole


LIKE = ("site", "role", "device_type", "tenant")


def test_a_server_that_gives_out_too_few(world: Path, server: FakeNetBox) -> None:
    """What says that there are more than it gives is not the whole truth."""

    def fewer(heard: Heard, answer: Answer) -> Answer:
        if heard.path == "dcim.devices" and heard.method == "GET":
            answer.body["results"] = answer.body["results"][:-1]
        return answer

    sync(world)
    server.after = fewer

    made = plan(world)

    assert made["changes"] == []
    assert made["conflicts"] == []
    assert any(entry["what"] == "every device" for entry in made["left_out"])


def test_a_source_that_has_nothing_any_more(world: Path, server: FakeNetBox) -> None:
    """Permissions by object make an empty list of a full one: nobody is retired for that."""
    devices = world / "inventory/aure/devices.yaml"
    more = "".join(f"  - {{name: d-{n}, site: skole, role: switch}}\n" for n in range(8))
    devices.write_text(devices.read_text() + more)
    sync(world)
    kept = dict(server.objects["dcim.devices"])
    server.objects["dcim.devices"].clear()

    made = plan(world)

    assert made["changes"] == []
    assert made["conflicts"] == []
    why = {entry["what"]: entry["reason"] for entry in made["left_out"]}
    assert "none of 12 that were there is given out" in why["every device"]
    server.objects["dcim.devices"].update(kept)
    assert plan(world)["changes"] == []


def test_fields_of_a_plugin_stay(world: Path, server: FakeNetBox) -> None:
    sync(world)
    for row in server.rows("dcim.devices"):
        row["plugin_cost_centre"] = 4711
        row["custom_fields"]["rack_key"] = "blå"
    replace_in(world / "inventory/aure/devices.yaml", "FCW1234A0BC", "FCW9999A0BC")

    assert sync(world).status == 0

    for row in server.rows("dcim.devices"):
        assert row["plugin_cost_centre"] == 4711
        assert row["custom_fields"]["rack_key"] == "blå"


def test_what_somebody_changed_since_the_plan_is_left_alone(
    world: Path, server: FakeNetBox
) -> None:
    """Between the plan and the write; the rest of the plan is done, and the next one asks."""
    sync(world)
    devices = world / "inventory/aure/devices.yaml"
    replace_in(devices, "FCW1234A0BC", "OURS")
    replace_in(devices, "U-101", "U-102")
    number = next(n for n, r in server.objects["dcim.devices"].items() if r["name"] == "dc-r1")

    def interfere(heard: Heard) -> Answer | None:
        if "id" in heard.query and heard.path == "dcim.devices":
            server.change("dcim.devices", number, serial="THEIRS")
        return None

    server.fault = interfere

    ran = sync(world)

    assert ran.status == 1
    assert "stale   update device dc-r1 in netbox: serial was changed there" in ran.err
    assert server.objects["dcim.devices"][number]["serial"] == "THEIRS"
    server.fault = lambda _: None
    made = plan(world)
    assert [(c["key"], c["field"]) for c in made["conflicts"]] == [("dc-r1", "serial")]


def test_one_that_is_refused_does_not_keep_the_others(world: Path, server: FakeNetBox) -> None:
    for version in ("4.0.6", "4.7.3"):
        server.version = version
        taken = server.add("dcim.manufacturers", name=version, slug=version.replace(".", "-"))
        kind = server.add("dcim.device-types", model=version, slug="t", manufacturer=taken)
        site = server.add("dcim.sites", name=version, slug=version.replace(".", "-"))
        role = server.add("dcim.device-roles", name="Annet", slug=version.replace(".", "-"))
        other = {"site": site, "role": role, "device_type": kind, "asset_tag": "IKT-004711"}
        if version == "4.0.6":
            server.add("dcim.devices", name="andre", **other)

    ran = sync(world)

    assert ran.status == 1
    assert "failed  create device skole-r1 in netbox" in ran.err
    assert names(server) == ["andre", "bhg-r1", "dc-r1", "skole-sw1"]


def test_a_netbox_for_one_member_has_only_its_things(world: Path, server: FakeNetBox) -> None:
    settings = world / "fleet.toml"
    settings.write_text(settings.read_text() + 'members = ["smola"]\n')

    assert sync(world).status == 0

    assert [row["slug"] for row in server.rows("tenancy.tenants")] == ["smola"]
    assert server.rows("dcim.sites") == []
    assert names(server) == []


def test_a_netbox_that_is_only_read(world: Path, server: FakeNetBox) -> None:
    settings = world / "fleet.toml"
    settings.write_text(settings.read_text() + "write = false\n")

    assert sync(world).status == 0

    assert server.count("POST", "PATCH", "DELETE") == 0


def test_the_token_is_nowhere(world: Path, server: FakeNetBox) -> None:
    sync(world)
    fleet(world, "sync", "--plan")

    for path in world.rglob("*"):
        if path.is_file():
            assert server.token.encode() not in path.read_bytes()


@given(st.integers(1, 1000), st.integers(25, 200))
def test_no_chunk_is_small_and_none_too_large(number: int, size: int) -> None:
    chunks, left = [], number
    while left:
        chunks.append(applying._cut(left, size))
        left -= chunks[-1]

    assert sum(chunks) == number
    assert max(chunks) <= 200
    assert min(chunks) >= 25 or len(chunks) == 1
