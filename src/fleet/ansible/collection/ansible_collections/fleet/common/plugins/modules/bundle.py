#!/usr/bin/python
# Copyright: the fleet authors
# GNU General Public License v3.0 or later (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All files of a change on one machine, in one go: all of them or none."""

from __future__ import annotations

DOCUMENTATION = r"""
module: bundle
short_description: brings the files of several baselines onto a machine, all or none
description:
  - Writes every file beside its place first, has it validated there, and only then puts all of
    them into their places, each by one rename. Then it runs the commands and restarts the services
    that belong to what changed, each once. If anything of that fails, all files are put back.
  - What was there before is kept on the machine, so that O(state=reverted) can put it back later.
  - A change that was cut off by a crash of the machine is undone by the next call.
options:
  change:
    description: The name of the change, under which the files from before are kept.
    type: str
    required: true
  parts:
    description: The baselines.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description: Of the baseline.
        type: str
        required: true
      secret:
        description: Whether a content holds a secret. Then no difference is given out.
        type: bool
        default: false
      files:
        description: What is to be where. V(content) without a value means that no file is to be there.
        type: list
        elements: dict
        required: true
        suboptions:
          path: {description: Absolute., type: path, required: true}
          content: {description: Its text., type: str}
          owner: {description: User., type: str, default: root}
          group: {description: Group., type: str, default: root}
          mode: {description: Octal., type: str, default: "0644"}
          validate: {description: A command that accepts the file C(%s)., type: str}
      run:
        description: Commands after a change, before services are restarted; each must succeed.
        type: list
        elements: str
        default: []
      restart:
        description: Services that are restarted after a change and must be running then.
        type: list
        elements: str
        default: []
  state:
    description: Whether the files are to be as said, or as they were before the change.
    type: str
    choices: [present, reverted]
    default: present
  confirm_s:
    description:
      - After so many seconds the machine takes the change back by itself, unless it was confirmed by
        a file C(confirmed) in the folder of the change. 0 means never.
    type: int
    default: 0
  root:
    description: A folder that is taken for C(/); nothing is run or restarted then.
    type: str
    default: ""
  keep:
    description: The folder in which the files from before are kept.
    type: path
    default: /var/lib/fleet
author: [The fleet authors (@fleet)]
"""

EXAMPLES = r"""
- name: Bring the time servers
  fleet.common.bundle:
    change: 3f2a9c81d0e4
    parts:
      - name: ntp
        files:
          - path: /etc/systemd/timesyncd.conf.d/50-fleet.conf
            content: "[Time]\nNTP=10.1.1.1\n"
        restart: [systemd-timesyncd]
"""

RETURN = r"""
parts:
  description: Whether something changed, by baseline.
  type: dict
  returned: always
restarted:
  description: The services that were restarted.
  type: list
  returned: always
"""

import errno
import fcntl
import grp
import hashlib
import json
import os
import pwd
import shlex
import shutil
import signal
import stat
import subprocess
import time

from ansible.module_utils.basic import AnsibleModule

WAIT_S = 60
KEPT_CHANGES = 10


class Failed(Exception):
    pass


def say(error):
    """An error of the operating system as people read it."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full: %s" % error
    return str(error)


def look(path):
    """What is at a path: (kind, data); kind is absent, file, link or other."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return "absent", b""
    if stat.S_ISLNK(found.st_mode):
        return "link", os.readlink(path).encode()
    if stat.S_ISREG(found.st_mode):
        with open(path, "rb") as file:
            return "file", file.read()
    return "other", b""


def digest(kind, data):
    return kind + ":" + hashlib.sha256(data).hexdigest()


