"""Secrets among the arguments of well-known programs: a table of their flags, pairs and positions.

A row is `programs: places`; a program `name*` is every program whose name starts so. A place is the text before the
secret, in arguments:

- `-p` or `word`: the secret is the next argument, or follows `=`
- `-p*`: also directly behind the flag; `-p+`, `/p:`, `key=`: only directly
- `-u~:`: the argument is a user, a colon and the secret
- `?`: any argument, or any part of one; `..`: any arguments
"""

import re
from collections.abc import Iterator
from functools import cache

from ccship.privacy.redact.accepts import is_typed
from ccship.privacy.redact.rules import NEXT_LINE, Rule
from ccship.privacy.redact.tools import DIRECTIVES, TOOLS

_BEFORE = r"(?:(?<![\w./-])|(?<=\\[nrt])|(?<=/)(?=[a-z0-9]))"
_QUOTE = r"\\{0,31}[\"']?"
_GAP = r"(?:[ \t]+(?:\\\n[ \t]*)?|\\{0,31}[\"'],\s{0,20}(?=\\{0,31}[\"'])|" + NEXT_LINE + r"[ \t]{0,40}-[ ])"
"""The text between two arguments: of a command line, of a list of strings, of a list in YAML."""
_PART = r"[^\s\"'|;&]{1,100}?"
_ANY = rf"(?:\\{{0,31}}\"[^\"\n]{{1,100}}\"|\\{{0,31}}'[^'\n]{{1,100}}'|(?!-){_PART})"
_SEVERAL = rf"(?:-{{0,2}}{_ANY}{_GAP}){{0,9}}?"
_USER = r"[^\s\"':|;&]{1,100}?[\"']?"
_SECRET = re.compile(
    r"\$?\\{0,31}\"(?P<double>[^\"\n\\]{1,200})|\\{0,31}'(?P<single>[^'\n\\]{1,200})"
    r"|(?P<bare>[^\s\"'`\\<>|;&$(){}\[\]][^\s\"'`\\<>|;&]{0,200}+)"
)
_COMMAND = re.compile(
    r"(?>(?:(?![ \t]\|\|?[ \t]|[ \t]&&|;[ \t]|(?<!\\)\n(?!(?:[ ]{0,8}\d{1,6}→|[+])?[ \t]{0,40}-[ ])"
    r"|(?<!\\)\\n)[\s\S]){0,500})"
)
"""A command, up to an operator of the shell or the end of its line."""


def _before(place: str) -> str:
    """Return the pattern of the text before a secret."""
    *words, last = place.split()
    flag, _, separator = last.partition("~")
    head = "".join(_SEVERAL if word == ".." else _argument(word) + _GAP for word in words)
    if separator:
        joint = "" if flag in ("", "?") else f"(?:{_GAP}|=)?" if flag.endswith("*") else f"(?:{_GAP}|=)"
        return head + _argument(flag.rstrip("*?")) + joint + _QUOTE + _USER + re.escape(separator)
    if flag == "?":
        return head + _ANY + _GAP
    joint = "" if flag[-1] in "+:=" else f"(?:{_GAP}|=)?" if flag[-1] == "*" else f"(?:{_GAP}|=)"
    return head + _argument(flag.rstrip("*+")) + joint


def _argument(word: str) -> str:
    if word == "?":
        return _ANY
    text = re.escape(word).replace(r"\?", _PART)
    return _QUOTE + (text if word.startswith("-") else f"(?i:{text})")


@cache
def _patterns(places: str) -> tuple[tuple[re.Pattern[str], bool], ...]:
    """Compile the places of a row when one of its programs is first seen, and whether a host can follow the secret."""
    return tuple((re.compile(_BEFORE + _before(place)), "?~" in place) for place in places.split(", "))


_PLACES: dict[str, list[str]] = {}
for _row in (*TOOLS.strip().splitlines(), *DIRECTIVES.strip().splitlines()):
    _names, _, _places = _row.partition(": ")
    for _name in _names.split():
        _PLACES.setdefault(_name, []).append(_places)
_FAMILIES = tuple(name[:-1] for name in _PLACES if name.endswith("*"))
_LONG = 8


def _keyword(name: str) -> str:
    """Return a program's keyword: a short name is a word of its own."""
    return name.rstrip("*") if name.endswith("*") or "-" in name or len(name) >= _LONG else name + " "


def _arguments(hit: re.Match[str]) -> Iterator[tuple[int, int]]:
    """Return the secrets among the arguments of a program."""
    text, name = hit.string, hit["name"].lower()
    rows = [
        *_PLACES.get(name, ()),
        *(row for stem in _FAMILIES if name.startswith(stem) for row in _PLACES[stem + "*"]),
    ]
    if not rows:
        return
    end = _COMMAND.match(text, hit.start()).end()  # type: ignore[union-attr]
    found: set[tuple[int, int]] = set()
    for pattern, is_login in (pattern for row in rows for pattern in _patterns(row)):
        at = hit.start()
        while place := pattern.search(text, at, end):
            at = place.end()
            secret = _SECRET.match(text, at)
            if secret:
                value = secret[secret.lastgroup or 0]
                value = value.rpartition("@")[0] or value if is_login else value
                start = secret.start(secret.lastgroup or 0)
                if is_typed(value):
                    found.add((start, start + len(value)))
    yield from sorted(found)


RULES = (
    Rule(
        "command-line-password",
        r"(?:(?<![\w-])|(?<=\\[nrt]))(?P<name>[A-Za-z0-9][\w-]{0,30}+(?:\.(?:sh|py|jar|local)\b)?)"
        r"(?:\.(?:exe|com|bat|phar))?(?=[ \t\"'\n\\])",
        tuple(dict.fromkeys(map(_keyword, _PLACES))),
        spans=_arguments,
    ),
)
