"""Summaries of test runners, linters and compilers that report a failure.

`cmd | tail` hides an exit code, so the text has to be read. Each pattern is a line that a runner itself prints.
"""

import re
from collections.abc import Iterator

_FAILED: dict[str, tuple[str, ...]] = {
    "pytest, unittest": (
        r"^=+ [^\n]{0,200}\b[1-9]\d* (?:failed|errors?)\b[^\n]{0,200} in [\d.:]+",
        r"^(?:FAILED|ERROR) \S+::",
        r"^[1-9]\d* failed\b",
        r"^FAILED \((?:failures|errors)=",
    ),
    "go": (
        r"^--- FAIL: ",
        r"^FAIL(?:\t| *$)",
        r"\[build failed\]",
        r"^\S+\.go:\d+:\d+: (?:undefined|cannot use|syntax error|declared and not used|missing return)",
    ),
    "jest, vitest, mocha, node, bun, playwright": (
        r"^[ \t]*FAIL[ \t]+\S+\.(?:test|spec)\.",
        r"^FAIL[ \t]+[\w./-]+ +\[",
        r"^[ \t]*Tests?:?[ \t]+[^\n]{0,200}\b[1-9]\d* failed",
        r"^[ \t]*Test (?:Files|Suites:?)[ \t]+[^\n]{0,200}\b[1-9]\d* failed",
        r"^[ \t]+[1-9]\d* fail(?:ing|ed$)",
        r"^[ \t]*[1-9]\d* fail$",
        r"^[#\u2139] fail [1-9]",
    ),
    "cargo": (
        r"^test result: FAILED",
        r"^error(?:\[E\d+\])?: (?:could not compile|test failed|aborting due to)",
        r"^error\[E\d+\]",
    ),
    "tsc, eslint, mypy, ruff, pyright, golangci-lint, markdownlint, openspec": (
        r"\berror TS\d+:",
        r"✖ \d+ problems? \([1-9]\d* errors?",
        r"^Found [1-9]\d* errors?(?: in| \(checked|\.$|$)(?![^\n]{0,200}\b0 remaining)",
        r"^[1-9]\d* errors?, \d+ warn",
        r"^Would reformat: ",
        r"^\S{0,200}[ \t]*[1-9]\d* issues?:$",
        r" error MD\d+/",
        r"^Summary: [1-9]\d* error\(s\)",
        r"^✗ \[ERROR\]",
    ),
    "npm, pnpm, bun": (
        r"\bELIFECYCLE\b",
        r"^npm (?:ERR!|error) ",
        r"^[ \t]*error: script \".{0,200}\" exited with code [1-9]",
        r"^Failed to compile\.?$",
        r"^\[(?:test|lint|build|check|fmt)[\w:.-]*\] ERROR\b",
    ),
    "gradle, maven, xcodebuild, dotnet": (
        r"^(?:\[ERROR\] )?BUILD FAIL(?:ED|URE)\b",
        r"\*\* (?:BUILD|TEST|ARCHIVE) FAILED \*\*",
        r"^Build FAILED\.",
        r"^Failed![ \t]+- Failed:[ \t]+[1-9]",
    ),
    "make, mise, nix": (
        r"^g?make(?:\[\d+\])?: \*\*\* ",
        r"\bERROR task failed\b",
        r"^error: (?:builder for .{0,200} failed|build of .{0,200} failed)",
    ),
    "flutter, exunit, rspec": (
        r"^Some tests failed",
        r"\btests?, [1-9]\d* failures?\b",
        r"^\d+ examples?, [1-9]\d* failures?",
    ),
    "an exit code that the command itself prints, or pre-commit": (
        (
            r"^[^\w\n]{0,8}(?:[\w ()-]{0,24}[ _-])?"
            r"(?:(?i:exit|status)(?i:[ _-]?(?:code|status))?[ \t]*|(?:rc|RC) ?)[:=][ \t]*[1-9]\d{0,2}[^\w\n]{0,8}$"
        ),
    ),
}
"""Each pattern is for one line; with `^`, for its start."""

_PATTERNS = [pattern for patterns in _FAILED.values() for pattern in patterns]
_AT_START = re.compile("|".join(pattern[1:] for pattern in _PATTERNS if pattern.startswith("^")))
_ANYWHERE = re.compile("|".join(pattern for pattern in _PATTERNS if not pattern.startswith("^")))

_TRIGGERS = (
    "fail", "Fail", "FAIL", "rror", "ERR", "issue", "problem", "reformat", "ELIFECYCLE", ": *** ",
    "xit", "XIT", "tatus", "TATUS", "rc=", "rc:", "rc =", "rc :", "RC=", "RC:", "RC =", "RC :",
    "undefined", "cannot use", "not used", "missing ret",
)  # fmt: skip
"""Each pattern contains one of these, and most lines none. To search for a text is faster than for a pattern."""


def has_failed(text: str) -> bool:
    """Return whether a runner's own summary in a text reports a failure."""
    return any(_AT_START.match(line) or _ANYWHERE.search(line) for line in _lines_with_triggers(text))


def _lines_with_triggers(text: str) -> Iterator[str]:
    seen: set[int] = set()
    for trigger in _TRIGGERS:
        at = text.find(trigger)
        while at >= 0:
            start, end = text.rfind("\n", 0, at) + 1, text.find("\n", at)
            end = len(text) if end < 0 else end
            if start not in seen:
                seen.add(start)
                yield text[start:end]
            at = text.find(trigger, end)
