"""How examples are written: each secret is between « and », in pieces so that no scanner takes it for a real one."""

import re
from itertools import cycle, islice
from typing import NamedTuple

MARKED = re.compile("«([^»]*)»")

HEX = "3fa81c09e7b4d265"
UPPER = "Q7WM2ZX5KDL4VTBRNY3HGS6PF"
DIGITS = "7390518264"


class Examples(NamedTuple):
    """Texts for one rule: `hits` contain marked secrets, `misses` only look as if they did."""

    hits: tuple[str, ...]
    misses: tuple[str, ...]


def canary(*pieces: str) -> str:
    """Join the pieces of a secret and mark it."""
    return f"«{''.join(pieces)}»"


def made_up(length: int, alphabet: str = "q7Wm2Zx9KdL4vTb8RnY3hGs6PfJc5") -> str:
    """Return characters that look random and are the same on every run."""
    return "".join(islice(cycle(alphabet), length))


def unmarked(text: str) -> str:
    """Return the text without the marks around its secrets."""
    return MARKED.sub(r"\1", text)
