"""Redaction: replaces credentials in decoded text by `[redacted:<rule>]`.

Never raises, stores no secret, and reads no clock, file or environment. The same text always gives the same result, and
redacting twice gives the result of redacting once.
"""

import re
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import cache
from operator import is_
from typing import Any

from ccship.privacy.redact import (
    arguments,
    calls,
    clouds,
    commands,
    developers,
    devices,
    extra,
    files,
    formats,
    gitleaks,
    headers,
    keys,
    links,
    printed,
    programs,
    rows,
    sentences,
    services,
    sessions,
    tokens,
)
from ccship.privacy.redact.assigned import NAMED, NAMED_SECRET
from ccship.privacy.redact.env import ENV_FILE, LINES, env_file
from ccship.privacy.redact.names import HINT, NOTHING, STRONG, strength
from ccship.privacy.redact.rules import Rule
from ccship.privacy.redact.scan import Found, Keyword, Scan
from ccship.privacy.redact.values import bears_out_a_hint, refers

__all__ = ["RULES", "Redactor", "Rule", "load_rules"]

OWN_RULES: tuple[Rule, ...] = (
    *developers.RULES,
    *clouds.RULES,
    *services.RULES,
    *keys.RULES,
    *tokens.RULES,
    *headers.RULES,
    *links.RULES,
    *programs.RULES,
    *commands.RULES,
    *formats.RULES,
    *files.RULES,
    *arguments.RULES,
    *calls.RULES,
    *devices.RULES,
    *printed.RULES,
    *sentences.RULES,
    *sessions.RULES,
    NAMED_SECRET,
    *rows.RULES,
    ENV_FILE,
)
RULES: tuple[Rule, ...] = (*gitleaks.RULES, *OWN_RULES)
"""The built-in rules, the most specific first: if two find the same secret, the first names it."""

_ERROR = "[redacted:error]"
_MARK = re.compile(r"\[redacted:[a-z0-9-]+\]")
_SHORTEST = 8
"""The minimum length of a text that a built-in rule can match."""
_MOST_KEYS = 10_000
"""How many keys of dicts are cached with their strength: programs have hundreds, data may have millions."""
_MOST_BYTES, _BYTES_A_TEXT = 4_000_000, 100
"""Approximate size of the cache of clean texts, and of an entry without its characters. Types and names repeat often;
the content of a tool result is also input of the next call.
"""
_PASSES = 8
"""Maximum number of passes: a redaction can expose another match, rarely more than one."""
_NAMES = ("name", "key", "Name", "Key", "ParameterKey")
_VALUES = frozenset({"value", "Value", "ParameterValue"})
"""Keys of a dict that contains a name and a value: a variable, a parameter, a header."""
_SECRET_DATA = frozenset({"data", "stringData"})
_SCALARS = frozenset({int, float, bool, type(None)})
_SPECIAL = _VALUES | {"kind"}


