"""Where in a text a rule has to look: one pass over the text, then each rule at its keywords only.

A regular expression of all keywords side by side would try most of them at most letters. Each is sought by a character
that is rare in transcripts instead, with the two beside it, and looked at whole only where those stand.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from ccship.redact.rules import Rule

_ANCHORS = "_JKQXSABCPzxq=:kvwby-p1c\"\\'"
"""Characters by which keywords are sought, the best first: rare in transcripts, and in many keywords."""
_WINDOW = 3
"""So many characters of a keyword are sought; none is shorter."""


@dataclass(frozen=True, slots=True)
class Found:
    """A secret in a text: the first character, the one after the last, and the rule that knows it."""

    start: int
    end: int
    rule: str


class Scan:
    """Finds the secrets that a table of rules knows. Patterns are compiled when their keyword is first met."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self._compiled: dict[str, re.Pattern[str]] = {}
        self._at: defaultdict[str, list[tuple[str, int, list[Rule]]]] = defaultdict(list)
        by_keyword: defaultdict[str, list[Rule]] = defaultdict(list)
        for rule in rules:
            for keyword in rule.keywords:
                by_keyword[keyword].append(rule)
        windows: defaultdict[str, set[tuple[int, str]]] = defaultdict(set)
        for keyword, theirs in by_keyword.items():
            anchor = next(character for character in _ANCHORS if character in keyword)
            place = keyword.index(anchor)
            first = max(0, min(place - 1, len(keyword) - _WINDOW))
            window = keyword[first : first + _WINDOW]
            self._at[window].append((keyword, first, theirs))
            windows[anchor].add((place - first, window))
        self._anchors = re.compile("|".join(_pattern_of(anchor, theirs) for anchor, theirs in windows.items()))
        self.search = self._anchors.search
        """None for a text without any keyword, as nearly all are."""

    def found_in(self, text: str, start: int = 0) -> Iterator[Found]:
        """The secrets of a text, in no order; they may overlap. No keyword has its anchor before `start`."""
        done: dict[str, int] = {}
        for anchor in self._anchors.finditer(text, start):
            for first in range(max(anchor.start() - _WINDOW + 1, 0), anchor.end()):
                for keyword, offset, rules in self._at.get(text[first : first + _WINDOW], ()):
                    if first >= offset and text.startswith(keyword, first - offset):
                        yield from self._hits(rules, text, first - offset, done)

    def _hits(self, rules: list[Rule], text: str, at: int, done: dict[str, int]) -> Iterator[Found]:
        """What the rules of a keyword make of it. None looks again at what it took: that would take quadratic time."""
        for rule in rules:
            start = at - rule.lead
            if start >= done.get(rule.name, 0):
                hit = self._pattern(rule).match(text, start)
                if hit and rule.accept(hit):
                    begin, end = hit.span(hit.lastindex or 0)
                    if rule.rest and (rest := re.compile(rule.rest).match(text, end)):
                        end = rest.end()
                    done[rule.name] = max(end, hit.end())
                    yield Found(begin, end, rule.name)

    def _pattern(self, rule: Rule) -> re.Pattern[str]:
        pattern = self._compiled.get(rule.name)
        if pattern is None:
            pattern = self._compiled[rule.name] = re.compile(rule.pattern)
        return pattern


def _pattern_of(anchor: str, windows: set[tuple[int, str]]) -> str:
    """The anchor, where the characters beside it make one of its windows."""
    after: defaultdict[str, list[str]] = defaultdict(list)
    for place, window in sorted(windows):
        after[window[:place]].append(re.escape(window[place + 1 :]))
    whole = [re.escape(before + anchor) for before, rest in after.items() if rest == [""]]
    beside = [f"(?<={'|'.join(whole)})"] if whole else []
    for before, rest in after.items():
        if rest != [""]:
            beside.append((f"(?<={re.escape(before + anchor)})" if before else "") + f"(?={'|'.join(rest)})")
    return f"{re.escape(anchor)}(?:{'|'.join(beside)})"
