"""Git facts of a turn: the repository's name and remote, and the commits made while the turn ran.

A repository may be hostile: its configuration can name programs (filters, signature checkers, monitors, transports).
Therefore git never runs on the repository itself. It runs on a temporary git directory that has our own configuration
and links to the repository's objects, refs and index, so it has no program to start and no remote to fetch from. This
works with any version of git. This module reads `.git`, HEAD and the configuration as small regular files; git parses
the text of the configuration from a pipe.

Bare repositories (a clone can contain one) and repositories of other users are not read. Variables like GIT_DIR are not
passed on. `git_dirty` compares stat data, not file contents. Each repository is read once per run.
"""

import os
import re
import shutil
import stat
import subprocess
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit, urlunsplit

TIME_LIMIT_S = 0.5
"""Limit for one git command. A slower repository has no facts."""

MAX_COMMITS = 20_000
"""Commits read per branch. Earlier turns have no commit."""

MAX_LISTED = 50
"""Commits listed per turn. A rebase makes hundreds."""

MAX_FILE_BYTES = 1024 * 1024
"""Size limit of `.git`, HEAD and the configuration. A repository with larger ones is not read."""

_SHARED = ("objects", "refs", "packed-refs", "shallow")
"""Entries of a git directory that git needs besides HEAD, the index and the settings below."""

_POINTER = "gitdir: "

_REMOTE = "remote.origin.url"

_FORMAT = ("core.filemode", "core.symlinks", "core.trustctime", "core.checkstat", "extensions.objectformat")
"""Settings without which git misreads objects or stat data. Their values are single words."""

_WORD = re.compile(r"\w+", re.ASCII)

_ISOLATED = {
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
}


class Repositories:
    """The repositories of a run, each read once.

    `live`: the sessions are active, so uncommitted changes describe their last turns.
    """

    def __init__(self, *, live: bool = False) -> None:
        self.live = live
        self._histories: dict[tuple[str, str | None], History | None] = {}

    def facts(self, cwd: str | None, branch: str | None, start_ns: int, end_ns: int) -> dict[str, Any]:
        """Return the git metadata of a turn that ran in the folder `cwd`, on `branch`, from `start_ns` to `end_ns`."""
        history = self.history(cwd, branch)
        if history is None:
            return {}
        return {**history.facts(start_ns, max(start_ns, end_ns)), **(history.volatile() if self.live else {})}

    def history(self, cwd: str | None, branch: str | None) -> "History | None":
        """Return the current history of a session's branch.

        None without a repository, without git, or if the repository must not be read.
        """
        if not cwd:
            return None
        key = (cwd, branch)
        if key not in self._histories:
            self._histories[key] = _read(cwd, branch)
        return self._histories[key]


@dataclass(frozen=True, slots=True)
class _Repository:
    """A work tree and its git directories.

    `own` contains HEAD and the index, `common` everything else. `git`: the path of the program.
    """

    git: str
    root: Path
    own: Path
    common: Path


