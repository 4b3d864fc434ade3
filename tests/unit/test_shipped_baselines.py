"""The baselines that come with fleet: each says what it does and what can go wrong, and settles."""

from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from fleet import shipped
from fleet.ansible.platforms import LINUX, PLATFORMS
from fleet.ansible.render import Renderer
from fleet.core.baseline import Baseline
from fleet.core.configuration import Language, commands, missing
from fleet.core.inventory import Device, Inventory, Member, Site, SiteKind
from fleet.core.secrets import filled, references_in
from fleet.errors import Malformed
from fleet.sources.baselines import choose, read_baselines
from tests.simulated_cli import Session, Switch

KEY = "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAQQC7 kari"
# What a cooperation would fill in where the shipped baseline has nothing.
VARIABLES: dict[str, dict[str, Any]] = {
    "aaa": {"servers": [{"name": "r1", "address": "10.1.1.30", "key": "env:RADIUS"}]},
    "certificates": {"authorities": [{"name": "ca", "pem": "-----BEGIN"}], "gone": ["old"]},
    "firewall": {"admins": ["10.1.0.0/16", "10.2.0.1/32"], "allow": []},
    "snmp": {
        "users": [
            {
                "name": "poller",
                "auth": "SHA",
                "auth_key": "env:AUTH",
                "priv": "AES",
                "priv_key": "env:PRIV",
            }
        ]
    },
    "sudo": {"rules": ["%sudo ALL=(ALL:ALL) ALL"]},
    "unused-ports": {"ports": ["eth3"]},
    "users": {
        "users": [{"name": "kari", "comment": "Kari N", "admin": True, "keys": [KEY]}],
        "leavers": ["ola"],
    },
    "vlans": {"vlans": [{"id": 10, "name": "ansatt"}]},
}
BASELINES = read_baselines(
    shipped.baselines(),
    shipped.baselines(),
    Inventory(members={"smola": Member(slug="smola", name="Smøla", number="1573", memberships=())}),
)
SECRETS = {"env:RADIUS": "radius-key", "env:AUTH": "auth-key-1", "env:PRIV": "priv-key-1"}


def inventory(platform: str) -> Inventory:
    return Inventory(
        members={"aure": Member(slug="aure", name="Aure", number="1576", memberships=())},
        sites={
            "radhus": Site(slug="radhus", member="aure", name="Rådhus", kind=SiteKind.TOWN_HALL)
        },
        devices={
            "d": Device(
                name="d", site="radhus", role="switch", platform=platform, address="127.0.0.1"
            )
        },
    )


def shown(name: str) -> Baseline:
    baseline = BASELINES[name]
    values = {**baseline.variables, **VARIABLES.get(name, {})}
    return Baseline(name=name, description=baseline.description, variables=values)


def texts() -> Iterator[tuple[str, str]]:
    for name in sorted(BASELINES):
        for platform, family in sorted(PLATFORMS.items()):
            path = shipped.templates() / f"device/{name}/{family.name}.{family.suffix}.j2"
            if family is not LINUX and path.is_file():
                yield name, platform


@pytest.mark.parametrize("name", sorted(BASELINES))
def test_each_says_what_it_is_and_has_templates_that_are_reachable(name: str) -> None:
    folder = shipped.templates() / "device" / name
    families = {f"{p.name}.{p.suffix}.j2" for p in PLATFORMS.values()}
    recipe = (
        yaml.safe_load((folder / "linux.yaml").read_text())
        if (folder / "linux.yaml").exists()
        else {}
    )
    named = {f.get("template", "linux.conf.j2") for f in recipe.get("files", [recipe])}

    assert BASELINES[name].description
    assert {p.name for p in folder.iterdir()} <= families | named | {"linux.yaml"}
    assert BASELINES[name].risk or not BASELINES[name].by_name


def test_only_what_cannot_hurt_is_taken_without_its_name() -> None:
    assert [b.name for b in choose(BASELINES, [])] == ["banner", "ntp", "snmp", "syslog"]
    assert [b.name for b in choose(BASELINES, ["firewall"])] == ["firewall"]


@pytest.mark.parametrize(("name", "platform"), list(texts()))
def test_a_device_that_has_it_needs_nothing_more(name: str, platform: str) -> None:
    wanted = render(name, platform)
    language = PLATFORMS[platform].language
    assert language

    assert missing(wanted, wanted, language) == []
    assert missing(wanted, "", language) or name == "users"


@pytest.mark.parametrize(
    ("name", "platform"),
    [(n, p) for n, p in texts() if p in ("ios", "procurve", "comware", "nxos", "aruba-cx")],
)
def test_what_is_typed_settles_on_a_switch(name: str, platform: str) -> None:
    wanted = render(name, platform)
    language = PLATFORMS[platform].language
    assert language
    switch = Switch(dialect="comware" if language is Language.UNDO else "ios")
    switch.running = {("telnet server enable",): None, ("telnet-server",): None}
    session = Session(switch)
    session.answer("system-view" if language is Language.UNDO else "configure terminal")

    said = [
        session.answer(line)
        for line in commands(missing(wanted, switch.text(), language), language)
    ]

    assert not [text for text in said if "%" in text]
    assert missing(wanted, switch.text(), language) == []


