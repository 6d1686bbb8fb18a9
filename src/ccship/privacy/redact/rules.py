"""The type of a rule, and patterns that several rules share."""

import base64
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeAlias

Accept: TypeAlias = Callable[[re.Match[str]], bool]
Spans: TypeAlias = Callable[[re.Match[str]], Iterable[tuple[int, int]]]

START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=\[\dm)|(?<=\[\d\dm))"
r"""The beginning of a word, also after the letter of an escaped `\n` in JSON or after a terminal colour."""

NEWLINE = r"(?:\r?\n|\\{1,31}r\\{1,31}n|\\{1,31}n)"
"""A line break, also escaped by JSON any number of times."""

LINE_START = (
    r"(?:[ ]{0,8}\d{1,6}(?:→|\t|\\{1,31}t|\\{1,31}u2192|[ ]{2})|[+-](?![+-])|\d{4}-\d\d-\d\dT[\d:.]{8,20}Z?[ ]"
    r"|[\w./-]{1,80}[:-]\d{1,6}[:-]|[\w.-]{1,30}[ ]{1,8}\|[ ])?"
)
"""The prefix of a line as printed by Claude's Read, a diff, grep, container logs or a journal."""
END_OF_LINE = r"[ \t]{0,8}(?=$|\n|\r|\\{1,31}[nr])"
"""The rest of a line if it is empty, also escaped by JSON."""

WORD = r"[^\s\"'`<>\\]"
"""A character of an unquoted secret."""

NEXT_LINE = NEWLINE + LINE_START
"""A line break and the prefix of the next line."""


def _always(_: re.Match[str]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Rule:
    """A shape of credentials.

    `pattern` is matched `lead` characters before each of the `keywords` (lower case, matched in any case). If `accept`
    returns true, the last group is redacted, or the whole match if there is no group, together with the match of `rest`
    directly after it. `spans` returns the redacted offsets instead. A part of a pattern that can fail must be bounded,
    and an unbounded part must not be able to fail: so the time is linear.
    """

    name: str
    pattern: str
    keywords: tuple[str, ...] = ()
    lead: int = 0
    accept: Accept = _always
    rest: str = ""
    spans: Spans | None = None


def is_user_and_password(hit: re.Match[str]) -> bool:
    """Whether the secret is `user:password` in base64, as in HTTP and Docker."""
    encoded = hit["secret"]
    try:
        return b":" in base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    except ValueError:
        return False
