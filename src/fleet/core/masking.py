"""Configurations without their secrets, which can still be seen to change.

In the place of a secret stands a keyed hash of it: who has the key tells whether a secret is
another one than before, and nobody can turn it back. Which words a secret follows is known for
the languages of the platforms that fleet reads; a value that looks like a hash or a key is taken
for one, whatever stands before it.
"""

import hmac
import re
from collections.abc import Mapping

# What a secret follows, up to the value itself: (words before)(value).
_VALUE = r"(\"[^\"\n]*\"|'[^'\n]*'|\S+)"
_TYPE = r"(?:(?:\d{1,2}|ENC|cipher|simple|hash|sha1|sha256|sha512|plaintext|encrypted|ascii|hex) )*"
_WORDS = (
    r"snmp-server community",
    r"snmp-agent community (?:read|write)",
    r"set snmp community",
    r"set service snmp community",
    r"enable (?:secret|password)(?: level \d+)?",
    r"super password(?: level \d+)?",
    r"username .*? (?:secret|password)",
    r"user-name .*? password",
    r"password manager(?: user-name \S+)?",
    r"password operator(?: user-name \S+)?",
    r"(?:tacacs|radius)(?:-server)?(?: host \S+)?(?: .*?)? key",
    r"server-private \S+ .*?key",
    r"key-string",
    r"message-digest-key \d+ md5",
    r"authentication-key(?: \d+)?(?: md5)?",
    r"neighbor \S+ password",
    r"crypto isakmp key",
    r"pre-shared-key(?: ascii-text| hexadecimal| local| remote| address)?",
    r"wpa-psk",
    r"(?:auth|authentication|authentication-mode) (?:md5|sha|sha-?\d+)",
    r"(?:priv|privacy|privacy-mode) (?:des|3des|aes)(?:[- ]?\d+)?(?: \d+)?",
    r"(?:encrypted|plaintext)-password",
    r"(?:authentication|privacy)-(?:password|key)",
    r"(?<!/ppp )(?:shared-)?secret",
    r"set (?:passwd|password|psksecret|key|auth-pwd|priv-pwd|private-key|passphrase)",
    r"password",
    r"^\s+key",
    r"key(?= \d )",
    r"key(?= \")",
)
_SPACED = re.compile(r"((?<![\w-])(?:" + "|".join(_WORDS) + r") " + _TYPE + r")" + _VALUE)
_ASSIGNED = re.compile(
    r"(\b[\w-]*(?:password|secret|passphrase|pre-shared-key|community)[\w-]*=)" + _VALUE
)
_TELLING = re.compile(r"(\$(?:1|5|6|8|9|14)\$[^\s\";]+)")
_BLOCK = re.compile(
    r"(-----BEGIN [A-Z ]*PRIVATE KEY-----)(.*?)(-----END [A-Z ]*KEY-----)", re.DOTALL
)
_MARK = "<hidden "


def without_secrets(text: str) -> str:
    """A line of configuration, or a message with one in it, as people may see it."""
    return re.sub(rf"{_MARK}[^>]*>", "<hidden>", mask(text, b""))


def mask(config: str, key: bytes, known: Mapping[str, str] | None = None) -> str:
    """A configuration with keyed hashes in the place of its secrets.

    Args:
        key: of the hash.
        known: name → value of secrets that are looked for wherever they stand.
    """

    def mark(value: str) -> str:
        return f"{_MARK}{hmac.new(key, value.encode(), 'sha256').hexdigest()[:12]}>"

    def spaced(found: re.Match[str]) -> str:
        before, value = found.groups()
        return found[0] if value.startswith("<hidden") else before + mark(value.strip("\"'"))

    text = _BLOCK.sub(lambda m: f"{m[1]}\n{mark(m[2])}\n{m[3]}", config)
    for value in sorted((known or {}).values(), key=len, reverse=True):
        if len(value) >= 4:
            text = text.replace(value, mark(value))
    text = _ASSIGNED.sub(spaced, text)
    text = "\n".join(_SPACED.sub(spaced, line) for line in text.split("\n"))
    return _TELLING.sub(lambda m: mark(m[1]), text)


_CHANGING = re.compile(
    r"^(?:! Last configuration change.*|! NVRAM config.*|ntp clock-period.*|Current configuration.*"
    r"|Building configuration.*|# (?:[a-z]{3}/\d\d/\d{4}|\d{4}-\d\d-\d\d) .*RouterOS.*"
    r"|## Last (?:commit|changed).*|#conf_file_ver=.*|; .*Configuration Editor.*)\n?",
    re.MULTILINE,
)


def steady(config: str) -> str:
    """A configuration without the lines that change by themselves, with plain line ends."""
    text = _CHANGING.sub("", config.replace("\r\n", "\n").replace("\r", "\n"))
    return text.strip("\n") + "\n"