def render(name: str, platform: str) -> str:
    found = Renderer([shipped.templates()]).render(
        shown(name), inventory(platform), inventory(platform).devices["d"]
    )
    assert found
    names = references_in([found.text])
    text = filled(found.text, {n: SECRETS.get(str(n), "community") for n in names})
    assert text
    return text


def test_a_secret_that_is_shown_ciphered_counts_as_there() -> None:
    wanted = "radius server r1\n address ipv4 10.1.1.30\n key plain\n"
    config = "radius server r1\n address ipv4 10.1.1.30\n key 7 094F471A1A0A\n"
    key: tuple[str, ...] = ("radius server r1", "key plain")

    assert missing(wanted, config, Language.NO, {key: "key "}) == []
    assert missing(
        wanted, config.replace("7 094F471A1A0A", "other"), Language.NO, {key: "key "}
    ) == [key]


def test_a_user_of_snmp_is_sent_along_as_no_device_shows_it() -> None:
    wanted = "snmp-server group FLEET v3 priv\nsnmp-server user p FLEET v3 auth sha k\n"
    user: tuple[str, ...] = ("snmp-server user p FLEET v3 auth sha k",)
    hidden = {user: "snmp-server user p FLEET v3 auth sha "}

    assert missing(wanted, "", Language.NO, hidden) == [("snmp-server group FLEET v3 priv",), user]
    assert missing(wanted, "snmp-server group FLEET v3 priv\n", Language.NO, hidden) == []


def wrong(name: str, platform: str, **variables: Any) -> str:
    baseline = BASELINES[name]
    values = {**baseline.variables, **VARIABLES.get(name, {}), **variables}
    with pytest.raises(Malformed) as error:
        Renderer([shipped.templates()]).render(
            Baseline(name=name, description="x", variables=values),
            inventory(platform),
            inventory(platform).devices["d"],
        )
    return str(error.value)


KARI = {"name": "kari", "comment": "Kari", "admin": True, "keys": [KEY]}


@pytest.mark.parametrize(
    ("name", "platform", "variables", "message"),
    [
        ("users", "linux", {"leavers": ["../../shadow"]}, "is no name"),
        ("users", "linux", {"leavers": ["{{ lookup('pipe', 'id') }}"]}, "is no name"),
        ("users", "linux", {"users": [KARI | {"name": "kari; rm -rf /"}]}, "is no name"),
        ("users", "linux", {"users": [KARI, KARI]}, "is wanted twice"),
        ("users", "linux", {"users": [KARI | {"keys": KEY}]}, "is a text, where a list is meant"),
        ("users", "ios", {"users": [KARI | {"keys": ["ssh-rsa x!"]}]}, "is not a public SSH key"),
        ("certificates", "linux", {"authorities": [{"name": "../x", "pem": "x"}]}, "cannot be a"),
        ("unused-ports", "procurve", {"ports": "24"}, "`24` is a text, where a list is meant"),
        ("dns", "linux", {"servers": "10.1.1.5"}, "is a text, where a list is meant"),
        ("dns", "fortigate", {"servers": "10.1.1.5"}, "is a text, where a list is meant"),
        ("firewall", "routeros", {"admins": "10.1.0.0/16"}, "is a text, where a list is meant"),
        ("firewall", "ios", {"admins": [10]}, "is no network"),
        ("firewall", "linux", {"admins": ["10.1.0.0/33"]}, "10.1.0.0/33"),
        ("sshd", "linux", {"passwords": "no"}, "write true or false, without quotes"),
        ("vlans", "ios", {"vlans": [{"id": 5000, "name": "x"}]}, "is no number of a VLAN"),
        ("vlans", "ios", {"vlans": [{"id": "10", "name": "x"}]}, "is no number of a VLAN"),
        ("vlans", "eos", {"vlans": [{"id": 10, "name": "x\n shutdown"}]}, "is no name"),
        ("vlans", "ios", {"vlans": [{"id": 10, "name": "ansatt gjest"}]}, "is no name"),
    ],
)
def test_what_a_variable_cannot_be_is_refused(
    name: str, platform: str, variables: dict[str, Any], message: str
) -> None:
    platform = "arista_eos" if platform == "eos" else platform

    assert message in wrong(name, platform, **variables)


def test_a_secret_in_the_place_of_its_name_is_not_repeated() -> None:
    servers = [{"name": "r1", "address": "10.1.1.30", "key": "hemmelig99"}]

    said = wrong("aaa", "linux", servers=servers)

    assert "a reference to a secret is env:NAME" in said
    assert "hemmelig99" not in said


def test_ipv6_stands_only_where_it_is_meant() -> None:
    def text(platform: str) -> str:
        values = {**BASELINES["snmp"].variables, "managers": ["2001:db8::20", "10.1.1.20"]}
        found = Renderer([shipped.templates()]).render(
            Baseline(name="snmp", description="x", variables=values),
            inventory(platform),
            inventory(platform).devices["d"],
        )
        assert found
        return found.text or (found.files[0].content or "")

    assert "clients 2001:db8::20/128" in text("junos")
    assert "clients 10.1.1.20/32" in text("junos")
    assert "2001" not in text("ios") + text("arista_eos")
    assert "rocommunity6 " in text("linux")
