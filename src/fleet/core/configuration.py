"""Configurations of network devices as paths of lines: what is missing, and the way back.

A path is a line with the lines of the blocks around it. So one comparison serves the languages
that show blocks by indenting (Cisco, Arista, HPE, Dell, Huawei), by `config … end` (Fortinet)
and not at all (Juniper's and VyOS's set commands, RouterOS's export).
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from enum import StrEnum

from fleet.core.ciphered import NEVER_SHOWN, is_shown_ciphered
from fleet.errors import Malformed

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
    r"|end|return|exit|quit|Last configuration change.*|NVRAM config.*)?\s*|version \S+"
)
_BANNER = re.compile(r"((?:banner|header) \S+)(?: (\^C|\S)(.*))?$")

# Cisco shows these only when they are off.
_ON_BY_DEFAULT = frozenset(
    {
        "cdp run",
        "ip bootp server",
        "ip domain lookup",
        "ip domain-lookup",
        "ip http server",
        "ip http secure-server",
        "ip proxy-arp",
        "ip source-route",
        "service pad",
        "lldp run",
    }
)


def parse(text: str, language: Language) -> list[Path]:
    """The paths of a configuration in their order, each once."""
    match language:
        case Language.SET:
            lines = (line.strip() for line in text.splitlines())
            paths: Iterable[Path] = [
                (_unquoted(x),) for x in lines if x.startswith(("set ", "delete "))
            ]
        case Language.FORTIOS:
            paths = _parse_fortios(text)
        case Language.ROUTEROS:
            paths = _parse_routeros(text)
        case _:
            paths = _parse_indented(text)
    return list(dict.fromkeys(paths))


def _unquoted(line: str) -> str:
    """A line without quotes around values that need none: platforms show them as they like."""
    line = re.sub(r"(?<= )(['\"])([\w./:@$+=-]+)\1(?= |$)", r"\2", line)
    return re.sub(r"(?<= )'([^'\"]*)'(?= |$)", r'"\1"', line) if line.startswith("set ") else line


def _parse_indented(text: str) -> list[Path]:
    paths: list[Path] = []
    stack: list[tuple[int, str]] = []
    lines = iter(text.replace("\r", "").split("\n"))
    for line in lines:
        if found := _BANNER.match(line):
            paths.append((_banner(found, lines),))
            stack = []
            continue
        if _NOISE.fullmatch(line):
            continue
        depth = len(line) - len(line.lstrip())
        while stack and stack[-1][0] >= depth:
            stack.pop()
        block = tuple(part for _, part in stack)
        said = _unquoted(line.strip())
        if block and block[-1].startswith("ip access-list "):
            said = re.sub(r"^\d+ (?=permit|deny|remark)", "", said)
        stack.append((depth, said))
        paths += [(*block, part) for part in _each(said)]
    return paths


def _each(line: str) -> list[str]:
    """A line that holds a list, as one line for each item: platforms show them as they like."""
    if line.startswith("ip name-server ") and "vrf" not in line:
        return [f"ip name-server {address}" for address in line.split()[2:]]
    return [line]


def _banner(found: re.Match[str], lines: Iterator[str]) -> str:
    """A whole banner as one line of a path.

    It ends with the mark that it began with, or with EOF where there is none (Arista).
    """
    head, mark, rest = found.groups()
    end = mark or "EOF"
    taken = []
    while not _ends(rest or "", mark):
        if rest:
            taken.append(rest)
        following = next(lines, None)
        if following is None:
            break
        rest = following
    taken.append((rest or "").partition(end)[0])
    body = "\n".join(taken).strip("\n")
    if mark == '"':  # HPE: in quotes, with the line breaks spelt
        body = body.replace("\\n", "\n")
    return f"{head} ^C\n{body}\n^C" if mark else f"{head}\n{body}\nEOF"


def _ends(line: str, mark: str | None) -> bool:
    return line.strip() == "EOF" if mark is None else mark in line


def _parse_fortios(text: str) -> list[Path]:
    paths: list[Path] = []
    stack: list[str] = []
    for line in _whole_lines(text):
        word = line.partition(" ")[0]
        if word in ("config", "edit"):
            stack.append(_unquoted(line))
            if word == "edit":
                paths.append(tuple(stack))
        elif word in ("end", "next"):
            while stack and word == "end" and stack[-1].startswith("edit "):
                stack.pop()
            if stack:
                stack.pop()
        elif word in ("set", "unset", "delete", "append"):
            paths.append((*stack, _unquoted(line)))
    return paths


def _whole_lines(text: str) -> Iterator[str]:
    """Lines, where a value in quotes may go over several."""
    waiting = ""
    for raw in text.replace("\r", "").split("\n"):
        waiting = f"{waiting}\n{raw}" if waiting else raw.strip()
        if waiting.replace('\\"', "").count('"') % 2 == 0:
            yield waiting
            waiting = ""


def _parse_routeros(text: str) -> list[Path]:
    paths: list[Path] = []
    section = ""
    for line in (raw.strip() for raw in re.sub(r"\\\r?\n\s*", "", text).splitlines()):
        if line.startswith("/"):
            head, word, rest = re.match(
                r"(.*?)(?: (set|add|remove|disable|enable)\b(.*))?$", line
            ).groups()  # type: ignore[union-attr] # it matches any line
            section = head
            if word:
                paths.append((section, f"{word}{rest}"))
        elif line and not line.startswith("#"):
            paths.append((section, line))
    return paths


def missing(
    wanted: str,
    config: str,
    language: Language,
    hidden: Mapping[Path, str] | None = None,
    implied: Collection[str] = (),
) -> list[Path]:
    """The paths of `wanted` that a configuration does not have yet, with their blocks.

    A line that takes something back (`no …`) stands for each line that it takes back and that is
    not wanted itself.

    Args:
        hidden: paths that hold a secret → the line up to it. Such a line is there also if the
            device shows it in its own, ciphered form.
        implied: lines that hold unless the configuration takes them back.
    """
    has = parse(config, language)
    there = set(has)
    asked = parse(wanted, language)
    keep = set(asked)
    found: list[Path] = []
    unseen: list[Path] = []
    for path in asked:
        if path[-1] in implied and (*path[:-1], _negated(path[-1], language)) not in there:
            continue
        if hidden and path in hidden and path not in there:
            if is_shown_ciphered(path, hidden[path], has):
                continue
            if path[-1].startswith(NEVER_SHOWN):
                unseen.append(path)
                continue
        if language is Language.ROUTEROS:
            found += [] if _routeros_has(path, has) else [path]
        elif not _is_negation(path[-1], language):
            found += [] if path in there else [path]
        else:
            found += _taken_back(path, has, keep, language)
    return list(dict.fromkeys([*found, *unseen] if found else []))


def _is_negation(line: str, language: Language) -> bool:
    return line.startswith((negation(language), "delete "))


def _taken_back(path: Path, has: Sequence[Path], keep: set[Path], language: Language) -> list[Path]:
    """The lines that take back what a `no …` stands for and the configuration still has."""
    *block, line = path
    inner = line.partition(" ")[2]
    if language is Language.FORTIOS:
        inner = f"{'edit' if line.startswith('delete ') else 'set'} {inner}"
    elif language is Language.SET:
        inner = f"set {inner}"
    alike = [
        p
        for p in has
        if p[:-1] == tuple(block) and (p[-1] == inner or p[-1].startswith(inner + " "))
    ]
    if not alike:
        is_hidden = inner in _ON_BY_DEFAULT and path not in has and (*block, inner) not in keep
        return [path] if is_hidden and language is Language.NO else []
    if language is Language.FORTIOS or (*block, inner) in alike:
        return [path]
    return [(*p[:-1], _negated(p[-1], language)) for p in alike if p not in keep]


def _routeros_has(path: Path, has: Sequence[Path]) -> bool:
    """Whether a line's every NAME=VALUE stands in its section already."""
    word, *rest = path[1].split()
    if word == "remove":
        return not any(p[0] == path[0] and set(rest[1:-1]) <= set(p[1].split()) for p in has)
    words = {w for w in _unquoted_words(path[1]) if not w.startswith(("secret=", "password="))}
    return any(p[0] == path[0] and words <= set(_unquoted_words(p[1])) for p in has)


