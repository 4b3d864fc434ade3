"""Configurations of network devices as paths of lines: what is missing, and the way back.

A path is a line with the lines of the blocks around it. So one comparison serves the languages
that show blocks by indenting (Cisco, Arista, HPE, Dell, Huawei), by `config … end` (Fortinet)
and not at all (Juniper's and VyOS's set commands, RouterOS's export).
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from enum import StrEnum

Path = tuple[str, ...]


class Language(StrEnum):
    """How a platform writes its configuration, and takes a line back."""

    NO = "no"  # indented; `no LINE`
    UNDO = "undo"  # indented; `undo LINE`
    SET = "set"  # `set …` and `delete …`
    FORTIOS = "fortios"  # config … edit … set … next … end
    ROUTEROS = "routeros"  # /path, then commands


_NOISE = re.compile(
    r"\s*(!.*|#.*|;.*|Building configuration.*|Current configuration.*|Running configuration:?"
    r"|version \S+|end|return|exit|quit|Last configuration change.*|NVRAM config.*)?\s*"
)
_BANNER = re.compile(r"banner (login|motd|exec|incoming) (\^C|\S)(.*)", re.DOTALL)


def parse(text: str, language: Language) -> list[Path]:
    """The paths of a configuration in their order, each once."""
    match language:
        case Language.SET:
            lines = (line.strip() for line in text.splitlines())
            paths: Iterable[Path] = [(x,) for x in lines if x.startswith(("set ", "delete "))]
        case Language.FORTIOS:
            paths = _parse_fortios(text)
        case Language.ROUTEROS:
            paths = _parse_routeros(text)
        case _:
            paths = _parse_indented(text)
    return list(dict.fromkeys(paths))


def _parse_indented(text: str) -> list[Path]:
    paths: list[Path] = []
    stack: list[tuple[int, str]] = []
    lines = iter(text.replace("\r", "").split("\n"))
    for line in lines:
        if _BANNER.match(line):
            paths.append((_banner(line, lines),))
            stack = []
            continue
        if _NOISE.fullmatch(line):
            continue
        depth = len(line) - len(line.lstrip())
        while stack and stack[-1][0] >= depth:
            stack.pop()
        stack.append((depth, line.strip()))
        paths.append(tuple(part for _, part in stack))
    return paths


def _banner(line: str, lines: Iterable[str]) -> str:
    """A whole banner as one line of a path, whatever stands for its end."""
    found = _BANNER.match(line)
    assert found
    kind, mark, rest = found.groups()
    taken = []
    while mark not in rest:
        taken.append(rest)
        following = next(iter(lines), None)
        if following is None:
            break
        rest = following
    taken.append(rest.partition(mark)[0])
    return f"banner {kind} ^C\n" + "\n".join(taken).strip("\n") + "\n^C"


def _parse_fortios(text: str) -> list[Path]:
    paths: list[Path] = []
    stack: list[str] = []
    for line in (raw.strip() for raw in text.splitlines()):
        word = line.partition(" ")[0]
        if word in ("config", "edit"):
            stack.append(line)
        elif word in ("end", "next"):
            while stack and word == "end" and stack[-1].startswith("edit "):
                stack.pop()
            if stack:
                stack.pop()
        elif word in ("set", "unset", "delete"):
            paths.append((*stack, line))
    return paths


def _parse_routeros(text: str) -> list[Path]:
    paths: list[Path] = []
    section = ""
    for line in (
        raw.strip() for raw in text.replace("\\\r\n", "").replace("\\\n", "").splitlines()
    ):
        if line.startswith("/"):
            head, found, command = re.sub(r" +", " ", line).partition(" set ")
            section = head if found else line
            if found:
                paths.append((section, "set " + command))
        elif line and not line.startswith("#"):
            paths.append((section, re.sub(r" +", " ", line)))
    return paths


def missing(wanted: str, config: str, language: Language) -> list[Path]:
    """The paths of `wanted` that a configuration does not have yet, with their blocks.

    A line that takes something back (`no …`) is missing while that is there.
    """
    has = parse(config, language)
    there = set(has)
    word = negation(language)

    def is_missing(path: Path) -> bool:
        *block, line = path
        if language is Language.ROUTEROS and line.startswith("set "):
            return not _routeros_has(path, has)
        if not line.startswith(word):
            return path not in there
        inner = line.removeprefix(word)
        if language is Language.SET:
            inner = "set " + inner
        return any(
            p[:-1] == tuple(block) and (p[-1] == inner or p[-1].startswith(inner + " "))
            for p in has
        )

    return [path for path in parse(wanted, language) if is_missing(path)]


def _routeros_has(path: Path, has: Sequence[Path]) -> bool:
    """Whether every NAME=VALUE of a `set` stands in its section."""
    words = set(path[1].split()[1:])
    return any(p[0] == path[0] and words <= set(p[1].split()) for p in has)


def negation(language: Language) -> str:
    """What a line that takes another back begins with."""
    return {Language.UNDO: "undo ", Language.SET: "delete ", Language.FORTIOS: "unset "}.get(
        language, "no "
    )


def reverse(before: str, after: str, language: Language) -> list[Path]:
    """The lines that lead from one configuration back to an earlier one."""
    old, new = parse(before, language), parse(after, language)
    kept, now = set(old), set(new)
    gained = [p for p in new if p not in kept]
    lost = [p for p in old if p not in now]
    blocks = {p[:n] for p in old for n in range(1, len(p) + 1)}
    taken: list[Path] = []
    for path in gained:
        # A block that was not there goes as a whole.
        top = next((path[:n] for n in range(1, len(path)) if path[:n] not in blocks), path)
        if top not in taken and not any(_replaces(top, other) for other in lost):
            taken.append(top)
    return [(*p[:-1], _negated(p[-1], language)) for p in reversed(taken)] + lost


def _replaces(path: Path, other: Path) -> bool:
    """Whether setting the other line takes this one back, as with `description` or `hostname`."""
    if path[:-1] != other[:-1]:
        return False
    single = ("description", "hostname", "banner", "clock timezone", "logging trap", "name", "set")
    return any(
        path[-1].startswith(word)
        and other[-1].startswith(word)
        and _stem(path[-1]) == _stem(other[-1])
        for word in single
    )


def _stem(line: str) -> str:
    words = line.split()
    return " ".join(words[:2] if words[0] in ("set", "banner", "clock", "logging") else words[:1])


def _negated(line: str, language: Language) -> str:
    word = negation(language)
    if language is Language.SET:
        return "delete " + line.removeprefix("set ")
    if language is Language.FORTIOS:
        return "unset " + " ".join(line.split()[1:2])
    if line.startswith("banner "):
        return f"{word}banner {line.split()[1]}"
    return line.removeprefix(word) if line.startswith(word) else word + line


def commands(paths: Sequence[Path], language: Language) -> list[str]:
    """What is typed to configure some paths: blocks are entered and left."""
    if language is Language.SET:
        return [path[-1] for path in paths]
    if language is Language.ROUTEROS:
        return [f"{section} {line}" for section, line in paths]
    blocks = {path[:n] for path in paths for n in range(1, len(path))}
    lines: list[str] = []
    here: Path = ()
    for path in paths:
        block = path[:-1]
        while here != block[: len(here)]:
            lines.append(_leave(here[-1], language))
            here = here[:-1]
        lines += block[len(here) :]
        lines += path[-1].split("\n")
        here = path if path in blocks else block
    return lines + [_leave(line, language) for line in reversed(here)]


def _leave(block: str, language: Language) -> str:
    if language is Language.FORTIOS:
        return "next" if block.startswith("edit ") else "end"
    return "quit" if language is Language.UNDO else "exit"


def diff(paths: Sequence[Path], language: Language) -> str:
    """Missing lines as a person reads them: `+` and `-`, below the blocks that they are in."""
    word = negation(language)
    shown: list[str] = []
    here: Path = ()
    for path in paths:
        for depth, line in enumerate(path[:-1]):
            if here[: depth + 1] != path[: depth + 1]:
                shown.append(f"  {' ' * depth}{line}")
        here = path
        *_, line = path
        sign = "-" if line.startswith(word) else "+"
        body = line.removeprefix(word) if sign == "-" else line
        shown += [f"{sign} {' ' * (len(path) - 1)}{part}" for part in body.split("\n")]
    return "".join(line + "\n" for line in shown)


def compare(before: str, after: str, name: str, language: Language) -> str:
    """A unified difference between two configurations, without what changes by itself."""
    old, new = (
        [" " * (len(p) - 1) + p[-1] for p in parse(text, language)] for text in (before, after)
    )
    lines = difflib.unified_diff(old, new, fromfile=name, tofile=name, lineterm="")
    return "".join(line + "\n" for line in lines)
