"""A workspace for the lab: every machine is a Linux machine that fleet may change."""

import json
import sys
from pathlib import Path
from typing import Any

from tests.lab.network import CONTROLLER, Lab

SETTINGS = """\
[snmp.credentials.default]
version = "2c"
community = { env = "FLEET_SNMP_COMMUNITY" }
[poll]
from_site = "ops"
[deploy]
user = "root"
ssh_config = "ssh_config"
settle_s = 1
confirm_s = 60
"""
ENVIRONMENT = {"FLEET_SNMP_COMMUNITY": "public"}

# What a service reads; whether a router forwards; who gets in.
BASELINES = {
    "labd": ("text: fine", "/etc/labd.conf", "text = {{ text }}\n", "restart: [labd]"),
    "forwarding": (
        "forward: 1",
        "/etc/sysctl.d/99-lab.conf",
        "net.ipv4.ip_forward = {{ forward }}\n",
        "run: [sysctl -q -p /etc/sysctl.d/99-lab.conf]",
    ),
    "firewall": (
        "closed: []",
        "/etc/nftables.conf",
        "flush ruleset\ntable inet fleet {\n  chain input {\n"
        "    type filter hook input priority 0;\n"
        "{% for port in closed %}\n    tcp dport {{ port }} drop\n{% endfor %}\n  }\n}\n",
        "validate: nft -c -f %s\nrun: [nft -f /etc/nftables.conf]",
    ),
}


def write_workspace(lab: Lab, root: Path, baselines: tuple[str, ...], settings: str = "") -> Path:
    """The lab as an inventory: the controller at a site of its own, two cores, and sites."""
    (root / "inventory").mkdir(parents=True)
    (root / "fleet.toml").write_text(SETTINGS + settings)
    (root / "ssh_config").write_text(lab.ssh_config)
    cores = [name for name in lab.machines if name.startswith("core")]
    members, sites = [], {"ops": ["ctl"], "dc": cores}
    for name in lab.machines:
        if name not in (CONTROLLER, *cores):
            sites.setdefault(name.partition("-")[0], []).append(name)
    for number, (site, names) in enumerate(sites.items(), start=1):
        member = {"ops": "shared", "dc": "shared"}.get(site, f"m{number}")
        if not (root / "inventory" / member).exists():
            members.append({"slug": member, "name": member, "number": str(9000 + number)})
        _append(root / "inventory" / member / "sites.yaml", "sites", _site(site, number))
        for name in names:
            _append(
                root / "inventory" / member / "devices.yaml", "devices", _device(lab, name, site)
            )
    links = [{"a": " : ".join(c.a), "b": " : ".join(c.b), "kind": "fibre"} for c in lab.cables]
    _put(root / "inventory" / "shared" / "links.yaml", {"links": links})
    _put(
        root / "inventory" / "members.yaml",
        {"members": [m | {"joined": "2020-01-01"} for m in members]},
    )
    for name in baselines:
        write_baseline(root, name)
    fleet(lab, root, "sync", "--yes")
    return root


def _site(slug: str, number: int) -> dict[str, Any]:
    kind = "data_centre" if slug in ("ops", "dc") else "school"
    return {"slug": slug, "name": slug, "kind": kind, "users": 0 if kind != "school" else number}


def _device(lab: Lab, name: str, site: str) -> dict[str, Any]:
    roles = {"dist": "router", "acc": "switch", "srv": "server"}
    role = roles.get(name.partition("-")[2], "router")
    device = {"name": name, "site": site, "role": role, "address": lab.addresses[name]}
    return device if name == CONTROLLER else {**device, "platform": "linux"}


def _append(path: Path, key: str, item: dict[str, Any]) -> None:
    found = json.loads(path.read_text()) if path.exists() else {key: []}
    _put(path, {key: [*found[key], item]})


def _put(path: Path, value: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value))


def write_baseline(root: Path, name: str, overrides: str = "") -> None:
    variables, dest, template, then = BASELINES[name]
    folder = root / "templates" / "device" / name
    folder.mkdir(parents=True, exist_ok=True)
    (root / "baselines").mkdir(exist_ok=True)
    (root / "baselines" / f"{name}.yaml").write_text(
        f"baseline: {name}\ndescription: For the lab\nvariables: {{{variables}}}\n{overrides}"
    )
    validate = "".join(f"    {line}\n" for line in then.splitlines() if line.startswith("valid"))
    rest = "".join(f"{line}\n" for line in then.splitlines() if not line.startswith("valid"))
    (folder / "linux.yaml").write_text(
        f'files:\n  - dest: {dest}\n    mode: "0644"\n{validate}{rest}'
    )
    (folder / "linux.conf.j2").write_text(template)


def fleet(
    lab: Lab, root: Path, *arguments: str, status: int | None = 0, **more: str
) -> tuple[str, str, int]:
    """Run fleet on the controller: standard output, standard error, status."""
    done = lab.run([sys.executable, "-m", "fleet", *arguments], root, {**ENVIRONMENT, **more})
    assert status is None or done.returncode == status, done.stderr + done.stdout
    return done.stdout, done.stderr, done.returncode


def goes(lab: Lab, name: str) -> list[Path]:
    """Every go of every change on a machine."""
    folder = lab.root(name) / "var/lib/fleet/changes"
    return sorted(p.parent for p in folder.glob("*/*/record.json"))
