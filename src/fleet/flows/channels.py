"""Whether a channel can reach anybody at all: its members, its program, its secret."""

import difflib
import shutil
from collections.abc import Collection

from fleet.errors import Invalid
from fleet.settings import Workspace


def check_channel(workspace: Workspace, name: str, members: Collection[str]) -> None:
    """Look at a section [alerts.NAME] before something fails.

    Args:
        members: those that there are.

    Raises:
        Invalid: nobody would be told by it.
    """
    alert = workspace.settings.alerts[name]
    for slug in alert.members or ():
        if slug not in members:
            close = difflib.get_close_matches(slug, members, n=1)
            hint = f"did you mean `{close[0]}`?" if close else "fleet list members"
            raise Invalid(f"[alerts.{name}] members: there is no member `{slug}`", hint=hint)
    if alert.command is not None and shutil.which(alert.command[0]) is None:
        raise Invalid(
            f"[alerts.{name}] command: there is no program `{alert.command[0]}`",
            hint="its whole path, and may it be run?",
        )
    if alert.webhook is not None:
        address = workspace.read_secret(alert.webhook, f"[alerts.{name}] webhook")
        if not address.startswith(("http://", "https://")):
            raise Invalid(f"[alerts.{name}] webhook: the secret is no address", hint="https://…")
