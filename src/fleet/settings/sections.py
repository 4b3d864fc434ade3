"""The sections of fleet.toml, as frozen values."""

from datetime import timedelta
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from fleet.core.authority import DEFAULT, FLEET, MANUAL, NEWEST, RULES, Authority
from fleet.core.claims import PRESENCE
from fleet.core.cost import Key
from fleet.core.inventory import KINDS
from fleet.core.limit import Limit, Limits, Watched
from fleet.core.record import field_names
from fleet.settings.deploy import Approval, Deploy
from fleet.settings.section import SecretRef, Section


def _key(weights: dict[str, int]) -> dict[str, int]:
    Key({name: Fraction(weight) for name, weight in weights.items()})
    return weights


Weights = Annotated[dict[str, Annotated[int, Field(ge=0)]], AfterValidator(_key)]


class Auth(Section):
    protocol: Literal["MD5", "SHA1", "SHA224", "SHA256", "SHA384", "SHA512"]
    key: SecretRef


class Priv(Section):
    protocol: Literal["DES", "3DES", "AES128", "AES192", "AES256", "AES192C", "AES256C"]
    key: SecretRef


class Credential(Section):
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


class Cooperation(Section):
    name: str = "Our cooperation"
    language: Literal["nb", "nn", "en"] = "nb"
    cost_rule: Weights = {"population": 70, "equal": 30}


class StoreSettings(Section):
    url: Annotated[str, Field(pattern=r"^(sqlite:///.|postgresql://|postgresql\+psycopg://)")] = (
        "sqlite:///.fleet/fleet.db"
    )


class Snmp(Section):
    credentials: dict[str, Credential] = {}


class Poll(Section):
    interval_s: Annotated[int, Field(gt=0)] = 60
    timeout_s: Annotated[float, Field(gt=0, le=60)] = 1.0
    retries: Annotated[int, Field(ge=0, le=10)] = 1
    confirmations: Annotated[int, Field(ge=1, le=100)] = 3
    from_site: str | None = None

    @property
    def interval(self) -> timedelta:
        return timedelta(seconds=self.interval_s)


class Report(Section):
    """What was promised, to be judged by."""

    target_percent: Annotated[float, Field(gt=0, le=100)] = 99.5  # of service hours, per year
    longest_outage_h: Annotated[int, Field(gt=0)] = 8
    kwh_price: Annotated[float, Field(ge=0)] = 1.25  # NOK, of electricity with its network tariff
    battery_years: Annotated[float, Field(gt=0)] = 4.0  # the life of a UPS's batteries


class Mail(Section):
    """Where reports are handed in, and whom they are for."""

    server: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(gt=0, lt=65536)] = 25
    tls: Literal["none", "starttls", "tls"] = "none"
    user: str | None = None
    password: SecretRef | None = None
    sender: Annotated[str, Field(pattern=r"^[^\s]+.*@.+$")]
    to: Annotated[list[Annotated[str, Field(pattern=r"^.+@.+$")]], Field(min_length=1)]


class Alert(Section):
    """A channel through which people are told what fails.

    `members`: only what concerns these; all if absent. `quiet`: outside the hours of the sites
    that are hit nothing is told, unless a service of high criticality is.
    """

    mail: list[Annotated[str, Field(pattern=r"^.+@.+$")]] | None = None
    command: Annotated[list[str], Field(min_length=1)] | None = None
    webhook: SecretRef | None = None  # its address: whoever knows it may write there
    form: Literal["json", "matrix", "teams"] = "json"
    members: list[str] | None = None
    quiet: bool = True

    @model_validator(mode="after")
    def _one(self) -> "Alert":
        if sum(way is not None for way in (self.mail, self.command, self.webhook)) != 1:
            raise ValueError("an alert needs one of `mail`, `command` and `webhook`")
        return self


SourceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]*$")]
_OWN_NAMES = frozenset({"files", "snmp", "ours", "inventory", FLEET, NEWEST, MANUAL})


class NetBox(Section):
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


class AuthoritySettings(Section):
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


# RFC 9110, section 5: a token; and no line breaks.
_HeaderName = Annotated[str, Field(pattern=r"^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")]
_HeaderValue = Annotated[str, Field(pattern=r"^[^\r\n\x00]*$")]


