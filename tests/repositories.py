"""Real repositories, made by git."""

import os
import subprocess
from pathlib import Path

from lines import at


def run_git(repository: Path, *command: str, seconds: float = 0, text: str = "") -> str:
    """What git prints, run in a repository by Ada at a time of the transcript's."""
    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER") for key, value in _ADA.items()}
    times = {"GIT_AUTHOR_DATE": at(seconds), "GIT_COMMITTER_DATE": at(seconds)}
    done = subprocess.run(
        ["/usr/bin/env", "git", *command],
        cwd=repository,
        env={**os.environ, **who, **times},
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


_ADA = {"NAME": "ada", "EMAIL": "a@b"}


def new_repository(path: Path, *options: str) -> Path:
    """An empty repository on the branch `main`, with a remote whose URL contains credentials."""
    path.mkdir(parents=True)
    run_git(path, "init", "-q", "-b", "main", *options)
    run_git(path, "remote", "add", "origin", "https://ada:token123@example.org/team/widgets.git")
    return path


def commit(repository: Path, text: str, seconds: float) -> str:
    """The hash of a new commit that writes a text to `file`."""
    (repository / "file").write_text(text)
    run_git(repository, "add", "file")
    run_git(repository, "commit", "-qm", text, seconds=seconds)
    return run_git(repository, "rev-parse", "HEAD")
