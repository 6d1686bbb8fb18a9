"""Whether a step executed something: the code that was written before may have been tried.

A list of harmless commands does better than one of commands that run code: every ecosystem has runners of its own.
"""

import re
from collections.abc import Sequence

from ccship.signals.shell import Part, Words, program_of
from ccship.signals.steps import Step

_HARMLESS = frozenset(
    {
        # look
        "ls", "ll", "cat", "bat", "head", "tail", "less", "more", "grep", "egrep", "fgrep", "rg", "ag", "ack", "find",
        "fd", "tree", "wc", "sort", "uniq", "cut", "tr", "sed", "awk", "perl", "diff", "cmp", "stat", "file", "du",
        "df", "pwd", "which", "type", "where", "whereis", "basename", "dirname", "realpath", "readlink", "date", "jq",
        "yq", "base64", "man", "id", "whoami", "uname", "hostname", "sw_vers", "history", "md5", "md5sum", "sha1sum",
        "sha256sum", "shasum", "ps", "pgrep", "lsof",
        # handle files, processes, versions
        "cd", "pushd", "popd", "rm", "mv", "cp", "mkdir", "rmdir", "touch", "chmod", "chown", "ln", "tee", "tar", "zip",
        "unzip", "gzip", "gunzip", "kill", "pkill", "open", "code", "git", "gh", "glab", "hub", "bd", "nvm", "fnm",
        # words of the shell
        "echo", "printf", "export", "set", "unset", "source", ".", "alias", "sleep", "wait", "true", "false", "test",
        "[", "[[", "]", "]]", "for", "case", "esac", "done", "fi", "local", "return", "exit", "read", "trap", "xargs",
        # format
        "black", "isort", "rustfmt",
    }
)  # fmt: skip

_PACKAGES = (
    r"(?:i|install|add|remove|uninstall|list|ls|info|view|outdated|update|upgrade|mod|get|tidy|sync|lock|fetch|env|"
    r"version|pip)(?: |$)"
)
_FORMATS = r"(?:run )?(?:fmt|format)(?: |$)"

_HARMLESS_USES: dict[str, re.Pattern[str]] = {
    **dict.fromkeys(
        ("pnpm", "yarn", "bun", "pip", "pip3", "uv", "brew", "apt", "apt-get", "go", "poetry", "composer", "bundle",
         "gem"),
        re.compile(_PACKAGES),
    ),
    "npm": re.compile(f"{_PACKAGES}|{_FORMATS}"),
    "cargo": re.compile(f"{_PACKAGES}|fmt(?: |$)"),
    **dict.fromkeys(("mise", "make", "just"), re.compile(_FORMATS)),
    **dict.fromkeys(("gofmt", "goimports", "gofumpt"), re.compile(r".*-w\b")),
    "prettier": re.compile(r".*(?:--write|-w)\b"),
    "ruff": re.compile(r"format\b"),
    "dart": re.compile(r"format\b"),
}  # fmt: skip
"""Programs that are harmless with these arguments."""

_CMDLET = re.compile(r"(?:Get|Select|Set|Remove|Copy|Move|New|Write|Out|Measure)-\w+$|Test-Path$", re.IGNORECASE)
_POWERSHELL_ASSIGNMENT = re.compile(r"\$\w+ ?=")
_SYSTEM = ("/bin", "/usr/bin", "/usr/local/bin", "/opt/homebrew/bin")
"""Folders of programs that are what their name says. In another folder it may be the code that was written."""

_PUNCTUATION = ("#", ")", "}", "(", "&", "<", ">", "'", '"', "-")
"""First characters of words that are no programs: rests of quotes, of redirections, of PowerShell."""

_INLINE = ("-c", "-e", "-")
_WRITES_FILES = re.compile(r"write_text|\.write\(|open\([^)]{0,200}['\"]w|writeFile")

_RUNNING_TOOLS = re.compile(
    r"browser|playwright|chrome|puppeteer|preview|screenshot|getDiagnostics|executeCode|run_code|simulator|xcode|repl$",
    re.IGNORECASE,
)
_DELEGATING_TOOLS = frozenset({"Task", "Agent", "Workflow", "TaskOutput", "BashOutput"})
"""What they did is not in the transcript of the session."""

_COMMIT_HOOKS = re.compile(r"lefthook|husky|pre-commit|lint-staged|\.{3,}(?:Passed|Failed)")


def has_executed(step: Step, parts: Sequence[Part]) -> bool:
    """Return whether a step without a check executed something."""
    if not step.has_run:
        return False
    if step.name in _DELEGATING_TOOLS or _RUNNING_TOOLS.search(step.name):
        return True
    return any(_runs(part.head, step.command) for part in parts) or (
        any(_is_commit(part.head) for part in parts) and _COMMIT_HOOKS.search(step.text) is not None
    )


def _runs(words: Words, command: str) -> bool:
    if not words:
        return False
    first = words[0].removeprefix('"') if words[0].startswith('"$') else words[0]
    if first.startswith(_PUNCTUATION):
        return False
    folder, _, _ = first.rpartition("/")
    if folder and folder not in _SYSTEM:
        return True
    program = program_of(words)
    if program in _HARMLESS or _CMDLET.match(program) or _POWERSHELL_ASSIGNMENT.match(" ".join(words[:2])):
        return False
    uses = _HARMLESS_USES.get(program)
    if uses is not None and uses.match(" ".join(words[1:])):
        return False
    return not (_is_inline_script(program, words) and _WRITES_FILES.search(command))


def _is_inline_script(program: str, words: Words) -> bool:
    """Return whether a script is in the command itself. One that writes files is an edit, not a test."""
    return program in ("python", "node") and len(words) > 1 and (words[1] in _INLINE or words[1].startswith("<<"))


def _is_commit(words: Words) -> bool:
    return words[:1] == ("git",) and "commit" in words