class Sink(Section):
    """Another store that measurements are sent to as well.

    `user`, with `secret` as its password; without one, `secret` is a bearer token.
    """

    kind: Literal["victoriametrics", "remote_write"]
    url: Annotated[str, Field(pattern=r"^https?://[^\s/@?#]+(/[^\s?#]*)?$")]
    user: str | None = None
    secret: SecretRef | None = None
    ca: str | None = None  # a file of certificates to trust, PEM
    headers: dict[_HeaderName, _HeaderValue] = {}

    @model_validator(mode="after")
    def _fits(self) -> "Sink":
        if self.user is not None and self.secret is None:
            raise ValueError("`user` needs `secret`, its password")
        return self


class Beyond(Section):
    """A limit: told from `at` on, well again from `back` on; what lies between is neither."""

    at: float
    back: float


def _shape(limit: object) -> object:
    said = ValueError("write it like { at = 90, back = 85 }; or false: nobody is told")
    if limit is False or isinstance(limit, Beyond):
        return limit
    if not isinstance(limit, dict) or limit.keys() != {"at", "back"}:
        raise said
    try:  # the environment says numbers as text
        return Beyond(at=float(limit["at"]), back=float(limit["back"]))
    except (TypeError, ValueError):
        raise said from None


def _part(limit: Beyond | Literal[False]) -> Beyond | Literal[False]:
    if limit and not (0 <= limit.at <= 100 and 0 <= limit.back <= 100):
        raise ValueError("`at` and `back` are per cent, from 0 to 100")
    return limit


def _high(limit: Beyond | Literal[False]) -> Beyond | Literal[False]:
    if limit and limit.back >= limit.at:
        raise ValueError("`back` lies below `at`: what is high is told, until it is lower")
    return limit


def _low(limit: Beyond | Literal[False]) -> Beyond | Literal[False]:
    if limit and limit.back <= limit.at:
        raise ValueError("`back` lies above `at`: what is low is told, until it is higher")
    return limit


_Limit = Annotated[Beyond | Literal[False], BeforeValidator(_shape)]
_Highest = Annotated[_Limit, AfterValidator(_high)]
_Fullest = Annotated[_Highest, AfterValidator(_part)]
_Lowest = Annotated[_Limit, AfterValidator(_low), AfterValidator(_part)]


class LimitSettings(Section):
    """Limits of what is measured; false: nobody is told."""

    storage: _Fullest = Beyond(at=90, back=85)  # percent used
    toner: _Lowest = Beyond(at=10, back=20)  # percent left
    battery: _Lowest = Beyond(at=50, back=90)  # percent charged
    temperature: _Highest = Beyond(at=35, back=32)  # °C in a room

    def values(self) -> Limits:
        return {
            watched: Limit(limit.at, limit.back)
            for watched in Watched
            if (limit := getattr(self, watched.value))
        }


class Metrics(Section):
    """What is measured, and how long it is kept: as it was, by the hour, by the day."""

    measure: bool = True
    keep_samples_days: Annotated[int, Field(ge=2, le=36_500)] = 35
    keep_hours_days: Annotated[int, Field(ge=2, le=36_500)] = 732
    keep_days_days: Annotated[int, Field(ge=32, le=36_500)] = 3660
    sinks: dict[SourceName, Sink] = {}


class Privacy(Section):
    """How long names of people are kept; `fleet privacy delete` takes older ones out."""

    keep_days: Annotated[int, Field(gt=0, le=36_500)] = 1095


class Settings(Section):
    cooperation: Cooperation = Cooperation()
    store: StoreSettings = StoreSettings()
    snmp: Snmp = Snmp()
    poll: Poll = Poll()
    deploy: Deploy = Deploy()
    approval: Approval = Approval()
    report: Report = Report()
    mail: Mail | None = None
    alerts: dict[SourceName, Alert] = {}
    metrics: Metrics = Metrics()
    limits: LimitSettings = LimitSettings()
    privacy: Privacy = Privacy()
    sources: dict[SourceName, NetBox] = {}
    authority: AuthoritySettings = AuthoritySettings()

    @model_validator(mode="after")
    def _sources_fit(self) -> "Settings":
        if self.mail is None and any(alert.mail for alert in self.alerts.values()):
            raise ValueError("alerts by mail need a section [mail]")
        if taken := sorted(_OWN_NAMES & self.sources.keys()):
            raise ValueError(f"a source cannot be called `{taken[0]}`")
        known = {*RULES, *self.sources}
        if unknown := sorted(self.authority.rules() - known):
            raise ValueError(f"there is no rule `{unknown[0]}`: {', '.join(sorted(known))}")
        return self
