"""Lines with a secret, which devices show in a form of their own, or not at all."""

import re
from collections.abc import Sequence

# Cisco IOS has users of SNMPv3 beside its configuration and never shows them: such a line is sent
# along when another one of the same baseline is.
NEVER_SHOWN = "snmp-server user "
_V3_USER = re.compile(r"snmp-server user \S+ ")
# Types of Cisco and Arista; Fortinet; Juniper; HPE.
_CIPHERED = re.compile(r"[5-9] \S|ENC \S|\$\d+\$|cipher \S|ciphertext \S|encrypted \S")


def is_shown_ciphered(path: tuple[str, ...], start: str, has: Sequence[tuple[str, ...]]) -> bool:
    """Whether a device has a line with a secret, which it shows in a form that nobody compares."""
    user = _V3_USER.match(path[-1])
    for other in has:
        if other[:-1] != path[:-1]:
            continue
        if user and other[-1].startswith(user[0]):
            return True
        for begin in (start, _as_shown(start)):
            if other[-1].startswith(begin) and _CIPHERED.match(other[-1][len(begin) :].lstrip('"')):
                return True
    return False


def _as_shown(start: str) -> str:
    """What stands before a secret when it is shown, where that is not what was typed."""
    return start.removesuffix("plaintext ").replace("-password ", "-key ")
