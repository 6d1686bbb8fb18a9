"""Git hooks that a command leaves out."""

import re
from collections.abc import Sequence

from ccship.signals.shell import Part, Words

_SWITCHES = re.compile(r"(?:HUSKY|LEFTHOOK)=0$|SKIP=.")
_HOOKED = frozenset({"commit", "push", "merge", "rebase"})
_VALUED = frozenset({"-C", "-c"})


def bypasses_hooks(parts: Sequence[Part]) -> bool:
    """Return whether a command tells git to leave out its hooks."""
    return any(_bypasses(part) for part in parts)


def _bypasses(part: Part) -> bool:
    first = part.words[0]
    if first == "export":
        return any(re.fullmatch(r"(?:HUSKY|LEFTHOOK)=0", word) for word in part.words[1:])
    words = part.head
    command, arguments = _git(words)
    if command not in _HOOKED:
        return False
    assigned = part.words[: len(part.words) - len(words)]
    if any(_SWITCHES.match(word) for word in assigned):
        return True
    return "--no-verify" in arguments or (command == "commit" and any(map(_has_n, arguments)))


def _git(words: Words) -> tuple[str, Words]:
    """Return git's subcommand and its arguments, without the options of git itself."""
    if words[:1] != ("git",):
        return "", ()
    at = 1
    while at < len(words) and words[at].startswith("-"):
        at += 2 if words[at] in _VALUED else 1
    return (words[at], words[at + 1 :]) if at < len(words) else ("", ())


def _has_n(word: str) -> bool:
    """Return whether a word of short options contains `-n`: before one that takes the rest of the word as its value."""
    return re.match(r"-[aepqsvz]*n", word) is not None
