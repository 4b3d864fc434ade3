"""What devices are to have, and waves → playbooks: the same input gives the same bytes.

The content stands once, in `inventory/group_vars`: one file for all devices that get the same.
Roles and playbooks are the frame around it, so a person reviews the very lines that a device
will have, and a wave's inventory file says who is touched: nobody outside it can be.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from fleet.ansible.folder import FOLDER, HEADER, identifier
from fleet.ansible.platforms import LINUX, PLATFORMS, Platform
from fleet.core.baseline import Baseline
from fleet.core.desired import Desired
from fleet.core.inventory import Device, Inventory
from fleet.core.record import Record
from fleet.core.secrets import Reference, find_leak, replaced
from fleet.core.waves import Wave
from fleet.errors import NotPermitted
from fleet.settings import Deploy


class Style(StrEnum):
    """What the playbooks are made of."""

    BUNDLE = "bundle"  # one call of fleet's own module for a machine
    BUILTIN = "builtin"  # Ansible's own modules, for other tools to run


class Generator:
    """Writes playbooks, as texts.

    Args:
        templates: folders, the first that has a template wins.
        settings: how machines are reached.
        secrets: gives name → value; none of them may stand in what is generated.
    """

    def __init__(
        self,
        templates: Sequence[Path],
        settings: Deploy,
        style: Style,
        secrets: Callable[[], Mapping[str, str]],
    ) -> None:
        self._settings = settings
        self._style = style
        self._secrets = secrets
        self._jinja = Environment(
            loader=FileSystemLoader(templates),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
        )

    def generate(
        self,
        baselines: Sequence[Baseline],
        desired: Sequence[Desired],
        waves: Sequence[Wave],
        inventory: Inventory,
        change: str,
    ) -> dict[str, str]:
        """All files, by path below the workspace.

        Args:
            desired: what every device in question is to have, whether it has it or not.
            change: the plan's id, under which machines keep what was there before.

        Raises:
            NotPermitted: a secret stands in one of them.
        """
        groups = _groups(desired, inventory)
        files = {
            f"{FOLDER}/ansible.cfg": self._text("ansible.cfg.j2", deploy=self._settings),
            f"{FOLDER}/collections/requirements.yml": _requirements(desired, inventory),
        }
        for baseline in sorted(baselines, key=lambda b: b.name):
            mine = [d for d in desired if d.baseline == baseline.name]
            if mine:
                files |= self._role(baseline, mine)
        for name, item in groups.items():
            files[f"{FOLDER}/inventory/group_vars/{name}.yml"] = _content(item)
        for wave in waves:
            path = f"{FOLDER}/inventory/wave-{wave.number:02d}.yml"
            files[path] = self._wave(wave, groups, desired, inventory, change)
        names = sorted({d.baseline for d in desired})
        families = _families(desired)
        if set(families) - {LINUX.name}:
            files |= self._network_role(desired, names)
        for part in ("rollout.yml", "rollout.rollback.yml"):
            files[f"{FOLDER}/{part}"] = self._text(
                f"{part}.j2",
                header=HEADER.format(source="baselines/"),
                style=self._style.value,
                baselines=[{"name": n, "id": identifier(n)} for n in names],
                families=families,
                deploy=self._settings,
            )
        self._check_leaks(files)
        return dict(sorted(files.items()))

    def _check_leaks(self, files: Mapping[str, str]) -> None:
        secrets = self._secrets()
        for path, text in files.items():
            if leak := find_leak(text, secrets):
                raise NotPermitted(
                    f"{path} would have the secret {leak} in it; nothing was written",
                    hint='refer to it in the template: {{ secret("env:NAME") }}',
                )

    def _text(self, name: str, /, **values: Any) -> str:
        return self._jinja.get_template(f"playbook/{name}").render(values)

    def _role(self, baseline: Baseline, desired: Sequence[Desired]) -> dict[str, str]:
        """The playbooks and the role of one baseline."""
        id_ = identifier(baseline.name)
        families = _families(desired)
        values = {
            "header": HEADER.format(source=f"baselines/{baseline.name}.yaml"),
            "baseline": baseline,
            "id": id_,
            "families": families,
            "style": self._style.value,
            "deploy": self._settings,
            "config": f"fleet_{id_}_config",
        }
        role = f"{FOLDER}/roles/fleet_{id_}"
        files = {
            f"{FOLDER}/{baseline.name}.yml": self._text("play.yml.j2", **values),
            f"{FOLDER}/{baseline.name}.rollback.yml": self._text("rollback.yml.j2", **values),
            f"{role}/tasks/main.yml": self._text("main.yml.j2", **values),
            f"{role}/meta/main.yml": self._text("meta.yml.j2", **values),
        }
        for family in families:
            is_linux = family == LINUX.name
            template = f"linux.{self._style}.yml.j2" if is_linux else f"{family}.yml.j2"
            mine = [d for d in desired if d.family == family]
            extra = {
                "has_secret": any(d.has_secret for d in mine),
                "restarts": sorted({s for d in mine for s in d.restart}),
                "commands": list(dict.fromkeys(c for d in mine for c in d.run)),
            }
            files[f"{role}/tasks/{family}.yml"] = self._text(template, **values, **extra)
            if (
                is_linux
                and self._style is Style.BUILTIN
                and (extra["restarts"] or extra["commands"])
            ):
                files[f"{role}/handlers/main.yml"] = self._text(
                    "handlers.yml.j2", **values, **extra
                )
        return files

    def _network_role(self, desired: Sequence[Desired], names: Sequence[str]) -> dict[str, str]:
        """The role that brings all baselines to a network device in one go."""
        role = f"{FOLDER}/roles/fleet_rollout"
        values = {
            "header": HEADER.format(source="baselines/"),
            "baseline": {"name": "all baselines", "description": "All baselines at once"},
            "id": "rollout",
        }
        parts = [f"fleet_{identifier(n)}_config | default('')" for n in names]
        files = {
            f"{role}/meta/main.yml": self._text("meta.yml.j2", **values),
            f"{role}/tasks/main.yml": self._text("main.yml.j2", **values),
        }
        # A variable, not a file: Ansible does not evaluate what a module reads from a file itself.
        values["config"] = " ~\n      ".join(parts)
        for family in _families(desired):
            if family != LINUX.name:
                secret = any(d.has_secret for d in desired if d.family == family)
                files[f"{role}/tasks/{family}.yml"] = self._text(
                    f"{family}.yml.j2", **values, has_secret=secret
                )
        return files

    def _wave(
        self,
        wave: Wave,
        groups: Mapping[str, Desired],
        desired: Sequence[Desired],
        inventory: Inventory,
        change: str,
    ) -> str:
        driven = frozenset(_families(desired))
        by_content = {(d.baseline, d.family, d.content()): name for name, d in groups.items()}
        mine = frozenset(wave.devices)
        children: dict[str, Record] = {}
        for item in desired:
            if item.device in mine and item.family in driven:
                name = by_content[item.baseline, item.family, item.content()]
                children.setdefault(name, {"hosts": {}})["hosts"][item.device] = None
        for device in wave.devices:
            thing = inventory.devices[device]
            platform = PLATFORMS[thing.platform or ""]
            if platform.connection is None:
                continue
            group = children.setdefault(
                f"platform_{platform.name}", {"hosts": {}, "vars": self._connection(platform)}
            )
            site = inventory.sites[thing.site]
            group["hosts"][device] = {
                "ansible_host": thing.address,
                "fleet_member": site.member,
                "fleet_site": site.slug,
            }
        tree = {
            "all": {"vars": {"fleet_change": change}, "children": dict(sorted(children.items()))}
        }
        return HEADER.format(source="the inventory") + "---\n" + to_yaml(tree)

    def _connection(self, platform: Platform) -> Record:
        values: Record = {
            "ansible_connection": platform.connection,
            "ansible_user": self._settings.user,
            "fleet_platform": platform.name,
        }
        if platform is LINUX:
            values |= {
                "ansible_become": self._settings.become,
                "ansible_port": self._settings.ssh_port,
                "fleet_root": self._settings.root,
            }
        else:
            values |= {"ansible_network_os": platform.network_os, **(platform.variables or {})}
            values["ansible_port"] = self._settings.network_port
            values["ansible_user"] = self._settings.network_user or self._settings.user
            if self._settings.password is not None:
                lookup = lookup_of(self._settings.password.reference)
                values["ansible_password"] = f"{{{{ {lookup} }}}}"
        return values


def _families(desired: Iterable[Desired]) -> list[str]:
    """The families that Ansible drives."""
    driven = {p.name for p in PLATFORMS.values() if p.connection is not None}
    return sorted({d.family for d in desired} & driven)


def _groups(desired: Sequence[Desired], inventory: Inventory) -> dict[str, Desired]:
    """By the name of an inventory group, what all its devices are to have.

    Named after the overrides that made it; where those do not decide alone, after a site that
    has it, and where a site has several, after a device.
    """
    contents: dict[tuple[str, str, str], dict[object, Desired]] = {}
    at_site: dict[tuple[str, str, str], set[object]] = {}
    for item in sorted(desired, key=lambda d: d.device):
        key = (item.baseline, item.family, item.label)
        contents.setdefault(key, {}).setdefault(item.content(), item)
        site = inventory.devices[item.device].site
        at_site.setdefault((item.baseline, item.family, site), set()).add(item.content())
    groups = {}
    for (baseline, family, label), items in sorted(contents.items()):
        for item in items.values():
            site = inventory.devices[item.device].site
            if len(items) == 1:
                variant = label
            elif len(at_site[baseline, family, site]) == 1:
                variant = f"at-{site}"
            else:
                variant = f"on-{item.device}"
            name = re.sub(r"\W", "_", "_".join((baseline, family, variant)))
            groups[name] = item
    return groups


def _content(item: Desired) -> str:
    """The variables of one group: what its devices are to have."""
    id_ = identifier(item.baseline)
    if item.family != LINUX.name:
        values: Record = {f"fleet_{id_}_config": for_ansible(item.text)}
    else:
        files = [
            {
                "path": file.path,
                "owner": file.owner,
                "group": file.group,
                "mode": file.mode.zfill(4),
                **({"validate": file.validate} if file.validate else {}),
                **({"content": for_ansible(file.content)} if file.content is not None else {}),
            }
            for file in item.files
        ]
        part = {"name": item.baseline, "secret": item.has_secret, "files": files}
        values = {
            f"fleet_{id_}_part": part | {"run": list(item.run), "restart": list(item.restart)}
        }
    source = f"baselines/{item.baseline}.yaml"
    return HEADER.format(source=source) + "---\n" + to_yaml(values)


def for_ansible(text: str) -> str:
    """A text with Ansible's look-ups in the place of secrets."""
    return replaced(text, lambda reference: f"{{{{ {lookup_of(reference)} }}}}")


