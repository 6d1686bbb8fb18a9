"""The content of an env file: several `KEY=value` lines in a row, also numbered.

Every value there is a secret, whatever its name, except plain words, numbers, paths and addresses.
"""

import re
from collections.abc import Iterator

from ccship.privacy.redact.rules import Rule
from ccship.privacy.redact.scan import Found
from ccship.privacy.redact.values import is_placeholder

_BREAK = r"(?:\n|\\{1,31}n)"
_LEFT = (
    r"(?:[ ]{0,8}\d{1,6}(?:→|\t|\\{1,31}t|\\{1,31}u2192)|[+](?![+])|[\w./-]{1,60}:\d{1,6}:)?[ \t]{0,8}(?:export[ ])?"
)
"""The prefix of a line as Claude's Read, a diff or grep print it; an arrow or a tab may be escaped in JSON."""
_SETTING = rf"{_LEFT}[A-Z][A-Z0-9_]{{1,60}}=[^\n\\]{{0,2000}}+(?>(?:\\{{1,31}}[\"'][^\n\\]{{0,2000}}+){{0,4}})"
_OTHER = rf"{_LEFT}(?:\#[^\n\\]{{0,500}}+|(?=\n|\\))"
"""A comment or an empty line."""
_BLOCK = re.compile(
    rf"{_SETTING}(?>(?:{_BREAK}{_OTHER}){{0,20}})(?>(?:{_BREAK}{_SETTING}(?>(?:{_BREAK}{_OTHER}){{0,20}})){{2,}})"
)
_VALUE = re.compile(
    r"(?<=[A-Z0-9_]=)(?<!_ID=)(?:\\{0,31}\"(?P<double>[^\"\n\\]+)|'(?P<single>[^'\n\\]+)|(?P<bare>[^\s\"'\\]+))"
)
_HARMLESS = re.compile(
    r"[A-Za-z]+(?:[-_.,:/ ][A-Za-z]+)*"  # words
    r"|[\d.,:_-]+[A-Za-z%]{0,3}"  # numbers, versions, times
    r"|(?:\.{0,2}|~)/.*|[A-Za-z]:\\.*"  # paths
    r"|[a-z][a-z0-9+.-]*://[^@]*"  # addresses
    r"|[\w-]+(?:\.[\w-]+)*:\d{1,5}|[\w.+-]+@[\w.-]+|[\w-]+(?:\.[\w-]+)+"  # hosts and mailboxes
    r"|.*[(){},].*"  # arguments of a call
    r"|.{0,7}|[0-9a-f]{8}|.* .*"
)
_SETS = re.compile(r"=(?<=[A-Z0-9_]{2}=)")
LINES = 3
"""Minimum number of settings in a block."""

ENV_FILE = Rule(
    "env-file",
    _BLOCK.pattern,
)
"""An entry for the list of rules: it has no keyword and redacts many values."""


def env_file(text: str) -> Iterator[Found]:
    """Return the secrets in the settings of a text, line by line."""
    if text.count("=") < LINES or len(_SETS.findall(text)) < LINES:
        return
    for block in _BLOCK.finditer(text):
        for hit in _VALUE.finditer(text, block.start(), block.end()):
            value = hit[hit.lastindex or 0]
            if not _HARMLESS.fullmatch(value) and not is_placeholder(value):
                yield Found(*hit.span(hit.lastindex or 0), ENV_FILE.name)
