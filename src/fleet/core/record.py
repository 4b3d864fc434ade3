"""Core values as plain JSON values and back.

One form for the database, the append-only history, plans and `-o json`: dates and instants as
ISO 8601 text, decimals as text, alternatives by value. A trailing underscore (`from_`) is
Python's business and is left out.
"""

import types
from collections.abc import Callable, Mapping
from dataclasses import MISSING, fields, is_dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from fleet.core.moment import parse_moment, text_of

T = TypeVar("T")
R = TypeVar("R")
Json = Any  # what json.dumps takes
Record = dict[str, Json]


def _per_class(make: Callable[[Any], R]) -> Callable[[Any], R]:
    """Work once for each class; mypy does not take classes for hashable, so no functools.cache."""
    made: dict[Any, R] = {}

    def look_up(cls: Any) -> R:
        if cls not in made:
            made[cls] = make(cls)
        return made[cls]

    return look_up


def encode(value: object) -> Json:
    """The JSON value of a core value."""
    match value:
        case None | bool() | int() | float():
            return value
        case StrEnum():
            return value.value
        case str():
            return value
        case date():
            return text_of(value)
        case Decimal():
            return f"{value:f}"
        case tuple() | list():
            return [encode(item) for item in value]
        case Mapping():
            return {str(k): encode(v) for k, v in value.items()}
        case _:
            return to_record(value)


def to_record(thing: object) -> Record:
    """All fields of a core dataclass, by their JSON names."""
    return {name: encode(getattr(thing, attribute)) for attribute, name in field_names(type(thing))}


@_per_class
def field_names(cls: Any) -> tuple[tuple[str, str], ...]:
    """(attribute, JSON name) of each field of a dataclass."""
    return tuple((f.name, f.name.rstrip("_")) for f in fields(cls))


@_per_class
def defaults(cls: Any) -> Record:
    """The JSON value of each field that need not be given."""
    found: Record = {}
    for f in fields(cls):
        if f.default is not MISSING:
            found[f.name.rstrip("_")] = encode(f.default)
        elif f.default_factory is not MISSING:
            found[f.name.rstrip("_")] = encode(f.default_factory())
    return found


@_per_class
def required(cls: Any) -> tuple[str, ...]:
    """The JSON names of the fields that must be given."""
    given = defaults(cls)
    return tuple(name for _, name in field_names(cls) if name not in given)


def from_record(cls: type[T], record: Mapping[str, Json]) -> T:
    """The core value that `to_record` turned into `record`; absent fields take defaults."""
    values = {}
    for attribute, name, decode in _decoders(cls):
        if name in record:
            value = record[name]
            values[attribute] = value if value is None or decode is None else decode(value)
    return cls(**values)


Decoder = Callable[[Any], Any]


@_per_class
def _decoders(cls: Any) -> tuple[tuple[str, str, Decoder | None], ...]:
    hints = get_type_hints(cls)
    return tuple((a, name, _decoder(hints[a])) for a, name in field_names(cls))


def _decoder(hint: Any) -> Decoder | None:
    """How to read a value of this type; None: it is a JSON value already."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        inner = [a for a in arguments if a is not type(None)]
        return parse_moment if date in inner or datetime in inner else _decoder(inner[0])
    if origin is tuple:
        item = _decoder(arguments[0])
        return tuple if item is None else lambda v: tuple(item(i) for i in v)
    if origin is not None and issubclass(origin, Mapping):
        key = arguments[0]
        return lambda v: {key(k): i for k, i in v.items()}
    if hint in (date, datetime):
        return parse_moment
    if hint is Decimal or (isinstance(hint, type) and issubclass(hint, StrEnum)):
        return hint
    if isinstance(hint, type) and is_dataclass(hint):
        return lambda v: from_record(hint, v)
    return None
