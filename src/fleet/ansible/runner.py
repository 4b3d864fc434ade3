"""Running ansible-playbook as a program, one wave at a time, and reading what it did.

Progress and outcomes come from the JSON lines of the callback `fleet.common.jsonl`, which are
written at once: they also tell what was done when Ansible was killed.
"""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fleet import shipped
from fleet.ansible.folder import FOLDER, identifier
from fleet.ansible.program import find_program
from fleet.core.rollout import Outcome, Result
from fleet.core.secrets import find_leak, hide
from fleet.core.waves import Wave
from fleet.errors import NotPermitted, Unexpected

Event = Mapping[str, Any]
_POLL_S = 0.05
# ansible-playbook's own statuses for "ran, but some hosts failed or were unreachable"
_RAN = (0, 2, 4, 6)


@dataclass(frozen=True, slots=True, kw_only=True)
class Runner:
    """Runs generated playbooks.

    Args:
        root: the workspace.
        runs: folder for events and logs.
        secrets: name → value; none of them may stand in what Ansible writes.
    """

    root: Path
    runs: Path
    secrets: Mapping[str, str]

    def run(
        self,
        playbook: str,
        wave: Wave,
        devices: Sequence[str],
        hear: Callable[[Event], None],
        *,
        tick: Callable[[], None] = lambda: None,
        is_check: bool = False,
        variables: Mapping[str, object] | None = None,
    ) -> list[Event]:
        """Run a playbook on devices of a wave.

        Args:
            hear: gets every event as it comes.
            tick: is called several times a second meanwhile.
            is_check: change nothing, only tell what would change.

        Returns:
            All events.

        Raises:
            Unexpected: Ansible did not run at all.
            NotPermitted: a secret stands in what it wrote, which was removed therefore.
        """
        self.runs.mkdir(parents=True, exist_ok=True)
        name = f"wave-{wave.number:02d}-{Path(playbook).stem}" + ("-check" if is_check else "")
        events, log = (self.runs / f"{name}.{end}" for end in ("jsonl", "log"))
        events.write_text("", encoding="utf-8")
        heard: list[Event] = []
        command = self._command(playbook, wave, devices, is_check=is_check, variables=variables)
        with log.open("w", encoding="utf-8") as output:
            # A session of its own: Ctrl-C is for fleet, which lets the devices in hand be finished.
            process = subprocess.Popen(
                command,
                cwd=self.root / FOLDER,
                env=self._environment(events),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
            try:
                for event in _follow(events, process, tick):
                    heard.append(event)
                    hear(event)
            except BaseException:
                process.terminate()
                process.wait()
                raise
        self._check_leaks(events, log)
        if process.returncode not in _RAN:
            tail = " / ".join(log.read_text(encoding="utf-8").split("\n")[-6:]).strip(" /")
            raise Unexpected(
                f"ansible-playbook ended with {process.returncode}: {tail[:500]}",
                hint=f"all of it: {log}",
            )
        return heard

    def _command(
        self,
        playbook: str,
        wave: Wave,
        devices: Sequence[str],
        *,
        is_check: bool,
        variables: Mapping[str, object] | None,
    ) -> list[str]:
        command = [str(find_program()), "-i", f"inventory/wave-{wave.number:02d}.yml", playbook]
        if set(devices) != set(wave.devices):
            command += ["--limit", ",".join(devices)]
        if is_check:
            command.append("--check")
        if variables:
            command += ["-e", json.dumps(dict(variables))]
        return command

    def _check_leaks(self, *paths: Path) -> None:
        for path in paths:
            text = path.read_text(encoding="utf-8", errors="replace")
            if leak := find_leak(text, self.secrets):
                path.write_text(hide(text, self.secrets), encoding="utf-8")
                raise NotPermitted(
                    f"Ansible wrote the secret {leak} into {path.name}; it was taken out there",
                    hint="the template shows it: set no_log where that is, or change the secret",
                )

    def _environment(self, events: Path) -> dict[str, str]:
        home = Path.home() / ".ansible" / "collections"
        collections = [shipped.collections(), self.root / FOLDER / "collections", home]
        extra = os.environ.get("ANSIBLE_COLLECTIONS_PATH")
        paths = [str(path) for path in collections] + ([extra] if extra else [])
        return {
            **os.environ,
            "ANSIBLE_CONFIG": "ansible.cfg",
            "ANSIBLE_COLLECTIONS_PATH": ":".join(paths),
            "ANSIBLE_CALLBACKS_ENABLED": "fleet.common.jsonl",
            "ANSIBLE_NOCOWS": "1",
            "ANSIBLE_NOCOLOR": "1",
            "FLEET_EVENTS": str(events.absolute()),
            "FLEET_PID": str(os.getpid()),
            "LC_ALL": "C.UTF-8",
        }


def _follow(
    path: Path, process: "subprocess.Popen[bytes]", tick: Callable[[], None]
) -> Iterator[Event]:
    """The events as they are written, until the process has ended and all are read."""
    with path.open(encoding="utf-8") as file:
        rest = ""
        while True:
            has_ended = process.poll() is not None
            rest += file.read()
            *lines, rest = rest.split("\n")
            for line in lines:
                with suppress(ValueError):  # a line that was cut short by a kill
                    yield json.loads(line)
            if has_ended:
                return
            tick()
            time.sleep(_POLL_S)


def read_outcomes(
    events: Sequence[Event], wave: int, needed: Mapping[str, Sequence[str]]
) -> list[Outcome]:
    """What became of each baseline on each device.

    Args:
        needed: device → the baselines that were to change it.
    """
    results: dict[tuple[str, str], tuple[Result, str | None]] = {}
    for event in events:
        if event["event"] not in _RESULTS or event.get("ignored"):
            continue
        for baseline in needed.get(event["host"], ()):
            if (result := _result(event, baseline)) is not None:
                key = (event["host"], baseline)
                before = results.get(key, (Result.OK, None))
                if _RANK[result] >= _RANK[before[0]]:
                    is_failure = result in (Result.FAILED, Result.UNREACHABLE)
                    said = f"{event['task']}: {event.get('message') or result.value}"
                    results[key] = (result, said if is_failure else None)
    return [
        Outcome(wave=wave, baseline=baseline, device=device, result=result, message=message)
        for device, baselines in needed.items()
        for baseline in baselines
        for result, message in [results.get((device, baseline), (Result.NOT_RUN, None))]
    ]


def _result(event: Event, baseline: str) -> Result | None:
    """What an event says of a baseline; None: it is about another one."""
    result = _RESULTS[event["event"]]
    if result in (Result.FAILED, Result.UNREACHABLE):
        return result  # the device is not tried any further
    if parts := event.get("parts"):
        changed = parts.get(baseline, False)
    elif event.get("role") in ("fleet_rollout", f"fleet_{identifier(baseline)}"):
        changed = event.get("changed")
    else:
        return None
    return Result.CHANGED if changed else result


_RESULTS = {
    "ok": Result.OK,
    "skipped": Result.OK,
    "failed": Result.FAILED,
    "unreachable": Result.UNREACHABLE,
}
_RANK = {r: i for i, r in enumerate((Result.OK, Result.CHANGED, Result.FAILED, Result.UNREACHABLE))}
