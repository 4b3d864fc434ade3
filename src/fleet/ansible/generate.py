"""Baselines and inventory → playbooks: the same input gives the same bytes.

What a device gets is rendered here, one file for all devices that get the same, and the
generated role writes it. So a person reviews the very lines that a device will have. A secret
is never rendered: its place is taken by a look-up that Ansible does when it runs.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, UndefinedError

from fleet.ansible.folder import FOLDER, HEADER, find_groups, identifier
from fleet.ansible.platforms import LINUX, PLATFORMS, Platform
from fleet.core.baseline import Baseline
from fleet.core.inventory import Device, Inventory
from fleet.core.record import Record, to_record
from fleet.core.rollout import LeftOut, Plan, Wave, digest_of, make_waves
from fleet.errors import Malformed
from fleet.settings import Deploy

_SECRET = re.compile("\ue000([A-Za-z_][A-Za-z0-9_]*)\ue001")


@dataclass(frozen=True, slots=True)
class _Rendered:
    """What one device gets from one baseline."""

    device: str
    platform: Platform
    site: str
    label: str
    text: str


class Generator:
    """Renders baselines.

    Args:
        templates: folders, the first that has a template wins.
        settings: how machines are reached.
    """

    def __init__(self, templates: Sequence[Path], settings: Deploy) -> None:
        self._settings = settings
        self._folders = templates
        self._jinja = Environment(
            loader=FileSystemLoader(templates),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
        )
        self._jinja.globals["secret"] = _secret_mark
        self._jinja.filters["to_yaml"] = _to_yaml
        self._jinja.filters["quoted"] = _quoted

    def make_plan(
        self,
        baselines: Sequence[Baseline],
        inventory: Inventory,
        devices: Iterable[Device],
        existing: Mapping[str, str],
    ) -> Plan:
        """The files, the waves, and how they differ from what is there.

        Args:
            devices: who is meant; those that cannot be driven are left out with a reason.
            existing: generated files that are there now, by path.

        Raises:
            Malformed: a template or a variable cannot be used.
        """
        targets, left_out = self._targets(baselines, sorted(devices, key=lambda d: d.name))
        rendered = {
            baseline.name: [self._render(baseline, inventory, device) for device in targets]
            for baseline in baselines
        }
        names = {
            name: _name_variants([r for r in found if r is not None])
            for name, found in rendered.items()
        }
        left_out += _without_template(targets, rendered)
        driven = {name for variants in names.values() for name in variants}
        platforms = {d.name: _platform(d).name for d in targets if d.name in driven}
        waves = make_waves(inventory, platforms)
        files: dict[str, str] = {}
        users: dict[str, list[str]] = {}
        for baseline in baselines:
            self._add_role(files, users, baseline, rendered[baseline.name], names[baseline.name])
        for wave in waves:
            path = f"{FOLDER}/inventory/wave-{wave.number:02d}.yml"
            files[path] = self._wave(wave, inventory)
        files[f"{FOLDER}/ansible.cfg"] = self._text(
            "playbook/ansible.cfg.j2", deploy=self._settings
        )
        files[f"{FOLDER}/collections/requirements.yml"] = _requirements(targets, driven)
        files = dict(sorted(files.items()))
        return Plan(
            digest=digest_of(files, waves, names),
            baselines=tuple(sorted(names)),
            waves=waves,
            left_out=tuple(sorted(left_out, key=lambda o: (o.device, o.reason))),
            files=files,
            groups=tuple(find_groups(files, existing, users)),
        )

    def _targets(
        self, baselines: Sequence[Baseline], devices: Sequence[Device]
    ) -> tuple[list[Device], list[LeftOut]]:
        targets, left_out = [], []
        for device in devices:
            if not device.is_polled:
                reason = f"its status is {device.status.value}"
            elif device.platform is None:
                reason = "its platform is not known"
            elif device.platform not in PLATFORMS:
                reason = f"Ansible has no collection here for {device.platform}"
            elif device.address is None:
                reason = "it has no address"
            else:
                targets.append(device)
                continue
            left_out.append(LeftOut(device=device.name, reason=reason))
        assert baselines is not None
        return targets, left_out

    def _render(self, baseline: Baseline, inventory: Inventory, device: Device) -> _Rendered | None:
        """What a device gets; None if there is no template for its platform."""
        platform = _platform(device)
        name = f"device/{baseline.name}/{platform.name}.{platform.suffix}.j2"
        if not self._has(name):
            return None
        site = inventory.sites[device.site]
        variables, label = baseline.variables_of(device, site)
        if "\ue000" in repr(variables):
            raise Malformed(f"baselines/{baseline.name}.yaml: a variable has a private character")
        values = {
            **variables,
            "device": to_record(device),
            "site": to_record(site),
            "member": to_record(inventory.members[site.member]),
        }
        text = self._text(name, **{**values, "baseline": baseline.name})
        return _Rendered(device.name, platform, site.slug, label, _guard(text, name))

    def _has(self, name: str) -> bool:
        return any((folder / name).is_file() for folder in self._folders)

    def _text(self, name: str, /, **values: Any) -> str:
        try:
            return self._jinja.get_template(name).render(values)
        except UndefinedError as error:
            who = values.get("device", {}).get("name")
            where = f" (for {who}, baseline {values['baseline']})" if who else ""
            raise Malformed(
                f"templates/{name}: {error.message}{where}",
                hint="add the variable to the baseline, or mend the template",
            ) from error
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise Malformed(
                f"templates/{name}: {error} (baseline {values.get('baseline')})",
                hint="is a variable of the baseline of another type than the template expects?",
            ) from error
        except TemplateError as error:
            line = getattr(error, "lineno", None)
            raise Malformed(f"templates/{name}{f':{line}' if line else ''}: {error}") from error

    def _add_role(
        self,
        files: dict[str, str],
        users: dict[str, list[str]],
        baseline: Baseline,
        rendered: Sequence[_Rendered | None],
        names: Mapping[str, str],
    ) -> None:
        found = [r for r in rendered if r is not None]
        if not found:
            return
        role = f"{FOLDER}/roles/fleet_{identifier(baseline.name)}"
        prefix = f"fleet_{identifier(baseline.name)}"
        header = HEADER.format(source=f"baselines/{baseline.name}.yaml")
        for item in found:
            kind = "vars" if item.platform.name == "fortios" else "templates"
            end = ".yml" if item.platform.name == "fortios" else f".{item.platform.suffix}.j2"
            path = f"{role}/{kind}/{item.platform.name}/{names[item.device]}{end}"
            files[path] = (header if end == ".yml" else "") + item.text
            users.setdefault(path, []).append(item.device)
        variants = {f"{prefix}_variants": {item.device: names[item.device] for item in found}}
        files[f"{role}/vars/main.yml"] = f"{header}---\n{_to_yaml(variants)}"
        common = {
            "header": header,
            "baseline": baseline,
            "role": f"fleet_{identifier(baseline.name)}",
            "prefix": prefix,
        }
        platforms = {item.platform.name: item.platform for item in found}
        has_secret = {
            name: any(_LOOKUP in i.text for i in found if i.platform.name == name)
            for name in platforms
        }
        for name in platforms:
            extra = self._linux_file(baseline) if name == LINUX.name else {}
            specific = f"playbook/{baseline.name}/{name}.yml.j2"
            template = specific if self._has(specific) else f"playbook/{name}.yml.j2"
            files[f"{role}/tasks/{name}.yml"] = self._text(
                template, **common, **extra, has_secret=has_secret[name]
            )
            if extra.get("restart"):
                files[f"{role}/handlers/main.yml"] = self._text(
                    "playbook/handlers.yml.j2", **common, **extra
                )
        files[f"{role}/tasks/main.yml"] = self._text("playbook/main.yml.j2", **common)
        files[f"{FOLDER}/{baseline.name}.yml"] = self._text("playbook/play.yml.j2", **common)

    def _linux_file(self, baseline: Baseline) -> Record:
        """Where a Linux machine keeps what a baseline renders, and what must be restarted."""
        name = f"device/{baseline.name}/linux.yaml"
        path = next((f / name for f in self._folders if (f / name).is_file()), None)
        if path is None:
            raise Malformed(
                f"templates/{name} is missing", hint="it says where linux.conf.j2 belongs"
            )
        allowed = {"dest", "owner", "group", "mode", "restart", "validate"}
        try:
            # Every scalar as text: a mode without quotes keeps its zero.
            found = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise Malformed(f"templates/{name} is not YAML: {error}") from error
        if not isinstance(found, dict) or not {"dest", "mode"} <= found.keys() <= allowed:
            raise Malformed(
                f"templates/{name} must have `dest` and `mode`",
                hint=f"it may have {', '.join(sorted(allowed - {'dest', 'mode'}))}",
            )
        return {"owner": "root", "group": "root", "restart": None, "validate": None, **found}

    def _wave(self, wave: Wave, inventory: Inventory) -> str:
        groups: dict[str, Record] = {}
        for name in wave.devices:
            device = inventory.devices[name]
            site = inventory.sites[device.site]
            platform = _platform(device)
            group = groups.setdefault(
                f"platform_{platform.name}", {"hosts": {}, "vars": self._group_vars(platform)}
            )
            group["hosts"][name] = {
                "ansible_host": device.address,
                "fleet_member": site.member,
                "fleet_site": site.slug,
            }
        inventory_yaml = _to_yaml({"all": {"children": dict(sorted(groups.items()))}})
        return HEADER.format(source="the inventory") + "---\n" + inventory_yaml

    def _group_vars(self, platform: Platform) -> Record:
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
        return values


def _platform(device: Device) -> Platform:
    return PLATFORMS[device.platform or ""]


_LOOKUP = "lookup('ansible.builtin.env', "


def _secret_mark(name: str) -> str:
    return f"\ue000{name}\ue001"


def _guard(text: str, template: str) -> str:
    """Nothing but our own look-ups may be left for Ansible to evaluate."""
    for marker in ("{{", "{%", "{#", "{\ue000", "\ue001}", "#jinja2:"):
        if marker in text:
            shown = marker.replace("\ue000", "secret").replace("\ue001", "secret")
            raise Malformed(
                f"templates/{template}: the result has `{shown}` in it",
                hint="Ansible would evaluate it; take it out of the baseline's variables",
            )
    if not text.endswith("\n"):
        text += "\n"
    return _SECRET.sub(rf"{{{{ {_LOOKUP}'\1', default=undef()) }}}}", text)


def _to_yaml(value: Any) -> str:
    text: str = yaml.dump(
        value,
        Dumper=_Dumper,
        sort_keys=True,
        allow_unicode=True,
        default_flow_style=False,
        width=1000,
    )
    return text


class _Dumper(yaml.SafeDumper):
    """Indents lists below their key, as ansible-lint wants."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)


