"""One of a kind at a time in a workspace; a lock ends with its process."""

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fleet.core.journal import Holder
from fleet.errors import Locked, NotPermitted


@contextmanager
def lock(state: Path, name: str, what: str, actor: str | None = None) -> Iterator[None]:
    """Hold a lock.

    Args:
        state: the workspace's folder for what fleet keeps itself.
        name: of the lock.
        what: is under way, for the message.
        actor: who holds it, for those who come second.

    Raises:
        Locked: another process holds it.
        NotPermitted: the folder cannot be written.
    """
    try:
        state.mkdir(parents=True, exist_ok=True)
        file = (state / f"{name}.lock").open("a+")
    except OSError as error:
        raise NotPermitted(f"cannot write into {state}: {error.strerror}") from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            holder = f" ({file.read(200).strip()})" if actor else ""
            raise Locked(
                f"another {what} is under way in this workspace{holder}",
                hint="wait until it has ended",
            ) from error
        if actor:
            file.truncate(0)
            file.write(f"{actor}, process {os.getpid()}")
            file.flush()
        try:
            yield
        finally:
            if actor:
                file.truncate(0)


def is_dead(holder: Holder) -> bool:
    """Whether the process that holds a lock is known to have ended: it ran here."""
    if holder.host != socket.gethostname():
        return False
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False
