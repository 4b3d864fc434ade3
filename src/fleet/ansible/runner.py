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
from fleet.ansible.folder import FOLDER
from fleet.ansible.program import find_program
from fleet.core.rollout import Outcome, Result, Wave
from fleet.errors import Unexpected

Event = Mapping[str, Any]
_POLL_S = 0.2
# ansible-playbook's own statuses for "ran, but some hosts failed or were unreachable"
_RAN = (0, 2, 4, 6)


@dataclass(frozen=True, slots=True)
class Runner:
    """Runs generated playbooks.

    Args:
        root: the workspace.
        runs: folder for events and logs.
    """

    root: Path
    runs: Path

    def run(
        self, wave: Wave, baselines: Sequence[str], hear: Callable[[Event], None]
    ) -> list[Outcome]:
        """Run the playbooks of some baselines on one wave.

        Args:
            hear: gets every event as it comes.

        Returns:
            One outcome for each baseline and device of the wave.

        Raises:
            Unexpected: Ansible did not run at all.
        """
        self.runs.mkdir(parents=True, exist_ok=True)
        events = self.runs / f"wave-{wave.number:02d}.jsonl"
        log = self.runs / f"wave-{wave.number:02d}.log"
        events.write_text("", encoding="utf-8")
        command = [
            str(find_program()),
            "-i",
            f"inventory/wave-{wave.number:02d}.yml",
            *(f"{name}.yml" for name in baselines),
        ]
        heard: list[Event] = []
        with log.open("w", encoding="utf-8") as output:
            process = subprocess.Popen(
                command,
                cwd=self.root / FOLDER,
                env=self._environment(events),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
            )
            try:
                for event in _follow(events, process):
                    heard.append(event)
                    hear(event)
            except BaseException:
                process.terminate()
                process.wait()
                raise
        if process.returncode not in _RAN:
            tail = " / ".join(log.read_text(encoding="utf-8").split("\n")[-6:]).strip(" /")
            raise Unexpected(
                f"ansible-playbook ended with {process.returncode}: {tail[:500]}",
                hint=f"all of it: {log}",
            )
        return read_outcomes(heard, wave, baselines)

    def _environment(self, events: Path) -> dict[str, str]:
        home = Path.home() / ".ansible" / "collections"
        collections = [shipped.collections(), self.root / FOLDER / "collections", home]
        return {
            **os.environ,
            "ANSIBLE_CONFIG": "ansible.cfg",
            "ANSIBLE_COLLECTIONS_PATH": ":".join(map(str, collections)),
            "ANSIBLE_CALLBACKS_ENABLED": "fleet.common.jsonl",
            "ANSIBLE_NOCOWS": "1",
            "ANSIBLE_NOCOLOR": "1",
            "FLEET_EVENTS": str(events.absolute()),
            "LC_ALL": "C.UTF-8",
        }


def _follow(path: Path, process: "subprocess.Popen[bytes]") -> Iterator[Event]:
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
            time.sleep(_POLL_S)


def read_outcomes(events: Sequence[Event], wave: Wave, baselines: Sequence[str]) -> list[Outcome]:
    """What became of each baseline on each device of a wave.

    A device that failed in one baseline is not tried in the next: Ansible leaves it out.
    """
    results: dict[tuple[str, str], tuple[Result, str | None]] = {}
    for event in events:
        if event["event"] not in _RESULTS or event.get("ignored"):
            continue
        key = (_baseline(event), event["host"])
        result = _RESULTS[event["event"]]
        if result is Result.OK and event.get("changed"):
            result = Result.CHANGED
        before = results.get(key, (Result.OK, None))
        if _RANK[result] >= _RANK[before[0]]:
            is_failure = result in (Result.FAILED, Result.UNREACHABLE)
            said = f"{event['task']}: {event.get('message') or result.value}"
            results[key] = (result, said if is_failure else None)
    return [
        Outcome(wave=wave.number, baseline=baseline, device=device, result=result, message=message)
        for baseline in baselines
        for device in wave.devices
        for result, message in [results.get((baseline, device), (Result.NOT_RUN, None))]
    ]


_RESULTS = {
    "ok": Result.OK,
    "skipped": Result.OK,
    "failed": Result.FAILED,
    "unreachable": Result.UNREACHABLE,
}
_RANK = {r: i for i, r in enumerate((Result.OK, Result.CHANGED, Result.FAILED, Result.UNREACHABLE))}
_PLAY = "Roll out "


def _baseline(event: Event) -> str:
    return str(event.get("play") or "").removeprefix(_PLAY)
