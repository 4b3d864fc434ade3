"""Which of fleet's platforms Ansible can drive, by which collection and connection."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """How Ansible drives a family of machines."""

    name: str
    suffix: str  # of a rendered file
    connection: str
    network_os: str | None = None
    collections: Mapping[str, str] | None = None  # name → exact version
    variables: Mapping[str, object] | None = None


NETWORK_OS: Mapping[str, str] = {
    "arista_eos": "arista.eos.eos",
    "arubaos": "community.network.aruba",
    "arubaos-cx": "arubanetworks.aoscx.aoscx",
    "asa": "cisco.asa.asa",
    "avaya-vsp": "community.network.voss",
    "ciscowlc": "community.network.aireos",
    "dell-os10": "dellemc.os10.os10",
    "dnos": "dellemc.os9.os9",
    "edgeos": "community.network.edgeos",
    "edgeswitch": "community.network.edgeswitch",
    "fortigate": "fortinet.fortios.fortios",
    "ios": "cisco.ios.ios",
    "iosxe": "cisco.ios.ios",
    "iosxr": "cisco.iosxr.iosxr",
    "ironware": "community.network.ironware",
    "junos": "junipernetworks.junos.junos",
    "nos": "community.network.nos",
    "nxos": "cisco.nxos.nxos",
    "routeros": "community.routeros.routeros",
    "slxos": "community.network.slxos",
    "timos": "community.network.sros",
    "vrp": "community.network.ce",
    "vyos": "vyos.vyos.vyos",
    "weos": "community.network.weos4",
    "xos": "community.network.exos",
}
"""`ansible_network_os` by platform, wherever Ansible has a connection for it."""

_NETCOMMON = {"ansible.netcommon": "8.2.0"}

LINUX = Platform(name="linux", suffix="conf", connection="ansible.builtin.ssh")
_IOS = Platform(
    name="ios",
    suffix="cfg",
    connection="ansible.netcommon.network_cli",
    network_os=NETWORK_OS["ios"],
    collections={"cisco.ios": "11.1.1", **_NETCOMMON},
)
_JUNOS = Platform(
    name="junos",
    suffix="set",
    connection="ansible.netcommon.netconf",
    network_os=NETWORK_OS["junos"],
    collections={"junipernetworks.junos": "11.0.0", **_NETCOMMON},
)
_FORTIOS = Platform(
    name="fortios",
    suffix="yml",
    connection="ansible.netcommon.httpapi",
    network_os=NETWORK_OS["fortigate"],
    collections={"fortinet.fortios": "2.4.2", **_NETCOMMON},
    variables={"ansible_httpapi_use_ssl": True, "ansible_httpapi_validate_certs": True},
)

PLATFORMS: Mapping[str, Platform] = {
    "linux": LINUX,
    "ios": _IOS,
    "iosxe": _IOS,
    "junos": _JUNOS,
    "fortigate": _FORTIOS,
}
"""By fleet's own platform names, which are LibreNMS's."""