def lookup_of(reference: Reference) -> str:
    """How Ansible looks a secret up on the controller; paths are below the workspace."""
    place = f"playbook_dir ~ '/../{reference.place}'"
    match reference.kind:
        case "env":
            return f"lookup('ansible.builtin.env', '{reference.place}', default=undef())"
        case "file":
            return f"lookup('ansible.builtin.file', {place}) | trim"
        case "vault":
            opened = f"lookup('ansible.builtin.unvault', {place})"
            return f"({opened} | string | from_yaml)['{reference.key}']"
        case _:
            extract = f"extract='[\"{reference.key}\"]'"
            return f"lookup('community.sops.sops', {place}, {extract})"


def _requirements(desired: Iterable[Desired], inventory: Inventory) -> str:
    wanted: dict[str, str] = {}
    needs_sops = False
    for item in desired:
        device: Device = inventory.devices[item.device]
        wanted |= PLATFORMS[device.platform or ""].collections or {}
        needs_sops = needs_sops or any("\ue000sops:" in text for text in item.texts())
    if needs_sops:
        wanted["community.sops"] = "2.2.7"
    collections = [{"name": n, "version": f"=={v}"} for n, v in sorted(wanted.items())]
    return HEADER.format(source="the inventory") + "---\n" + to_yaml({"collections": collections})


def to_yaml(value: Any) -> str:
    """YAML as ansible-lint wants it: texts of several lines as they are, lists indented."""
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=100_000,
    )
    return text


class _Dumper(yaml.SafeDumper):
    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text_node(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = (
        "|" if "\n" in value and not any(line.endswith(" ") for line in value.split("\n")) else None
    )
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


_Dumper.add_representer(str, _text_node)
