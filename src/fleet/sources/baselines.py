"""The common configuration: a folder of baselines, read and checked wholly."""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError

from fleet.core.baseline import SELECTORS, Baseline, ChangeClass, Override
from fleet.core.inventory import Inventory, SiteKind
from fleet.errors import NotFound
from fleet.sources.files import closest, explain
from fleet.sources.problem import Problem, refuse
from fleet.sources.schema import Entry, Slug, Text
from fleet.sources.yaml12 import Mapping, read_yaml


class _OverrideEntry(Entry):
    member: Text | None = None
    site_kind: SiteKind | None = None
    site: Text | None = None
    role: Text | None = None
    device: Text | None = None
    variables: Annotated[dict[str, Any], Field(min_length=1)]

    def value(self) -> Override:
        selectors = {
            name: str(value) for name in SELECTORS if (value := getattr(self, name)) is not None
        }
        if not selectors:
            raise ValueError(f"an override needs at least one of {', '.join(SELECTORS)}")
        return Override(selectors=selectors, variables=_plain(self.variables))


class _BaselineEntry(Entry):
    baseline: Slug
    description: Text
    risk: Text | None = None
    by_name: bool = False
    class_: Annotated[ChangeClass, Field(alias="class")] = ChangeClass.NORMAL
    variables: dict[str, Any] = {}
    overrides: list[_OverrideEntry] = []

    def value(self) -> Baseline:
        return Baseline(
            name=self.baseline,
            description=self.description,
            risk=self.risk or "",
            by_name=self.by_name,
            change_class=self.class_,
            variables=_plain(self.variables),
            overrides=tuple(o.value() for o in self.overrides),
        )


def _plain(value: Any) -> Any:
    """Variables as plain Python values, without the lines and written forms of the reader."""
    match value:
        case dict():
            return {str(k): _plain(v) for k, v in value.items()}
        case list():
            return [_plain(v) for v in value]
        case bool() | None | str():
            return value
        case int():
            return int(value)
        case _:
            return float(value)


def read_baselines(folder: Path, root: Path, inventory: Inventory) -> dict[str, Baseline]:
    """The baselines of a workspace by name.

    Raises:
        Malformed: with every problem of every file.
    """
    found: dict[str, Baseline] = {}
    problems: list[Problem] = []
    for path in sorted(p for p in folder.glob("*") if p.suffix.lower() in (".yaml", ".yml")):
        name = str(path.relative_to(root))
        if path.suffix != ".yaml":
            problems.append(Problem(name, None, "is not read", f"call it {path.stem}.yaml"))
            continue
        value, wrong = read_yaml(path, name)
        problems += wrong
        if not isinstance(value, Mapping):
            if not wrong:
                problems.append(Problem(name, 1, "must have the form `baseline: NAME` and so on"))
            continue
        baseline, wrong = _read(name, value)
        problems += wrong
        if baseline is None:
            continue
        if baseline.name != path.stem:
            line = value.lines["baseline"]
            hint = f"call the file {baseline.name}.yaml, or the baseline {path.stem}"
            problems.append(Problem(name, line, "file and baseline have different names", hint))
        problems += _unknown(name, value, baseline, inventory)
        found[baseline.name] = baseline
    refuse(problems, "the baselines")
    return found


def _read(name: str, value: Mapping) -> tuple[Baseline | None, list[Problem]]:
    label = value.get("baseline")
    try:
        return _BaselineEntry.model_validate(dict(value)).value(), []
    except ValidationError as error:
        return None, list(explain(name, value, label, _BaselineEntry, error))
    except ValueError as error:
        return None, [Problem(name, value.lines.get("overrides", value.line), str(error))]


def _unknown(name: str, value: Mapping, baseline: Baseline, inventory: Inventory) -> list[Problem]:
    known = {
        "member": set(inventory.members),
        "site": set(inventory.sites),
        "device": set(inventory.devices),
    }
    problems = []
    entries = value.get("overrides") or []
    for override, entry in zip(baseline.overrides, entries, strict=True):
        for selector, wanted in override.selectors.items():
            if selector in known and wanted not in known[selector]:
                message = f"unknown {selector} `{wanted}`"
                line = entry.lines.get(selector, entry.line)
                problems.append(Problem(name, line, message, closest(wanted, known[selector])))
    return problems


def choose(
    baselines: dict[str, Baseline], names: list[str], also: Collection[str] = ()
) -> list[Baseline]:
    """The named baselines, or all but those that are only taken by name.

    Args:
        also: taken without their names all the same.

    Raises:
        NotFound: there is none such.
    """
    for name in names:
        if name not in baselines:
            hint = closest(name, baselines) or f"there are: {', '.join(baselines) or 'none'}"
            raise NotFound(f"there is no baseline `{name}`", hint=hint)
    taken = names or [
        name for name, baseline in baselines.items() if not baseline.by_name or name in also
    ]
    return [baselines[name] for name in sorted(set(taken))]
