"""Bad input: what is wrong, where, how to mend it; the exit status; and nothing has changed."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.worlds import Ran, fleet, replace_in

DEVICES = "inventory/aure/devices.yaml"
LINKS = "inventory/aure/links.yaml"
MEMBERS = "inventory/members.yaml"
SITES = "inventory/aure/sites.yaml"

# By name: the file, what is changed into what, and the message.
FILES: dict[str, tuple[str, str, str, str]] = {
    "unknown field": (
        DEVICES,
        "    role: switch",
        "    roll: switch",
        "inventory/aure/devices.yaml:17: skole-sw1: the field `role` is missing\n"
        "inventory/aure/devices.yaml:19: skole-sw1: unknown field `roll`\n"
        "    did you mean `role`?\n",
    ),
    "wrong type": (
        DEVICES,
        "    serial: FCW1234A0BC",
        "    serial: 0042",
        "inventory/aure/devices.yaml:6: dc-r1: `serial` must be text\n"
        '    put it in quotes: serial: "0042"\n',
    ),
    "unknown kind": (
        SITES,
        "kind: school",
        "kind: skole",
        "inventory/aure/sites.yaml:3: skole: `kind` cannot be `skole`\n    one of 'data_centre', ",
    ),
    "doubled key": (
        DEVICES,
        "    role: switch",
        "    role: switch\n    role: router",
        "inventory/aure/devices.yaml:20: `role` is there twice\n    it is also on line 19\n",
    ),
    "doubled device": (
        DEVICES,
        "name: skole-sw1",
        "name: dc-r1",
        "inventory/aure/devices.yaml:17: device `dc-r1` is there twice\n"
        "    it is also at inventory/aure/devices.yaml:2\n",
    ),
    "device on an unknown site": (
        DEVICES,
        "    site: dc",
        "    site: dcc",
        "inventory/aure/devices.yaml:3: dc-r1: unknown site `dcc`\n    did you mean `dc`?\n",
    ),
    "unknown credential": (
        DEVICES,
        "    role: switch",
        "    role: switch\n    credential: core",
        "inventory/aure/devices.yaml:20: skole-sw1: unknown credential `core`\n"
        "    fleet.toml needs a section [snmp.credentials.core]\n",
    ),
    "address that is none": (
        DEVICES,
        "127.3.0.2",
        "127.3.0.256",
        "inventory/aure/devices.yaml:11: skole-r1: `address`: `127.3.0.256` is no valid address: "
        "Octet 256 (> 255) not permitted in '127.3.0.256'\n",
    ),
    "MAC that is none": (
        DEVICES,
        "00:11:22:33:44:55",
        "00:11:22:33:44",
        "inventory/aure/devices.yaml:16: skole-r1: `interfaces.mac`: `00:11:22:33:44` is no MAC "
        "address\n    write it like 00:11:22:33:44:55\n",
    ),
    "half-written file": (
        DEVICES,
        "    commissioned: 2020-01-01\n  - name: bhg-r1",
        '    commissioned: "2020',
        "inventory/aure/devices.yaml:27: is not YAML: found unexpected end of stream\n"
        "    is the file whole? look at indentation, quotes and brackets on and above this line\n",
    ),
    "link to nowhere": (
        LINKS,
        "bhg-r1 : Gi1",
        "bhg-r2 : Gi1",
        "inventory/aure/links.yaml:4: dc-r1 : Gi2 – bhg-r2 : Gi1: unknown device or site `bhg-r2`"
        "\n    did you mean `bhg-r1`?\n",
    ),
    "link from both ends": (
        LINKS,
        '{a: "skole-r1 : Gi3", b: "skole-sw1 : Gi1", kind: copper}',
        '{a: "skole-r1 : Gi2", b: "dc-r1 : Gi1", kind: fibre}',
        "inventory/aure/links.yaml:3: link `skole-r1 : Gi2 – dc-r1 : Gi1` is there twice\n"
        "    it is also at inventory/aure/links.yaml:2, from the other end\n",
    ),
    "hours that cannot be read": (
        SITES,
        "kind: school,",
        'kind: school, opening_hours: "Mon-Fri 8-16",',
        "inventory/aure/sites.yaml:3: skole: `opening_hours`: `Mon-Fri` is no day in opening hours"
        "\n    days: Mo Tu We Th Fr Sa Su\n",
    ),
    "a night that skips the hour": (
        DEVICES,
        "    role: switch",
        "    role: switch\n    decommissioned: 2026-03-29T02:30",
        "inventory/aure/devices.yaml:20: skole-sw1: `decommissioned`: 2026-03-29 02:30 does not "
        "exist in Oslo\n",
    ),
    "population of nobody": (
        MEMBERS,
        "2013: 3570",
        "2013: 0",
        "inventory/members.yaml:3: aure: `population.2013`: a population must be above zero\n",
    ),
    "dates in the wrong order": (
        DEVICES,
        "    role: switch",
        "    role: switch\n    decommissioned: 2019-01-01",
        "inventory/aure/devices.yaml:17: skole-sw1: `decommissioned` must come after "
        "`commissioned`\n",
    ),
    "a name that would be a path or a template": (
        DEVICES,
        "name: skole-sw1",
        'name: "../{{ x }}"',
        "inventory/aure/devices.yaml:17: ../{{ x }}: `name`: `../{{ x }}` is no name\n",
    ),
    "a line break in a name": (
        SITES,
        "name: Aure skole",
        'name: "Aure skole\\nrwcommunity private"',
        "`name`: has line breaks or control characters in it\n",
    ),
    "a number that no database holds": (
        SITES,
        "users: 120",
        "users: 99999999999999999999",
        "inventory/aure/sites.yaml:3: skole: `users`: Input should be less than 2147483648\n",
    ),
    "a tag that does not fit": (
        DEVICES,
        "    role: switch",
        "    role: switch\n    port: !!int abc",
        "inventory/aure/devices.yaml: is not YAML: ",
    ),
    "a year of no calendar": (
        DEVICES,
        "    role: switch",
        "    role: switch\n    warranty_until: 0001-01-01",
        "`warranty_until`: `0001-01-01`: the year is not within 1900 to 2200\n",
    ),
    "number without quotes": (
        MEMBERS,
        '"1573"',
        "1573",
        "inventory/members.yaml:4: smola: `number` must be text\n"
        '    put it in quotes: number: "1573"\n',
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_bad_file_is_refused_whole(world: Path, name: str) -> None:
    file, old, new, message = FILES[name]
    fleet(world, "sync", "--yes")
    before = fleet(world, "list", "devices", "-o", "json").out
    replace_in(world / file, old, new)

    ran = fleet(world, "sync", "--yes", "--force")

    assert message in ran.err
    assert ran.status == 4
    assert ran.out == ""
    assert fleet(world, "list", "devices", "-o", "json").out == before


def test_all_problems_of_all_files_come_at_once(world: Path) -> None:
    replace_in(world / DEVICES, "role: switch", "roll: switch")
    replace_in(world / SITES, "kind: school", "kind: skole")
    replace_in(world / MEMBERS, '"1573"', "1573")

    ran = fleet(world, "sync", "--yes")

    assert ran.status == 4
    for place in ("devices.yaml:17", "devices.yaml:19", "sites.yaml:3", "members.yaml:4"):
        assert place in ran.err
    assert "4 problems in the declared files; nothing was changed" in ran.err


def test_a_misspelt_file_is_not_left_out_in_silence(world: Path) -> None:
    (world / DEVICES).rename(world / "inventory/aure/device.yaml")

    ran = fleet(world, "sync", "--yes")

    assert ran.status == 4
    assert (
        "inventory/aure/device.yaml: is not a file that fleet reads\n"
        "    expected here: sites.yaml, devices.yaml, links.yaml\n" in ran.err
    )


def test_csv_in_another_encoding(world: Path) -> None:
    (world / "inventory/aure/sites.csv").write_bytes(
        "slug;name;kind\nx;Smøla;mast\n".encode("cp1252")
    )

    ran = fleet(world, "sync", "--yes")

    assert ran.status == 4
    assert "inventory/aure/sites.csv: is not UTF-8" in ran.err
    assert "save it as “CSV UTF-8” in the spreadsheet" in ran.err


def test_a_merge_key_may_be_overridden(world: Path) -> None:
    (world / "inventory/smola").mkdir()
    (world / "inventory/smola/sites.yaml").write_text(
        "sites:\n  - &one {slug: a, name: A, kind: mast}\n  - {<<: *one, slug: b, name: B}\n"
    )

    assert fleet(world, "sync", "--yes").status == 0
    assert fleet(world, "show", "site", "b", "-o", "json").json["kind"] == "mast"


def test_an_empty_list_of_outages_is_no_list(world: Path) -> None:
    fleet(world, "sync", "--yes")
    (world / "o.csv").write_text("")

    ran = fleet(world, "import", "outages", "o.csv", "--covers", "2026-02-01/2026-03-01", "--all")

    assert (ran.status, "o.csv:1: has no column heads" in ran.err) == (4, True)


@pytest.mark.parametrize("month", ["", "2026", "9999-12", "0001-01", "2026-13"])
def test_a_month_that_is_none(world: Path, month: str) -> None:
    fleet(world, "sync", "--yes")

    ran = fleet(world, "report", "uptime", "--month", month)

    assert (ran.status, f"`{month}` is no month" in ran.err) == (4, True)


def test_a_misspelt_status_or_role_is_no_empty_list(world: Path) -> None:
    fleet(world, "sync", "--yes")

    assert fleet(world, "list", "devices", "--status", "activ").status == 4
    assert "roles: router, switch" in fleet(world, "list", "devices", "--role", "swich").err


def test_a_database_of_another_maker(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLEET_STORE__URL", "mysql://x")

    ran = fleet(world, "list", "devices")

    assert ran.status == 3
    assert ran.err.startswith("fleet: environment FLEET_STORE__URL: `store.url`: ")


LIMIT_LIKE_THIS = "write it like { at = 90, back = 85 }; or false: nobody is told"
SETTINGS: dict[str, tuple[str, str, str]] = {
    "not TOML": ("[poll]", "[poll", "fleet: fleet.toml: Expected ']' at the end of a table"),
    "unknown key": (
        "retries = 0",
        "retry = 0",
        "fleet: fleet.toml:8: unknown setting `poll.retry`\nhint: did you mean `retries`?\n",
    ),
    "unknown table": (
        "[poll]",
        "[nonsense]\nx = 1\n[poll]",
        "fleet: fleet.toml:6: unknown setting `nonsense`\n",
    ),
    "out of range": (
        "timeout_s = 0.6",
        "timeout_s = 0",
        "fleet: fleet.toml:7: `poll.timeout_s`: Input should be greater than 0\n",
    ),
    "secret in the file": (
        'community = { env = "FLEET_SNMP_COMMUNITY" }',
        'community = "public"',
        "fleet: fleet.toml:5: `snmp.credentials.default.community`: a secret is never here: "
        'write { env = "NAME" } or { file = "PATH" }\n',
    ),
    "a number for a limit": (
        "[poll]",
        "[limits]\nstorage = 90\n[poll]",
        f"fleet: fleet.toml:7: `limits.storage`: {LIMIT_LIKE_THIS}\n",
    ),
    "half a limit": (
        "[poll]",
        "[limits]\nstorage = { at = 90 }\n[poll]",
        f"fleet: fleet.toml:7: `limits.storage`: {LIMIT_LIKE_THIS}\n",
    ),
    "a limit that nothing reaches": (
        "[poll]",
        "[limits]\nstorage = { at = 900, back = 85 }\n[poll]",
        "fleet: fleet.toml:7: `limits.storage`: `at` and `back` are per cent, from 0 to 100\n",
    ),
    "a header that HTTP does not have": (
        "[poll]",
        '[metrics.sinks.vm]\nkind = "victoriametrics"\nurl = "http://127.0.0.1:9"\n'
        'headers = { "Tenænt" = "x" }\n[poll]',
        "fleet: fleet.toml:9: `metrics.sinks.vm.headers.Tenænt.[key]`: ",
    ),
    "mail without a server": (
        "[poll]",
        '[alerts.drift]\nmail = ["vakt@ikt.example"]\n[poll]',
        "fleet: fleet.toml: alerts by mail need a section [mail]\n",
    ),
}


@pytest.mark.parametrize("name", SETTINGS)
def test_bad_settings_end_with_status_3(world: Path, name: str) -> None:
    old, new, message = SETTINGS[name]
    replace_in(world / "fleet.toml", old, new)

    ran = fleet(world, "list", "devices")

    assert ran.err.startswith(message)
    assert ran.status == 3


def test_an_unknown_override_in_the_environment(
    world: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FLEET_POLL__INTERVALL_S", "30")

    ran = fleet(world, "list", "devices")

    assert ran.err == (
        "fleet: environment FLEET_POLL__INTERVALL_S: unknown setting `poll.intervall_s`\n"
        "hint: did you mean `interval_s`?\n"
    )
    assert ran.status == 3


@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_secret_is_named_when_it_is_needed(
    world: Path, monkeypatch: pytest.MonkeyPatch, value: str | None
) -> None:
    if value is not None:
        monkeypatch.setenv("FLEET_SNMP_COMMUNITY", value)

    assert fleet(world, "sync", "--yes").status == 0
    ran = fleet(world, "poll")

    assert ran.err == (
        "fleet: snmp.credentials.default: the environment variable FLEET_SNMP_COMMUNITY is not set"
        " or empty\nhint: export FLEET_SNMP_COMMUNITY=…\n"
    )
    assert ran.status == 3


def _locked(world: Path, during: Callable[[], Ran]) -> Ran:
    connection = sqlite3.connect(world / ".fleet/fleet.db", isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    try:
        return during()
    finally:
        connection.execute("ROLLBACK")
        connection.close()


def test_a_locked_database(world: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "fleet.store.engine._PRAGMAS", ("journal_mode=WAL", "foreign_keys=ON", "busy_timeout=50")
    )
    fleet(world, "sync", "--yes")
    replace_in(world / DEVICES, "U-101", "U-102")

    ran = _locked(world, lambda: fleet(world, "sync", "--yes"))

    assert "fleet: the database is locked by another program\nhint: wait" in ran.err
    assert ran.status == 5
    assert fleet(world, "find", "U-101").status == 0


def test_a_database_of_a_newer_fleet(world: Path) -> None:
    fleet(world, "sync", "--yes")
    with closing(sqlite3.connect(world / ".fleet/fleet.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()

    for command in (("list", "devices"), ("sync", "--yes"), ("store", "upgrade")):
        ran = fleet(world, *command)
        assert ran.err.startswith(
            "fleet: the database has form 9999, which this fleet does not know"
        )
        assert ran.status == 4


def test_a_file_that_is_no_database(world: Path) -> None:
    (world / ".fleet").mkdir()
    (world / ".fleet/fleet.db").write_text("hello, this is not a database at all" * 100)

    ran = fleet(world, "list", "devices")

    assert ran.err.startswith("fleet: the database file is damaged: file is not a database")
    assert ran.status == 4


def test_wrong_usage_is_status_2(world: Path) -> None:
    assert fleet(world, "no-such-command").status == 2
    assert fleet(world, "find").status == 2
    assert fleet(world, "report", "uptime", "--month", "2026-10", "--yesterday").status == 2
    assert fleet(world, "report", "uptime", "--out", "x.docx").status == 2


def test_init_does_not_touch_a_folder_that_has_something_in_it(world: Path) -> None:
    before = sorted(p.name for p in world.iterdir())

    ran = fleet(world, "init", ".")

    assert ran.status == 4
    assert ran.err.startswith("fleet: . exists and is not empty")
    assert sorted(p.name for p in world.iterdir()) == before


def test_a_new_workspace_can_be_synced(tmp_path: Path) -> None:
    assert fleet(tmp_path, "init", "new/one").status == 0
    assert fleet(tmp_path / "new/one", "sync", "--yes").status == 0
    assert fleet(tmp_path / "new/one", "list", "members", "--by", "slug").status == 0
    plan = fleet(tmp_path / "new/one", "deploy", "--plan", "-o", "json")
    assert (plan.status, plan.json["baselines"]) == (0, ["banner", "ntp", "snmp", "syslog"])


IMPORTS: dict[str, tuple[str, str, str]] = {
    "unknown device": (
        "dc-r9,2026-02-02T10:00,2026-02-02T11:00,down,x",
        "2026-02-01/2026-03-01",
        "o.csv:2: unknown device `dc-r9`\n    did you mean `dc-r1`?",
    ),
    "end before start": (
        "dc-r1,2026-02-02T11:00,2026-02-02T10:00,down,x",
        "2026-02-01/2026-03-01",
        "o.csv:2: it ends (2026-02-02T10:00) before it begins (2026-02-02T11:00)",
    ),
    "hour that is there twice": (
        "dc-r1,2025-10-26T02:30,2025-10-26T04:00,down,x",
        "2025-10-01/2025-11-01",
        "o.csv:2: 2025-10-26 02:30 exists twice in Oslo\n"
        "    write 2025-10-26T02:30:00+02:00 (first) or 2025-10-26T02:30:00+01:00 (second)",
    ),
    "outside the covered time": (
        "dc-r1,2026-01-31T23:00,2026-02-02T10:00,down,x",
        "2026-02-01/2026-03-01",
        "o.csv:2: it is not within the time of --covers",
    ),
    "unknown state": (
        "dc-r1,2026-02-02T10:00,2026-02-02T11:00,broken,x",
        "2026-02-01/2026-03-01",
        "o.csv:2: `broken` is no state\n    one of down, unreachable, unknown",
    ),
    "the future": (
        "dc-r1,2026-02-02T10:00,2026-02-02T11:00,down,x",
        "2026-02-01/2199-01-01",
        "`2026-02-01/2199-01-01` ends after now",
    ),
}


@pytest.mark.parametrize("name", IMPORTS)
def test_a_bad_list_of_outages_is_refused_whole(world: Path, name: str) -> None:
    row, covers, message = IMPORTS[name]
    fleet(world, "sync", "--yes")
    (world / "o.csv").write_text(f"device,start,end,state,cause\n{row}\n")

    ran = fleet(world, "import", "outages", "o.csv", "--covers", covers)

    assert message in ran.err
    assert ran.status == 4
    assert fleet(world, "list", "outages", "-o", "json").json == []