def synced(path, data, mode=0o600):
    """Write a new file to the disk."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_NOFOLLOW", 0), mode)
    with os.fdopen(handle, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def run(command):
    """Run a command; Failed with what it said if it did not succeed."""
    try:
        done = subprocess.run(
            shlex.split(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=120, check=False, close_fds=True,
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise Failed("%s: %s" % (command, error)) from error
    if done.returncode:
        said = done.stdout.decode("utf-8", "replace").strip()[-400:]
        raise Failed("%s ended with %d: %s" % (command, done.returncode, said))


def restart(service):
    """Restart a service; Failed unless it is running afterwards."""
    if os.path.isdir("/run/systemd/system"):
        run("systemctl restart " + shlex.quote(service))
        run("systemctl is-active --quiet " + shlex.quote(service))
    else:
        run("service %s restart" % shlex.quote(service))
        run("service %s status" % shlex.quote(service))


class Record:
    """What one go of a change did on this machine, kept in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        self.path = os.path.join(folder, "record.json")
        self.data = {"state": "new", "files": [], "folders": [], "run": [], "restart": []}
        if os.path.exists(self.path):
            with open(self.path, "rb") as file:
                self.data = json.load(file)

    @property
    def is_confirmed(self):
        return os.path.exists(os.path.join(self.folder, "confirmed"))

    def write(self, state):
        self.data["state"] = state
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        part = self.path + ".part"
        synced(part, json.dumps(self.data).encode())
        os.replace(part, self.path)

    def check_ours(self):
        """Failed if somebody else changed a file since."""
        for item in self.data["files"]:
            if digest(*look(item["path"])) not in (item["after"], item["before"]):
                raise Failed("%s was changed by somebody else since; nothing was put back" % item["path"])

    def put_back(self):
        """Put everything back; whether something changed."""
        changed = False
        for item in self.data["files"]:
            changed = self._restore(item) or changed
            if os.path.lexists(item["staged"]):
                os.unlink(item["staged"])
        for folder in reversed(self.data["folders"]):
            try:
                os.rmdir(folder)
            except OSError:
                pass  # somebody else's files are in it by now
        return changed

    def _restore(self, item):
        path, staged = item["path"], item["staged"]
        is_same = digest(*look(path)) == item["before"]
        if item["kind"] == "file":
            found = os.lstat(path) if is_same else None
            is_same = found and [found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)] == item["was"]
        if is_same:
            return False
        if item["kind"] == "absent":
            os.unlink(path)
            return True
        if os.path.lexists(staged):
            os.unlink(staged)
        if item["kind"] == "link":
            os.symlink(item["target"], staged)
        else:
            self._stage_saved(item)
        os.replace(staged, path)
        return True

    def _stage_saved(self, item):
        saved, staged = os.path.join(self.folder, item["saved"]), item["staged"]
        with open(saved, "rb") as file:
            synced(staged, file.read())
        uid, gid, mode = item["was"]
        if os.geteuid() == 0:
            os.chown(staged, uid, gid)
        os.chmod(staged, mode)
        _copy_context(saved, staged)

    def restart_all(self):
        """Let the services see the files from before; what went wrong with it."""
        failed = []
        for do, what in [(run, c) for c in self.data["run"]] + [
            (restart, s) for s in self.data["restart"]
        ]:
            try:
                do(what)
            except Failed as error:
                failed.append(str(error))
        return failed


def _copy_context(source, target):
    try:
        os.setxattr(target, "security.selinux", os.getxattr(source, "security.selinux"))
    except (OSError, AttributeError):
        pass  # no SELinux here