@dataclass(frozen=True)
class History:
    """The commits of a branch, oldest first. `times` (seconds since the epoch) is parallel to `hashes`."""

    repository: _Repository
    name: str
    remote: str | None
    times: tuple[int, ...]
    hashes: tuple[str, ...]

    def facts(self, start_ns: int, end_ns: int) -> dict[str, Any]:
        """Return the metadata of a turn that ran from `start_ns` to `end_ns`: the repository and the turn's commits."""
        before = bisect_right(self.times, end_ns // 1_000_000_000)
        # git has a resolution of seconds: include commits made in the turn's first second
        made = self.hashes[bisect_left(self.times, start_ns // 1_000_000_000) : before]
        facts: dict[str, Any] = {"git_repository": self.name}
        if self.remote:
            facts["git_remote"] = self.remote
        if before:
            facts["git_commit"] = self.hashes[before - 1]
        if made:
            facts["git_commits"] = list(made[-MAX_LISTED:])
        return facts

    def volatile(self) -> dict[str, Any]:
        """Return metadata that is true only now: whether tracked files have uncommitted changes."""
        return {"git_dirty": self._dirty} if self._dirty is not None else {}

    @cached_property
    def _dirty(self) -> bool | None:
        try:
            with _view(self.repository) as view:
                # without --ignore-submodules, git starts another git in each submodule, which obeys its configuration
                code, _ = view.ask("diff-index", "--quiet", "--ignore-submodules=dirty", "HEAD", "--")
        except (OSError, ValueError):
            return None
        return bool(code) if code in (0, 1) else None


def without_credentials(url: str) -> str:
    """Remove credentials: `https://user:token@host/x` -> `https://host/x`. `git@host:x` contains none."""
    if "://" not in url:
        return url
    try:
        parts = urlsplit(url)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))
    except ValueError:
        return ""


def _read(cwd: str, branch: str | None) -> History | None:
    try:
        repository = _find(Path(cwd))
        if repository is None:
            return None
        with _view(repository) as view:
            commits = (branch and view.commits(f"refs/heads/{branch}")) or view.commits("HEAD")
            remote = without_credentials(view.settings.get(_REMOTE, "")) or None
    except (OSError, ValueError):  # unreadable, deleted, damaged, or not a possible file name
        return None
    name = Path(remote.rstrip("/").removesuffix(".git")).name.rpartition(":")[2] if remote else ""
    common = repository.common
    name = name or (common.parent.name if common.name == ".git" else common.name.removesuffix(".git"))
    return History(repository, name, remote, tuple(time for time, _ in commits), tuple(commit for _, commit in commits))


def _find(folder: Path) -> _Repository | None:
    """Return the repository whose work tree contains a folder, as git finds it, or None. Bare repositories are ignored.

    Raises:
        OSError: The repository cannot be read.
    """
    # a relative entry such as "." would let the repository provide the program
    absolute = (entry for entry in os.environ.get("PATH", "").split(os.pathsep) if Path(entry).is_absolute())
    git = shutil.which("git", path=os.pathsep.join(absolute))
    folder = folder.resolve(strict=True)
    root = next((parent for parent in (folder, *folder.parents) if _is_root(parent)), None)
    if git is None or root is None:
        return None
    own = root / ".git"
    if own.is_file():  # a worktree or a submodule
        text = _text(own)
        if not text.startswith(_POINTER):
            return None
        own = root / text.removeprefix(_POINTER).strip()
    own = own.resolve(strict=True)
    pointer = own / "commondir"
    common = (own / _text(pointer).strip()).resolve(strict=True) if pointer.exists() else own
    repository = _Repository(git, root, own, common)
    return repository if all(map(_is_mine, (root, root / ".git", own, common, common / "objects"))) else None


def _is_root(folder: Path) -> bool:
    entry = folder / ".git"
    return entry.is_file() or (entry / "HEAD").exists()


def _is_mine(path: Path) -> bool:
    return not hasattr(os, "geteuid") or path.stat().st_uid == os.geteuid()


def _text(path: Path) -> str:
    """Read a small regular file. Opening a pipe or a device could block forever.

    Raises:
        OSError: It is not a regular file, or it is too large.
    """
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    with open(descriptor, "rb") as file:  # noqa: PTH123 - a descriptor has no path
        content = file.read(MAX_FILE_BYTES + 1) if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    if content is None or len(content) > MAX_FILE_BYTES:
        raise OSError(f"{path} is not a regular file of at most {MAX_FILE_BYTES} bytes")
    return content.decode("utf-8", "surrogateescape")


@dataclass(frozen=True, slots=True)
class _View:
    """A temporary git directory for a repository, and the repository's own settings as data."""

    repository: _Repository
    folder: Path
    settings: Mapping[str, str]

    def commits(self, tip: str) -> list[tuple[int, str]]:
        """Return the commits of a ref with their times (seconds since the epoch), oldest first; empty without a ref."""
        code, log = self.ask("rev-list", "--timestamp", f"--max-count={MAX_COMMITS}", "--end-of-options", tip, "--")
        lines = log.splitlines() if code == 0 else []
        return sorted((int(time), commit) for time, _, commit in (line.partition(" ") for line in lines))

    def ask(self, command: str, *arguments: str) -> tuple[int | None, str]:
        """Run a git command; return its exit code and output, or None and "" after the time limit."""
        return _run(self.repository, self.folder, command, *arguments)


@contextmanager
def _view(repository: _Repository) -> Iterator[_View]:
    with TemporaryDirectory(prefix="ccship-git-") as name:
        folder = Path(name)
        settings = _settings(repository, folder)
        config = {"core.repositoryformatversion": "1", **{key: settings[key] for key in _FORMAT if key in settings}}
        lines = (f"[{key.partition('.')[0]}]\n{key.partition('.')[2]} = {value}\n" for key, value in config.items())
        (folder / "config").write_text("".join(lines))
        (folder / "HEAD").write_text(_text(repository.own / "HEAD"), "utf-8", "surrogateescape")
        for link in (repository.own / "index", *(repository.common / entry for entry in _SHARED)):
            (folder / link.name).symlink_to(link)
        yield _View(repository, folder, settings)


def _settings(repository: _Repository, folder: Path) -> dict[str, str]:
    """Return the repository's settings that are needed here. Included configuration files are not read."""
    names = "|".join(map(re.escape, (_REMOTE, *_FORMAT)))
    command = ("config", "--file", "-", "--no-includes", "--null", "--get-regexp", f"^({names})$")
    _, found = _run(repository, folder, *command, text=_text(repository.common / "config"))
    settings: dict[str, str] = {}
    for entry in found.split("\0"):
        key, _, value = entry.partition("\n")
        if key == _REMOTE:
            settings.setdefault(key, value)  # git fetches from the first of several
        elif _WORD.fullmatch(value):
            settings[key] = value
    return settings


def _run(
    repository: _Repository, folder: Path, command: str, *arguments: str, text: str = ""
) -> tuple[int | None, str]:
    """Run git on our own git directory, in the environment without git's variables."""
    ours = {**_ISOLATED, "GIT_DIR": str(folder), "GIT_WORK_TREE": str(repository.root)}
    try:
        done = subprocess.run(  # noqa: S603 - the name of a branch is all that comes from a transcript
            [repository.git, command, *arguments],
            cwd=folder,
            env={**{name: value for name, value in os.environ.items() if not name.startswith("GIT_")}, **ours},
            input=text.encode("utf-8", "surrogateescape"),
            capture_output=True,
            timeout=TIME_LIMIT_S,
            check=False,
        )
    except (OSError, subprocess.SubprocessError):
        return None, ""
    return done.returncode, done.stdout.decode("utf-8", "replace")
