"""A `.env` that was read or printed: several `KEY=value` lines in a row, numbered ones too.

There a value is a secret whatever its name, unless it plainly is none: a word, a number, a path, an address.
"""

import re
from collections.abc import Iterator

from ccship.redact.names import is_placeholder
from ccship.redact.rules import Rule, canary, made_up
from ccship.redact.scan import Found

_BREAK = r"(?:\n|\\{1,31}n)"
_LEFT = r"(?:[ ]{0,8}\d{1,6}(?:→|\t|\\{1,31}t|\\{1,31}u2192))?[ \t]{0,8}(?:export[ ])?"
"""What stands before a line: its number and an arrow or a tab, as Claude's Read prints it, escaped in JSON."""
_SETTING = rf"{_LEFT}[A-Z][A-Z0-9_]{{1,60}}=[^\n\\]{{0,2000}}+(?:\\{{1,31}}[\"'][^\n\\]{{0,2000}}+){{0,4}}+"
_OTHER = rf"{_LEFT}(?:\#[^\n\\]{{0,500}}+|(?=\n|\\))"
"""A comment, or nothing."""
_BLOCK = re.compile(
    rf"{_SETTING}(?:{_BREAK}{_OTHER}){{0,20}}+(?:{_BREAK}{_SETTING}(?:{_BREAK}{_OTHER}){{0,20}}+){{2,}}+"
)
_VALUE = re.compile(r"(?<=[A-Z0-9_]=)(?:\\{0,31}\"(?P<double>[^\"\n\\]+)|'(?P<single>[^'\n\\]+)|(?P<bare>[^\s\"'\\]+))")
_HARMLESS = re.compile(
    r"[A-Za-z]+(?:[-_.,:/ ][A-Za-z]+)*"  # words
    r"|[\d.,:_-]+[A-Za-z%]{0,3}"  # numbers, versions, times
    r"|(?:\.{0,2}|~)/.*|[A-Za-z]:\\.*"  # paths
    r"|[a-z][a-z0-9+.-]*://[^@]*"  # addresses
    r"|[\w-]+(?:\.[\w-]+)*:\d{1,5}|[\w.+-]+@[\w.-]+|[\w-]+(?:\.[\w-]+)+"  # hosts and mailboxes
    r"|.*[(){},].*"  # arguments of a call
    r"|.{0,7}|.* .*"
)
_SETS = re.compile(r"=(?<=[A-Z0-9_]{2}=)")
LINES = 3
"""So many settings make a block."""

ENV_FILE = Rule(
    "env-file",
    _BLOCK.pattern,
    hits=(
        "NODE_ENV=production\nSALT=" + canary(made_up(20)) + "\nPORT=3000\n",
        "     1→DEBUG=true\n     2→SIGNATURE=" + canary(made_up(16)) + "\n     3→\n     4→HOST=example.com",
        '1\tA_URL=https://example.com\n2\t# mail\n3\tMAIL_SK="' + canary(made_up(30)) + '"\n4\tPORT=25',
        r"{\"text\": \"AB=1\nSEED=" + canary(made_up(32)) + r"\nNODE_ENV=test\"}",
    ),
    misses=(
        "NODE_ENV=production\nPORT=3000\nHOST=example.com\nPATH=/usr/bin:/bin\n",
        "CC=gcc\nCFLAGS=-O2 -Wall\nVERSION=1.22.333\nURL=https://example.com/a1b2c3d4\n",
        "BUILD=3fa81c09e7b4d265",
    ),
)
"""A row for the table's sake: it has no keyword, and a block of many values."""


def env_file(text: str) -> Iterator[Found]:
    """The secrets in the settings of a text, line by line."""
    if len(_SETS.findall(text)) < LINES:
        return
    for block in _BLOCK.finditer(text):
        for hit in _VALUE.finditer(text, block.start(), block.end()):
            value = hit[hit.lastindex or 0]
            if not _HARMLESS.fullmatch(value) and not is_placeholder(value):
                yield Found(*hit.span(hit.lastindex or 0), ENV_FILE.name)