def _quoted(text: str) -> str:
    """In double quotes, for configuration languages that take backslashes as escapes."""
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _name_variants(rendered: Sequence[_Rendered]) -> dict[str, str]:
    """Per device, the name of the file with its text.

    Named after the overrides that made it; where those do not decide alone, after the site, and
    where that does not either, after the device.
    """
    by_label: dict[tuple[str, str], set[str]] = {}
    by_site: dict[tuple[str, str], set[str]] = {}
    for item in rendered:
        by_label.setdefault((item.platform.name, item.label), set()).add(item.text)
        by_site.setdefault((item.platform.name, item.site), set()).add(item.text)

    def name(item: _Rendered) -> str:
        if len(by_label[item.platform.name, item.label]) == 1:
            return item.label
        is_same = len(by_site[item.platform.name, item.site]) == 1
        return f"at-{item.site}" if is_same else f"on-{item.device}"

    return {item.device: name(item) for item in rendered}


def _without_template(
    targets: Sequence[Device], rendered: Mapping[str, Sequence[_Rendered | None]]
) -> list[LeftOut]:
    return [
        LeftOut(
            device=device.name,
            reason=f"the baseline {name} has no template for {_platform(device).name}",
        )
        for name, found in rendered.items()
        for device, item in zip(targets, found, strict=True)
        if item is None
    ]


def _requirements(targets: Iterable[Device], driven: set[str]) -> str:
    wanted: dict[str, str] = {}
    for device in targets:
        if device.name in driven:
            wanted |= _platform(device).collections or {}
    collections = [{"name": n, "version": f"=={v}"} for n, v in sorted(wanted.items())]
    return HEADER.format(source="the inventory") + "---\n" + _to_yaml({"collections": collections})
