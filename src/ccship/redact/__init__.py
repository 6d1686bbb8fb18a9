"""Credential shapes -> `[redacted:<rule>]`, in decoded text wherever it stands.

Owns what is redacted and how; must never raise, never keep what it saw, and never look at a clock, a file or the
environment: the same text in gives the same text out, and redacting twice is redacting once.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from ccship.redact import clouds, developers, extra, services, shapes
from ccship.redact.env import ENV_FILE, LINES, env_file
from ccship.redact.names import NAMED, NAMED_SECRET, refers, says_secret
from ccship.redact.rules import Rule
from ccship.redact.scan import Found, Scan

__all__ = ["RULES", "Redactor", "Rule", "load_rules"]

RULES: tuple[Rule, ...] = (
    *developers.RULES,
    *clouds.RULES,
    *services.RULES,
    *shapes.RULES,
    NAMED_SECRET,
    ENV_FILE,
)
"""The built-in rules, the particular ones first: where two find the same secret, the first gives its name."""

_ERROR = "[redacted:error]"
_MARK = re.compile(r"\[redacted:[a-z0-9-]+\]")
_SHORTEST = 8
"""No built-in rule is content with fewer characters."""
_MOST_KEYS = 10_000
"""Keys of dicts that are remembered to be plain: programs have hundreds, data may have millions."""
_PASSES = 8
"""What is taken out can uncover something else, seldom more than once."""


class Redactor:
    """Redacts text and values; `counts` says how often by rule, `errors` how many fields it had to give up on."""

    def __init__(self, extra_rules: Sequence[Rule] = ()) -> None:
        self.counts: Counter[str] = Counter()
        self.errors = 0
        self._extra = extra.Extra(extra_rules)
        self._search = _scan().search
        self._shortest = 1 if extra_rules else _SHORTEST
        self._knows_keywords_only = not extra_rules
        self._plain_keys: set[str] = set()
        self._order = {rule.name: place for place, rule in enumerate((*RULES, *extra_rules))}

    def text(self, text: str) -> str:
        """The text without credentials. One that cannot be judged becomes `[redacted:error]`, whole."""
        try:
            return self._text(text)
        except Exception:  # noqa: BLE001 - what was not judged must not leave, whatever the reason
            self.errors += 1
            return _ERROR

    def value(self, value: Any) -> Any:
        """The value with every string in it redacted, keys of dicts too; one that cannot be judged is given up, whole.

        Lists and dicts are copied, never changed.
        """
        try:
            return self._value(value)
        except Exception:  # noqa: BLE001 - as above
            self.errors += 1
            return _ERROR

    def _value(self, value: Any, is_named: bool = False) -> Any:
        if isinstance(value, str):
            return self._named(value) if is_named else self._text(value)
        if isinstance(value, dict):
            return self._dict(value)
        if isinstance(value, (list, tuple)):
            return type(value)([self._value(item, is_named) for item in value])
        return value

    def _named(self, text: str) -> str:
        """A value whose key says that it is a secret, which counts for more than what it looks like."""
        redacted = self._text(text)
        if refers(text) or _MARK.fullmatch(redacted):
            return redacted
        self.counts[NAMED] += 1
        return f"[redacted:{NAMED}]"

    def _dict(self, value: dict[Any, Any]) -> dict[Any, Any]:
        redacted: dict[Any, Any] = {}
        for key, item in value.items():
            if key in self._plain_keys and key not in redacted:
                redacted[key] = self._value(item)
            else:
                name, is_named = self._key(key) if isinstance(key, str) else (key, False)
                redacted[_free(name, redacted)] = self._value(item, is_named)
        return redacted

    def _key(self, key: str) -> tuple[str, bool]:
        """The key redacted, and whether it says that its value is a secret. Most keys come again and again."""
        name = self._text(key)
        is_named = says_secret(_MARK.sub("", name))  # what is left of a key tells the same the second time
        if name == key and not is_named and len(self._plain_keys) < _MOST_KEYS:
            self._plain_keys.add(key)
        return name, is_named

    def _text(self, text: str) -> str:
        if len(text) < self._shortest:
            return text
        first = self._search(text)
        if first is None and self._knows_keywords_only and text.count("=") < LINES:
            return text  # nearly every text, after a single pass
        return self._redacted(text, first.start() if first else len(text))

    def _redacted(self, text: str, start: int) -> str:
        for _ in range(_PASSES):
            spans = self._spans(text, start)
            if not spans:
                return text
            text, start = self._replaced(text, spans), 0
        raise RecursionError("what is taken out uncovers more and more")

    def _spans(self, text: str, start: int = 0) -> list[Found]:
        found = [*_scan().found_in(text, start), *env_file(text), *self._extra.found_in(text)]
        if found and "[redacted:" in text:
            marks = [mark.span() for mark in _MARK.finditer(text)]
            found = [piece for it in found for piece in _around(marks, it)]
        return _merged(found, self._order) if found else found

    def _replaced(self, text: str, spans: Iterable[Found]) -> str:
        pieces, end = [], 0
        for span in spans:
            self.counts[span.rule] += 1
            pieces += [text[end : span.start], f"[redacted:{span.rule}]"]
            end = span.end
        return "".join(pieces) + text[end:]


def load_rules(text: str) -> tuple[Rule, ...]:
    """Rules from a TOML document of `[[rules]]` (`name`, `pattern`, optional `keywords`).

    Raises:
        ValueError: with one line that says which rule is wrong, and how.
    """
    return extra.load_rules(text, frozenset(rule.name for rule in RULES) | {"error"})


@cache
def _scan() -> Scan:
    """Made when it is first needed, once: to compile it takes milliseconds."""
    return Scan(RULES)


def _free(key: Any, taken: dict[Any, Any]) -> Any:
    """A key that is not taken: where two became the same mark, both values stay."""
    free, number = key, 2
    while free in taken:
        free, number = f"{key} ({number})", number + 1
    return free


def _merged(found: list[Found], order: dict[str, int]) -> list[Found]:
    """Without overlaps, from left to right; what overlaps becomes one, named by the first rule of the table."""
    merged: list[Found] = []
    for it in sorted(found, key=lambda it: (it.start, it.end)):
        last = merged[-1] if merged else None
        if last and it.start < last.end:
            rule = min(last.rule, it.rule, key=order.__getitem__)
            merged[-1] = Found(last.start, max(last.end, it.end), rule)
        elif it.end > it.start:
            merged.append(it)
    return merged


def _around(marks: list[tuple[int, int]], found: Found) -> list[Found]:
    """What is new of a find: marks stay as they are, so that redacting twice is redacting once."""
    pieces, start = [], found.start
    for place in range(max(bisect_left(marks, (start, start)) - 1, 0), len(marks)):
        left, right = marks[place]
        if left >= found.end:
            break
        if right > start:
            if left > start:
                pieces.append(Found(start, left, found.rule))
            start = right
    if start < found.end:
        pieces.append(Found(start, found.end, found.rule))
    return pieces
