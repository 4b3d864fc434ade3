"""Changing the devices of a wave, and taking that back: with Ansible, or over their command line.

Linux machines keep what was there before themselves, and take a change back that nobody confirms.
Of network devices the configuration is kept before they are touched; what they run is saved only
when the network is seen to be well, so a restart leads back as well.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fleet.ansible.devices import is_by_ansible, is_linux
from fleet.ansible.runner import read_outcomes
from fleet.core.desired import Desired
from fleet.core.inventory import Device, Inventory
from fleet.core.observed import Observed
from fleet.core.rollout import Outcome, Result
from fleet.core.secrets import filled, hide
from fleet.core.waves import Wave

if TYPE_CHECKING:
    from fleet.ansible.devices import Devices
    from fleet.ansible.runner import Event, Runner
    from fleet.flows.backup import Vault

ROLLOUT, ROLLBACK = "rollout.yml", "rollout.rollback.yml"
_FAILED = ("failed", "unreachable")
Tick = Callable[[], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What changes devices.

    Args:
        change: the plan's id.
        desired: what devices are to have.
        vault: opens what keeps configurations; called only if a network device is changed.
        secrets: by reference.
        confirm_s: how long a device waits to be confirmed.
        hear: gets Ansible's events.
    """

    change: str
    inventory: Inventory
    desired: Sequence[Desired]
    runner: "Runner"
    devices: "Devices"
    vault: "Callable[[], Vault]"
    secrets: Mapping[str, str | None]
    confirm_s: int
    hear: "Callable[[Event], None]"

    def keep_before(self, names: Sequence[str], observed: Mapping[str, Observed]) -> None:
        """Keep the configurations of network devices as they are before the change.

        Raises:
            NoSecret: there is no key to keep them under.
            NotPermitted: the workspace is not under git.
        """
        configs = {n: c for n in names if (c := observed[n].config) is not None}
        if not configs:
            return
        vault = self.vault()
        for name, config in configs.items():
            vault.keep(self.change, name, config)
        vault.version(configs, self.inventory, f"Running configurations before {self.change}")

    def apply(self, wave: Wave, needed: Mapping[str, Sequence[str]], tick: Tick) -> list[Outcome]:
        """Change devices.

        Args:
            needed: device → the baselines that change it.
        """
        by_ansible = {n: b for n, b in needed.items() if is_by_ansible(self._device(n))}
        outcomes: list[Outcome] = []
        self.devices.arm(self._network(list(needed)), self.confirm_s)
        if by_ansible:
            variables = {
                "fleet_confirm_s": self.confirm_s,
                "fleet_confirm_min": -(-self.confirm_s // 60),
            }
            events = self.runner.run(
                ROLLOUT, wave, list(by_ansible), self.hear, tick=tick, variables=variables
            )
            outcomes = read_outcomes(events, wave.number, by_ansible)
        outcomes += self._by_cli(wave, {n: b for n, b in needed.items() if n not in by_ansible})
        failed = sorted({o.device for o in outcomes if o.failed})
        # One line of many may have been taken before the one that was not.
        self._lead_back([d.name for d in self._network(failed) if d.name in by_ansible])
        return outcomes

    def _by_cli(self, wave: Wave, needed: Mapping[str, Sequence[str]]) -> list[Outcome]:
        texts: dict[str, str] = dict.fromkeys(needed, "")
        for item in self.desired:
            if item.device in texts:
                texts[item.device] += filled(item.text, self.secrets) or ""
        failed = self.devices.apply([(self._device(n), text) for n, text in texts.items()])
        return [
            Outcome(
                wave=wave.number,
                baseline=baseline,
                device=name,
                result=Result.FAILED if name in failed else Result.CHANGED,
                message=self._shown(failed[name]) if name in failed else None,
            )
            for name, baselines in needed.items()
            for baseline in baselines
        ]

    def changing_again(self, wave: Wave, names: Sequence[str]) -> list[str]:
        """The machines that a second run would change once more."""
        machines = [n for n in names if is_linux(self._device(n))]
        if not machines:
            return []
        events = self.runner.run(ROLLOUT, wave, machines, lambda _: None, is_check=True)
        return sorted({e["host"] for e in events if e.get("changed")})

    def put_back(self, wave: Wave, names: Sequence[str], tick: Tick) -> dict[str, str]:
        """Put devices back as they were before the change; device → what went wrong."""
        machines = [n for n in names if is_linux(self._device(n))]
        failed: dict[str, str] = {}
        if machines:
            events = self.runner.run(ROLLBACK, wave, machines, self.hear, tick=tick)
            for event in events:
                if event["event"] in _FAILED:
                    failed[event["host"]] = str(event.get("message") or event["event"])
        return {**failed, **self._lead_back([d.name for d in self._network(names)])}

    def _lead_back(self, names: Sequence[str]) -> Mapping[str, str]:
        if not names:
            return {}
        vault = self.vault()
        before = [(self._device(n), vault.fetch(self.change, n)) for n in names]
        return {n: self._shown(said) for n, said in self.devices.put_back(before).items()}

    def _shown(self, message: str) -> str:
        """What a device said, without the secrets that it was sent."""
        return hide(message, {name: value for name, value in self.secrets.items() if value})

    def confirm(self, names: Sequence[str]) -> dict[str, str]:
        """Let the change stay on devices; device → what went wrong."""
        machines = [self._device(n) for n in names if is_linux(self._device(n))]
        failed = dict(self.devices.confirm(machines, self.change))
        return {**failed, **self.devices.save(self._network(names))}

    def _network(self, names: Sequence[str]) -> list[Device]:
        return [d for n in names if not is_linux(d := self._device(n))]

    def _device(self, name: str) -> Device:
        return self.inventory.devices[name]
