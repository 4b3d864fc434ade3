"""Finding the workspace, reading its settings, and saying what is wrong in them."""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from fleet.errors import Invalid, Missing, NoSecret
from fleet.settings.section import SecretRef
from fleet.settings.sections import Credential, Settings, Snmp

FILE = "fleet.toml"


@dataclass(frozen=True, slots=True)
class Workspace:
    """The folder that the operators share, and its settings."""

    root: Path
    settings: Settings

    @property
    def inventory(self) -> Path:
        return self.root / "inventory"

    @property
    def state(self) -> Path:
        """The folder for what fleet keeps itself, ignored by git."""
        return self.root / ".fleet"

    def relative(self, path: Path) -> str:
        """A path as messages show it."""
        return str(path.relative_to(self.root)) if path.is_relative_to(self.root) else str(path)

    def store_url(self) -> str:
        """The database's URL, a relative SQLite path made absolute."""
        url = self.settings.store.url
        prefix = "sqlite:///"
        if not url.startswith(prefix):
            return url
        return prefix + str((self.root / url.removeprefix(prefix)).absolute())

    def read_secret(self, ref: SecretRef, purpose: str) -> str:
        """The secret that a setting names.

        Raises:
            NoSecret: it is not there or empty.
        """
        if ref.env is not None:
            if value := os.environ.get(ref.env, "").strip():
                return value
            raise NoSecret(
                f"{purpose}: the environment variable {ref.env} is not set or empty",
                hint=f"export {ref.env}=…",
            )
        path = self.root / (ref.file or "")
        try:
            if value := path.read_text(encoding="utf-8").strip():
                return value
        except (OSError, UnicodeDecodeError) as error:
            raise NoSecret(f"{purpose}: cannot read {ref.file}: {error}") from error
        raise NoSecret(f"{purpose}: the file {ref.file} is empty")


def find_workspace(named: Path | None = None) -> Path:
    """The named folder, or the nearest one from here upwards that has a fleet.toml.

    Raises:
        Missing: there is none.
    """
    named = named or (Path(env) if (env := os.environ.get("FLEET_WORKSPACE")) else None)
    if named is not None:
        if (named / FILE).is_file():
            return named.absolute()
        raise Missing(f"{named} has no {FILE}", hint=f"fleet init {named}")
    here = Path.cwd()
    for folder in (here, *here.parents):
        if (folder / FILE).is_file():
            return folder
    raise Missing(
        f"no {FILE} here or in a folder above",
        hint="make a workspace with `fleet init DIR`, or name one with --workspace DIR",
    )


def read_settings(root: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """The settings of a workspace.

    Raises:
        Invalid: a key that fleet does not know, or a value that it cannot use.
    """
    environment = os.environ if environment is None else environment
    try:
        text = (root / FILE).read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read {FILE}: {error}") from error
    except tomllib.TOMLDecodeError as error:
        raise Invalid(f"{FILE}: {error}", hint="see toml.io for the syntax") from error
    overrides = dict(_overrides(environment))
    for path, value in overrides.items():
        _put(values, path, value)
    try:
        return Settings.model_validate(values)
    except ValidationError as error:
        problems = [_explain(e, text, overrides) for e in error.errors()]
        raise Invalid("\n".join(problems), hint=_suggestion(error)) from error


Path_ = tuple[str, ...]


def _overrides(environment: Mapping[str, str]) -> Iterator[tuple[Path_, Any]]:
    for name, value in sorted(environment.items()):
        if name.startswith("FLEET_") and "__" in name:
            path = tuple(name.removeprefix("FLEET_").lower().split("__"))
            try:
                yield path, json.loads(value) if value[:1] in ("{", "[") else value
            except ValueError as error:
                raise Invalid(f"environment {name}: not JSON: {error}") from error


def _put(values: dict[str, Any], path: Path_, value: Any) -> None:
    for part in path[:-1]:
        inner = values.setdefault(part, {})
        if not isinstance(inner, dict):
            raise Invalid(f"environment {_env_name(path)}: `{part}` is not a table")
        values = inner
    values[path[-1]] = value


def _env_name(path: Path_) -> str:
    return "FLEET_" + "__".join(path).upper()


def _explain(error: Any, text: str, overrides: Mapping[Path_, Any]) -> str:
    path = tuple(str(part) for part in error["loc"])
    overridden = [p for p in overrides if path[: len(p)] == p or p[: len(path)] == path]
    if overridden:
        where = f"environment {_env_name(overridden[0])}"
    else:
        line = _line_of(text, path)
        where = f"{FILE}:{line}" if line else FILE
    name = ".".join(path)
    if error["type"] == "extra_forbidden":
        return f"{where}: unknown setting `{name}`"
    said = error["msg"].removeprefix("Value error, ")
    return f"{where}: `{name}`: {said}" if name else f"{where}: {said}"


def _line_of(text: str, path: Path_) -> int | None:
    """The line of a key, or of the nearest table around it; tomllib tells neither."""
    table: Path_ = ()
    found: tuple[int, int] | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        if match := re.match(r"\s*\[+([^\]]+)\]", line):
            table = here = tuple(part.strip(" \"'") for part in match[1].split("."))
        elif match := re.match(r"\s*([\w.\-\"']+)\s*=", line):
            here = (*table, *(part.strip("\"'") for part in match[1].split(".")))
        else:
            continue
        if path[: len(here)] == here and (found is None or len(here) > found[0]):
            found = len(here), number
    return found[1] if found else None


def _suggestion(error: ValidationError) -> str | None:
    for problem in error.errors():
        if problem["type"] == "extra_forbidden":
            *parents, name = problem["loc"]
            known = _known_keys(parents)
            close = difflib.get_close_matches(str(name), known, n=1)
            if close:
                return f"did you mean `{close[0]}`?"
            return f"known here: {', '.join(known)}"
    return None


def _known_keys(parents: list[int | str]) -> list[str]:
    model: Any = Settings
    for part in parents:
        field = getattr(model, "model_fields", {}).get(part)
        if field is None:
            model = Credential if model is Snmp or "credentials" in parents else None
            break
        model = field.annotation
    return list(getattr(model, "model_fields", {}))


def open_workspace(named: Path | None = None) -> Workspace:
    """The workspace and its settings.

    Raises:
        SettingsError: there is none, or its settings cannot be used.
    """
    root = find_workspace(named)
    return Workspace(root, read_settings(root))
