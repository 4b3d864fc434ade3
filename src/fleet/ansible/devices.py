"""Every device that fleet can change, whatever drives it: reading, confirming, knocking."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path

from fleet.ansible.network import Cli, Switch
from fleet.ansible.platforms import LINUX, PLATFORMS
from fleet.ansible.ssh import Machine, Ssh
from fleet.core.inventory import Device
from fleet.core.observed import Observed
from fleet.errors import Missing
from fleet.settings import Workspace


def is_linux(device: Device) -> bool:
    """Whether a device is changed as a machine with files."""
    return PLATFORMS[device.platform or ""] is LINUX


def is_by_ansible(device: Device) -> bool:
    """Whether Ansible changes a device; else fleet does."""
    return PLATFORMS[device.platform or ""].connection is not None


class Devices:
    """What fleet itself does with devices, without Ansible.

    Args:
        workspace: says how they are reached.
    """

    def __init__(self, workspace: Workspace) -> None:
        settings, root = workspace.settings.deploy, workspace.root
        self._workspace = workspace
        self._settings = settings
        config = root / settings.ssh_config if settings.ssh_config else None
        if config is not None and not config.is_file():
            raise Missing(
                f"there is no file {settings.ssh_config}, which [deploy] names as ssh_config"
            )
        self._ssh = Ssh(
            user=settings.user,
            port=settings.ssh_port,
            become=settings.become,
            root=settings.root,
            config=config,
            at_once=settings.forks,
            timeout_s=settings.timeout_s,
        )
        self._config = config

    @cached_property
    def _cli(self) -> Cli:
        settings = self._settings
        read = self._workspace.read_secret
        return Cli(
            user=settings.network_user or settings.user,
            password=read(settings.password, "[deploy] password") if settings.password else None,
            enable=read(settings.enable, "[deploy] enable") if settings.enable else None,
            port=settings.network_port,
            key_file=_named_in(self._config, "identityfile") or _own_key(),
            known_hosts=_named_in(self._config, "userknownhostsfile"),
            at_once=min(settings.forks, 20),
            timeout_s=settings.timeout_s,
        )

    def close(self) -> None:
        """Close the connections that were kept."""
        self._ssh.close()

    def read(self, wanted: Sequence[tuple[Device, Sequence[str]]]) -> dict[str, Observed]:
        """What devices have now, at some paths or in their configuration."""
        found: dict[str, Observed] = {}

        def hear(observed: Observed) -> None:
            found[observed.device] = observed

        machines = [(_machine(d), paths) for d, paths in wanted if is_linux(d)]
        if machines:
            self._ssh.read(machines, hear)
        self._cli_read([_switch(d) for d, _ in wanted if not is_linux(d)], hear)
        return found

    def _cli_read(self, switches: Sequence[Switch], hear: Callable[[Observed], None]) -> None:
        if switches:
            self._cli.read(switches, hear)

    def apply(self, wanted: Sequence[tuple[Device, str]]) -> Mapping[str, str]:
        """Bring lines onto network devices that Ansible has no collection for.

        Returns:
            Device → what went wrong; it is as before then.
        """
        return self._cli.apply([(_switch(d), text) for d, text in wanted]) if wanted else {}

    def arm(self, devices: Sequence[Device], seconds: int) -> None:
        """Let network devices that can take a change back by themselves after so long."""
        if seconds and devices:
            self._cli.arm([_switch(d) for d in devices], seconds)

    def put_back(self, before: Sequence[tuple[Device, str]]) -> Mapping[str, str]:
        """Lead network devices back to a configuration; device → what went wrong."""
        return self._cli.put_back([(_switch(d), c) for d, c in before]) if before else {}

    def save(self, devices: Sequence[Device]) -> Mapping[str, str]:
        """Let network devices keep what they have over a restart; device → what went wrong."""
        return self._cli.save([_switch(d) for d in devices]) if devices else {}

    def confirm(self, devices: Iterable[Device], change: str) -> Mapping[str, str]:
        """Tell devices that a change may stay; device → what went wrong with it."""
        machines = [_machine(d) for d in devices if is_linux(d)]
        return self._ssh.confirm(machines, change) if machines else {}

    def knock(self, devices: Iterable[Device], timeout_s: float) -> frozenset[str]:
        """The devices that accept a connection where they are configured."""
        doors = [(_machine(d), self._port(d)) for d in devices if d.address is not None]
        return self._ssh.knock(doors, timeout_s)

    def _port(self, device: Device) -> int:
        is_network = device.platform in PLATFORMS and not is_linux(device)
        return self._settings.network_port if is_network else self._settings.ssh_port


def _switch(device: Device) -> Switch:
    platform = PLATFORMS[device.platform or ""]
    return Switch(name=device.name, address=device.address or "", platform=platform)


def _own_key() -> Path | None:
    """The user's own key, as ssh(1) looks for it."""
    names = ("id_ed25519", "id_ecdsa", "id_rsa")
    keys = (Path.home() / ".ssh" / name for name in names)
    return next((key for key in keys if key.is_file()), None)


def _named_in(config: Path | None, option: str) -> Path | None:
    """The file that an OpenSSH configuration names for all."""
    for line in config.read_text(encoding="utf-8").splitlines() if config else ():
        key, _, value = line.strip().partition(" ")
        if key.lower() == option:
            return Path(value.strip()).expanduser()
    return None


def _machine(device: Device) -> Machine:
    return Machine(name=device.name, address=device.address or "")
