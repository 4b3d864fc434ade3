"""The settings' credentials with their secrets fetched."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fleet.errors import Invalid
from fleet.log import keep_secret
from fleet.settings import Auth, Credential, Priv, Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A protocol of the user-based security model (RFC 3414) and its pass phrase."""

    protocol: str
    phrase: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """How to ask: version 1 or 2c with a community, or 3 with a user."""

    version: str
    community: str | None = field(default=None, repr=False)
    user: str | None = None
    auth: Key | None = None
    priv: Key | None = None


def read_credentials(workspace: Workspace, names: Iterable[str]) -> Mapping[str, Access]:
    """The named credentials, ready to use.

    Raises:
        NoSecret: a secret is not there.
        Invalid: the settings have no such credential.
    """
    known = workspace.settings.snmp.credentials
    found = {}
    for name in sorted(set(names)):
        if name not in known:
            raise Invalid(
                f"fleet.toml has no credential `{name}`",
                hint=f"add a section [snmp.credentials.{name}]",
            )
        found[name] = _read(workspace, name, known[name])
    return found


def _read(workspace: Workspace, name: str, credential: Credential) -> Access:
    purpose = f"snmp.credentials.{name}"

    def key(part: Auth | Priv | None, what: str) -> Key | None:
        if part is None:
            return None
        phrase = keep_secret(workspace.read_secret(part.key, f"{purpose}.{what}"))
        if len(phrase) < 8:
            raise Invalid(
                f"{purpose}.{what}: the pass phrase is shorter than 8 characters",
                hint="RFC 3414 wants 8 or more; devices refuse shorter ones",
            )
        return Key(protocol=part.protocol, phrase=phrase)

    community = None
    if credential.community is not None:
        community = keep_secret(workspace.read_secret(credential.community, purpose))
        if not community.isascii():
            raise Invalid(f"{purpose}: the community has characters beyond ASCII in it")
    return Access(
        version=credential.version,
        community=community,
        user=credential.user,
        auth=key(credential.auth, "auth"),
        priv=key(credential.priv, "priv"),
    )