def _unquoted_words(line: str) -> list[str]:
    return [word.replace('"', "") for word in line.split()]


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
        top = _top_of(path, blocks, language)
        if top not in taken and not any(_replaces(top, other, language) for other in lost):
            taken.append(top)
    back = [(*p[:-1], _negated(p[-1], language)) for p in reversed(taken)]
    return [p for p in back if p[-1]] + lost


def _top_of(path: Path, blocks: set[Path], language: Language) -> Path:
    """The outermost block of a new line that was not there either; it goes as a whole."""
    for n in range(1, len(path)):
        is_table = path[n - 1].startswith("config ") or language is Language.ROUTEROS
        if path[:n] not in blocks and not is_table:
            return path[:n]
    return path


# Lines of which a block has one: setting it anew takes the earlier one back.
_SINGLE = frozenset({"description", "hostname", "name", "sysname"})
_SINGLE_TWO = frozenset({"clock timezone", "logging trap", "ip default-gateway"})


def _replaces(path: Path, other: Path, language: Language) -> bool:
    """Whether setting the other line takes this one back."""
    if path[:-1] != other[:-1] or language is Language.SET:
        return False
    mine, others = path[-1].split(), other[-1].split()
    if language is Language.FORTIOS or mine[0] in ("banner", "header"):
        return mine[:2] == others[:2]
    if language is Language.ROUTEROS:
        return mine[0] == others[0] == "set"
    two = " ".join(mine[:2])
    return mine[0] == others[0] and (
        mine[0] in _SINGLE or (two in _SINGLE_TWO and mine[:2] == others[:2])
    )


def _negated(line: str, language: Language) -> str:
    """The line that takes a line back; empty if nothing does."""
    word = negation(language)
    first, _, rest = line.partition(" ")
    match language:
        case Language.SET:
            return "delete " + rest
        case Language.FORTIOS:
            return f"delete {rest}" if first == "edit" else f"unset {rest.partition(' ')[0]}"
        case Language.ROUTEROS:
            return f"remove [find {rest}]" if first == "add" else ""
    if first in ("banner", "header"):
        return f"{word}{first} {rest.split()[0]}"
    if language is Language.UNDO and first == "description":
        return "undo description"
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
        lines += _typed(path[-1])
        here = path if path in blocks else block
    return lines + [_leave(line, language) for line in reversed(here)]


def _typed(line: str) -> list[str]:
    """A line as it is typed; a banner between marks that do not stand in it."""
    head, *body = line.split("\n")
    if not body or not head.endswith("^C"):
        return [head, *body]
    mark = next((c for c in "~|%@`" if c not in "".join(body[:-1])), None)
    if mark is None:
        raise Malformed("a banner has every character in it that could end it", hint="~ | % @ `")
    return [head.replace("^C", mark), *body[:-1], mark]


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
        sign = "-" if _is_negation(line, language) else "+"
        body = line.removeprefix(word) if sign == "-" else line
        shown += [f"{sign} {' ' * (len(path) - 1)}{part}" for part in body.split("\n")]
    return "".join(line + "\n" for line in shown)
