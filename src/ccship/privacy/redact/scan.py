"""The search: one pass over the text finds all keywords, then each rule is matched at its own.

An Aho-Corasick automaton finds keywords in any case. Almost all texts contain none and need no further work.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from ahocorasick_rs import AhoCorasick, Implementation

from ccship.privacy.redact.rules import Rule

Keyword: TypeAlias = tuple[int, int, int]
"""The number of a keyword, and its first and last offset in the text."""

_SURROGATES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Found:
    """A secret in a text: the offset of its first character, the offset after its last, and its rule."""

    start: int
    end: int
    rule: str


@dataclass(slots=True)
class _Entry:
    """A rule at one of its keywords. Its pattern is compiled when it is first needed."""

    number: int
    rule: Rule
    lead: int
    match: Callable[[str, int], re.Match[str] | None] | None = None

    def compile(self) -> Callable[[str, int], re.Match[str] | None]:
        self.match = compiled(self.rule.pattern).match
        return self.match


class Scan:
    """Finds the secrets of a list of rules."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        by_keyword: defaultdict[str, list[_Entry]] = defaultdict(list)
        for number, rule in enumerate(rules):
            entry = _Entry(number, rule, rule.lead)
            for keyword in dict.fromkeys(keyword.lower() for keyword in rule.keywords):
                by_keyword[keyword].append(entry)
        self._entries = list(by_keyword.values())
        # Takes 2 ms to build, and is three times as fast as the library's smaller automata.
        self._find = AhoCorasick(list(by_keyword), implementation=Implementation.DFA).find_matches_as_indexes

    def keywords_in(self, text: str) -> list[Keyword]:
        """Return all keywords in a text, in the order of their ends, also overlapping ones."""
        lowered = text.lower()
        if len(lowered) != len(text):  # İ becomes two characters in lower case and would shift all offsets after it
            lowered = text.replace("İ", "i").lower()
        try:
            return self._find(lowered, True)
        except UnicodeEncodeError:  # half a surrogate pair
            return self._find(_SURROGATES.sub("?", lowered), True)

    def found_in(self, text: str, keywords: Iterable[Keyword]) -> list[Found]:
        """Return the secrets of a text at its keywords, in any order, possibly overlapping.

        A rule is not matched again inside its last match: that would take quadratic time.
        """
        found: list[Found] = []
        done: dict[int, int] = {}
        for keyword, start, _ in keywords:
            for entry in self._entries[keyword]:
                at = start - entry.lead
                if at < 0 or (done and at < done.get(entry.number, 0)):
                    continue
                hit = (entry.match or entry.compile())(text, at)
                if hit and (secrets := _secrets(entry.rule, hit)):
                    done[entry.number] = max(secrets[-1].end, hit.end())
                    found += secrets
        return found


def _secrets(rule: Rule, hit: re.Match[str]) -> list[Found]:
    if rule.spans:
        return [Found(*span, rule.name) for span in rule.spans(hit)]
    if not rule.accept(hit):
        return []
    start, end = hit.span(hit.lastindex or 0)
    if rule.rest and (rest := compiled(rule.rest).match(hit.string, end)):
        end = rest.end()
    return [Found(start, end, rule.name)]


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Return the compiled pattern; `re` caches only a few hundred."""
    return re.compile(pattern)
