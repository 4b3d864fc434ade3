"""What NetBox can do, by its version: decided by number, since newer words are silently ignored.

From the release notes of NetBox 4.0 to 4.7, and from asking a 4.0.6 and a 4.7.3.
"""

import re
from dataclasses import dataclass

from fleet.errors import Rejected

OLDEST = (4, 0)


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What one version can do.

    Args:
        version: major and minor number.
    """

    version: tuple[int, int]

    @property
    def has_unique_custom_fields(self) -> bool:
        return self.version >= (4, 1)

    @property
    def has_scopes(self) -> bool:
        """Prefixes have a scope (4.2) in the place of a site; so have ends of circuits."""
        return self.version >= (4, 2)

    @property
    def has_mac_objects(self) -> bool:
        """MAC addresses are objects of their own (4.2); before, a field of the interface."""
        return self.version >= (4, 2)

    @property
    def writes_macs(self) -> bool:
        """Whether an interface's MAC address can be written as its field: but for 4.2 to 4.6."""
        return not (4, 2) <= self.version < (4, 7)

    @property
    def has_changelog_messages(self) -> bool:
        return self.version >= (4, 4)

    @property
    def adds_tags(self) -> bool:
        """`add_tags` leaves others' tags alone (4.6); before, the whole list is replaced."""
        return self.version >= (4, 6)


def read_version(text: str) -> Capabilities:
    """The capabilities of a version as /api/status/ tells it: `4.0.6`, `4.7.3-Docker`.

    Raises:
        Rejected: it is none, or older than fleet knows.
    """
    found = re.match(r"v?(\d+)\.(\d+)", text)
    version = (int(found[1]), int(found[2])) if found else (0, 0)
    if version < OLDEST:
        raise Rejected(f"this NetBox says its version is `{text}`", hint="fleet needs 4.0 or newer")
    return Capabilities(version)
