"""Path patterns: which projects go to a destination, and which go nowhere.

A pattern holds for the folder it names and for everything beneath it. `*` and `?` stay within one name, `**` stands
for any number of folders. `~` and `$VARS` are expanded. Links are followed on both sides: a project is the same under
each of its paths.
"""

import os
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ccship.errors import ConfigError

_WILDCARDS = re.compile(r"(\*\*/|\*\*|\*|\?)")
_MEANING = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
_ABSOLUTE = re.compile(r"/|\*\*|[A-Za-z]:/")
_SAME_CASE = re.IGNORECASE if sys.platform in ("darwin", "win32") else re.NOFLAG
"""Where file names differ by more than their case."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A path pattern, and what it means. `text` is as the person wrote it."""

    text: str
    regexes: tuple[re.Pattern[str], ...]

    def holds(self, cwd: str) -> bool:
        """Whether a project folder is meant."""
        paths = {_slashes(cwd), _slashes(os.path.realpath(cwd))}
        return any(regex.fullmatch(path) for regex in self.regexes for path in paths)


def pattern_of(text: str, setting: str) -> Pattern:
    """The pattern that a person wrote in a setting.

    Raises:
        ConfigError: it names no absolute path, so it would quietly hold for nothing.
    """
    path = _slashes(str(Path(os.path.expandvars(text)).expanduser())) if text else ""
    if unset := re.search(r"\$\{?\w+\}?", path):
        raise ConfigError(f"{setting}: {text!r} names {unset[0]}, which is not set")
    if not _ABSOLUTE.match(path):
        raise ConfigError(f"{setting}: {text!r} is no path pattern: it begins with /, ~, a set $VARIABLE or **")
    path = path.removesuffix("/**").rstrip("/")
    return Pattern(text, tuple(_regex(it) for it in dict.fromkeys((path, _resolved(path)))))


def any_holds(patterns: Sequence[Pattern], cwd: str) -> bool:
    """Whether one of the patterns means this project folder."""
    return any(pattern.holds(cwd) for pattern in patterns)


def _regex(path: str) -> re.Pattern[str]:
    parts = (_MEANING.get(part) or re.escape(part) for part in _WILDCARDS.split(path))
    return re.compile("".join(parts) + "(?:/.*)?", re.DOTALL | _SAME_CASE)


def _resolved(path: str) -> str:
    """The pattern with the links before its first wildcard followed."""
    fixed = re.match(r"(?:[^*?/]*/)*(?:[^*?/]*$)?", path)
    end = fixed.end() if fixed else 0
    if end == 0:
        return path
    return _slashes(os.path.realpath(path[:end])).rstrip("/") + ("/" + path[end:] if path[end:] else "")


def _slashes(path: str) -> str:
    return path.replace("\\", "/")
