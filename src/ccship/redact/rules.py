"""What a rule is, and how its examples are written. Owns no rule and no text: the tables and the `Redactor` do."""

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle, islice
from typing import TypeAlias

Accept: TypeAlias = Callable[[re.Match[str]], bool]

START = r"(?:(?<![A-Za-z0-9])|(?<=\\[nrt])|(?<=\[\dm)|(?<=\[\d\dm))"
r"""Where a word may begin: after the letter that ends an `\n` of JSON in a string, or a colour of a terminal, too."""


def _always(_: re.Match[str]) -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Rule:
    """A credential shape.

    `pattern` begins `lead` characters before one of the `keywords` (literals of three characters or more); what its
    last group holds, or all that it matches, is taken out if `accept` agrees, and what matches `rest` right behind it.
    What can fail in a pattern is bounded, what is not bounded cannot fail: that makes the time linear. `hits` have the
    secret between « and »; `misses` have none.
    """

    name: str
    pattern: str
    keywords: tuple[str, ...] = ()
    hits: tuple[str, ...] = ()
    misses: tuple[str, ...] = ()
    lead: int = 0
    accept: Accept = _always
    rest: str = ""


def is_user_and_password(hit: re.Match[str]) -> bool:
    """Whether the secret is `user:password` in base64, as HTTP and Docker write it."""
    encoded = hit["secret"]
    try:
        return b":" in base64.b64decode(encoded + "=" * (-len(encoded) % 4))
    except ValueError:
        return False


def any_case(*words: str) -> tuple[str, ...]:
    """Keywords as they are written in small letters, with a capital, and in capitals."""
    return tuple(written for word in words for written in dict.fromkeys((word, word.capitalize(), word.upper())))


def canary(*pieces: str) -> str:
    """A marked secret, made of pieces so that no scanner of code takes it for a real one."""
    return f"«{''.join(pieces)}»"


def made_up(length: int, alphabet: str = "q7Wm2Zx9KdL4vTb8RnY3hGs6PfJc5") -> str:
    """So many characters that look random, always the same ones."""
    return "".join(islice(cycle(alphabet), length))


HEX = "3fa81c09e7b4d265"
UPPER = "Q7WM2ZX5KDL4VTBRNY3HGS6PF"
DIGITS = "7390518264"
