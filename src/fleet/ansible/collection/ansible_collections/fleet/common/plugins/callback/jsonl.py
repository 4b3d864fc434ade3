# Copyright: the fleet authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One line of JSON for every finished task on every host."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: jsonl
type: notification
short_description: events as JSON lines
description:
  - Appends one JSON object for each finished task on each host to the file named by FLEET_EVENTS.
requirements:
  - enable it in C(callbacks_enabled)
options: {}
"""


def _end_with_parent():
    """Let this process be told to end when the one that started it is gone."""
    parent = os.environ.get("FLEET_PID")
    if not parent or not sys.platform.startswith("linux"):
        return
    ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PR_SET_PDEATHSIG, prctl(2)
    if os.getppid() != int(parent):
        os.kill(os.getpid(), signal.SIGTERM)


def warm_up(variables):
    """Load the plugins of a host's connection, and all filters and tests; nothing is run."""
    from ansible.parsing.dataloader import DataLoader
    from ansible.plugins.loader import action_loader, become_loader, connection_loader
    from ansible.template import Templar, trust_as_template

    connection_loader.get(str(variables.get("ansible_connection", "ssh")), class_only=True)
    action_loader.get("ansible.builtin.normal", class_only=True)
    if variables.get("ansible_become"):
        become_loader.get("sudo", class_only=True)
    text = trust_as_template("{{ [1] | select | list | default(0) }}")
    Templar(loader=DataLoader(), variables={}).template(text)


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "fleet.common.jsonl"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self):
        super().__init__()
        path = os.environ.get("FLEET_EVENTS")
        self.disabled = not path
        self._file = open(path, "a", buffering=1, encoding="utf-8") if path else None
        self._play = None
        self._variables = None
        _end_with_parent()

    def _write(self, **event):
        if self._file is not None:
            self._file.write(json.dumps(event, ensure_ascii=False, default=str) + "\n")

    def _result(self, event, result, ignored=False):
        data = result._result
        hidden = result._task.no_log or data.get("_ansible_no_log")
        self._write(
            event=event,
            play=self._play,
            host=result._host.get_name(),
            task=result._task.get_name().rpartition(" : ")[2],
            changed=bool(data.get("changed")),
            ignored=ignored,
            role=result._task._role.get_name() if result._task._role else None,
            parts=data.get("parts"),
            message=None if hidden else self._message(data),
        )

    @staticmethod
    def _message(data):
        for name in ("msg", "stderr", "module_stderr"):
            if data.get(name):
                return str(data[name])[:2000]
        return None

    def v2_playbook_on_play_start(self, play):
        self._play = play.get_name()
        hosts = [str(host) for host in play.get_variable_manager().get_vars(play=play).get("ansible_play_hosts_all", [])]
        self._write(event="play", play=self._play, hosts=hosts)
        self._variables = play.get_variable_manager()

    def v2_runner_on_start(self, host, task):
        """Load once what every worker would load for itself: they are forks of this process."""
        if self._variables is None or self.disabled:
            return
        variables, self._variables = self._variables, None
        try:
            warm_up(variables.get_vars(host=host, task=task))
        except Exception:  # who needs something loads it, and says what is wrong with it
            self._display.vvv("fleet.common.jsonl could not load plugins ahead of the workers")

    def v2_runner_on_ok(self, result):
        self._result("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._result("failed", result, ignored=bool(ignore_errors))

    def v2_runner_on_unreachable(self, result):
        self._result("unreachable", result)

    def v2_runner_on_skipped(self, result):
        self._result("skipped", result)
