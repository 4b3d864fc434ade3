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
import re
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
    """An error as people read it."""
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return "the disk is full: %s" % error
    return str(error) or type(error).__name__


def now():
    """Seconds since the machine started: no change of the clock touches them."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)


def boot():
    """What tells this start of the machine from any other."""
    with open("/proc/sys/kernel/random/boot_id") as file:
        return file.read().strip()


def look(path):
    """What is at a path: (kind, data); kind is absent, file, link or other."""
    try:
        found = os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return "absent", b""
    if stat.S_ISLNK(found.st_mode):
        return "link", os.fsencode(os.readlink(path))
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


def sync_folder(path):
    """Let a rename in a folder be on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def gone(path):
    if os.path.lexists(path):
        os.unlink(path)


def run(command, is_secret=False):
    """Run a command; Failed with what it said if it did not succeed."""
    try:
        done = subprocess.run(
            shlex.split(command), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=120, check=False, close_fds=True,
        )
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise Failed("%s: %s" % (command, error)) from error
    if done.returncode:
        said = done.stdout.decode("utf-8", "replace").strip()[-400:]
        raise Failed("%s ended with %d: %s" % (
            command, done.returncode, "what it said may hold a secret" if is_secret else said))


def restart(service):
    """Restart a service; Failed unless it is running afterwards."""
    if os.path.isdir("/run/systemd/system"):
        run("systemctl restart " + shlex.quote(service))
        run("systemctl is-active --quiet " + shlex.quote(service))
    else:
        run("service %s restart" % shlex.quote(service))
        run("service %s status" % shlex.quote(service))


def copy_context(source, target):
    try:
        os.setxattr(target, "security.selinux", os.getxattr(source, "security.selinux"))
    except (OSError, AttributeError):
        pass  # no SELinux here


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

    @property
    def is_waiting(self):
        """Whether it is done, and still has to be confirmed."""
        return self.data["state"] == "done" and bool(self.data.get("confirm_by")) and not self.is_confirmed

    @property
    def is_overdue(self):
        """Whether nobody confirmed it in time, or since the machine started anew."""
        return self.is_waiting and (self.data.get("boot") != boot() or now() > self.data["confirm_by"])

    def write(self, state):
        self.data["state"] = state
        os.makedirs(self.folder, mode=0o700, exist_ok=True)
        part = self.path + ".part"
        synced(part, json.dumps(self.data).encode())
        os.replace(part, self.path)
        sync_folder(self.folder)

    def tidy(self):
        """Remove what was written beside the files, and folders that nobody needs."""
        for item in self.data["files"]:
            gone(item["staged"])
            gone(item["staged"] + ".old")
        for folder in reversed(self.data["folders"]):
            try:
                os.rmdir(folder)
            except OSError:
                pass  # somebody's files are in it by now

    def put_back(self):
        """Put everything back that is still as this change left it.

        What somebody else changed since is left alone. Returns whether something changed, and
        what went wrong or was left.
        """
        changed, left = False, []
        for item in self.data["files"]:
            try:
                changed = self._restore(item) or changed
            except (OSError, Failed) as error:
                left.append("%s: %s" % (item["path"], say(error)))
        self.tidy()
        return changed, left

    def _restore(self, item):
        path, staged = item["path"], item["staged"]
        kind, data = look(path)
        is_before = digest(kind, data) == item["before"]
        if is_before and (kind != "file" or self._attributes(path) == item["was"]):
            return False
        if not is_before and digest(kind, data) != item["after"]:
            raise Failed("it was changed by somebody else since, and is left alone")
        if item["kind"] == "absent":
            os.unlink(path)
            return True
        if os.path.lexists(staged + ".old"):
            os.replace(staged + ".old", path)  # the file itself: needs no space
            return True
        gone(staged)
        if item["kind"] == "link":
            os.symlink(os.fsdecode(bytes.fromhex(item["target"])), staged)
        else:
            saved = os.path.join(self.folder, item["saved"])
            with open(saved, "rb") as file:
                synced(staged, file.read())
            uid, gid, mode = item["was"]
            if os.geteuid() == 0:
                os.chown(staged, uid, gid)
            os.chmod(staged, mode)
            copy_context(saved, staged)
        os.replace(staged, path)
        return True

    @staticmethod
    def _attributes(path):
        found = os.lstat(path)
        return [found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)]

    def restart_all(self):
        """Let the services see the files from before; what went wrong with it."""
        failed = []
        steps = [(run, command) for command in self.data["run"]]
        steps += [(restart, service) for service in self.data["restart"]]
        for do, what in steps:
            try:
                do(what)
            except Failed as error:
                failed.append(str(error))
        return failed

    def undo(self):
        """Put back and restart; what went wrong."""
        changed, left = self.put_back()
        failed = left + (self.restart_all() if changed or self.data.get("committed") else [])
        self.data["left"] = left
        self.write("reverted")
        return failed


