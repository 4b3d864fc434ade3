"""What templates of configuration may do with a value, besides Jinja2's own filters."""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any


def quoted(text: object) -> str:
    """In double quotes, for configuration languages that take backslashes as escapes."""
    return '"' + str(text).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def netmask(network: str) -> str:
    """`10.1.0.0/16` → `10.1.0.0 255.255.0.0`."""
    found = _ipv4(network)
    return f"{found.network_address} {found.netmask}"


def wildcard(network: str) -> str:
    """`10.1.0.0/16` → `10.1.0.0 0.0.255.255`, and one address alone, as Cisco shows them."""
    found = _ipv4(network)
    return str(found.network_address) + (
        f" {found.hostmask}" if found.prefixlen < found.max_prefixlen else ""
    )


def ipv4(networks: Iterable[str]) -> list[str]:
    """Those networks that are IPv4."""
    return [_plain(n) for n in map(_network, networks) if isinstance(n, IPv4Network)]


def ipv6(networks: Iterable[str]) -> list[str]:
    """Those networks that are IPv6."""
    return [_plain(n) for n in map(_network, networks) if isinstance(n, IPv6Network)]


def _plain(network: IPv4Network | IPv6Network) -> str:
    """A network; an address alone without its length."""
    is_one = network.prefixlen == network.max_prefixlen
    return str(network.network_address) if is_one else str(network)


def key_hash(key: str) -> str:
    """A public SSH key → the MD5 of its blob in capitals, by which Cisco knows it (RFC 4716)."""
    try:
        blob = base64.b64decode(key.split()[1], validate=True)
    except (IndexError, binascii.Error) as error:
        raise ValueError(f"`{key}` is not a public SSH key") from error
    return hashlib.md5(blob, usedforsecurity=False).hexdigest().upper()


def word(text: object) -> str:
    """A name in one word, as devices and shells take it."""
    if not isinstance(text, str) or not re.fullmatch(r"[A-Za-z0-9_][\w.-]{0,31}", text, re.ASCII):
        raise ValueError(f"`{text}` is no name: up to 32 letters, digits, dots, _ and -")
    return str(text)


def one_line(text: object) -> str:
    """A text without line breaks: what follows one would be a line of configuration."""
    if "\n" in str(text) or "\r" in str(text):
        raise ValueError("a line break stands where there can be none")
    return str(text)


def vlan_id(number: object) -> int:
    """The number of a VLAN that one may use (IEEE 802.1Q; 1002 to 1005 are Cisco's own)."""
    is_number = isinstance(number, int) and not isinstance(number, bool)
    if not is_number or not 1 <= number <= 4094 or 1002 <= number <= 1005:  # type: ignore[operator]
        raise ValueError(f"`{number}` is no number of a VLAN: 1 to 4094, not 1002 to 1005")
    return int(number)  # type: ignore[call-overload,no-any-return]


def _network(text: object) -> IPv4Network | IPv6Network:
    if not isinstance(text, str):
        raise TypeError(f"`{text}` is no network, as 10.1.0.0/16 is one")
    return ip_network(str(text))


def _ipv4(text: str) -> IPv4Network:
    found = _network(text)
    if not isinstance(found, IPv4Network):
        raise ValueError(f"`{text}` is not an IPv4 network")
    return found


FILTERS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f
    for f in (quoted, netmask, wildcard, ipv4, ipv6, key_hash, word, one_line, vlan_id)
}
