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

    def v2_runner_on_ok(self, result):
        self._result("ok", result)

    def v2_runner_on_failed(self, result, ignore_errors=False):
        self._result("failed", result, ignored=bool(ignore_errors))

    def v2_runner_on_unreachable(self, result):
        self._result("unreachable", result)

    def v2_runner_on_skipped(self, result):
        self._result("skipped", result)
