"""Polling that goes on: cycle after cycle, until somebody says stop."""

import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType

from fleet.errors import RemoteError


class Stopped(BaseException):
    """SIGTERM came in the middle of a round: it is abandoned, nothing of it is kept."""


@dataclass
class Stop:
    """Whether somebody said stop, and whether a round may be abandoned now."""

    is_wanted: bool = False
    may_abandon: bool = False

    def __call__(self, _signal: int, _frame: FrameType | None) -> None:
        self.is_wanted = True
        if self.may_abandon:
            raise Stopped

    @contextmanager
    def abandoning(self) -> Iterator[None]:
        """Inside, SIGTERM takes effect at once; outside, what is going on is finished first."""
        self.may_abandon = True
        try:
            if self.is_wanted:  # a signal that came just before
                raise Stopped
            yield
        finally:
            self.may_abandon = False


@contextmanager
def stopping() -> Iterator[Stop]:
    """Takes SIGTERM for as long as it lasts."""
    stop = Stop()
    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGTERM, before)


def watch(
    cycle: Callable[[Stop], None],
    *,
    every_s: float,
    stop: Stop,
    troubled: Callable[[Exception], None],
    cycles: int | None = None,
) -> None:
    """Run `cycle` every so many seconds.

    A cycle that takes longer than that, or a machine that slept, costs the cycles that were
    missed; they are not made up for. A database that cannot be written (a full disk, a server
    away) costs the cycle: what was seen in it stays unknown.

    Args:
        every_s: from the beginning of a cycle to the beginning of the next.
        troubled: hears what went wrong with a cycle.
        cycles: end after so many; None: only when told.
    """
    due = time.monotonic()
    done = 0
    try:
        while cycles is None or done < cycles:
            with stop.abandoning():
                time.sleep(max(0.0, due - time.monotonic()))
            try:
                cycle(stop)
            except BrokenPipeError:
                raise  # nobody reads any more what is printed
            except (RemoteError, OSError) as error:
                troubled(error)
            done += 1
            due = max(due + every_s, time.monotonic())
    except Stopped:
        return