class Redactor:
    """Redacts text and values.

    `counts`: redactions by rule; `errors`: fields that were replaced whole because a rule failed.
    """

    def __init__(self, extra_rules: Sequence[Rule] = ()) -> None:
        self.counts: Counter[str] = Counter()
        self.errors = 0
        self._extra = extra.Extra(extra_rules)
        self._keywords_in = _scan().keywords_in
        self._shortest = 1 if extra_rules else _SHORTEST
        self._knows_keywords_only = not extra_rules
        self._known_keys: dict[Any, int] = {}
        self._clean: set[str] = set()
        self._clean_bytes = 0
        self._order = {rule.name: place for place, rule in enumerate((*RULES, *extra_rules))}

    def text(self, text: str) -> str:
        """Return the text without credentials; `[redacted:error]` if a rule fails."""
        try:
            return self._text(text)
        except Exception:  # noqa: BLE001 - a text that was not checked must not be sent, whatever the error
            self.errors += 1
            return _ERROR

    def value(self, value: Any) -> Any:
        """Return the value with all its strings redacted, including keys of dicts.

        If a rule fails, the whole value is replaced. Lists and dicts are never changed: without a secret, the value
        itself is returned, otherwise a copy.
        """
        try:
            return self._value(value)
        except Exception:  # noqa: BLE001 - as above
            self.errors += 1
            return _ERROR

    def _value(self, value: Any, says: int = NOTHING) -> Any:
        if isinstance(value, dict):
            return self._dict(value, says)
        if isinstance(value, str):
            return self._named(value, says) if says else self._text(value)
        if isinstance(value, (list, tuple)):
            items = [self._value(item, says) for item in value]
            return value if all(map(is_, items, value)) else type(value)(items)
        return value

    def _named(self, text: str, says: int) -> str:
        """Redact a value whose key names a secret. The name counts for more than the value's appearance."""
        redacted = self._text(text)
        if refers(text) or _MARK.fullmatch(redacted) or (says == HINT and not bears_out_a_hint(text)):
            return redacted
        self.counts[NAMED] += 1
        return f"[redacted:{NAMED}]"

    def _dict(self, value: dict[Any, Any], says_dict: int) -> dict[Any, Any]:
        known, clean, shortest = self._known_keys, self._clean, self._shortest
        redacted, names = value, {}
        for key, item in value.items():  # runs for every field; most are numbers and clean texts
            kind, says = type(item), known.get(key)
            if says is None:
                name, says = self._key(key)
                if name != key:
                    names[key] = name
            if kind is str and not says:
                if len(item) < shortest or item in clean:
                    continue
                checked = self._text(item)
            elif kind in _SCALARS:
                continue
            else:
                checked = self._value(item, says)
            if checked is not item:
                redacted = value.copy() if redacted is value else redacted
                redacted[key] = checked
        redacted = _renamed(redacted, names) if names else redacted
        return redacted if _SPECIAL.isdisjoint(value) else self._special(value, redacted, says_dict)

    def _special(self, value: dict[Any, Any], redacted: dict[Any, Any], says_dict: int) -> dict[Any, Any]:
        """Redact a dict that is a name and a value, or a Kubernetes Secret, where all values are secret."""
        changed: dict[Any, Any] = {}
        says = max(_says_of_pair(value), says_dict)
        for key in _VALUES.intersection(value) if says else ():
            changed[key] = self._value(value[key], says)
        for key in _SECRET_DATA.intersection(value) if value.get("kind") == "Secret" else ():
            if isinstance(value[key], dict):
                changed[key] = {self._text(name): self._value(item, STRONG) for name, item in value[key].items()}
        return {**redacted, **changed} if changed else redacted

    def _key(self, key: Any) -> tuple[Any, int]:
        """Return the redacted key and the strength of its name. Most keys repeat, so they are cached."""
        if not isinstance(key, str):
            return key, NOTHING
        name = self._text(key)
        says = strength(_MARK.sub("", name))  # the remaining name has the same strength the second time
        if name == key and len(self._known_keys) < _MOST_KEYS:
            self._known_keys[key] = says
        return name, says

    def _text(self, text: str) -> str:
        if len(text) < self._shortest or text in self._clean:
            return text
        keywords = self._keywords_in(text)
        if keywords or not self._knows_keywords_only or text.count("=") >= LINES:
            redacted = self._redacted(text, keywords)
            if redacted != text:
                return redacted
        self._clean_bytes += len(text) + _BYTES_A_TEXT
        if self._clean_bytes > _MOST_BYTES:
            self._clean.clear()
            self._clean_bytes = 0
        self._clean.add(text)
        return text

    def _redacted(self, text: str, keywords: Iterable[Keyword]) -> str:
        for _ in range(_PASSES):
            spans = self._spans(text, keywords)
            if not spans:
                return text
            text = self._replaced(text, spans)
            keywords = self._keywords_in(text)
        raise RecursionError("what is taken out uncovers more and more")

    def _spans(self, text: str, keywords: Iterable[Keyword]) -> list[Found]:
        found = [*_scan().found_in(text, keywords), *env_file(text), *self._extra.found_in(text)]
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
    """Read rules from a TOML document of `[[rules]]` with `name`, `pattern` and optional `keywords`.

    Raises: ValueError: One line that names the invalid rule and the reason.
    """
    return extra.load_rules(text, frozenset(rule.name for rule in RULES) | {"error"})


@cache
def _scan() -> Scan:
    """Build the scanner at the first use: compiling takes milliseconds."""
    return Scan(RULES)


def _says_of_pair(value: dict[Any, Any]) -> int:
    """Return the strength of the name in a dict of a name and a value: `{"name": "DB_PASSWORD", "value": ...}`."""
    says = max((strength(name) for key in _NAMES if isinstance(name := value.get(key), str)), default=NOTHING)
    return says if says in {NOTHING, STRONG} else HINT


def _renamed(value: dict[Any, Any], names: dict[Any, Any]) -> dict[Any, Any]:
    """Return the dict with other keys. A number distinguishes two keys with the same mark."""
    renamed: dict[Any, Any] = {}
    for key, item in value.items():
        name = free = names.get(key, key)
        number = 2
        while free in renamed:
            free, number = f"{name} ({number})", number + 1
        renamed[free] = item
    return renamed


def _merged(found: list[Found], order: dict[str, int]) -> list[Found]:
    """Return the finds from left to right, with overlapping ones merged and named by the first rule of the table."""
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
    """Return the parts of a find outside of existing marks, so that redacting twice gives the same result."""
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
