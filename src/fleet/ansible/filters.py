"""What templates of configuration may do with a value, besides Jinja2's own filters."""

import base64
import binascii
import hashlib
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
    return [str(n) for n in map(ip_network, networks) if isinstance(n, IPv4Network)]


def ipv6(networks: Iterable[str]) -> list[str]:
    """Those networks that are IPv6."""
    return [str(n) for n in map(ip_network, networks) if isinstance(n, IPv6Network)]


def key_hash(key: str) -> str:
    """A public SSH key → the MD5 of its blob in capitals, by which Cisco knows it (RFC 4716)."""
    try:
        blob = base64.b64decode(key.split()[1], validate=True)
    except (IndexError, binascii.Error) as error:
        raise ValueError(f"`{key}` is not a public SSH key") from error
    return hashlib.md5(blob, usedforsecurity=False).hexdigest().upper()


def _ipv4(text: str) -> IPv4Network:
    found = ip_network(text)
    if not isinstance(found, IPv4Network):
        raise ValueError(f"`{text}` is not an IPv4 network")
    return found


FILTERS: Mapping[str, Callable[..., Any]] = {
    f.__name__: f for f in (quoted, netmask, wildcard, ipv4, ipv6, key_hash)
}