class Bundle:
    def __init__(self, module):
        self.module = module
        given = module.params
        self.root = given["root"].rstrip("/")
        self.keep = self.root + given["keep"] if self.root else given["keep"]
        self.change = given["change"]
        self.parts = given["parts"]
        self.restarted = []

    def place(self, path):
        return self.root + path if self.root else path

    def differences(self):
        """(part, file, kind, data) of every file that is not as it should be."""
        found = []
        for part in self.parts:
            for file in part["files"]:
                path = self.place(file["path"])
                kind, data = look(path)
                if kind == "other":
                    raise Failed("%s is a folder or a special file" % path)
                if self.is_right(file, path, kind, data):
                    continue
                found.append((part, file, kind, data))
        return found

    def is_right(self, file, path, kind, data):
        if file["content"] is None:
            return kind == "absent"
        if kind != "file" or data != file["content"].encode():
            return False
        found = os.lstat(path)
        if stat.S_IMODE(found.st_mode) != int(file["mode"], 8):
            return False
        return bool(self.root) or (found.st_uid, found.st_gid) == self.owner(file)

    def owner(self, file):
        try:
            return pwd.getpwnam(file["owner"]).pw_uid, grp.getgrnam(file["group"]).gr_gid
        except KeyError as error:
            raise Failed("%s: %s" % (file["path"], error)) from error

    def stage(self, record, found):
        """Save what is there, and write what is to be there beside it."""
        os.makedirs(record.folder, mode=0o700)
        for number, (_, file, kind, data) in enumerate(found):
            record.data["files"].append(self.save(record, number, file, kind, data))
        record.write("pending")
        for item, (_, file, kind, _) in zip(record.data["files"], found):
            self.make_folders(record, os.path.dirname(item["path"]))
            if file["content"] is not None:
                self.write_staged(item, file, kind)

    def save(self, record, number, file, kind, data):
        path = self.place(file["path"])
        content = file["content"]
        item = {
            "path": path, "kind": kind, "before": digest(kind, data), "saved": str(number),
            "staged": "%s/.fleet-%s-%d" % (os.path.dirname(path), self.change, number),
            "after": digest("absent", b"") if content is None else digest("file", content.encode()),
        }
        if kind == "file":
            now = os.lstat(path)
            item["was"] = [now.st_uid, now.st_gid, stat.S_IMODE(now.st_mode)]
            saved = os.path.join(record.folder, str(number))
            synced(saved, data)
            _copy_context(path, saved)
        elif kind == "link":
            item["target"] = data.decode()
        return item

    def make_folders(self, record, folder):
        missing = []
        while not os.path.isdir(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        for folder in reversed(missing):
            os.mkdir(folder)
            os.chmod(folder, 0o755)
            record.data["folders"].append(folder)
            record.write("pending")

    def write_staged(self, item, file, kind):
        staged = item["staged"]
        if os.path.lexists(staged):
            os.unlink(staged)
        synced(staged, file["content"].encode())
        if not self.root:
            os.chown(staged, *self.owner(file))
        os.chmod(staged, int(file["mode"], 8))
        if self.module.selinux_enabled():
            context = (self.module.selinux_context(item["path"]) if kind == "file"
                       else self.module.selinux_default_context(item["path"]))
            self.module.set_context_if_different(staged, context, False)
        if file.get("validate"):
            run(file["validate"].replace("%s", shlex.quote(staged)))

    def apply(self, found):
        changed = [part["name"] for part, _, _, _ in found]
        parts = [p for p in self.parts if p["name"] in changed]
        record = self.new_record()
        if not self.root:
            record.data["run"] = unique(c for p in parts for c in p.get("run") or [])
            record.data["restart"] = unique(s for p in parts for s in p.get("restart") or [])
        try:
            self.stage(record, found)
        except (OSError, Failed) as error:
            record.put_back()
            shutil.rmtree(record.folder, ignore_errors=True)
            raise Failed("nothing was changed: " + say(error)) from error
        try:
            for item in record.data["files"]:
                if item["after"].startswith("absent"):
                    os.unlink(item["path"])
                else:
                    os.replace(item["staged"], item["path"])
            for command in record.data["run"]:
                run(command)
            for service in record.data["restart"]:
                restart(service)
                self.restarted.append(service)
            record.data["confirm_by"] = time.time() + self.module.params["confirm_s"]
            record.write("done")
        except (OSError, Failed) as error:
            record.put_back()
            failed = record.restart_all()
            record.write("reverted")
            also = "; and then: " + "; ".join(failed) if failed else ""
            raise Failed("all files are as before: " + say(error) + also) from error
        return record

    def new_record(self):
        folder = self.change_folder()
        numbers = [int(n) for n in os.listdir(folder) if n.isdigit()] if os.path.isdir(folder) else []
        return Record(os.path.join(folder, "%04d" % (max(numbers, default=0) + 1)))

    def change_folder(self):
        return os.path.join(self.keep, "changes", self.change)

    def records(self, change):
        """The goes of a change, the last one first."""
        folder = os.path.join(self.keep, "changes", change)
        names = os.listdir(folder) if os.path.isdir(folder) else []
        return [Record(os.path.join(folder, n)) for n in sorted(names, reverse=True) if n.isdigit()]

    def revert(self):
        """Put back what was there before the change; whether something changed."""
        records = [r for r in self.records(self.change) if r.data["state"] == "done"]
        for record in records[:1]:
            record.check_ours()
        if self.module.check_mode:
            return any(digest(*look(i["path"])) != i["before"] for r in records for i in r.data["files"])
        failed = []
        changed = False
        for record in records:
            changed = record.put_back() or changed
            record.write("reverted")
        for record in records if changed else []:
            failed += record.restart_all()
            self.restarted += record.data["restart"]
        if failed:
            raise Failed("the files are as before, but: " + "; ".join(failed))
        return changed

    def recover(self):
        """Undo what the machine's own end cut off in the middle."""
        folder = os.path.join(self.keep, "changes")
        for name in sorted(os.listdir(folder)) if os.path.isdir(folder) else []:
            for record in self.records(name):
                if record.data["state"] == "pending":
                    record.put_back()
                    record.restart_all()
                    record.write("reverted")

    def forget_old(self):
        folder = os.path.join(self.keep, "changes")
        paths = [os.path.join(folder, name) for name in os.listdir(folder)]
        paths = [p for p in paths if os.path.basename(p) != self.change]
        for path in sorted(paths, key=os.path.getmtime)[:1 - KEPT_CHANGES]:
            shutil.rmtree(path, ignore_errors=True)

    def watch(self, record):
        """Leave a process behind that takes the change back unless it is confirmed in time."""
        if os.fork():
            return
        os.setsid()
        if os.fork():
            os._exit(0)
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        os.closerange(3, 256)
        os.chdir("/")
        try:
            while time.time() < record.data["confirm_by"]:
                time.sleep(0.5)
                if record.is_confirmed or not os.path.exists(record.path):
                    return
            with locked(self.keep, 3600):
                if Record(record.folder).data["state"] == "done" and not record.is_confirmed:
                    record.put_back()
                    record.restart_all()
                    record.write("reverted")
        finally:
            os._exit(0)


def unique(items):
    return list(dict.fromkeys(items))


class locked:
    """One change at a time on a machine."""

    def __init__(self, keep, wait_s):
        self.keep, self.wait_s = keep, wait_s

    def __enter__(self):
        os.makedirs(os.path.join(self.keep, "changes"), mode=0o700, exist_ok=True)
        self.file = open(os.path.join(self.keep, "lock"), "w")
        deadline = time.time() + self.wait_s
        while True:
            try:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError as error:
                if time.time() > deadline:
                    raise Failed("another change is being made on this machine") from error
                time.sleep(0.2)

    def __exit__(self, *_):
        self.file.close()


def shown(part, file, kind, data):
    """A difference as `--diff` prints it."""
    if part.get("secret"):
        return {"prepared": "%s differs; it holds a secret\n" % file["path"]}
    before = data.decode("utf-8", "replace") if kind == "file" else ""
    after = file["content"] or ""
    head = file["path"] if kind == "file" else "/dev/null"
    return {"before": before, "after": after, "before_header": head, "after_header": file["path"]}


def main():
    file = {
        "path": {"type": "path", "required": True}, "content": {"type": "str"},
        "owner": {"type": "str", "default": "root"}, "group": {"type": "str", "default": "root"},
        "mode": {"type": "str", "default": "0644"}, "validate": {"type": "str"},
    }
    part = {
        "name": {"type": "str", "required": True}, "secret": {"type": "bool", "default": False},
        "files": {"type": "list", "elements": "dict", "required": True, "options": file},
        "run": {"type": "list", "elements": "str", "default": []},
        "restart": {"type": "list", "elements": "str", "default": []},
    }
    module = AnsibleModule(
        argument_spec={
            "change": {"type": "str", "required": True},
            "parts": {"type": "list", "elements": "dict", "default": [], "options": part},
            "state": {"type": "str", "choices": ["present", "reverted"], "default": "present"},
            "confirm_s": {"type": "int", "default": 0},
            "root": {"type": "str", "default": ""},
            "keep": {"type": "path", "default": "/var/lib/fleet"},
        },
        supports_check_mode=True,
        no_log=True,  # the target's journal is no place for contents
    )
    # What was given is not given back: contents may be secret.
    invocation = {"module_args": {"change": module.params["change"]}}
    bundle = Bundle(module)
    bundle.root = os.path.abspath(os.path.expanduser(bundle.root)) if bundle.root else ""
    if bundle.root:
        bundle.keep = bundle.root + module.params["keep"]
    try:
        result = go(module, bundle)
    except (Failed, OSError) as error:
        module.fail_json(msg=say(error), invocation=invocation)
    module.exit_json(invocation=invocation, **result)


def go(module, bundle):
    if module.check_mode:
        if module.params["state"] == "reverted":
            return {"changed": bundle.revert(), "parts": {}, "restarted": []}
        return outcome(bundle, bundle.differences())
    # From here on it goes to its end, or back: a connection that is cut does not stop it.
    for number in (signal.SIGHUP, signal.SIGPIPE, signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: None)  # not SIG_IGN, which services would inherit
    with locked(bundle.keep, WAIT_S):
        bundle.recover()
        if module.params["state"] == "reverted":
            changed = bundle.revert()
            return {"changed": changed, "parts": {}, "restarted": bundle.restarted}
        found = bundle.differences()
        result = outcome(bundle, found)
        if found:
            record = bundle.apply(found)
            bundle.forget_old()
            if module.params["confirm_s"]:
                bundle.watch(record)
        return dict(result, restarted=bundle.restarted)


def outcome(bundle, found):
    names = {part["name"] for part, _, _, _ in found}
    return {
        "changed": bool(found),
        "parts": {part["name"]: part["name"] in names for part in bundle.parts},
        "restarted": [],
        "diff": [shown(*item) for item in found],
    }


if __name__ == "__main__":
    main()
