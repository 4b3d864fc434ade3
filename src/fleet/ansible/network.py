"""Network devices over their command line, with netmiko: reading, changing, taking back, saving.

Ansible changes those that it has a collection for; what surrounds a change is done here for all
alike: the configuration before it, the timer that undoes it, the lines that lead back, and saving.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet.ansible.platforms import Platform
from fleet.core.configuration import Path as Line
from fleet.core.configuration import commands, missing, reverse
from fleet.core.masking import without_secrets
from fleet.core.observed import Observed

# What a command line says of a line that it does not take.
_REJECTED = (
    r"% ?(Invalid|Incomplete|Ambiguous|Unrecognized|Error|Bad)|Invalid input|Unknown command"
    r"|[Ss]yntax error|Wrong parameter|Too many parameters|Command fail|bad command name"
    r"|expected end of command"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switch:
    """Where a network device is reached, and what it is."""

    name: str
    address: str
    platform: Platform


class Rejected(Exception):
    """A device did not take a line, and is as before; or, if it says so, not quite."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cli:
    """Talks to network devices over SSH, many at once.

    Args:
        password: None: with SSH keys, of the agent or of `key_file`.
        enable: the password of the privileged mode, if that has one of its own.
        known_hosts: host keys; those of the user if None.
        at_once: how many devices.
        timeout_s: to connect, and for one command.
    """

    user: str
    password: str | None
    enable: str | None
    port: int
    key_file: Path | None
    known_hosts: Path | None
    at_once: int
    timeout_s: float

    def read(self, switches: Sequence[Switch], hear: Callable[[Observed], None]) -> None:
        """The running configuration of devices, each handed to `hear` as it comes."""

        def read(switch: Switch) -> None:
            try:
                with self._connected(switch) as session:
                    config = _show(session, switch)
            except Exception as error:  # noqa: BLE001 - of whatever kind, it is this device's
                hear(Observed(device=switch.name, error=_say(error)))
            else:
                hear(Observed(device=switch.name, config=config))

        self._each(switches, read)

    def apply(self, wanted: Sequence[tuple[Switch, str]]) -> Mapping[str, str]:
        """Bring lines onto devices; device → what went wrong, and it is as before then.

        A device that does not take a line is led back to what it had.
        """

        def apply(switch: Switch, text: str) -> None:
            language = switch.platform.language
            assert language is not None
            with self._connected(switch) as session:
                before = _show(session, switch)
                try:
                    _configure(session, switch, missing(text, before, language))
                except Exception as error:  # noqa: BLE001 - said once it is led back
                    rejected = _say(error)
                else:
                    return
            # Anew: the session stands wherever the line was rejected.
            with self._connected(switch) as session:
                raise Rejected(rejected + self._lead_back(session, switch, before))

        return self._try(wanted, apply)

    def put_back(self, before: Sequence[tuple[Switch, str]]) -> Mapping[str, str]:
        """Lead devices back to an earlier configuration; device → what went wrong."""

        def put_back(switch: Switch, config: str) -> None:
            with self._connected(switch) as session:
                if left := self._lead_back(session, switch, config):
                    raise Rejected(left.removeprefix("; "))

        return self._try(before, put_back)

    def arm(self, switches: Sequence[Switch], seconds: int) -> None:
        """Let devices that can go back to what they have now, unless they are told to keep it.

        Where that is not set up (IOS wants `archive`), nothing happens: they are led back.
        """

        def arm(switch: Switch, _: str) -> None:
            if switch.platform.arm is not None:
                minutes = str(-(-seconds // 60))
                with self._connected(switch) as session:
                    session.send_command_timing(switch.platform.arm.replace("MINUTES", minutes))
                    session.exit_config_mode()

        self._try([(switch, "") for switch in switches], arm)

    def save(self, switches: Sequence[Switch]) -> Mapping[str, str]:
        """Let devices keep what they have over a restart; device → what went wrong."""

        def save(switch: Switch, _: str) -> None:
            platform = switch.platform
            if platform.name == "junos":  # the commit that confirms the one before
                with self._connected(switch) as session:
                    session.commit()
                return
            if platform.save is None and platform.disarm is None:
                return
            with self._connected(switch) as session:
                if platform.disarm is not None:
                    session.send_command_timing(platform.disarm)
                if platform.save is not None:
                    session.save_config()

        return self._try([(switch, "") for switch in switches], save)

    def _lead_back(self, session: Any, switch: Switch, before: str) -> str:
        """Undo what differs from an earlier configuration; what is left of it, as words."""
        language = switch.platform.language
        assert language is not None
        try:
            back = reverse(before, _show(session, switch), language)
            if back:
                _configure(session, switch, back)
            rest = reverse(before, _show(session, switch), language)
        except Exception as error:  # noqa: BLE001 - said beside what led here
            return f"; and it could not be led back: {_say(error)}"
        return f"; {len(rest)} lines still differ: {without_secrets(rest[0][-1])} …" if rest else ""

    def _try(
        self, items: Sequence[tuple[Switch, str]], do: Callable[[Switch, str], None]
    ) -> dict[str, str]:
        failed: dict[str, str] = {}
        texts = {switch.name: text for switch, text in items}

        def one(switch: Switch) -> None:
            try:
                do(switch, texts[switch.name])
            except Exception as error:  # noqa: BLE001 - of whatever kind, it is this device's
                failed[switch.name] = _say(error)

        self._each([switch for switch, _ in items], one)
        return failed

    def _each(self, switches: Sequence[Switch], do: Callable[[Switch], None]) -> None:
        if switches:
            with ThreadPoolExecutor(min(self.at_once, len(switches))) as pool:
                list(pool.map(do, switches))

    @contextmanager
    def _connected(self, switch: Switch) -> Iterator[Any]:
        from netmiko import ConnectHandler

        session = ConnectHandler(
            device_type=switch.platform.netmiko,
            host=switch.address,
            port=self.port,
            username=self.user,
            password=self.password or "",
            secret=self.enable or "",
            use_keys=self.key_file is not None and self.password is None,
            key_file=str(self.key_file) if self.key_file and self.password is None else None,
            allow_agent=self.password is None,
            ssh_strict=True,
            system_host_keys=self.known_hosts is None,
            alt_host_keys=self.known_hosts is not None,
            alt_key_file=str(self.known_hosts or ""),
            conn_timeout=self.timeout_s,
        )
        try:
            if self.enable:
                session.enable()
            yield session
        finally:
            session.disconnect()


def _show(session: Any, switch: Switch) -> str:
    return str(session.send_command(switch.platform.show))


def _configure(session: Any, switch: Switch, lines: Sequence[Line]) -> None:
    language = switch.platform.language
    assert language is not None
    typed = commands(lines, language)
    if typed:
        # Every line is waited for, but for those of a banner, which have no prompt.
        is_plain = not any(line.startswith(("banner ", "header ")) for line in typed)
        session.send_config_set(typed, error_pattern=_REJECTED, cmd_verify=is_plain)
        if hasattr(session, "commit") and switch.platform.name in ("junos", "vyos"):
            session.commit()


def _say(error: Exception) -> str:
    """The first line of what went wrong that says something, without secrets."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return without_secrets(lines[0])[:300] if lines else type(error).__name__
