"""Path patterns of projects, for destinations and exclusions.

A pattern matches a folder and everything below it. `*` and `?` match within one name, `**` matches any number of
folders. `~` and `$VARS` are expanded. Links are resolved on both sides, so a project matches under each of its paths.
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
"""Ignore case where file systems do."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled path pattern. `text`: as written in the settings."""

    text: str
    regexes: tuple[re.Pattern[str], ...]

    def matches(self, cwd: str) -> bool:
        """Return whether a project folder matches."""
        paths = {_slashes(cwd), _slashes(os.path.realpath(cwd))}
        return any(regex.fullmatch(path) for regex in self.regexes for path in paths)


def pattern_of(text: str, setting: str) -> Pattern:
    """Compile the pattern in a setting.

    Raises:
        ConfigError: It is not an absolute path, so it would never match.
    """
    path = _slashes(str(Path(os.path.expandvars(text)).expanduser())) if text else ""
    if unset := re.search(r"\$\{?\w+\}?", path):
        raise ConfigError(f"{setting}: {text!r} contains {unset[0]}, which is not set")
    if not _ABSOLUTE.match(path):
        raise ConfigError(f"{setting}: {text!r} is not a path pattern: start it with /, ~, $VARIABLE or **")
    path = path.removesuffix("/**").rstrip("/")
    return Pattern(text, tuple(_regex(pattern) for pattern in dict.fromkeys((path, _resolved(path)))))


def any_matches(patterns: Sequence[Pattern], cwd: str) -> bool:
    """Return whether a pattern matches a project folder."""
    return any(pattern.matches(cwd) for pattern in patterns)


def _regex(path: str) -> re.Pattern[str]:
    parts = (_MEANING.get(part) or re.escape(part) for part in _WILDCARDS.split(path))
    return re.compile("".join(parts) + "(?:/.*)?", re.DOTALL | _SAME_CASE)


def _resolved(path: str) -> str:
    """Resolve the links before the first wildcard of a pattern."""
    fixed = re.match(r"(?:[^*?/]*/)*(?:[^*?/]*$)?", path)
    end = fixed.end() if fixed else 0
    if end == 0:
        return path
    return _slashes(os.path.realpath(path[:end])).rstrip("/") + ("/" + path[end:] if path[end:] else "")


def _slashes(path: str) -> str:
    return path.replace("\\", "/")
