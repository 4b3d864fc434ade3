"""Bars that show how far a sync has come; only on a terminal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from fleet.cli.options import is_quiet


@contextmanager
def read_counter() -> Iterator[Callable[[str, str, int], None]]:
    """Tells what is being read: source, type of objects, how many there were."""
    with _progress() as shown:
        tasks: dict[str, Any] = {}

        def heard(source: str, type_: str, number: int) -> None:
            if shown is None:
                return
            task = tasks.setdefault(source, shown.add_task(source, total=None))
            shown.update(task, advance=number, description=f"{source}: {type_}")

        yield heard


@contextmanager
def done_counter(total: int) -> Iterator[Callable[[int], None]]:
    """Tells how many of all operations were done."""
    with _progress() as shown:
        task = shown.add_task("writing", total=total) if shown is not None else None

        def heard(number: int) -> None:
            if shown is not None and task is not None:
                shown.update(task, advance=number)

        yield heard


@contextmanager
def _progress() -> Iterator[Any]:
    import sys

    if is_quiet() or not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        yield shown
