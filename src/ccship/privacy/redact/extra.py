"""The user's own rules.

Checks their form, not their sense. A pattern that takes exponential time cannot be recognised without running it.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from ccship.privacy.redact.rules import Rule
from ccship.privacy.redact.scan import Found

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,63}")
_FIELDS = {"name", "pattern", "keywords"}


def load_rules(text: str, taken: frozenset[str]) -> tuple[Rule, ...]:
    """Read the rules of a TOML document. `taken`: names of the built-in rules."""
    import tomllib  # noqa: PLC0415 - only users with rules of their own pay for it

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"not TOML: {' '.join(str(error).split())}") from None
    rows = document.get("rules")
    if set(document) != {"rules"} or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError("holds something other than [[rules]], each with a name and a pattern")
    rules = tuple(_rule(row, number) for number, row in enumerate(rows, 1))
    names = [rule.name for rule in rules]
    for name in names:
        if name in taken or names.count(name) > 1:
            raise ValueError(f"rule {name}: there is a {'built-in' if name in taken else 'second'} rule of this name")
    return rules


def _rule(row: dict[str, Any], number: int) -> Rule:
    name, pattern, keywords = row.get("name"), row.get("pattern"), row.get("keywords", [])
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise ValueError(f"rule {number}: needs a name of small letters, digits and hyphens")
    if unknown := sorted(set(row) - _FIELDS):
        raise ValueError(f"rule {name}: unknown field {unknown[0]!r}")
    if not isinstance(pattern, str):
        raise ValueError(f"rule {name}: needs a pattern, a string")  # noqa: TRY004 - callers expect ValueError
    if not isinstance(keywords, list) or not all(isinstance(keyword, str) and keyword for keyword in keywords):
        raise ValueError(f"rule {name}: keywords is a list of strings, none of them empty")
    try:
        compiled = re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        raise ValueError(f"rule {name}: the pattern is wrong: {error}") from None
    if compiled.search("") is not None:
        raise ValueError(f"rule {name}: the pattern matches nothing at all, so it would match everywhere")
    return Rule(name, pattern, tuple(keyword.lower() for keyword in keywords))


class Extra:
    """Finds the secrets of the user's rules in texts that contain one of their keywords."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self._rules = [(rule, re.compile(rule.pattern)) for rule in rules]

    def found_in(self, text: str) -> Iterator[Found]:
        """Return the secrets of a text: the group `secret` if the pattern has one, otherwise the match."""
        if not self._rules:
            return
        lowered = text.lower()
        for rule, pattern in self._rules:
            if not rule.keywords or any(keyword in lowered for keyword in rule.keywords):
                for hit in pattern.finditer(text):
                    yield Found(*hit.span("secret" if "secret" in pattern.groupindex else 0), rule.name)
