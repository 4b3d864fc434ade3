"""How fleet's platforms are driven: by Ansible's collections, or by netmiko where there is none."""

from collections.abc import Mapping
from dataclasses import dataclass

from fleet.core.configuration import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Platform:
    """How a family of machines is driven.

    Args:
        name: of the family; templates are called after it.
        suffix: of a template.
        connection: of Ansible; None: fleet drives it itself.
        netmiko: its device type there, by which it is read, reverted and saved.
        show: the command that shows the running configuration.
        save: the command that keeps it over a restart; None: it is kept at once.
        implied: lines that hold unless the configuration takes them back: it does not show them.
        arm: the command by which it goes back after so many MINUTES, unless disarmed.
    """

    name: str
    suffix: str
    connection: str | None = None
    network_os: str | None = None
    collections: Mapping[str, str] | None = None  # name → exact version
    variables: Mapping[str, object] | None = None
    language: Language | None = None
    netmiko: str = ""
    show: str = "show running-config"
    save: str | None = "write memory"
    arm: str | None = None
    disarm: str | None = None
    implied: frozenset[str] = frozenset()


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
_CLI = "ansible.netcommon.network_cli"


def _cisco(
    name: str,
    network_os: str,
    version: str,
    netmiko: str,
    arm: str | None = None,
    disarm: str | None = None,
    implied: frozenset[str] = frozenset(),
) -> Platform:
    """A family with a command line like Cisco's and a collection of its own."""
    return Platform(
        name=name,
        suffix="cfg",
        connection=_CLI,
        network_os=network_os,
        collections={network_os.rpartition(".")[0]: version, **_NETCOMMON},
        language=Language.NO,
        netmiko=netmiko,
        arm=arm,
        disarm=disarm,
        implied=implied,
    )


def _by_fleet(
    name: str,
    netmiko: str,
    show: str = "show running-config",
    save: str = "write memory",
    arm: str | None = None,
    disarm: str | None = None,
    implied: frozenset[str] = frozenset(),
) -> Platform:
    """A family that Ansible has no collection for."""
    language = Language.UNDO if netmiko == "hp_comware" else Language.NO
    return Platform(
        name=name,
        suffix="cfg",
        language=language,
        netmiko=netmiko,
        show=show,
        save=save,
        arm=arm,
        disarm=disarm,
        implied=implied,
    )


_IOS = _cisco(
    "ios",
    NETWORK_OS["ios"],
    "11.1.1",
    "cisco_ios",
    arm="configure terminal revert timer MINUTES",
    disarm="configure confirm",
    implied=frozenset({"ip ssh authentication-retries 3"}),
)
_NXOS = _cisco(
    "nxos", NETWORK_OS["nxos"], "11.1.0", "cisco_nxos", implied=frozenset({"feature ssh"})
)
_EOS = _cisco(
    "eos", NETWORK_OS["arista_eos"], "12.0.0", "arista_eos", implied=frozenset({"lldp run"})
)
_JUNOS = Platform(
    name="junos",
    suffix="set",
    connection="ansible.netcommon.netconf",
    network_os=NETWORK_OS["junos"],
    collections={"junipernetworks.junos": "11.0.0", **_NETCOMMON},
    language=Language.SET,
    netmiko="juniper_junos",
    show="show configuration | display set | no-more",
    save=None,
)
_VYOS = Platform(
    name="vyos",
    suffix="set",
    connection=_CLI,
    network_os=NETWORK_OS["vyos"],
    collections={"vyos.vyos": "6.0.0", **_NETCOMMON},
    language=Language.SET,
    netmiko="vyos",
    show="show configuration commands | no-more",
    save="save",
)
# Its collection has a module for each table, and none that takes lines of configuration.
_FORTIOS = Platform(
    name="fortios",
    suffix="cfg",
    language=Language.FORTIOS,
    netmiko="fortinet",
    show="show",
    save=None,
)
# Its collection types every line again, and each `add` makes another row.
_ROUTEROS = Platform(
    name="routeros",
    suffix="rsc",
    language=Language.ROUTEROS,
    netmiko="mikrotik_routeros",
    show="/export",
    save=None,
)

PLATFORMS: Mapping[str, Platform] = {
    "linux": LINUX,
    "ios": _IOS,
    "iosxe": _IOS,
    "nxos": _NXOS,
    "arista_eos": _EOS,
    "junos": _JUNOS,
    "fortigate": _FORTIOS,
    "routeros": _ROUTEROS,
    "vyos": _VYOS,
    "procurve": _by_fleet("procurve", "hp_procurve", implied=frozenset({"lldp run", "ip ssh"})),
    "arubaos-cx": _by_fleet(
        "aoscx",
        "aruba_aoscx",
        arm="checkpoint auto MINUTES",
        disarm="checkpoint auto confirm",
        implied=frozenset({"lldp"}),
    ),
    "comware": _by_fleet(
        "comware",
        "hp_comware",
        show="display current-configuration",
        save="save force",
        implied=frozenset({"info-center enable", "ssh server authentication-retries 3"}),
    ),
    "powerconnect": _by_fleet("dell", "dell_powerconnect"),
    "dnos": _by_fleet("dell", "dell_os6"),
    "dell-os10": _by_fleet("dell", "dell_os10"),
    "ciscosb": _by_fleet("ciscosb", "cisco_s300", implied=frozenset({"lldp run"})),
}
"""By fleet's own platform names, which are LibreNMS's."""
