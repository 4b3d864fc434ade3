"""The cooperation's books: files beside the inventory that reports need, and nobody else.

They have one source, and nothing has to be reconciled: so they are read when they are needed.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic import ValidationError

from fleet.sources.files import closest, explain, read_list
from fleet.sources.problem import Problem, refuse
from fleet.sources.schema import Entry
from fleet.sources.yaml12 import Mapping as Written

T = TypeVar("T")
_LABELS = ("slug", "model", "name", "member")  # how messages call an entry


class Reference(NamedTuple):
    """That an entry names something that has to be there."""

    field: str
    kind: str
    key: str


class BookEntry(Entry, ABC, Generic[T]):
    """An entry of a book."""

    @abstractmethod
    def value(self) -> T:
        """What it says.

        Raises:
            ValueError: it makes no sense.
        """

    def references(self) -> Iterator[Reference]:
        """What it names."""
        yield from ()

    def identity(self) -> object:
        """What no other entry may have; None: there may be others like it."""
        return None


def read_book(
    path: Path, root: Path, entry: type[BookEntry[T]], known: Mapping[str, Iterable[str]]
) -> list[T]:
    """The entries of a book, in their order; none if there is no such file.

    Args:
        path: of the file; its name is also that of its list.
        root: the workspace; messages show paths relative to it.
        known: by kind, what entries may refer to.

    Raises:
        Malformed: with every problem of the file.
    """
    if not path.is_file():
        return []
    name = str(path.relative_to(root))
    items, problems = read_list(path, name, path.stem)
    found: list[T] = []
    seen: dict[object, int] = {}
    for item in items:
        if not isinstance(item, Written):
            problems.append(Problem(name, None, f"`{item}` is not an entry with fields"))
            continue
        label = next((item[name] for name in _LABELS if item.get(name)), None)
        try:
            read = entry.model_validate(dict(item))
            found.append(read.value())
        except ValidationError as error:
            problems += explain(name, item, label, entry, error)
        except ValueError as error:
            problems.append(Problem(name, item.line, f"{label}: {error}" if label else f"{error}"))
        else:
            problems += _dangling(name, item, label, read, known)
            problems += _doubled(name, item, read.identity(), seen)
    refuse(problems, name)
    return found


def _dangling(
    name: str,
    item: Written,
    label: Any,
    read: BookEntry[T],
    known: Mapping[str, Iterable[str]],
) -> Iterator[Problem]:
    for field, kind, key in read.references():
        if key not in (there := known[kind]):
            message = f"{label}: there is no {kind} `{key}`"
            yield Problem(name, item.lines.get(field, item.line), message, closest(key, there))


def _doubled(
    name: str, item: Written, identity: object, seen: dict[object, int]
) -> Iterator[Problem]:
    if identity is not None and (before := seen.setdefault(identity, item.line)) != item.line:
        shown = ", ".join(map(str, identity)) if isinstance(identity, tuple) else identity
        hint = f"it is also at {name}:{before}"
        yield Problem(name, item.line, f"`{shown}` is there twice", hint)
