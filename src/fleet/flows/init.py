"""A new workspace, empty or filled with the example cooperation."""

import shutil
from enum import StrEnum
from pathlib import Path

from fleet import shipped
from fleet.errors import Duplicate, NotPermitted
from fleet.example import hedmark

SETTINGS = """\
[cooperation]
name = "{name}"
language = "nb"                                  # nb | nn | en; a member's `neutral` means this one
cost_rule = {{ population = 70, equal = 30 }}      # weights, not percentages

[store]
url = "sqlite:///.fleet/fleet.db"                # or postgresql+psycopg://user@host/fleet

[snmp.credentials.default]
version = "2c"                                   # 1 | 2c | 3
community = {{ env = "FLEET_SNMP_COMMUNITY" }}     # or {{ file = "…" }}; no secret stands here

[poll]
interval_s = 60                                  # how often `fleet poll` is run
timeout_s = 1.0
retries = 1
confirmations = 3                                # failed polls in a row until a device is down
{from_site}

# [sources.netbox]                               # as many as there are
# url = "https://netbox.example.no"
# token = {{ env = "NETBOX_TOKEN" }}

# [deploy]
# user = "fleet"                                 # on Linux machines, over SSH
# ssh_port = 22

# [snmp.credentials.core]
# version = "3"
# user = "fleet"
# auth = {{ protocol = "SHA256", key = {{ env = "FLEET_SNMP_AUTH" }} }}
# priv = {{ protocol = "AES128", key = {{ env = "FLEET_SNMP_PRIV" }} }}
"""
_NO_SITE = '# from_site = "dc"                               # where this poller stands'


MEMBERS = """\
# The members of the cooperation; docs/reference/files.md explains every field.
members:
  - slug: first-member
    name: First member
    number: "0000"
    joined: 2026-01-01
"""

IGNORED = ".fleet/\n"


class Example(StrEnum):
    """Cooperations to look around in."""

    ORKIDE = "orkide"
    HEDMARK = "hedmark"


def make_workspace(folder: Path, example: Example | None = None) -> None:
    """Write a new workspace.

    Raises:
        Duplicate: the folder exists and is not empty.
        NotPermitted: the operating system does not allow it.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Duplicate(f"{folder} exists and is not empty", hint="choose a new or empty folder")
    name, site = _NAMES[example]
    from_site = f'from_site = "{site}"{" " * (35 - len(site))}# where this poller stands'
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder, SETTINGS.format(name=name, from_site=from_site if site else _NO_SITE))
        _write_inventory(folder / "inventory", example)
        _write_baselines(folder / "baselines", with_example=example is Example.ORKIDE)
        (folder / "templates").mkdir()
    except OSError as error:
        raise NotPermitted(f"cannot write {folder}: {error.strerror}") from error


_NAMES: dict[Example | None, tuple[str, str]] = {
    None: ("Our cooperation", ""),
    Example.ORKIDE: ("IKT Orkidé", "krs-dc"),
    Example.HEDMARK: (hedmark.NAME, hedmark.FROM_SITE),
}


def _write_inventory(folder: Path, example: Example | None) -> None:
    if example is Example.ORKIDE:
        shutil.copytree(shipped.example_inventory(), folder)
        return
    folder.mkdir()
    texts = hedmark.files() if example is Example.HEDMARK else [("members.yaml", MEMBERS)]
    for path, text in texts:
        (folder / path).parent.mkdir(exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def _write_baselines(folder: Path, *, with_example: bool) -> None:
    """The shipped baselines; without the example's overrides, which name its members."""
    folder.mkdir()
    for path in sorted(shipped.baselines().glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        if not with_example:
            text = text.partition("\noverrides:")[0].rstrip() + "\n"
        (folder / path.name).write_text(text, encoding="utf-8")


def _write(folder: Path, settings: str) -> None:
    (folder / "fleet.toml").write_text(settings, encoding="utf-8")
    (folder / ".gitignore").write_text(IGNORED, encoding="utf-8")
