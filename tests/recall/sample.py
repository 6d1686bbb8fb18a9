r"""Texts that match a regular expression, made up anew for every seed and the same for the same one.

Reads the syntax that gitleaks uses: classes, groups, alternatives, bounded and open quantifiers, `\d \w \s`. What takes
no room (anchors, look-arounds, `\b`) is skipped, so a text may miss by what stands beside it.
"""

import random
import re
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

_Make: TypeAlias = Callable[[random.Random], str]

_WORD = string.ascii_letters + string.digits + "_"
_CLASSES = {"d": string.digits, "w": _WORD, "s": " ", "S": string.ascii_letters + string.digits + "+/=!#"}
_POSIX = {"[:alnum:]": string.ascii_letters + string.digits}
_OPEN = 24
"""How many more than its least an open quantifier repeats, at most."""


def sampler(pattern: str) -> _Make:
    """A function from a source of randomness to a text that the pattern matches."""
    return _Reader(pattern).alternatives()


@dataclass(slots=True)
class _Reader:
    pattern: str
    at: int = 0
    flags: list[str] = field(default_factory=list)

    def alternatives(self) -> _Make:
        branches = [self.sequence()]
        while self.peek() == "|":
            self.at += 1
            branches.append(self.sequence())
        return lambda rng: rng.choice(branches)(rng)

    def sequence(self) -> _Make:
        parts: list[_Make] = []
        while self.peek() not in ("", "|", ")"):
            parts.append(self.quantified(self.atom()))
        return lambda rng: "".join(part(rng) for part in parts)

    def peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def take(self) -> str:
        self.at += 1
        return self.pattern[self.at - 1]

    def atom(self) -> _Make:
        match self.take():
            case "(":
                return self.group()
            case "[":
                letters = self.letters()
                return lambda rng: rng.choice(letters)
            case "\\":
                letters = self.escape()
                return lambda rng: rng.choice(letters) if letters else ""
            case "^" | "$":
                return lambda _: ""
            case literal:
                return lambda _: literal

    def group(self) -> _Make:
        skipped = False
        if self.peek() == "?":
            end = self.at + 1
            while self.pattern[end] not in ":)=!>":
                end += 1
            if self.pattern[self.at + 1] == "<" or self.pattern[end] in "=!":
                skipped = self.pattern[end] in "=!" or self.pattern[end - 1] == "<"
            if self.pattern[end] == ")":  # (?i): flags, no group
                self.at = end + 1
                return lambda _: ""
            self.at = end + 1
        inner = self.alternatives()
        self.at += 1
        return (lambda _: "") if skipped else inner

    def escape(self) -> str:
        letter = self.take()
        if letter == "x":
            self.at += 2
            return chr(int(self.pattern[self.at - 2 : self.at], 16))
        if letter in "bBAzZ":
            return ""
        return _CLASSES.get(letter) or {"n": "\n", "t": "\t", "r": "\r"}.get(letter, letter)

    def letters(self) -> str:
        negated = self.peek() == "^"
        self.at += negated
        start, found = self.at, ""
        while self.peek() != "]" or self.at == start:
            for name, letters in _POSIX.items():
                if self.pattern.startswith(name, self.at):
                    found += letters
                    self.at += len(name)
                    break
            else:
                letter = self.take()
                letter = self.escape() if letter == "\\" else letter
                if self.peek() == "-" and self.pattern[self.at + 1] != "]" and len(letter) == 1:
                    self.at += 1
                    last = self.take()
                    found += "".join(map(chr, range(ord(letter), ord(last) + 1)))
                else:
                    found += letter
        self.at += 1
        # No secret is broken at a random place, though a class may allow line breaks.
        found = re.sub(r"[\r\n]", "", found) or found
        return "".join(sorted(set(_WORD + " ") - set(found))) if negated else found

    def quantified(self, atom: _Make) -> _Make:
        match self.peek():
            case "{" if self.pattern[self.at + 1].isdigit():
                end = self.pattern.index("}", self.at)
                least, comma, most = self.pattern[self.at + 1 : end].partition(",")
                self.at = end + 1
                low = int(least)
                high = int(most) if most else low + _OPEN * bool(comma)
            case "?" | "*" | "+" as mark:
                self.at += 1
                low, high = {"?": (0, 1), "*": (0, _OPEN), "+": (1, _OPEN)}[mark]
            case _:
                return atom
        if self.peek() in ("?", "+"):
            self.at += 1
        return lambda rng: "".join(atom(rng) for _ in range(rng.randint(low, high)))