class Bundle:
    def __init__(self, module):
        self.module = module
        given = module.params
        self.change = given["change"]
        if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*", self.change):
            raise Failed("`%s` cannot be the name of a change" % self.change)
        self.root = os.path.abspath(os.path.expanduser(given["root"])) if given["root"] else ""
        self.keep = self.root + given["keep"]
        self.parts = given["parts"]
        self.restarted = []

    def check(self):
        """Failed if what is asked for cannot be done at all."""
        seen = set()
        for part in self.parts:
            for command in part["run"]:
                self.parsed(command)
            for file in part["files"]:
                path = file["path"]
                if not os.path.isabs(path) or path in seen:
                    raise Failed("%s: it is not absolute, or wanted twice" % path)
                seen.add(path)
                if not re.fullmatch("[0-7]{3,4}", file["mode"]):
                    raise Failed("%s: `%s` is not an octal mode" % (path, file["mode"]))
                if file.get("validate"):
                    self.parsed(file["validate"])
                if not self.root and file["content"] is not None:
                    self.owner(file)

    @staticmethod
    def parsed(command):
        try:
            shlex.split(command)
        except ValueError as error:
            raise Failed("%s: %s" % (command, error)) from error

    def place(self, path):
        return self.root + path if self.root else path

    def differences(self):
        """(part, file, kind, data) of every file that is not as it should be."""
        self.check()
        found = []
        for part in self.parts:
            for file in part["files"]:
                path = self.place(file["path"])
                kind, data = look(path)
                if kind == "other":
                    raise Failed("nothing was changed: %s is a folder or a special file" % path)
                if not self.is_right(file, path, kind, data):
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
        for item, (part, file, kind, _) in zip(record.data["files"], found):
            self.make_folders(record, os.path.dirname(item["path"]))
            if file["content"] is not None:
                self.write_staged(item, part, file, kind)

    def save(self, record, number, file, kind, data):
        path = self.place(file["path"])
        content = file["content"]
        item = {
            "path": path, "kind": kind, "before": digest(kind, data), "saved": str(number),
            "staged": "%s/.fleet-%s-%d" % (os.path.dirname(path), self.change, number),
            "after": digest("absent", b"") if content is None else digest("file", content.encode()),
        }
        if kind == "file":
            item["was"] = Record._attributes(path)
            saved = os.path.join(record.folder, str(number))
            synced(saved, data)
            copy_context(path, saved)
        elif kind == "link":
            item["target"] = data.hex()
        return item

    def make_folders(self, record, folder):
        missing = []
        while not os.path.isdir(folder):
            missing.append(folder)
            folder = os.path.dirname(folder)
        if missing:
            record.data["folders"] += reversed(missing)
            record.write("pending")
        for folder in reversed(missing):
            os.mkdir(folder)
            os.chmod(folder, 0o755)

    def write_staged(self, item, part, file, kind):
        staged = item["staged"]
        gone(staged)
        synced(staged, file["content"].encode())
        if not self.root:
            os.chown(staged, *self.owner(file))
        os.chmod(staged, int(file["mode"], 8))
        if self.module.selinux_enabled():
            path = item["path"]
            context = (self.module.selinux_context(path) if kind == "file"
                       else self.module.selinux_default_context(path))
            self.module.set_context_if_different(staged, context, False)
        if file.get("validate"):
            run(file["validate"].replace("%s", shlex.quote(staged)), part["secret"])

    def apply(self, found):
        changed = [part["name"] for part, _, _, _ in found]
        parts = [p for p in self.parts if p["name"] in changed]
        record = self.new_record()
        if not self.root:
            record.data["run"] = unique(c for p in parts for c in p["run"])
            record.data["restart"] = unique(s for p in parts for s in p["restart"])
        confirm_s = self.module.params["confirm_s"]
        record.data["boot"] = boot()
        record.data["confirm_by"] = now() + confirm_s if confirm_s else None
        try:
            self.stage(record, found)
        except Exception as error:
            record.tidy()
            shutil.rmtree(record.folder, ignore_errors=True)
            raise Failed("nothing was changed: " + say(error)) from error
        if confirm_s:
            self.watch(record)
        try:
            self.commit(record, any(p["secret"] for p in parts))
        except Exception as error:
            failed = record.undo()
            also = "; and then: " + "; ".join(failed) if failed else ""
            raise Failed("all files are as before: " + say(error) + also) from error

    def commit(self, record, is_secret):
        for item in record.data["files"]:
            if digest(*look(item["path"])) != item["before"]:
                raise Failed("%s was changed by somebody else just now" % item["path"])
            if item["kind"] in ("file", "link"):
                try:
                    os.link(item["path"], item["staged"] + ".old", follow_symlinks=False)
                except OSError:
                    pass  # a file system without links: the saved copy is used
        record.data["committed"] = True
        for item in record.data["files"]:
            if item["after"].startswith("absent"):
                os.unlink(item["path"])
            else:
                os.replace(item["staged"], item["path"])
        for folder in unique(os.path.dirname(item["path"]) for item in record.data["files"]):
            sync_folder(folder)
        for command in record.data["run"]:
            run(command, is_secret)
        for service in record.data["restart"]:
            restart(service)
            self.restarted.append(service)
        record.write("done")
        for item in record.data["files"]:
            gone(item["staged"] + ".old")

    def new_record(self):
        folder = os.path.join(self.keep, "changes", self.change)
        numbers = [int(n) for n in os.listdir(folder) if n.isdigit()] if os.path.isdir(folder) else []
        return Record(os.path.join(folder, "%04d" % (max(numbers, default=0) + 1)))

    def records(self, change):
        """The goes of a change, the last one first."""
        folder = os.path.join(self.keep, "changes", change)
        names = os.listdir(folder) if os.path.isdir(folder) else []
        return [Record(os.path.join(folder, n)) for n in sorted(names, reverse=True) if n.isdigit()]

    def changes(self):
        folder = os.path.join(self.keep, "changes")
        return sorted(os.listdir(folder)) if os.path.isdir(folder) else []

    def revert(self):
        """Put back what was there before the change; whether something changed."""
        records = [r for r in self.records(self.change) if r.data["state"] == "done"]
        newest = {}
        for record in records:
            for item in record.data["files"]:
                newest.setdefault(item["path"], item)
        for path, item in newest.items():
            if digest(*look(path)) not in (item["after"], item["before"]):
                raise Failed("%s was changed by somebody else since; nothing was put back" % path)
        if self.module.check_mode:
            return bool(records)
        failed = []
        for record in records:
            failed += record.undo()
            self.restarted += record.data["restart"]
        if failed:
            raise Failed("the files are as before, but: " + "; ".join(failed))
        return bool(records)

    def recover(self):
        """Undo what the machine's end, or nobody's confirmation, left in the middle."""
        for name in self.changes():
            for record in self.records(name):
                if record.data["state"] == "pending" or record.is_overdue:
                    record.undo()

    def forget_old(self):
        folder = os.path.join(self.keep, "changes")
        paths = [
            os.path.join(folder, name) for name in self.changes()
            if name != self.change and not any(
                r.is_waiting or r.data["state"] == "pending" for r in self.records(name))
        ]
        for path in sorted(paths, key=os.path.getmtime)[:1 - KEPT_CHANGES]:
            shutil.rmtree(path, ignore_errors=True)

    def watch(self, record):
        """Leave a process behind that takes the change back unless it is confirmed in time."""
        if os.fork():
            return
        os.setsid()
        if os.fork():
            os._exit(0)
        for number in SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        null = os.open(os.devnull, os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        os.closerange(3, 256)
        os.chdir("/")
        try:
            self._watch(record)
        finally:
            os._exit(0)

    def _watch(self, record):
        while now() < record.data["confirm_by"]:
            time.sleep(0.5)
            is_last = record.folder == self.records(self.change)[0].folder
            # A later go of the same change watches over all of it.
            if record.is_confirmed or not os.path.exists(record.path) or not is_last:
                return
        with locked(self.keep, 3600):
            for mine in self.records(self.change):
                if mine.is_waiting:
                    mine.undo()


SIGNALS = (signal.SIGHUP, signal.SIGPIPE, signal.SIGTERM, signal.SIGINT)


def unique(items):
    return list(dict.fromkeys(items))


class locked:
    """One change at a time on a machine."""

    def __init__(self, keep, wait_s):
        self.keep, self.wait_s = keep, wait_s

    def __enter__(self):
        os.makedirs(os.path.join(self.keep, "changes"), mode=0o700, exist_ok=True)
        self.file = open(os.path.join(self.keep, "lock"), "w")
        deadline = now() + self.wait_s
        while True:
            try:
                fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except OSError as error:
                if now() > deadline:
                    raise Failed("another change is being made on this machine") from error
                time.sleep(0.2)

    def __exit__(self, *_):
        self.file.close()


def shown(part, file, kind, data):
    """A difference as `--diff` prints it."""
    if part["secret"]:
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
    try:
        result = go(module, Bundle(module))
    except Failed as error:
        module.fail_json(msg=str(error), invocation=invocation)
    except Exception as error:  # whatever it is, no content is shown
        module.fail_json(msg=say(error) if isinstance(error, OSError) else type(error).__name__,
                         invocation=invocation)
    module.exit_json(invocation=invocation, **result)


def go(module, bundle):
    if module.check_mode:
        if module.params["state"] == "reverted":
            return {"changed": bundle.revert(), "parts": {}, "restarted": []}
        return outcome(bundle, bundle.differences())
    # From here on it goes to its end, or back: a connection that is cut does not stop it.
    for number in SIGNALS:
        signal.signal(number, lambda *_: None)  # not SIG_IGN, which services would inherit
    with locked(bundle.keep, WAIT_S):
        bundle.recover()
        if module.params["state"] == "reverted":
            changed = bundle.revert()
            return {"changed": changed, "parts": {}, "restarted": bundle.restarted}
        found = bundle.differences()
        result = outcome(bundle, found)
        if found:
            bundle.apply(found)
            bundle.forget_old()
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
