"""fleet.toml and FLEET_… from the environment → one frozen Settings.

No secret is ever in a setting: a setting names where a secret is, and `read_secret` fetches it
when it is first needed. Plain pydantic, since importing pydantic-settings costs as much as the
whole of `fleet find` (docs/decisions/0003-settings.md).
"""

from fleet.settings.deploy import Approval, Deploy
from fleet.settings.section import SecretRef
from fleet.settings.sections import (
    Auth,
    AuthoritySettings,
    Credential,
    Mail,
    NetBox,
    Poll,
    Priv,
    Report,
    Settings,
)
from fleet.settings.workspace import (
    FILE,
    Workspace,
    find_workspace,
    open_workspace,
    read_settings,
)

__all__ = [
    "FILE",
    "Approval",
    "Auth",
    "AuthoritySettings",
    "Credential",
    "Deploy",
    "Mail",
    "NetBox",
    "Poll",
    "Priv",
    "Report",
    "SecretRef",
    "Settings",
    "Workspace",
    "find_workspace",
    "open_workspace",
    "read_settings",
]
