"""The user-based security model (RFC 3414): keys, authentication and privacy.

The pass phrase of a user becomes a key for each engine, as RFC 3414 appendix A.2 says. Privacy
is DES (RFC 3414 section 8), AES-128 (RFC 3826), or AES with longer keys, which never became a
standard: AES192 and AES256 lengthen the key as draft-blumenthal-aes-usm-04 does and net-snmp
too, AES192C and AES256C as Cisco does (draft-reeder-snmpv3-usm-3desede-00).
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC

try:  # where newer releases of cryptography keep what is old
    from cryptography.hazmat.decrepit.ciphers.modes import CFB
except ImportError:  # pragma: no cover - older releases
    from cryptography.hazmat.primitives.ciphers.modes import CFB
try:
    from cryptography.hazmat.decrepit.ciphers.algorithms import TripleDES
except ImportError:  # pragma: no cover - releases without DES
    TripleDES = None  # type: ignore[assignment,misc]


class Undecipherable(ValueError):
    """Octets that no key of this kind can have made."""


@dataclass(frozen=True, slots=True)
class Digest:
    """An authentication protocol: its hash, and how much of the digest is sent (RFC 7860)."""

    name: str
    octets: int


DIGESTS = {
    "MD5": Digest("md5", 12),
    "SHA1": Digest("sha1", 12),
    "SHA224": Digest("sha224", 16),
    "SHA256": Digest("sha256", 24),
    "SHA384": Digest("sha384", 32),
    "SHA512": Digest("sha512", 48),
}


@lru_cache(maxsize=256)
def master_key(protocol: str, phrase: str) -> bytes:
    """A pass phrase as a key: the hash of it repeated over 1 MiB (RFC 3414 A.2)."""
    octets = phrase.encode()
    repeated = (octets * (1_048_576 // len(octets) + 1))[:1_048_576]
    return hashlib.new(DIGESTS[protocol].name, repeated, usedforsecurity=False).digest()


@lru_cache(maxsize=65_536)
def localise(protocol: str, key: bytes, engine: bytes) -> bytes:
    """A master key as the key for one engine (RFC 3414 section 2.6)."""
    return _hash(protocol, key + engine + key)


def _hash(protocol: str, octets: bytes) -> bytes:
    return hashlib.new(DIGESTS[protocol].name, octets, usedforsecurity=False).digest()


def sign(protocol: str, key: bytes, message: bytes) -> bytes:
    """The digest that goes into a message (RFC 3414 section 6.3.1)."""
    digest = DIGESTS[protocol]
    return hmac.digest(key, message, digest.name)[: digest.octets]


def _lengthen_blumenthal(protocol: str, key: bytes, _engine: bytes, octets: int) -> bytes:
    while len(key) < octets:
        key += _hash(protocol, key)
    return key[:octets]


def _lengthen_reeder(protocol: str, key: bytes, engine: bytes, octets: int) -> bytes:
    last = key
    while len(key) < octets:
        last = localise(protocol, _repeated(protocol, last), engine)
        key += last
    return key[:octets]


@lru_cache(maxsize=4096)
def _repeated(protocol: str, key: bytes) -> bytes:
    return _hash(protocol, (key * (1_048_576 // len(key) + 1))[:1_048_576])


def _cut(_protocol: str, key: bytes, _engine: bytes, octets: int) -> bytes:
    return key[:octets]


@dataclass(frozen=True, slots=True)
class Privacy:
    """A privacy protocol: how long its key is, how one is made, and whether it is DES."""

    octets: int
    lengthen: Callable[[str, bytes, bytes, int], bytes]
    is_des: bool = False


PRIVACIES = {
    "AES128": Privacy(16, _cut),
    "AES192": Privacy(24, _lengthen_blumenthal),
    "AES256": Privacy(32, _lengthen_blumenthal),
    "AES192C": Privacy(24, _lengthen_reeder),
    "AES256C": Privacy(32, _lengthen_reeder),
}
if TripleDES is not None:
    PRIVACIES["DES"] = Privacy(16, _cut, is_des=True)


@lru_cache(maxsize=65_536)
def privacy_key(auth: str, priv: str, phrase: str, engine: bytes) -> bytes:
    """The key of a privacy protocol for one engine."""
    privacy = PRIVACIES[priv]
    key = localise(auth, master_key(auth, phrase), engine)
    return privacy.lengthen(auth, key, engine, privacy.octets)


def encrypt(priv: str, key: bytes, boots: int, time: int, salt: int, text: bytes) -> bytes:
    """The text encrypted; its salt goes with it as eight octets (`salt_octets`)."""
    privacy = PRIVACIES[priv]
    cipher = _cipher(privacy, key, boots, time, salt_octets(priv, boots, salt))
    if privacy.is_des:
        text += bytes(-len(text) % 8)
    encryptor = cipher.encryptor()
    return encryptor.update(text) + encryptor.finalize()


def salt_octets(priv: str, boots: int, salt: int) -> bytes:
    """The salt as it is sent (RFC 3414 section 8.1.1.1, RFC 3826 section 3.1.2.1)."""
    if PRIVACIES[priv].is_des:
        return boots.to_bytes(4, "big") + (salt & 0xFFFF_FFFF).to_bytes(4, "big")
    return salt.to_bytes(8, "big")


def decrypt(priv: str, key: bytes, boots: int, time: int, salt: bytes, octets: bytes) -> bytes:
    """The text that was encrypted.

    Raises:
        Undecipherable: the salt or the octets have a length that they cannot have.
    """
    privacy = PRIVACIES[priv]
    if len(salt) != 8 or (privacy.is_des and len(octets) % 8):
        raise Undecipherable("no salt, or not whole blocks")
    decryptor = _cipher(privacy, key, boots, time, salt).decryptor()
    return decryptor.update(octets) + decryptor.finalize()


def _cipher(privacy: Privacy, key: bytes, boots: int, time: int, salt: bytes) -> Cipher[CBC | CFB]:
    if privacy.is_des:
        start = bytes(a ^ b for a, b in zip(key[8:16], salt, strict=True))
        return Cipher(TripleDES(key[:8] * 3), CBC(start))
    return Cipher(AES(key), CFB(boots.to_bytes(4, "big") + time.to_bytes(4, "big") + salt))
