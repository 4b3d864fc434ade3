"""The cooperation's books, each read when it is first asked for."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TypeVar

from fleet.core.capacity import Capacity
from fleet.core.cost_line import CostLine, Index
from fleet.core.figures import Series
from fleet.core.inventory import KINDS, Inventory
from fleet.core.invoice import Party
from fleet.core.procurement import Agreement
from fleet.core.replacement import Model
from fleet.core.training import Course
from fleet.sources.books import BookEntry, read_book
from fleet.sources.capacity_books import CapacityEntry
from fleet.sources.cost_books import CostLineEntry, IndexEntry, PartyEntry
from fleet.sources.figure_books import SeriesEntry
from fleet.sources.purchase_books import AgreementEntry, ModelEntry
from fleet.sources.training_books import CourseEntry

T = TypeVar("T")


class Books:
    """What the cooperation writes down beside its inventory.

    Args:
        folder: the workspace's `inventory/`.
        root: the workspace; messages show paths relative to it.
        inventory: what entries may refer to.

    Raises:
        Malformed: by each book, with every problem of its file.
    """

    def __init__(self, folder: Path, root: Path, inventory: Inventory) -> None:
        self._folder, self._root, self._inventory = folder, root, inventory

    @cached_property
    def indexes(self) -> Mapping[str, Index]:
        return {index.slug: index for index in self._read("indexes", IndexEntry)}

    @cached_property
    def parties(self) -> Mapping[str, Party]:
        return {party.member: party for party in self._read("parties", PartyEntry)}

    @cached_property
    def costs(self) -> Sequence[CostLine]:
        return self._read("costs", CostLineEntry)

    @cached_property
    def agreements(self) -> Sequence[Agreement]:
        return self._read("agreements", AgreementEntry)

    @cached_property
    def models(self) -> Mapping[str, Model]:
        return {model.model: model for model in self._read("models", ModelEntry)}

    @cached_property
    def capacities(self) -> Sequence[Capacity]:
        return self._read("capacity", CapacityEntry)

    @cached_property
    def courses(self) -> Sequence[Course]:
        return self._read("courses", CourseEntry)

    @cached_property
    def figures(self) -> Sequence[Series]:
        return self._read("figures", SeriesEntry)

    def check(self) -> None:
        """Read all of them."""
        for name, value in vars(type(self)).items():
            if isinstance(value, cached_property):
                getattr(self, name)

    def _read(self, name: str, entry: type[BookEntry[T]]) -> list[T]:
        known: dict[str, Mapping[str, object]] = {
            kind: self._inventory.of_kind(kind) for kind in KINDS
        }
        if entry is CostLineEntry:
            known["index"] = self.indexes
        return read_book(self._folder / f"{name}.yaml", self._root, entry, known)
