"""What a turn's repository says: its name, remote, and which commits were made while the turn ran.

Reads only, each repository once, and gives up after half a second: an answer that is late is no answer. Everything but
`passing` is a function of the time of the turn, so that a second look finds the same.
"""

import os
import subprocess
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

TIME_LIMIT_S = 0.5
"""For one question to git; a repository that is slower is left out."""

MAX_COMMITS = 20_000
"""How far back a branch is read; a turn before that has no commit."""

MAX_LISTED = 50
"""Commits named for one turn: a rebase makes hundreds."""

_QUIET = ("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "gc.auto=0")
"""A repository's own configuration must not make git run anything."""


class Repositories:
    """The repositories of a run, each read once."""

    def __init__(self) -> None:
        self._histories: dict[tuple[str, str | None], History | None] = {}

    def history(self, cwd: str | None, branch: str | None) -> "History | None":
        """The branch that a session worked on, as it is now; None where there is no repository or no git."""
        if not cwd:
            return None
        key = (cwd, branch)
        if key not in self._histories:
            self._histories[key] = _read(Path(cwd), branch)
        return self._histories[key]


@dataclass(frozen=True)
class History:
    """The commits of a branch, oldest first: `times` in seconds since the epoch, `hashes` beside them."""

    folder: Path
    name: str
    remote: str | None
    times: tuple[int, ...]
    hashes: tuple[str, ...]

    def facts(self, start_ns: int, end_ns: int) -> dict[str, Any]:
        """Metadata of a turn that ran from `start_ns` to `end_ns`: where it was and what it committed."""
        before = bisect_right(self.times, end_ns // 1_000_000_000)
        # git has whole seconds: a commit in the first one counts
        made = self.hashes[bisect_left(self.times, start_ns // 1_000_000_000) : before]
        facts: dict[str, Any] = {"git_repository": self.name}
        if self.remote:
            facts["git_remote"] = self.remote
        if before:
            facts["git_commit"] = self.hashes[before - 1]
        if made:
            facts["git_commits"] = list(made[-MAX_LISTED:])
        return facts

    def passing(self) -> dict[str, Any]:
        """What is true only now: whether there are uncommitted changes."""
        return {"git_dirty": self._dirty} if self._dirty is not None else {}

    @cached_property
    def _dirty(self) -> bool | None:
        found = _ask(self.folder, "status", "--porcelain", "--untracked-files=no")
        return None if found is None else bool(found)


def without_credentials(url: str) -> str:
    """`https://user:token@host/x` -> `https://host/x`; `git@host:x` names no secret and stays."""
    if "://" not in url:
        return url
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return ""


def _read(folder: Path, branch: str | None) -> History | None:
    try:
        if not folder.is_dir() or _ask(folder, "version") is None:
            return None
        import git  # noqa: PLC0415 - a quarter of a second, only where there is a folder to look at

        repository = git.Repo(folder, search_parent_directories=True)
        root = Path(repository.common_dir).resolve()
        urls = [remote.url for remote in repository.remotes if remote.name == "origin"]
    except Exception:  # noqa: BLE001 - no git, no repository, one that belongs to somebody else, a broken one
        return None
    log = None
    for tip in dict.fromkeys((branch, "HEAD")):
        if tip and not tip.startswith("-"):
            log = _ask(folder, "log", "--format=%ct %H", f"--max-count={MAX_COMMITS}", "--end-of-options", tip, "--")
        if log is not None:
            break
    commits = sorted(
        (int(time), commit) for time, _, commit in (line.partition(" ") for line in (log or "").splitlines())
    )
    remote = without_credentials(urls[0]) if urls else None
    name = Path(remote.rstrip("/").removesuffix(".git")).name.rpartition(":")[2] if remote else ""
    name = name or (root.parent.name if root.name == ".git" else root.name.removesuffix(".git"))
    return History(folder, name, remote, tuple(time for time, _ in commits), tuple(it for _, it in commits))


def _ask(folder: Path, command: str, *arguments: str) -> str | None:
    """What git answers, or None when it does not in time.

    One way to ask before and after GitPython is imported: its import asks git for its version, and waits for ever.
    """
    try:
        done = subprocess.run(  # noqa: S603 - nothing of it comes from a transcript but the name of a branch
            ["git", *_QUIET, command, *arguments],  # noqa: S607 - the person's own git, wherever it is
            cwd=folder,
            env={**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIME_LIMIT_S,
            check=True,
        )
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.decode("utf-8", "replace").strip()
