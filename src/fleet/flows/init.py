"""A new workspace, empty or filled with the example cooperation."""

import shutil
from pathlib import Path

from fleet import shipped
from fleet.errors import Duplicate, NotPermitted

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
# from_site = "dc"                               # where this poller stands

# [deploy]
# user = "fleet"                                 # on Linux machines, over SSH
# ssh_port = 22

# [snmp.credentials.core]
# version = "3"
# user = "fleet"
# auth = {{ protocol = "SHA256", key = {{ env = "FLEET_SNMP_AUTH" }} }}
# priv = {{ protocol = "AES128", key = {{ env = "FLEET_SNMP_PRIV" }} }}
"""

MEMBERS = """\
# The members of the cooperation; docs/reference/files.md explains every field.
members:
  - slug: first-member
    name: First member
    number: "0000"
    joined: 2026-01-01
"""

IGNORED = ".fleet/\n"


def make_workspace(folder: Path, *, with_example: bool) -> None:
    """Write a new workspace.

    Raises:
        Duplicate: the folder exists and is not empty.
        NotPermitted: the operating system does not allow it.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Duplicate(f"{folder} exists and is not empty", hint="choose a new or empty folder")
    name = "IKT Orkidé" if with_example else "Our cooperation"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _write(folder, SETTINGS.format(name=name))
        inventory = folder / "inventory"
        if with_example:
            shutil.copytree(shipped.example_inventory(), inventory)
        else:
            inventory.mkdir()
            (inventory / "members.yaml").write_text(MEMBERS, encoding="utf-8")
        _write_baselines(folder / "baselines", with_example=with_example)
        (folder / "templates").mkdir()
    except OSError as error:
        raise NotPermitted(f"cannot write {folder}: {error.strerror}") from error


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
