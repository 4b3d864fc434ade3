"""fleet.toml and FLEET_… from the environment → one frozen Settings.

No secret is ever in a setting: a setting names where a secret is, and `read_secret` fetches it
when it is first needed. Plain pydantic, since importing pydantic-settings costs as much as the
whole of `fleet find` (docs/decisions/0003-settings.md).
"""

import difflib
import json
import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from fleet.core.authority import DEFAULT, FLEET, MANUAL, NEWEST, RULES, Authority
from fleet.core.claims import PRESENCE
from fleet.core.inventory import KINDS
from fleet.core.record import field_names
from fleet.errors import Invalid, Missing, NoSecret

FILE = "fleet.toml"

Weights = dict[str, Annotated[int, Field(ge=0)]]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SecretRef(_Section):
    """Where a secret is: an environment variable or a file."""

    env: str | None = None
    file: str | None = None

    @model_validator(mode="after")
    def _one(self) -> "SecretRef":
        if (self.env is None) == (self.file is None):
            raise ValueError('write { env = "NAME" } or { file = "PATH" }')
        return self


class Auth(_Section):
    protocol: Literal["MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"]
    key: SecretRef


class Priv(_Section):
    protocol: Literal["DES", "3DES", "AES128", "AES192", "AES256", "AES192C", "AES256C"]
    key: SecretRef


class Credential(_Section):
    """How to ask devices over SNMP."""

    version: Literal["1", "2c", "3"]
    community: SecretRef | None = None
    user: str | None = None
    auth: Auth | None = None
    priv: Priv | None = None

    @model_validator(mode="after")
    def _fits(self) -> "Credential":
        if self.version == "3" and not self.user:
            raise ValueError("version 3 needs `user`")
        if self.version != "3" and self.community is None:
            raise ValueError(f"version {self.version} needs `community`")
        if self.priv and not self.auth:
            raise ValueError("`priv` needs `auth` (RFC 3414: no privacy without authentication)")
        return self


class Cooperation(_Section):
    name: str = "Our cooperation"
    language: Literal["nb", "nn", "en"] = "nb"
    cost_rule: Weights = {"population": 70, "equal": 30}


class StoreSettings(_Section):
    url: Annotated[str, Field(pattern=r"^(sqlite:///.|postgresql://|postgresql\+psycopg://)")] = (
        "sqlite:///.fleet/fleet.db"
    )


class Snmp(_Section):
    credentials: dict[str, Credential] = {}


class Poll(_Section):
    interval_s: Annotated[int, Field(gt=0)] = 60
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    retries: Annotated[int, Field(ge=0, le=10)] = 1
    confirmations: Annotated[int, Field(ge=1, le=100)] = 3
    from_site: str | None = None

    @property
    def interval(self) -> timedelta:
        return timedelta(seconds=self.interval_s)


class Deploy(_Section):
    """How Ansible reaches Linux machines."""

    user: str = "fleet"
    ssh_port: Annotated[int, Field(gt=0, lt=65536)] = 22
    become: bool = True
    forks: Annotated[int, Field(gt=0, le=200)] = 20
    root: str = ""  # a folder on the machines that is taken for /, to try things out


class Report(_Section):
    """What was promised, to be judged by."""

    target_percent: Annotated[float, Field(gt=0, le=100)] = 99.5  # of service hours, per year
    longest_outage_h: Annotated[int, Field(gt=0)] = 8


class Mail(_Section):
    """Where reports are handed in, and whom they are for."""

    server: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(gt=0, lt=65536)] = 25
    tls: Literal["none", "starttls", "tls"] = "none"
    user: str | None = None
    password: SecretRef | None = None
    sender: Annotated[str, Field(pattern=r"^[^\s]+.*@.+$")]
    to: Annotated[list[Annotated[str, Field(pattern=r"^.+@.+$")]], Field(min_length=1)]


SourceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
_OWN_NAMES = frozenset({"files", "snmp", "ours", "inventory", FLEET, NEWEST, MANUAL})


class NetBox(_Section):
    """A NetBox that the inventory is reconciled with.

    `members`: only their things; all if absent. `write`: false only reads. `delete`: what is
    retired is marked there, and removed with --prune 30 days later. `vrfs`: addresses are in a
    VRF of their member; `prefixes`, `vlans`: those of ports and switches are added.
    """

    url: Annotated[str, Field(pattern=r"^https?://[^\s/]+(/[^\s]*)?$")]
    token: SecretRef
    ca: str | None = None  # a file of certificates to trust, PEM
    members: list[str] | None = None
    write: bool = True
    delete: bool = False
    vrfs: bool = False
    prefixes: bool = False
    vlans: bool = False
    timeout_s: Annotated[float, Field(gt=0, le=600)] = 60.0


Rules = dict[str, str]


class AuthoritySettings(_Section):
    """Who decides where sources differ."""

    default: str = MANUAL
    member: Rules = {}
    contract: Rules = {}
    site: Rules = {}
    device: Rules = {}
    interface: Rules = {}
    link: Rules = {}
    service: Rules = {}
    members: dict[str, dict[str, Rules]] = {}

    @model_validator(mode="after")
    def _known(self) -> "AuthoritySettings":
        for table in (self.kinds(), *self.members.values()):
            for kind, rules in table.items():
                if kind not in KINDS:
                    raise ValueError(f"there is no kind `{kind}`: {', '.join(KINDS)}")
                known = {DEFAULT, PRESENCE, *(name for _, name in field_names(KINDS[kind]))}
                if unknown := sorted(rules.keys() - known):
                    raise ValueError(f"a {kind} has no field `{unknown[0]}`")
        return self

    def kinds(self) -> dict[str, Rules]:
        return {kind: rules for kind in KINDS if (rules := getattr(self, kind))}

    def value(self) -> Authority:
        return Authority(default=self.default, kinds=self.kinds(), members=self.members)

    def rules(self) -> set[str]:
        tables = (self.kinds(), *self.members.values())
        return {self.default, *(r for t in tables for rules in t.values() for r in rules.values())}


class Settings(_Section):
    cooperation: Cooperation = Cooperation()
    store: StoreSettings = StoreSettings()
    snmp: Snmp = Snmp()
    poll: Poll = Poll()
    deploy: Deploy = Deploy()
    report: Report = Report()
    mail: Mail | None = None
    sources: dict[SourceName, NetBox] = {}
    authority: AuthoritySettings = AuthoritySettings()

    @model_validator(mode="after")
    def _sources_fit(self) -> "Settings":
        if taken := sorted(_OWN_NAMES & self.sources.keys()):
            raise ValueError(f"a source cannot be called `{taken[0]}`")
        known = {*RULES, *self.sources}
        if unknown := sorted(self.authority.rules() - known):
            raise ValueError(f"there is no rule `{unknown[0]}`: {', '.join(sorted(known))}")
        return self


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
    return f"{where}: `{name}`: {error['msg'].removeprefix('Value error, ')}"


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
