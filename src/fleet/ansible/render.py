"""Baselines and inventory → what each device is to have.

What a device gets is rendered here, so that a person reviews the very lines that it will have.
A secret is never rendered: a mark stands in its place.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined, TemplateError, UndefinedError
from jinja2.meta import find_referenced_templates, find_undeclared_variables

from fleet.ansible.filters import FILTERS
from fleet.ansible.platforms import LINUX, PLATFORMS
from fleet.core.baseline import Baseline
from fleet.core.desired import Desired, File
from fleet.core.inventory import Device, Inventory
from fleet.core.record import Record, to_record
from fleet.core.secrets import has_mark, mark_of
from fleet.errors import Malformed

_FILE_KEYS = {"dest", "template", "each", "owner", "group", "mode", "validate", "absent"}
_KEYS = {"files", "run", "restart"} | _FILE_KEYS
_PLACES = ("device", "site", "member")


@dataclass(frozen=True, slots=True)
class _Recipe:
    """Where a Linux machine keeps what a baseline renders, and what is done afterwards."""

    files: tuple[Mapping[str, str], ...]
    run: tuple[str, ...]
    restart: tuple[str, ...]


class Renderer:
    """Renders baselines.

    Args:
        templates: folders, the first that has a template wins.
    """

    def __init__(self, templates: Sequence[Path]) -> None:
        self._folders = templates
        self._jinja = Environment(
            loader=FileSystemLoader(templates),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=True,
            autoescape=False,
        )
        self._jinja.globals["secret"] = lambda reference: mark_of(str(reference))
        self._jinja.filters |= FILTERS
        self._has = cache(self._find)
        self._needs = cache(self._find_needs)
        self._recipe = cache(self._read_recipe)
        self._texts: dict[tuple[object, ...], str] = {}

    def render(self, baseline: Baseline, inventory: Inventory, device: Device) -> Desired | None:
        """What a device is to have by a baseline; None if there is no template for its platform.

        Raises:
            Malformed: a template or a variable cannot be used.
        """
        platform = PLATFORMS[device.platform or ""]
        folder = f"device/{baseline.name}"
        is_linux = platform is LINUX
        name = (
            f"{folder}/linux.yaml" if is_linux else f"{folder}/{platform.name}.{platform.suffix}.j2"
        )
        if not self._has(name):
            return None
        site = inventory.sites[device.site]
        found, label = baseline.variables_of(device, site)
        variables = _strict(found)
        places = _Places(inventory, device)
        if not is_linux:
            text = self._text(name, baseline.name, label, variables, places)
            return Desired(
                device=device.name,
                baseline=baseline.name,
                family=platform.name,
                label=label,
                text=text,
            )
        recipe = self._recipe(name)
        files = [
            file
            for entry in recipe.files
            for file in self._files(entry, folder, baseline.name, label, variables, places)
        ]
        return Desired(
            device=device.name,
            baseline=baseline.name,
            family=platform.name,
            label=label,
            files=tuple(files),
            run=recipe.run,
            restart=recipe.restart,
        )

    def _find(self, name: str) -> bool:
        return any((folder / name).is_file() for folder in self._folders)

    def _find_needs(self, name: str) -> frozenset[str]:
        """Which of device, site and member a template speaks of; all, if it takes in others."""
        assert self._jinja.loader
        source, *_ = self._jinja.loader.get_source(self._jinja, name)
        try:
            tree = self._jinja.parse(source)
        except TemplateError as error:
            line = getattr(error, "lineno", None)
            raise Malformed(f"templates/{name}{f':{line}' if line else ''}: {error}") from error
        if any(True for _ in find_referenced_templates(tree)):
            return frozenset(_PLACES)
        return frozenset(find_undeclared_variables(tree)) & set(_PLACES)

    def _files(
        self,
        entry: Mapping[str, str],
        folder: str,
        baseline: str,
        label: str,
        variables: Mapping[str, Any],
        places: "_Places",
    ) -> Iterator[File]:
        """The files of one entry: one, or one for each item of a variable."""
        template = f"{folder}/{entry.get('template', 'linux.conf.j2')}"
        items = [None]
        if each := entry.get("each"):
            items = variables.get(each) or []
            if not isinstance(items, list):
                raise Malformed(f"baselines/{baseline}.yaml: `{each}` must be a list")
        seen: set[str] = set()
        for number, item in enumerate(items):
            more = {} if each is None else {"item": item}
            path = entry["dest"]
            if "{" in path:
                path = self._string(path, f"{folder}/linux.yaml", {**variables, **more})
                _check_path(path, entry["dest"], baseline)
            if path in seen:
                raise Malformed(f"baselines/{baseline}.yaml: {path} is wanted twice")
            seen.add(path)
            content = None
            if not entry.get("absent"):
                mark = f"{label}#{number}" if each else label
                content = self._text(template, baseline, mark, {**variables, **more}, places)
            yield File(
                path=path,
                content=content,
                owner=entry.get("owner", "root"),
                group=entry.get("group", "root"),
                mode=entry.get("mode", "0644"),
                validate=entry.get("validate"),
            )

    def _text(
        self,
        name: str,
        baseline: str,
        label: str,
        variables: Mapping[str, Any],
        places: "_Places",
    ) -> str:
        """A rendered template; each combination of what it speaks of is rendered once."""
        if not self._has(name):
            raise Malformed(f"templates/{name} is missing", hint="linux.yaml names it")
        needs = self._needs(name)
        key = (name, label, *(places.key(place) for place in sorted(needs)))
        if key not in self._texts:
            if has_mark(repr(variables)):
                raise Malformed(f"baselines/{baseline}.yaml: a variable has a private character")
            values = {**variables, **{place: places.record(place) for place in needs}}
            text = self._string(
                None, name, values, f"for {places.device.name}, baseline {baseline}"
            )
            self._texts[key] = _guarded(text, name)
        return self._texts[key]

    def _string(
        self, source: str | None, name: str, values: Mapping[str, Any], who: str = ""
    ) -> str:
        about = f" ({who})" if who else ""
        try:
            template = (
                self._jinja.get_template(name)
                if source is None
                else self._jinja.from_string(source)
            )
            return template.render(values)
        except UndefinedError as error:
            raise Malformed(
                f"templates/{name}: {error.message}{about}",
                hint="add the variable to the baseline, or mend the template",
            ) from error
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise Malformed(
                f"templates/{name}: {error}{about}",
                hint="is a variable of the baseline of another type than the template expects?",
            ) from error
        except TemplateError as error:
            line = getattr(error, "lineno", None)
            raise Malformed(f"templates/{name}{f':{line}' if line else ''}: {error}") from error

    def _read_recipe(self, name: str) -> _Recipe:
        path = next(f / name for f in self._folders if (f / name).is_file())
        try:
            # Every scalar as text: a mode without quotes keeps its zero.
            found = yaml.load(path.read_text(encoding="utf-8"), Loader=yaml.BaseLoader)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise Malformed(f"templates/{name} is not YAML: {error}") from error
        if not isinstance(found, dict) or not found.keys() <= _KEYS:
            raise Malformed(f"templates/{name}: unknown keys", hint=f"it may have {_listed(_KEYS)}")
        entries = found.get("files") or [{k: v for k, v in found.items() if k in _FILE_KEYS}]
        for entry in entries:
            if not isinstance(entry, dict) or not entry.keys() <= _FILE_KEYS or "dest" not in entry:
                hint = f"a file has `dest`, and may have {_listed(_FILE_KEYS - {'dest'})}"
                raise Malformed(f"templates/{name}: a file is not said as it must be", hint=hint)
            if not entry["dest"].startswith("/") or ".." in entry["dest"]:
                raise Malformed(f"templates/{name}: `{entry['dest']}` is not an absolute path")
            if not re.fullmatch("0?[0-7]{3,4}", entry.get("mode", "0644")):
                raise Malformed(f"templates/{name}: `{entry['mode']}` is not an octal mode")
        return _Recipe(tuple(entries), _texts_of(found.get("run")), _texts_of(found.get("restart")))


@dataclass(frozen=True, slots=True)
class _Places:
    """A device, its site and its member, as templates see them."""

    inventory: Inventory
    device: Device

    def thing(self, place: str) -> Any:
        site = self.inventory.sites[self.device.site]
        things = {
            "device": self.device,
            "site": site,
            "member": self.inventory.members[site.member],
        }
        return things[place]

    def key(self, place: str) -> str:
        return str(self.thing(place).key)

    def record(self, place: str) -> Record:
        return to_record(self.thing(place))


class _Text(str):
    """A text that is none by mistake: it is not taken apart into letters, nor for yes or no."""

    __slots__ = ()

    def __iter__(self) -> Iterator[str]:
        raise TypeError(f"`{self}` is a text, where a list is meant")

    def __getitem__(self, index: Any) -> str:
        if isinstance(index, int):
            raise TypeError(f"`{self}` is a text, where a list is meant")
        return super().__getitem__(index)

    def __bool__(self) -> bool:
        if self.lower() in ("yes", "no", "on", "off", "true", "false"):
            raise TypeError(f"`{self}` is a text; write true or false, without quotes")
        return len(self) > 0


def _strict(value: Any) -> Any:
    """Variables, with texts that templates cannot take for something else."""
    match value:
        case str():
            return _Text(value)
        case list():
            return [_strict(v) for v in value]
        case dict():
            return {k: _strict(v) for k, v in value.items()}
        case _:
            return value


def _check_path(path: str, dest: str, baseline: str) -> None:
    """A variable may name a file in a folder, and nothing else."""
    fixed, _, _ = dest.partition("{")
    name = path[len(fixed) :]
    if not path.startswith(fixed) or not re.fullmatch(r"[\w@+-][\w.@+-]*", name, re.ASCII):
        raise Malformed(
            f"baselines/{baseline}.yaml: `{path}` cannot be a file",
            hint="in such names are only letters, digits, dots, _ @ + and -",
        )


def _texts_of(value: Any) -> tuple[str, ...]:
    if not value:
        return ()
    return tuple(value) if isinstance(value, list) else (str(value),)


def _listed(names: set[str]) -> str:
    return ", ".join(sorted(names))


def _guarded(text: str, template: str) -> str:
    """Nothing may be left that Ansible would evaluate."""
    for marker in ("{{", "{%", "{#", "#jinja2:", "{\ue000", "\ue001}"):
        if marker in text:
            shown = marker.replace("\ue000", "secret").replace("\ue001", "secret")
            raise Malformed(
                f"templates/{template}: the result has `{shown}` in it",
                hint="Ansible would evaluate it; take it out of the baseline's variables",
            )
    return text if text.endswith("\n") or not text else text + "\n"
