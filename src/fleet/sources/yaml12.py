"""YAML 1.2 with line numbers: people write `no`, `7:30` and MAC addresses and mean text.

PyYAML follows YAML 1.1, which reads those as False, 450 and a large number, and lets the last
of two equal keys win. This loader has the core schema of YAML 1.2 (null, bool, int, float),
keeps the line of every key, the written form of every number, and reports doubled keys.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from fleet.sources.problem import Problem

try:
    from yaml import CSafeLoader as _SafeLoader
except ImportError:  # PyYAML built without libyaml: the same, five times slower
    from yaml import SafeLoader as _SafeLoader  # type: ignore[assignment]


class Mapping(dict[Any, Any]):
    """A mapping that knows its line, and the line of each key."""

    __slots__ = ("line", "lines")

    def __init__(self, line: int) -> None:
        super().__init__()
        self.line = line
        self.lines: dict[Any, int] = {}


class Integer(int):
    """A whole number and how it was written, since `0042` without quotes loses its zeros."""

    written: str


class Float(float):
    """A number and how it was written, so that 1250000.10 stays exact."""

    written: str


class _Loader(_SafeLoader):
    yaml_implicit_resolvers = {}
    doubled: list[tuple[int, str, int]]


def _mapping(loader: _Loader, node: yaml.MappingNode) -> Mapping:
    own = {id(key_node) for key_node, _ in node.value}
    loader.flatten_mapping(node)  # merge keys: `<<: *other`; what is merged comes first
    found = Mapping(node.start_mark.line + 1)
    written: set[Any] = set()
    for key_node, value_node in node.value:
        key = loader.construct_object(key_node, deep=True)
        line = key_node.start_mark.line + 1
        try:
            if key in written:
                loader.doubled.append((line, str(key), found.lines[key]))
        except TypeError as error:
            raise yaml.constructor.ConstructorError(
                None, None, "a key must be text or a number", key_node.start_mark
            ) from error
        if id(key_node) in own:
            written.add(key)
        found[key] = loader.construct_object(value_node, deep=True)
        found.lines[key] = line
    return found


def _integer(_loader: _Loader, node: yaml.ScalarNode) -> Integer:
    text = node.value
    base = {"0o": 8, "0x": 16}.get(text[:2], 10)
    number = Integer(int(text[2:] if base != 10 else text, base))
    number.written = text
    return number


def _float(_loader: _Loader, node: yaml.ScalarNode) -> Float:
    number = Float(node.value.replace(".inf", "inf").replace(".Inf", "inf").replace(".nan", "nan"))
    number.written = node.value
    return number


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)
_Loader.add_constructor("tag:yaml.org,2002:int", _integer)
_Loader.add_constructor("tag:yaml.org,2002:float", _float)
for _tag, _pattern, _first in (
    ("null", r"~|null|Null|NULL|", ["~", "n", "N", ""]),
    ("bool", r"true|True|TRUE|false|False|FALSE", list("tTfF")),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", list("-+0123456789")),
    (
        "float",
        r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?|[-+]?\.(inf|Inf)|\.nan",
        list("-+0123456789."),
    ),
    ("merge", r"<<", ["<"]),
):
    _Loader.add_implicit_resolver(
        f"tag:yaml.org,2002:{_tag}", re.compile(rf"^(?:{_pattern})$"), _first
    )


def read_yaml(path: Path, name: str) -> tuple[Any, list[Problem]]:
    """What a YAML file says, and what is wrong with it as YAML.

    Args:
        path: the file.
        name: how messages call it.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        return None, [Problem(name, None, f"is not UTF-8: {error}", "save it as UTF-8")]
    except OSError as error:
        return None, [Problem(name, None, f"cannot be read: {error.strerror}")]
    loader = _Loader(text)
    loader.doubled = []
    try:
        value = loader.get_single_data()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else None
        return None, [Problem(name, line, f"is not YAML: {error.problem}", _HINT)]
    except (yaml.YAMLError, ValueError, KeyError, TypeError, RecursionError) as error:
        # control characters, tags such as `!!int abc`: these have no mark
        return None, [Problem(name, None, f"is not YAML: {error}")]
    finally:
        loader.dispose()
    return value, list(_doubled(name, loader.doubled))


_HINT = "is the file whole? look at indentation, quotes and brackets on and above this line"


def _doubled(name: str, found: Iterable[tuple[int, str, int]]) -> Iterable[Problem]:
    for line, key, before in found:
        yield Problem(name, line, f"`{key}` is there twice", f"it is also on line {before}")
