"""Repositories with pipes, huge files, other owners or pointers to nowhere: what cannot be read is left out."""

import os
import shutil
from pathlib import Path

import pytest

from ccship.pipeline.git import Repositories
from repositories import commit, new_repository

NAME, COMMITS, DIRTY = {"git_repository", "git_remote"}, {"git_commit", "git_commits"}, {"git_dirty"}

PIPES = {
    ".git": set(),
    ".git/HEAD": set(),
    ".git/config": set(),
    ".git/commondir": set(),
    ".git/objects/info/alternates": NAME,
    ".git/refs/heads/main": NAME,
    ".git/packed-refs": NAME,
    ".git/shallow": NAME,
    ".git/index": NAME | COMMITS,
    "file": NAME | COMMITS | DIRTY,
}


@pytest.mark.parametrize(("path", "expected"), PIPES.items(), ids=PIPES.keys())
def test_nobody_waits_for_a_pipe(path: str, expected: set[str], tmp_path: Path) -> None:
    """What takes longer than the limit, or is no regular file, is left out."""
    repository = new_repository(tmp_path / "demo")
    commit(repository, "x", 1)
    if path == ".git":
        shutil.rmtree(repository / ".git")
    (repository / path).unlink(missing_ok=True)
    os.mkfifo(repository / path)
    assert Repositories(live=True).facts(str(repository), "main", 0, 10**19).keys() == expected


HUGE = (".git/HEAD", ".git/config", ".git/commondir")


@pytest.mark.parametrize("path", HUGE)
def test_a_huge_file_is_not_read(path: str, tmp_path: Path) -> None:
    """It would be read into memory."""
    repository = new_repository(tmp_path / "demo")
    commit(repository, "x", 1)
    with (repository / path).open("ab") as file:
        file.truncate(2**40)
    assert Repositories(live=True).facts(str(repository), "main", 0, 10**19) == {}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("path", [".", ".git", ".git/objects"])
def test_the_repository_of_another_user_is_not_read(path: str, tmp_path: Path) -> None:
    """Not even by root."""
    repository = new_repository(tmp_path / "demo")
    commit(repository, "x", 1)
    os.chown(repository / path, 12345, -1)
    assert Repositories(live=True).facts(str(repository), "main", 0, 10**19) == {}


@pytest.mark.parametrize("text", ["", "docs", "../.git", "gitdir: gone", "gitdir: ", "gitdir: file", "gitdir: \0"])
def test_a_git_file_that_points_nowhere_is_no_repository(text: str, tmp_path: Path) -> None:
    """Nor is the repository around it, whose files these are not."""
    repository = new_repository(tmp_path / "demo")
    commit(repository, "x", 1)
    (repository / "docs").mkdir()
    (repository / "docs/.git").write_text(text)
    assert Repositories(live=True).facts(str(repository / "docs"), "main", 0, 10**19) == {}
