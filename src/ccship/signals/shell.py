"""Splits a shell command into its parts, without running or fully parsing it.

Every step is linear in the length of the command: commands come from a model, and some are hostile to patterns.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

Words = tuple[str, ...]

_HEREDOC = re.compile(r"(?<!<)<<-?[ \t]*(?:\\|(?P<quote>['\"]))?(?P<word>[A-Za-z_]\w*)")
_QUOTED = re.compile(r"'[^']*'|\"(?:[^\"\\]|\\.)*\"|\\.|(?<![^\s;])#[^\n]*", re.DOTALL)
_SEPARATOR = re.compile(r"&&|\|\||;|\n|(?<![>&|<])&(?![>&])")
_BLANK = "\0"
_BLANKED = str.maketrans(dict.fromkeys(" \t\n;&|", _BLANK))
"""Characters that separate, but not inside quotes."""

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*\+?=(?P<value>.*)", re.DOTALL)
_SUBSTITUTION = "$("
_OPENING = ("(", "{")

_PREFIXES: dict[Words, int] = {
    **dict.fromkeys(
        (
            ("!",), ("then",), ("do",), ("else",), ("if",), ("while",), ("until",), ("sudo",), ("time",), ("command",),
            ("exec",), ("env",), ("nohup",), ("nice",), ("npx",), ("bunx",), ("fvm",), ("xvfb-run",), ("rtk",),
            ("uv", "run"), ("poetry", "run"), ("pdm", "run"), ("pipenv", "run"), ("hatch", "run"), ("rye", "run"),
            ("pnpm", "exec"), ("pnpm", "dlx"), ("yarn", "exec"), ("yarn", "dlx"), ("npm", "exec"), ("bundle", "exec"),
        ),
        0,
    ),
    **dict.fromkeys(
        (
            ("timeout",), ("direnv", "exec"), ("docker", "exec"), ("docker", "run"), ("docker", "compose", "exec"),
            ("docker", "compose", "run"),
        ),
        1,
    ),
}  # fmt: skip
"""Words in front of a command, and how many arguments they have beside flags."""

_PREFIX_SIZES = (1, 2, 3)
_MAX_PREFIXES = 10
"""More than anybody writes; each prefix costs a copy of the words."""

_VALUED_FLAGS = {
    "docker": frozenset(
        {"-e", "-p", "-u", "-v", "-w", "--env", "--name", "--network", "--user", "--volume", "--workdir"}
    ),
    "env": frozenset({"-u"}),
    "nice": frozenset({"-n"}),
    "npx": frozenset({"-p", "--package"}),
    "sudo": frozenset({"-u"}),
    "timeout": frozenset({"-k", "-s"}),
    "uv": frozenset({"--with", "--group", "--extra", "--package", "--python", "-p", "--directory", "--project"}),
}
"""Flags of prefixes whose value is the next word."""

_UNTIL: dict[Words, Words] = {
    ("mise", "exec"): ("--",),
    ("mise", "x"): ("--",),
    ("nix", "develop"): ("-c", "--command"),
    ("nix", "shell"): ("-c", "--command"),
    ("nix-shell",): ("--run", "--command"),
}
"""Prefixes whose command begins behind one of these words."""


@dataclass(frozen=True, slots=True)
class Part:
    """One command of a command line: its words as written, quotes included, and the filters that it is piped into."""

    words: Words
    filters: tuple[Words, ...] = ()

    def unwrapped(self) -> Iterator[Words]:
        """Yield the words, then again after each prefix that is taken off (`sudo`, `uv run`, `VAR=value`)."""
        words: Words | None = self.words
        for _ in range(_MAX_PREFIXES):
            if words is None:
                break
            yield words
            words = _without_prefix(words) if words else None

    @property
    def head(self) -> Words:
        """The words without any prefix; empty for a bare assignment."""
        *_, words = self.unwrapped()
        return words


def parts_of(command: str) -> tuple[Part, ...]:
    """Return the parts of a command, without here-documents and comments."""
    text = _QUOTED.sub(_blank, _without_heredocs(command))
    return tuple(part for piece in _SEPARATOR.split(text) if (part := _part(piece)))


def program_of(words: Words) -> str:
    """Return the name of the program: `.venv/bin/python3.12` -> `python`."""
    name = words[0].rpartition("/")[2]
    return "python" if name.startswith("python") else name


def _part(piece: str) -> Part | None:
    head, *filters = piece.split("|")
    words = head.split()
    if not words:
        return None
    if words[0].startswith(_OPENING) and len(words[0]) > 1:
        words[:1] = [words[0][0], words[0][1:]]
    if words[-1].endswith(")") and "(" not in words[-1]:
        words[-1] = words[-1].rstrip(")") or ")"
    return Part(tuple(words), tuple(tuple(words) for text in filters if (words := text.split())))


def _without_heredocs(command: str) -> str:
    """Drop the bodies of here-documents. One whose end is cut off takes the rest; its word is then in capitals."""
    if "<<" not in command:
        return command
    lines = command.split("\n")
    ends: defaultdict[str, list[int]] = defaultdict(list)
    for at, line in enumerate(lines):
        ends[line.strip()].append(at)
    kept: list[str] = []
    at = 0
    while at < len(lines):
        kept.append(lines[at])
        for found in _HEREDOC.finditer(lines[at]):
            end = ends.get(found["word"], [])
            later = bisect_right(end, at)
            if later < len(end):
                at = end[later]
            elif found["word"].isupper():
                at = len(lines)
        at += 1
    return "\n".join(kept)


def _blank(found: re.Match[str]) -> str:
    text = found[0]
    if text.startswith("#"):
        return ""
    if text.startswith("\\"):
        return " " if text == "\\\n" else "_"
    return text.translate(_BLANKED)


def _without_prefix(words: Words) -> Words | None:
    """Return the words without their first prefix; None if they have none."""
    first = words[0]
    if first in _OPENING:
        return words[1:]
    if assigned := _ASSIGNMENT.match(first):
        value = assigned["value"]
        inner = value.removeprefix(_SUBSTITUTION).rstrip(")") if value.startswith(_SUBSTITUTION) else ""
        return (inner, *words[1:]) if inner else words[1:]
    for size in _PREFIX_SIZES:
        arguments = _PREFIXES.get(words[:size])
        if arguments is not None:
            return _without_flags(first, words[size:])[arguments:]
    for prefix, marks in _UNTIL.items():
        if words[: len(prefix)] == prefix:
            return next((_unquoted(words[n + 1 :]) for n, word in enumerate(words) if word in marks), None)
    return None


def _without_flags(prefix: str, words: Words) -> Words:
    valued = _VALUED_FLAGS.get(prefix, frozenset())
    at = 0
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in valued else 1
    return words[at:]


def _unquoted(words: Words) -> Words:
    """Return the words of a command that is a single quoted word."""
    if len(words) == 1 and words[0][0] in "'\"":
        return tuple(words[0].strip("'\"").replace(_BLANK, " ").split())
    return words
